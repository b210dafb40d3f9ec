"""CoNMF: equal to plain formulas in lifted coordinates and to NMF-QMV, rows that vanish, constraints."""

from __future__ import annotations

from functools import partial
from itertools import combinations

import numpy as np
import pytest
from mixtures import accuracy, mixture, whitened
from scenes_helpers import real
from toys import pure_pixel_scene

from hsu_lib.methods import get
from hsu_lib.methods.factorization.conmf import levelled, penalty
from hsu_lib.methods.factorization.qmv import PENALTIES
from hsu_lib.solvers.fclsu import fclsu
from hsu_lib.solvers.quadratic_volume import quadratic_volume
from hsu_lib.solvers.simplex import largest_simplex
from hsu_lib.solvers.subspace import principal_subspace

DAMPING = (0.2, 0.1)


def lifted_iterates(X, corners, C, kind, beta, damping, iterations):
    """CoNMF as published, in lifted coordinates, by plain formulas; its endmembers ``(q, q)``."""
    q, still = len(C), damping[0]
    Y = C @ np.vstack([X, np.ones(X.shape[1])])
    start = Y[:, corners]
    yc = np.repeat(C[:, -1:], q, axis=1)
    F = np.linalg.svd(C[:, :-1], full_matrices=False)[0]
    B = np.eye(q) / q
    if kind == "tv-code":
        values, vectors = np.linalg.eigh((q * np.eye(q) - 1) / (q * (q - 1)))
        B = vectors @ np.diag(np.sqrt(np.maximum(values, 0))) @ vectors.T
    O = {"boundary": start / q, "center": yc / q, "tv-code": np.zeros((q, q))}[kind]  # noqa: E741
    E, A = start, fclsu(Y, start)
    for _ in range(iterations):
        # Sylvester equation for the coordinates of the endmembers in the plane, as a linear system
        known = -F.T @ (yc @ A @ A.T - Y @ A.T + beta * B.T @ (B @ yc - O) + still * (yc - E))
        K = beta * F.T @ B.T @ B @ F + still * np.eye(q - 1)
        system = np.kron(A @ A.T, np.eye(q - 1)) + np.kron(np.eye(q), K)
        W = np.linalg.solve(system, known.T.ravel()).reshape(q, q - 1).T
        E = yc + F @ W
        A = fclsu(np.vstack([Y, np.sqrt(damping[1]) * A]), np.vstack([E, np.sqrt(damping[1]) * np.eye(q)]))
    return E


@pytest.mark.parametrize("coordinates", ["vca", "whitened", "plain"])
@pytest.mark.parametrize("kind", ["boundary", "center", "tv-code"])
def test_endmembers_in_levelled_coordinates_are_those_in_lifted_ones(kind, coordinates):
    E, A = mixture()
    Y = E @ A + 0.05 * np.random.default_rng(1).standard_normal((len(E), A.shape[1]))
    subspace = principal_subspace(Y, 3)
    X = subspace.coordinates(Y)
    corners = largest_simplex(subspace.whitening * X, runs=5, seed=0)
    C = {
        "vca": np.linalg.inv(np.vstack([X[:, corners], np.ones(4)])),
        "whitened": np.diag(np.append(subspace.whitening, 1.0)),
        "plain": np.eye(4),
    }[coordinates]
    level = levelled(C)
    G = level.slope @ X + level.origin
    np.testing.assert_allclose(
        level.axes.T @ C @ np.vstack([X, np.ones(300)]),
        np.vstack([G, np.full(300, level.height)]),
        atol=1e-11,
    )
    found = quadratic_volume(
        G,
        G[:, corners],
        penalty(kind, G[:, corners], level),
        weight=40.0,
        damping=DAMPING,
        iterations=6,
        tolerance=0.0,
    )
    expected = lifted_iterates(X, corners, C, kind, 40.0, DAMPING, 6)
    lifted = level.axes @ np.vstack([found.M, np.full(4, level.height)])
    np.testing.assert_allclose(lifted, expected, atol=1e-9)


@pytest.mark.parametrize("kind", ["boundary", "center"])
def test_without_sparsity_conmf_is_nmf_qmv_with_the_weight_over_q_squared(kind):
    G, _, start = whitened(noise=0.05)
    level = levelled(np.eye(4))
    turn = level.slope  # of whitened coordinates, which are lifted by 1
    run = partial(quadratic_volume, damping=DAMPING, iterations=30, tolerance=0.0)
    one = run(G, start, PENALTIES[kind](start), weight=40.0 / 16)
    two = run(turn @ G, turn @ start, penalty(kind, turn @ start, level), weight=40.0)
    np.testing.assert_allclose(turn.T @ two.M, one.M, atol=1e-9)
    np.testing.assert_allclose(two.A, one.A, atol=1e-9)


def test_the_variation_of_conmf_is_between_endmembers():
    M = np.random.default_rng(0).standard_normal((3, 4))
    term = penalty("tv", M, levelled(np.eye(4)))
    pairs = sum(np.sum((M[:, i] - M[:, j]) ** 2) for i, j in combinations(range(4), 2))
    np.testing.assert_allclose(term.value(M), 0.5 * pairs / (4 * 3), rtol=1e-13)
    np.testing.assert_allclose(term.value(M + 5.0), term.value(M), rtol=1e-12)  # a shift changes nothing
    of_code = penalty("tv-code", M, levelled(np.eye(4)))
    assert abs(of_code.value(M + 5.0) / of_code.value(M) - 1) > 0.1


def test_conmf_empties_the_endmember_that_is_one_too_many():
    scene = pure_pixel_scene(height=12, width=11)
    found = get("conmf").unmix(scene, endmembers=4, sparsity=3.0, coordinates="plain", penalty="tv")
    largest = found.A.reshape(4, -1).max(axis=1)
    assert (largest < 1e-3).sum() == 1
    assert np.sort(largest)[1] > 0.4


@pytest.mark.parametrize("asc", [True, False])
def test_conmf_recovers_pure_pixels(asc):
    scene = pure_pixel_scene(height=12, width=11)
    found = get("conmf").unmix(scene, asc=asc, weight=0.0)
    assert accuracy(found, scene)[0] < 0.02
    np.testing.assert_allclose(found.A.sum(axis=0), 1, atol=1e-5)
    assert found.A.min() >= 0


@pytest.mark.real_data
def test_samson_with_the_codes_defaults_is_what_the_code_makes_of_it():
    scene = real("samson", "misicnet")
    error, angle = accuracy(get("conmf").unmix(scene), scene)
    assert 100 * error == pytest.approx(18.86, abs=0.3)
    assert angle == pytest.approx(31.0, abs=0.5)
