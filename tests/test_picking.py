"""Which blind method an image gets where nobody names one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from toys import pure_pixel_scene

import hsu_lib
from hsu_lib import methods, scenes
from hsu_lib.cli import main
from hsu_lib.scene import SceneSpec
from hsu_lib.unmixing.picking import BLIND, picked
from hsu_lib.unmixing.result import read_result


def unexplained(name, scene, endmembers):
    found = methods.get(name).unmix(scene, endmembers=endmembers, seed=0)
    rest = scene.Y - np.tensordot(found.E, found.A, 1)
    return np.linalg.norm(rest) / np.linalg.norm(scene.Y)


def test_dark_pixels_are_left_to_nfindr_and_noise_to_vca():
    clean, noisy = scenes.load("lagoon"), scenes.load(SceneSpec("lagoon", snr_db=20))
    for scene, expected in ((clean, "nfindr-fclsu"), (noisy, "vca-fclsu")):
        found = picked(scene.pixels, 4, seed=0)
        assert found.method.name == expected
        for name in BLIND:
            assert found.left[name] == pytest.approx(unexplained(name, scene, 4), rel=1e-5)
        assert f"endmembers by {expected}" in found.note


def test_of_equals_the_usual_one_is_taken():
    assert picked(pure_pixel_scene().pixels, 3, seed=0).method.name == BLIND[0]


def test_pixels_that_do_not_count_are_not_looked_at():
    scene = scenes.load("lagoon")
    Y, mask = scene.Y.copy(), np.ones((scene.height, scene.width), dtype=bool)
    Y[:, :5], mask[:5] = 1e3, False
    found, rest = (hsu_lib.unmix(Y[:, k:], endmembers=4, mask=mask[k:]) for k in (0, 5))
    assert found.about["picked_by_unexplained"] == rest.about["picked_by_unexplained"]


@pytest.mark.parametrize("shape", [(6, 1, 1), (6, 1, 2), (1, 3, 3), (2, 4, 4)])
def test_small_images_have_one(shape):
    Y = np.random.default_rng(0).random(shape) + 0.1
    assert hsu_lib.unmix(Y, endmembers=1).A.shape == (1, *shape[1:])


def test_from_python_and_from_the_terminal(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    scene = scenes.load("lagoon")
    found = hsu_lib.unmix(scene.Y, endmembers=4)
    assert found.about["method"] == "nfindr-fclsu"
    assert any("vca-fclsu" in note for note in found.read)
    np.savez("image.npz", Y=scene.Y, wavelengths=scene.wavelengths)
    said = CliRunner().invoke(main, ["unmix", "image.npz", "-p", "4", "--out", "r"]).output
    assert "endmembers by nfindr-fclsu, which leave 2.5 % of the image unexplained (vca-fclsu 2" in said
    assert "warning" not in said
    about = read_result("r.npz").about
    assert about["method"] == "nfindr-fclsu"
    assert set(about["picked_by_unexplained"]) == set(BLIND)
    for given, name in (({"method": "vca-fclsu"}, "vca-fclsu"), ({"branch": "principal"}, "vca-fclsu")):
        assert hsu_lib.unmix(scene.Y, endmembers=4, **given).about["method"] == name
    bare = replace(scene, A=None)
    assert hsu_lib.unmix(bare).about["method"] == "fclsu"
