"""How many endmembers an image has, from its second moments: HySime, HFC and NWHFC, rank by SURE."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from hsu_lib.solvers.noise import Moments, Noise, regression_noise

Float = NDArray[np.float64]

#: Added to the noise of HySime's bands, as a share of the mean signal: as in its public code.
_RIDGE = 1e-10


class SignalSubspace(NamedTuple):
    """Signal subspace: its dimension, and an orthonormal basis ``(bands, dimension)``."""

    rank: int
    basis: Float


def hysime(of: Moments, noise: Noise) -> SignalSubspace:
    r"""HySime: the eigenvectors of the signal along which its power exceeds that of the noise.

    To leave out the eigenvector `e` of the signal costs :math:`e^\top R_y e - e^\top R_n e` of signal, to
    keep it :math:`e^\top R_n e` of noise; kept is what has :math:`e^\top R_y e > 2 e^\top R_n e`. The mean is
    not removed, so this is the number of endmembers, not one less.

    Parameters
    ----------
    of
        Moments of the image.
    noise
        `regression_noise` of it.

    References
    ----------
    Bioucas-Dias and Nascimento, "Hyperspectral subspace identification", IEEE TGRS 46(8), 2008, 2435-2445.
    """
    bands = len(of.mean)
    clean = np.eye(bands) - noise.filters  # signal = clean.T @ Y
    signal = clean.T @ of.second @ clean
    floor = noise.variances + _RIDGE * np.trace(signal) / bands
    vectors = np.linalg.eigh((signal + signal.T) / 2)[1][:, ::-1]
    power = np.einsum("ij,ij->j", vectors, of.second @ vectors)
    kept = power > 2 * ((vectors**2).T @ floor)
    return SignalSubspace(int(kept.sum()), vectors[:, kept])


def hfc(of: Moments, *, false_alarm: float = 1e-4, whitened: bool = False) -> int:
    r"""HFC, and noise-whitened NWHFC: in how many eigenvalues the mean spectrum shows.

    The eigenvalues :math:`a_i` of the second moment and :math:`b_i` of the covariance, both falling, are
    equal but for chance where there is noise alone. Counted are those with
    :math:`a_i - b_i > z \sqrt{2(a_i^2 + b_i^2)/N}`, `z` the normal quantile of the false alarms.

    Parameters
    ----------
    of
        Moments of the image.
    false_alarm
        Probability of a count where there is no signal; usual are 1e-3, 1e-4 and 1e-5.
    whitened
        NWHFC: bands are divided by the standard deviation of their noise first, that of the regression on
        all others around the mean.

    Raises
    ------
    ValueError
        If it is whitened and there are not more pixels than bands.

    References
    ----------
    Harsanyi, Farrand and Chang, Summitville workshop proceedings, ASPRS, 1994 (the test); Chang and Du,
    "Estimation of number of spectrally distinct signal sources in hyperspectral imagery", IEEE TGRS 42(3),
    2004, 608-619.
    """
    scale = np.ones(len(of.mean))
    if whitened:
        scale = 1 / np.sqrt(regression_noise(Moments(of.covariance, of.mean, of.pixels)).variances)
    a, b = (np.linalg.eigvalsh(scale[:, None] * m * scale)[::-1] for m in (of.second, of.covariance))
    limit = norm.isf(false_alarm) * np.sqrt(2 / of.pixels) * np.hypot(a, b)
    rounding = len(a) * np.finfo(float).eps * a[0]  # of an image without noise, what is left is this
    return int((a - b > limit + rounding).sum())


class Risk(NamedTuple):
    """Rank of least risk, and the risk of each: the estimated sum of squared errors, in variances of the
    noise, of the whitened image's truncation to rank 0, 1, ..., bands; shape ``(bands + 1,)``.
    """

    rank: int
    risks: Float


def sure_rank(of: Moments, noise: Noise) -> Risk:
    r"""Rank at which a truncated image is nearest its signal, by Stein's unbiased estimate of the error.

    Bands are divided by the standard deviation of their noise. Of the whitened image `Z`, of :math:`L`
    bands and :math:`N` pixels and with squared singular values :math:`s_i`, the error of what is left at rank
    `r` is

    .. math:: \sum_{i>r} s_i - LN + 2 r (1 + N - L) + 2 r (r - 1)
        + 4 \sum_{i \le r} \sum_{j > r} \frac{s_i}{s_i - s_j},

    in which all but the first two terms is twice the divergence of the truncation: how much freedom the
    directions have that are estimated from the same pixels.

    References
    ----------
    Stein, Annals of Statistics 9(6), 1981, 1135-1151 (the estimate); Candes, Sing-Long and Trzasko, IEEE TSP
    61(19), 2013, 4643-4657 (the divergence); Rasti, Ulfarsson and Sveinsson, "Hyperspectral subspace
    identification using SURE", IEEE GRSL 12(12), 2015, 2481-2485 (the use, there with wavelets).
    """
    bands, pixels = len(of.mean), of.pixels
    scale = 1 / np.sqrt(noise.variances)
    s = pixels * np.linalg.eigvalsh(scale[:, None] * of.second * scale)[::-1].clip(0)
    apart = np.maximum(s[:, None] - s, np.finfo(float).tiny)
    with np.errstate(over="ignore"):  # equal ones cannot be told apart: no rank lies between them
        shares = s[:, None] / apart
        cross = np.array([shares[:r, r:].sum() for r in range(bands + 1)])
    ranks = np.arange(bands + 1)
    divergence = ranks * (1 + pixels - bands) + ranks * (ranks - 1) + 2 * cross
    left = np.concatenate([np.cumsum(s[::-1])[::-1], [0.0]])
    risks = left - bands * pixels + 2 * divergence
    return Risk(int(risks.argmin()), risks)
