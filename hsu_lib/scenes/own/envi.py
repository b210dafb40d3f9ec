"""ENVI images: a header in text, and the numbers beside it, read as a memory map."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hsu_lib.errors import InputError, brief, option
from hsu_lib.scenes.own.content import content_of
from hsu_lib.scenes.own.cube import Cube
from hsu_lib.scenes.own.header import INTERLEAVES, TYPES, Header, georeference_of, is_header, read_header
from hsu_lib.scenes.own.plausible import LAYOUT, check_interleave, check_type
from hsu_lib.scenes.own.reading import PLAIN, Reading
from hsu_lib.scenes.own.scale import is_radiance

_ENDINGS = ("", "img", "dat", "bsq", "bil", "bip", "raw", "bin", "cub", "envi", "rfl", "refl", "rdn")
_OTHER = ("tif", "tiff", "h5", "hdf5", "he5", "nc", "nc4")
_FILE_TYPES = ("", "envi", "envistandard")


def header_of(path: Path) -> Path | None:
    """Header of an ENVI image, given either of the two files; None where none lies beside the image."""
    if path.suffix.lower() == ".hdr":
        return path
    names = (path.name + ".hdr", path.stem + ".hdr")
    wanted = [name.lower() for name in names]
    beside = [other for other in path.parent.iterdir() if other.name.lower() in wanted and other.is_file()]
    if not beside and path.is_symlink():
        return header_of(path.resolve())
    # field.img.hdr before field.hdr, and the same letters before others
    beside.sort(
        key=lambda other: (wanted.index(other.name.lower()), other.stem not in (path.name, path.stem))
    )
    return next(filter(is_header, beside), None)


def read_envi(path: Path, header_path: Path, reading: Reading = PLAIN) -> Cube:
    """Image of a header, its numbers as they are stored, or of the file of another format that it describes.

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
        found = _inside(image, kind, header, reading)
        if found is not None:
            return found
    layout = reading.layout
    interleave = header.one_of("interleave", INTERLEAVES) if layout is None else _as_asked(image, layout)
    _check_kind(header, image, kind)
    dtype, offset = header.dtype(), header.offset()
    lines, samples, bands = (header.whole(field) for field in ("lines", "samples", "bands"))
    _check_size(header, image, dtype, offset, (lines, samples, bands))
    flat: NDArray = np.memmap(image, dtype=dtype, mode="r", offset=offset, shape=(lines * samples * bands,))
    shape, axes = {
        "bsq": ((bands, lines, samples), (0, 1, 2)),
        "bil": ((lines, bands, samples), (1, 0, 2)),
        "bip": ((lines, samples, bands), (2, 0, 1)),
    }[interleave]
    cube = flat.reshape(shape).transpose(axes)
    check_type(header, cube)
    notes, named = ["ENVI image"], image.suffix.lower().lstrip(".")
    if layout is None:
        check_interleave(header, flat, (bands, lines, samples), interleave)
    else:
        notes = [f"ENVI image read as {interleave} ({layout}), as asked"]
    if named in INTERLEAVES and named != interleave and layout is None:
        notes.append(f"its name says {named}, its header {interleave}, which was followed")
    return described(Cube(cube, notes=tuple(notes)), header)


def _as_asked(image: Path, layout: str) -> str:
    """Interleave of a layout that the user names."""
    for interleave, name in LAYOUT.items():
        if name == layout:
            return interleave
    known = ", ".join(f"{name} ({interleave})" for interleave, name in LAYOUT.items())
    raise InputError(f"{image}: {option('layout')}: {layout!r} is none of an ENVI image, which are {known}")


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
    for what, theirs, ours in (
        ("gains", cube.gains, gains),
        ("offsets", cube.offsets, offsets),
        ("scale", cube.scale, scale),
    ):
        if theirs is not None and ours is not None and not np.allclose(theirs, ours):
            raise InputError(
                f"{header.path}: its {what} ({np.ravel(ours)[0]:g}) are not those of the file that it "
                f"describes ({np.ravel(theirs)[0]:g}): remove them from the header, or move it away"
            )
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
        quantity=_quantity(header) or cube.quantity,
        full=_full(header),
        said=said,
        georeference=cube.georeference or georeference_of(header),
    )


def _quantity(header: Header) -> str:
    """What the numbers are by the header, unless it has what makes reflectance of them."""
    if any(name.startswith(("reflectance scale factor", "data reflectance ")) for name in header.fields):
        return ""
    units, titles, about = (
        header.fields.get(field, "").strip() for field in ("data units", "z plot titles", "description")
    )
    radiance = is_radiance(about) and "reflectan" not in about.lower()
    return ", ".join(filter(None, (units, titles, about if radiance else "")))


def _full(header: Header) -> float | None:
    """The full count of the sensor, by the fields of Resonon and others."""
    ceiling, bits = (_first_number(header, field) for field in ("ceiling", "bit depth"))
    return ceiling if ceiling is not None or bits is None or not 8 < bits < 16 else 2.0**bits - 1


def _first_number(header: Header, field: str) -> float | None:
    try:
        return header.number(field)
    except InputError:  # fields that only help are not worth a refusal
        return None


def _linear(header: Header, bands: int) -> tuple[NDArray | None, NDArray | None]:
    """Gains and offsets of a header; those to reflectance before those to radiance."""
    for kind in ("data reflectance ", "data "):
        gains = header.numbers(f"{kind}gain values", bands)
        offsets = header.numbers(f"{kind}offset values", bands)
        if gains is not None or offsets is not None:
            trivial = (gains is None or (gains == 1).all()) and (offsets is None or not offsets.any())
            return (None, None) if trivial else (gains, offsets)
    return None, None


def _beside(header: Header) -> list[Path]:
    """Files that may be the image of a header, capital endings and case ignored; those of a link, if none."""
    path, stem = header.path, header.path.stem.lower()
    for folder in dict.fromkeys((path.parent, path.resolve().parent)):
        found = sorted(
            other
            for other in folder.iterdir()
            if other.is_file()
            and other != path
            and (other.stem.lower() == stem or other.name.lower() == stem)
            and (other.name.lower() == stem or other.suffix.lower().lstrip(".") in (*_ENDINGS[1:], *_OTHER))
        )
        if found:
            break
    return [other for other in found if path.stem in (other.stem, other.name)] or found


def _image_of(header: Header) -> Path:
    """The file of numbers beside a header."""
    path = header.path
    inside = path.with_suffix("").suffix
    if path.with_suffix("").is_file() and inside:  # field.img.hdr
        return path.with_suffix("")
    found = _beside(header)
    if not found and path.is_symlink() and path.resolve().stem != path.stem:
        return _image_of(replace(header, path=path.resolve()))
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
    if held > expected:
        many, before = held - expected, held - expected + offset
        causes.append(
            f"{many} bytes too many, before the numbers (header offset = {before}) or after them (cut the "
            f"file to {expected} bytes)"
        )
    else:
        if held >= expected - offset:
            causes.append(f"header offset = {held - expected + offset} would fit")
        causes.append("the file was cut short")
    kind = content_of(image)
    if kind:
        causes.insert(0, f"it begins as a {kind} file does")
    raise InputError(
        f"{image}: holds {held} bytes, but {header.path.name} says {expected}: header offset {offset} + "
        f"{lines} lines x {samples} samples x {bands} bands x {dtype.itemsize} bytes (data type "
        f"{header.fields['data type'].strip()}). Likely cause: {', or '.join(causes)}"
    )


def _inside(image: Path, kind: str, header: Header, reading: Reading) -> Cube | None:
    """Image of a TIFF, HDF5 or NetCDF file, described by the header if it is of it.

    None where the file only looks like one.
    """
    from hsu_lib.scenes.own.formats import read_other

    told = "".join(header.text("file type").split())
    if told in _FILE_TYPES:
        others = [other for other in _beside(header) if other != image and _fits(header, other)]
        if others and not _fits(header, image):
            cube = read_other(image, kind, reading)
            return replace(cube, notes=(*cube.notes, f"{header.path.name} is of {others[0].name}"))
    bands, lines, samples = (header.whole(field) for field in ("bands", "lines", "samples"))
    try:
        cube = read_other(image, kind, replace(reading, size=(lines, samples)))
    except Exception as error:
        if _fits(header, image) and told in _FILE_TYPES:
            return None  # raw numbers that begin so by chance
        raise InputError(
            f"{image}: begins as a {kind} file, not as raw numbers, and cannot be read as such: "
            f"{brief(error)}"
        ) from error
    held = (*cube.values.shape, cube.values.dtype.newbyteorder("="))
    said = (bands, lines, samples, header.dtype().newbyteorder("="))
    if held != said:
        raise InputError(
            f"{image}: is a {kind} file of (bands, lines, samples, type) = {_listed(held)}, but "
            f"{header.path.name} says {_listed(said)}; correct the header, or move it away if it is not of it"
        )
    return described(replace(cube, notes=(*cube.notes, f"a {kind} file described by an ENVI header")), header)


def _listed(said: tuple[object, ...]) -> str:
    return f"({', '.join(map(str, said))})"
