"""Lines to compare with: random pixels, and the same answer everywhere."""

from __future__ import annotations

import numpy as np
import pytest
from scenes_helpers import real
from toys import pure_pixel_scene

from hsu_lib import metrics
from hsu_lib.methods import get
from hsu_lib.scene import Scene, Status
from hsu_lib.solvers.fclsu import fclsu


def test_random_pixels_are_pixels_and_all_different():
    scene = pure_pixel_scene(2, 3)
    for seed in range(20):
        u = get("random-fclsu").unmix(scene, endmembers=3, seed=seed)
        drawn = [np.flatnonzero((scene.pixels == e[:, None]).all(axis=0)).item() for e in u.E.T]
        assert len(set(drawn)) == 3
        np.testing.assert_allclose(u.A.reshape(3, -1), fclsu(scene.pixels, u.E), atol=1e-6)


def test_every_pixel_is_drawn_as_often_the_last_one_too():
    Y = np.eye(5)[:, None, :]  # five pixels that tell which they are
    count = np.zeros(5)
    for seed in range(500):
        count += get("random-fclsu").unmix(Scene(Y), endmembers=2, seed=seed).E.sum(axis=1)
    np.testing.assert_allclose(count / 500, 2 / 5, atol=4 * np.sqrt(0.4 * 0.6 / 500))


@pytest.mark.parametrize("endmembers", [1, 2, 5])
def test_the_uniform_answer_is_uniform_and_says_so(endmembers):
    scene = pure_pixel_scene()
    u = get("uniform").unmix(scene, endmembers=endmembers)
    np.testing.assert_allclose(u.A, 1 / endmembers)
    np.testing.assert_allclose(u.E, scene.pixels.mean(axis=1)[:, None].repeat(endmembers, axis=1), rtol=1e-6)
    assert u.status is (Status.DEGENERATE if endmembers > 1 else Status.FINISHED)


def test_no_endmembers_fit_uniform_abundances_better_than_the_mean():
    scene = pure_pixel_scene()
    u = get("uniform").unmix(scene, endmembers=3)
    error = np.sum((scene.pixels - u.E @ u.A.reshape(3, -1)) ** 2)
    A = np.full((3, 35), 1 / 3)
    best = np.linalg.lstsq(A.T, scene.pixels.T)[0].T
    np.testing.assert_allclose(error, np.sum((scene.pixels - best @ A) ** 2), rtol=1e-5)


@pytest.mark.real_data
@pytest.mark.parametrize(("name", "rmse"), [("sim1", 8.13), ("sim2", 7.63)])
def test_the_uniform_answer_on_the_simulations(name, rmse):
    scene = real(name)
    scores, _ = metrics.score(get("uniform").unmix(scene), scene)
    assert 100 * scores["rmse-abundances"] == pytest.approx(rmse, abs=0.005)


@pytest.mark.real_data
def test_random_pixels_of_samson():
    scene = real("samson", "misicnet")
    found = [metrics.score(get("random-fclsu").unmix(scene, seed=s), scene)[0] for s in range(20)]
    rmse = [100 * scores["rmse-abundances"] for scores in found]
    assert np.mean(rmse) == pytest.approx(32.7, abs=3 * 13.6 * np.sqrt(2 / 20))
