"""Formats that describe themselves: GeoTIFF and what else GDAL reads, NetCDF and Zarr, HDF5 products."""

from __future__ import annotations

import importlib.util
import logging
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsu_lib.errors import InputError, option
from hsu_lib.scenes.own.arrays import read_arrays
from hsu_lib.scenes.own.attributes import good_of, linear, valid_in
from hsu_lib.scenes.own.companions import companions_of, is_companion
from hsu_lib.scenes.own.cube import Cube
from hsu_lib.scenes.own.products import PRODUCTS, gdal_linear, with_metadata
from hsu_lib.scenes.own.reading import PLAIN, Reading

_BANDS = re.compile(
    r"(spectral_?)?(bands?|wave_?lengths?|wl|wvl|lambda|channels?|spectral|wavenumbers?)", re.I
)
_ROWS = re.compile(r"(y|lat|latitude|rows?|lines?|downtrack|northing|height|along_?track|y_?dim)", re.I)
_COLUMNS = re.compile(
    r"(x|lon|longitude|cols?|columns?|samples?|crosstrack|easting|width|across_?track|x_?dim)", re.I
)
EXTRA = "pip install 'hsu[formats]'"


def has(package: str) -> bool:
    """Whether an optional package is there."""
    return importlib.util.find_spec(package) is not None


def read_other(path: Path, kind: str, reading: Reading = PLAIN) -> Cube:
    """Image of a file of a `kind` that `content_of` told, or of any other that GDAL reads.

    Raises
    ------
    InputError
        If there is no image in it, or an optional package is needed.
    """
    with _quiet():
        if kind == "hdf5":
            return _read_hdf5(path, reading)
        if kind in ("netcdf", "zarr"):
            return _read_labelled(path, kind, reading)
        if kind == "tiff":
            return with_metadata(path, _read_tiff(path, reading.variable))
        return with_metadata(path, _read_gdal(path))


@contextmanager
def _quiet() -> Iterator[None]:
    """Libraries warn and log of what we check and say ourselves."""
    logger = logging.getLogger("tifffile")
    logger.disabled, was = True, logger.disabled
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.disabled = was


def _read_hdf5(path: Path, reading: Reading) -> Cube:
    import h5py

    netcdf = path.suffix.lower() in (".nc", ".nc4", ".cdf")
    with h5py.File(path) as file:
        if reading.variable is None:
            for is_one, read in PRODUCTS:
                if is_one(file):
                    return read(path, file)
        netcdf |= "_NCProperties" in file.attrs
        labelled = any("DIMENSION_LIST" in held.attrs for held in file.values())
    if (netcdf or labelled) and reading.layout is None and has("xarray") and has("h5netcdf"):
        return _read_labelled(path, "hdf5", reading)
    return read_arrays(path, "hdf5", reading)


# --------------------------------------------------------------------------- rasters


def _read_tiff(path: Path, variable: str | None) -> Cube:
    """GeoTIFF through GDAL where it is there; any other TIFF, and where it is not, through tifffile."""
    if has("rasterio") and not _has_pages(path):
        cube = _read_gdal(path)
        if len(cube.values) > 1:
            return cube
    return _read_pages(path, variable)


def _has_pages(path: Path) -> bool:
    """Whether there is more than one image in a TIFF, of which GDAL reads the first."""
    import tifffile

    with tifffile.TiffFile(path) as file:
        return sum(not _is_part(page) for page in file.pages) > 1


def _is_part(page: Any) -> bool:
    """Whether a page is a smaller copy of another, or its mask."""
    return bool(page.subfiletype & 5)


def _read_gdal(path: Path) -> Cube:
    if not has("rasterio"):
        raise InputError(f"{path}: reading this format needs rasterio: {EXTRA}")
    import rasterio

    with rasterio.open(path) as file:
        alpha = [k for k, color in enumerate(file.colorinterp) if color is rasterio.enums.ColorInterp.alpha]
        bands = [band for k, band in enumerate(file.indexes) if k not in alpha]

        def kept(listed: Any) -> list[Any]:
            return [held for k, held in enumerate(listed) if k not in alpha]

        values = file.read(bands)
        tags = [{key.lower(): text for key, text in file.tags(band).items()} for band in bands]
        for band, held in zip(bands, tags, strict=True):
            held |= {key.lower(): text for key, text in file.tags(band, ns="IMAGERY").items()}
        gains, offsets = np.array(kept(file.scales)), np.array(kept(file.offsets))
        trivial = (gains == 1).all() and not offsets.any()
        fill = tuple(dict.fromkeys(float(value) for value in kept(file.nodatavals) if value is not None))
        place: dict[str, Any] = {}
        if file.crs:
            place["crs"] = file.crs.to_wkt()
        if not file.transform.is_identity:
            place["transform"] = tuple(file.transform)[:6]
        wavelengths, unit, note = _of_bands(tags, kept(file.descriptions))
        apart = [flag.name for flag in file.mask_flag_enums[0]] == ["per_dataset"]
        mask = file.dataset_mask() > 0 if apart else None
        if alpha:
            mask = _opaque(file.read([k + 1 for k in alpha]))
            note = (*note, _ALPHA.format(alpha[0] + 1))
        return Cube(
            values,
            mask=mask,
            wavelengths=wavelengths,
            unit=unit,
            fill=fill,
            gains=None if trivial else gains,
            offsets=None if trivial else offsets,
            quantity=file.units[bands[0] - 1] or "",
            said=f"{path.name}",
            georeference=place or None,
            notes=(f"{file.driver} of {len(bands)} bands", *note),
        )


_ALPHA = "band {} is its alpha channel: pixels where it is 0 are outside the mask"


def _opaque(alpha: NDArray) -> NDArray[np.bool_]:
    return np.logical_and.reduce(alpha > 0)


_NUMBER = r"(\d+(?:[.,]\d+)?)"
_NAMED = re.compile(
    rf"{_NUMBER}(?:\s*(?:-|to)\s*{_NUMBER})?\s*(nanomet\w+|nm|micromet\w+|[uµμ]m|micron\w*)\b", re.I
)
_CENTRE = re.compile(r"(cent(er|re)|@)\D*$", re.I)


def _of_bands(
    tags: list[dict[str, str]], descriptions: Sequence[str | None]
) -> tuple[list[str] | NDArray | None, str | None, tuple[str, ...]]:
    """Wavelengths and their unit, of tags of the bands or of their names where every band has one; a note."""
    for key, unit in (("wavelength", None), ("central_wavelength_um", "um"), ("wavelengths", None)):
        found = [held.get(key) for held in tags]
        if all(found):
            units = tags[0].get("wavelength_units") or tags[0].get("wavelength_unit") or unit
            return [str(text) for text in found], units, ()
    named = [_named(text or "") for text in descriptions]
    if not named or not any(named):
        return None, None, ()
    words = {unit for found in named for _, unit in found}
    if not all(len(found) == 1 for found in named) or len(words) > 1:
        return None, None, ("names of its bands do not say one wavelength each: bands are numbered",)
    return np.array([found[0][0] for found in named]), words.pop(), ()


def _named(text: str) -> list[tuple[float, str]]:
    """Wavelengths in the name of a band, of an interval its middle; of several, what it calls the centre."""
    found = list(_NAMED.finditer(text))
    centres = [match for match in found if _CENTRE.search(text[: match.start()])]
    listed = []
    for match in centres if len(found) > 1 and centres else found:
        ends = [float(number.replace(",", ".")) for number in match.groups()[:2] if number]
        listed.append((sum(ends) / len(ends), match[3].lower()))
    return listed


def _read_pages(path: Path, variable: str | None) -> Cube:
    """TIFF through tifffile: bands are samples of a pixel, planes, or pages."""
    import tifffile

    with tifffile.TiffFile(path) as file:
        image, notes = _chosen_image(path, _images(file), variable)
        values, axes, first = image.values(), image.axes, image.first
        tag, about = first.tags.get("GDAL_NODATA"), first.tags.get("GDAL_METADATA")
        alpha = [k - len(first.extrasamples) for k, kind in enumerate(first.extrasamples) if kind in (1, 2)]
        place = _place(file)
    if sorted(axes[-2:]) != ["X", "Y"] and axes[-3:] != "YXS":
        raise InputError(f"{path}: axes {axes} of its TIFF are not those of an image")
    extra = [number for number, axis in enumerate(axes) if axis not in "YX" and values.shape[number] > 1]
    if len(extra) > 1:
        raise InputError(
            f"{path}: its TIFF has axes {axes} {values.shape}, more than bands, rows and columns: write the "
            "bands of all its pages into one"
        )
    band = extra[0] if extra else None
    values = np.moveaxis(values, [axes.index("Y"), axes.index("X")], [-2, -1])
    values = values.reshape(-1 if band is not None else 1, *values.shape[-2:])
    mask = None
    if alpha and band is not None and axes[band] == "S":
        mask = _opaque(values[alpha])
        notes = (*notes, _ALPHA.format(len(values) + alpha[0] + 1))
        values = np.delete(values, alpha, axis=0)
    text = str(tag.value).strip("\0 ") if tag is not None else ""
    fill = (float(text),) if re.fullmatch(r"[-+.\deE]+|nan", text, re.I) else ()
    return Cube(
        values,
        mask=mask,
        fill=fill,
        said=path.name,
        georeference=place,
        notes=(f"TIFF of {len(values)} bands", *notes),
        **(gdal_linear(str(about.value), len(values)) if about is not None else {}),
    )


@dataclass(frozen=True)
class _Image:
    """An image of a TIFF: its axes as tifffile names them, its first page, and how its numbers are read."""

    axes: str
    shape: tuple[int, ...]
    first: Any
    values: Callable[[], NDArray]

    def __str__(self) -> str:
        return f"{self.axes} {self.shape} {self.first.dtype}"

    @property
    def pixels(self) -> tuple[int, ...]:
        """Rows and columns."""
        return tuple(self.shape[self.axes.index(axis)] for axis in "YX")


def _images(file: Any) -> list[_Image]:
    """Images of a TIFF: what it calls one, else pages that are alike together; copies and masks are none."""
    series = [held for held in file.series if not _is_part(held.keyframe)]
    if len(series) == 1:
        return [_Image(series[0].axes, series[0].shape, series[0].keyframe, series[0].asarray)]
    alike: dict[Any, list[Any]] = {}
    for page in file.pages:
        if not _is_part(page):
            alike.setdefault((page.axes, page.shape, page.dtype), []).append(page)
    return [
        _Image("I" + axes, (len(pages), *shape), pages[0], partial(_stacked, pages))
        for (axes, shape, _), pages in alike.items()
    ]


def _stacked(pages: list[Any]) -> NDArray:
    return np.stack([page.asarray() for page in pages])


def _chosen_image(path: Path, held: list[_Image], variable: str | None) -> tuple[_Image, tuple[str, ...]]:
    """The image that is asked for, else the largest, unless another has as many pixels; a note of others."""
    listed = ", ".join(f"{number}: {image}" for number, image in enumerate(held, start=1))
    if variable is not None and variable not in [str(number) for number in range(1, len(held) + 1)]:
        raise InputError(f"{path}: no image {variable!r} in its TIFF, which holds {listed}")
    if variable is not None:
        chosen = held[int(variable) - 1]
    else:
        chosen = max(held, key=lambda image: np.prod(image.shape))
        if [image.pixels for image in held].count(chosen.pixels) > 1:
            raise InputError(
                f"{path}: give {option('variable')} the number of an image of its TIFF, {listed}"
            )
    notes = (f"image {held.index(chosen) + 1} of those of its TIFF, {listed}",) if len(held) > 1 else ()
    return chosen, notes


def _place(file: Any) -> dict[str, Any] | None:
    """Transform of a GeoTIFF without a rotation."""
    tags = file.pages[0].tags
    if "ModelPixelScaleTag" not in tags or "ModelTiepointTag" not in tags:
        return None
    width, height, *_ = tags["ModelPixelScaleTag"].value
    column, row, _, x, y, *_ = tags["ModelTiepointTag"].value
    return {"transform": (width, 0.0, x - column * width, 0.0, -height, y + row * height)}


# --------------------------------------------------------------------------- labelled arrays


def _read_labelled(path: Path, kind: str, reading: Reading) -> Cube:
    """NetCDF or Zarr through xarray: the names of the dimensions say which one the bands are."""
    needed = {"hdf5": ("xarray", "h5netcdf"), "zarr": ("xarray", "zarr"), "netcdf": ("xarray",)}[kind]
    for package in needed:
        if not has(package):
            raise InputError(f"{path}: reading this format needs {package}: {EXTRA}")
    import xarray

    engine = {"hdf5": "h5netcdf", "zarr": "zarr", "netcdf": "scipy"}[kind]
    with xarray.open_dataset(path, engine=engine, mask_and_scale=False, decode_times=False) as dataset:
        held = dict(dataset.variables)
        if (
            kind == "hdf5"
            and reading.variable not in held
            and not any(len(_long(other)) == 3 for other in held.values())
        ):
            return read_arrays(path, kind, reading)  # it is in a group
        dataset.load()
    chosen = _chosen(path, held, reading.variable)
    array = held[chosen]
    order = _dimensions(path, array, reading.layout)
    array = array.isel({name: 0 for name in array.dims if name not in order})
    values = np.asarray(array.transpose(*order))
    unsigned = str(array.attrs.get("_Unsigned", "")).lower() == "true" and values.dtype.kind == "i"
    if unsigned:
        values = values.view(values.dtype.str.replace("i", "u"))
    wavelengths, unit = _labelled_wavelengths(held, order[0], len(values))
    about = {**array.encoding, **array.attrs}
    told = linear(about, len(values))
    if unsigned and "fill" in told:  # which is stored with a sign, too
        told["fill"] = tuple(value % 2.0 ** (8 * values.dtype.itemsize) for value in told["fill"])
    mask, outside = (None, ()) if unsigned else valid_in(values, about, told.get("fill", ()))
    crs = held.get(str(array.attrs.get("grid_mapping", "")))
    text = None if crs is None else crs.attrs.get("crs_wkt")
    place = {} if text is None else {"crs": text}
    transform = _regular(held.get(order[2]), held.get(order[1]))
    arrays = {str(key): _bands_first(other, order) for key, other in held.items()}
    companions, beside = companions_of(path, str(chosen), arrays, values, "bhw")
    return Cube(
        values,
        wavelengths=wavelengths,
        unit=unit,
        good=good_of({k: v for k, v in arrays.items() if held[k].dims == (order[0],)}, len(values)),
        mask=mask,
        said=f"variable {chosen!r}",
        georeference={**place, **({"transform": transform} if transform else {})} or None,
        companions=companions,
        notes=(f"variable {chosen!r}, bands along {order[0]!r}", *beside, *outside),
        **told,
    )


def _bands_first(array: Any, order: tuple[str, str, str]) -> NDArray:
    """Values of a variable beside the image, dimensions that they share in the order of the image's."""
    shared = [name for name in order if name in array.dims]
    others = [name for name in array.dims if name not in shared]
    last = order[0] not in shared  # as endmembers come in place of bands, and after them
    values = np.asarray(array.transpose(*others, *shared) if last else array.transpose(*shared, *others))
    return values if values.dtype.kind != "O" else values.astype(str)


def _chosen(path: Path, held: dict[Any, Any], wanted: str | None) -> Any:
    listed = ", ".join(f"{key} {dict(other.sizes)} {other.dtype}" for key, other in held.items()) or "nothing"
    if wanted is not None:
        if wanted not in held:
            raise InputError(f"{path}: no variable {wanted!r}; it holds {listed}")
        return wanted
    cubes = [key for key, other in held.items() if len(_long(other)) == 3 and other.dtype.kind in "iuf"]
    cubes = [key for key in cubes if not is_companion(str(key))] or cubes
    if len(cubes) != 1:
        ask = f"give {option('variable')} the image" if cubes else "no variable with three axes in it"
        raise InputError(f"{path}: {ask}; it holds {listed}")
    return cubes[0]


def _long(array: Any) -> list[str]:
    """Dimensions that are more than a label, such as a single time."""
    known = [name for name in array.dims if any(p.fullmatch(str(name)) for p in (_BANDS, _ROWS, _COLUMNS))]
    return [name for name in array.dims if name in known or array.sizes[name] > 1]


def _dimensions(path: Path, array: Any, layout: str | None) -> tuple[str, str, str]:
    """Names of bands, rows and columns."""
    names = _long(array)
    if layout is not None and len(names) == len(layout) == 3:
        bands, rows, columns = (names[layout.index(axis)] for axis in "bhw")
        return bands, rows, columns
    found = [
        [name for name in names if pattern.fullmatch(str(name))] for pattern in (_BANDS, _ROWS, _COLUMNS)
    ]
    if len(names) == 3 and [len(match) for match in found].count(1) >= 2:
        left = [name for name in names if name not in {match[0] for match in found if len(match) == 1}]
        order = [match[0] if len(match) == 1 else left[0] for match in found]
        if sorted(order) == sorted(names):
            return order[0], order[1], order[2]
    raise InputError(
        f"{path}: dimensions {dict(array.sizes)} do not say which are bands, rows and columns: name them "
        f"band, y and x, or give {option('layout', 'hwb')} or another order of axes"
    )


def _labelled_wavelengths(held: dict[Any, Any], band: str, count: int) -> tuple[NDArray | None, str | None]:
    for key in (band, *held):
        other = held.get(key)
        if other is None or other.dims != (band,) or other.size != count or other.dtype.kind not in "iuf":
            continue
        if key == band or re.search(r"wave|lambda|wvl", str(key), re.I):
            return np.asarray(other), other.attrs.get("units")
    return None, None


def _regular(x: Any, y: Any) -> tuple[float, ...] | None:
    """Transform of coordinates of pixel centres at equal distances."""
    steps = []
    for axis in (x, y):
        if axis is None or axis.ndim != 1 or axis.size < 2 or axis.dtype.kind not in "iuf":
            return None
        values = np.asarray(axis, dtype=np.float64)
        step = np.diff(values)
        if not np.allclose(step, step[0], rtol=1e-3):
            return None
        steps.append((float(step[0]), float(values[0])))
    (dx, left), (dy, top) = steps
    return dx, 0.0, left - dx / 2, 0.0, dy, top - dy / 2
