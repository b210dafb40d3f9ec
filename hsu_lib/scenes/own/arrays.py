"""MATLAB and NumPy files: named arrays, one of which is the image."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hsu_lib.scenes.matlab import read_mat
from hsu_lib.scenes.own.stored import Stored

_HEIGHT_KEYS = ("height", "rows", "nrow", "nrows", "lines")
_WIDTH_KEYS = ("width", "cols", "ncol", "ncols", "samples", "columns")
_COMPANIONS = ("E", "A", "materials", "wavelengths")


def read_arrays(path: Path, variable: str | None, layout: str | None, size: tuple[int, int] | None) -> Stored:
    """Image of a ``.mat``, ``.npz`` or ``.npy``; arguments as those of `read_image`."""
    variables = _variables(path)
    name = _choose(path, variables, variable)
    values = variables[name]
    size = size or _size_in(variables)
    companions = {k: v for k, v in variables.items() if k in _COMPANIONS and k != name}
    companions = companions if path.suffix.lower() == ".npz" else {}
    layout = layout or _layout_of(path, name, values, companions, size)
    return Stored(values, layout, size, companions=companions, notes=(f"array {name!r} read as {layout}",))


def _variables(path: Path) -> dict[str, NDArray]:
    try:
        if path.suffix.lower() == ".mat":
            return read_mat(path)
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return {"array": loaded}
        with loaded:
            return {name: loaded[name] for name in loaded.files}
    except Exception as error:  # numpy raises whatever its zip and header parsers raise
        raise ValueError(f"{path}: cannot be read, is it damaged? {error}") from error


def _choose(path: Path, variables: Mapping[str, NDArray], wanted: str | None) -> str:
    """Name of the image among the arrays of a file."""
    held = ", ".join(f"{k} {v.shape} {v.dtype}" for k, v in variables.items()) or "nothing"
    if wanted is not None:
        if wanted not in variables:
            raise ValueError(f"{path}: no variable {wanted!r}; it holds {held}")
        if variables[wanted].dtype.kind not in "iuf" or variables[wanted].ndim not in (2, 3):
            raise ValueError(f"{path}: {wanted!r} is no real 3-D or 2-D array of numbers; it holds {held}")
        return wanted
    numeric = {k: v for k, v in variables.items() if v.dtype.kind in "iuf" and k not in _COMPANIONS}
    cubes = [k for k, v in numeric.items() if v.ndim == 3]
    size = _size_in(variables)
    matrices = [k for k, v in numeric.items() if v.ndim == 2 and min(v.shape) > 1]
    if size is not None:
        matrices = [k for k in matrices if size[0] * size[1] in numeric[k].shape]
    found = cubes or matrices
    if len(found) == 1:
        return found[0]
    if found:
        raise ValueError(f"{path}: give variable= one of {', '.join(found)} as the image; it holds {held}")
    raise ValueError(
        f"{path}: no image in it. Expected an array of real numbers with three axes, or a matrix of pixels; "
        f"it holds {held}"
    )


def _size_in(variables: Mapping[str, NDArray]) -> tuple[int, int] | None:
    scalars = {k.lower(): v for k, v in variables.items() if v.size == 1 and v.dtype.kind in "iuf"}
    heights = [int(scalars[key].item()) for key in _HEIGHT_KEYS if key in scalars]
    widths = [int(scalars[key].item()) for key in _WIDTH_KEYS if key in scalars]
    return (heights[0], widths[0]) if heights and widths else None


def _layout_of(
    path: Path, name: str, values: NDArray, companions: Mapping[str, NDArray], size: tuple[int, int] | None
) -> str:
    """Layout of an array where the file, or the convention of its format, settles it."""
    what, matlab = f"{path}: array {name!r} {values.shape}", path.suffix.lower() == ".mat"
    if values.ndim == 3:
        if matlab:
            return "hwb"
        lengths = {len(companions[k]) for k in ("E", "wavelengths") if k in companions}
        fits = [layout for layout, axis in (("bhw", 0), ("hwb", 2)) if {values.shape[axis]} == lengths]
        if len(fits) == 1:
            return fits[0]
        raise ValueError(
            f"{what} does not say which axis holds the bands: give layout='hwb' if it is "
            "(height, width, bands), layout='bhw' if it is (bands, height, width)"
        )
    if size is None:
        raise ValueError(
            f"{what} is a matrix of pixels: give size=(height, width), and its layout if it is not .mat"
        )
    pixel_axes = [axis for axis in (0, 1) if values.shape[axis] == size[0] * size[1]]
    if matlab and len(pixel_axes) == 1:
        return ("(wh)b", "b(wh)")[pixel_axes[0]]
    raise ValueError(
        f"{what} is a matrix for {size[0]} x {size[1]} pixels (height x width) and does not say in which "
        f"order: "
        "give layout= one of b(hw), b(wh), (hw)b, (wh)b; hw is row by row, wh column by column"
    )
