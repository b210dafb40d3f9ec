"""MATLAB, NumPy and HDF5 files: named arrays, one of which is the image."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsu_lib.errors import InputError, brief, option
from hsu_lib.scenes.matlab import read_nested
from hsu_lib.scenes.own.attributes import SCALARS, good_of, linear, plain, text, valid_in
from hsu_lib.scenes.own.companions import companions_of, is_companion, is_endmembers
from hsu_lib.scenes.own.cube import Cube
from hsu_lib.scenes.own.layouts import as_cube
from hsu_lib.scenes.own.plausible import spectral_axis
from hsu_lib.scenes.own.reading import Reading

_HEIGHT_KEYS = ("height", "rows", "nrow", "nrows", "lines")
_WIDTH_KEYS = ("width", "cols", "ncol", "ncols", "samples", "columns")
#: Names of wavelengths, or of what else there is one per band.
_WAVELENGTHS = re.compile(
    r"(centra?l?_?|center_?|centre_?)?(wave_?(length|number)?s?|wl|wls|wvl|wvls|lambdas?|nm|bands?_?(nm|um)|"
    r"band_?(cent(er|re)s?)|cent(er|re)s?)(_?(nm|um))?|wavelength_?(list|centers?|centres?|vector)",
    re.IGNORECASE,
)
_BANDS = re.compile(
    r"(n|num|number|no|count)?_?(of)?_?(bands?|channels?)_?(number|count|num)?|fwhm|bbl|(se?lect?_?bands?)",
    re.IGNORECASE,
)
_UNIT = re.compile(r"(wave_?lengths?_?)?units?", re.IGNORECASE)
_MOST = 100  # arrays that a message lists
_MATLAB = "(height, width, bands), MATLAB's usual order"


def read_arrays(path: Path, kind: str, reading: Reading) -> Cube:
    """Image of a ``.mat``, ``.npz``, ``.npy`` or HDF5 file.

    Parameters
    ----------
    kind
        ``"matlab"``, ``"numpy"`` or ``"hdf5"``.
    """
    variables, attributes = _variables(path, kind)
    name = _choose(path, variables, reading.variable)
    values = variables[name]
    size, layout, matlab, why = reading.size or _size_in(variables), reading.layout, kind == "matlab", ""
    if layout is None:
        layout, why = _layout_of(path, name, variables, size, matlab=matlab)
    cube = as_cube(path, values, layout, size)
    companions, beside = companions_of(path, name, variables, cube, layout, matlab=matlab)
    wavelengths, unit, note = _wavelengths_of(
        path, name, variables, attributes, len(cube), strict=kind == "numpy"
    )
    near = _near(name, variables)
    scalars = {plain(k): v for k, v in near.items() if plain(k) in SCALARS and v.size == 1}
    about = scalars | attributes.get(name, {})
    told = linear(about, len(cube))
    mask, outside = valid_in(cube, about, told.get("fill", ()))
    return Cube(
        cube,
        wavelengths=wavelengths,
        unit=unit,
        good=good_of(near, len(cube)),
        mask=mask,
        companions=companions,
        notes=(f"array {name!r} read as {layout}{why}", *note, *beside, *outside, *_masks(near, cube)),
        said=f"array {name!r}",
        **told,
    )


def _masks(near: Mapping[str, NDArray], cube: NDArray) -> tuple[str, ...]:
    """A note of each map that is called a mask, since nothing says which of its pixels count."""
    found = [k for k, v in near.items() if re.search("mask", _last(k), re.I) and v.shape == cube.shape[1:]]
    return tuple(f"array {key!r} is not applied: give a file of it as --mask or mask=" for key in found)


def _variables(path: Path, kind: str) -> tuple[dict[str, NDArray], dict[str, dict[str, Any]]]:
    try:
        if kind == "matlab":
            return read_nested(path), {}
        if kind == "hdf5":
            return _hdf5(path)
        loaded = _loaded(path)
        if isinstance(loaded, np.ndarray):
            return {"array": loaded}, {}
        with loaded:
            held = {name: loaded[name] for name in loaded.files}
            return {name: values for name, values in held.items() if isinstance(values, np.ndarray)}, {}
    except Exception as error:  # numpy raises whatever its zip and header parsers raise
        raise InputError(f"{path}: cannot be read, is it damaged? {brief(error)}") from error


def _loaded(path: Path) -> Any:
    """What numpy finds in a file, a single array as a memory map."""
    try:
        return np.load(path, allow_pickle=False, mmap_mode="r")
    except ValueError:  # of what cannot be mapped
        return np.load(path, allow_pickle=False)


def _hdf5(path: Path) -> tuple[dict[str, NDArray], dict[str, dict[str, Any]]]:
    """Arrays of an HDF5 file by dotted name, axes as stored, with their attributes."""
    import h5py

    arrays: dict[str, NDArray] = {}
    attributes: dict[str, dict[str, Any]] = {}

    def visit(name: str, held: Any) -> None:
        if not isinstance(held, h5py.Dataset) or not held.size:
            return
        text = h5py.check_string_dtype(held.dtype) is not None
        if text or held.dtype.kind in "biufc":
            values = np.asarray(held.asstr(errors="replace")[()]).astype(str) if text else np.asarray(held)
            arrays[name.replace("/", ".")] = values
            fill = (
                {"_FillValue": held.fillvalue} if not text and held.fillvalue else {}
            )  # 0 where none is set
            attributes[name.replace("/", ".")] = fill | dict(held.attrs)

    with h5py.File(path) as file:
        file.visititems(visit)
    return arrays, attributes


def _choose(path: Path, variables: Mapping[str, NDArray], wanted: str | None) -> str:
    """Name of the image among the arrays of a file."""
    held = _listed(variables)
    if wanted is not None:
        name = wanted if wanted in variables else _dotted(wanted)
        if name not in variables:
            inside = [k for k in variables if k.endswith(f".{name}")]
            if len(inside) != 1:
                raise InputError(f"{path}: no variable {wanted!r}; it holds {held}")
            name = inside[0]
        if variables[name].dtype.kind not in "iuf" or variables[name].ndim not in (2, 3):
            raise InputError(f"{path}: {wanted!r} is no real 3-D or 2-D array of numbers; it holds {held}")
        return name
    numeric = {k: v for k, v in variables.items() if v.dtype.kind in "iuf"}
    cubes = [k for k, v in numeric.items() if v.ndim == 3]
    size = _size_in(variables)
    matrices = [k for k, v in numeric.items() if v.ndim == 2 and min(v.shape) > 1]
    if size is not None:
        matrices = [k for k in matrices if size[0] * size[1] in numeric[k].shape]
    # a reference is the image only where nothing else can be
    images = [[k for k in listed if not is_companion(k)] for listed in (cubes, matrices)]
    found = next(filter(None, (*images, cubes, matrices)), [])
    if len(found) == 1:
        return found[0]
    if found:
        raise InputError(
            f"{path}: give {option('variable')} one of {', '.join(found)} as the image; it holds {held}"
        )
    raise InputError(
        f"{path}: no image in it. Expected an array of real numbers with three axes, or a matrix of pixels; "
        f"it holds {held}"
    )


def _listed(variables: Mapping[str, NDArray]) -> str:
    """Every array with shape and type, unless there are very many or their names are very long."""
    listed = [f"{name[:80]} {values.shape} {str(values.dtype)[:40]}" for name, values in variables.items()]
    more = [f"and {len(listed) - _MOST} more"] if len(listed) > _MOST else []
    return ", ".join(listed[:_MOST] + more) or "nothing"


def _dotted(name: str) -> str:
    """``c{2}`` and ``s(2).cube`` as MATLAB writes them, and paths with slashes, as dotted names."""
    return re.sub(r"[({](\d+)[)}]", r".\1", name).replace("/", ".").strip(".")


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _size_in(variables: Mapping[str, NDArray]) -> tuple[int, int] | None:
    scalars = {_last(k).lower(): v for k, v in variables.items() if v.size == 1 and v.dtype.kind in "iuf"}
    heights = [int(scalars[key].item()) for key in _HEIGHT_KEYS if key in scalars]
    widths = [int(scalars[key].item()) for key in _WIDTH_KEYS if key in scalars]
    return (heights[0], widths[0]) if heights and widths else None


def _near(name: str, variables: Mapping[str, NDArray]) -> dict[str, NDArray]:
    """Other arrays, those of the same struct only where it has any that tell of bands."""
    others = {k: v for k, v in variables.items() if k != name}
    beside = {k: v for k, v in others.items() if k.rpartition(".")[0] == name.rpartition(".")[0]}
    return beside if _counts(beside) else others


def _counts(variables: Mapping[str, NDArray]) -> dict[str, int]:
    """Numbers of bands that arrays beside the image speak of, by name."""
    found = {}
    for key, values in variables.items():
        name, vector = _last(key), values.ndim <= 2 and values.size == max(values.shape, default=1)
        counted = name == "L" or _BANDS.fullmatch(name)
        if values.dtype.kind not in "iufb" or values.size == 0:
            continue
        if vector and values.size > 1 and (_WAVELENGTHS.fullmatch(name) or counted):
            found[key] = values.size
        elif values.size == 1 and counted and float(values.item()) > 1:
            found[key] = int(values.item())
        elif name == "E" and values.ndim == 2:
            found[key] = len(values)
    return found


def _rows_of_endmembers(variables: Mapping[str, NDArray], shape: tuple[int, ...]) -> dict[str, int]:
    """Rows of what may be endmembers by name and shape, and no map of the image."""
    maps = {(first, second) for first in shape for second in shape}
    return {
        key: len(values)
        for key, values in variables.items()
        if is_endmembers(key) and values.ndim == 2 and len(values) in shape and values.shape not in maps
    }


def _layout_of(
    path: Path, name: str, variables: Mapping[str, NDArray], size: tuple[int, int] | None, *, matlab: bool
) -> tuple[str, str]:
    """Layout of an array where the file, or the convention of its format, settles it, and why."""
    values = variables[name]
    what = f"{path}: array {name!r} {values.shape}"
    if values.ndim == 3:
        return _layout_of_cube(what, name, variables, size, matlab=matlab)
    if size is None:
        raise InputError(
            f"{what} is a matrix of pixels: give {_SIZE}, and its {option('layout')} if it is not .mat"
        )
    pixel_axes = [axis for axis in (0, 1) if values.shape[axis] == size[0] * size[1]]
    if matlab and len(pixel_axes) == 1:
        return ("(wh)b", "b(wh)")[pixel_axes[0]], ", pixels column by column as MATLAB has them"
    raise InputError(
        f"{what} is a matrix for {size[0]} x {size[1]} pixels (height x width) and does not say in which "
        f"order: give {option('layout')} one of b(hw), b(wh), (hw)b, (wh)b; hw is row by row, wh column by "
        "column"
    )


_SIZE = option("size", python="(height, width)", command="HEIGHT WIDTH")


def _layout_of_cube(
    what: str,
    name: str,
    variables: Mapping[str, NDArray],
    size: tuple[int, int] | None,
    *,
    matlab: bool,
) -> tuple[str, str]:
    """Layout of a cube by what speaks of its bands or its pixels; doubt is an error."""
    shape = variables[name].shape
    near = _near(name, variables)
    counts = _counts(near) or _rows_of_endmembers(near, shape)
    fits = {axis for axis in range(3) if shape[axis] in counts.values()}
    if len(fits) == 1:
        axis = fits.pop()
        told = next(key for key, count in counts.items() if count == shape[axis])
        return ("bhw", "hbw", "hwb")[axis], f", since {told!r} speaks of {shape[axis]} bands"
    ask = (
        f"give {option('layout', 'hwb')} if it is (height, width, bands), {option('layout', 'bhw')} if it is "
        "(bands, height, width)"
    )
    if fits:
        raise InputError(f"{what} has several axes with as many entries as there are bands: {ask}")
    if counts:
        told = ", ".join(f"{key!r} of {count}" for key, count in counts.items())
        raise InputError(f"{what} has no axis with as many entries as there are bands by {told}: {ask}")
    pixels = {"hwb": shape[:2], "bhw": shape[1:], "hbw": shape[::2]}
    if size is not None and sum(other == size for other in pixels.values()) == 1:
        layout = next(layout for layout, other in pixels.items() if other == size)
        return layout, f", since it is of {size[0]} x {size[1]} pixels"
    maps = {v.shape for k, v in variables.items() if k != name and v.ndim == 2 and v.dtype.kind in "biuf"}
    if shape[1:] in maps and shape[:2] not in maps:
        raise InputError(f"{what} lies beside a map of {shape[1]} x {shape[2]} pixels: {ask}")
    if not matlab:
        raise InputError(f"{what} does not say which axis holds the bands: {ask}")
    spectral = spectral_axis(variables[name])
    if spectral is not None and spectral != 2:
        first, last = option("layout", ("bhw", "hbw")[spectral]), option("layout", "hwb")
        raise InputError(
            f"{what} would be {_MATLAB}, but only along its axis of {shape[spectral]} is it smooth as "
            f"spectra are: give {first} if these are the bands, {last} if they come last"
        )
    return "hwb", f", {_MATLAB}: nothing beside it says how many bands there are"


def _wavelengths_of(
    path: Path,
    name: str,
    variables: Mapping[str, NDArray],
    attributes: Mapping[str, Mapping[str, Any]],
    bands: int,
    *,
    strict: bool,
) -> tuple[NDArray | None, str | None, tuple[str, ...]]:
    """Wavelengths beside an image, their unit if it is told, and a note where they are none."""
    near = _near(name, variables)
    for key, values in near.items():
        if not _WAVELENGTHS.fullmatch(_last(key)) or values.dtype.kind not in "iuf" or values.size < 2:
            continue
        if values.size != bands:
            if strict:
                raise InputError(f"{path}: {values.size} {key} for {bands} bands")
            return None, None, (f"{key!r} has {values.size} entries for {bands} bands and is left out",)
        units = [
            str(v.ravel()[0]) for k, v in near.items() if _UNIT.fullmatch(_last(k)) and v.dtype.kind in "US"
        ]
        told = text({str(k).lower(): v for k, v in attributes.get(key, {}).items()}.get("units"))
        units += [told] if told else []
        named = re.search(r"_(nm|um)$", key, re.IGNORECASE)
        return values.ravel(), units[0] if units else named[1] if named else None, ()
    return None, None, ()
