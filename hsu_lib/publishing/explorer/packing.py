"""Data as script files: what a page that is opened from a folder can load, since browsers refuse it all else.

A packet is a header, which is JSON, and arrays behind it; it is deflated and written as base64 into a script
that hands it to the page: ``hsuData("NAME", PART, PARTS, "...")``.
"""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hsu_lib.atomic import write_atomically

#: Most characters of base64 in one script.
MOST = 1_900_000


def steps(values: ArrayLike, kind: type = np.uint8, *, ends: tuple[float, float] | None = None) -> Packed:
    """Numbers as whole steps between two ends; what is not finite is the highest step, which is kept for it.

    Parameters
    ----------
    values
        Any shape.
    kind
        ``numpy.uint8``: 254 steps; ``numpy.uint16``: 65534.
    ends
        What the first and the last step stand for; by default the least and the largest value.

    Examples
    --------
    >>> packed = steps([0.0, 0.5, 1.0, float("nan")])
    >>> packed.array.tolist(), packed.ends
    ([0, 127, 254, 255], (0.0, 1.0))
    """
    x = np.asarray(values, dtype=np.float64)
    known = np.isfinite(x)
    low, high = ends or ((float(x[known].min()), float(x[known].max())) if known.any() else (0.0, 0.0))
    top = np.iinfo(kind).max
    with np.errstate(invalid="ignore"):
        part = np.clip((x - low) / ((high - low) or 1.0), 0, 1)
    return Packed(np.where(known, np.round(part * (top - 1)), top).astype(kind), (low, high))


class Packed:
    """Steps with their ends; see `steps`."""

    def __init__(self, array: NDArray, ends: tuple[float, float]) -> None:
        self.array, self.ends = array, ends

    def values(self) -> NDArray[np.float64]:
        """The numbers again, half a step off at most."""
        low, high = self.ends
        top = np.iinfo(self.array.dtype).max
        return np.where(self.array == top, np.nan, low + self.array / (top - 1) * (high - low))


def packet(header: Mapping[str, Any], arrays: Mapping[str, Packed]) -> bytes:
    """A header and arrays as one deflated piece; `unpacked` is the inverse."""
    places, blob = {}, bytearray()
    for name, packed in arrays.items():
        blob += b"\0" * (-len(blob) % 2)
        places[name] = {
            "bytes": packed.array.itemsize,
            "shape": packed.array.shape,
            "ends": packed.ends,
            "at": len(blob),
        }
        blob += packed.array.astype(packed.array.dtype.newbyteorder("<")).tobytes()
    text = json.dumps({**header, "arrays": places}, separators=(",", ":"), allow_nan=False).encode()
    text += b" " * (-len(text) % 2)
    return zlib.compress(len(text).to_bytes(4, "little") + text + bytes(blob), 6)


def unpacked(data: bytes) -> tuple[dict[str, Any], dict[str, Packed]]:
    """Header and arrays of a `packet`."""
    content = zlib.decompress(data)
    end = 4 + int.from_bytes(content[:4], "little")
    header = json.loads(content[4:end])
    arrays = {}
    for name, place in header.pop("arrays").items():
        kind = np.dtype(f"<u{place['bytes']}")
        count = int(np.prod(place["shape"]))
        array = np.frombuffer(content, kind, count, end + place["at"]).reshape(place["shape"])
        arrays[name] = Packed(array, tuple(place["ends"]))
    return header, arrays


def write(folder: Path, name: str, data: bytes) -> list[Path]:
    """Write a packet as ``NAME.js`` and, where it is long, ``NAME.1.js`` and so on; the files."""
    text = base64.b64encode(data).decode()
    pieces = [text[at : at + MOST] for at in range(0, len(text), MOST)]
    written = []
    for k, piece in enumerate(pieces):
        path = folder / (f"{name}.{k}.js" if k else f"{name}.js")
        write_atomically(path, f'hsuData("{name}",{k},{len(pieces)},"{piece}")\n'.encode())
        written.append(path)
    return written


def read(folder: Path, name: str) -> tuple[dict[str, Any], dict[str, Packed]]:
    """Inverse of `write`."""
    found = re.compile(r'hsuData\("([^"]+)",(\d+),(\d+),"([^"]*)"\)\n')
    texts, parts, k = [], 1, 0
    while k < parts:
        match = found.fullmatch((folder / (f"{name}.{k}.js" if k else f"{name}.js")).read_text())
        if match is None or match[1] != name or int(match[2]) != k:
            raise ValueError(f"{folder / name}: is no data of the explorer")
        parts, k = int(match[3]), k + 1
        texts.append(match[4])
    return unpacked(base64.b64decode("".join(texts)))


def axis(bands: int, wavelengths: ArrayLike | None) -> dict[str, Any]:
    """Bands in the order of their wavelengths, with a gap where some were removed.

    Parameters
    ----------
    bands
        How many.
    wavelengths
        In nm, shape ``(bands,)``; None where they are not known: then bands are counted from 1.

    Returns
    -------
    dict
        ``label``; ``x``, the places along the axis; and ``bands``, from 0, None at a gap.

    Examples
    --------
    >>> axis(4, np.array([400.0, 410.0, 500.0, 420.0]))["bands"]
    [0, 1, 3, None, 2]
    """
    x = np.arange(1.0, bands + 1) if wavelengths is None else np.asarray(wavelengths, dtype=np.float64)
    order = np.argsort(x, kind="stable")
    gaps = np.diff(x[order])
    usual = np.median(gaps[gaps > 0]) if (gaps > 0).any() else np.inf
    places: list[tuple[float, int | None]] = []
    for gap, k in zip([0.0, *gaps], order.tolist(), strict=True):
        places += [(x[k] - gap / 2, None)] if gap > 5 * usual else []
        places.append((x[k], k))
    return {
        "label": "band" if wavelengths is None else "wavelength (nm)",
        "x": [round(float(at), 2) for at, _ in places],
        "bands": [k for _, k in places],
    }
