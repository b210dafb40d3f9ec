"""Subspaces in which an image lies but for its noise: singular vectors; mean and principal components."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Float = NDArray[np.float64]

#: Added to standard deviations, as a share of the largest, before they are divided by.
_FLOOR = 1e-6


def leading(symmetric: Float, count: int) -> Float:
    """Eigenvectors of the `count` largest eigenvalues, as columns, each with a sign of its own fixed.

    Of ``Y @ Y.T`` they are the first left singular vectors of `Y`.
    """
    vectors = np.linalg.eigh(symmetric)[1][:, : -count - 1 : -1]
    return vectors * np.where(vectors.sum(axis=0) < 0, -1.0, 1.0)


def svd_truncation(Y: ArrayLike, rank: int) -> Float:
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


class Subspace(NamedTuple):
    r"""Affine subspace: a pixel `y` has the coordinates :math:`U^\top(y - m)`.

    Parameters
    ----------
    mean
        :math:`m`, shape ``(bands, 1)``.
    basis
        :math:`U`, orthonormal, shape ``(bands, dimensions)``.
    deviations
        Standard deviation of the pixels along each direction, in their unit, shape ``(dimensions,)``.
    """

    mean: Float
    basis: Float
    deviations: Float

    def coordinates(self, Y: ArrayLike) -> Float:
        """Of spectra ``(bands, n)``, shape ``(dimensions, n)``."""
        return self.basis.T @ (np.asarray(Y, dtype=np.float64) - self.mean)

    def spectra(self, X: ArrayLike) -> Float:
        """Of coordinates ``(dimensions, n)``, shape ``(bands, n)``."""
        return self.basis @ np.asarray(X, dtype=np.float64) + self.mean

    @property
    def whitening(self) -> Float:
        """Factors on coordinates that give all directions unit variance, shape ``(dimensions, 1)``.

        A millionth of the largest deviation is added to each, so that a direction without variance keeps a
        factor; of an image that is one spectrum throughout, all are 1.
        """
        floor = _FLOOR * self.deviations.max(initial=0.0)
        return 1 / np.where(floor > 0, self.deviations + floor, 1.0)[:, None]


def principal_subspace(Y: ArrayLike, dimensions: int) -> Subspace:
    """Subspace through the mean of the pixels along their leading principal components.

    Parameters
    ----------
    Y
        Image, shape ``(bands, pixels)``.
    dimensions
        At most as many as bands; mixtures of one endmember more, with abundances that sum to one, lie in it.

    Returns
    -------
    Subspace
        The sum of each column of its basis is not negative.
    """
    Y = np.asarray(Y, dtype=np.float64)
    mean = Y.mean(axis=1, keepdims=True)
    centred = Y - mean
    values, vectors = np.linalg.eigh(centred @ centred.T)
    basis = vectors[:, ::-1][:, :dimensions]
    basis = basis * np.where(basis.sum(axis=0) < 0, -1.0, 1.0)
    deviations = np.sqrt(np.maximum(values[::-1][:dimensions], 0) / Y.shape[1])
    return Subspace(mean, basis, deviations)


def pca_truncation(Y: ArrayLike, rank: int) -> Float:
    """Nearest image whose spectra lie in an affine subspace: what a linear method can do against noise.

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
    subspace = principal_subspace(pixels, rank - 1)
    return subspace.spectra(subspace.coordinates(pixels)).reshape(Y.shape)
