"""MATLAB files, of version 5 and 7.3: those of public scenes, and a user's own."""

from __future__ import annotations

import math
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def read_mat(source: Path | bytes) -> dict[str, NDArray]:
    """Arrays of a MATLAB file, axes in MATLAB's order; version 7.3 is HDF5 and is read as such."""
    from scipy.io import loadmat

    def opened() -> Any:
        return BytesIO(source) if isinstance(source, bytes) else str(source)

    try:
        return {k: v for k, v in loadmat(opened()).items() if isinstance(v, np.ndarray)}
    except (NotImplementedError, ValueError) as error:  # scipy's answers to 7.3 and to bare HDF5
        import h5py

        try:
            with h5py.File(opened()) as file:  # HDF5 holds the axes reversed
                return {k: np.asarray(v).T for k, v in file.items() if isinstance(v, h5py.Dataset)}
        except OSError:
            raise error from None


def read_nested(path: Path) -> dict[str, NDArray]:
    """Arrays of a MATLAB file, those inside structs and cells too, by dotted name.

    ``s.cube`` is a field of a struct, ``c.2`` the second cell, ``s.2.cube`` a field of the second of many
    structs. Axes are in MATLAB's order and none is dropped, so a cube of one row stays a cube (which is why
    no reader is used that squeezes them).
    """
    from scipy.io import loadmat

    try:
        _check_sizes(path)
        held = loadmat(str(path), struct_as_record=True, squeeze_me=False)
        return {
            name: values
            for key, value in held.items()
            if not key.startswith("__")
            for name, values in _inside(key, value)
        }
    except (NotImplementedError, ValueError) as error:  # scipy's answers to 7.3 and to bare HDF5
        import h5py

        try:
            with h5py.File(str(path)) as file:
                return {
                    name: values
                    for key in file
                    if not key.startswith("#")
                    for name, values in _inside_hdf5(file, key, file[key])
                }
        except OSError:
            raise error from None


def _check_sizes(path: Path) -> None:
    """No array is larger than its file can hold; scipy would ask for the memory of a damaged size."""
    from scipy.io import whosmat

    most = 1100 * path.stat().st_size  # what zlib can make of it
    for name, shape, _ in whosmat(str(path)):
        if math.prod(map(int, shape)) > most:
            raise OSError(f"array {name!r} of {shape} is larger than the file can hold")


def _inside(name: str, value: Any) -> Iterator[tuple[str, NDArray]]:
    """Arrays of a value that scipy read."""
    if not isinstance(value, np.ndarray):
        return
    if value.dtype.names:
        for number, record in enumerate(value.ravel(order="F"), start=1):
            for field in value.dtype.names:
                yield from _inside(_numbered(name, number, value.size) + f".{field}", record[field])
    elif value.dtype.kind == "O":
        for number, cell in enumerate(value.ravel(order="F"), start=1):
            yield from _inside(f"{name}.{number}", cell)
    else:
        yield name, value


def _inside_hdf5(file: Any, name: str, value: Any) -> Iterator[tuple[str, NDArray]]:
    """Arrays of a part of a 7.3 file, in which cells and arrays of structs are references."""
    import h5py

    if isinstance(value, h5py.Group):
        for field in value:
            yield from _inside_hdf5(file, f"{name}.{field}", value[field])
    elif isinstance(value, h5py.Dataset) and not value.attrs.get("MATLAB_empty", 0):
        kind = value.attrs.get("MATLAB_class", b"")
        kind = kind.decode() if isinstance(kind, bytes) else str(kind)
        if value.dtype == h5py.ref_dtype:
            for number, reference in enumerate(np.asarray(value).ravel(), start=1):
                if reference:
                    yield from _inside_hdf5(file, f"{name}.{number}", file[reference])
        elif kind == "char":
            codes = np.asarray(value).T.astype(np.uint32)
            yield name, np.array(["".join(map(chr, row)) for row in np.atleast_2d(codes)])
        else:
            values = np.asarray(value).T  # HDF5 holds the axes reversed
            yield name, values.astype(bool) if kind == "logical" else values


def _numbered(name: str, number: int, of: int) -> str:
    return name if of == 1 else f"{name}.{number}"
