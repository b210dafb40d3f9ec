"""Endmembers picked among the pixels by searches that are repeated: N-FINDR and the pixel purity index."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hsu_lib.solvers.extraction import Extraction, checked, sivm
from hsu_lib.solvers.simplex import Exchange, exchanged
from hsu_lib.solvers.subspace import principal_subspace

Float = NDArray[np.float64]
#: How pixels are chosen by their purity: apart from each other, or just the highest counts.
Choice = Literal["apart", "top"]

#: Directions of one product: as many as keep its result small.
_BLOCK = 500
#: Below this angle, in degrees, the limit is no limit any more.
_NO_ANGLE = 1e-3


class Grown(NamedTuple):
    """Endmembers ``E`` (bands, endmembers), the pixels they are, and how the best simplex of them grew."""

    E: Float
    indices: NDArray[np.intp]
    search: Exchange


def nfindr(Y: ArrayLike, endmembers: int, *, seed: int, restarts: int = 10) -> Grown:
    r"""N-FINDR: the pixels that span the largest simplex.

    In as many principal components as a simplex of them has dimensions, vertices are exchanged for pixels as
    long as that makes it larger (`hsu_lib.solvers.simplex.exchanged`). The end depends on the start, so the
    largest simplex of several starts is taken.

    Parameters
    ----------
    Y
        Image, shape ``(bands, pixels)``.
    endmembers
        How many; at most bands and pixels. One pixel spans nothing, whichever it is: of one, SiVM's is taken.
    seed
        Seed of the pixels of the starts.
    restarts
        How many starts from different pixels drawn at random; with 0, the only one is from SiVM's pixels, and
        nothing is random.

    Returns
    -------
    Grown
        `E` are the pixels as they are, in the order of their numbers.

    Raises
    ------
    ValueError
        If the shape, the number of endmembers or a value does not fit.

    References
    ----------
    Winter, "N-FINDR: an algorithm for fast autonomous spectral end-member determination in hyperspectral
    data", Proc. SPIE 3753, 1999, 266-275.
    """
    Y = checked(Y, endmembers)
    X = principal_subspace(Y, endmembers - 1).coordinates(Y)
    rng = np.random.default_rng(seed)
    if restarts == 0 or endmembers == 1:
        starts = [sivm(Y, endmembers).indices]
    else:
        starts = [rng.choice(Y.shape[1], endmembers, replace=False) for _ in range(restarts)]
    best = max((exchanged(X, start) for start in starts), key=lambda found: found.log_volumes[-1])
    indices = np.sort(best.indices)
    return Grown(Y[:, indices], indices, best)


def purity(X: Float, *, projections: int, seed: int) -> NDArray[np.intp]:
    """Pixel purity index: how often each point is the first or the last along a random direction.

    Parameters
    ----------
    X
        Coordinates without mean, few of them: the noise has directions of its own. Shape
        ``(dimensions, points)``.
    projections
        How many directions, all equally likely. Of points that are equally far the first counts.
    seed
        Of the directions.

    Returns
    -------
    ndarray
        Counts, shape ``(points,)``, which sum to twice the projections.

    References
    ----------
    Boardman, Kruse and Green, "Mapping target signatures via partial unmixing of AVIRIS data", Fifth JPL
    Airborne Earth Science Workshop, JPL Publication 95-1, 1995, 23-26.
    """
    rng, points = np.random.default_rng(seed), X.shape[1]
    counts = np.zeros(points, dtype=np.intp)
    for begin in range(0, projections, _BLOCK):
        along = rng.standard_normal((min(_BLOCK, projections - begin), len(X))) @ X
        for ends in (along.argmax(axis=1), along.argmin(axis=1)):
            counts += np.bincount(ends, minlength=points)
    return counts


def ppi(
    Y: ArrayLike,
    endmembers: int,
    *,
    seed: int,
    projections: int = 10_000,
    choice: Choice = "apart",
    angle_deg: float = 5.0,
) -> Extraction:
    """Pixels of high purity index, counted in the principal components that a simplex of them has.

    The paper leaves the choice among pixels that were counted to a human. Neighbours of an extreme pixel are
    extreme, too, so the highest counts may all be of one material.

    Parameters
    ----------
    Y
        Image, shape ``(bands, pixels)``.
    endmembers
        How many; at most bands and pixels.
    seed, projections
        Of the directions, and how many; see `purity`.
    choice
        ``"top"``: those with the highest counts. ``"apart"``: the same in turn, but only if the spectral
        angle to all before is above a limit, which is halved until there are enough.
    angle_deg
        That limit, in degrees.

    Returns
    -------
    Extraction
        `E` are the chosen pixels as they are, the highest count first.

    Raises
    ------
    ValueError
        If the shape, the number of endmembers or a value does not fit.
    """
    Y = checked(Y, endmembers)
    X = principal_subspace(Y, max(endmembers - 1, 1)).coordinates(Y)
    counts = purity(X, projections=projections, seed=seed)
    ranked = np.argsort(-counts, kind="stable")
    extreme = ranked[: max(endmembers, int((counts > 0).sum()))]
    chosen = ranked[:endmembers] if choice == "top" else _apart(Y[:, extreme], extreme, endmembers, angle_deg)
    return Extraction(Y[:, chosen], chosen)


def _apart(spectra: Float, numbers: NDArray[np.intp], endmembers: int, angle_deg: float) -> NDArray[np.intp]:
    """Numbers of the first spectra that are apart from each other."""
    units = spectra / np.maximum(np.linalg.norm(spectra, axis=0), np.finfo(float).tiny)
    cosines = units.T @ units
    chosen: list[int] = []
    while True:
        limit = np.cos(np.deg2rad(angle_deg)) if angle_deg > _NO_ANGLE else np.inf
        for k in range(len(numbers)):
            if len(chosen) == endmembers:
                return numbers[chosen]
            if k not in chosen and (cosines[k, chosen] < limit).all():
                chosen.append(k)
        angle_deg /= 2
