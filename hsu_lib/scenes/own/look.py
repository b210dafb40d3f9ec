"""A first look at an image: what its file says, what it holds, and what would be read of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from hsu_lib.errors import InputError
from hsu_lib.scene import Scene
from hsu_lib.scenes.own.border import checked
from hsu_lib.scenes.own.cube import Cube
from hsu_lib.scenes.own.files import open_cube
from hsu_lib.scenes.own.fill import Survey, survey, suspects
from hsu_lib.scenes.own.opened import OwnImage
from hsu_lib.scenes.own.reading import Reading

_PERCENTILES = (0.1, 1, 50, 99, 99.9)
_SAMPLE = 4_000_000  # numbers of which percentiles are taken
_SIDE = 800  # pixels of a picture, at most


@dataclass(frozen=True, eq=False)
class Look:
    """What there is to say of a file.

    Parameters
    ----------
    facts
        Name and value of what it holds and says, for a table.
    notes
        How it would be read, a sentence each; empty if it would be refused.
    refusal
        Why it would be, or None.
    small
        The image for a picture, at most 800 pixels wide and high; in stored numbers where it would be
        refused.
    """

    facts: dict[str, str]
    notes: tuple[str, ...]
    refusal: InputError | None
    small: Scene


def look(path: str | Path, **given: Any) -> Look:
    """Look at an image; arguments as those of `read_image`.

    Raises
    ------
    InputError
        If not even its numbers can be found.
    """
    path, reading = Path(path).expanduser(), Reading(**given)
    cube = open_cube(path, reading)
    counts = cube.mask if cube.mask is not None and cube.mask.any() else None
    found = survey(cube.values, np.arange(len(cube.values)), cube.fill, counts)
    if len(found.bands) == 0 or not found.mask.any():  # nothing to take percentiles of
        found = survey(cube.values, np.arange(len(cube.values)), ())
    raw = OwnImage(path, cube.values, found.bands, None if found.mask.all() else found.mask)
    facts, refusal = _facts(cube, found, raw), None
    try:
        image = checked(path, cube, reading)
    except InputError as error:
        image, refusal = raw, error
    else:
        if image.wavelengths is not None:
            low, high = image.wavelengths.min(), image.wavelengths.max()
            facts["wavelengths"] = f"{low:.6g} to {high:.6g} nm"
        facts["pixels that count"] = str(
            image.height * image.width if image.mask is None else image.mask.sum()
        )
        facts["bands kept"] = str(image.bands)
        facts["divided by"] = f"{image.divisor:g}"
    return Look(facts, image.notes, refusal, _small(image))


def _facts(cube: Cube, found: Survey, raw: OwnImage) -> dict[str, str]:
    bands, height, width = cube.values.shape
    sample = raw.sample(_SAMPLE)
    percentiles = np.percentile(sample, _PERCENTILES) if sample.size else np.full(len(_PERCENTILES), np.nan)
    facts = {
        "size": f"{bands} bands, {height} x {width} pixels (height x width)",
        "type": str(cube.values.dtype),
        "range": f"{found.low.min():.6g} to {found.high.max():.6g}" if len(found.bands) else "no data",
        "percentiles": ", ".join(
            f"{p:g} %: {value:.5g}" for p, value in zip(_PERCENTILES, percentiles, strict=True)
        ),
        "wavelengths": "none" if cube.wavelengths is None else f"in {cube.unit or 'an unnamed unit'}",
        "fill declared": ", ".join(f"{value:g}" for value in cube.fill) or "none",
        "scale declared": "none" if cube.scale is None else f"{cube.scale:g}",
        "gains and offsets": "none" if cube.gains is None and cube.offsets is None else "yes",
    }
    listed = suspects(cube.values, found) if len(found.bands) else []
    facts["suspects of fill"] = ", ".join(f"{suspect} pixels" for suspect in listed) or "none"
    return facts


def _small(image: OwnImage) -> Scene:
    """One pixel of several, evenly spread, so that a picture of a large image costs little."""
    step = max(1, -(-max(image.height, image.width) // _SIDE))
    mask = None if image.mask is None else image.mask[::step, ::step]
    if mask is not None and not mask.any():
        step, mask = 1, image.mask
    reduced = replace(image, values=image.values[:, ::step, ::step], mask=mask, companions={})
    try:
        return reduced.scene()
    except ValueError as error:
        raise InputError(f"{image.path}: {error}") from error
