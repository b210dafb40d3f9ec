"""Second moments of an image, and its noise by regression of each band on all others."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hsu_lib.scene import real

Float = NDArray[np.float64]

#: Added to the mean square of each band before the regression, as a share of that of the image, and the least
#: that noise is: rounding of single precision is a hundred times less, that of moments about as much.
_RIDGE = 1e-13
#: Pixels of one product, so that its copy in float64 stays in the cache.
_BLOCK = 8192


class Moments(NamedTuple):
    r"""What estimators of noise and rank know of an image.

    Parameters
    ----------
    second
        Uncentred second moment :math:`YY^\top/N`, shape ``(bands, bands)``.
    mean
        Mean spectrum, shape ``(bands,)``.
    pixels
        How many.
    """

    second: Float
    mean: Float
    pixels: int

    @property
    def covariance(self) -> Float:
        """Second moment around the mean, shape ``(bands, bands)``."""
        return self.second - np.outer(self.mean, self.mean)


def moments(Y: ArrayLike) -> Moments:
    """Moments of an image ``(bands, pixels)`` in float64, in one pass.

    Raises
    ------
    ValueError
        If it is no such matrix, or a value is not finite.
    """
    Y = real(Y, "Y")
    if Y.ndim != 2 or Y.size == 0:
        raise ValueError(f"expected an image as a matrix (bands, pixels), got shape {Y.shape}")
    bands, pixels = Y.shape
    second, total = np.zeros((bands, bands)), np.zeros(bands)
    for begin in range(0, pixels, _BLOCK):
        block = Y[:, begin : begin + _BLOCK].astype(np.float64)
        second += block @ block.T
        total += block.sum(axis=1)
    if not np.isfinite(np.trace(second)):
        raise ValueError(
            "the image holds NaN or infinite values; remove those bands or fill those pixels first"
        )
    return Moments(second / pixels, total / pixels, pixels)


class Noise(NamedTuple):
    r"""Noise of an image, what each band has that the others do not tell.

    Parameters
    ----------
    variances
        Mean square in each band, shape ``(bands,)``.
    filters
        Shares :math:`F` of the bands in it: :math:`W = F^\top Y` is the noise of an image `Y`,
        shape ``(bands, bands)``.
    """

    variances: Float
    filters: Float


def regression_noise(of: Moments, *, unbiased: bool = True) -> Noise:
    r"""Residuals of the regression of each band on all others, which share the signal but not the noise.

    With :math:`S = (YY^\top/N)^{-1}` they are :math:`W = \mathrm{diag}(1/S_{ii})\, S Y`: one inverse for all
    bands, and no pixel is looked at again.

    Parameters
    ----------
    of
        Moments of the image, of more pixels than bands.
    unbiased
        Whether variances are multiplied by :math:`N/(N - L + 1)`, as ours are: each regression has as many
        coefficients as there are other bands, and they take their share of the noise. Not in the paper.

    Raises
    ------
    ValueError
        If there are not more pixels than bands: then the others explain each band without a rest.

    References
    ----------
    Roger and Arnold, International Journal of Remote Sensing 17 (1996) 951-962; in this form Bioucas-Dias
    and Nascimento, IEEE TGRS 46 (2008) 2435-2445.
    """
    bands, pixels = len(of.mean), of.pixels
    if pixels <= bands:
        raise ValueError(
            f"the noise of {bands} bands cannot be told from {pixels} pixels: take more pixels than bands"
        )
    floor = _RIDGE * float(np.trace(of.second)) / bands or np.finfo(float).tiny
    inverse = np.linalg.inv(of.second + floor * np.eye(bands))
    filters = inverse / np.diag(inverse)
    variances = np.einsum("ij,ij->j", filters, of.second @ filters)
    variances *= pixels / (pixels - bands + 1) if unbiased else 1.0
    return Noise(np.maximum(variances, floor), filters)
