"""Curves of a run over its iterations: whole in a local record, thinned in a published one.

Whatever is scored from a whole curve is scored before it is thinned (`hsu_lib.runs.computed`). What several
runs are compared by needs the first iteration at which a curve is down to a level that is known only when all
are there: a published record keeps where the `rounded` curve is lower than ever before (`lowest`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from hsu_lib.runs.record import Record

#: The curves that first passages are asked of.
FOLLOWED = ("loss", "mae-abundances-fclsu-averaged")
#: Longer curves are thinned to at most so many iterations.
LONG, _POINTS = 300, 150
#: At which iterations, from 1, the curves of a published record are.
ITERATIONS = "history/iterations"


def iterations(record: Record) -> int:
    """How many a run made; 0 where it is not asked by iterations."""
    return int(record.asked["settings"].get("iterations", 0))


def whole(record: Record, name: str) -> NDArray[np.float64] | None:
    """A curve at every iteration, shape ``(iterations,)``; None where the record has it not, or thinned."""
    curve = record.arrays.get(f"history/{name}")
    there = curve is not None and ITERATIONS not in record.arrays
    return np.asarray(curve, dtype=np.float64) if there else None


def together(
    records: Sequence[Record], name: str, at: NDArray | None = None
) -> tuple[NDArray, NDArray[np.float64]]:
    """A curve of several runs of one length, some of them thinned perhaps, for a picture.

    Parameters
    ----------
    records, name
        The runs, and the curve.
    at
        Iterations that all of them have; by default all such.

    Returns
    -------
    array, array
        The iterations, from 1, at which all records have it; the values there, ``(records, iterations)``.

    Raises
    ------
    KeyError
        If a record does not have it.
    """
    curves = [record.arrays[f"history/{name}"] for record in records]
    places = [
        record.arrays.get(ITERATIONS, np.arange(1, len(curve) + 1))
        for record, curve in zip(records, curves, strict=True)
    ]
    at = reduce(np.intersect1d, places) if at is None else at
    values = [curve[np.searchsorted(own, at)] for curve, own in zip(curves, places, strict=True)]
    return at, np.array(values, dtype=np.float64)


def finite(record: Record, name: str) -> NDArray[np.float64] | None:
    """The same; None also where not all of it is finite."""
    curve = whole(record, name)
    return curve if curve is not None and curve.size and np.isfinite(curve).all() else None


def last_tenth(record: Record, name: str) -> float | None:
    """Median of a whole curve over the last tenth of its iterations, rounded up to whole ones."""
    curve = finite(record, name)
    return None if curve is None else float(np.median(curve[-len(curve) // 10 :]))


def first_down_to(record: Record, name: str, level: float) -> int | None:
    """First iteration, from 1, at which a `rounded` curve is down to a level; all of them if it never is.

    Parameters
    ----------
    record
        With the whole curve, or with what `lowest` keeps of it.
    name
        One of `FOLLOWED`.
    level
        At least what `lowest` follows it down to.

    Returns
    -------
    int or None
        None where the record has no such curve, or `level` is not a number.
    """
    curve = finite(record, name)
    if curve is not None:
        at, values = np.arange(1, len(curve) + 1), curve
    elif f"lowest/{name}" in record.arrays:
        at, values = record.arrays[f"lowest-at/{name}"], record.arrays[f"lowest/{name}"]
    else:
        return None
    if np.isnan(level):
        return None
    down = np.flatnonzero(rounded(values).astype(np.float64) <= level)
    return int(at[down[0]]) if down.size else iterations(record)


def is_long(record: Record, name: str) -> bool:
    """Whether an array of a record is a curve over the iterations, and too long to be published whole."""
    array = record.arrays[name]
    is_curve = name.startswith("history/") and array.ndim == 1 and array.dtype == np.float32
    return is_curve and array.size == iterations(record) > LONG


def thinned(record: Record) -> dict[str, NDArray]:
    """What is published of the long curves of a record.

    Returns
    -------
    dict
        ``history/NAME`` at the iterations ``history/iterations`` (from 1, evenly spaced in their logarithms,
        the first and the last among them), and of those in `FOLLOWED` what `lowest` keeps.
    """
    long = [name for name in record.arrays if is_long(record, name)]
    if not long:
        return {}
    last = iterations(record)
    at = np.unique(np.geomspace(1, last, _POINTS).round()).astype(np.int32)
    found: dict[str, NDArray] = {ITERATIONS: at}
    found |= {name: record.arrays[name][at - 1] for name in long}
    for name in FOLLOWED:
        if f"history/{name}" in long and finite(record, name) is not None:
            found[f"lowest-at/{name}"], found[f"lowest/{name}"] = lowest(record.arrays[f"history/{name}"])
    return found


def lowest(curve: NDArray) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The iterations, from 1, at which a `rounded` curve is lower than ever before, and its values there.

    It is followed down to 1.05 times the median of its last tenth, or to ten times that: no common level of
    several runs lies lower.
    """
    settled = float(np.median(curve[-len(curve) // 10 :].astype(np.float64)))
    curve = rounded(curve)
    least = np.minimum.accumulate(curve)
    at = np.flatnonzero(np.concatenate([[True], least[1:] < least[:-1]]))
    enough = np.flatnonzero(curve[at].astype(np.float64) <= min(1.05 * settled, 10 * settled))
    at = at[: enough[0] + 1] if enough.size else at
    return (at + 1).astype(np.int32), curve[at]


def rounded(curve: NDArray) -> NDArray[np.float32]:
    """Values with 12 significant bits, off by a share of 1/4096 at most; the rest compresses well."""
    bits = np.asarray(curve, dtype=np.float32).view(np.uint32)
    kept = ((bits + np.uint32(1 << 11)) & np.uint32(0xFFFFF000)).view(np.float32)
    return np.where(np.isfinite(curve), kept, curve).astype(np.float32)
