"""Manifests, publishing, the scorecard, and what a page shows."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import signal
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from PIL import Image

from hsu_lib import claims, runs
from hsu_lib.claims.rule import Verdict
from hsu_lib.publishing import chapters, manifest, pages, published
from hsu_lib.publishing import folders as whole
from hsu_lib.publishing.folders import MARK
from hsu_lib.runs import Run
from hsu_lib.runs.answers import Answer, Comparison, Way
from hsu_lib.runs.record import write_atomically
from hsu_lib.scene import SceneSpec

SMALL = SceneSpec("lagoon", crop=(2, 3, 7, 5))
RUNS = [Run("ae-plain", SMALL, seed, {"epochs": 2, "filters": 4, "kernel": 3}) for seed in range(3)]


@pytest.fixture
def folders(tmp_path, monkeypatch):
    for name in ("STORE", "PUBLISHED"):
        monkeypatch.setenv(f"HSU_{name}", str(tmp_path / name.lower()))
    monkeypatch.setenv("HSU_OUT", str(tmp_path / "chapters" / "patching"))
    return tmp_path


@pytest.fixture
def shown(monkeypatch):
    out = []
    monkeypatch.setattr(pages, "display", lambda thing: out.append(thing.data))
    return out


def ended(page, **parameters):
    """What the executor notes once a chapter has run to its end."""
    chapter, profile = page.manifest.chapter, page.manifest.profile
    page.manifest.executed = manifest.Executed(
        chapters.values(chapter, profile, parameters),
        chapters.source(chapter, profile),
        records=published.fingerprint(page.manifest.keys),
        pictures={
            path.stem: sha256(path.read_bytes()).hexdigest() for path in page.out.glob("figures/*.webp")
        },
    )
    page.manifest.write(page.out / "chapter.json")


def everything(folder):
    """Every file in a folder, hidden ones too, but for the lock, and its bytes."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MARK
    }


def test_publish_and_replay_elsewhere(folders, shown, monkeypatch):
    page = pages.Page("patching", "desk")
    page.sweep(RUNS)
    page.figure("scene", lambda: plt.subplots()[0], alt="a", caption="c", needs=["lagoon"])
    page.manifest.answers = [answered("prim-patches-improve-abundances", Verdict.REPRODUCED)]
    ended(page)
    folder, size = published.publish("desk", source=folders / "chapters")
    assert size == sum(p.stat().st_size for p in (folders / "published").rglob("*") if p.is_file())
    assert (folder / "figures" / "patching-scene.webp").read_bytes()[:4] == b"RIFF"
    # another machine: nothing but the published folder
    monkeypatch.setenv("HSU_STORE", str(folders / "empty"))
    table, _ = pages.Page("patching", "desk").sweep(RUNS)
    assert table["replayed"].all()
    assert "3 replayed (published, profile desk)" in pages.provenance([table], "desk")
    assert published.manifests()[0].answers == page.manifest.answers


def test_publishing_drops_records_that_no_chapter_uses_any_more(folders, shown):
    for used in (RUNS, RUNS[:1]):
        page = pages.Page("patching", "desk")
        page.sweep(used)
        ended(page)
        folder, _ = published.publish("desk", source=folders / "chapters")
    assert {p.stem for p in (folder / "records").glob("*")} == {RUNS[0].key}


def test_publishing_what_was_not_run_is_refused(folders, shown):
    pages.Page("patching", "quick")
    with pytest.raises(LookupError, match="no chapter was executed with profile desk"):
        published.publish("desk", source=folders / "chapters")


def answered(claim, verdict):
    """An answer of one comparison over ten seeds."""
    part = Comparison(
        "a better than b", "better", 0.1, False, 0.1, tuple(range(100, 110)), (0.2, 0.3) * 5, ()
    )
    return Answer(claim, verdict, (Way("toy", verdict, (part,), ("toy",)),), "Because.")


def test_the_scorecard_lists_every_claim_once(folders, shown):
    decided, missing, seen, _, *rest = claims.claims().index
    page = pages.Page("patching", "quick")
    page.manifest.answers = [answered(decided, Verdict.REPRODUCED), answered(missing, None)]
    page.manifest.write(page.out / "chapter.json")
    head = "claim,verdict,mean,low,high,seeds,scenes,profile"
    rows = [f"{claim},undecided,0.1,-0.1,0.3,3,lagoon,desk" for claim in (decided, seen)]
    (folders / "published").mkdir(exist_ok=True)
    (folders / "published" / "explored.csv").write_text("\n".join([head, *rows, ""]))
    card = claims.scorecard(published.manifests(folders / "chapters"))
    assert len(card) == 113
    row = card.loc[decided]  # fresh seeds come before what was looked at
    assert (row["verdict"], row["rule"], row["seeds"], row["scenes"]) == ("reproduced", 2, 10, "toy")
    assert row["low"] > 0
    row = card.loc[seen]
    assert (row["verdict"], row["rule"], row["seeds"], row["low"]) == ("undecided", 1, 3, -0.1)
    row = card.loc[missing]
    assert (row["verdict"], row["rule"], row["chapter"], row["reason"]) == (
        "not yet judged",
        0,
        "patching",
        "Because.",
    )
    assert (card.loc[rest, "rule"] == 0).all()


def test_a_picture_without_its_data_is_the_published_one(folders, shown, monkeypatch):
    page = pages.Page("patching", "desk")
    page.figure("scene", lambda: plt.subplots()[0], alt="a map", caption="c", needs=["samson"])
    monkeypatch.setattr(pages.scenes, "is_available", lambda scene: False)
    never = lambda: pytest.fail("there is no data to draw")  # noqa: E731
    page.figure("nothing", never, alt="a", caption="c", needs=["samson"])
    assert "hsu data fetch samson" in shown[-1]
    target = folders / "published" / "desk" / "figures"
    target.mkdir(parents=True, exist_ok=True)
    (target / "patching-scene.webp").write_bytes(b"picture")
    page.figure("scene", never, alt='a "map"', caption="c & d", needs=["samson"])
    assert "cGljdHVyZQ==" in shown[-1]  # the published bytes
    assert "how-to-read.html#published-picture" in shown[-1]
    assert BeautifulSoup(shown[-1], "html.parser").img["alt"] == 'a "map"'


def test_what_was_computed_from_data_is_told_without_them(folders, shown, monkeypatch):
    page = pages.Page("patching", "desk")
    assert page.fact("bands", lambda: {"of": (156, 198)}, needs=["lagoon"]) == {"of": [156, 198]}
    with pytest.raises(ValueError, match="two facts called 'bands'"):
        page.fact("bands", lambda: 3, needs=["lagoon"])
    ended(page)
    published.publish("desk", source=folders / "chapters")
    monkeypatch.setattr(pages.scenes, "is_available", lambda scene: False)
    never = lambda: pytest.fail("there is no data to compute from")  # noqa: E731
    for profile in ("desk", "quick"):
        page = pages.Page("patching", profile)
        assert page.fact("bands", never, needs=["lagoon"]) == {"of": [156, 198]}
        assert page.fact("nothing", never, needs=["lagoon"]) is None
        assert manifest.Manifest.read(page.out / "chapter.json").facts == {"bands": {"of": [156, 198]}}


def test_pictures_of_estimates_tell_the_seeds_that_they_show(folders, shown, monkeypatch):
    page = pages.Page("patching", "desk")
    monkeypatch.setattr(pages.scenes, "is_available", lambda scene: False)
    one, other = (SimpleNamespace(asked={"seed": seed}) for seed in (100, 101))
    page.endmembers("samson", {"one": one}, {"one": 3.14})
    assert "Estimates of seed 100 (solid)" in shown[-1]
    page.endmembers("samson", {"one": one, "other": other}, {"one": 3.14})
    assert "Estimates of seeds 100-101 (solid)" in shown[-1]


def test_tables_escape_what_they_are_given(shown, folders):
    page = pages.Page("patching")
    page.table(
        pd.DataFrame({"a": ["<b>", None], "n": [0.123456, np.nan]}), caption="x < y", formats={"n": "{:.2f}"}
    )
    assert "&lt;b&gt;" in shown[-1]
    assert "x &lt; y" in shown[-1]
    assert ">0.12<" in shown[-1]
    assert "nan" not in shown[-1].lower()


def test_a_moving_picture_loops_and_has_a_still(shown, folders):
    page, before = pages.Page("patching", "desk"), plt.get_fignums()

    def frames():
        for k in range(3):
            figure, ax = plt.subplots(figsize=(2, 1))
            ax.plot([0, k])
            yield figure

    page.movie("maps", frames(), alt="three <lines>", caption="c", seconds=0.1)
    with Image.open(page.out / "figures" / "maps.webp") as moving:
        assert (moving.n_frames, moving.info["loop"]) == (3, 0)
        moving.seek(2)
        last = np.asarray(moving.convert("RGB"), dtype=float)
    still = np.asarray(Image.open(page.out / "figures" / "maps.png").convert("RGB"), dtype=float)
    assert last.shape == still.shape
    assert np.abs(last - still).mean() < 5  # of 255: compressed
    assert 'media="(prefers-reduced-motion: reduce), print"' in shown[-1]
    assert 'alt="three &lt;lines&gt;"' in shown[-1]
    assert plt.get_fignums() == before


def test_maps_are_published_only_where_a_page_shows_them(folders, shown):
    page = pages.Page("patching", "desk")
    records = page.sweep(RUNS).records
    page.mapped(records[1:2])
    page.mapped(records[1:2])
    ended(page)
    folder, _ = published.publish("desk", source=folders / "chapters")
    kept = [runs.read_record(folder / "records" / f"{run.key}.json", "desk") for run in RUNS]
    assert ["A" in record.arrays for record in kept] == [False, True, False]


# --------------------------------------------------------------------------- what is not complete


@pytest.fixture
def two(folders, shown, monkeypatch):
    """Two chapters that ran to their end, published; then `patching` with fewer runs, not published yet."""
    source = folders / "chapters"
    for chapter, used in (("patching", RUNS), ("alpha", RUNS[:1]), ("patching", RUNS[:2])):
        monkeypatch.setenv("HSU_OUT", str(source / chapter))
        page = pages.Page(chapter, "desk")
        page.sweep(used)
        page.figure("scene", lambda: plt.subplots()[0], alt="a", caption="c", needs=["lagoon"])

        ended(page)
        if chapter == "alpha":
            published.publish("desk", source=source)
            (folders / "published" / "desk" / "verified.json").write_text("of someone else")
    return source


def refused(source, message, *chapters, error=published.Refused):
    """Publishing is refused with these words, and not a byte of what is published changes."""
    home = source.parent / "published"
    before = everything(home)
    with pytest.raises(error, match=message) as caught:
        published.publish("desk", chapters, source=source)
    assert everything(home) == before
    return str(caught.value)


def edited(source, chapter="patching", **fields):
    path = source / chapter / "chapter.json"
    found = manifest.Manifest.read(path)
    replace(found, **fields).write(path)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"executed": None}, "patching was not run to its end: `hsu run patching --profile desk`"),
        ({"seeds": "1"}, "patching was run with seeds='1' instead of '100-109'"),
        ({"source": "0"}, "patching has changed since it was run, or its profile has"),
        ({"records": "0"}, "patching used records that have been computed anew since"),
        ({"pictures": {"scene": "0"}}, "patching drew a picture scene that is gone or has changed"),
    ],
)
def test_what_is_not_what_its_profile_says_is_not_published(two, fields, why):
    executed = manifest.Manifest.read(two / "patching" / "chapter.json").executed
    if "seeds" in fields:
        fields = {"parameters": executed.parameters | fields}
    edited(two, executed=None if "executed" in fields else replace(executed, **fields))
    message = refused(two, "nothing was published")
    assert why in message
    assert message.endswith("to publish the others: `hsu publish desk alpha`")
    folder, _ = published.publish("desk", ["alpha"], source=two)
    assert len(manifest.Manifest.read(folder / "chapters" / "patching.json").keys) == 3


def test_records_that_are_gone_or_damaged_are_told_by_chapter(two, folders):
    (path,) = (folders / "store").glob(f"*/{RUNS[1].key}.npz")
    path.write_bytes(path.read_bytes()[:-9])
    assert "patching used records that are gone or damaged" in refused(two, "nothing was published")
    shutil.rmtree(folders / "store")
    shutil.rmtree(folders / "published" / "desk" / "records")
    message = refused(two, "nothing was published")
    assert f"alpha used records that are gone or damaged (record {RUNS[0].key} is in no store)" in message


def test_a_chapter_that_is_named_must_be_there_and_of_this_profile(two):
    assert "vae was not run here: `hsu run vae --profile desk`" in refused(two, "not", "vae")
    edited(two, profile="quick")
    assert "patching was last run with profile quick" in refused(two, "not", "patching")
    assert "known, the closest first: patching" in refused(two, "unknown", "pathcing", error=ValueError)
    edited(two, "alpha", profile="quick")
    refused(two, "no chapter was executed with profile desk: `hsu book --profile desk`", error=LookupError)
    with pytest.raises(ValueError, match="unknown profile: 'dsk'"):
        published.publish("dsk", source=two)


# --------------------------------------------------------------------------- all of it, or nothing


def test_too_much_is_refused(two, monkeypatch):
    monkeypatch.setattr(published, "MOST_BYTES", 1000)
    refused(two, r"would be 0\.\d MB, more than 0 MB: nothing was published", error=ValueError)


@pytest.mark.parametrize("after", range(4))
def test_a_full_disk_leaves_everything(two, monkeypatch, after):
    executed = manifest.Manifest.read(two / "patching" / "chapter.json").executed
    (two / "patching" / "figures" / "scene.webp").write_bytes(b"another")
    edited(two, executed=replace(executed, pictures={"scene": sha256(b"another").hexdigest()}))
    left = [after]  # a picture, two manifests, and the checksums are to be written

    def write(path, data):
        if not left[0]:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        left[0] -= 1
        write_atomically(path, data)

    for module in (published, manifest):
        monkeypatch.setattr(module, "write_atomically", write)
    refused(two, "No space left", error=OSError)


def killed(function):
    """The function is run in a process of its own, which must kill itself."""
    child = os.fork()
    if not child:
        with contextlib.suppress(BaseException):
            function()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


@pytest.mark.parametrize("exchange", [True, False])
@pytest.mark.parametrize("moment", ["before", "between", "after"])
def test_killed_at_the_swap_the_old_or_the_new_is_whole(two, folders, monkeypatch, moment, exchange):
    home = folders / "published"
    before = everything(home)
    rename, exchanged = os.rename, whole._exchanged

    def renamed(old, new):
        die = Path(new).name == "desk"
        if die and moment != "after":
            os.kill(os.getpid(), signal.SIGKILL)
        rename(old, new)
        if die:
            os.kill(os.getpid(), signal.SIGKILL)

    def swapped(one, other):
        if not exchange:
            return False
        if moment != "after":
            os.kill(os.getpid(), signal.SIGKILL)
        assert exchanged(one, other)
        os.kill(os.getpid(), signal.SIGKILL)

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", renamed)
        patch.setattr(whole, "_exchanged", swapped)
        killed(lambda: published.publish("desk", source=two))
    new = (exchange and moment == "after") or not exchange  # without an exchange, what was begun is ended
    found = {m.chapter: m for m in published.manifests()}
    assert len(found["patching"].keys) == (2 if new else 3)
    inside = {name: data for name, data in everything(home).items() if name.startswith("desk/")}
    assert (inside == before) is not new
    assert {Path(n).stem for n in inside if "records" in n} == {run.key for run in RUNS[: 2 if new else 3]}
    published.publish("desk", source=two)
    assert sorted(p.name for p in home.iterdir()) == [MARK, "desk"]


def test_an_unchanged_record_picture_or_manifest_is_not_written_again(two, folders):
    folder = folders / "published" / "desk"
    before = {path: path.stat() for path in folder.rglob("*") if path.is_file()}
    published.publish("desk", source=two)
    for path in [*folder.glob("records/*"), folder / "figures/alpha-scene.webp", folder / "verified.json"]:
        assert (path.stat().st_ino, path.stat().st_mtime_ns) == (
            before[path].st_ino,
            before[path].st_mtime_ns,
        )
    published.publish("desk", ["patching"], source=two)
    assert (folder / "chapters/alpha.json").stat().st_nlink == 1


def test_abundances_come_and_go_with_the_pages_that_show_them(two, folders):
    folder = folders / "published" / "desk"
    for maps in ([RUNS[0].key], []):
        edited(two, maps=maps)
        published.publish("desk", source=two)
        shown = "A" in runs.read_record(folder / "records" / f"{RUNS[0].key}.json", "desk").arrays
        assert shown is bool(maps)


def test_two_do_not_publish_at_once(two, folders):
    with whole.held(folders / "published", "hsu publish quick"):
        refused(two, rf"in use by process {os.getpid()} on .*: hsu publish quick, since", error=whole.Busy)
    with whole.held(two / "alpha", "hsu run alpha"):
        refused(two, "alpha is in use by process .* hsu run alpha", error=whole.Busy)
    published.publish("desk", source=two)


# --------------------------------------------------------------------------- a bit that flips


def test_every_flipped_bit_of_a_manifest_is_noticed(two):
    path = two / "alpha" / "chapter.json"
    edited(two, "alpha", answers=[])
    good = path.read_bytes()
    for place in range(len(good)):
        data = bytearray(good)
        data[place] ^= 1 << place % 8
        path.write_bytes(data)
        with pytest.raises(manifest.Damaged, match=r"chapter.json is damaged .*: run the chapter again"):
            manifest.Manifest.read(path)
    path.write_text("[]")
    with pytest.raises(manifest.Damaged):
        manifest.Manifest.read(path)
    assert "alpha" in refused(two, "chapter.json is damaged")


def test_manifests_from_before_checksums_are_read_and_watched_from_beside(two, folders):
    folder = folders / "published" / "desk"
    path = folder / "chapters" / "alpha.json"
    old = json.loads(path.read_text())
    del old["executed"], old["sha256"]
    path.write_text(json.dumps(old, indent=1) + "\n")
    manifest.write_sums(folder)
    assert manifest.Manifest.read(path).executed is None
    good = path.read_bytes()
    for place in range(len(good)):
        data = bytearray(good)
        data[place] ^= 1 << place % 8
        path.write_bytes(data)
        with pytest.raises(manifest.Damaged, match=r"alpha.json is "):
            manifest.Manifest.read(path)
    path.write_bytes(good)
    published.publish("desk", ["patching"], source=two)
    assert path.read_bytes() == good
    sums = folder / manifest.SUMS
    sums.write_bytes(sums.read_bytes().replace(b"a", b"b", 1))
    with pytest.raises(manifest.Damaged, match="SHA256SUMS is damaged: restore it"):
        manifest.Manifest.read(path)


def test_a_published_picture_is_checked_before_it_is_shown_or_kept(two, folders):
    picture = folders / "published" / "desk" / "figures" / "alpha-scene.webp"
    assert manifest.read_published(picture) == picture.read_bytes()
    picture.write_bytes(b"x")
    with pytest.raises(manifest.Damaged, match=r"alpha-scene.webp is not what was published"):
        manifest.read_published(picture)
    refused(two, r"alpha-scene.webp is not what was published", "patching", error=manifest.Damaged)


def test_this_projects_published_manifests_are_watched():
    folder = Path(published.__file__).parents[2] / "book" / "results"
    for profile in published.PROFILES:
        stated = manifest.sums(folder / profile) or {}
        for path in [*folder.glob(f"{profile}/chapters/*"), *folder.glob(f"{profile}/figures/*")]:
            assert stated[f"{path.parent.name}/{path.name}"] == sha256(path.read_bytes()).hexdigest()


# --------------------------------------------------------------------------- folders cannot be exchanged


@pytest.fixture
def apart(tmp_path, monkeypatch):
    """An old folder, a new one in a workplace, and a system that cannot swap them."""
    monkeypatch.setattr(whole, "_exchanged", lambda new, target: False)
    old, new = tmp_path / "home/desk", tmp_path / "home/.making/place/desk"
    for folder in (old, new):
        folder.mkdir(parents=True)
        (folder / ("old" if folder is old else "new")).touch()
    return old, new


@pytest.mark.parametrize("number", [0, errno.EXDEV])
def test_the_new_folder_takes_the_place_of_the_old_one_all_the_same(apart, monkeypatch, number):
    old, new = apart
    rename = os.rename

    def renamed(one, other):  # as in a lower layer of an overlay
        if number and one == old:
            raise OSError(number, os.strerror(number), str(one))
        rename(one, other)

    monkeypatch.setattr(os, "rename", renamed)
    whole.replace(new, old)
    assert os.listdir(old) == ["new"]


@pytest.mark.parametrize("step", range(3))
def test_what_fails_half_way_is_undone(apart, monkeypatch, step):
    old, new = apart
    rename, done = os.rename, []

    def renamed(one, other):
        done.append(other)
        if len(done) == step + 1:
            raise OSError(errno.EACCES, "Permission denied", str(other))
        rename(one, other)

    monkeypatch.setattr(os, "rename", renamed)
    with pytest.raises(OSError, match="Permission denied"):
        whole.replace(new, old)
    assert (os.listdir(old), os.listdir(new)) == (["old"], ["new"])
    whole.recover(old.parent)
    assert os.listdir(old) == ["old"]
