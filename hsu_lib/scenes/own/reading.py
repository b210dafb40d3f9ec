"""What a user says of an image file that does not say it itself, in one value for readers and border."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hsu_lib.errors import InputError
from hsu_lib.scenes.own.layouts import LAYOUTS

#: Stored numbers that are no data: one, several, or ``"none"``, whatever the file says; None: what it says.
#: ``"border"`` among them: pixels along the edge, and others, of one and the same spectrum.
NoData = float | str | Sequence[float | str] | None


@dataclass(frozen=True)
class Reading:
    """How a file is to be read; the fields are the arguments of `hsu_lib.scenes.read_image`.

    Parameters
    ----------
    variable
        Which array of several is the image.
    layout
        Order of its axes, see `hsu_lib.scenes.own.layouts`.
    size
        ``(height, width)`` in pixels of a matrix.
    scale
        Divisor to reflectance, after gains and offsets of the file.
    nodata
        See `NoData`.

    Raises
    ------
    InputError
        If there is no such layout.
    """

    variable: str | None = None
    layout: str | None = None
    size: tuple[int, int] | None = None
    scale: float | None = None
    nodata: NoData = None

    def __post_init__(self) -> None:
        if self.layout is not None and self.layout not in LAYOUTS:
            raise InputError(f"unknown layout {self.layout!r}; known are {', '.join(LAYOUTS)}")


#: Nothing said.
PLAIN = Reading()
