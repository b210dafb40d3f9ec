"""What programs are told of the book, beside its pages and in an archive."""

from __future__ import annotations

import gzip
import io
import json
import re
import shutil
from hashlib import sha256
from zipfile import ZipFile

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from hsu_lib import claims, paths
from hsu_lib.cli import main
from hsu_lib.publishing import crate, endpoints, published
from hsu_lib.publishing.manifest import Manifest, write_sums
from hsu_lib.runs import DamagedRecord, Run, Store, publish, sweep
from hsu_lib.runs.canonical import to_json
from hsu_lib.scene import SceneSpec

SCENE = SceneSpec("lagoon")
RUNS = [Run("vca-fclsu", SCENE, 0), Run("vca-fclsu", SCENE, 1), Run("sivm-fclsu", SCENE, 0)]


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Three published runs and a chapter that used them, with a picture; the project's own claims."""
    folder = tmp_path / "results"
    monkeypatch.setenv("HSU_PUBLISHED", str(folder))
    done = sweep(RUNS, store=Store(tmp_path / "runs", folder), progress=False)
    publish(done.records, folder / "desk", maps=[done.records[0].key])
    Manifest("alpha", "desk", keys=[r.key for r in done.records]).write(folder / "desk/chapters/alpha.json")
    (folder / "desk/figures").mkdir()
    (folder / "desk/figures/alpha-scene.webp").write_bytes(b"a picture")
    write_sums(folder / "desk")
    return folder


# --------------------------------------------------------------------------- the two files


def test_a_row_for_each_record_with_all_that_was_asked(home):
    table = endpoints.records()
    assert len(table) == 3
    assert set(table["key"]) == {run.key for run in RUNS}
    assert set(table["profile"]) == {"desk"}
    row = table.set_index("key").loc[RUNS[1].key]
    record = Store(paths.nowhere(), home).get(RUNS[1])
    assert (row["method"], row["scene"], row["seed"]) == ("vca-fclsu", "lagoon", 1)
    assert row["settings"] == to_json(record.asked["settings"])
    for name, score in record.scores.items():
        assert row[name] == score
    assert row["status"] == record.status.lower()
    assert json.loads(row["versions"]) == record.made["versions"]


def test_every_column_is_explained(home):
    table = endpoints.records()
    assert list(table.columns[: len(endpoints.RECORD_COLUMNS)]) == list(endpoints.RECORD_COLUMNS)
    scores = set(table.columns) - set(endpoints.RECORD_COLUMNS)
    told = endpoints.score_columns({*scores, "test/mae-abundances", "sad-endmembers/tree"})
    assert {name.removeprefix("test/").split("/")[0] for name in scores} == set(told["column"])
    unit = told.set_index("column")["unit"]
    assert (unit["sad-endmembers"], unit["sre-abundances"], unit["mae-abundances"]) == ("rad", "dB", "1")
    assert told["what it is"].str.len().min() > 10


def test_the_scorecard_is_that_of_the_claims():
    told = endpoints.scorecard()
    expected = claims.scorecard(published.manifests()).reset_index()
    assert [row["claim"] for row in told["claims"]] == list(expected["claim"])
    assert [row["verdict"] for row in told["claims"]] == list(expected["verdict"])
    assert set(told["columns"]) == set(expected.columns) == set(told["claims"][0])


def test_files_are_read_by_anybody_and_equal_for_equal_results(home, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
        endpoints.write(folder)
    for name in (*endpoints.FILES, "citation.txt", "citation.bib", "endpoints.html"):
        assert (first / name).read_bytes() == (second / name).read_bytes()
    table = pd.read_csv(first / endpoints.RECORDS)
    pd.testing.assert_series_equal(
        table["rmse-abundances"], endpoints.records()["rmse-abundances"], check_exact=True
    )
    assert json.loads((first / endpoints.SCORECARD).read_text())["license"] == "MIT"
    assert "All 3 published runs" in (first / "endpoints.html").read_text()


def test_the_lines_of_the_page_run(tmp_path, monkeypatch, capsys):
    (code,) = re.findall(r"^```python\n(.*?)^```", (paths.ROOT / "book/cite.md").read_text(), re.M | re.S)
    (tmp_path / endpoints.RECORDS).write_bytes(endpoints.compressed(endpoints.records()))
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(compile(code, "cite.md", "exec"), names)
    assert len(names["fresh"]) > 5
    assert "mean" in capsys.readouterr().out


# --------------------------------------------------------------------------- the crate


def hsu(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


def contents(path):
    with ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_what_is_published_is_in_the_crate_as_it_is(home, tmp_path):
    done = hsu("publish", "--crate", tmp_path / "results.zip")
    assert done.exit_code == 0, done.output
    held = contents(tmp_path / "results.zip")
    assert next(iter(held)) == crate.METADATA
    for path in home.rglob("*"):
        if path.is_file():
            assert held[f"results/{path.relative_to(home).as_posix()}"] == path.read_bytes()
    table = pd.read_csv(io.BytesIO(gzip.decompress(held[endpoints.RECORDS])))
    assert set(table["key"]) == {run.key for run in RUNS}
    with ZipFile(tmp_path / "results.zip") as archive:
        archive.extractall(tmp_path / "unpacked")
    unpacked = Store(paths.nowhere(), tmp_path / "unpacked/results")
    for run in RUNS:
        np.testing.assert_array_equal(
            unpacked.get(run).arrays["E"], Store(paths.nowhere(), home).get(run).arrays["E"]
        )
    before = (tmp_path / "results.zip").read_bytes()
    crate.pack(tmp_path / "results.zip")
    assert (tmp_path / "results.zip").read_bytes() == before


@pytest.mark.parametrize("address", ["", "https://github.com/someone/unmixing"])
def test_the_metadata_keep_what_the_specification_demands(home, tmp_path, monkeypatch, address):
    """The MUSTs of RO-Crate 1.2 on the descriptor, the root, data entities and those they point to."""
    monkeypatch.setenv("HSU_REPOSITORY", address)
    crate.pack(tmp_path / "results.zip")
    held = contents(tmp_path / "results.zip")
    told = json.loads(held[crate.METADATA])
    assert told["@context"] == "https://w3id.org/ro/crate/1.2/context"
    entities = {entity["@id"]: entity for entity in told["@graph"]}
    assert len(entities) == len(told["@graph"])
    assert all(entity["@type"] for entity in entities.values())
    descriptor = entities["ro-crate-metadata.json"]
    assert descriptor["@type"] == "CreativeWork"
    assert descriptor["about"] == {"@id": "./"}
    assert descriptor["conformsTo"] == {"@id": "https://w3id.org/ro/crate/1.2"}
    root = entities["./"]
    assert root["@type"] == "Dataset"
    assert root["name"]
    assert root["description"]
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", root["datePublished"])
    assert entities[root["license"]["@id"]]["name"]
    pointed = re.findall(r'\{\s*"@id": "([^"]+)"\s*\}', held[crate.METADATA].decode())
    assert set(pointed) - {"https://w3id.org/ro/crate/1.2"} <= set(entities)
    for name, entity in entities.items():
        if entity["@type"] == "File":
            assert entity["contentSize"] == str(len(held[name]))
            assert entity["sha256"] == sha256(held[name]).hexdigest()
        if entity["@type"] == "Dataset" and name != "./":
            assert name.endswith("/")
            assert any(path.startswith(name) for path in held)
        if entity["@type"] == "SoftwareApplication":
            assert {"name", "version", "url"} <= set(entity)
    parts = {name for name, entity in entities.items() if entity["@type"] in ("File", "Dataset")} - {"./"}
    assert parts == reached("./", entities) - {"./"}
    described = {path for path in held if path in entities}
    assert {path for path in held if not path.endswith(".npz")} == described
    assert ("instrument" in entities["#runs"]) is bool(address)


def reached(name, entities):
    """An entity and all that is part of it, of its parts, and so on."""
    parts = entities[name].get("hasPart", [])
    parts = parts if isinstance(parts, list) else [parts]
    return {name}.union(*(reached(part["@id"], entities) for part in parts))


def test_damage_is_refused_and_nothing_written(home, tmp_path):
    target = tmp_path / "results.zip"
    picture = home / "desk/figures/alpha-scene.webp"
    picture.write_bytes(b"another picture")
    assert "not what was published" in hsu("publish", "--crate", target).output
    picture.write_bytes(b"a picture")
    (record, *_) = (home / "desk/records").glob("*.npz")
    record.write_bytes(record.read_bytes()[:-3])
    with pytest.warns(RuntimeWarning, match="passed over"), pytest.raises(DamagedRecord):
        crate.pack(target)
    assert not target.exists()


def test_nothing_published_and_nothing_asked_are_told(home, tmp_path):
    assert "which PROFILE?" in hsu("publish").output
    shutil.rmtree(home)
    home.mkdir()
    done = hsu("publish", "--crate", tmp_path / "results.zip")
    assert done.exit_code == 1
    assert "nothing is published" in done.output
