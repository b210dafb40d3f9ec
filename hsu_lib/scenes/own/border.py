"""The border check, the same for every format: a file's `Cube` becomes an `OwnImage`, or is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsu_lib.errors import InputError, option
from hsu_lib.scenes.own.cube import Cube, row_blocks
from hsu_lib.scenes.own.fill import (
    BORDER,
    Survey,
    Suspect,
    asked_fill,
    holding,
    is_sentinel,
    measured,
    refuse,
    survey,
    suspects,
)
from hsu_lib.scenes.own.masks import read_mask
from hsu_lib.scenes.own.opened import OwnImage
from hsu_lib.scenes.own.reading import PLAIN, Reading
from hsu_lib.scenes.own.scale import divisor_of
from hsu_lib.scenes.own.selection import WHOLE, Selection, bands_in, numbered, windowed
from hsu_lib.scenes.own.units import in_reflectance
from hsu_lib.scenes.own.wavelengths import in_nm

_LOWEST = -0.5  # reflectance that no correction of the atmosphere leaves in most bands of a pixel
_SAMPLE = 4_000_000  # numbers of which percentiles are taken; of smaller images all are


def checked(path: Path, cube: Cube, reading: Reading = PLAIN, selection: Selection = WHOLE) -> OwnImage:
    """A file's image, or a part of it, with every decision made: bands, mask, gains, scale, wavelengths.

    The part comes first, whatever else is to be decided: what is left out is not looked at, so it may hold
    anything.

    Parameters
    ----------
    path
        For messages and the name.
    cube
        What the file holds and says.
    reading, selection
        What the user says of it, and which part is asked for.

    Raises
    ------
    FileNotFoundError
        If there is no such file of a mask.
    InputError
        If it cannot be an image of reflected light, what it says is contradictory or in doubt, or the part is
        none of it.
    """
    _check_shapes(path, cube)
    cube, mask = _part(path, cube, selection)
    notes = list(cube.notes)
    bands = _used(path, cube, selection, notes)
    _check_linear(path, cube, bands)
    fill, said = asked_fill(cube.fill, reading.nodata)
    found = survey(cube.values, bands, fill, _counting(path, cube, selection, mask, notes))
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
    number = divisor_of(path, cube, sample, reading.scale, notes, float(found.high.max()))
    _check_lowest(path, replace(image, divisor=number), found, said, cube.fill, notes)
    image = replace(image, divisor=number, wavelengths=_wavelengths(path, cube, found.bands, notes))
    companions = _companions(path, cube, image, sample / number, notes)
    return replace(image, companions=companions, notes=tuple(notes))


def _check_shapes(path: Path, cube: Cube) -> None:
    values = cube.values
    if values.dtype.kind not in "iuf":
        raise InputError(f"{path}: its numbers are {values.dtype}, expected integers or real numbers")
    if values.ndim != 3 or len(values) < 2 or values.size == 0:
        raise InputError(
            f"{path}: an image of (bands, height, width) = {values.shape} cannot be unmixed: 2 bands and a "
            "pixel are the least"
        )
    for name, held in (("gains", cube.gains), ("offsets", cube.offsets), ("good bands", cube.good)):
        if held is not None and held.shape != (len(values),):
            raise InputError(f"{path}: {cube.said}: {held.size} {name} for {len(values)} bands")
    if cube.wavelengths is not None and np.size(cube.wavelengths) != len(values):
        raise InputError(
            f"{path}: {np.size(cube.wavelengths)} wavelengths for {len(values)} bands; correct or remove them"
        )


def _check_linear(path: Path, cube: Cube, bands: NDArray[np.intp]) -> None:
    """Gains and offsets of the bands that are used."""
    if cube.gains is not None:
        gains = cube.gains[bands]
        wrong = ~(np.isfinite(gains) & (gains > 0))
        if wrong.any():
            first = int(wrong.argmax())
            raise InputError(
                f"{path}: {cube.said}: gain of band {bands[first] + 1} is {gains[first]:g}, expected a "
                "number above zero; correct or remove the gains"
            )
    if cube.offsets is not None and not np.isfinite(cube.offsets[bands]).all():
        raise InputError(f"{path}: {cube.said}: an offset is not finite; correct or remove the offsets")


# --------------------------------------------------------------------------- the part that is looked at


def _part(path: Path, cube: Cube, selection: Selection) -> tuple[Cube, NDArray[np.bool_] | None]:
    """The window that is asked for, and a mask of it."""
    _, *whole = cube.values.shape
    top, left, height, width = selection.crop or (0, 0, *whole)
    if selection.crop is not None:
        cube = windowed(path, cube, selection.crop)
    if selection.mask is None:
        return cube, None
    mask = read_mask(selection.mask, (tuple(whole), (height, width)))
    return cube, mask if mask.shape == (height, width) else mask[top : top + height, left : left + width]


def _used(path: Path, cube: Cube, selection: Selection, notes: list[str]) -> NDArray[np.intp]:
    """Bands that are asked for and that the file does not call bad."""
    count = len(cube.values)

    def centres() -> NDArray | None:
        return None if cube.wavelengths is None else in_nm(path, cube.wavelengths, cube.unit)[0]

    asked = bands_in(path, selection, count, centres)
    if not asked.all():
        notes.append(f"{(~asked).sum()} bands left out, as asked: {numbered(np.flatnonzero(~asked))}")
    good = asked if cube.good is None else asked & cube.good
    if good.sum() < 2:
        of = f"{count} bands" if asked.all() else f"the {asked.sum()} bands that are asked for"
        raise InputError(f"{path}: {cube.said} calls {good.sum()} of {of} good, at least 2 are needed")
    bad = np.flatnonzero(asked & ~good)
    if len(bad):
        notes.append(f"{len(bad)} bands left out that the file calls bad: {numbered(bad)}")
    return np.flatnonzero(good)


def _counting(
    path: Path, cube: Cube, selection: Selection, mask: NDArray[np.bool_] | None, notes: list[str]
) -> NDArray[np.bool_]:
    """Pixels that count by the file's own mask and by the user's, shape ``(height, width)``."""
    counts = np.ones(cube.values.shape[1:], dtype=bool)
    if cube.mask is not None and not cube.mask.all():
        notes.append(f"{(~cube.mask).sum()} of {counts.size} pixels are outside the mask of the file")
        counts &= cube.mask
    if not counts.any():
        raise InputError(f"{path}: its mask leaves no pixel")
    if mask is not None and selection.mask is not None:
        notes.append(f"{selection.mask.name} leaves out {(~mask).sum()} of {mask.size} pixels, as asked")
        counts &= mask
    if not counts.any():
        raise InputError(f"{path}: {option('mask', str(selection.mask))} leaves no pixel")
    return counts


# --------------------------------------------------------------------------- fill values


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
    masked = int((found.counts & ~found.mask).sum())
    if masked:
        partly = f", {found.partly} of them in some bands only" if found.partly else ""
        notes.append(f"{masked} of {found.mask.size} pixels masked, without data ({what}){partly}")
    return notes


def _named(fill: Sequence[float]) -> str:
    return " or ".join(["NaN", *(f"{value:g}" for value in fill if not np.isnan(value))])


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
    nm, note = in_nm(path, cube.wavelengths, cube.unit, bands)
    notes.append(note)
    return nm


def _companions(path: Path, cube: Cube, image: OwnImage, sample: NDArray, notes: list[str]) -> dict[str, Any]:
    """Reference of the file, finite where it counts, its endmembers in reflectance and in the bands kept."""
    held = dict(cube.companions)
    if "E" in held:
        E = np.asarray(held.pop("E"), dtype=np.float64)[image.kept]
        if np.isfinite(E).all():
            held["E"], note = in_reflectance(path, E, sample, image.divisor)
            notes += [note] if note else []
        else:
            notes.append("endmembers of the file are left out: some of their numbers are no data")
    if "A" in held:
        counted = held["A"] if image.mask is None else held["A"][:, image.mask]
        if not np.isfinite(counted).all():
            del held["A"]
            notes.append("abundances of the file are left out: some of their numbers are no data")
    return held
