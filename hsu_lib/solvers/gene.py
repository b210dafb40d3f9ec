"""GENE: endmembers are picked one by one until the next is a mixture of those before it, but for noise."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import chi2

from hsu_lib.solvers.fclsu import fclsu
from hsu_lib.solvers.noise import moments, regression_noise
from hsu_lib.solvers.subspace import leading

Float = NDArray[np.float64]
#: What the next endmember is tested against: the convex hull of those before it, or their affine hull.
Hull = Literal["convex", "affine"]

#: The most endmembers that are looked for where nothing else is said.
MOST = 25
#: Added to the noise of all directions, as a share of the variance of the pixels: below it all is exact.
_FLOOR = 1e-12


class Reduction(NamedTuple):
    """Pixels in few directions, with the noise that they have there.

    Parameters
    ----------
    X
        Coordinates around the mean, shape ``(directions, points)``.
    covariance
        Of their noise, shape ``(directions, directions)``.
    pixels
        Which pixels the points are, shape ``(points,)``.
    """

    X: Float
    covariance: Float
    pixels: NDArray[np.intp]


def reduction(Y: ArrayLike, *, seed: int, most: int = MOST, split: bool = True) -> Reduction:
    r"""Image in the directions of largest variance without the noise's, for `gene`.

    Parameters
    ----------
    Y
        Image, shape ``(bands, pixels)``.
    seed
        Of the halves.
    most
        The most endmembers that there can be, one more than directions; no more than bands.
    split
        Whether mean, noise and directions are of one half of the pixels, drawn at random, and the points of
        the other. Directions that are chosen on the points themselves follow their noise, whose variance
        along them is up to :math:`(1 + \sqrt{L/N})^2` larger than assumed.

    Raises
    ------
    ValueError
        If the shape or a value does not fit, or there are not more pixels (in a half) than bands.
    """
    Y = np.asarray(Y)
    chosen, rest = np.arange(Y.shape[-1]), Y
    if split:
        order = np.random.default_rng(seed).permutation(Y.shape[-1])
        half = len(order) // 2
        chosen, rest = np.sort(order[half:]), Y[:, np.sort(order[:half])]
    of = moments(rest)
    noise = regression_noise(of).variances
    basis = leading(of.covariance - np.diag(noise), min(most, len(Y)) - 1)
    X = basis.T @ (Y[:, chosen] if split else Y) - (basis.T @ of.mean)[:, None]
    floor = _FLOOR * np.trace(of.covariance) + np.finfo(float).tiny
    return Reduction(X, basis.T @ (noise[:, None] * basis) + floor * np.eye(len(X)), chosen)


class Gene(NamedTuple):
    """How many endmembers, which pixels they are, and what the tests said.

    Parameters
    ----------
    rank
        How many; as many as there can be at most where every test says that there are more.
    indices
        Numbers of the pixels, shape ``(rank,)``.
    p_values
        Of the second pixel, the third, ...: the probability of a residual as large where the pixel is a
        mixture of those before it; the last, of the pixel that is no endmember, is the one above the limit.
    """

    rank: int
    indices: NDArray[np.intp]
    p_values: Float


def gene(of: Reduction, *, hull: Hull, false_alarm: float = 1e-6, norm: float = 2.0) -> Gene:
    r"""Geometry-based estimation of the number of endmembers, GENE-CH and GENE-AH.

    Of the points, a 1 below each, one after the other is picked that has the largest norm outside the span of
    those before (TRI-P). Where it, `x`, is a mixture :math:`M\theta` of those before but for noise of
    covariance `S`, its residual `e` has :math:`e^\top ((1 + \theta^\top\theta) S)^{-1} e` of the chi-square
    law with as many degrees of freedom as directions. The first that may be so ends it.

    Parameters
    ----------
    of
        The image by `reduction`.
    hull
        ``"convex"`` for fully constrained mixtures: counts the corners of the data, which are more than
        endmembers where no pixel is pure. ``"affine"`` for mixtures of sum one alone: counts dimensions.
    false_alarm
        Limit of the p-values: how likely it is that a mixture counts. It is the most extreme of all pixels
        that is tested, so it has to be far below one over their number.
    norm
        TRI-P takes the largest of this norm: 2, 1 or infinity.

    References
    ----------
    Ambikapathi, Chan, Chi and Keizer, "Hyperspectral data geometry-based estimation of number of endmembers
    using p-norm-based pure pixel identification algorithm", IEEE TGRS 51(5), 2013, 2753-2769; halves: ours.
    """
    X = of.X
    residual = np.vstack([X, np.ones(X.shape[1])])
    picked: list[int] = []
    p_values: list[float] = []
    while len(picked) <= len(X):
        best = int(np.linalg.norm(residual, ord=norm, axis=0).argmax())
        if picked:
            p_values.append(_p_value(X[:, best], X[:, picked], of.covariance, hull))
            if p_values[-1] > false_alarm:
                break
        picked.append(best)
        direction = residual[:, best] / np.linalg.norm(residual[:, best])
        residual = residual - np.outer(direction, direction @ residual)
    return Gene(len(picked), of.pixels[picked], np.array(p_values))


def _p_value(x: Float, M: Float, covariance: Float, hull: Hull) -> float:
    """Probability of a residual as large of a mixture of the columns of `M`."""
    if hull == "convex":
        theta = fclsu(x[:, None], M)[:, 0]
    else:
        edges = M[:, 1:] - M[:, :1]
        rest = np.linalg.lstsq(edges, x - M[:, 0])[0]
        theta = np.concatenate([[1 - rest.sum()], rest])
    error = x - M @ theta
    size = error @ np.linalg.solve(covariance, error) / (1 + theta @ theta)
    return float(chi2.sf(size, len(x)))
