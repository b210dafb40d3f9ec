"""What a file of an image holds, before it is brought to a cube of reflectance."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Stored:
    """An image as its file holds it, and what the file says of it.

    Parameters
    ----------
    values
        Stored numbers, axes as `layout` tells.
    layout
        One of `hsu_lib.scenes.own.layouts.LAYOUTS`.
    size
        ``(height, width)`` in pixels; None where a cube needs none, or nobody has told it.
    scale
        Divisor to reflectance that the file names; None where it names none.
    companions
        Arrays for the arguments of `Scene` of the same names.
    notes
        How the numbers were read, for the reader of a result.
    """

    values: NDArray
    layout: str
    size: tuple[int, int] | None = None
    scale: float | None = None
    companions: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
