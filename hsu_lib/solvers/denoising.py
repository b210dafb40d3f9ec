"""Images without some of their noise, by a linear map that is learnt from the image itself."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import solve

from hsu_lib.scene import real


class Denoised(NamedTuple):
    """Image ``Y`` (bands, pixels), and the last map ``M`` (bands, bands + 1): of a spectrum and a one."""

    Y: NDArray[np.float64]
    M: NDArray[np.float64]


def marginalised_denoiser(
    Y: ArrayLike, *, corruption: float = 1e-5, ridge: float = 1.0, passes: int = 12
) -> Denoised:
    r"""Marginalised linear denoising autoencoder, applied again and again.

    The map :math:`M` is the one that rebuilds spectra best, in expectation, of which each value was set to
    zero with a small probability `c`. With :math:`\bar X` the image and a row of ones,
    :math:`S = \bar X \bar X^\top` and :math:`q = (1 - c, \dots, 1 - c, 1)`, it is

    .. math:: M = P (Q + R)^{-1},\quad P_{ij} = S_{ij} q_j,\quad Q_{ij} = S_{ij} q_i q_j\ (i \ne j),\
              Q_{ii} = S_{ii} q_i

    with :math:`R` the ridge on all but the ones, and a pass is :math:`X \leftarrow (1 - c) M \bar X`. The
    ridge does nearly all of it: a direction around the mean with energy `s`, summed over pixels, keeps
    :math:`s / (s + R)`. So its strength depends on the number of pixels and on the unit of the image.

    Parameters
    ----------
    Y
        Image, shape ``(bands, pixels)``.
    corruption
        `c`, at least 0 and below 1.
    ridge
        In the squared unit of the image. Without ridge and corruption, the spectra must span all bands.
    passes
        How often.

    Returns
    -------
    Denoised

    Raises
    ------
    ValueError
        If the shape or a value does not fit.

    References
    ----------
    Chen, Xu, Weinberger and Sha, "Marginalized denoising autoencoders for domain adaptation", ICML 2012;
    Qu and Qi, "uDAS: An untied denoising autoencoder with sparsity for spectral unmixing", IEEE TGRS 57(3),
    2019, 1698-1712.
    """
    X = real(Y, "Y").astype(np.float64)
    if X.ndim != 2 or X.size == 0 or not np.isfinite(X).all():
        raise ValueError(f"expected a finite image as a matrix (bands, pixels), got shape {X.shape}")
    if not 0 <= corruption < 1 or ridge < 0 or passes < 1:
        raise ValueError(
            "expected a corruption of at least 0 and below 1, a ridge of at least 0 and at least one pass, "
            f"got {corruption}, {ridge} and {passes}"
        )
    kept = np.append(np.full(len(X), 1 - corruption), 1.0)
    ridges = np.append(np.full(len(X), ridge), 0.0)
    barred = np.vstack([X, np.ones(X.shape[1])])
    S, together = barred @ barred.T, np.eye(len(kept))
    for _ in range(passes):
        Q = S * np.outer(kept, kept)
        np.fill_diagonal(Q, S.diagonal() * kept + ridges)
        M = solve(Q, (S[:-1] * kept).T, assume_a="pos").T
        # of the next pass only the products are needed, not the image
        one = np.vstack([(1 - corruption) * M, np.eye(1, len(kept), len(X))])
        S, together = one @ S @ one.T, one @ together
    return Denoised(together[:-1] @ barred, M)
