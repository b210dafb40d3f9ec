"""What of an image is used: bands, a window, pixels of a mask. The rest is not looked at."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsu_lib.errors import InputError, option
from hsu_lib.scenes.own.cube import Cube


@dataclass(frozen=True)
class Selection:
    """A part of an image.

    Parameters
    ----------
    bands, drop_bands
        Ranges such as ``"1-100,120-180"``, counted from 1 as files do: those that are used, and those that
        are not. ``"400-900nm"`` means wavelengths.
    crop
        ``(top, left, height, width)`` in pixels, counted from 0.
    mask
        File of a map in which 0 (or NaN) leaves a pixel out; of the size of the image, or of the window.
    """

    bands: str | None = None
    drop_bands: str | None = None
    crop: tuple[int, int, int, int] | None = None
    mask: Path | None = None


#: All of it.
WHOLE = Selection()


# --------------------------------------------------------------------------- bands


def bands_in(
    path: Path, selection: Selection, count: int, centres: Callable[[], NDArray | None]
) -> NDArray[np.bool_]:
    """Bands that a selection asks for, shape ``(count,)``; `centres` in nm are asked for where it has any."""
    chosen = np.ones(count, dtype=bool)
    for name, text in (("bands", selection.bands), ("drop_bands", selection.drop_bands)):
        if text is not None:
            nm = centres() if "nm" in text.lower() else None
            here = bands_of(text, count, nm, name)
            chosen &= here if name == "bands" else ~here
    if chosen.sum() < 2:
        raise InputError(
            f"{path}: {option('bands')} and {option('drop_bands')} leave {chosen.sum()} of its {count} "
            "bands; at least 2 are needed"
        )
    return chosen


def bands_of(text: str, count: int, centres: NDArray | None, name: str) -> NDArray[np.bool_]:
    """Bands in ranges, counted from 1, or in nm: True for each, shape ``(count,)``.

    Raises
    ------
    InputError
        If it is not of that form, or a band or wavelength is not there; `name` is that of the option.

    Examples
    --------
    >>> bands_of("1-2,4", 5, None, "bands")
    array([ True,  True, False,  True, False])
    """
    chosen = np.zeros(count, dtype=bool)
    for part in text.split(","):
        if not part.strip():
            if text.strip():
                continue
            raise InputError(f"{option(name)}: expected such as 1-100,120-180, got nothing")
        found = re.fullmatch(r"(\d+(?:\.\d+)?)(?:\s*[-:]\s*(\d+(?:\.\d+)?))?(?:\s*(nm))?", part.strip(), re.I)
        if found is None or ("." in part and not found[3]):
            raise InputError(
                f"{option(name)}: expected such as 1-100,120-180 or 400-900nm, got {part.strip()!r}"
            )
        low, high = float(found[1]), float(found[2] or found[1])
        if low > high:
            raise InputError(f"{option(name)}: {part.strip()} runs backwards, give {high:g}-{low:g}")
        if found[3]:
            if centres is None:
                raise InputError(f"{option(name)}: {part.strip()}: the image has no wavelengths; give bands")
            here = (centres >= low) & (centres <= high)
            if not here.any():
                raise InputError(
                    f"{option(name)}: no band from {low:g} to {high:g} nm; the image has "
                    f"{centres.min():g} to {centres.max():g} nm"
                )
        else:
            if low < 1 or high > count:
                raise InputError(
                    f"{option(name)}: {part.strip()} is not among the bands 1 to {count}, counted from 1"
                )
            here = np.zeros(count, dtype=bool)
            here[int(low) - 1 : int(high)] = True
        chosen |= here
    return chosen


def numbered(bands: NDArray[np.intp]) -> str:
    """Bands counted from 1, as files count them, in ranges.

    Examples
    --------
    >>> numbered(np.array([0, 1, 2, 6]))
    '1-3, 7'
    """
    runs = np.split(bands, np.flatnonzero(np.diff(bands) > 1) + 1)
    return ", ".join(f"{run[0] + 1}" if len(run) == 1 else f"{run[0] + 1}-{run[-1] + 1}" for run in runs)


# --------------------------------------------------------------------------- a window


def windowed(path: Path, cube: Cube, crop: tuple[int, int, int, int]) -> Cube:
    """Window of an image, with all that the file has of its pixels.

    Raises
    ------
    InputError
        If it does not lie in the image.
    """
    top, left, height, width = crop
    rows, columns = cube.values.shape[1:]
    if min(top, left) < 0 or min(height, width) < 1 or top + height > rows or left + width > columns:
        raise InputError(
            f"{path}: {option('crop')}: {height} x {width} pixels at row {top}, column {left} do not lie in "
            f"it ({rows} x {columns}, height x width, counted from 0)"
        )
    window = (slice(top, top + height), slice(left, left + width))
    companions = dict(cube.companions)
    if companions.get("A") is not None:
        companions["A"] = companions["A"][:, *window]
    return replace(
        cube,
        values=cube.values[:, *window],
        mask=None if cube.mask is None else cube.mask[window],
        companions=companions,
        georeference=moved(cube.georeference, top, left),
        notes=(*cube.notes, f"window of {height} x {width} pixels at row {top}, column {left}, as asked"),
    )


def moved(georeference: Mapping[str, Any] | None, top: int, left: int) -> dict[str, Any] | None:
    """Georeference of a window from a row and a column on: transform and ENVI's tie point move along."""
    if georeference is None:
        return None
    gone = ("geo points", "x start", "y start")  # of the whole image, in its own pixels
    found = {key: value for key, value in georeference.items() if key not in gone}
    if "transform" in found:
        a, b, c, d, e, f = found["transform"]
        found["transform"] = (a, b, a * left + b * top + c, d, e, d * left + e * top + f)
    parts = [part.strip() for part in str(found.get("map info", "")).split(",")]
    if len(parts) > 2:
        try:
            tie = float(parts[1]) - left, float(parts[2]) - top
        except ValueError:
            del found["map info"]
        else:
            found["map info"] = ", ".join([parts[0], *(f"{value:.10g}" for value in tie), *parts[3:]])
    return found
