"""The command line: listings for people and programs, errors that help, an image of one's own."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner
from toys import pure_pixel_scene

from hsu_lib.cli import main
from hsu_lib.methods import METHODS


def hsu(*words, ok=True):
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert (result.exit_code == 0) is ok, result.output
    return result.output


def test_help_teaches():
    text = hsu("--help")
    assert "hsu run patching --profile desk -p scene=jasper" in text
    for command in ("data", "methods", "runs", "scorecard", "time", "run", "book", "publish", "unmix"):
        assert command in text
        assert "Usage" in hsu(command, "--help")


def test_methods_for_people_and_programs():
    assert all(name in hsu("methods") for name in METHODS)
    rows = json.loads(hsu("methods", "--json"))
    assert [row["name"] for row in rows] == list(METHODS)
    whole, share = json.loads(hsu("methods", "palm", "--json"))  # one does not make the other a decimal
    assert (repr(whole["default"]), share["default"]) == ("200", 1e-6)
    settings = json.loads(hsu("methods", "ae-patches", "--json"))
    assert {"setting": "epochs", "default": 200, "source": "report on perturbations, Table 1"} in settings


def test_data_listings():
    rows = json.loads(hsu("data", "list", "--json"))
    assert "lagoon" in {row["name"] for row in rows}
    assert "lagoon" in hsu("data", "show", "lagoon")
    assert json.loads(hsu("data", "show", "samson", "--json"))["name"] == "samson"
    assert "samson" in hsu("data", "show", "samsom", ok=False)


def test_scorecard_and_runs_are_json():
    rows = json.loads(hsu("scorecard", "--all", "--json"))
    assert len(rows) == 113
    assert {"claim", "source", "verdict", "low", "high", "seeds", "scenes", "profile", "reason"} <= set(
        rows[0]
    )
    json.loads(hsu("runs", "--json"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("run", "patchin"), "patching"),
        (("run", "patching", "--profile", "dask"), "desk"),
        (("run", "patching", "-p", "seed=3"), "seeds"),
        (("run", "alignment", "-p", "draws=many"), "expected a whole number like 100, got 'many'"),
        (("run", "patching", "-p", "seeds"), "NAME=VALUE"),
        (("methods", "vca"), "vca-fclsu"),
        (("publish", "paper"), "no chapter was executed"),
    ],
)
def test_wrong_names_are_answered_with_the_known_ones(words, message, tmp_path, monkeypatch):
    monkeypatch.setattr("hsu_lib.paths.executed", lambda: tmp_path)
    assert message in hsu(*words, ok=False)


@pytest.mark.parametrize("method", ["vca-fclsu", "ae-patches"])
def test_unmix_an_image_of_ones_own(tmp_path, method):
    scene = pure_pixel_scene(height=9, width=11)
    np.savez(tmp_path / "mine.npz", Y=scene.Y)
    out = tmp_path / "result.npz"
    settings = ["-s", "epochs=2", "-s", "filters=4"] if method == "ae-patches" else []
    text = hsu(
        "unmix",
        tmp_path / "mine.npz",
        "--layout",
        "bhw",
        "--method",
        method,
        "-p",
        3,
        "--out",
        out,
        *settings,
    )
    assert "12 bands, 9 x 11 pixels" in text
    with np.load(out) as result:
        assert result["E"].shape == (12, 3)
        assert result["A"].shape == (3, 9, 11)
        np.testing.assert_allclose(result["A"].sum(axis=0), 1, atol=1e-5)
    assert out.with_suffix(".png").read_bytes()[:4] == b"\x89PNG"


def test_unmix_says_what_is_missing(tmp_path):
    np.savez(tmp_path / "mine.npz", Y=pure_pixel_scene().Y)
    image = tmp_path / "mine.npz"
    assert "needs known endmembers" in hsu(
        "unmix", image, "--layout", "bhw", "--method", "fclsu", "-p", 3, ok=False
    )
    (tmp_path / "notes.txt").write_text("not an image")
    assert "Error" in hsu("unmix", tmp_path / "notes.txt", "-p", 3, ok=False)
