"""Endmembers picked from the pixels of an image: VCA, SiVM and SNPA."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hsu_lib.scene import real
from hsu_lib.solvers.fclsu import fclsu
from hsu_lib.solvers.subspace import leading

#: The law of each entry of VCA's random directions.
Draws = Literal["normal", "uniform"]
#: VCA's projection; "auto" takes one by the signal-to-noise ratio.
Branch = Literal["auto", "principal", "projective"]
#: From what SiVM's first pixel is farthest.
Start = Literal["mean", "origin"]


class Extraction(NamedTuple):
    """Endmembers ``E`` (bands, endmembers) and the pixels they stand for, ``indices`` (endmembers,)."""

    E: NDArray[np.float64]
    indices: NDArray[np.intp]


def vca(
    Y: ArrayLike,
    endmembers: int,
    *,
    seed: int,
    snr_db: float | None = None,
    draws: Draws = "normal",
    branch: Branch = "auto",
) -> Extraction:
    r"""Vertex component analysis: the pixels that are extreme along random directions.

    The image is reduced to as many dimensions as there are endmembers. Above
    :math:`\mathrm{SNR} = 15 + 10\log_{10} p` dB the projection is projective, which removes differences of
    illumination; below it is a principal component projection around the mean, which withstands noise
    better. Each step takes the pixel farthest along a random direction orthogonal to those found.

    Parameters
    ----------
    Y
        Image, shape ``(bands, pixels)``.
    endmembers
        How many; at most bands and pixels.
    seed
        Seed of the directions.
    snr_db
        Signal-to-noise ratio of the image in dB; estimated from the image by default.
    draws
        Law of the entries of a direction before it is made orthogonal: the standard normal, as in the paper,
        all directions alike, or uniform on [0, 1), as in public codes, which prefers those near the diagonal.
    branch
        Projection: by the signal-to-noise ratio, or one of the two whatever that is.

    Returns
    -------
    Extraction
        `E` are the chosen pixels as the projection sees them, as in the paper: part of their noise is gone.

    Raises
    ------
    ValueError
        If the shape, the number of endmembers or a value does not fit.

    References
    ----------
    Nascimento and Bioucas-Dias, "Vertex component analysis: a fast algorithm to unmix hyperspectral
    data", IEEE TGRS 43(4), 2005, 898-910.
    """
    Y = checked(Y, endmembers)
    bands, pixels = Y.shape
    mean = Y.mean(axis=1, keepdims=True)
    centred = leading(Y @ Y.T / pixels - mean @ mean.T, endmembers)
    if endmembers == 1:
        basis = leading(Y @ Y.T, 1)
        best = np.array([np.abs(basis.T @ Y).argmax()])
        return Extraction(basis @ (basis.T @ Y[:, best]), best)
    if branch == "auto":
        snr_db = _estimated_snr(Y, mean, centred) if snr_db is None else snr_db
        branch = "principal" if snr_db < 15 + 10 * np.log10(endmembers) else "projective"
    if branch == "principal":
        basis = centred[:, : endmembers - 1]
        x = basis.T @ (Y - mean)
        height = np.linalg.norm(x, axis=0).max()
        lifted = np.vstack([x, np.full(pixels, height)])
        offset = mean
    else:
        basis = leading(Y @ Y.T, endmembers)
        x = basis.T @ Y
        # a sign the same as the mean's keeps the division away from zero for all but dark pixels
        depth = x.mean(axis=1) @ x
        lifted = x / np.where(np.abs(depth) > np.finfo(float).tiny, depth, np.inf)
        offset = np.zeros((bands, 1))
    indices = extremes(lifted, seed=seed, draws=draws)
    return Extraction(basis @ x[:, indices] + offset, indices)


def extremes(points: NDArray[np.float64], *, seed: int, draws: Draws = "normal") -> NDArray[np.intp]:
    """Numbers of the points that VCA picks, one for each dimension, without any projection.

    Each is the farthest along a random direction that is orthogonal to those before it, the first along one
    that is orthogonal to the last axis.

    Parameters
    ----------
    points
        Shape ``(dimensions, points)``.
    seed, draws
        Of the directions, as in `vca`.
    """
    rng, count = np.random.default_rng(seed), len(points)
    found = np.zeros((count, count))
    found[-1, 0] = 1
    indices = np.empty(count, dtype=np.intp)
    for k in range(count):
        w = rng.random(count) if draws == "uniform" else rng.standard_normal(count)
        direction = w - found @ (np.linalg.pinv(found) @ w)
        indices[k] = np.abs(direction @ points).argmax()
        found[:, k] = points[:, indices[k]]
    return indices


def sivm(Y: ArrayLike, endmembers: int, *, start: Start = "mean") -> Extraction:
    """Simplex volume maximisation: each new pixel spans the largest simplex with those before it.

    The first is the pixel farthest from the mean or from the origin, the second the farthest from the first,
    each further one the farthest from the affine hull of all before, which multiplies the volume most. A
    convex function is largest at a vertex, so without noise every choice is a vertex of the data.

    Parameters
    ----------
    Y
        Image, shape ``(bands, pixels)``.
    endmembers
        How many; at most bands and pixels.
    start
        From what the first pixel is farthest; the origin, as in the public code of UnDIP, for the brightest.

    Returns
    -------
    Extraction
        `E` are the chosen pixels as they are. Nothing is random.

    Raises
    ------
    ValueError
        If the shape, the number of endmembers or a value does not fit.

    References
    ----------
    Thurau, Kersting and Bauckhage, "Yes we can: simplex volume maximization for descriptive
    web-scale matrix factorization", CIKM 2010, 1785-1788; Heylen, Burazerovic and Scheunders, "Fully
    constrained least squares spectral unmixing by simplex projection", IEEE TGRS 49(11), 2011 (distances).
    """
    Y = checked(Y, endmembers)
    origin = Y.mean(axis=1, keepdims=True) if start == "mean" else 0.0
    first = int(((Y - origin) ** 2).sum(axis=0).argmax())
    apart = Y - Y[:, [first]]
    distance = (apart**2).sum(axis=0)  # squared, to the affine hull of the pixels chosen so far
    chosen, directions = [first], np.empty((len(Y), 0))
    while len(chosen) < endmembers:
        distance[chosen] = -1.0
        chosen.append(int(distance.argmax()))
        direction = apart[:, chosen[-1]]
        for _ in range(2):  # twice, or rounding would leave it not quite orthogonal
            direction = direction - directions @ (directions.T @ direction)
        direction /= max(np.linalg.norm(direction), np.finfo(float).tiny)
        directions = np.column_stack([directions, direction])
        distance -= (direction @ apart) ** 2
    return Extraction(Y[:, chosen], np.array(chosen))


def snpa(Y: ArrayLike, endmembers: int) -> Extraction:
    r"""Successive nonnegative projection: each new pixel is the one that those before it explain worst.

    The residual of a pixel is its distance to the convex hull of the pixels chosen so far and the
    origin, :math:`\min_h \|y - E h\|` with :math:`h \ge 0` and :math:`\sum h \le 1`. That is FCLSU with
    one more endmember, the zero spectrum. Unlike orthogonal projections (SPA) it needs no linearly
    independent endmembers, and finds dark ones too unless they are mixtures of others and shade.

    Arguments, result and errors are those of `sivm`.

    References
    ----------
    Gillis, "Successive nonnegative projection algorithm for robust nonnegative blind source
    separation", SIAM J. Imaging Sciences 7(2), 2014, 1420-1450.
    """
    Y = checked(Y, endmembers)
    distance = (Y**2).sum(axis=0)  # squared, to the hull of the origin
    chosen: list[int] = []
    while len(chosen) < endmembers:
        distance[chosen] = -1.0
        chosen.append(int(distance.argmax()))
        E = np.column_stack([Y[:, chosen], np.zeros(len(Y))])
        distance = ((Y - E @ fclsu(Y, E)) ** 2).sum(axis=0)
    return Extraction(Y[:, chosen], np.array(chosen))


def checked(Y: ArrayLike, endmembers: int) -> NDArray[np.float64]:
    """Image in float64, shape ``(bands, pixels)``, that has as many endmembers to be picked; else refused."""
    Y = real(Y, "Y").astype(np.float64)
    if Y.ndim != 2 or Y.size == 0:
        raise ValueError(f"expected an image as a matrix (bands, pixels), got shape {Y.shape}")
    if not np.isfinite(Y).all():
        raise ValueError(
            "the image holds NaN or infinite values; remove those bands or fill those pixels first"
        )
    if not 1 <= endmembers <= min(Y.shape):
        raise ValueError(
            f"asked for {endmembers} endmembers of {Y.shape[0]} bands and {Y.shape[1]} pixels; "
            f"expected 1 to {min(Y.shape)}"
        )
    return Y


def _estimated_snr(Y: NDArray[np.float64], mean: NDArray[np.float64], basis: NDArray[np.float64]) -> float:
    """Signal power in the subspace over the power outside it, in dB (the paper's equations 12 and 13)."""
    bands, pixels = Y.shape
    total = float(np.sum(Y**2) / pixels)
    inside = float(np.sum((basis.T @ (Y - mean)) ** 2) / pixels + np.sum(mean**2))
    noise, signal = total - inside, inside - basis.shape[1] / bands * total
    if noise <= 1e-12 * total:
        return np.inf
    return -np.inf if signal <= 0 else float(10 * np.log10(signal / noise))
