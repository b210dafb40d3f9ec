"""An image file of any known format as a `Scene`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hsu_lib.scene import Scene
from hsu_lib.scenes.own.arrays import read_arrays
from hsu_lib.scenes.own.envi import header_of, read_envi
from hsu_lib.scenes.own.layouts import LAYOUTS, as_cube


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
        Order of its axes, see `hsu_lib.scenes.own.layouts`; ENVI files know theirs.
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
    if path.suffix.lower() in (".mat", ".npz", ".npy"):
        stored = read_arrays(path, variable, layout, size)
    elif header := header_of(path):
        stored = read_envi(path, header)
    else:
        raise ValueError(
            f"{path}: expected .mat, .npz, .npy or an ENVI image with its header (.hdr) beside it; "
            "convert other formats first"
        )
    cube = as_cube(path, stored.values, stored.layout, stored.size)
    _check(path, cube)
    notes, companions = list(stored.notes), dict(stored.companions)
    scale = stored.scale if scale is None else scale
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
        companions["A"] = as_cube(path, companions["A"], stored.layout, stored.size)
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
