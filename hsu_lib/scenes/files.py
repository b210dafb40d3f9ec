"""A user's own image: MATLAB (version 5 and 7.3), NumPy and ENVI files.

Files do not say which axis holds the bands. Conventions are followed only where the format has one and
each is written into `Scene.reference`; elsewhere the axis order must be given as a `layout`:

========== ===============================================================
``"hwb"``  cube (height, width, bands); the default for ``.mat``
``"bhw"``  cube (bands, height, width), that of this library
``"b(hw)"`` matrix (bands, pixels), pixels row by row (NumPy's order)
``"b(wh)"`` matrix (bands, pixels), pixels column by column (MATLAB's order)
``"(hw)b"`` matrix (pixels, bands), pixels row by row
``"(wh)b"`` matrix (pixels, bands), pixels column by column
========== ===============================================================
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsu_lib.scene import Scene
from hsu_lib.scenes.matlab import read_mat

LAYOUTS = ("hwb", "bhw", "b(hw)", "b(wh)", "(hw)b", "(wh)b")
_HEIGHT_KEYS = ("height", "rows", "nrow", "nrows", "lines")
_WIDTH_KEYS = ("width", "cols", "ncol", "ncols", "samples", "columns")
_COMPANIONS = ("E", "A", "materials", "wavelengths")


def read_image(
    path: str | Path,
    *,
    variable: str | None = None,
    layout: str | None = None,
    size: tuple[int, int] | None = None,
    scale: float | None = None,
) -> Scene:
    """Hyperspectral image of a file, as a `Scene`.

    Parameters
    ----------
    path
        ``.mat`` (version 5 or 7.3), ``.npz``, ``.npy``, or ENVI: its header or its image.
    variable
        Which array of a ``.mat`` or ``.npz``; needed where several could be the image.
    layout
        Order of its axes, see the module; ENVI files know theirs.
    size
        ``(height, width)`` in pixels for a matrix in a file that does not hold them.
    scale
        Divisor that brings the numbers to reflectance, 10000 for instance. By default an ENVI header's
        reflectance scale factor is taken; else counts (integers, or numbers above 2) are divided by
        their largest, and reflectances are taken as they are.

    Returns
    -------
    Scene
        With the wavelengths of an ENVI header in nm, and from a ``.npz`` the arrays ``E`` (bands, endmembers;
        the image's unit), ``A`` (axes as the image's, endmembers in place of bands), ``materials`` and
        ``wavelengths`` (nm) where it holds them. `reference` says how the numbers were read.

    Raises
    ------
    FileNotFoundError
        If there is no such file, or an ENVI header without its image.
    ValueError
        If it cannot be a hyperspectral image, or does not say enough to be sure how to read it.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    if layout is not None and layout not in LAYOUTS:
        raise ValueError(f"unknown layout {layout!r}; known are {', '.join(LAYOUTS)}")
    suffix = path.suffix.lower()
    if suffix in (".mat", ".npz", ".npy"):
        variables = _variables(path)
        name = _choose(path, variables, variable)
        values = variables[name]
        size = size or _size_in(variables)
        companions = {k: v for k, v in variables.items() if k in _COMPANIONS and k != name}
        companions = companions if suffix == ".npz" else {}
        layout = layout or _layout_of(path, name, values, companions, size)
        notes = [f"array {name!r} read as {layout}"]
    elif header := _envi_header(path):
        values, companions, known_scale, notes = _read_envi(path, header)
        layout, scale = "hwb", known_scale if scale is None else scale
    else:
        raise ValueError(
            f"{path}: expected .mat, .npz, .npy or an ENVI image with its header (.hdr) beside it; "
            "convert other formats first"
        )
    cube = _cube(path, values, layout, size)
    _check(path, cube)
    if scale is None:
        counts = cube.dtype.kind in "iu" or cube.max() > 2
        scale = float(cube.max()) if counts else 1.0
        if counts:
            notes.append(f"counts divided by the largest, {scale:g}")
    elif scale > 0:
        notes.append(f"divided by {scale:g}")
    else:
        raise ValueError(f"scale: expected a positive divisor, got {scale}")
    if "A" in companions:
        companions["A"] = _cube(path, companions["A"], layout, size)
    if "E" in companions:
        companions["E"] = companions["E"] / scale
    materials = tuple(str(material) for material in np.ravel(companions.pop("materials", ())))
    return Scene(
        np.divide(cube, scale, dtype=np.float32, casting="same_kind"),
        materials=materials,
        name=path.stem,
        reference=f"own image {path.name}: {'; '.join(notes)}",
        **companions,
    )


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


def _cube(path: Path, values: NDArray, layout: str, size: tuple[int, int] | None) -> NDArray:
    """Array in a layout as a cube (bands, height, width)."""
    if values.ndim != (2 if "(" in layout else 3):
        raise ValueError(f"{path}: layout {layout!r} does not fit an array of shape {values.shape}")
    if layout == "bhw":
        return values
    if layout == "hwb":
        return values.transpose(2, 0, 1)
    matrix = values if layout.startswith("b") else values.T
    if size is None or matrix.shape[1] != size[0] * size[1]:
        raise ValueError(
            f"{path}: a matrix of {matrix.shape[1]} pixels in layout {layout!r} needs size=(height, width) "
            f"with that product, got {size}"
        )
    height, width = size
    if "(hw)" in layout:
        return matrix.reshape(-1, height, width)
    return matrix.reshape(-1, width, height).transpose(0, 2, 1)


def _check(path: Path, cube: NDArray) -> None:
    if cube.shape[0] < 2 or cube.size == 0:
        raise ValueError(f"{path}: an image of (bands, height, width) = {cube.shape} cannot be unmixed")
    bad = ~np.isfinite(cube)
    if bad.any():
        bands = np.flatnonzero(bad.any(axis=(1, 2)))
        raise ValueError(
            f"{path}: {bad.sum()} values are NaN or infinite, in {len(bands)} of {len(cube)} bands and "
            f"{bad.any(axis=0).sum()} of {cube[0].size} pixels; remove those bands or crop those pixels first"
        )
    if cube.max() <= 0:
        raise ValueError(f"{path}: no value above zero, so this is no image of reflected light")


def _envi_header(path: Path) -> Path | None:
    if path.suffix.lower() == ".hdr":
        return path
    beside = (path.with_suffix(".hdr"), path.with_name(path.name + ".hdr"))
    return next((header for header in beside if header.is_file()), None)


def _read_envi(path: Path, header: Path) -> tuple[NDArray, dict[str, Any], float | None, list[str]]:
    """Stored numbers (height, width, bands), wavelengths in nm, header's scale, and what was done."""
    from spectral.io import envi
    from spectral.io.spyfile import SpyException, SpyFile

    try:
        image = envi.open(str(header), None if path == header else str(path))
        if not isinstance(image, SpyFile):
            raise ValueError(f"{path}: an ENVI spectral library is no image")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of NaN: we refuse it ourselves, and say where it is
            values = np.asarray(image.load(scale=False, dtype=image.dtype))
    except envi.EnviDataFileNotFoundError as error:
        raise FileNotFoundError(f"{header}: its image does not lie beside it") from error
    except (envi.EnviException, SpyException, OSError, EOFError) as error:
        raise ValueError(f"{path}: cannot be read as ENVI, is it damaged? {error}") from error
    metadata, notes = image.metadata, ["ENVI image"]
    keep = np.ones(values.shape[2], dtype=bool)
    if "bbl" in metadata:
        keep = np.array(metadata["bbl"], dtype=float) > 0
        notes.append(f"{(~keep).sum()} bands left out that the header calls bad")
    values = values[:, :, keep]
    if "data ignore value" in metadata:
        ignored = int((values == float(metadata["data ignore value"])).any(axis=2).sum())
        if ignored:
            raise ValueError(
                f"{path}: {ignored} pixels hold the header's data ignore value, "
                f"{metadata['data ignore value']}; crop the image to where it has data"
            )
    companions = {}
    if image.bands.centers:
        centres = np.array(image.bands.centers, dtype=float)[keep]
        # no sensor of reflected light has a band below 100 nm: such numbers are micrometres
        companions["wavelengths"] = centres * 1000 if centres.max() < 100 else centres
    factor = metadata.get("reflectance scale factor")
    return values, companions, None if factor is None else float(factor), notes
