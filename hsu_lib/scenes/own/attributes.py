"""What attributes of an array, or numbers and vectors beside it, say of it: fill, scale, bad bands."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsu_lib.errors import InputError
from hsu_lib.scenes.own.fill import is_fill

#: Names of fill values, of divisors and offsets, and of vectors of good bands, as `plain` has them.
_FILL = ("fillvalue", "missingvalue", "dataignorevalue", "nodata", "nodatavalue")
_SCALE, _OFFSET = ("scalefactor", "reflectancescalefactor"), "addoffset"
_GOOD = ("bbl", "goodbands", "goodwavelengths")
#: Those of single numbers that are the image's, whatever else lies in its file.
SCALARS = frozenset((*_FILL, *_SCALE, _OFFSET))


def plain(name: str) -> str:
    """A name in small letters without blanks, lines and what it stands in."""
    return re.sub(r"[\s_-]+", "", str(name).rpartition(".")[2].lower())


def linear(attributes: Mapping[str, Any], bands: int) -> dict[str, Any]:
    """Fill values, gains, offsets, scale and unit of a variable's attributes, as arguments of `Cube`.

    Names are those of the conventions of NetCDF, in any spelling, ``scale_factor`` to multiply by among
    them. In another spelling, or as a reflectance scale factor, it is a divisor above one, as NEON means it.

    Raises
    ------
    InputError
        If gains or offsets are neither one nor one per band.
    """
    told = {plain(key): value for key, value in attributes.items()}
    found: dict[str, Any] = {}
    fill = [value for name in _FILL for value in _numbers(told.get(name))]
    if fill:
        found["fill"] = tuple(dict.fromkeys(fill))
    gains, offsets = _numbers(attributes.get("scale_factor")), _numbers(told.get(_OFFSET))
    other = [] if gains else [value for name in _SCALE for value in _numbers(told.get(name))]
    if other and 0 < other[0] < 1:
        gains = other
    elif other and other[0] > 1:
        found["scale"] = other[0]
    for name, listed in (("scale_factor", gains), ("add_offset", offsets)):
        if len(listed) not in (0, 1, bands):
            raise InputError(
                f"attribute {name} has {len(listed)} values for {bands} bands; correct or remove it"
            )
    if any(gain != 1 for gain in gains) or any(offsets):
        found["gains"] = np.broadcast_to(np.array(gains or [1.0]), (bands,)).copy()
        found["offsets"] = np.broadcast_to(np.array(offsets or [0.0]), (bands,)).copy()
    unit, name, about = (text(told.get(key)) for key in ("units", "standardname", "longname"))
    return {**found, "quantity": ", ".join(filter(None, (unit or about, name)))}


def _numbers(value: Any) -> list[float]:
    """Numbers of an attribute; none where it is missing or a text that is none."""
    if value is None:
        return []
    try:
        return [float(number) for number in np.ravel(value)]
    except (TypeError, ValueError):
        return []


def text(value: Any) -> str:
    """Text of an attribute, "" where it is missing."""
    return (value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value or "")).strip()


def good_of(variables: Mapping[str, NDArray], bands: int) -> NDArray[np.bool_] | None:
    """Which bands a vector of zeros and ones beside the image calls good, shape ``(bands,)``; or None."""
    for key, values in variables.items():
        if plain(key) in _GOOD and values.size == bands and values.dtype.kind in "biuf":
            flags = values.ravel()
            if np.isin(flags, (0, 1)).all():
                return flags > 0
    return None


def valid_in(
    values: NDArray, attributes: Mapping[str, Any], fill: Sequence[float]
) -> tuple[NDArray[np.bool_] | None, tuple[str, ...]]:
    """False where most bands of a pixel are outside the valid range of the attributes; and a note of others.

    Parameters
    ----------
    values
        Stored numbers, shape ``(bands, height, width)``.
    attributes
        ``valid_range``, ``valid_min`` and ``valid_max`` among them, in the unit of the stored numbers.
    fill
        Numbers that are no data anyway.
    """
    told = {plain(key): value for key, value in attributes.items()}
    ends = _numbers(told.get("validrange"))
    low, high = ends if len(ends) == 2 else (-np.inf, np.inf)
    low = max([low, *_numbers(told.get("validmin"))])
    high = min([high, *_numbers(told.get("validmax"))])
    if not low < high or (np.isinf(low) and np.isinf(high)):
        return None, ()
    outside = np.zeros(values.shape[1:], dtype=np.int64)
    for band in values:
        with np.errstate(invalid="ignore"):
            outside += ((band < low) | (band > high)) & ~is_fill(band, fill)
    mask, said = 2 * outside <= len(values), f"the valid range of the file, {low:g} to {high:g},"
    if not mask.any():
        return None, (f"{said} is not of the numbers that it holds and is left aside",)
    some = int(((outside > 0) & mask).sum())
    note = f"{said} leaves out numbers of {some} more pixels in some bands, which were taken as measured"
    return None if mask.all() else mask, (note,) if some else ()
