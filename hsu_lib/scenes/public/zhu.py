"""What the data sets around Zhu (2017) share: his citation, and how their MATLAB files are laid out."""

from __future__ import annotations

from numpy.typing import NDArray

ZHU = (
    "Zhu, Hyperspectral unmixing: ground truth labeling, datasets, benchmark performances and survey, "
    "arXiv:1708.05125 (2017)"
)


def image_of(matrix: NDArray, height: int, width: int) -> NDArray:
    """Cube ``(n, height, width)`` of a matrix ``(n, height * width)`` with column-major pixels."""
    return matrix.reshape(len(matrix), width, height).transpose(0, 2, 1)


def class_names(cood: NDArray) -> tuple[str, ...]:
    """Names of a MATLAB cell of ``"1-rock"``: ``"rock"``."""
    return tuple(str(cell[0]).split("-", 1)[-1].strip().lower() for cell in cood.ravel())
