"""The border check, the same for every format: a file's `Cube` becomes an `OwnImage`, or is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from textwrap import shorten
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsu_lib.errors import InputError, option
from hsu_lib.scenes.own.cube import Cube, row_blocks
from hsu_lib.scenes.own.fill import (
    BORDER,
    Survey,
    Suspect,
    holding,
    is_sentinel,
    measured,
    refuse,
    survey,
    suspects,
)
from hsu_lib.scenes.own.opened import OwnImage
from hsu_lib.scenes.own.scale import DARKEST, divisor, is_count, is_percent, is_radiance
from hsu_lib.scenes.own.units import in_reflectance
from hsu_lib.scenes.own.wavelengths import in_nm

#: Stored numbers that are no data: one, several, or ``"none"``, whatever the file says; None: what it says.
#: ``"border"`` among them: pixels along the edge, and others, of one and the same spectrum.
NoData = float | str | Sequence[float | str] | None

_LOWEST = -0.5  # reflectance that no correction of the atmosphere leaves in most bands of a pixel
_SAMPLE = 4_000_000  # numbers of which percentiles are taken; of smaller images all are


def checked(path: Path, cube: Cube, *, nodata: NoData = None, scale: float | None = None) -> OwnImage:
    """A file's image with every decision made: bands, mask, gains, scale, wavelengths.

    Parameters
    ----------
    path
        For messages and the name.
    cube
        What the file holds and says.
    nodata
        See `NoData`.
    scale
        Divisor to reflectance, after gains; None leaves it to the file.

    Raises
    ------
    InputError
        If it cannot be an image of reflected light, or what it says is contradictory or in doubt.
    """
    _check_shapes(path, cube)
    notes = list(cube.notes)
    fill, said = _fill(cube, nodata)
    found = survey(cube.values, _good(path, cube, notes), fill)
    found, outside = _with_mask(path, cube, found)
    notes += outside
    _check_content(path, cube, found, fill)
    if said != {"none"}:
        found = _without_flat(path, found, notes)
    overridden = [value for value in cube.fill if np.isfinite(value) and value not in fill]
    notes += [
        f"{value:g}, which the file declares to be no data, in {pixels} pixels taken as measured, as asked"
        for value in overridden
        if (pixels := holding(cube.values, found, value))
    ]
    listed = [] if said == {"none"} else suspects(cube.values, found)
    if BORDER in said:
        found, listed = _without_border(path, found, listed, notes)
    if not said:
        refuse(path, listed, cube.fill, found.mask.size)
    listed = [suspect for suspect in listed if suspect.value not in overridden]
    notes += _of_fill(found, fill)
    notes += [f"{suspect} pixels taken as measured" for suspect in listed]
    image = OwnImage(
        path=path,
        values=cube.values,
        kept=found.bands,
        mask=None if found.mask.all() else found.mask,
        gains=cube.gains,
        offsets=cube.offsets,
        georeference=cube.georeference,
        fill=fill,
        suspects=tuple(listed),
    )
    sample = image.sample(_SAMPLE)
    number = _divisor(path, cube, sample, scale, notes, float(found.high.max()))
    _check_lowest(path, replace(image, divisor=number), found, said, cube.fill, notes)
    image = replace(image, divisor=number, wavelengths=_wavelengths(path, cube, found.bands, notes))
    companions = _companions(path, cube, image, sample / number, notes)
    return replace(image, companions=companions, notes=tuple(notes))


def _check_shapes(path: Path, cube: Cube) -> None:
    values = cube.values
    if values.dtype.kind not in "iuf":
        raise InputError(f"{path}: its numbers are {values.dtype}, expected integers or real numbers")
    if values.ndim != 3 or len(values) < 2 or values.size == 0:
        raise InputError(f"{path}: an image of (bands, height, width) = {values.shape} cannot be unmixed")
    for name, held in (("gains", cube.gains), ("offsets", cube.offsets), ("good bands", cube.good)):
        if held is not None and held.shape != (len(values),):
            raise InputError(f"{path}: {cube.said}: {held.size} {name} for {len(values)} bands")
    if cube.gains is not None and not (np.isfinite(cube.gains) & (cube.gains > 0)).all():
        band = int((~(np.isfinite(cube.gains) & (cube.gains > 0))).argmax())
        raise InputError(
            f"{path}: {cube.said}: gain of band {band + 1} is {cube.gains[band]:g}, expected a number above "
            "zero; correct or remove the gains"
        )
    if cube.offsets is not None and not np.isfinite(cube.offsets).all():
        raise InputError(f"{path}: {cube.said}: an offset is not finite; correct or remove the offsets")


def _good(path: Path, cube: Cube, notes: list[str]) -> NDArray[np.intp]:
    """Bands that the file does not call bad."""
    if cube.good is None:
        return np.arange(len(cube.values))
    bands, bad = np.flatnonzero(cube.good), np.flatnonzero(~cube.good)
    if len(bands) < 2:
        raise InputError(f"{path}: {cube.said} calls {len(bands)} of {len(cube.good)} bands good, too few")
    if len(bad):
        notes.append(f"{len(bad)} bands left out that the file calls bad: {numbered(bad)}")
    return bands


def _fill(cube: Cube, nodata: NoData) -> tuple[tuple[float, ...], set[str]]:
    """Fill values in force, and the words of the user, any of which settle all doubt."""
    if nodata is None or (isinstance(nodata, tuple) and not nodata):
        return cube.fill, set()
    given = " ".join(str(word) for word in np.ravel(np.array(nodata, dtype=object)))
    words = given.replace(",", " ").lower().split()
    if words == ["none"]:
        return (), {"none"}
    try:
        if not words:
            raise ValueError
        numbers = tuple(float(word) for word in words if word != BORDER)
        return numbers or cube.fill, set(words)
    except ValueError:
        raise InputError(f"{option('nodata')}: expected a number, several, or none, got {given!r}") from None


def _without_border(
    path: Path, found: Survey, listed: list[Suspect], notes: list[str]
) -> tuple[Survey, list[Suspect]]:
    """Survey without the pixels of a border of one and the same spectrum, as asked, and other suspects."""
    border = next((suspect for suspect in listed if suspect.value is None), None)
    if border is None:
        notes.append("no border of one and the same spectrum")
        return found, listed
    mask = found.mask & ~border.where
    if not mask.any():
        raise InputError(f"{path}: {option('nodata', BORDER)} leaves no pixel")
    notes.append(f"{border} of {mask.size} pixels left out as a border, as asked")
    return replace(found, mask=mask), [suspect for suspect in listed if suspect is not border]


def _with_mask(path: Path, cube: Cube, found: Survey) -> tuple[Survey, list[str]]:
    """Survey with the file's own mask, and a note."""
    if cube.mask is None or cube.mask.all():
        return found, []
    if not cube.mask.any():
        raise InputError(f"{path}: its mask leaves no pixel")
    note = f"{int((~cube.mask).sum())} of {cube.mask.size} pixels are outside the mask of the file"
    return replace(found, mask=found.mask & cube.mask), [note]


def _check_content(path: Path, cube: Cube, found: Survey, fill: tuple[float, ...]) -> None:
    what = _named(fill)
    if len(found.bands) < 2:
        raise InputError(
            f"{path}: {len(found.empty)} of {len(found.empty) + len(found.bands)} bands hold no data "
            f"({what}) in any pixel, so there is no image in it"
        )
    if not found.mask.any():
        doubtful = [value for value in fill if value not in cube.fill]
        settled = measured(cube.fill if doubtful else ())
        numbers = _named(doubtful or fill).removeprefix("NaN or ")
        ask = f", or give {settled} if {numbers} was measured" if numbers != "NaN" else ""
        raise InputError(
            f"{path}: every pixel lacks data ({what}) in some band. Leave out the bands that do{ask}"
        )
    high = found.high if cube.gains is None else found.high * cube.gains[found.bands]
    high = high if cube.offsets is None else high + cube.offsets[found.bands]
    if high.max() <= 0:
        raise InputError(f"{path}: no value above zero, so this is no image of reflected light")


def _without_flat(path: Path, found: Survey, notes: list[str]) -> Survey:
    """Survey without bands in which every pixel holds one fill-like constant, which needs no asking."""
    flat = (found.low == found.high) & np.array([value == 0 or is_sentinel(value) for value in found.low])
    if not flat.any():
        return found
    if (~flat).sum() < 2:
        raise InputError(f"{path}: {flat.sum()} of {len(flat)} bands hold one constant: no image in it")
    for value in np.unique(found.low[flat]):
        bands = found.bands[flat & (found.low == value)]
        notes.append(f"{len(bands)} bands left out that hold {value:g} in every pixel: {numbered(bands)}")
    return replace(found, bands=found.bands[~flat], low=found.low[~flat], high=found.high[~flat])


def _of_fill(found: Survey, fill: tuple[float, ...]) -> list[str]:
    """What was left out for want of data, in words."""
    notes, what = [], _named(fill)
    if len(found.empty):
        notes.append(f"{len(found.empty)} bands left out without data ({what}): {numbered(found.empty)}")
    masked = int((~found.mask).sum())
    if masked:
        partly = f", {found.partly} of them in some bands only" if found.partly else ""
        notes.append(f"{masked} of {found.mask.size} pixels masked, without data ({what}){partly}")
    return notes


def _named(fill: Sequence[float]) -> str:
    return " or ".join(["NaN", *(f"{value:g}" for value in fill if not np.isnan(value))])


def _divisor(
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


def _check_lowest(
    path: Path,
    image: OwnImage,
    found: Survey,
    said: set[str],
    declared: tuple[float, ...],
    notes: list[str],
) -> None:
    """Refuse pixels far below zero in most bands, as where data were mixed with fill by resampling."""
    low = found.low if image.gains is None else found.low * image.gains[image.kept]
    low = (low if image.offsets is None else low + image.offsets[image.kept]) / image.divisor
    if 2 * (low < _LOWEST).sum() <= image.bands:
        return
    below, lowest = 0, 0.0
    for rows in row_blocks(image.values, image.bands):
        block = image.physical(rows) / image.divisor
        here = 2 * (block < _LOWEST).sum(axis=0) > image.bands
        here &= True if image.mask is None else image.mask[rows]
        below += int(here.sum())
        lowest = min(lowest, block[:, here].min(initial=0))
    if not below:
        return
    told = f"reflectance as low as {lowest:.4g} in most bands of {below} of {found.mask.size} pixels"
    if said == {"none"}:
        notes.append(f"{told} taken as measured")
        return
    way = f", or give {measured(())} if they were measured" if not any(map(np.isfinite, declared)) else ""
    raise InputError(
        f"{path}: {told}: a border that was mixed with a fill value by resampling? Make them NaN, leave "
        f"them out with {option('mask', python='FILE', command='FILE')}, resample by nearest neighbour{way}"
    )


def _wavelengths(path: Path, cube: Cube, bands: NDArray[np.intp], notes: list[str]) -> NDArray | None:
    if cube.wavelengths is None:
        return None
    if np.size(cube.wavelengths) != len(cube.values):
        raise InputError(
            f"{path}: {np.size(cube.wavelengths)} wavelengths for {len(cube.values)} bands; correct or "
            "remove them"
        )
    nm, note = in_nm(path, cube.wavelengths, cube.unit)
    notes.append(note)
    return None if nm is None else nm[bands]


def _companions(path: Path, cube: Cube, image: OwnImage, sample: NDArray, notes: list[str]) -> dict[str, Any]:
    """Reference of the file, its endmembers in reflectance and in the bands that are kept."""
    held = dict(cube.companions)
    if held.get("E") is not None:
        E = np.asarray(held["E"], dtype=np.float64)
        if E.ndim == 2 and len(E) == len(cube.values):
            E, note = in_reflectance(path, E[image.kept], sample, image.divisor)
            notes += [note] if note else []
        held["E"] = E  # of another shape: `Scene` says so
    return held


def numbered(bands: NDArray[np.intp]) -> str:
    """Bands counted from 1, as files count them, in ranges.

    Examples
    --------
    >>> numbered(np.array([0, 1, 2, 6]))
    '1-3, 7'
    """
    runs = np.split(bands, np.flatnonzero(np.diff(bands) > 1) + 1)
    return ", ".join(f"{run[0] + 1}" if len(run) == 1 else f"{run[0] + 1}-{run[-1] + 1}" for run in runs)
