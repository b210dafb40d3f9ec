r"""Factorisation in which the pixels of a segment are asked to lack the same endmembers.

.. math:: \min \tfrac12\|Y - EA\|_F^2 + \tfrac{\delta^2}2 \sum_n (1 - \mathbf 1^\top a_n)^2
          + \lambda \sum_k \sum_{n \in k} c_n \|W_k a_n\| \quad\text{s.t.}\quad E, A \ge 0

by projected gradients, for all segments at once. The diagonal weights of segment `k` are
:math:`1 / (p^2 h + 1)` with the abundances `h` of its mean spectrum: small for what the segment has.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hsu_lib.solvers.factorization import Factors
from hsu_lib.solvers.fclsu import fclsu
from hsu_lib.solvers.superpixels import Labels

Float = NDArray[np.float64]
#: Share of the first gradients' norm at which a block ends; steps of a block, lengths tried in a step, the
#: factor between them, and what of the expected fall has to be had: all of the public code, after Lin.
_ENDS, _STEPS, _TRIES, _FACTOR, _SUFFICIENT = 0.05, 100, 20, 10.0, 0.99
#: Passes with too small a fall that end the factorisation: in a row, and of all.
_IN_A_ROW, _OF_ALL = 5, 20


def group_sparse_nmf(
    Y: ArrayLike,
    E: ArrayLike,
    A: ArrayLike,
    *,
    labels: Labels,
    means: ArrayLike,
    confidence: ArrayLike,
    weight: float,
    asc: float,
    iterations: int = 100,
    tolerance: float = 1e-4,
) -> Factors:
    r"""Endmembers and abundances from a given start.

    Each pass renews the weights, descends for the abundances, each segment with steps of its own, then for
    the endmembers.

    Parameters
    ----------
    Y, E, A
        Image, endmembers, abundances, not negative: ``(bands, pixels)``, ``(bands, endmembers)``,
        ``(endmembers, pixels)``.
    labels
        Segment of each pixel, from 0, none empty, shape ``(pixels,)``.
    means
        Mean spectra of the segments, shape ``(bands, segments)``.
    confidence
        :math:`c`, shape ``(pixels,)``.
    weight, asc
        :math:`\lambda` and :math:`\delta`.
    iterations
        At most so many passes.
    tolerance
        Stop after five passes in a row, and 20 of all, in which :math:`\|Y - EA\|_F^2` fell by less.

    Returns
    -------
    Factors
        `penalised` is the whole objective, with the weights of its pass; these change, so it may rise.

    References
    ----------
    Wang, Zhong, Zhang and Xu, IEEE TGRS 55(11), 2017, 6287-6304, and its public code; Lin, Neural Computation
    19(10), 2007, 2756-2779 (the descent).
    """
    order = np.argsort(labels, kind="stable")
    sizes = np.bincount(labels)
    y, a, c = (np.asarray(X, dtype=np.float64)[..., order] for X in (Y, A, confidence))
    e, of_pixel = np.asarray(E, dtype=np.float64), np.repeat(np.arange(len(sizes)), sizes)
    W = _weights(means, e)[:, of_pixel]

    def pull(x: Float, here: NDArray) -> Float:
        w = W[:, here]
        norms = np.linalg.norm(w * x, axis=0)
        return weight * c[here] * w**2 * x / np.where(norms > 0, norms, 1.0)

    def penalty() -> float:
        off = 0.5 * asc**2 * ((1 - a.sum(axis=0)) ** 2).sum()
        return float(off + weight * (c * np.linalg.norm(W * a, axis=0)).sum())

    left = e @ a - y
    start = np.sqrt(((left @ a.T) ** 2).sum() + ((e.T @ left) ** 2).sum())
    ends, end = np.full(len(sizes), _ENDS * start), np.full(1, _ENDS * start)
    objective = [0.5 * float((left**2).sum())]
    penalised = [objective[0] + penalty()]
    row = total = 0
    for _ in range(iterations):
        W = _weights(means, e)[:, of_pixel]
        a, at_once = descend(e.T @ e + asc**2, e.T @ y + asc**2, a, sizes, ends, pull)
        ends[at_once] /= 10
        spectra, at_once = descend(a @ a.T, a @ y.T, e.T, np.array([len(e)]), end)
        end[at_once] /= 10
        e = spectra.T
        objective.append(0.5 * float(((y - e @ a) ** 2).sum()))
        penalised.append(objective[-1] + penalty())
        small = 2 * (objective[-2] - objective[-1]) < tolerance
        row, total = (row + 1, total + 1) if small else (0, total)
        if row >= _IN_A_ROW and total >= _OF_ALL:
            break
    back = np.empty_like(a)
    back[:, order] = a
    ended = row >= _IN_A_ROW and total >= _OF_ALL
    return Factors(e, back, np.array(objective), ended, np.array(penalised))


def _weights(means: ArrayLike, E: Float) -> Float:
    """Of each endmember in each segment."""
    return 1 / (E.shape[1] ** 2 * fclsu(means, E) + 1)


def descend(
    G: Float,
    C: Float,
    X: Float,
    sizes: NDArray,
    ends: Float,
    pull: Callable[[Float, NDArray], Float] | None = None,
) -> tuple[Float, NDArray[np.bool_]]:
    r"""Projected gradients for :math:`\min_{X \ge 0} \tfrac12\langle X, GX\rangle - \langle C, X\rangle`.

    Columns that stand together form a group, which has a length of step of its own: from the last one by
    factors of ten, as long as the objective falls enough.

    Parameters
    ----------
    G, C, X
        Shapes ``(rows, rows)``, and twice ``(rows, columns)``; `X` is the start.
    sizes
        Of the groups, in columns.
    ends
        Norm of a group's projected gradient below which it is left.
    pull
        What else a gradient has: from columns of `X` and their numbers.

    Returns
    -------
    ndarray
        The minimiser, nearly.
    ndarray
        Of which groups the start was left as it is.
    """
    X = X.copy()
    group, lengths = np.repeat(np.arange(len(sizes)), sizes), np.ones(len(sizes))
    going = np.ones(len(sizes), dtype=bool)
    at_once = np.zeros(len(sizes), dtype=bool)
    for step in range(_STEPS):
        here = np.flatnonzero(going[group])
        x = X[:, here]
        slope = G @ x - C[:, here]
        slope = slope if pull is None else slope + pull(x, here)
        free = (slope < 0) | (x > 0)
        norms = np.sqrt(_sums(np.where(free, slope, 0) ** 2, sizes[going]))
        stays = norms >= ends[going]
        if step == 0:
            at_once = ~stays
        columns = np.repeat(stays, sizes[going])
        going[going] = stays
        if not going.any():
            break
        X[:, here[columns]], lengths[going] = _stepped(
            G, x[:, columns], slope[:, columns], sizes[going], lengths[going]
        )
    return X, at_once


def _stepped(G: Float, x: Float, slope: Float, sizes: NDArray, lengths: Float) -> tuple[Float, Float]:
    """One step of every group, and the last length that each has tried."""
    found, last = x, x
    done = shrinking = np.zeros(len(sizes), dtype=bool)
    for attempt in range(_TRIES):
        new = np.maximum(x - np.repeat(lengths, sizes) * slope, 0)
        d = new - x
        falls = _sums(_SUFFICIENT * slope * d + 0.5 * (G @ d) * d, sizes) < 0
        if attempt == 0:
            shrinking = ~falls
        moved = _sums(new != last, sizes) > 0
        good, too_far = ~done & shrinking & falls, ~done & ~shrinking & (~falls | ~moved)
        found = np.where(np.repeat(good, sizes), new, np.where(np.repeat(too_far, sizes), last, found))
        done = done | good | too_far
        if done.all():
            break
        lengths = np.where(done, lengths, np.where(shrinking, lengths / _FACTOR, lengths * _FACTOR))
        last = new
    return found, lengths


def _sums(values: NDArray, sizes: NDArray) -> NDArray:
    """Over all of each group's values."""
    return np.add.reduceat(values.sum(axis=0), np.r_[0, np.cumsum(sizes)[:-1]])
