"""Spectra that a user has: from a table, a spectral library, an array or the minerals of the USGS."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hsu_lib.errors import InputError, option
from hsu_lib.scenes.library import usgs_library
from hsu_lib.scenes.matlab import read_nested
from hsu_lib.scenes.own.companions import texts_in
from hsu_lib.scenes.own.content import content_of
from hsu_lib.scenes.own.header import Header, is_header, read_header
from hsu_lib.scenes.own.wavelengths import in_nm
from hsu_lib.scenes.public import download
from hsu_lib.unmixing.result import MADE_BY

USGS = "usgs:"
_TABLES = (".csv", ".tsv", ".txt")
_SPECTRA = ("E", "endmembers", "M", "spectra", "S", "library", "refl", "reflectance")
_WAVELENGTHS = re.compile(
    r"(wave_?lengths?|wl|wvl|lambda|wave|nm|bands?_?nm|centers|centres)(_(nm|um))?", re.I
)

_UNIT = re.compile(r"(wave_?lengths?_?)?units?", re.I)


@dataclass(frozen=True, eq=False)
class Spectra:
    """Spectra as their file has them.

    Parameters
    ----------
    values
        Shape ``(bands, spectra)``; NaN where there is no value.
    names
        One per spectrum, or none.
    wavelengths
        In nm, shape ``(bands,)``, or None.
    path
        Where they are from, for messages.
    notes
        How they were found, a sentence each.
    turned
        Whether the axes may be the other way round, so that the number of bands decides.
    kept
        Which bands of a file they are of, counted from 0, shape ``(bands,)``; None where that is not told.
    """

    values: NDArray[np.float64]
    names: tuple[str, ...] = ()
    wavelengths: NDArray[np.float64] | None = None
    path: Path = Path()
    notes: tuple[str, ...] = ()
    turned: bool = False
    kept: NDArray[np.intp] | None = None

    def __post_init__(self) -> None:
        bands, count = self.values.shape
        if count == 0 or bands < 2:
            raise InputError(f"{self.path}: no spectra in it, {count} of {bands} bands")


def read_spectra(given: str | Path) -> Spectra:
    """Spectra of a file, or of the USGS library.

    Parameters
    ----------
    given
        ``.csv``, ``.tsv`` or ``.txt`` (see `hsu_lib.unmixing.tables`); an ENVI spectral library, its header
        or the other file; ``.npz`` (of this library too), ``.npy`` or ``.mat``, with ``FILE:NAME`` one of
        several arrays; ``usgs:alunite,kaolinite``, words of names in the library of 1995.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    InputError
        If it holds no spectra, or it is in doubt which.
    """
    text = str(given)
    if text.lower().startswith(USGS):
        return _usgs(text[len(USGS) :])
    path, variable = Path(text).expanduser(), None
    if not path.exists() and ":" in text:
        before, _, after = text.rpartition(":")
        if Path(before).expanduser().is_file():
            path, variable = Path(before).expanduser(), after
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; {USGS}NAME,NAME takes minerals of the USGS library")
    try:
        return _read(path, variable)
    except (InputError, FileNotFoundError, PermissionError, MemoryError):
        raise
    except Exception as error:  # what the libraries raise over a damaged file is not listed anywhere
        raise InputError(f"{path}: cannot be read, is it damaged? {error}") from error


def _read(path: Path, variable: str | None) -> Spectra:
    from hsu_lib.unmixing.tables import read_table

    suffix, kind = path.suffix.lower(), content_of(path)
    if suffix == ".mat" or kind == "matlab":
        return _of_arrays(path, read_nested(path), variable)
    if suffix in (".npz", ".npy") or kind == "numpy":
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return _of_arrays(path, {"array": loaded}, variable)
        with loaded:
            return _of_arrays(path, {name: loaded[name] for name in loaded.files}, variable)
    header = _header_of(path)
    if header is not None:
        return _of_library(header, path)
    if suffix in _TABLES or kind == "":
        return read_table(path)
    raise InputError(
        f"{path}: expected spectra as .csv, ENVI spectral library, .npz, .npy or .mat, not {kind}"
    )


def _header_of(path: Path) -> Path | None:
    """Header of an ENVI library, given either file."""
    if path.suffix.lower() == ".hdr" or is_header(path):
        return path
    wanted = (f"{path.name}.hdr".lower(), f"{path.stem}.hdr".lower())
    beside = sorted(other for other in path.parent.iterdir() if other.name.lower() in wanted)
    found = [other for other in beside if other.is_file() and is_header(other)]
    return found[0] if found and path.suffix.lower() not in _TABLES else None


def _of_library(path: Path, given: Path) -> Spectra:
    """ENVI: a spectrum per line, a band per sample."""
    header = read_header(path)
    if "spectrallibrary" not in "".join(header.text("file type").split()):
        raise InputError(
            f"{path}: file type is {header.fields.get('file type')!r}, expected ENVI Spectral Library"
        )
    image = given if given != path else _numbers_of(path)
    spectra, bands, dtype, offset = (
        header.whole("lines"),
        header.whole("samples"),
        header.dtype(),
        header.offset(),
    )
    expected = offset + spectra * bands * dtype.itemsize
    if image.stat().st_size != expected:
        raise InputError(
            f"{image}: holds {image.stat().st_size} bytes, but {path.name} says {expected}: header offset "
            f"{offset} + {spectra} spectra x {bands} bands x {dtype.itemsize} bytes"
        )
    values = np.fromfile(image, dtype=dtype, offset=offset).reshape(spectra, bands).T.astype(np.float64)
    ignored, scale = header.number("data ignore value"), header.number("reflectance scale factor")
    if ignored is not None:
        values = np.where(values == ignored, np.nan, values)
    notes: tuple[str, ...] = ()
    if scale is not None and scale != 1:
        if not (np.isfinite(scale) and scale > 0):
            raise header.wrong("reflectance scale factor", "a number above zero")
        values, notes = values / scale, (f"endmembers divided by {scale:g}, the scale factor of {path.name}",)
    given_waves = header.numbers("wavelength", bands)
    waves, note = (
        (None, "") if given_waves is None else in_nm(path, given_waves, header.fields.get("wavelength units"))
    )
    return Spectra(
        values, _listed(header, spectra), waves, path=path, notes=(*notes, *([note] if note else []))
    )


def _listed(header: Header, count: int) -> tuple[str, ...]:
    names = [name.strip() for name in header.fields.get("spectra names", "").split(",")]
    return tuple(names) if len(names) == count else ()


def _numbers_of(header: Path) -> Path:
    """The numbers beside a header."""
    stems = (header.stem.lower(), header.name.lower().removesuffix(".hdr"))
    beside = [
        other
        for other in sorted(header.parent.iterdir())
        if other.is_file()
        and other.suffix.lower() in ("", ".sli", ".slb", ".lib", ".esl", ".img", ".dat", ".bsq", ".bin")
        and (other.stem.lower() in stems or other.name.lower() in stems)
    ]
    if len(beside) != 1:
        found = ", ".join(other.name for other in beside) or "none"
        raise InputError(
            f"{header}: its spectra lie in one file beside it, such as {header.stem}.sli; found {found}"
        )
    return beside[0]


def _of_arrays(path: Path, held: Mapping[str, NDArray], variable: str | None) -> Spectra:
    """The matrix of spectra among arrays, with names and wavelengths beside it."""
    listed = ", ".join(f"{name} {values.shape}" for name, values in held.items()) or "nothing"
    matrices = [k for k, v in held.items() if v.ndim == 2 and v.dtype.kind in "iuf" and min(v.shape) >= 1]
    matrices = [k for k in matrices if held[k].size > 1 and not _WAVELENGTHS.fullmatch(_last(k))]
    if variable is not None and variable not in matrices:
        raise InputError(f"{path}: no matrix {variable!r}; it holds {listed}")
    known = [k for name in _SPECTRA for k in matrices if _last(k) == name]
    chosen = (
        [variable] if variable is not None else known[:1] or [k for k in matrices if min(held[k].shape) > 1]
    )
    if len(chosen) != 1:
        way = option("endmembers_from", python="FILE:NAME", command="FILE:NAME")
        ask = f"give {way}, the matrix of spectra"
        raise InputError(f"{path}: {ask if chosen else 'no matrix of spectra in it'}; it holds {listed}")
    name = str(chosen[0])
    values = np.asarray(held[name], dtype=np.float64)
    waves = next(
        (v.ravel() for k, v in held.items() if _is_wavelengths(k, v) and v.size in values.shape), None
    )
    turned = waves is None
    if waves is not None and waves.size != len(values):
        values = values.T
    nm, note = (None, "") if waves is None else in_nm(path, waves, _unit_in(held))
    texts = texts_in(held)
    names = texts if len(texts) == values.shape[1] else ()
    bands = held.get("bands") if _is_ours(held) else None
    kept = None if bands is None or bands.shape != (len(values),) else bands.astype(np.intp) - 1
    return Spectra(
        values, names, nm, path=path, notes=(note,) if note else (), turned=turned and kept is None, kept=kept
    )


def _is_ours(held: Mapping[str, NDArray]) -> bool:
    return "about" in held and MADE_BY in str(held["about"])


def _unit_in(held: Mapping[str, NDArray]) -> str | None:
    """Unit of wavelengths: that of our own results, of a text beside them, or at the end of their name."""
    if _is_ours(held):
        return "nm"
    for key, values in held.items():
        if _UNIT.fullmatch(_last(key)) and values.dtype.kind in "US" and values.size:
            return str(values.ravel()[0])
    named = [
        re.search(r"_(nm|um)$", key, re.I) for key, values in held.items() if _is_wavelengths(key, values)
    ]
    return next((found[1] for found in named if found), None)


def _is_wavelengths(key: str, values: NDArray) -> bool:
    vector = values.size == max(values.shape, default=0)
    return (
        bool(_WAVELENGTHS.fullmatch(_last(key))) and values.dtype.kind in "iuf" and vector and values.size > 1
    )


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _usgs(words: str) -> Spectra:
    """Minerals by words of their names; of several that fit, the first, which is told."""
    library, names, notes = usgs_library(partial(download.read, progress=False)), [], []
    asked = [part.strip() for part in words.split(",") if part.strip()]
    if not asked:
        raise InputError(f"{USGS}: expected names with commas between, such as {USGS}alunite,kaolinite")
    for part in asked:
        try:
            found = library.search(part)
        except ValueError as error:
            raise InputError(f"{USGS}{part}: {error}") from error
        exact = [name for name in found if name.lower() == part.lower()]
        begin = [name for name in found if name.lower().startswith(part.lower())]  # before mixtures with it
        found = tuple(dict.fromkeys([*exact, *begin, *found]))
        names.append(found[0])
        if len(found) > 1 and not exact:
            others = ", ".join(found[1:4]) + (" and others" if len(found) > 4 else "")
            notes.append(
                f"{part!r} is {names[-1]!r}, the first of {len(found)} such names; the next are {others}"
            )
    if len(set(names)) < len(names):
        raise InputError(f"{USGS}{words}: {names} holds one spectrum twice")
    columns = [library.spectra[:, library.labels == library.classes.index(name)][:, :1] for name in names]
    return Spectra(
        np.hstack(columns), tuple(names), library.wavelengths, path=Path(f"{USGS}{words}"), notes=tuple(notes)
    )


def oriented(spectra: Spectra, bands: tuple[int, ...]) -> Spectra:
    """Spectra with the bands first: a matrix without wavelengths is turned where only so it fits."""
    rows, columns = spectra.values.shape
    if not spectra.turned or rows in bands or columns not in bands:
        return spectra
    names = spectra.names if len(spectra.names) == rows else ()
    return replace(spectra, values=spectra.values.T, names=names, turned=False)
