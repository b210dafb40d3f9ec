"""Files of every known format, read by what they hold rather than by their names."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZipFile

from hsu_lib.errors import InputError, brief
from hsu_lib.scenes.own.arrays import read_arrays
from hsu_lib.scenes.own.content import content_of
from hsu_lib.scenes.own.cube import Cube
from hsu_lib.scenes.own.envi import header_of, read_envi
from hsu_lib.scenes.own.formats import has, read_other
from hsu_lib.scenes.own.header import is_header
from hsu_lib.scenes.own.reading import PLAIN, Reading


def open_cube(path: Path, reading: Reading = PLAIN) -> Cube:
    """What a file holds and says, nothing decided but which of its numbers are the image.

    Raises
    ------
    FileNotFoundError
        If there is no such file, or an ENVI header without its image.
    InputError
        If it cannot be read, or it is in doubt which numbers are the image.
    """
    try:
        return _read(path, reading)
    except (InputError, PermissionError):
        raise
    except MemoryError as error:
        raise InputError(
            f"{path}: is too large for this machine's memory, or damaged: {brief(error)}"
        ) from error
    except Exception as error:  # what the libraries raise over a damaged file is not listed anywhere
        if type(error) is FileNotFoundError:  # our own, of a file or its image
            raise
        raise InputError(f"{path}: cannot be read, is it damaged? {brief(error)}") from error


def _read(path: Path, reading: Reading) -> Cube:
    """What a file holds, by its content rather than by its name."""
    suffix = path.suffix.lower()
    if path.is_dir() and (
        suffix == ".zarr" or any((path / name).exists() for name in (".zgroup", "zarr.json"))
    ):
        return read_other(path, "zarr", reading)
    if path.is_dir():
        raise InputError(f"{path}: is a folder; give the file of an image in it")
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file")
    if not path.is_file():
        raise InputError(f"{path}: is no file, but a device or a pipe; give the file of an image")
    if path.stat().st_size == 0:
        raise InputError(f"{path}: is empty")
    kind = content_of(path)
    if kind == "zip" and not any(name.endswith(".npy") for name in ZipFile(path).namelist()):
        raise InputError(f"{path}: is a zip archive without arrays of NumPy: unzip it and give its image")
    if kind == "matlab" or (suffix == ".mat" and kind in ("", "hdf5")):
        return read_arrays(path, "matlab", reading)
    if kind in ("numpy", "zip") or (suffix in (".npz", ".npy") and kind == ""):
        return read_arrays(path, "numpy", reading)
    header = header_of(path)
    if header is not None and (suffix != ".hdr" or is_header(path) or kind == ""):
        return read_envi(path, header, reading)
    if kind == "gzip":
        raise InputError(f"{path}: is compressed ({kind}); decompress it first")
    if kind in ("hdf5", "tiff", "netcdf"):
        return read_other(path, kind, reading)
    expected = (
        f"{path}: expected .mat, .npz, .npy or an ENVI image with its header (.hdr) beside it, TIFF, HDF5, "
        "or with the extra 'formats' NetCDF, Zarr and what GDAL reads; convert other formats first"
    )
    if has("rasterio"):
        try:
            cube = read_other(path, "")
        except Exception as error:
            raise InputError(expected) from error
        if len(cube.values) > 4:  # a photograph is no hyperspectral image
            return cube
    raise InputError(expected)
