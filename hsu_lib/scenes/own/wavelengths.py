"""Band centres in nm, whatever unit a file has them in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hsu_lib.errors import InputError, brief

_LIGHT = 299_792_458.0  # m/s, so that GHz go over into nm


def _times(factor: float) -> Callable[[NDArray], NDArray]:
    return lambda values: values * factor


def _over(factor: float) -> Callable[[NDArray], NDArray]:
    return lambda values: factor / values


_NM, _UM = ("nm", "nanometer", "nanometre"), ("um", "micrometer", "micrometre", "micron", "mum")
#: Spellings in singular, small letters and without blanks, and how such numbers become nm.
_UNITS: tuple[tuple[tuple[str, ...], Callable[[NDArray], NDArray]], ...] = (
    (_NM, _times(1)),
    (_UM, _times(1e3)),
    (("mm", "millimeter", "millimetre"), _times(1e6)),
    (("cm", "centimeter", "centimetre"), _times(1e7)),
    (("m", "meter", "metre"), _times(1e9)),
    (("a", "å", "angstrom", "ångström", "ångstrom", "angström"), _times(0.1)),
    (("wavenumber", "cm-1", "cm^-1", "cm⁻¹", "1/cm", "percm", "wavenumber(cm-1)"), _over(1e7)),
    (("hz", "hertz"), _over(_LIGHT * 1e9)),
    (("mhz", "megahertz"), _over(_LIGHT * 1e3)),
    (("ghz", "gigahertz"), _over(_LIGHT)),
    (("thz", "terahertz"), _over(_LIGHT * 1e-3)),
)
_OPTICAL = frozenset(spelling for spellings, _ in (*_UNITS[:2], _UNITS[5]) for spelling in spellings)
_INDEX = ("index", "band", "bandindex", "bandnumber", "number", "channel")
_INDEXED = "its wavelengths are the numbers of its bands"
_UNSAID = ("", "unknown", "none", "na", "n/a", "undefined", "unitles", "1")


def in_nm(
    path: Path, values: ArrayLike, unit: str | None, bands: NDArray[np.intp] | None = None
) -> tuple[NDArray[np.float64] | None, str]:
    """Wavelengths in nm, and a note; None where they are numbers of bands or in no known unit.

    A declared unit in which no band of an optical sensor can be (Nanometers from 0.4 to 2.5) gives way to
    the one that fits, and the note says so.

    Parameters
    ----------
    path
        For messages.
    values, unit
        Of all bands of the file, shape ``(all bands,)``.
    bands
        Those that are asked for, counted from 0; None for all. What the others have is not looked at.

    Raises
    ------
    InputError
        If a value that is asked for is no number above zero.
    """
    try:
        numbers = np.asarray(values, dtype=np.float64).ravel()
    except (TypeError, ValueError) as error:
        raise InputError(f"{path}: wavelengths: {brief(error)}; correct or remove them") from error
    if not numbers.any():
        return None, "its wavelengths are all 0: bands are numbered"
    index = _is_index(numbers)
    bands = np.arange(len(numbers)) if bands is None else bands
    numbers = numbers[bands]
    wrong = ~(np.isfinite(numbers) & (numbers > 0))
    if wrong.any():
        if index:
            return None, _INDEXED
        first = int(wrong.argmax())
        raise InputError(
            f"{path}: wavelength of band {bands[first] + 1} is {numbers[first]:g}, expected a number above "
            "zero; correct or remove the wavelengths"
        )
    if len(numbers) > 1 and np.ptp(numbers) == 0:
        return None, f"its wavelengths are all {numbers[0]:g}: bands are numbered"
    said = (unit or "").strip()
    plain = _plain(said)
    if plain in _INDEX:
        return None, _INDEXED
    if plain in _UNSAID:
        return (None, _INDEXED) if index else _guessed(numbers, "of unnamed unit")
    for spellings, convert in _UNITS:
        if plain in spellings:
            nm = convert(numbers)
            most = 1e5 if plain in _OPTICAL else 1e9
            if nm.min() >= 100 and nm.max() <= most:
                return nm, f"wavelengths from {nm.min():.6g} to {nm.max():.6g} nm (in the file: {said})"
            return (None, _INDEXED) if index else _guessed(numbers, f"cannot be in {said}")
    return None, f"wavelengths are in an unknown unit, {said!r}: bands are numbered"


def _plain(unit: str) -> str:
    text = unit.casefold().replace("µ", "u").replace("μ", "u").replace("â", "").replace("(nm)", "")
    return "".join(text.split()).strip("[](){}.'\"").removesuffix("s")


def _is_index(numbers: NDArray) -> bool:
    first = numbers[0] if len(numbers) else 0
    return first in (0, 1) and bool((numbers == first + np.arange(len(numbers))).all())


def _guessed(numbers: NDArray, why: str) -> tuple[NDArray[np.float64] | None, str]:
    """Wavelengths by their size alone: only nm and micrometres of reflected light cannot be mistaken."""
    low, high = numbers.min(), numbers.max()
    span = f"wavelengths from {low:g} to {high:g} {why}"
    if low >= 200 and high <= 3000:
        return numbers, f"{span}: taken as nm"
    if low >= 0.2 and high <= 30:
        return numbers * 1000, f"{span}: taken as micrometres"
    return None, f"{span}: bands are numbered"
