"""The minimum simplex without a network: both halves, the objective, its limits, public scenes."""

from __future__ import annotations

import numpy as np
import pytest
from scenes_helpers import real
from scipy.optimize import linear_sum_assignment, lsq_linear, minimize
from toys import pure_pixel_scene

from hsu_lib import metrics
from hsu_lib.methods import get
from hsu_lib.scene import Scene, Status
from hsu_lib.scenes.noise import add_noise
from hsu_lib.solvers import min_simplex as module
from hsu_lib.solvers.fclsu import fclsu
from hsu_lib.solvers.min_simplex import in_box, min_simplex


def image(*, noise=0.02, bands=12, pixels=(9, 8)):
    """Image ``(bands, pixels)`` of three materials with their endmembers and abundances."""
    scene = pure_pixel_scene(*pixels, bands=bands)
    E, A = scene.E.astype(float), scene.A.reshape(3, -1).astype(float)
    A /= A.sum(axis=0)  # they are rounded to single precision
    return E @ A + noise * np.random.default_rng(1).standard_normal((bands, A.shape[1])), E, A


def factored(Y, rank):
    """`V` and `G` of the image on its first left singular vectors."""
    V = np.linalg.svd(Y, full_matrices=False)[0][:, :rank]
    return V, V.T @ Y


def objective(Y, E, A, penalty):
    """By its definition, on all bands."""
    return 0.5 * np.sum((Y - E @ A) ** 2) + penalty * np.sum((E - Y.mean(axis=1, keepdims=True)) ** 2)


# --------------------------------------------------------------------------- the box


@pytest.mark.parametrize("rounds", [20, 1, 0])  # by block pivoting, mixed, one by one
def test_the_quadratic_programme_in_a_box_is_solved(rounds, monkeypatch):
    monkeypatch.setattr(module, "_ROUNDS", rounds)
    rng = np.random.default_rng(0)
    root = rng.standard_normal((5, 7))
    H, B = root @ root.T, 4 * rng.standard_normal((60, 5))
    found = in_box(H, B)
    L = np.linalg.cholesky(H)
    for e, b in zip(found, B, strict=True):
        np.testing.assert_allclose(e, lsq_linear(L.T, np.linalg.solve(L, b), (0, 1), tol=1e-14).x, atol=1e-6)
    slope = found @ H - B
    assert 0 < np.mean(found == 0) < 1
    assert 0 < np.mean(found == 1) < 1
    tiny = 1e-9 * np.trace(H)
    assert (slope[found == 0] > -tiny).all()
    assert (slope[found == 1] < tiny).all()
    assert np.abs(slope[(found > 1e-12) & (found < 1 - 1e-12)]).max() < tiny


# --------------------------------------------------------------------------- known answers


@pytest.mark.parametrize("penalty", [0.0, 0.1, 1.0, 100.0])
@pytest.mark.parametrize("rank", [3, 12])
def test_the_objective_never_rises_and_is_what_it_is_said_to_be(penalty, rank):
    Y, _, _ = image()
    V, G = factored(Y, rank)
    start = np.random.default_rng(0).random((12, 3))
    found = min_simplex(V, G, start, penalty=penalty)
    assert np.diff(found.objective).max() <= 0
    assert found.converged
    assert found.E.min() >= 0
    assert found.E.max() <= 1
    np.testing.assert_allclose(found.A.sum(axis=0), 1, atol=1e-12)
    assert found.A.min() >= 0
    np.testing.assert_allclose(found.objective[0], objective(V @ G, start, fclsu(V @ G, start), penalty))
    np.testing.assert_allclose(found.objective[-1], objective(V @ G, found.E, found.A, penalty), rtol=1e-9)


@pytest.mark.parametrize("penalty", [0.1, 1.0, 10.0])
def test_a_general_solver_finds_no_lower_minimum_nearby(penalty):
    Y, E, _ = image()
    V, G = factored(Y, 3)
    projected, mean = V @ G, (V @ G).mean(axis=1, keepdims=True)
    found = min_simplex(V, G, E, penalty=penalty, tolerance=1e-12, iterations=10000)

    def value(e):  # the abundances are optimal, so their change does not count in the gradient
        e = e.reshape(12, 3)
        A = fclsu(projected, e)
        return objective(projected, e, A, penalty), (
            (e @ A - projected) @ A.T + 2 * penalty * (e - mean)
        ).ravel()

    general = minimize(
        value,
        E.ravel(),
        jac=True,
        method="L-BFGS-B",
        bounds=[(0, 1)] * 36,
        options={"ftol": 1e-15, "maxiter": 5000},
    )
    assert found.objective[-1] <= general.fun * (1 + 1e-7)
    np.testing.assert_allclose(found.E, general.x.reshape(12, 3), atol=2e-3)


def test_it_ends_at_the_same_value_from_pixels_and_from_the_truth():
    Y, E, _ = image()
    V, G = factored(Y, 3)
    ends = [
        min_simplex(V, G, start, penalty=0.1, tolerance=1e-11).objective[-1]
        for start in (E, Y[:, [9, 20, 40]])
    ]
    np.testing.assert_allclose(*ends, rtol=1e-6)


def test_an_infinite_penalty_leaves_the_mean():
    Y, E, _ = image()
    V, G = factored(Y, 3)
    found = min_simplex(V, G, E, penalty=1e12)
    np.testing.assert_allclose(found.E, (V @ G).mean(axis=1, keepdims=True).repeat(3, axis=1), atol=1e-9)


def test_without_penalty_pure_pixels_are_fitted_exactly():
    Y, E, A = image(noise=0.0)
    V, G = factored(Y, 3)
    found = min_simplex(V, G, E, penalty=0.0)
    assert found.objective[-1] < 1e-20
    np.testing.assert_allclose(found.E, E, atol=1e-7)
    np.testing.assert_allclose(found.A, A, atol=1e-6)


@pytest.mark.parametrize("penalty", [0.0, 0.1, 100.0])
def test_one_endmember_is_the_mean_within_the_box(penalty):
    Y = np.random.default_rng(0).normal(np.linspace(-0.5, 1.5, 9)[:, None], 0.1, (9, 20))
    V, G = factored(Y, 4)
    mean = (V @ G).mean(axis=1, keepdims=True)
    assert mean.min() < 0
    assert mean.max() > 1
    found = min_simplex(V, G, np.full((9, 1), 0.3), penalty=penalty)
    np.testing.assert_allclose(found.E, mean.clip(0, 1), atol=1e-9)
    np.testing.assert_allclose(found.A, 1)


@pytest.mark.parametrize("penalty", [0.0, 1.0])
def test_degenerate_starts_and_images_stay_finite(penalty):
    Y, E, _ = image()
    V, G = factored(Y, 3)
    for start in (np.zeros((12, 3)), np.full((12, 3), 0.3), E[:, [0, 0, 1]]):
        found = min_simplex(V, G, start, penalty=penalty)
        assert np.isfinite(found.E).all()
        assert np.diff(found.objective).max(initial=0) <= 0
    dark = min_simplex(V, 0 * G, E, penalty=penalty)
    assert np.isfinite(dark.E).all()
    assert dark.objective[-1] < 1e-12


# --------------------------------------------------------------------------- the method


def test_the_method_minimises_what_it_says_in_the_unit_of_the_image():
    Y, E, _ = image()
    scene = Scene(50 * Y.reshape(12, 9, 8), 50 * E)
    u = get("min-simplex").unmix(scene, center_weight=0.1, normalise="max")
    assert u.status is Status.CONVERGED
    Y = scene.pixels.astype(float) / np.abs(scene.Y).max()
    V, G = factored(Y, 3)
    own = objective(V @ G, u.E / np.abs(scene.Y).max(), u.A.reshape(3, -1), 0.1)
    np.testing.assert_allclose(u.history["objective"][-1], own, rtol=1e-4)
    other = get("min-simplex").unmix(scene, center_weight=0.1, normalise="max", project=False)
    own = objective(Y, other.E / np.abs(scene.Y).max(), other.A.reshape(3, -1), 0.1)
    np.testing.assert_allclose(other.history["objective"][-1], own, rtol=1e-4)


def test_a_limit_that_is_too_low_is_told():
    scene = Scene(image()[0].reshape(12, 9, 8))
    assert get("min-simplex").unmix(scene, endmembers=3, iterations=1).status is Status.STOPPED


# --------------------------------------------------------------------------- public scenes


def by_abundances(u, scene):
    """RMSE in percent, over all and of each endmember, matched by their abundances."""
    A, A_ref = (X.reshape(len(X), -1).astype(float) for X in (u.A, scene.A))
    squares = np.mean((A[:, None] - A_ref) ** 2, axis=2)
    rows, columns = linear_sum_assignment(squares)
    each = squares[rows, columns][np.argsort(columns)]
    return 100 * np.sqrt(np.array([each.mean(), *each]))


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("penalty", "rmse", "sad"),
    [
        (100.0, (2.47, 2.73, 2.54, 2.10), 8.29),
        (10.0, (9.44, 10.0, 9.0, 9.2), 4.13),
        (1.0, (15.8, 18.8, 13.5, 14.6), 11.5),
    ],
)
def test_samson(penalty, rmse, sad):
    scene = real("samson", "misicnet")
    u = get("min-simplex").unmix(scene, center_weight=penalty)
    np.testing.assert_allclose(by_abundances(u, scene), rmse, atol=0.06)
    scores, _ = metrics.score(u, scene)
    assert np.rad2deg(scores["sad-endmembers"]) == pytest.approx(sad, abs=0.06)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "penalty", "snr_db", "rmse", "sad"),
    [("sim1", 0.1, 20, 4.04, 2.61), ("sim1", 0.1, 40, 1.93, 0.51), ("sim2", 0.3, 30, 2.33, 0.74)],
)
def test_simulations(name, penalty, snr_db, rmse, sad):
    clean = real(name)
    scene = Scene(add_noise(clean.Y, snr_db, 0), clean.E, clean.A)
    u = get("min-simplex").unmix(scene, center_weight=penalty)
    assert by_abundances(u, scene)[0] == pytest.approx(rmse, abs=0.1)
    scores, _ = metrics.score(u, scene)
    assert np.rad2deg(scores["sad-endmembers"]) == pytest.approx(sad, abs=0.1)
