"""An image file of any known format as a `Scene`."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZipFile

from hsu_lib.errors import InputError, brief
from hsu_lib.scene import Scene
from hsu_lib.scenes.own.arrays import read_arrays
from hsu_lib.scenes.own.border import NoData, checked
from hsu_lib.scenes.own.content import content_of
from hsu_lib.scenes.own.cube import Cube
from hsu_lib.scenes.own.envi import header_of, read_envi
from hsu_lib.scenes.own.formats import has, read_other
from hsu_lib.scenes.own.header import is_header
from hsu_lib.scenes.own.layouts import LAYOUTS
from hsu_lib.scenes.own.opened import OwnImage


def read_image(
    path: str | Path,
    *,
    variable: str | None = None,
    layout: str | None = None,
    size: tuple[int, int] | None = None,
    scale: float | None = None,
    nodata: NoData = None,
) -> Scene:
    """Hyperspectral image of a file, as a `Scene`.

    Parameters
    ----------
    path
        ``.mat`` (version 5 or 7.3), ``.npz``, ``.npy``; ENVI: its header or its image; TIFF; HDF5 and, with
        the extra ``formats``, what GDAL reads, NetCDF and Zarr. PRISMA, EMIT and EnMAP products are known.
    variable
        Which array of a file that holds several; of a ``.mat``, dotted for structs and cells; of a TIFF, the
        number of the image.
    layout
        Order of its axes, see `hsu_lib.scenes.own.layouts`; of ENVI, instead of the header's interleave.
        Other formats know theirs.
    size
        ``(height, width)`` in pixels for a matrix in a file that does not hold them.
    scale
        Divisor that brings the numbers to reflectance, 10000 for instance; gains and offsets of the file are
        applied before. By default that of the file is taken; else numbers with a 99.9th percentile up to 2
        are reflectance, and 10000 is taken where that fits it.
    nodata
        Stored number that means no data, several of them, or ``"none"``; by default that of the file. NaN
        always means it. ``"border"``, alone or with numbers, leaves out pixels along the edge, and others,
        that hold one and the same spectrum.

    Returns
    -------
    Scene
        Pixels without data masked, bands without data or called bad left out (`Scene.kept`), wavelengths in
        nm. From a ``.npz`` it has the arrays ``E`` (bands, endmembers; the image's unit or reflectance),
        ``A`` (axes as the image's, endmembers in place of bands), ``materials`` and ``wavelengths`` where
        the file holds them. `read` says, and `reference` repeats, how the file was read.

    Raises
    ------
    FileNotFoundError
        If there is no such file, or an ENVI header without its image.
    InputError
        If it cannot be a hyperspectral image, contradicts itself, or does not say enough to be sure how to
        read it. The message names what settles it.
    """
    image = open_image(path, variable=variable, layout=layout, size=size, scale=scale, nodata=nodata)
    try:
        return image.scene()
    except ValueError as error:
        raise _of_file(image.path, error) from error


def open_image(
    path: str | Path,
    *,
    variable: str | None = None,
    layout: str | None = None,
    size: tuple[int, int] | None = None,
    scale: float | None = None,
    nodata: NoData = None,
) -> OwnImage:
    """The same, checked and described, but not yet brought to reflectance: for large images.

    Numbers of ENVI and ``.npy`` stay on the disk; `OwnImage.blocks` has them a few rows at a time.
    """
    path = Path(path).expanduser()
    cube = open_cube(path, variable=variable, layout=layout, size=size)
    return checked(path, cube, nodata=nodata, scale=scale)


def open_cube(
    path: Path, *, variable: str | None = None, layout: str | None = None, size: tuple[int, int] | None = None
) -> Cube:
    """What a file holds and says, nothing decided but which of its numbers are the image."""
    if layout is not None and layout not in LAYOUTS:
        raise InputError(f"unknown layout {layout!r}; known are {', '.join(LAYOUTS)}")
    try:
        return _read(path, variable, layout, size)
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


def _read(path: Path, variable: str | None, layout: str | None, size: tuple[int, int] | None) -> Cube:
    """What a file holds, by its content rather than by its name."""
    suffix = path.suffix.lower()
    if path.is_dir() and (
        suffix == ".zarr" or any((path / name).exists() for name in (".zgroup", "zarr.json"))
    ):
        return read_other(path, "zarr", variable=variable, layout=layout)
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
        return read_arrays(path, "matlab", variable, layout, size)
    if kind in ("numpy", "zip") or (suffix in (".npz", ".npy") and kind == ""):
        return read_arrays(path, "numpy", variable, layout, size)
    header = header_of(path)
    if header is not None and (suffix != ".hdr" or is_header(path) or kind == ""):
        return read_envi(path, header, variable, layout, size)
    if kind == "gzip":
        raise InputError(f"{path}: is compressed ({kind}); decompress it first")
    if kind in ("hdf5", "tiff", "netcdf"):
        return read_other(path, kind, variable=variable, layout=layout, size=size)
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


def _of_file(path: Path, error: ValueError) -> InputError:
    return error if isinstance(error, InputError) else InputError(f"{path}: {brief(error)}")
