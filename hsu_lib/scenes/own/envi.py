"""ENVI images: a header in text, and the numbers beside it, read as a memory map."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hsu_lib.errors import InputError, brief
from hsu_lib.scenes.own.content import content_of
from hsu_lib.scenes.own.cube import Cube, release
from hsu_lib.scenes.own.header import INTERLEAVES, TYPES, Header, georeference_of, is_header, read_header

_ENDINGS = ("", "img", "dat", "bsq", "bil", "bip", "raw", "bin", "cub", "envi", "rfl", "refl", "rdn")
_OTHER = ("tif", "tiff", "h5", "hdf5", "he5", "nc", "nc4")
_FILE_TYPES = ("", "envi", "envistandard")


_ENOUGH = 500  # numbers from which a byte order can be told
_SAMPLE = 1_000_000  # numbers that are looked at for it


def header_of(path: Path) -> Path | None:
    """Header of an ENVI image, given either of the two files; None where none lies beside the image."""
    if path.suffix.lower() == ".hdr":
        return path
    names = (path.name + ".hdr", path.stem + ".hdr")
    wanted = [name.lower() for name in names]
    beside = [other for other in path.parent.iterdir() if other.name.lower() in wanted and other.is_file()]
    # field.img.hdr before field.hdr, and the same letters before others
    beside.sort(
        key=lambda other: (wanted.index(other.name.lower()), other.stem not in (path.name, path.stem))
    )
    return next(filter(is_header, beside), None)


def read_envi(path: Path, header_path: Path, variable: str | None = None, layout: str | None = None) -> Cube:
    """Image of a header, its numbers as they are stored; `variable` and `layout` of HDF5 beside a header.

    Raises
    ------
    FileNotFoundError
        If the image does not lie beside its header.
    InputError
        If the header is damaged, or says another thing than the file holds.
    """
    header = read_header(header_path)
    image = _image_of(header) if path == header_path else path
    kind = content_of(image)
    if kind in ("tiff", "hdf5", "netcdf"):
        found = _inside(image, kind, header, variable, layout)
        if found is not None:
            return found
    interleave = header.one_of("interleave", INTERLEAVES)
    _check_kind(header, image, kind)
    dtype, offset = header.dtype(), header.offset()
    lines, samples, bands = (header.whole(field) for field in ("lines", "samples", "bands"))
    _check_size(header, image, dtype, offset, (lines, samples, bands))
    shape, axes = {
        "bsq": ((bands, lines, samples), (0, 1, 2)),
        "bil": ((lines, bands, samples), (1, 0, 2)),
        "bip": ((lines, samples, bands), (2, 0, 1)),
    }[interleave]
    values: NDArray = np.memmap(image, dtype=dtype, mode="r", offset=offset, shape=shape)
    cube = values.transpose(axes)
    _check_order(header, cube)
    notes, named = ["ENVI image"], image.suffix.lower().lstrip(".")
    if named in INTERLEAVES and named != interleave:
        notes.append(f"its name says {named}, its header {interleave}, which was followed")
    return described(Cube(cube, notes=tuple(notes)), header)


def described(cube: Cube, header: Header) -> Cube:
    """Cube with what a header says of its bands and numbers."""
    bands, said = len(cube.values), header.path.name
    good = header.numbers("bbl", bands)
    if good is not None and not np.isin(good, (0, 1)).all():
        raise header.wrong("bbl", "0 or 1 for each band")
    gains, offsets = _linear(header, bands)
    scale = header.number("reflectance scale factor")
    if scale is not None and not (np.isfinite(scale) and scale > 0):
        raise header.wrong("reflectance scale factor", "a number above zero")
    ignored = header.number("data ignore value")
    units = header.fields.get("wavelength units")
    return replace(
        cube,
        wavelengths=header.numbers("wavelength", bands),
        unit=units,
        good=None if good is None else good > 0,
        fill=cube.fill if ignored is None else tuple(dict.fromkeys((*cube.fill, ignored))),
        gains=cube.gains if gains is None else gains,
        offsets=cube.offsets if offsets is None else offsets,
        scale=cube.scale if scale is None else scale,
        said=said,
        georeference=cube.georeference or georeference_of(header),
    )


def _linear(header: Header, bands: int) -> tuple[NDArray | None, NDArray | None]:
    """Gains and offsets of a header; those to reflectance before those to radiance."""
    for kind in ("data reflectance ", "data "):
        gains = header.numbers(f"{kind}gain values", bands)
        offsets = header.numbers(f"{kind}offset values", bands)
        if gains is not None or offsets is not None:
            trivial = (gains is None or (gains == 1).all()) and (offsets is None or not offsets.any())
            return (None, None) if trivial else (gains, offsets)
    return None, None


def _image_of(header: Header) -> Path:
    """The file of numbers beside a header, capital endings and case ignored."""
    path = header.path
    exact = path.with_suffix("")
    stem = path.stem.lower()
    inside = exact.suffix.lower().lstrip(".")
    if exact.is_file() and inside:  # field.img.hdr
        return exact
    found = sorted(
        other
        for other in path.parent.iterdir()
        if other.is_file()
        and other != path
        and (other.stem.lower() == stem or other.name.lower() == stem)
        and (other.name.lower() == stem or other.suffix.lower().lstrip(".") in (*_ENDINGS[1:], *_OTHER))
    )
    same = [other for other in found if path.stem in (other.stem, other.name)]
    found = same or found
    if not found:
        such = path.stem if inside else f"{path.stem}.img"
        raise FileNotFoundError(f"{path}: its image does not lie beside it, as {such} for instance")
    if len(found) > 1:
        fitting = [other for other in found if _fits(header, other)]
        if len(fitting) != 1:
            raise InputError(
                f"{path}: which is its image, {', '.join(other.name for other in found)}? Give that file"
            )
        found = fitting
    return found[0]


def _fits(header: Header, image: Path) -> bool:
    lines, samples, bands = (header.whole(field) for field in ("lines", "samples", "bands"))
    offset = header.offset()
    expected = offset + lines * samples * bands * header.dtype().itemsize
    return image.stat().st_size == expected


def _check_kind(header: Header, image: Path, kind: str) -> None:
    """What the header calls the file must be raw numbers, and nothing compressed."""
    file_type = "".join(header.text("file type").split())
    if "spectrallibrary" in file_type:
        raise InputError(f"{header.path}: is a spectral library and no image")
    if file_type in ("tiff", "geotiff", "hdf5", "hdf", "netcdf"):
        raise InputError(
            f"{header.path}: file type is {header.fields['file type']!r}, but {image.name} does not begin as "
            "such a file does; give the right image, or correct the header"
        )
    if file_type not in _FILE_TYPES:
        raise header.wrong("file type", "ENVI Standard")
    if kind in ("gzip", "zip") and header.text("file compression") not in ("", "0"):
        raise InputError(f"{image}: is compressed ({kind}); decompress it first")
    if header.text("file compression") not in ("", "0"):
        raise header.wrong("file compression", "0, which is none: decompress the image first")
    for field in ("major frame offsets", "minor frame offsets"):
        frame = header.numbers(field)
        if frame is not None and frame.any():
            raise header.wrong(field, "none: convert the image to one without frames")


def _check_size(
    header: Header, image: Path, dtype: np.dtype, offset: int, size: tuple[int, int, int]
) -> None:
    """The file is as large as the header says, else the likely cause."""
    lines, samples, bands = size
    held, pixels = image.stat().st_size, lines * samples
    expected = offset + pixels * bands * dtype.itemsize
    if held == expected:
        return
    rest = held - offset
    causes = []
    for code, name in TYPES.items():
        if rest == pixels * bands * np.dtype(name).itemsize:
            causes.append(f"data type = {code} would fit")
    for field, known in (("bands", pixels), ("lines", samples * bands), ("samples", lines * bands)):
        number, left = divmod(rest, known * dtype.itemsize)
        if left == 0 and number > 0:
            causes.append(f"{field} = {number} would fit")
    if held > expected - offset:
        causes.append(f"header offset = {held - expected + offset} would fit")
    if not causes and held < expected:
        causes.append("the file was cut short")
    kind = content_of(image)
    if kind:
        causes.insert(0, f"it begins as a {kind} file does")
    raise InputError(
        f"{image}: holds {held} bytes, but {header.path.name} says {expected}: header offset {offset} + "
        f"{lines} lines x {samples} samples x {bands} bands x {dtype.itemsize} bytes (data type "
        f"{header.fields['data type'].strip()}). Likely cause: {', or '.join(causes)}"
    )


def _check_order(header: Header, values: NDArray) -> None:
    """Spectra of whole numbers that are smooth only with the other byte order were written in it."""
    if values.dtype.kind == "f" or values.dtype.itemsize == 1 or values.size < _ENOUGH:
        return
    sample = np.array(values[:, :: max(1, values.size // _SAMPLE)])
    release(values)
    told, other = _roughness(sample), _roughness(sample.byteswap())
    if told > 0.1 and told > 3 * other:
        order = header.text("byte order")
        raise header.wrong("byte order", f"{1 - int(order)}: only so are its spectra smooth")


def _roughness(values: NDArray) -> float:
    """Typical step from band to band, over the range of most values."""
    low, high = np.percentile(values, (1, 99))
    step = np.median(np.abs(np.diff(values.astype(np.float64), axis=0)))
    return float(step / (high - low)) if high > low else 0.0


def _inside(image: Path, kind: str, header: Header, variable: str | None, layout: str | None) -> Cube | None:
    """Image of a TIFF, HDF5 or NetCDF file, described by the header; None where it only looks like one."""
    from hsu_lib.scenes.own.formats import read_other

    bands, lines, samples = (header.whole(field) for field in ("bands", "lines", "samples"))
    try:
        cube = read_other(image, kind, variable=variable, layout=layout, size=(lines, samples))
    except Exception as error:
        if _fits(header, image) and "".join(header.text("file type").split()) in _FILE_TYPES:
            return None  # raw numbers that begin so by chance
        raise InputError(
            f"{image}: begins as a {kind} file, not as raw numbers, and cannot be read as such: "
            f"{brief(error)}"
        ) from error
    if cube.values.shape != (bands, lines, samples):
        raise InputError(
            f"{image}: is a {kind} file of (bands, lines, samples) = {cube.values.shape}, but "
            f"{header.path.name} says {(bands, lines, samples)}; give the right image, or correct the header"
        )
    return described(replace(cube, notes=(*cube.notes, f"a {kind} file described by an ENVI header")), header)
