"""Factorisations: constraints, objectives that never rise, known answers, peers."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
import sklearn.decomposition
import torch
from toys import pure_pixel_scene

from hsu_lib.solvers import factorization
from hsu_lib.solvers.factorization import nmf, onto_simplex, palm


def nearest_on_simplex(y):
    """Over every set of entries that may be positive, the nearest point that is feasible."""
    best = None
    for count in range(1, len(y) + 1):
        for kept in map(list, combinations(range(len(y)), count)):
            x = np.zeros_like(y)
            x[kept] = y[kept] - (y[kept].sum() - 1) / count
            if x.min() >= 0 and (best is None or np.sum((x - y) ** 2) < np.sum((best - y) ** 2)):
                best = x
    return best


@pytest.mark.parametrize("size", [1, 2, 5])
@pytest.mark.parametrize("spread", [0.1, 1.0, 30.0])
def test_the_projection_onto_the_simplex_is_the_nearest_point(size, spread):
    A = spread * np.random.default_rng(size).standard_normal((size, 30))
    found = onto_simplex(torch.from_numpy(A)).numpy()
    np.testing.assert_allclose(found, np.array([nearest_on_simplex(y) for y in A.T]).T, atol=1e-12)


def test_the_projection_keeps_what_is_on_the_simplex_and_shares_ties():
    A = torch.tensor([[0.2, 0.0, 7.0], [0.5, 1.0, 7.0], [0.3, 0.0, -9.0]], dtype=torch.float64)
    expected = A.clone()
    expected[:, 2] = torch.tensor([0.5, 0.5, 0.0])
    torch.testing.assert_close(onto_simplex(A), expected)


def mixture(*, noise=0.0):
    scene = pure_pixel_scene(height=9, width=8)
    E, A = scene.E.astype(float), scene.A.reshape(3, -1).astype(float)
    Y = E @ A + noise * np.random.default_rng(1).standard_normal((12, 72))
    return np.maximum(Y, 0), E, A


def bad_starts(E, A):
    rng = np.random.default_rng(2)
    return {
        "random": (rng.random(E.shape), rng.random(A.shape)),
        "too large": (1e3 * E, A),
        "too small": (1e-3 * E, A),
        "all alike": (np.full_like(E, 0.3), np.full_like(A, 1 / 3)),
        "collinear": (E[:, [0, 0, 1]], A),
    }


STARTS = list(bad_starts(np.zeros((2, 3)), np.zeros((3, 2))))


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("method", [nmf, palm])
def test_the_objective_never_rises_and_constraints_hold(method, start):
    Y, E, A = mixture(noise=0.05)
    found = method(Y, *bad_starts(E, A)[start], iterations=60, tolerance=0.0)
    assert np.diff(found.objective).max() <= 1e-12 * found.objective[0]
    assert found.objective[-1] < found.objective[0]
    assert found.E.min() >= 0
    assert found.A.min() >= 0
    if method is palm:
        np.testing.assert_allclose(found.A.sum(axis=0), 1, atol=1e-12)
    direct = 0.5 * np.sum((Y - found.E @ found.A) ** 2)
    np.testing.assert_allclose(found.objective[-1], direct, rtol=1e-10)


def test_palm_takes_signs_that_the_constraints_forbid():
    Y, E, A = mixture()
    found = palm(Y, -E, -A, iterations=50, tolerance=0.0)
    assert np.diff(found.objective).max() <= 0
    assert found.E.min() >= 0


def test_a_step_of_palm_has_length_one_over_l():
    Y, E, A = mixture(noise=0.05)
    E0, A0 = bad_starts(E, A)["random"]
    A0 = onto_simplex(torch.from_numpy(A0)).numpy()
    found = palm(Y, E0, A0, iterations=1)
    A1 = A0 - E0.T @ (E0 @ A0 - Y) / np.linalg.norm(E0.T @ E0, 2)
    A1 = onto_simplex(torch.from_numpy(A1)).numpy()
    E1 = np.maximum(E0 - (E0 @ A1 - Y) @ A1.T / np.linalg.norm(A1 @ A1.T, 2), 0)
    np.testing.assert_allclose(found.A, A1, atol=1e-12)
    np.testing.assert_allclose(found.E, E1, atol=1e-12)


def test_longer_steps_would_let_the_objective_rise(monkeypatch):
    Y, E, A = mixture(noise=0.05)
    length = factorization._norm
    monkeypatch.setattr(factorization, "_norm", lambda symmetric: length(symmetric) / 3)
    found = palm(Y, *bad_starts(E, A)["random"], iterations=60, tolerance=-np.inf)
    assert np.diff(found.objective).max() > 0


def test_palm_finds_a_noiseless_scene_from_a_start_nearby():
    Y, E, A = mixture()
    start = E + 0.02 * np.random.default_rng(3).standard_normal(E.shape)
    found = palm(Y, start, A, iterations=5000, tolerance=0.0)
    assert found.objective[-1] < 1e-6 * found.objective[0]
    np.testing.assert_allclose(found.E @ found.A, Y, atol=1e-4)
    assert np.abs(found.A - A).max() < 0.05
    assert np.abs(found.E - E).max() < 0.02


@pytest.mark.parametrize("method", [nmf, palm])
def test_an_exact_factorisation_stays(method):
    Y, E, A = mixture()
    found = method(Y, E, A, iterations=3)
    np.testing.assert_allclose(found.E, E, atol=1e-6)
    np.testing.assert_allclose(found.A, A, atol=1e-6)


def test_nmf_keeps_zeros_and_follows_lee_and_seung():
    Y, E, A = mixture(noise=0.05)
    E0, A0 = bad_starts(E, A)["random"]
    A0[1, 4] = 0
    found = nmf(Y, E0, A0, iterations=1)
    A1, E1 = A0.copy(), E0.copy()
    for k, n in np.ndindex(*A0.shape):
        A1[k, n] *= (E0[:, k] @ Y[:, n]) / (E0[:, k] @ (E0 @ A0[:, n]))
    for l, k in np.ndindex(*E0.shape):  # noqa: E741
        E1[l, k] *= (Y[l] @ A1[k]) / (E0[l] @ A1 @ A1[k])
    np.testing.assert_allclose(found.A, A1, rtol=1e-10)
    np.testing.assert_allclose(found.E, E1, rtol=1e-10)
    assert found.A[1, 4] == 0


def test_nmf_equals_scikit_learns():
    Y, E, A = mixture(noise=0.05)
    E0, A0 = bad_starts(E, A)["random"]
    model = sklearn.decomposition.NMF(
        3, init="custom", solver="mu", beta_loss="frobenius", max_iter=30, tol=0
    )
    # their first factor is updated first: pixels are their samples
    W = model.fit_transform(Y.T.copy(), W=A0.T.copy(), H=E0.T.copy())
    found = nmf(Y, E0, A0, iterations=30, tolerance=0.0)
    np.testing.assert_allclose(found.A, W.T, rtol=1e-6)
    np.testing.assert_allclose(found.E, model.components_.T, rtol=1e-6)


@pytest.mark.parametrize("method", [nmf, palm])
def test_it_stops_when_the_objective_hardly_falls(method):
    Y, E, A = mixture(noise=0.05)
    start = bad_starts(E, A)["random"]
    few, many = (method(Y, *start, iterations=400, tolerance=t).objective for t in (1e-2, 0.0))
    assert len(few) < len(many)
    assert few[-2] - few[-1] < 1e-2 * few[0] <= few[-3] - few[-2]


@pytest.mark.parametrize("method", [nmf, palm])
def test_one_pixel_and_one_endmember(method):
    y = np.array([[0.2], [0.4], [0.1]])
    pixel = method(y, np.full((3, 2), 0.5), np.full((2, 1), 0.5), iterations=500, tolerance=0.0)
    np.testing.assert_allclose(pixel.E @ pixel.A, y, atol=1e-6)
    Y = np.outer(y, [1.0, 0.5, 2.0]) if method is nmf else np.repeat(y, 3, axis=1)
    one = method(Y, np.full((3, 1), 0.3), np.ones((1, 3)), iterations=500, tolerance=0.0)
    np.testing.assert_allclose(one.E @ one.A, Y, atol=1e-6)


@pytest.mark.parametrize("method", [nmf, palm])
def test_what_does_not_fit_is_refused(method):
    Y, E, A = mixture()
    wrong = [(Y, E[1:], A), (Y, E, A[:, 1:]), (Y, E[:, :2], A), (Y[0], E, A), (Y, E[:, 0], A), (Y, 1.0, A)]
    for given in wrong:
        with pytest.raises(ValueError, match="expected Y"):
            method(*given)
    for k in range(3):
        given = [X.copy() for X in (Y, E, A)]
        given[k][0, 0] = np.nan
        with pytest.raises(ValueError, match="finite"):
            method(*given)


def test_nmf_refuses_negative_values():
    for k in range(3):
        given = [X.copy() for X in mixture()]
        given[k][0, 0] = -1e-3
        with pytest.raises(ValueError, match="nonnegative"):
            nmf(*given)
