"""Whether the numbers of a result mean anything: endmembers that the image cannot tell apart are named."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hsu_lib.scene import Status
from hsu_lib.solvers.noise import moments, regression_noise

_ROUNDING = 1e-5  # of single precision, with what it grows to; relative to the largest singular value
_COPY = 1e-5  # relative RMS difference of copies
_UNUSED = 1e-3  # an abundance that no pixel exceeds
_PIXELS = 4000


def noise_level(pixels: NDArray, endmembers: int) -> float:
    """Standard deviation of the noise, root mean square over the bands.

    By `hsu_lib.solvers.noise.regression_noise`; of fewer pixels than that takes, what principal components
    beyond the number of endmembers hold. Rounding of the type is not counted as noise.

    Parameters
    ----------
    pixels
        Shape ``(bands, pixels)``.
    endmembers
        How many are looked for: as many directions of the image are taken for signal.

    Returns
    -------
    float
        0 where there are too few bands or pixels to tell.
    """
    Y = np.asarray(pixels, dtype=np.float64)[:, :: max(1, pixels.shape[1] // _PIXELS)]
    bands, count = Y.shape
    size = float(np.mean(Y**2))
    if min(bands, count) <= endmembers + 1 or size <= 0:
        return 0.0
    if count >= 3 * bands:
        variance = float(np.mean(regression_noise(moments(Y)).variances))
    else:
        values = np.linalg.svd(Y, compute_uv=False)[endmembers:]
        variance = float(np.sum(values**2)) / ((bands - endmembers) * (count - endmembers))
    level = float(np.sqrt(max(variance, 0.0)))
    return level if level > 1e-6 * np.sqrt(size) else 0.0


def findings(
    E: NDArray, A: NDArray, noise: float, names: Sequence[str], *, picked: bool
) -> tuple[Status | None, list[str]]:
    """What is degenerate about endmembers ``(bands, endmembers)`` and abundances ``(endmembers, pixels)``.

    Parameters
    ----------
    noise
        Standard deviation of the image's noise, in the unit of `E`.
    names
        One per endmember.
    picked
        Whether the endmembers are estimates, which share the noise of the image, and not given.

    Returns
    -------
    status
        `Status.DEGENERATE`, or None.
    sentences
        Copies, pairs nearer than the noise, a rank below the number of endmembers, and endmembers that are
        in no pixel (which are not degenerate).
    """
    E = np.asarray(E, dtype=np.float64)
    told = [*_pairs(E, 2 * noise if picked else noise, names), *_rank(E, noise if picked else 0.0)]
    status = Status.DEGENERATE if told else None
    unused = [name for name, most in zip(names, A.max(axis=1), strict=True) if most < _UNUSED]
    if unused:
        told.append(f"in no pixel above {_UNUSED:g}: {_few(unused)}")
    return status, told


def _pairs(E: NDArray, limit: float, names: Sequence[str]) -> list[str]:
    squares = (E**2).sum(axis=0)
    distances = np.sqrt(np.clip(squares[:, None] + squares - 2 * E.T @ E, 0, None) / len(E))
    size = np.sqrt(np.maximum(squares[:, None], squares) / len(E))
    copies, near = [], []
    for i, j in itertools.combinations(range(E.shape[1]), 2):
        pair = f"{names[i]} and {names[j]}"
        if distances[i, j] <= _COPY * size[i, j]:
            copies.append(pair)
        elif distances[i, j] < limit:  # two pixels of one material differ by 1.4 times the noise
            near.append(f"{pair} ({distances[i, j]:.2g})")
    told = [f"copies of each other: {_few(copies)}"] if copies else []
    if near:
        told.append(f"too near for the noise, less than {limit:.2g} apart (RMS over bands): {_few(near)}")
    return told


def _rank(E: NDArray, noise: float) -> list[str]:
    bands, count = E.shape
    values = np.linalg.svd(E, compute_uv=False)
    floor = max(_ROUNDING * values[0], noise * (np.sqrt(bands) + np.sqrt(count)))
    rank = int((values > floor).sum())
    if rank >= count:
        return []
    why = "single precision" if floor == _ROUNDING * values[0] else f"the noise of {noise:.2g}"
    return [f"numerical rank {rank} of {count} endmembers within {why}: fewer explain the image as well"]


def _few(items: Sequence[str]) -> str:
    return ", ".join(items[:6]) + (f" and {len(items) - 6} more" if len(items) > 6 else "")
