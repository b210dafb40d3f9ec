"""Many curves in few bytes and without loss: what a published record keeps of them in one array."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

_KINDS = ("<f4", "<i4")
_ORDERS = (0, 1, 2, 3)


def compacted(arrays: Mapping[str, NDArray]) -> NDArray[np.uint8]:
    """One array of bytes that `deflate` makes small, and `expanded` makes the arrays of again, to the bit.

    The bits of each array are taken as whole numbers, and differences of neighbours along the first axis are
    kept, of the order that compresses best. First all highest bytes, then all second ones: of a smooth curve
    most are zero. Before them stand four bytes with the length of a list of names, types, shapes (lengths, of
    one axis) and orders in JSON.

    Parameters
    ----------
    arrays
        Of float32 or int32, by name.

    Raises
    ------
    ValueError
        If one is something else.
    """
    told, parts = [], []
    for name, array in arrays.items():
        kind = array.dtype.newbyteorder("<").str
        if kind not in _KINDS:
            raise ValueError(f"{name}: expected float32 or int32, got {array.dtype}")
        bits = np.ascontiguousarray(array.ravel(order="F"), dtype=kind).view("<u4")
        made = [_differences(bits, order) for order in _ORDERS]
        order = min(_ORDERS, key=lambda k: len(zlib.compress(_planes(made[k]).tobytes())))
        told.append([name, kind, array.size if array.ndim == 1 else list(array.shape), order])
        parts.append(made[order])
    head = json.dumps(told).encode()
    size = np.array([len(head)], dtype="<u4").view(np.uint8)
    body = _planes(np.concatenate([np.zeros(0, dtype="<u4"), *parts]))
    return np.concatenate([size, np.frombuffer(head, dtype=np.uint8), body])


def expanded(data: NDArray[np.uint8]) -> dict[str, NDArray]:
    """Inverse of `compacted`."""
    return dict(_expanded(np.ascontiguousarray(data)))


def _expanded(data: NDArray[np.uint8]) -> Iterator[tuple[str, NDArray]]:
    end = 4 + int(data[:4].view("<u4")[0])
    planes = data[end:].reshape(4, -1)
    bits = np.ascontiguousarray(planes[::-1].T).view("<u4")[:, 0]
    first = 0
    for name, kind, shape, order in json.loads(data[4:end].tobytes()):
        size = int(np.prod(shape, dtype=np.int64))
        part = _signed(bits[first : first + size])
        for _ in range(order):
            part = np.cumsum(part, dtype=np.uint32)
        yield name, np.ascontiguousarray(part.astype("<u4").view(kind).reshape(shape, order="F"))
        first += size


def _differences(bits: NDArray[np.uint32], order: int) -> NDArray[np.uint32]:
    """Differences modulo 2^32, small negative ones as small numbers too: 0, -1, 1, -2 to 0, 1, 2, 3."""
    for _ in range(order):
        bits = np.diff(bits, prepend=np.zeros(1, dtype=bits.dtype))
    return (bits << np.uint32(1)) ^ (np.uint32(0) - (bits >> np.uint32(31)))


def _signed(folded: NDArray[np.uint32]) -> NDArray[np.uint32]:
    return (folded >> np.uint32(1)) ^ (np.uint32(0) - (folded & np.uint32(1)))


def _planes(numbers: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """Their bytes, the highest of all numbers first."""
    return np.ascontiguousarray(numbers.astype("<u4").view(np.uint8).reshape(-1, 4).T[::-1]).ravel()
