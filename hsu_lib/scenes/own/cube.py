"""What a file of an image holds: its numbers untouched, and all that it says of them."""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: Numbers that are looked at, or brought to reflectance, at once.
BLOCK = 2**21


@dataclass(frozen=True, eq=False)
class Cube:
    """An image as a reader found it. Nothing is decided here: see `hsu_lib.scenes.own.border`.

    Parameters
    ----------
    values
        Stored numbers, shape ``(bands, height, width)``: an array, or a view of a memory map.
    wavelengths
        Of the bands, in `unit`, shape ``(bands,)``; None where the file has none.
    unit
        Of the wavelengths, in the file's words; None where it does not say.
    good
        False where the file calls a band bad, shape ``(bands,)``; None where it calls none so.
    fill
        Stored numbers that the file declares to be no data. NaN is so without a word.
    mask
        False where the file says that a pixel does not count, shape ``(height, width)``; None where it does
        not say.
    gains, offsets
        By which a stored number is multiplied, and what is then added, shape ``(bands,)`` each; None for
        one and zero.
    scale
        Divisor to reflectance, after gain and offset; None where the file names none.
    quantity
        What the numbers are, after gain and offset, in the file's words: ``"%"``, ``"W/(m^2 sr nm)"``.
    full
        Full count of the sensor that the file names.
    said
        Where gains and scale are named, for messages: ``"field.hdr"``.
    georeference
        As that of `Scene`.
    companions
        ``E``, ``A`` and ``materials`` for the arguments of `Scene` of the same names, axes as theirs; E
        still in the file's unit.
    notes
        How the numbers were found, a sentence each.
    """

    values: NDArray
    wavelengths: ArrayLike | None = None
    unit: str | None = None
    good: NDArray[np.bool_] | None = None
    fill: tuple[float, ...] = ()
    mask: NDArray[np.bool_] | None = None
    gains: NDArray | None = None
    offsets: NDArray | None = None
    scale: float | None = None
    quantity: str = ""
    full: float | None = None
    said: str = ""
    georeference: Mapping[str, Any] | None = None
    companions: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def row_blocks(values: NDArray, bands: int, limit: int = BLOCK) -> Iterator[slice]:
    """Slices of whole rows of an image ``(all bands, height, width)``, about `limit` numbers of `bands` each.

    Between one and the next, memory that a map of the file took goes back.
    """
    _, height, width = values.shape
    step = max(1, limit // max(1, bands * width))
    for top in range(0, height, step):
        yield slice(top, min(top + step, height))
        release(values)


def release(values: NDArray) -> None:
    """Give back the memory that a map of a file took; its pages are read again when they are asked for."""
    base: Any = values
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(base, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):  # not everywhere
        base.madvise(mmap.MADV_DONTNEED)
