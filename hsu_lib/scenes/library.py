"""Spectral libraries: measured spectra by name, searched and brought to the bands of a sensor."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hsu_lib.scenes.info import Get
from hsu_lib.scenes.matlab import read_mat
from hsu_lib.scenes.resampling import resample

URBAN_LIBRARY = "urban/spectral_library_urban.mat"
USGS_LIBRARY = "usgs/USGS_1995_Library.mat"

_MICROMETRE = 1000.0  # nm
_DELETED = -1e30  # the USGS marks channels without a value by -1.23e34


@dataclass(frozen=True, eq=False)
class SpectralLibrary:
    """Spectra in classes.

    Parameters
    ----------
    spectra
        Reflectance, shape ``(bands, spectra)``; NaN where a spectrum has no value.
    labels
        Index into `classes` of each spectrum, shape ``(spectra,)``.
    classes
        Names of the materials. In a mineral library each spectrum has a name, and so a class, of its own.
    wavelengths
        Band centres in nm, increasing, shape ``(bands,)``; None where the source has none.
    fwhm
        Full widths at half maximum of the bands in nm, shape ``(bands,)``; None where the source has none.
    """

    spectra: NDArray[np.float64]
    labels: NDArray[np.intp]
    classes: tuple[str, ...]
    wavelengths: NDArray[np.float64] | None = None
    fwhm: NDArray[np.float64] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Name of each spectrum: its class, and a number from 1 where it is not the only one of it."""
        several = np.bincount(self.labels, minlength=len(self.classes)) > 1
        seen, names = np.zeros(len(self.classes), dtype=int), []
        for label in self.labels:
            seen[label] += 1
            names.append(f"{self.classes[label]} {seen[label]}" if several[label] else self.classes[label])
        return tuple(names)

    def taken(self, spectra: ArrayLike) -> SpectralLibrary:
        """Only the spectra of these indices, in this order, and their classes."""
        spectra = np.asarray(spectra, dtype=np.intp)
        kept, labels = np.unique(self.labels[spectra], return_inverse=True)
        classes = tuple(self.classes[k] for k in kept)
        return replace(self, spectra=self.spectra[:, spectra], labels=labels, classes=classes)

    def pruned(self, angle: float) -> SpectralLibrary:
        """Without spectra that are nearly like an earlier one.

        In the order of the library a spectrum is kept if it is at `angle` or more, in degrees, from all that
        are kept already.

        Raises
        ------
        ValueError
            If a spectrum is zero or has no value in some band, so that it has no angle.
        """
        cosines = self._cosines()
        kept: list[int] = []
        for k, row in enumerate(cosines):
            if not (row[kept] > np.cos(np.deg2rad(angle))).any():
                kept.append(k)
        return self.taken(kept)

    def nearest_first(self) -> SpectralLibrary:
        """In the order of the angle to the nearest other spectrum; see `pruned` for errors."""
        cosines = self._cosines()
        np.fill_diagonal(cosines, -np.inf)
        # both of a pair have one angle and keep their order
        return self.taken(np.argsort(-cosines.max(axis=1), kind="stable"))

    def _cosines(self) -> NDArray[np.float64]:
        norms = np.linalg.norm(self.spectra, axis=0)
        if not (np.isfinite(norms).all() and (norms > 0).all()):
            raise ValueError("some spectra of the library are zero or lack values: they have no angle")
        unit = self.spectra / norms
        cosines = unit.T @ unit
        return (cosines + cosines.T) / 2

    def of(self, material: str) -> NDArray[np.float64]:
        """Spectra of one material, shape ``(bands, n)``; ``"asphalt road"`` is of class ``"asphalt"``.

        Raises
        ------
        ValueError
            If the library has no spectra of this material.
        """
        for index, name in enumerate(self.classes):
            if material == name or material.startswith(name + " "):
                return self.spectra[:, self.labels == index]
        raise ValueError(f"no spectra of {material!r}; the library has {', '.join(self.classes)}")

    def search(self, words: str) -> tuple[str, ...]:
        """Classes in whose names all the words occur, upper or lower case alike, in the library's order.

        A word may be part of a longer one: ``"alunite gds"`` finds ``"Alunite GDS83 Na63"``.

        Raises
        ------
        ValueError
            If there is none; the text has the names that come closest.
        """
        wanted = words.lower().split()
        found = tuple(name for name in self.classes if all(word in name.lower() for word in wanted))
        if not found:
            by_lower = {name.lower(): name for name in self.classes}
            close = difflib.get_close_matches(words.lower(), by_lower, n=5, cutoff=0.5)
            hint = f"; close to it are {', '.join(by_lower[name] for name in close)}" if close else ""
            raise ValueError(f"no spectrum in the library has {words!r} in its name{hint}")
        return found

    def one(self, words: str) -> str:
        """The only class that `search` finds, or the one that is called exactly so.

        Raises
        ------
        ValueError
            If there is none, or if there are several; the text lists them.
        """
        found = self.search(words)
        exact = [name for name in found if name.lower() == words.lower()]
        if len(found) > 1 and not exact:
            raise ValueError(f"{words!r} is in {len(found)} names, give more of one: {', '.join(found)}")
        return exact[0] if exact else found[0]

    def endmembers(self, materials: Sequence[str]) -> NDArray[np.float64]:
        """One spectrum for each material, as `one` finds it, shape ``(bands, materials)``.

        Raises
        ------
        ValueError
            If a material is not found, is ambiguous, or has several spectra.
        """
        columns = []
        for material in materials:
            name = self.one(material)
            spectra = self.spectra[:, self.labels == self.classes.index(name)]
            if spectra.shape[1] != 1:
                raise ValueError(
                    f"{name} has {spectra.shape[1]} spectra in the library: choose among `of` it"
                )
            columns.append(spectra)
        return np.hstack(columns)

    def resampled(self, centres: ArrayLike, fwhm: ArrayLike | None = None) -> SpectralLibrary:
        """Same library in the bands of a sensor; see `resample`.

        Raises
        ------
        ValueError
            If the library has no wavelengths, or a band lies outside them.
        """
        if self.wavelengths is None:
            raise ValueError("the library has no wavelengths: its spectra cannot be resampled")
        return replace(
            self,
            spectra=resample(self.spectra, self.wavelengths, centres, fwhm),
            wavelengths=np.asarray(centres, dtype=np.float64),
            fwhm=None
            if fwhm is None
            else np.broadcast_to(np.asarray(fwhm, dtype=np.float64), np.shape(centres)),
        )


# --------------------------------------------------------------------------- libraries


def urban_library(get: Get) -> SpectralLibrary:
    """The 651 pure-pixel spectra of HYDICE Urban in 6 classes, reflectance (counts / 1000, as stored).

    References
    ----------
    Borsoi et al., IEEE Geoscience and Remote Sensing Letters 16 (2019) 598-602, whose code distributes it.
    """
    file = read_mat(get(URBAN_LIBRARY))
    classes = tuple(str(cell[0]).lower() for cell in file["material_names"].ravel())
    groups = [file[f"lib{number}"] for number in range(1, len(classes) + 1)]
    labels = np.repeat(np.arange(len(groups)), [group.shape[1] for group in groups])
    return SpectralLibrary(np.hstack(groups), labels, classes)


def usgs_library(get: Get) -> SpectralLibrary:
    """The 498 minerals of the USGS library of 1995 in the 224 channels of AVIRIS, reflectance.

    Channels are put in the order of their wavelengths, 383 to 2508 nm; in the file those of neighbouring
    spectrometers overlap. None is missing.

    References
    ----------
    Clark et al., The U.S. Geological Survey digital spectral library: version 1, USGS Open File Report
    93-592 (1993); the copy is that of the code of Borsoi et al., IEEE Geoscience and Remote Sensing
    Letters 16 (2019) 598-602. Its first three columns are wavelength and width in micrometres and the
    number of the channel.
    """
    file = read_mat(get(USGS_LIBRARY))
    names = [bytes(codes).decode("latin1") for codes in file["names"]]  # rows of character codes
    table = file["datalib"]
    return _named(names[3:], table[:, 3:], table[:, 0] * _MICROMETRE, table[:, 1] * _MICROMETRE)


def splib07(
    spectra: Iterable[str | Path], wavelengths: str | Path, fwhm: str | Path | None = None
) -> SpectralLibrary:
    """Spectra of the USGS library of 2017 (splib07) from its ASCII files.

    Each file has one header line and then one number per line, one for each channel of a spectrometer;
    blank lines are skipped, and a number below -1e30 (the files have -1.23e34) is a deleted channel. The
    header is ``splib07a Record=5932: Kaolinite CM5  BECKb AREF`` or alike: what follows the colon, or the
    whole line if it has none, is the name of the spectrum.

    Parameters
    ----------
    spectra
        Files of spectra of one spectrometer, for instance
        ``sorted(folder.glob("ChapterM_Minerals/*_BECKb_AREF.txt"))``.
    wavelengths
        File of the same form with that spectrometer's wavelengths in micrometres.
    fwhm
        File of the same form with its bandpass in micrometres, if wanted.

    Returns
    -------
    SpectralLibrary
        Channels in the order of their wavelengths, deleted ones NaN. Spectra of the same name are of one
        class.

    Raises
    ------
    ValueError
        If no file is given, one is not of this form, or its number of channels is not that of the
        wavelengths.
    FileNotFoundError
        If a file is not there.

    References
    ----------
    Kokaly et al., USGS spectral library version 7, U.S. Geological Survey Data Series 1035 (2017).
    """
    _, x = _read_splib07(Path(wavelengths))
    _, width = (None, None) if fwhm is None else _read_splib07(Path(fwhm))
    names, columns = [], []
    for path in map(Path, spectra):
        name, values = _read_splib07(path)
        if len(values) != len(x):
            raise ValueError(f"{path}: {len(values)} channels, the file of wavelengths has {len(x)}")
        names.append(name)
        columns.append(values)
    if not columns:
        raise ValueError("expected at least one file with a spectrum, got none")
    if width is not None and len(width) != len(x):
        raise ValueError(f"{fwhm}: {len(width)} channels, the file of wavelengths has {len(x)}")
    return _named(
        names, np.stack(columns, axis=1), x * _MICROMETRE, None if width is None else width * _MICROMETRE
    )


def _read_splib07(path: Path) -> tuple[str, NDArray[np.float64]]:
    header, *lines = path.read_text(encoding="latin1").splitlines() or [""]
    try:
        values = np.array([float(line) for line in lines if line.strip()])
    except ValueError as error:
        raise ValueError(f"{path}: expected a header and then one number per line: {error}") from None
    if not header.strip() or len(values) == 0:
        raise ValueError(
            f"{path}: expected a header and then one number per line, found {len(values)} numbers"
        )
    name = re.sub(r"^\s*\S*\s*Record=\d+:", "", header)
    return " ".join(name.split()), np.where(values < _DELETED, np.nan, values)


def _named(
    names: Sequence[str], spectra: NDArray, wavelengths: NDArray, fwhm: NDArray | None
) -> SpectralLibrary:
    """Library of named spectra, its channels in the order of their wavelengths."""
    order = np.argsort(wavelengths, kind="stable")
    classes = {name.strip(): None for name in names}  # in order, each once
    index = {name: k for k, name in enumerate(classes)}
    labels = np.array([index[name.strip()] for name in names])
    return SpectralLibrary(
        spectra[order], labels, tuple(classes), wavelengths[order], None if fwhm is None else fwhm[order]
    )
