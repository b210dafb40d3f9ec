"""Images without some of their noise: what a linear subspace can do, to compare with."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


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
