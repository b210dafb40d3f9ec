"""Quadratic penalties for the simplex's volume: closed forms, limits, and NMF-QMV on top."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
import torch
from mixtures import accuracy, whitened, without_pure_pixels
from scenes_helpers import real
from scipy.optimize import minimize

from hsu_lib.methods import get
from hsu_lib.methods.factorization.qmv import PENALTIES
from hsu_lib.scene import Status
from hsu_lib.scenes.noise import add_noise
from hsu_lib.solvers.fclsu import fclsu, fclsu_normal, kkt_residual
from hsu_lib.solvers.quadratic_volume import Penalty, _Split, quadratic_volume, shrunk, squared_distances

DAMPING = (0.2, 0.1)
every_penalty = pytest.mark.parametrize("kind", list(PENALTIES))


# --------------------------------------------------------------------------- the pieces


def test_squared_distances_are_the_sum_over_pairs_by_the_number_of_endmembers():
    M = np.random.default_rng(0).standard_normal((3, 5))
    pairs = sum(np.sum((M[:, i] - M[:, j]) ** 2) for i, j in combinations(range(5), 2))
    np.testing.assert_allclose(2 * 5 * squared_distances(M).value(M), pairs, rtol=1e-14)


def stationary(G, A, M, last, term, weight, damping):
    """Gradient of what a step of the endmembers minimises, and the size of its parts."""
    gradient = (M @ A - G) @ A.T + damping * (M - last)
    if term.left is None:
        right = np.eye(M.shape[1]) if term.right is None else term.right
        pull = weight * (M @ right - term.target) @ right.T
    else:
        pull = weight * term.left.T @ (term.left @ M - term.target)
    return np.abs(gradient + pull).max(), np.abs(G @ A.T).max() + np.abs(pull).max()


@pytest.mark.parametrize("kind", [*PENALTIES, "left"])
@pytest.mark.parametrize("weight", [0.0, 1.0, 1e4])
def test_a_step_of_the_endmembers_leaves_no_gradient(kind, weight):
    rng = np.random.default_rng(0)
    G, A, last = rng.standard_normal((3, 80)), rng.dirichlet(np.ones(4), 80).T, rng.standard_normal((3, 4))
    left = Penalty(rng.standard_normal((5, 4)), left=rng.standard_normal((5, 3)))
    term = left if kind == "left" else PENALTIES[kind](rng.standard_normal((3, 4)))
    M = term.minimum(weight, A @ A.T + 0.3 * np.eye(4), G @ A.T + 0.3 * last)
    gradient, size = stationary(G, A, M, last, term, weight, 0.3)
    assert gradient < (1e-10 if kind == "left" else 1e-12) * size
    assert stationary(G, A, M + 1e-6, last, term, weight, 0.3)[0] > 1e-9 * size


def test_damped_abundances_are_those_of_the_stacked_problem():
    rng = np.random.default_rng(0)
    G, M, last = rng.standard_normal((3, 200)), rng.standard_normal((3, 4)), rng.dirichlet(np.ones(4), 200).T
    stacked = np.vstack([G, np.sqrt(0.1) * last]), np.vstack([M, np.sqrt(0.1) * np.eye(4)])
    normal, linear = M.T @ M + 0.1 * np.eye(4), (M.T @ G + 0.1 * last).T.copy()
    for start in (last, np.eye(4)[:, rng.integers(0, 4, 200)]):  # where it starts does not matter
        found = fclsu_normal(*map(torch.from_numpy, (normal, linear, start.T.copy()))).numpy().T
        np.testing.assert_allclose(found, fclsu(*stacked), atol=1e-12)
        assert kkt_residual(*stacked, found).max() < 1e-12


def test_short_rows_have_the_closed_form_and_vanish():
    A = np.random.default_rng(0).standard_normal((6, 3))
    found = shrunk(A, 1.0)
    for a, x in zip(A.T, found.T, strict=True):
        direct = minimize(lambda x, a=a: 0.5 * np.sum((x - a) ** 2) + np.linalg.norm(x), a, tol=1e-12)
        np.testing.assert_allclose(x, direct.x, atol=1e-5)
    norms = np.linalg.norm(A, axis=0)
    np.testing.assert_allclose(np.linalg.norm(found, axis=0), np.maximum(norms - 1, 0), rtol=1e-14)
    emptied = shrunk(A, 1.01 * np.sort(norms)[1])
    assert (emptied == 0).all(axis=0).sum() == 2
    np.testing.assert_array_equal(shrunk(np.zeros((4, 2)), 0.5), 0)


@pytest.mark.parametrize("asc", [True, False])
def test_split_abundances_minimise_what_they_should(asc):
    rng = np.random.default_rng(0)
    M, G = rng.standard_normal((3, 3)), rng.standard_normal((3, 4))
    normal, linear, sparsity = M.T @ M + 0.1 * np.eye(3), G.T @ M, 0.4

    def value(a):
        A = a.reshape(4, 3)
        fit = 0.5 * np.sum((A @ normal) * A) - np.sum(linear * A)
        return fit + sparsity * np.linalg.norm(A, axis=0).sum()

    sums = {"type": "eq", "fun": lambda a: a.reshape(4, 3).sum(axis=1) - 1}
    direct = minimize(
        value,
        np.full(12, 1 / 3),
        bounds=[(0, None)] * 12,
        constraints=[sums] if asc else [],
        options={"ftol": 1e-13, "maxiter": 1000},
        method="SLSQP",
    )
    split = _Split(np.full((4, 3), 1 / 3), sparsity, asc=asc)
    for _ in range(20):
        found = split.minimum(normal, linear)
    np.testing.assert_allclose(found, direct.x.reshape(4, 3), atol=1e-4)


# --------------------------------------------------------------------------- the alternation


@every_penalty
def test_the_objective_never_rises_and_constraints_hold(kind):
    G, _, start = whitened(noise=0.05)
    term = PENALTIES[kind](start)
    found = quadratic_volume(G, start, term, weight=3.0, damping=DAMPING, iterations=40, tolerance=0.0)
    assert np.diff(found.objective).max() <= 1e-12 * found.objective[0]
    assert found.objective[-1] < 0.9 * found.objective[0]
    assert found.A.min() >= 0
    np.testing.assert_allclose(found.A.sum(axis=0), 1, atol=1e-12)
    direct = 0.5 * np.sum((G - found.M @ found.A) ** 2) + 3.0 * term.value(found.M)
    np.testing.assert_allclose(found.objective[-1], direct, rtol=1e-12)
    assert not found.converged


@every_penalty
def test_without_penalty_pure_pixels_give_the_true_endmembers(kind):
    G, M, start = whitened()
    found = quadratic_volume(G, start, PENALTIES[kind](start), weight=0.0, damping=DAMPING)
    np.testing.assert_allclose(found.M, M, atol=1e-12)
    assert found.converged
    assert len(found.objective) <= 3


def test_a_huge_weight_leaves_the_mean_or_the_start():
    G, _, start = whitened(noise=0.05)
    ends = {
        kind: quadratic_volume(G, start, PENALTIES[kind](start), weight=1e12, damping=DAMPING, iterations=5).M
        for kind in PENALTIES
    }
    np.testing.assert_allclose(ends["center"], 0, atol=1e-9)
    np.testing.assert_allclose(
        ends["tv"], ends["tv"].mean(axis=1, keepdims=True) @ np.ones((1, 4)), atol=1e-9
    )
    np.testing.assert_allclose(ends["boundary"], start, atol=1e-12)


def test_one_step_follows_the_formula():
    G, _, start = whitened(noise=0.05)
    A, identity = fclsu(G, start), np.eye(4)
    M = (G @ A.T + 0.2 * start) @ np.linalg.inv(A @ A.T + (3.0 + 0.2) * identity)
    A = fclsu(np.vstack([G, np.sqrt(0.1) * A]), np.vstack([M, np.sqrt(0.1) * identity]))
    found = quadratic_volume(G, start, PENALTIES["center"](start), weight=3.0, damping=DAMPING, iterations=1)
    np.testing.assert_allclose(found.M, M, atol=1e-12)
    np.testing.assert_allclose(found.A, A, atol=1e-12)


# --------------------------------------------------------------------------- NMF-QMV


@every_penalty
def test_minimum_volume_finds_endmembers_that_no_pixel_has(kind):
    scene = without_pure_pixels(noise=0.005)
    found = get("nmf-qmv").unmix(scene, penalty=kind, first_power=-2, last_power=2)
    extremes = get("vca-fclsu").unmix(scene)
    assert accuracy(found, scene)[0] < 0.5 * accuracy(extremes, scene)[0]


def test_the_weight_is_the_one_with_the_least_distance():
    scene = without_pure_pixels(noise=0.005)
    chosen = get("nmf-qmv").unmix(scene, iterations=10)
    weights, distances = chosen.history["weight"], chosen.history["distance"]
    np.testing.assert_allclose(weights, 10.0 ** np.arange(-5, 6), rtol=1e-6)
    same = get("nmf-qmv").unmix(scene, iterations=10, weight=float(f"{weights[distances.argmin()]:.0e}"))
    np.testing.assert_array_equal(chosen.E, same.E)
    assert list(same.history) == ["objective"]


def test_all_bands_give_nearly_the_same_without_noise():
    scene = without_pure_pixels()
    one, two = (get("nmf-qmv").unmix(scene, project=p, weight=0.1) for p in (True, False))
    np.testing.assert_allclose(one.A, two.A, atol=0.05)
    assert one.status in (Status.CONVERGED, Status.STOPPED)


def test_an_empty_grid_is_refused():
    with pytest.raises(ValueError, match="last_power: expected at least first_power, 2, got 1"):
        get("nmf-qmv").configure(first_power=2, last_power=1)


# --------------------------------------------------------------------------- published scenes


@pytest.mark.slow
@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "snr_db", "limits"),
    # means of another implementation: 3.67, 1.52, 3.72; of FCLSU with the true endmembers: 3.77, 1.20, 3.77
    [("sim1", 20.0, (3.2, 4.3)), ("sim1", 30.0, (1.2, 2.6)), ("sim2", 20.0, (3.2, 4.3))],
)
def test_simulated_images_are_unmixed_as_well_as_expected(name, snr_db, limits):
    scene = replace(real(name), Y=add_noise(real(name).Y, snr_db, 0))
    found = get("nmf-qmv").unmix(scene, first_power=-1, last_power=1)
    assert limits[0] < 100 * accuracy(found, scene)[0] < limits[1]


@pytest.mark.slow
@pytest.mark.real_data
@pytest.mark.parametrize(
    ("kind", "weight", "rmse", "angle"),
    # what the hull of the pixels chooses, and a weight that is better
    [
        ("center", 1e-5, 18.67, 32.2),
        ("tv", 1.0, 16.98, 30.9),
        ("boundary", 1.0, 18.40, 31.9),
        ("center", 1e2, 6.08, 3.55),
    ],
)
def test_samson_is_what_another_implementation_makes_of_it(kind, weight, rmse, angle):
    scene = real("samson", "misicnet")
    found = get("nmf-qmv").unmix(scene, penalty=kind, weight=weight)
    error, apart = accuracy(found, scene)
    assert 100 * error == pytest.approx(rmse, abs=0.3)
    assert apart == pytest.approx(angle, abs=0.5)
