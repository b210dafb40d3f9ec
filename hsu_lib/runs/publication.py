"""What of a record is published."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hsu_lib.atomic import remove_leftovers
from hsu_lib.runs.canonical import to_json
from hsu_lib.runs.compact import compacted
from hsu_lib.runs.computed import with_computed
from hsu_lib.runs.curves import LONG, is_long, rounded, thinned
from hsu_lib.runs.layout import COMPACT, DamagedRecord, quantise, read_record, write_record
from hsu_lib.runs.record import Record

_MAPS = ("A", "history/snapshots")
_COMPACT = (np.dtype("float32"), np.dtype("int32"))
#: A value for each pixel: which were for testing, which the seed decides and scores tell, and what abundances
#: summed to before they were divided by it.
_PIXELWISE = ("history/test", "history/sums")


def publish(records: Sequence[Record], folder: Path, maps: Collection[str]) -> int:
    """Copy records to ``folder/records``, one file each; the bytes written.

    Scores, endmembers and curves of every run (`published_form`); abundances, in 255 steps, of those with a
    key in `maps`. A record that is there already with the same outcome and the same maps stays as it is, to
    the byte.

    Raises
    ------
    OSError
        If one cannot be read or written; those before it are published.
    """
    folder = folder / "records"
    remove_leftovers(folder)
    written = 0
    for record in map(published_form, records):
        arrays = dict(record.arrays)
        kept = {name: arrays.pop(name) for name in _MAPS if name in arrays}
        if record.key not in maps:
            kept = {}
        if not _is_there(folder, replace(record, arrays={**arrays, **kept})):
            numbers = {name: arrays.pop(name) for name, a in list(arrays.items()) if a.dtype in _COMPACT}
            arrays |= {COMPACT: compacted(numbers)} if numbers else {}
            arrays |= {f"{name}_quantised": quantise(A) for name, A in kept.items()}
            written += write_record(folder, replace(record, arrays=arrays))
    return written


def published_form(record: Record) -> Record:
    """What is published of a record, abundances aside; one that was published before is as it is.

    Curves of more than 300 iterations are thinned to 150 at most, beside what decides over first passages
    (`hsu_lib.runs.curves.thinned`); these, what else is long, and endmembers have 12 significant bits. What
    can then no longer be computed is among the scores. Other values for each pixel are left out.
    """
    if record.origin not in ("", "local"):
        return record
    kept = thinned(record)
    kept_whole = (name for name in record.arrays if name not in _PIXELWISE and not is_long(record, name))
    arrays = {name: record.arrays[name] for name in kept_whole}
    arrays = {name: rounded(a) if _is_rounded(name, a) else a for name, a in arrays.items()}
    arrays |= {name: rounded(a) if name in record.arrays else a for name, a in kept.items()}
    return with_computed(record, arrays)


def _is_rounded(name: str, array: NDArray) -> bool:
    """Whether an array that is not thinned is published rounded: endmembers, and what is long."""
    long = array.ndim == 1 and array.size > LONG and array.dtype.kind == "f"
    return name == "E" or (long and not name.startswith("lowest"))


def _is_there(folder: Path, record: Record) -> bool:
    try:
        there = read_record(folder / f"{record.key}.npz", "")
    except FileNotFoundError:
        return False
    except DamagedRecord as damage:
        warnings.warn(f"damaged record, published again: {damage}", RuntimeWarning, stacklevel=3)
        return False
    return (
        _outcome(there) == _outcome(record)
        and set(there.arrays) == set(record.arrays)
        and all(_alike(name, there.arrays[name], record.arrays[name]) for name in record.arrays)
    )


def _outcome(record: Record) -> str:
    return to_json([record.scores, record.status, record.seconds, record.made])


def _alike(name: str, one: NDArray, other: NDArray) -> bool:
    if name in _MAPS:  # one of them in 255 steps
        return one.shape == other.shape and np.allclose(one, np.clip(other, 0, 1), rtol=0, atol=1 / 100)
    return np.array_equal(one, other, equal_nan=one.dtype.kind in "fc")


def off(published: NDArray, values: NDArray) -> NDArray[np.float64]:
    """How far values lie at least from those that were published, which may have been `rounded`."""
    one, other = (np.asarray(a, dtype=np.float64) for a in (published, values))
    half = np.ldexp(1.0, np.frexp(one)[1] - 13) if np.array_equal(rounded(one), one) else 0.0
    return np.maximum(np.abs(one - other) - np.where(one == 0, 0.0, half), 0.0)
