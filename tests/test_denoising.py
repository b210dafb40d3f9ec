"""PCA truncation against the singular value decomposition, and what it leaves untouched."""

from __future__ import annotations

import numpy as np
import pytest

from hsu_lib.solvers.subspace import pca_truncation

rng = np.random.default_rng(0)


def test_it_is_the_truncated_singular_value_decomposition_of_the_centred_pixels():
    Y = rng.random((9, 7, 5))
    flat = Y.reshape(9, -1)
    mean = flat.mean(axis=1, keepdims=True)
    U, s, V = np.linalg.svd(flat - mean, full_matrices=False)
    for rank in (1, 3, 9):
        expected = mean + (U[:, : rank - 1] * s[: rank - 1]) @ V[: rank - 1]
        np.testing.assert_allclose(pca_truncation(Y, rank), expected.reshape(Y.shape), atol=1e-12)


def test_a_mixture_of_as_many_endmembers_stays_as_it_is_and_noise_falls():
    E, A = rng.random((20, 3)), rng.dirichlet(np.ones(3), 500).T
    Y = E @ A
    np.testing.assert_allclose(pca_truncation(Y, 3), Y, atol=1e-12)
    noisy = Y + 0.05 * rng.standard_normal(Y.shape)
    left = np.mean((pca_truncation(noisy, 3) - Y) ** 2) / np.mean((noisy - Y) ** 2)
    assert 1 / 20 < left < 4 / 20  # two of twenty dimensions, and the mean


def test_a_rank_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least 1, got 0"):
        pca_truncation(np.ones((3, 4)), 0)
