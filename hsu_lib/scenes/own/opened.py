"""An image that passed the border: a `Scene`, at once or a block of rows at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsu_lib.scene import Array, Scene
from hsu_lib.scenes.own.cube import BLOCK, release, row_blocks
from hsu_lib.scenes.own.fill import Suspect


@dataclass(frozen=True, eq=False)
class OwnImage:
    """A user's image as its file holds it, with all that was decided about it.

    It costs no memory beyond what the reader took: a memory map (ENVI, ``.npy``) stays one.

    Parameters
    ----------
    path
        Of the file.
    values
        Stored numbers, shape ``(bands of the file, height, width)``.
    kept
        Bands that are used, counted from 0, shape ``(bands,)``.
    mask
        True where a pixel counts, shape ``(height, width)``; None where all do.
    gains, offsets
        Of the file's bands, or None for one and zero.
    divisor
        To reflectance, after gain and offset.
    wavelengths
        Of the kept bands, in nm, or None.
    companions
        ``E``, ``A`` and ``materials`` as for `Scene`.
    georeference
        As that of `Scene`.
    fill
        Declared fill values.
    suspects
        Constants that may be fill and were taken as measured, as asked.
    notes
        How it was read, a sentence each.
    """

    path: Path
    values: NDArray
    kept: NDArray[np.intp]
    mask: NDArray[np.bool_] | None = None
    gains: NDArray | None = None
    offsets: NDArray | None = None
    divisor: float = 1.0
    wavelengths: NDArray | None = None
    companions: Mapping[str, Any] = field(default_factory=dict)
    georeference: Mapping[str, Any] | None = None
    fill: tuple[float, ...] = ()
    suspects: tuple[Suspect, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Of the scene: that of the file."""
        return self.path.stem

    @property
    def bands(self) -> int:
        """Number of bands that are used."""
        return len(self.kept)

    @property
    def height(self) -> int:
        """Number of pixel rows."""
        return self.values.shape[1]

    @property
    def width(self) -> int:
        """Number of pixel columns."""
        return self.values.shape[2]

    @np.errstate(invalid="ignore")  # of signalling NaN
    def physical(self, rows: slice) -> NDArray[np.float64]:
        """Numbers of some rows with gains and offsets applied, shape ``(bands, rows, width)``."""
        block = np.array(self.values[self._selection, rows], dtype=np.float64)  # never the file's own
        if self.gains is not None:
            block = block * self.gains[self.kept][:, None, None]
        return block if self.offsets is None else block + self.offsets[self.kept][:, None, None]

    @property
    def _selection(self) -> slice | NDArray[np.intp]:
        every = len(self.kept) == len(self.values)
        return slice(None) if every else self.kept

    def sample(self, limit: int) -> NDArray[np.float64]:
        """About `limit` of the numbers, `physical`, shape ``(bands, pixels)``; all where there are fewer.

        Rows at equal distances, and of these all pixels that count.
        """
        counts = np.full(self.height, self.width) if self.mask is None else self.mask.sum(axis=1)
        rows = np.flatnonzero(counts)
        rows = rows[:: max(1, int(counts.sum()) * self.bands // limit)]
        parts = []
        for row in rows:
            block = self.physical(slice(row, row + 1))[:, 0]
            parts.append(block if self.mask is None else block[:, self.mask[row]])
            release(self.values)
        return np.concatenate(parts, axis=1)

    def reflectance(self, rows: slice) -> Array:
        """Some rows, float32 and read-only, shape ``(bands, rows, width)``; NaN where no pixel counts."""
        top, bottom, _ = rows.indices(self.height)
        out = np.empty((self.bands, bottom - top, self.width), dtype=np.float32)
        for part in row_blocks(self.values[:, top:bottom], self.bands):
            inside = slice(top + part.start, top + part.stop)
            block = self.physical(inside)
            block /= self.divisor
            if self.mask is not None:
                block[:, ~self.mask[inside]] = np.nan
            with np.errstate(over="ignore"):  # beyond float32 is infinite, which `Scene` refuses
                out[:, part] = block
        out.flags.writeable = False
        return out

    def scene(self, rows: slice | None = None) -> Scene:
        """The image, or some of its rows, as a `Scene`; a block without a pixel that counts is refused."""
        rows = slice(None) if rows is None else rows
        companions = dict(self.companions)
        if companions.get("A") is not None:
            companions["A"] = companions["A"][:, rows]
        mask = None if self.mask is None else self.mask[rows]
        return Scene(
            self.reflectance(rows),
            wavelengths=self.wavelengths,
            name=self.name,
            reference=f"own image {self.path.name}: {'; '.join(self.notes)}",
            mask=mask,
            kept=None if self.bands == len(self.values) else self.kept,
            georeference=self.georeference if rows == slice(None) else None,
            read=self.notes,
            **companions,
        )

    def blocks(self, limit: int = BLOCK) -> Iterator[tuple[slice, Scene]]:
        """Rows and the `Scene` of them, about `limit` numbers each; rows where no pixel counts are left out.

        Whatever treats each pixel by itself, such as FCLSU with given endmembers, needs no more memory than
        a block takes.
        """
        for rows in row_blocks(self.values, self.bands, limit):
            if self.mask is None or self.mask[rows].any():
                yield rows, self.scene(rows)
