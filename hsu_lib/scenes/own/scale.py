"""Stored numbers to reflectance: by what the file says, else by 10000 where that fits, else one asks."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import shorten

import numpy as np
from numpy.typing import NDArray

from hsu_lib.errors import InputError, option
from hsu_lib.scenes.own.cube import Cube

_BRIGHTEST = 2.0  # 99.9th percentile of reflectance is below it: snow and glint reach beyond one
DARKEST = 0.002  # 99.9th percentile of deep water is above it
_TEN_THOUSAND = (2_000.0, 16_000.0)  # 99.9th percentiles of reflectance stored as a ten-thousandth
_FULL = (4095.0, 16383.0)  # largest counts of cameras of 12 and 14 bits
#: What the number of a reflectance of one may be, as an example for numbers up to it.
_USUAL = (
    *((100, "percent"), (255, "bytes"), (1000, "thousandths"), (4095, "12 bits")),
    *((10_000, "ten-thousandths"), (16383, "14 bits"), (65535, "16 bits")),
)


#: Watts with steradians, in whatever order and prefixes.
_WATTS = re.compile(r"w(att)?s?\b.*\bs(te)?r|\bs(te)?r.*w(att)?s?\b", re.I)
_RADIANCE = re.compile(r"\bradiances?\b", re.I)
_PERCENT = re.compile(r"%|\bper\s?cent(age)?\b", re.I)
_COUNT = re.compile(r"\b(dn|digital (numbers?|counts?)|(raw )?counts?)\b", re.I)


def is_radiance(quantity: str) -> bool:
    """Whether a file's words for what its numbers are mean radiance.

    Examples
    --------
    >>> is_radiance("W m-2 sr-1 nm-1"), is_radiance("radiance"), is_radiance("reflectance, of radiance")
    (True, True, False)
    """
    plain = quantity.replace("_", " ")
    return bool(_WATTS.search(plain) or (_RADIANCE.search(plain) and "reflectan" not in plain.lower()))


def is_reflectance(top: float) -> bool:
    """Whether a 99.9th percentile can be of reflectance."""
    return DARKEST <= top <= _BRIGHTEST


def is_percent(quantity: str) -> bool:
    """Whether they mean percent: ``"%"``, ``"Wavelength, Reflectance (%)"``."""
    return bool(_PERCENT.search(quantity))


def is_count(quantity: str) -> bool:
    """Whether they mean what a sensor counts: ``"DN"``."""
    return bool(_COUNT.search(quantity))


def divisor_of(
    path: Path, cube: Cube, sample: NDArray, given: float | None, notes: list[str], highest: float
) -> float:
    """What stands for a reflectance of one after the gains, where gains and a scale may contradict."""
    declared, gains = cube.scale, cube.gains
    applied = gains is not None or cube.offsets is not None
    if applied:
        notes.append(f"gains and offsets of {cube.said} applied")
    if gains is not None and declared is not None and declared != 1 and given is None:
        if not np.allclose(gains * declared, 1, rtol=1e-3):
            both = int(declared) if declared == int(declared) else declared
            raise InputError(
                f"{path}: {cube.said} has gains ({gains.min():g} to {gains.max():g}) and a reflectance "
                f"scale factor ({declared:g}): which one makes reflectance? Give {option('scale', 1)} for "
                f"the gains alone, {option('scale', both)} for both, or remove one from the header"
            )
        notes.append(f"reflectance scale factor {declared:g} says the same as the gains")
        declared = None
    elif declared is None and given is None and is_radiance(cube.quantity):
        raise InputError(
            f"{path}: {cube.said} says that its numbers are radiance, {shorten(cube.quantity, 60)!r}: "
            f"convert them to reflectance, or give {option('scale', 1)} to unmix them as they are"
        )
    said = f"reflectance scale factor of {cube.said}"
    percent = declared is None and is_percent(cube.quantity)
    if percent:
        declared, said = 100.0, f"percent of {cube.said}"
    number, note = divisor(
        path,
        sample,
        given,
        declared,
        said,
        darkest=0.01 if percent else DARKEST,  # of numbers up to one, percent may be a mere word
        highest=highest,
        full=cube.full,
        counts=is_count(cube.quantity),
        gains=gains,
        applied=cube.said if applied else "",
    )
    notes.append(note)
    return number


def divisor(
    path: Path,
    sample: NDArray,
    given: float | None,
    declared: float | None,
    said: str,
    *,
    darkest: float = DARKEST,
    highest: float = np.inf,
    full: float | None = None,
    counts: bool = False,
    gains: NDArray | None = None,
    applied: str = "",
) -> tuple[float, str]:
    """What the numbers are divided by to be reflectance, and a note.

    Parameters
    ----------
    path
        For messages.
    sample
        Numbers of pixels that count, gains and offsets applied.
    given
        Divisor that the user names; it is taken.
    declared
        Divisor that the file names; it is taken unless the result cannot be reflectance.
    said
        Where it names it.
    darkest
        99.9th percentile of reflectance that `declared` must lead to.
    highest
        Largest of all numbers: a camera's full count is no ten-thousandth.
    full
        Full count of the sensor that the file names; 10000 is then no guess.
    counts
        Whether the file says that the numbers are counts, which is no guess either.
    gains, applied
        Gains that the numbers were multiplied by, and where they, or offsets, are named; for messages.

    Raises
    ------
    InputError
        If `given` is no number above zero, or nothing says what the numbers are.
    """
    top = float(np.percentile(sample, 99.9))
    what = f"numbers, with the gains and offsets of {applied}," if applied else "numbers"
    told = f"99.9 % of the {what} are at most {top:.6g}"
    scale = option("scale", python="NUMBER", command="NUMBER")
    if given is not None:
        if not (np.isfinite(given) and given > 0):
            raise InputError(f"{option('scale')}: expected a positive divisor, got {given:g}")
        return float(given), f"divided by {given:g}, as asked"
    if declared is not None:
        if not darkest <= top / declared <= _BRIGHTEST:
            raise InputError(
                f"{path}: {said} is {declared:g}, but {told}, and the quotient {top / declared:.3g} is no "
                f"reflectance. Give {scale}, the number to divide by"
            )
        return declared, f"divided by {declared:g}, the {said}"
    if is_reflectance(top):
        return 1.0, f"taken as reflectance ({told})"
    ten_thousandths = highest not in _FULL and full in (None, 10_000) and not counts
    if ten_thousandths and _TEN_THOUSAND[0] <= top <= _TEN_THOUSAND[1]:
        return 10_000.0, f"divided by 10000, which is a guess: {told}"
    hint = "" if 1e-9 < top < 1e9 else " (or they are of another type or byte order than the file says)"
    example = next((f", such as {number} for {of}" for number, of in _USUAL if 1 < top <= number), "")
    if full is not None:
        example = f", such as {full:g}, the full count that the file names"
    gain = 1.0 if gains is None or np.ptp(gains) else float(gains[0])
    if gain > 1 and is_reflectance(top / gain**2):
        example = f", such as {gain**2:.10g}, if the gain {gain:g} is meant to divide by"
    raise InputError(
        f"{path}: {told}, which is no reflectance, and nothing says what it is to be divided by{hint}. Give "
        f"{scale}: the number that stands for a reflectance of one{example}; "
        f"{option('scale', 1)} takes the numbers as they are"
    )
