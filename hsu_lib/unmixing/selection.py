"""What of an image is unmixed: bands, a window, pixels of a mask; taken before the image is checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsu_lib.errors import InputError, option
from hsu_lib.scenes.matlab import read_nested
from hsu_lib.scenes.own.border import NoData, checked, numbered
from hsu_lib.scenes.own.content import content_of
from hsu_lib.scenes.own.cube import Cube
from hsu_lib.scenes.own.image import open_cube
from hsu_lib.scenes.own.opened import OwnImage
from hsu_lib.scenes.own.wavelengths import in_nm


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
        File of a map in which 0 (or NaN) leaves a pixel out.
    """

    bands: str | None = None
    drop_bands: str | None = None
    crop: tuple[int, int, int, int] | None = None
    mask: Path | None = None


def open_part(
    path: Path,
    selection: Selection,
    *,
    variable: str | None = None,
    layout: str | None = None,
    size: tuple[int, int] | None = None,
    scale: float | None = None,
    nodata: NoData = None,
) -> OwnImage:
    """Part of an image file, checked; the rest of it need not be in order.

    Parameters
    ----------
    path, variable, layout, size, scale, nodata
        As those of `hsu_lib.scenes.read_image`.
    selection
        Which part.

    Raises
    ------
    FileNotFoundError
        If a file is not there.
    InputError
        If the part is none of the image, or the image is refused.
    """
    path = path.expanduser()
    cube = open_cube(path, variable=variable, layout=layout, size=size)
    notes: list[str] = []
    mask = None if selection.mask is None else _mask(selection, cube.values.shape[1:], notes)
    if selection.crop is not None:
        cube, mask = _cropped(path, cube, mask, selection.crop, notes)
    if mask is not None and not mask.all():
        if not mask.any():
            raise InputError(f"{selection.mask}: leaves no pixel of {path}")
        cube = replace(cube, values=_without(cube.values, mask))
    theirs = cube.good
    cube = _with_bands(path, cube, selection, notes)
    image = checked(path, cube, nodata=nodata, scale=scale)
    # the border calls bands bad that were not asked for: said in its own words above
    read = [note for note in image.notes if cube.good is theirs or "that the file calls bad" not in note]
    return replace(image, notes=(*read, *notes))


# --------------------------------------------------------------------------- bands


def _with_bands(path: Path, cube: Cube, selection: Selection, notes: list[str]) -> Cube:
    if selection.bands is None and selection.drop_bands is None:
        return cube
    count = len(cube.values)
    centres = None
    if cube.wavelengths is not None and np.size(cube.wavelengths) == count:
        centres, _ = in_nm(path, cube.wavelengths, cube.unit)
    chosen = np.ones(count, dtype=bool)
    if selection.bands is not None:
        chosen = bands_of(selection.bands, count, centres, "bands")
    if selection.drop_bands is not None:
        chosen &= ~bands_of(selection.drop_bands, count, centres, "drop_bands")
    good = chosen if cube.good is None else chosen & cube.good
    if good.sum() < 2:
        raise InputError(
            f"{path}: {option('bands')} and {option('drop_bands')} leave {chosen.sum()} of its {count} bands"
            + (f", of which the file calls {good.sum()} good" if cube.good is not None else "")
            + "; at least 2 are needed"
        )
    if not chosen.all():
        notes.append(f"{(~chosen).sum()} bands left out, as asked: {numbered(np.flatnonzero(~chosen))}")
    bad = chosen & ~good
    if bad.any():
        notes.append(f"{bad.sum()} more left out that the file calls bad: {numbered(np.flatnonzero(bad))}")
    return replace(cube, good=good)


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


# --------------------------------------------------------------------------- a window


def _cropped(
    path: Path, cube: Cube, mask: NDArray[np.bool_] | None, crop: tuple[int, int, int, int], notes: list[str]
) -> tuple[Cube, NDArray[np.bool_] | None]:
    top, left, height, width = crop
    rows, columns = cube.values.shape[1:]
    if min(top, left) < 0 or min(height, width) < 1 or top + height > rows or left + width > columns:
        raise InputError(
            f"{path}: {option('crop')}: {height} x {width} pixels at row {top}, column {left} do not lie in "
            f"it ({rows} x {columns}, height x width, counted from 0)"
        )
    window = (slice(top, top + height), slice(left, left + width))
    notes.append(f"window of {height} x {width} pixels at row {top}, column {left}, as asked")
    companions = dict(cube.companions)
    if companions.get("A") is not None and np.shape(companions["A"])[1:] == (rows, columns):
        companions["A"] = np.asarray(companions["A"])[:, *window]
    return (
        replace(
            cube,
            values=cube.values[:, *window],
            companions=companions,
            georeference=moved(cube.georeference, top, left),
        ),
        mask if mask is None or mask.shape == (height, width) else mask[window],
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


# --------------------------------------------------------------------------- a mask


def _mask(selection: Selection, size: tuple[int, ...], notes: list[str]) -> NDArray[np.bool_]:
    assert selection.mask is not None
    path = selection.mask.expanduser()
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    values = _map_of(path)
    fits = [tuple(size), *([selection.crop[2:]] if selection.crop is not None else [])]
    if values.shape not in fits:
        turned = "; it may be turned" if values.shape[::-1] in fits else ""
        raise InputError(
            f"{path}: a mask of {values.shape[0]} x {values.shape[1]} for an image of {size[0]} x {size[1]} "
            f"pixels (height x width){turned}"
        )
    absent = np.isnan(values) if values.dtype.kind == "f" else np.zeros(values.shape, dtype=bool)
    held = np.unique(values[~absent])
    if len(held) > 2 or (len(held) == 2 and 0 not in held):
        raise InputError(
            f"{path}: a mask has two values, 0 where a pixel is left out and another where it counts; it "
            f"holds {len(held)}: {', '.join(f'{value:g}' for value in held[:5])}"
        )
    mask = ~absent & (values != 0)
    notes.append(f"{path.name} leaves out {(~mask).sum()} of {mask.size} pixels, as asked")
    return mask


def _map_of(path: Path) -> NDArray:
    """Map of a file, shape ``(height, width)``."""
    try:
        kind, suffix = content_of(path), path.suffix.lower()
        if suffix == ".mat" or kind == "matlab":
            return _only(path, read_nested(path))
        if suffix in (".npz", ".npy") or kind == "numpy":
            loaded = np.load(path, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                return _only(path, {"array": loaded})
            with loaded:
                return _only(path, {name: loaded[name] for name in loaded.files})
        if kind in ("png", "jpeg"):
            from matplotlib.image import imread

            picture = imread(path)
            return _opaque(path, picture if picture.ndim == 2 else np.moveaxis(picture, -1, 0))
        cube = open_cube(path)
        values = _flat(path, np.asarray(cube.values))
        return values if cube.mask is None else np.where(cube.mask, values, 0)
    except (InputError, FileNotFoundError, PermissionError, MemoryError):
        raise
    except Exception as error:
        raise InputError(f"{path}: cannot be read as a mask: {error}") from error


def _opaque(path: Path, picture: NDArray) -> NDArray:
    """Grey levels of a picture, 0 where it is transparent; of one that is of one colour, where it is not."""
    if picture.ndim == 2 or len(picture) not in (2, 4):
        return _flat(path, picture)
    grey, alpha = _flat(path, picture[:-1]), picture[-1] > 0
    return grey * alpha if np.ptp(grey[alpha]) > 0 or alpha.all() else alpha


def _only(path: Path, held: Mapping[str, NDArray]) -> NDArray:
    maps = {name: v for name, v in held.items() if v.dtype.kind in "biuf" and np.squeeze(v).ndim == 2}
    maps = maps or {name: v for name, v in held.items() if v.dtype.kind in "biuf" and v.ndim == 2}
    named = [name for name in maps if name.rpartition(".")[2].lower() == "mask"]
    chosen = named if len(named) == 1 else list(maps)
    if len(chosen) != 1:
        listed = ", ".join(f"{name} {values.shape}" for name, values in held.items())
        raise InputError(
            f"{path}: expected one map in it, or one called mask; it holds {listed or 'nothing'}"
        )
    values = maps[chosen[0]]
    return values if values.ndim == 2 else _flat(path, np.moveaxis(values, int(np.argmin(values.shape)), 0))


def _flat(path: Path, values: NDArray) -> NDArray:
    if values.ndim == 3 and (values == values[:1]).all():  # grey levels as a colour picture
        values = values[0]
    if values.ndim != 2:
        raise InputError(f"{path}: expected a map of one band as mask, it has {values.shape}")
    return values


def _without(values: NDArray, mask: NDArray[np.bool_]) -> NDArray:
    """The numbers as real ones, NaN where the mask leaves a pixel out: so no check looks at it."""
    few = values.dtype.itemsize <= 2 or values.dtype == np.float32
    copy = np.array(values, dtype=np.float32 if few else np.float64)
    copy[:, ~mask] = np.nan
    return copy
