"""Spectra in other bands than those they were measured in."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

_FWHM = 2 * np.sqrt(2 * np.log(2))  # full width at half maximum of a Gaussian, in standard deviations


def resample(
    spectra: ArrayLike, wavelengths: ArrayLike, centres: ArrayLike, fwhm: ArrayLike | None = None
) -> NDArray[np.float64]:
    r"""Spectra as a sensor with other bands would see them.

    Between its samples a spectrum is taken as linear. A band with a width is the mean of that line under
    a Gaussian response, in closed form, so the spectra may be sampled as unevenly or as coarsely as they
    are; a band without one is the line's value at the band's centre, the limit of a narrow response.
    The resolution that the spectra have already is not taken into account: a Gaussian feature of standard
    deviation :math:`s_1` seen by a response of :math:`s_2` gets :math:`\sqrt{s_1^2 + s_2^2}`.

    Parameters
    ----------
    spectra
        Shape ``(samples, spectra)``; NaN where there is no value. Such a sample is left out: the others
        share its weight, and the band is NaN if it held more than half of it.
    wavelengths
        Of the samples, in nm, shape ``(samples,)``, in any order.
    centres
        Of the bands, in nm, shape ``(bands,)``, in any order.
    fwhm
        Full widths at half maximum of the bands, in nm, shape ``(bands,)`` or one for all; None for
        linear interpolation.

    Returns
    -------
    ndarray
        Shape ``(bands, spectra)``.

    Raises
    ------
    ValueError
        If shapes do not fit, two samples have one wavelength, a width is not positive, or a band (its
        centre and, where it has a width, its half maxima) lies outside the wavelengths.

    Examples
    --------
    >>> resample([[0.0], [1.0], [0.0]], [400, 500, 600], [450, 500])
    array([[0.5],
           [1. ]])
    """
    values = np.asarray(spectra, dtype=np.float64)
    x, c = np.asarray(wavelengths, dtype=np.float64), np.asarray(centres, dtype=np.float64)
    if values.ndim != 2 or x.shape != values.shape[:1] or c.ndim != 1:
        raise ValueError(
            "expected spectra (samples, spectra), wavelengths (samples,) and centres (bands,), got "
            f"{values.shape}, {x.shape} and {c.shape}"
        )
    order = np.argsort(x)
    x, values = x[order], values[order]
    if not (np.diff(x) > 0).all():
        raise ValueError("two samples have the same wavelength, or one has none: leave one of them out")
    width = np.zeros_like(c) if fwhm is None else np.broadcast_to(np.asarray(fwhm, dtype=np.float64), c.shape)
    if fwhm is not None and not (width > 0).all():
        raise ValueError("expected full widths at half maximum above zero, in nm")
    outside = ~((c - width / 2 >= x[0]) & (c + width / 2 <= x[-1]))
    if outside.any():
        raise ValueError(
            f"{outside.sum()} of {len(c)} bands lie outside the spectra's {x[0]:g} to {x[-1]:g} nm, the "
            f"first at {c[outside][0]:g} nm"
        )
    weights = _linear(x, c) if fwhm is None else _gaussian(x, c, width / _FWHM)  # (bands, samples)
    measured = np.isfinite(values)
    share = weights @ measured
    summed = weights @ np.where(measured, values, 0)
    return np.where(share >= 0.5, summed / np.maximum(share, 0.5), np.nan)


def _linear(x: NDArray, centres: NDArray) -> NDArray:
    """Weight of each sample in the linear interpolation at each centre, shape ``(bands, samples)``."""
    return np.stack([np.interp(centres, x, hat) for hat in np.eye(len(x))], axis=1)


def _gaussian(x: NDArray, centres: NDArray, sigma: NDArray) -> NDArray:
    """Weight of each sample in the Gaussian mean of the line through them, shape ``(bands, samples)``.

    The line is a sum of hats, one per sample. Integrated twice by parts, a hat's mean under the response is
    the change of slope of G at its sample, G the second antiderivative of the response.
    """
    from scipy.special import ndtr

    z = (x - centres[:, None]) / sigma[:, None]
    below = ndtr(z)  # share of the response below each sample
    G = sigma[:, None] * (z * below + np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi))
    slopes = np.diff(G, axis=1) / np.diff(x)
    weights = np.diff(np.hstack([below[:, :1], slopes, below[:, -1:]]), axis=1)
    return weights / (below[:, -1:] - below[:, :1])  # what lies outside the samples does not count
