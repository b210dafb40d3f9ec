"""Orders of the axes of a stored image.

Files do not say which axis holds the bands. It is told by what lies beside the array (wavelengths, a number
of bands); conventions are followed only where the format has one, and written into `Scene.read`; elsewhere
the axis order must be given as a `layout`:

========== ===============================================================
``"hwb"``  cube (height, width, bands); the default for ``.mat``
``"bhw"``  cube (bands, height, width), that of this library
``"hbw"``  cube (height, bands, width), that of line scanners
``"b(hw)"`` matrix (bands, pixels), pixels row by row (NumPy's order)
``"b(wh)"`` matrix (bands, pixels), pixels column by column (MATLAB's order)
``"(hw)b"`` matrix (pixels, bands), pixels row by row
``"(wh)b"`` matrix (pixels, bands), pixels column by column
========== ===============================================================
"""

from __future__ import annotations

from pathlib import Path

from numpy.typing import NDArray

from hsu_lib.errors import InputError, option

LAYOUTS = ("hwb", "bhw", "hbw", "b(hw)", "b(wh)", "(hw)b", "(wh)b")


def as_cube(path: Path, values: NDArray, layout: str, size: tuple[int, int] | None) -> NDArray:
    """Array in a layout as a cube (bands, height, width)."""
    if values.ndim != (2 if "(" in layout else 3):
        raise InputError(f"{path}: layout {layout!r} does not fit an array of shape {values.shape}")
    if layout == "bhw":
        return values
    if layout in ("hwb", "hbw"):
        return values.transpose((2, 0, 1) if layout == "hwb" else (1, 0, 2))
    matrix = values if layout.startswith("b") else values.T
    if size is None or matrix.shape[1] != size[0] * size[1]:
        wanted = option("size", python="(height, width)", command="HEIGHT WIDTH")
        raise InputError(
            f"{path}: a matrix of {matrix.shape[1]} pixels in layout {layout!r} needs {wanted} "
            f"with that product, got {size}"
        )
    height, width = size
    if "(hw)" in layout:
        return matrix.reshape(-1, height, width)
    return matrix.reshape(-1, width, height).transpose(0, 2, 1)
