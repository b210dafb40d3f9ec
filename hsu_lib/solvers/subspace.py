"""Linear subspaces of an image: the vectors that span one, and what is left of the image in it."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def leading(symmetric: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Eigenvectors of the `count` largest eigenvalues, as columns, each with a sign of its own fixed.

    Of ``Y @ Y.T`` they are the first left singular vectors of `Y`.
    """
    vectors = np.linalg.eigh(symmetric)[1][:, : -count - 1 : -1]
    return vectors * np.where(vectors.sum(axis=0) < 0, -1.0, 1.0)


def svd_truncation(Y: ArrayLike, rank: int) -> NDArray[np.float64]:
    """Nearest image of that rank: pixels projected on the first left singular vectors, the mean not removed.

    Parameters
    ----------
    Y
        Image, shape ``(bands, pixels)``.
    rank
        Number of singular vectors.

    Returns
    -------
    ndarray
        Shape of `Y`.
    """
    Y = np.asarray(Y, dtype=np.float64)
    V = leading(Y @ Y.T, rank)
    return V @ (V.T @ Y)


def pca_truncation(Y: ArrayLike, rank: int) -> NDArray[np.float64]:
    """Nearest image whose spectra lie in an affine subspace: principal components of the pixels.

    Parameters
    ----------
    Y
        Image, shape ``(bands, ...)``.
    rank
        Number of spectra that span the subspace, its mean included: a mixture of that many endmembers,
        with abundances that sum to one, lies in it.

    Returns
    -------
    ndarray
        Shape of `Y`.

    Raises
    ------
    ValueError
        If `rank` is below one.
    """
    if rank < 1:
        raise ValueError(f"expected a rank of at least 1, got {rank}")
    Y = np.asarray(Y, dtype=np.float64)
    pixels = Y.reshape(len(Y), -1)
    mean = pixels.mean(axis=1, keepdims=True)
    centred = pixels - mean
    basis = np.linalg.eigh(centred @ centred.T)[1][:, ::-1][:, : rank - 1]
    return (mean + basis @ (basis.T @ centred)).reshape(Y.shape)
