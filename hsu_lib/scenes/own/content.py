"""What a file is by its first bytes, whatever it is called."""

from __future__ import annotations

from pathlib import Path

_BEGINNINGS = {
    "tiff": (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
    "netcdf": (b"CDF\x01", b"CDF\x02", b"CDF\x05"),
    "numpy": (b"\x93NUMPY",),
    "matlab": (b"MATLAB 5.0 MAT-file", b"MATLAB 7.3 MAT-file"),
    "gzip": (b"\x1f\x8b",),
    "zip": (b"PK\x03\x04",),
    "png": (b"\x89PNG",),
    "jpeg": (b"\xff\xd8\xff",),
}
_HDF5 = b"\x89HDF\r\n\x1a\n"


def content_of(path: Path) -> str:
    """``"tiff"``, ``"hdf5"`` and so on; "" where the first bytes tell nothing."""
    with path.open("rb") as file:
        start = file.read(2056)
    for kind, beginnings in _BEGINNINGS.items():
        if start.startswith(beginnings):
            return kind
    return "hdf5" if any(start[at : at + 8] == _HDF5 for at in (0, 512, 1024, 2048)) else ""
