"""When a run has converged: readings of its curves of loss or error over the iterations."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray


def settled(curves: ArrayLike, share: float = 0.05) -> NDArray[np.int64]:
    """First iteration from which a curve stays within a share of its last value.

    Parameters
    ----------
    curves
        Positive values, one curve per seed, shape ``(seeds, iterations)``.
    share
        Of the last value.

    Returns
    -------
    array
        Counted from 1, shape ``(seeds,)``.
    """
    values = np.atleast_2d(np.asarray(curves, dtype=np.float64))
    outside = np.abs(values - values[:, -1:]) > share * values[:, -1:]
    return np.array([np.flatnonzero(row)[-1] + 2 if row.any() else 1 for row in outside])


def common_threshold(groups: Mapping[str, ArrayLike], share: float = 0.05) -> NDArray[np.float64]:
    """Value that every condition comes down to: the largest of their last values and a share more, by seed.

    Parameters
    ----------
    groups
        Condition to its curves ``(seeds, iterations)``, in the same order of seeds.
    share
        Of that value.

    Returns
    -------
    array
        Shape ``(seeds,)``.
    """
    last = [np.atleast_2d(np.asarray(curves, dtype=np.float64))[:, -1] for curves in groups.values()]
    return (1 + share) * np.max(last, axis=0)


def reached(curves: ArrayLike, threshold: ArrayLike) -> NDArray[np.int64]:
    """First iteration at which a curve is at a threshold or below it.

    Parameters
    ----------
    curves
        Shape ``(seeds, iterations)``.
    threshold
        One value, or one per seed.

    Returns
    -------
    array
        Counted from 1, shape ``(seeds,)``.

    Raises
    ------
    ValueError
        If a curve never comes down to it.
    """
    values = np.atleast_2d(np.asarray(curves, dtype=np.float64))
    below = values <= np.broadcast_to(np.asarray(threshold, dtype=np.float64), len(values))[:, None]
    if not below.any(axis=1).all():
        raise ValueError("a curve never comes down to the threshold; take that of common_threshold")
    return below.argmax(axis=1) + 1
