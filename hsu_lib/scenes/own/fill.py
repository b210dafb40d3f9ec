"""Fill values: declared ones become a mask, suspects are refused with the option that settles it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hsu_lib.errors import InputError, option
from hsu_lib.scenes.own.cube import row_blocks
from hsu_lib.scenes.own.reading import NoData

#: Numbers that no instrument measures: one of them, in any band of any pixel, is suspect.
_SENTINELS = (-9999.0, -99999.0, -32768.0, -32767.0, -999.0, -9998.0, -2147483648.0, 2147483647.0)
_ABSURD = 1e19  # beyond it are the fill values of float files: 1e20, 9.97e36, the largest float
_FAR = 1000.0  # times the 95th percentile of all numbers, which neither glint nor a cloud reaches
_ZEROS = 10  # bands from which a pixel that is 0 in all of them was not measured
#: Share of the pixels, or of those along the edge, that are suspect at one extreme constant.
_SHARE = 0.01
#: Word for the pixels of a border that hold one and the same spectrum.
BORDER = "border"


def asked_fill(declared: tuple[float, ...], nodata: NoData) -> tuple[tuple[float, ...], set[str]]:
    """Fill values in force, of those declared and what the user says; and his words, which settle all doubt.

    Raises
    ------
    InputError
        If a word is no number, none or border.
    """
    if nodata is None or (isinstance(nodata, tuple) and not nodata):
        return declared, set()
    given = " ".join(str(word) for word in np.ravel(np.array(nodata, dtype=object)))
    words = given.replace(",", " ").lower().split()
    if words == ["none"]:
        return (), {"none"}
    try:
        if not words:
            raise ValueError
        numbers = tuple(float(word) for word in words if word != BORDER)
        return numbers or declared, set(words)
    except ValueError:
        raise InputError(f"{option('nodata')}: expected a number, several, or none, got {given!r}") from None


@dataclass(frozen=True, eq=False)
class Survey:
    """What a look at every stored number found.

    Parameters
    ----------
    bands
        Which bands hold data, counted from 0.
    empty
        Which do not: fill in every pixel.
    counts
        True where a pixel was looked at, shape ``(height, width)``.
    mask
        True where such a pixel has a value in all of `bands`.
    partly
        How many of the others have one in some of them.
    low, high
        Smallest and largest number of each of `bands` that is no fill.
    """

    bands: NDArray[np.intp]
    empty: NDArray[np.intp]
    counts: NDArray[np.bool_]
    mask: NDArray[np.bool_]
    partly: int
    low: NDArray
    high: NDArray


@np.errstate(invalid="ignore")  # of signalling NaN
def survey(
    values: NDArray,
    bands: NDArray[np.intp],
    fill: Sequence[float],
    counts: NDArray[np.bool_] | None = None,
) -> Survey:
    """Look at the stored numbers, shape ``(all bands, height, width)``, of some bands, a block at a time.

    Where `counts` ``(height, width)`` is False, they may be anything.
    """
    _, height, width = values.shape
    counts = np.ones((height, width), dtype=bool) if counts is None else counts
    missing = np.zeros((height, width), dtype=np.int64)  # bands without a value, of each pixel
    per_band = np.zeros(len(bands), dtype=np.int64)
    low, high = np.full(len(bands), np.inf), np.full(len(bands), -np.inf)
    for rows in row_blocks(values, len(bands)):
        block = np.asarray(values[bands, rows])
        absent, inside = is_fill(block, fill), counts[rows]
        if absent.any() or not inside.all():
            missing[rows] = absent.sum(axis=0)
            per_band += (absent & inside).sum(axis=(1, 2))
            there = ~absent & inside
            below = np.where(there, block, np.inf).min(axis=(1, 2))
            above = np.where(there, block, -np.inf).max(axis=(1, 2))
        else:
            below, above = block.min(axis=(1, 2)), block.max(axis=(1, 2))
        low, high = np.minimum(low, below), np.maximum(high, above)
    empty = per_band == counts.sum()
    missing -= int(empty.sum())
    partly = int((counts & (missing > 0) & (missing < len(bands) - empty.sum())).sum())
    mask = counts & (missing == 0)
    return Survey(bands[~empty], bands[empty], counts, mask, partly, low[~empty], high[~empty])


def is_fill(block: NDArray, fill: Sequence[float]) -> NDArray[np.bool_]:
    """True where a stored number is no data: not finite, or a fill value in the precision of the file."""
    absent = ~np.isfinite(block) if block.dtype.kind == "f" else np.zeros(block.shape, dtype=bool)
    for value in fill:
        absent |= _equal(block, value)
    return absent


def _equal(block: NDArray, value: float) -> NDArray[np.bool_]:
    """Where stored numbers are one value, in the precision of the file."""
    if block.dtype.kind == "f":
        with np.errstate(over="ignore"):
            value = block.dtype.type(value)
            if abs(value) > _ABSURD:  # headers have the largest float with few digits
                return np.isclose(block, value, rtol=1e-3, atol=0)
            return block == value
    limits = np.iinfo(block.dtype)
    if value != np.trunc(value) or not limits.min <= value <= limits.max:
        return np.zeros(block.shape, dtype=bool)
    return block == block.dtype.type(int(value))


def is_sentinel(value: float) -> bool:
    """Whether no instrument measures such a number."""
    return value in _SENTINELS or abs(value) > _ABSURD


@dataclass(frozen=True, eq=False)
class Suspect:
    """Pixels that may be fill.

    Parameters
    ----------
    value
        Their constant, as stored; None where they hold a constant in each band, one and the same spectrum.
    where
        True where a pixel holds it in half of the bands or more; a sentinel, in any band; a spectrum, in all.
        Shape ``(height, width)``.
    """

    value: float | None
    where: NDArray[np.bool_]

    @property
    def pixels(self) -> int:
        """How many they are."""
        return int(self.where.sum())

    def __str__(self) -> str:
        return f"{'one and the same spectrum' if self.value is None else f'{self.value:g}'} in {self.pixels}"


@np.errstate(invalid="ignore")
def suspects(values: NDArray, found: Survey) -> list[Suspect]:
    """Undeclared constants that look like fill, the most frequent first.

    A sentinel such as -9999 anywhere, and the smallest or largest number if it is far from all others; the
    same, or 0, where more than a percent of the pixels, or of those along the edge, have it in half of their
    bands or more; pixels that are 0 in all of ten bands or more. Last, as of a fill value that
    a calibration made another number in each band, a spectrum that more than a percent of the edge has, if
    the image is not one, such as a computed one, in which others are repeated side by side too.
    """
    low, high = found.low.min(), found.high.max()
    candidates = {float(low), float(high), 0.0, 65535.0, *_SENTINELS}
    inside = [value for value in candidates if low <= value <= high]
    _, height, width = values.shape
    counts = {value: np.zeros((height, width), dtype=np.int32) for value in inside}
    right, below = np.zeros((2, height, width), dtype=bool)  # whether that neighbour is the same
    for rows in row_blocks(values, len(found.bands)):
        block = np.asarray(values[found.bands, rows])
        for value, count in counts.items():
            count[rows] = _equal(block, value).sum(axis=0, dtype=np.int32)
        right[rows, :-1] = (block[:, :, 1:] == block[:, :, :-1]).all(axis=0)
        below[rows][:-1] = (block[:, 1:] == block[:, :-1]).all(axis=0)
    edge = np.ones((height, width), dtype=bool)
    edge[1:-1, 1:-1] = False
    edge &= found.mask
    number = len(found.bands)
    many = max(-(-number // 2), min(number, 3))
    listed, covered, far = [], ~found.mask, _FAR * _usual(values, found)
    for value, count in counts.items():
        sentinel = is_sentinel(value) or 0 < far < abs(value)
        flat = (count >= (1 if sentinel else many)) & found.mask
        pixels = int(flat.sum())
        inner = pixels >= max(2, _SHARE * found.mask.sum())
        if value == 0 and number >= _ZEROS and not (inner or _at_border(flat, edge)):
            flat &= count == number
            pixels, inner = int(flat.sum()), True
        if pixels and (sentinel or inner or _at_border(flat, edge)):
            listed.append(Suspect(value, flat))
            covered |= flat
    listed.sort(key=lambda suspect: -suspect.pixels)
    at_edge = np.argwhere((right | below) & edge & ~covered)
    if not len(at_edge):
        return listed
    flat = _of_one_spectrum(values, found, at_edge) & ~covered
    others = (right & below & ~covered & ~flat).sum()
    alone = others <= _SHARE * flat.sum() and _at_border(flat, edge)
    return [*listed, *([Suspect(None, flat)] if alone else [])]


def _usual(values: NDArray, found: Survey) -> float:
    """Size that most numbers of some pixels do not exceed."""
    places = np.flatnonzero(found.mask)
    if not len(places):
        return 0.0
    rows, columns = np.divmod(places[:: max(1, len(places) // 2000)], found.mask.shape[1])
    held = np.asarray(values[found.bands[:, None], rows, columns], dtype=np.float64)
    return float(np.percentile(np.abs(held), 95))


def _of_one_spectrum(values: NDArray, found: Survey, places: NDArray[np.intp]) -> NDArray[np.bool_]:
    """True where pixels have the spectrum that is the commonest among some."""
    rows, columns = places[:: max(1, len(places) // 1000)].T
    held = np.asarray(values[found.bands[:, None], rows, columns])
    spectra, counts = np.unique(held, axis=1, return_counts=True)
    commonest = spectra[:, counts.argmax(), None, None]
    same = np.zeros(values.shape[1:], dtype=bool)
    for part in row_blocks(values, len(found.bands)):
        same[part] = (np.asarray(values[found.bands, part]) == commonest).all(axis=0)
    return same


def _at_border(flat: NDArray[np.bool_], edge: NDArray[np.bool_]) -> bool:
    return int((flat & edge).sum()) >= max(3, _SHARE * edge.sum())


def holding(values: NDArray, found: Survey, value: float) -> int:
    """How many pixels that count hold a number in any band."""
    return sum(
        int((_equal(np.asarray(values[found.bands, rows]), value).any(axis=0) & found.mask[rows]).sum())
        for rows in row_blocks(values, len(found.bands))
    )


def refuse(path: Path, listed: Sequence[Suspect], declared: Sequence[float], pixels: int) -> None:
    """Say which pixels may be fill, if any, and how to settle it; what is declared to be fill stays it."""
    if not listed:
        return
    held = " and ".join(f"{suspect} of {pixels} pixels" for suspect in listed)
    words = [BORDER if suspect.value is None else _short(suspect.value) for suspect in listed]
    raise InputError(
        f"{path}: holds {held}: no data that it does not declare? Give {_nodata(declared, words)} to leave "
        f"these pixels out, or {measured(declared)} if they were measured"
    )


def measured(declared: Sequence[float]) -> str:
    """The option by which all numbers but those that the file declares to be no data are measured."""
    return _nodata(declared, []) if any(map(np.isfinite, declared)) else option("nodata", "none")


def _nodata(declared: Sequence[float], words: Sequence[float | str]) -> str:
    words = [*(_short(value) for value in declared if np.isfinite(value)), *words]
    return option("nodata", words[0] if len(words) == 1 else ",".join(map(str, words)))


def _short(value: float) -> float | int:
    """The same number with the fewest digits: a whole one, or a float32 as people write it."""
    if value == int(value) and abs(value) < 1e15:
        return int(value)
    with np.errstate(over="ignore"):
        few = float(f"{value:.7g}")
        return few if np.float32(few) == np.float32(value) == value else value
