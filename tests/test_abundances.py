"""FCLSU against answers by hand, against the enumeration of all active sets, and its KKT conditions."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hsu_lib.solvers import fclsu as abundances
from hsu_lib.solvers.fclsu import fclsu, kkt_residual


def enumerated(Y, E):
    """Brute force: the best of the minima on all supports that are feasible, pixel by pixel."""
    endmembers, pixels = E.shape[1], Y.shape[1]
    A, best = np.zeros((endmembers, pixels)), np.full(pixels, np.inf)
    for size in range(1, endmembers + 1):
        for chosen in combinations(range(endmembers), size):
            S = E[:, chosen]
            system = np.ones((size + 1, size + 1))
            system[:size, :size], system[size, size] = S.T @ S, 0
            right = np.vstack([S.T @ Y, np.ones((1, pixels))])
            Z = np.linalg.solve(system, right)[:size]
            objective = ((Y - S @ Z) ** 2).sum(axis=0)
            better = (Z >= -1e-13).all(axis=0) & (objective < best - 1e-15)
            best[better] = objective[better]
            A[:, better] = 0
            A[np.ix_(chosen, np.flatnonzero(better))] = Z[:, better]
    return A


def problem(seed, endmembers, pixels, noise, bands=40):
    rng = np.random.default_rng(seed)
    E = rng.random((bands, endmembers))
    A = rng.dirichlet(np.full(endmembers, 0.4), pixels).T
    return E @ A + noise * rng.standard_normal((bands, pixels)), E, A


def test_two_pixels_by_hand():
    E = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    # the first lies on the segment at a quarter; the second beyond its end, whatever its third band
    Y = np.array([[0.25, 2.0], [0.75, -1.0], [0.0, 5.0]])
    np.testing.assert_allclose(fclsu(Y, E), [[0.25, 1.0], [0.75, 0.0]], atol=1e-14)


@pytest.mark.parametrize("endmembers", [1, 2, 3, 6, 8])
@pytest.mark.parametrize("noise", [0.0, 0.05, 1.0])
def test_equal_to_the_enumeration_of_all_active_sets(endmembers, noise):
    Y, E, _ = problem(endmembers, endmembers, 300, noise)
    np.testing.assert_allclose(fclsu(Y, E), enumerated(Y, E), atol=1e-6)


def test_the_fallback_alone_is_exact_too():
    Y, E, _ = problem(3, 6, 400, 0.5)
    A = abundances._primal_active_set(*abundances._normal_equations(torch.from_numpy(Y), torch.from_numpy(E)))
    np.testing.assert_allclose(A.T.numpy(), enumerated(Y, E), atol=1e-6)


def test_single_precision_images_are_solved_in_double():
    Y, E, _ = problem(4, 6, 300, 0.05)
    Y, E = Y.astype(np.float32), E.astype(np.float32)
    np.testing.assert_allclose(fclsu(Y, E), enumerated(Y.astype(float), E.astype(float)), atol=1e-6)


@given(
    st.integers(0, 2**32 - 1), st.integers(1, 9), st.integers(1, 40), st.floats(0, 2), st.floats(1e-3, 1e4)
)
def test_kkt_asc_and_anc_hold(seed, endmembers, pixels, noise, scale):
    Y, E, _ = problem(seed, endmembers, pixels, noise, bands=12)
    A = fclsu(scale * Y, scale * E)
    assert A.min() >= 0
    np.testing.assert_allclose(A.sum(axis=0), 1, atol=1e-12)
    assert kkt_residual(scale * Y, scale * E, A).max() < 1e-9 * (1 + noise**2)


@given(st.integers(0, 2**32 - 1), st.permutations(range(5)))
def test_order_rotation_and_scale_change_nothing_else(seed, order):
    Y, E, _ = problem(seed, 5, 30, 0.2, bands=12)
    rotation = np.linalg.qr(np.random.default_rng(seed).standard_normal((12, 12)))[0]
    A = fclsu(Y, E)
    np.testing.assert_allclose(fclsu(Y, E[:, order]), A[order], atol=1e-8)
    np.testing.assert_allclose(fclsu(rotation @ Y, rotation @ E), A, atol=1e-8)
    np.testing.assert_allclose(fclsu(7 * Y, 7 * E), A, atol=1e-8)


def test_noiseless_mixtures_and_pure_pixels_come_back():
    Y, E, A = problem(0, 5, 100, 0.0)
    np.testing.assert_allclose(fclsu(Y, E), A, atol=1e-9)
    np.testing.assert_allclose(fclsu(E, E), np.eye(5), atol=1e-9)


@pytest.mark.parametrize("kind", ["twice the same", "collinear", "all equal", "zero", "more than bands"])
def test_degenerate_endmembers_reach_the_minimum(kind):
    Y, E, _ = problem(0, 4, 200, 0.3, bands=12)
    E = {
        "twice the same": np.hstack([E, E[:, :2]]),
        "collinear": np.hstack([E, E[:, :2].mean(axis=1, keepdims=True), E[:, :1] * 0.3 + E[:, 2:3] * 0.7]),
        "all equal": np.repeat(E[:, :1], 3, axis=1),
        "zero": np.hstack([E, np.zeros((12, 1))]),
        "more than bands": np.random.default_rng(1).random((12, 16)),
    }[kind]
    A = fclsu(Y, E)
    assert A.min() >= 0
    np.testing.assert_allclose(A.sum(axis=0), 1, atol=1e-9)
    assert kkt_residual(Y, E, A).max() < 1e-8


@pytest.mark.parametrize("endmembers", [15, 30, 70])
def test_many_endmembers(endmembers):
    Y, E, _ = problem(0, endmembers, 60, 0.2, bands=90)
    assert kkt_residual(Y, E, fclsu(Y, E)).max() < 1e-9


def test_libraries_of_more_spectra_than_bands_are_solved_exactly():
    rng = np.random.default_rng(1)
    L = np.cumsum(rng.random((20, 100)), axis=0) / 20  # spectra alike, as of a library
    Y = L @ rng.dirichlet(np.full(100, 0.05), 40).T + 0.001 * rng.standard_normal((20, 40))
    A = fclsu(Y, L)
    assert A.min() >= 0
    assert kkt_residual(Y, L, A).max() < 1e-12
    assert np.count_nonzero(A, axis=0).max() <= 21  # no more than bands and one: a vertex of the solutions


def test_pixel_by_pixel_and_in_groups_agree(monkeypatch):
    Y, E, _ = problem(4, 12, 100, 0.2, bands=40)
    grouped = fclsu(Y, E)
    monkeypatch.setattr(abundances, "_MANY", 1)
    np.testing.assert_allclose(fclsu(Y, E), grouped, atol=1e-9)


def test_many_groups_equal_few(monkeypatch):
    Y, E, _ = problem(5, 6, 500, 0.5)
    grouped = fclsu(Y, E)
    monkeypatch.setattr(abundances, "_FEW_GROUPS", 0)
    np.testing.assert_allclose(fclsu(Y, E), grouped, atol=1e-12)


def test_kkt_residual_notices_what_is_not_optimal():
    Y, E, _ = problem(0, 4, 50, 0.2)
    A = fclsu(Y, E)
    moved = 0.9 * A + 0.1 / 4
    assert np.all(kkt_residual(Y, E, moved) > 1e-4)
    assert np.all(kkt_residual(Y, E, 1.01 * A) > 1e-3)


@pytest.mark.parametrize(
    ("Y", "E", "message"),
    [
        (np.ones((3, 2)), np.ones((4, 2)), "equal bands"),
        (np.ones(3), np.ones((3, 2)), "equal bands"),
        (np.ones((3, 2)), np.ones((3, 0)), "equal bands"),
        (np.full((3, 2), np.nan), np.ones((3, 2)), "Y holds NaN"),
        (np.ones((3, 2)), np.full((3, 2), np.inf), "E holds NaN"),
    ],
)
def test_what_cannot_be_solved_is_refused(Y, E, message):
    with pytest.raises(ValueError, match=message):
        fclsu(Y, E)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_gpu_equals_cpu():
    Y, E, _ = problem(0, 6, 5000, 0.1)
    np.testing.assert_allclose(fclsu(Y, E, device="cuda"), fclsu(Y, E), atol=1e-9)
