"""`hsu unmix` and `hsu_lib.unmix` with a library to choose from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from scenes_helpers import real_file
from toys import pure_pixel_scene, toy_library

import hsu_lib
from hsu_lib import scenes
from hsu_lib.cli import main
from hsu_lib.errors import InputError
from hsu_lib.methods import get
from hsu_lib.scenes.library import USGS_LIBRARY
from hsu_lib.unmixing.result import read_result

WAVES = np.linspace(420, 2480, 12)
NAMES = ("soil", "tree", "road", "soil", "roof", "water")


def hsu(*words, code=0):
    found = CliRunner().invoke(main, ["unmix", *map(str, words)])
    assert found.exit_code == code, found.output
    assert "Traceback" not in found.output
    return found.output


@pytest.fixture
def scene(tmp_path, monkeypatch):
    """An image as ``field.npz`` with wavelengths, ``bare.npy`` without; ``library.npz`` with names."""
    monkeypatch.chdir(tmp_path)
    scene = pure_pixel_scene(9, 7)
    np.savez("field.npz", Y=scene.Y, wavelengths=WAVES)
    np.save("bare.npy", scene.Y)
    spectra = toy_library(scene).spectra
    np.savez("library.npz", spectra=spectra, names=np.array(NAMES), wavelengths=WAVES)
    return scene


def test_spectra_of_a_library_are_chosen_and_named(scene):
    said = hsu(
        "field.npz", "--method", "sunsal", "--library", "library.npz", "--out", "r", "-s", "weight=0.001"
    )
    result = read_result("r.npz")
    active = result.about["active"]
    assert result.about["method"] == "sunsal"
    assert result.about["library"] == "library.npz"
    assert f"{len(active)} of 6 spectra of the library are used" in said
    assert "library: 6 spectra from library.npz" in said
    names = ("soil 1", "tree", "road", "soil 2", "roof", "water")
    assert result.materials == tuple(names[k] for k in active)
    expected = get("sunsal").unmix(scene, library=toy_library(scene), weight=0.001)
    assert expected.active.tolist() == active
    np.testing.assert_allclose(result.A, expected.A, atol=1e-5)
    assert "degenerate" not in result.status
    assert not result.warnings
    assert Path("r.png").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ("--method", "sunsal"),
            "chooses endmembers from a library: give --library usgs, or spectra of your own",
        ),
        (("--library", "library.npz", "-p", 3), "neither a number of endmembers nor known ones"),
        (
            ("--library", "library.npz", "--method", "vca-fclsu"),
            "chooses from no library: give --method sunsal-sure",
        ),
        (("--method", "s2wsu", "--endmembers-from", "library.npz"), "give it alone, --library usgs"),
        (("--library", "nowhere.csv"), "nowhere.csv: no such file"),
        (("--library", "library.npz", "--method", "sunsal", "-s", "weight=1e9"), "lower the weight"),
        (("--library", "library.npz", "--endmembers-scale", 1000), "in another unit"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_line(scene, words, told):
    said = hsu("field.npz", *words, "--out", "r", code=1)
    assert told in said
    assert not Path("r.npz").exists()


def test_minerals_need_wavelengths_of_the_image(scene):
    assert "the image has no wavelengths to bring minerals to" in hsu(
        "bare.npy", "--layout", "bhw", "--library", "usgs", code=1
    )


def test_a_library_is_no_place_for_a_result(scene):
    assert "is an input" in hsu("field.npz", "--library", "library.npz", "--out", "library", code=1)


def test_arrays_and_files_from_python(scene):
    spectra = toy_library(scene).spectra
    found = hsu_lib.unmix(scene.Y, library=spectra, names=NAMES, weight=0.001, method="clsunsal")
    assert found.about["library_size"] == 6
    assert set(found.materials) <= {"soil 1", "soil 2", *NAMES}
    of_file = hsu_lib.unmix(scene.Y, library="library.npz", weight=0.001, method="clsunsal")
    np.testing.assert_array_equal(of_file.A, found.A)
    assert hsu_lib.unmix(scene.Y, library=spectra).about["method"] == "sunsal-sure"
    for given, told in (
        ({"method": "sunsal"}, "give library='usgs'"),
        ({"library": spectra, "endmembers": 3}, "neither a number"),
        ({"library": spectra, "names": ("a",)}, "1 for 6 spectra of the library"),
        ({"library": spectra[0]}, r"expected an array \(bands, spectra\)"),
        ({"library": spectra, "method": "nmf"}, "chooses from no library"),
    ):
        with pytest.raises(InputError, match=told):
            hsu_lib.unmix(scene.Y, **given)


@pytest.mark.real_data
def test_minerals_of_the_usgs_are_resampled_and_named(tmp_path, monkeypatch):
    real_file(USGS_LIBRARY)
    monkeypatch.chdir(tmp_path)
    usgs = scenes.library_of("usgs")
    waves, few = np.linspace(450, 2400, 60), [usgs.names.index("Calcite WS272"), 100]
    A = np.random.default_rng(0).dirichlet([1, 1], 12).T
    Y = usgs.taken(few).resampled(waves).spectra @ A
    np.savez("field.npz", Y=Y.reshape(60, 4, 3), wavelengths=waves)
    said = hsu("field.npz", "--library", "usgs", "--out", "r")
    assert "240 minerals of the USGS, 4.44 degrees apart or more" in said
    assert "resampled linearly from 224 to the image's 60 wavelengths" in said
    result = read_result("r.npz")
    strongest = np.argsort(-result.A.mean(axis=(1, 2)))[:2]
    assert {result.materials[k] for k in strongest} == {usgs.names[k] for k in few}
