"""Stored numbers to reflectance: by what the file says, else by 10000 where that fits, else one asks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hsu_lib.errors import InputError, option

_BRIGHTEST = 2.0  # 99.9th percentile of reflectance is below it: snow and glint reach beyond one
_DARKEST = 0.002  # 99.9th percentile of deep water is above it
_TEN_THOUSAND = (2_000.0, 16_000.0)  # 99.9th percentiles of reflectance stored as a ten-thousandth
_FULL = (4095.0, 16383.0)  # largest counts of cameras of 12 and 14 bits


def divisor(
    path: Path,
    sample: NDArray,
    given: float | None,
    declared: float | None,
    said: str,
    *,
    highest: float = np.inf,
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
    highest
        Largest of all numbers: a camera's full count is no ten-thousandth.

    Raises
    ------
    InputError
        If `given` is no number above zero, or nothing says what the numbers are.
    """
    top = float(np.percentile(sample, 99.9))
    told = f"99.9 % of the numbers are at most {top:.6g}"
    scale = option("scale", python="NUMBER", command="NUMBER")
    if given is not None:
        if not (np.isfinite(given) and given > 0):
            raise InputError(f"{option('scale')}: expected a positive divisor, got {given:g}")
        return float(given), f"divided by {given:g}, as asked"
    if declared is not None:
        if not _DARKEST <= top / declared <= _BRIGHTEST:
            raise InputError(
                f"{path}: {said} is {declared:g}, but {told}, and the quotient {top / declared:.3g} is no "
                f"reflectance. Give {scale}, the number to divide by"
            )
        return declared, f"divided by {declared:g}, the {said}"
    if _DARKEST <= top <= _BRIGHTEST:
        return 1.0, f"taken as reflectance ({told})"
    if _TEN_THOUSAND[0] <= top <= _TEN_THOUSAND[1] and highest not in _FULL:
        return 10_000.0, f"divided by 10000, which is a guess: {told}"
    hint = "" if 1e-9 < top < 1e9 else " (or they are of another type or byte order than the file says)"
    raise InputError(
        f"{path}: {told}, which is no reflectance, and nothing says what it is to be divided by{hint}. Give "
        f"{scale}: the number that stands for a reflectance of one, such as 100 for percent; "
        f"{option('scale', 1)} takes the numbers as they are"
    )
