"""How many endmembers are looked for where nobody says it: the rule, `hsu rank`, `hsu unmix` without -p."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from scenes_helpers import real
from scipy.io import savemat
from toys import pure_pixel_scene

import hsu_lib
from hsu_lib.cli import main
from hsu_lib.methods.rank import ESTIMATORS, Estimate, Pixels, count_by, estimates
from hsu_lib.scene import Scene
from hsu_lib.scenes.noise import add_noise
from hsu_lib.unmixing import read_result
from hsu_lib.unmixing.counting import counted


def hsu(*words, code=0):
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result.output


def image(endmembers=3, height=20, width=15, snr_db=35):
    """Noisy mixtures with pure pixels, ``(12, height, width)``."""
    return add_noise(pure_pixel_scene(height, width, endmembers=endmembers).Y, snr_db, 0)


@pytest.fixture
def field(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    savemat("field.mat", {"cube": image().transpose(1, 2, 0), "wavelength": np.linspace(400, 2500, 12)})
    return tmp_path / "field.mat"


# --------------------------------------------------------------------------- the rule


def rule(hysime, sure, gene, hfc=7):
    found = {"hysime": hysime, "sure": sure, "gene-ah": gene, "hfc": hfc}
    return count_by({name: Estimate(rank) for name, rank in found.items()})


@pytest.mark.parametrize(
    ("ranks", "number", "told"),
    [
        ((5, 5, 5), 5, "find 5, 5 and 5, which is near enough, so GENE-AH counts"),
        ((3, 4, 5), 5, "GENE-AH counts"),
        ((6, 5, 4), 4, "GENE-AH counts"),
        ((5, 5, 8), 7, "find 5, 5 and 8, which do not agree, so HFC counts"),
        ((74, 82, 25, 8), 8, "do not agree"),
        ((5, 5, None), 7, "too few pixels for HySime, SURE and GENE-AH, so HFC counts"),
        ((None, None, None, 0), 1, "HFC counts; it finds none"),
        ((1, 0, 0), 1, "GENE-AH counts; it finds none"),
    ],
)
def test_the_number_that_is_taken(ranks, number, told):
    found = rule(*ranks)
    assert found.number == number
    assert told in found.why


def test_every_estimator_has_a_source_and_says_what_it_assumes():
    for name, estimator in ESTIMATORS.items():
        assert (estimator.name, bool(estimator.source), bool(estimator.assumes)) == (name, True, True)


def test_all_estimators_find_the_endmembers_of_a_simple_image():
    found = estimates(image().reshape(12, -1))
    assert {name: found[name].rank for name in ("hysime", "sure", "gene-ah", "gene-ch")} == dict.fromkeys(
        ("hysime", "sure", "gene-ah", "gene-ch"), 3
    )
    assert 1 <= found["hfc"].rank <= 3


@pytest.mark.parametrize("pixels", [1, 2, 12, 13, 25, 26])
def test_too_few_pixels_are_told(pixels):
    found = estimates(image().reshape(12, -1)[:, :pixels])
    for name, estimate in found.items():
        least = ESTIMATORS[name].parts * 13
        assert (estimate.rank is None) == (pixels < least)
        if estimate.rank is None:
            assert estimate.note == f"needs {least} pixels for 12 bands, has {pixels}"


def test_the_number_is_none_that_the_image_cannot_have():
    scene = Scene(image()[:, :1, :3])
    assert 1 <= counted(scene).number <= 3
    assert counted(Scene(np.full((4, 5, 6), 0.3))).number == 1
    assert counted(Scene(np.zeros((4, 5, 6)))).number == 1


def test_masked_pixels_do_not_count():
    Y = image()
    mask = np.ones(Y.shape[1:], dtype=bool)
    mask[:, :4] = False
    spoiled = np.where(mask, Y, np.random.default_rng(0).random(Y.shape))
    found = counted(Scene(spoiled, mask=mask)).found
    assert found == estimates(Y[:, mask].astype(np.float32))


def test_what_estimators_share_is_computed_once():
    pixels = Pixels(image().reshape(12, -1))
    assert pixels.moments is pixels.moments
    assert pixels.noise is pixels.noise


# --------------------------------------------------------------------------- hsu rank


def test_rank_prints_every_estimate_and_draws(field):
    told = hsu("rank", field)
    for estimator in ESTIMATORS.values():
        assert f"{estimator.label:9}  " in told
        assert estimator.assumes in told
    assert "hsu unmix without -p takes 3: HySime, SURE and GENE-AH find 3, 3 and 3" in told
    assert Image.open("field-rank.png").size[0] <= 1000
    hsu("rank", field)  # its own picture is replaced


def test_rank_for_programs(field):
    told = json.loads(hsu("rank", field, "--json", "--out", "plots/a.svg"))
    assert told["taken"] == 3
    assert told["reference"] is None
    assert {row["name"]: row["rank"] for row in told["estimators"]}["hysime"] == 3
    assert (field.parent / told["plot"]).read_text().startswith("<?xml")
    hsu("rank", field, "--out", "plots/a.svg")


def test_rank_of_a_part_counts_what_is_there(field):
    np.save("mask.npy", np.arange(15)[None] > np.zeros((20, 1)))
    told = json.loads(hsu("rank", field, "--json", "--mask", "mask.npy", "--bands", "1-8", "--scale", 1))
    assert (told["bands"], told["pixels"]) == (8, 280)
    assert any("mask.npy leaves out 20 of 300 pixels" in note for note in told["read"])


def test_rank_of_too_few_pixels_says_so(field):
    told = hsu("rank", field, "--crop", 0, 0, 2, 5)
    assert "HySime         -" in told
    assert "- HySime needs 13 pixels for 12 bands, has 10" in told
    assert "too few pixels for HySime, SURE and GENE-AH, so HFC counts" in told


def test_rank_knows_the_scenes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    told = hsu("rank", "lagoon")
    assert "its reference has 4" in told
    assert (tmp_path / "lagoon-rank.png").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("fiield",), "fiield: no such file, and no scene of that name; `hsu data list` has their names"),
        (("fiield.npz",), "no such file"),
        (("lagoon", "--bands", "1-3"), "lagoon is a scene of the catalogue"),
        (("lagoon", "--nodata", "0"), "options are for files"),
        (("lagoon", "--out", "plot.pdf"), "--out: expected a name that ends in .png or .svg, got plot.pdf"),
        (("lagoon", "--out", "other.png"), "no picture of hsu rank; give another --out"),
        (("lagoon", "--out", "other.png/plot.png"), "other.png is not a folder; give another --out"),
    ],
)
def test_what_rank_refuses(field, words, told):
    field.with_name("other.png").write_bytes(b"mine")
    output = hsu("rank", *words, code=1)
    assert told in output
    assert len(output.splitlines()) == 1
    assert field.with_name("other.png").read_bytes() == b"mine"


# --------------------------------------------------------------------------- unmixing without a number


def test_unmix_without_a_number_takes_the_estimate_and_says_so(field):
    told = hsu("unmix", field, "--out", "r")
    assert "- 3 endmembers, an estimate: HySime, SURE and GENE-AH find 3, 3 and 3, which is near" in told
    assert "-p or endmembers= sets another number" in told
    result = read_result("r.npz")
    assert result.E.shape == (12, 3)
    about = result.about["endmembers_estimated"]
    assert about["number"] == 3
    assert about["estimates"]["hysime"] == 3
    assert "estimate" not in hsu("unmix", field, "-p", 2, "--out", "s")


def test_unmix_takes_the_number_of_a_reference_before_any_estimate(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    scene = pure_pixel_scene(20, 15)
    E = np.column_stack([scene.E, scene.E.mean(axis=1)])
    np.savez("field.npz", Y=scene.Y, E=E)
    assert "estimate" not in hsu("unmix", "field.npz", "--layout", "bhw", "--out", "r")
    assert read_result("r.npz").E.shape == (12, 4)


def test_unmixing_an_array_without_a_number():
    result = hsu_lib.unmix(image())
    assert result.E.shape == (12, 3)
    assert any(note.startswith("3 endmembers, an estimate") for note in result.read)
    assert result.about["endmembers_estimated"]["number"] == 3
    assert "endmembers_estimated" not in hsu_lib.unmix(image(), endmembers=3).about


def test_an_unmixer_without_a_number():
    pytest.importorskip("sklearn")
    X = image().reshape(12, -1).T
    assert hsu_lib.Unmixer(n_components=None, random_state=0).fit(X).components_.shape == (3, 12)


#: Number that is taken on the shared scenes, noise of a level in dB where one is added.
TAKEN = {
    ("dc1", 20): 5,
    ("dc1", 30): 5,
    ("dc1", 40): 5,
    ("dc2", 20): 8,
    ("dc2", 30): 9,
    ("dc2", 40): 9,
    ("sim1", 20): 5,
    ("sim1", 30): 6,
    ("sim1", 40): 6,
    ("sim2", 20): 5,
    ("sim2", 30): 6,
    ("sim2", 40): 6,
    ("samson", np.inf): 8,
    ("jasper", np.inf): 9,
}


@pytest.mark.real_data
@pytest.mark.parametrize(("name", "snr_db"), TAKEN)
def test_the_number_that_is_taken_on_the_shared_scenes(name, snr_db):
    assert counted(Scene(add_noise(real(name).Y, snr_db, 0))).number == TAKEN[name, snr_db]
