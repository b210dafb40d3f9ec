"""An image file of any known format as a `Scene`."""

from __future__ import annotations

from pathlib import Path

from hsu_lib.errors import InputError, brief
from hsu_lib.scene import Scene
from hsu_lib.scenes.own.border import checked
from hsu_lib.scenes.own.files import open_cube
from hsu_lib.scenes.own.opened import OwnImage
from hsu_lib.scenes.own.reading import PLAIN, NoData, Reading
from hsu_lib.scenes.own.selection import WHOLE, Selection


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
        nm. Endmembers (``E``, ``M``; in the image's unit or in reflectance), abundances (``A``, ``S_GT``) and
        names beside it in the file are its reference where their shapes fit, see
        `hsu_lib.scenes.own.companions`. `read` says, and `reference` repeats, how the file was read.

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
    except InputError:
        raise
    except ValueError as error:
        raise InputError(f"{image.path}: {brief(error)}") from error


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
    return open_part(path, Reading(variable, layout, size, scale, nodata))


def open_part(path: str | Path, reading: Reading = PLAIN, selection: Selection = WHOLE) -> OwnImage:
    """A part of the image, checked; the rest of it need not be in order.

    Raises
    ------
    FileNotFoundError
        If there is no such file, also of a mask.
    InputError
        As `read_image`, or if the part is none of the image.
    """
    path = Path(path).expanduser()
    return checked(path, open_cube(path, reading), reading, selection)
