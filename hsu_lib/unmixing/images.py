"""Images that a program gives, as arrays or labelled ones: the same doubts as of a file, but no file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hsu_lib.errors import InputError
from hsu_lib.scene import Scene
from hsu_lib.scenes.own.attributes import linear
from hsu_lib.scenes.own.fill import BORDER, asked_fill, refuse, survey, suspects
from hsu_lib.scenes.own.masks import counting
from hsu_lib.scenes.own.plausible import spectral_axis
from hsu_lib.scenes.own.reading import NoData
from hsu_lib.scenes.own.scale import is_reflectance
from hsu_lib.scenes.own.wavelengths import in_nm

TURNED = "Y: {} for {}: its bands seem to be last; give them first, Y.transpose(2, 0, 1) or Y.T"
SPECTRAL = re.compile(r"(bands?|wave_?lengths?|wl|wvl|lambda|channels?|spectral|features?)", re.I)
_Y = Path("Y")
_SAMPLE = 4_000_000  # numbers of which a percentile is taken


def scene_of(
    Y: Any, wavelengths: ArrayLike | None, mask: ArrayLike | None, nodata: NoData = None
) -> tuple[Scene, dict[str, Any] | None, tuple[str, ...]]:
    """An image, the labels of its pixels where it has any, and what is doubtful about its numbers.

    Arguments are those of `hsu_lib.unmix`.

    Raises
    ------
    InputError
        If it is no image, holds what may be no data, or does not fit what is given with it.
    """
    if isinstance(Y, Scene):
        if any(given is not None for given in (wavelengths, mask, nodata)):
            raise InputError(
                "Y: a Scene has wavelengths and a mask of its own; give it others by "
                "dataclasses.replace(scene, mask=mask, wavelengths=wavelengths)"
            )
        return Y, None, ()
    values, labels, attributes, notes = Y, None, dict[str, Any](), list[str]()
    if is_labelled(Y):
        values, wavelengths, labels = _of_labelled(Y, wavelengths)
        attributes = dict(getattr(Y, "attrs", {}))
    absent = np.ma.getmaskarray(values) if np.ma.isMaskedArray(values) else np.zeros((), dtype=bool)
    plain = wavelengths is None and labels is None
    values = np.asarray(values)
    absent = np.broadcast_to(absent, values.shape)
    if values.ndim == 2:
        labels = labels or {"dims": ("pixel",), "coords": {}}
        values, absent = values[:, None], absent[:, None]
        mask = None if mask is None else np.asarray(mask).reshape(1, -1)
    if values.ndim != 3:
        raise InputError(f"Y: expected (bands, height, width) or (bands, pixels), got {values.shape}")
    if values.dtype.kind not in "iuf":
        raise InputError(f"Y: expected real numbers, got {values.dtype}")
    if wavelengths is not None:
        wavelengths = _checked_wavelengths(wavelengths, values.shape, notes)
    counts: NDArray[np.bool_] = np.logical_not(absent.any(axis=0))
    if mask is not None:
        given = np.asarray(mask)
        if given.shape != counts.shape:
            raise InputError(f"mask: {given.shape} for pixels of {counts.shape}")
        counts &= counting(Path("mask"), given)
    values, counts = _measured(values, counts, attributes, nodata, notes)
    scene = Scene(
        values,
        wavelengths=None if wavelengths is None else np.asarray(wavelengths, dtype=np.float32),
        name=str(getattr(Y, "name", None) or "image"),
        mask=None if counts.all() else counts,
        read=tuple(notes),
    )
    return scene, labels, (*_doubts(scene), *(_turned(scene) if plain else ()))


def is_labelled(values: Any) -> bool:
    """Whether it is, or is used as, an ``xarray.DataArray``."""
    return hasattr(values, "dims") and hasattr(values, "coords") and hasattr(values, "transpose")


def wavelengths_of(values: Any, band: Any) -> ArrayLike | None:
    """Coordinate of a DataArray that tells wavelengths of a dimension, in nm; None where none does."""
    for name in dict.fromkeys((band, *values.coords)):
        if name in values.coords and re.search(r"wave|lambda|wvl|^wl$|^nm$", str(name), re.I):
            held = values.coords[name]
            if held.dims == (band,) and held.dtype.kind in "iuf":
                return in_nm(_Y, held.values, held.attrs.get("units"))[0]
    return None


def _of_labelled(Y: Any, wavelengths: ArrayLike | None) -> tuple[Any, ArrayLike | None, dict[str, Any]]:
    """Values of a DataArray with the bands first, wavelengths, and the labels of the others."""
    found = [name for name in Y.dims if SPECTRAL.fullmatch(str(name))]
    if len(found) != 1 or len(Y.dims) not in (2, 3):
        raise InputError(
            f"Y: dimensions {dict(Y.sizes)}: call one band or wavelength, beside y and x or pixel"
        )
    band = found[0]
    others = tuple(name for name in Y.dims if name != band)
    if wavelengths is None:
        wavelengths = wavelengths_of(Y, band)
    coords = {name: Y.coords[name] for name in Y.coords if set(Y.coords[name].dims) <= set(others)}
    return Y.transpose(band, *others).values, wavelengths, {"dims": others, "coords": coords}


def _checked_wavelengths(given: ArrayLike, shape: tuple[int, ...], notes: list[str]) -> NDArray | None:
    """Wavelengths in nm, one per band; a note where they are not as they came."""
    count = np.size(given)
    if count != shape[0] and count == shape[-1]:
        raise InputError(TURNED.format(f"{count} wavelengths", shape))
    if count != shape[0]:
        raise InputError(f"Y: {count} wavelengths for {shape[0]} bands")
    nm, note = in_nm(_Y, given, "nm")
    if nm is None or not np.array_equal(nm, np.ravel(np.asarray(given, dtype=np.float64))):
        notes.append(note)
    return nm


def _measured(
    values: NDArray,
    counts: NDArray[np.bool_],
    attributes: Mapping[str, Any],
    nodata: NoData,
    notes: list[str],
) -> tuple[NDArray, NDArray[np.bool_]]:
    """Numbers with the scale and offset of attributes, and the pixels that have one in every band."""
    told = linear(attributes, len(values))
    declared = told.get("fill", ())
    fill, words = asked_fill(declared, nodata)
    bands = np.arange(len(values))
    found = survey(values, bands, fill, counts)
    counts = found.mask & (len(found.bands) == len(bands))
    if not counts.any():
        raise InputError(
            "Y: no pixel counts: each is masked or lacks data in some band; leave those bands out"
        )
    listed = [] if words == {"none"} else suspects(values, found)
    if not words:
        refuse(_Y, listed, declared, counts.size)
    if BORDER in words:
        counts &= ~np.logical_or.reduce([suspect.where for suspect in listed if suspect.value is None])
    gains, offsets = told.get("gains"), told.get("offsets")
    gains = np.full(len(values), 1 / told["scale"]) if gains is None and "scale" in told else gains
    if gains is None and offsets is None:
        return values, counts
    if values.dtype.kind == "f":
        raise InputError(
            "Y: its attributes have a scale or an offset, and its numbers are real: were these applied? "
            "Apply them, and remove them from Y.attrs"
        )
    notes.append("scale and offset of its attributes applied")
    gains = np.ones(len(values)) if gains is None else gains
    offsets = np.zeros(len(values)) if offsets is None else offsets
    return values * gains[:, None, None] + offsets[:, None, None], counts


def _doubts(scene: Scene) -> tuple[str, ...]:
    """A warning where numbers are no reflectance, as methods take them to be."""
    pixels = scene.pixels if scene.mask is None else scene.Y[:, scene.mask]
    top = float(np.percentile(pixels[:, :: max(1, pixels.size // _SAMPLE)], 99.9))
    if is_reflectance(top):
        return ()
    return (
        f"99.9 % of the numbers are at most {top:.6g}, which is no reflectance: endmembers and residual are "
        "in the unit of Y, and settings of methods are meant for reflectance; divide Y by the number that "
        "stands for a reflectance of one",
    )


def _turned(scene: Scene) -> tuple[str, ...]:
    """A warning where an array that does not say which axis has the bands may have them elsewhere."""
    axis = spectral_axis(scene.Y)
    if axis is None or axis == 0:
        return ()
    return (
        f"Y {scene.Y.shape} is taken as (bands, height, width), but only along its axis of "
        f"{scene.Y.shape[axis]} is it smooth as spectra are: if these are the bands, give them first",
    )
