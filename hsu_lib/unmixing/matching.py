"""Spectra that a user has, in the bands and in the unit of an image, or refused."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hsu_lib.errors import InputError, option
from hsu_lib.scenes.own.fill import is_sentinel
from hsu_lib.scenes.own.selection import numbered
from hsu_lib.scenes.own.units import factor_between
from hsu_lib.scenes.resampling import resample
from hsu_lib.unmixing.spectra import Spectra, oriented

_SAME = 0.05  # nm within which two bands have one centre
_PEAK = 100.0  # times the brightest number of the image, which no endmember reaches
_NEAR = 8.0  # by this factor the sum of abundances may be off: shade, illumination, materials that lack


@dataclass(frozen=True, eq=False)
class Bands:
    """The bands of an image.

    Parameters
    ----------
    wavelengths
        In nm, shape ``(bands,)``, or None.
    kept
        Which of the file they are, counted from 0, shape ``(bands,)``.
    stored
        How many the file has.
    """

    wavelengths: NDArray | None
    kept: NDArray[np.intp]
    stored: int


def in_bands(spectra: Spectra, bands: Bands) -> tuple[NDArray[np.float64], list[str]]:
    """Spectra ``(bands, spectra)`` in the bands of an image, and how they came there.

    Resampled where both have wavelengths; else taken band by band where their number is the same.

    Raises
    ------
    InputError
        If a band lies outside the spectra or lacks a value, or counts differ without wavelengths.
    """
    count = len(bands.kept)
    spectra = _without_fill(oriented(spectra, (count, bands.stored)))
    if spectra.wavelengths is not None and bands.wavelengths is not None:
        E, note = _resampled(spectra, bands)
    elif spectra.kept is not None and spectra.kept.max() < bands.stored:
        E, note = _by_number(spectra, bands, spectra.kept)
    elif len(spectra.values) == count:
        E, note = spectra.values, "endmembers taken band by band: "
        note += "they have" if spectra.wavelengths is None else "the image has"
        note += " no wavelengths to compare"
    elif len(spectra.values) == bands.stored:
        E, note = (
            spectra.values[bands.kept],
            f"endmembers in the {count} bands that are used, by their numbers",
        )
    else:
        lacking = "they have" if spectra.wavelengths is None else "the image has"
        raise InputError(
            f"{spectra.path}: spectra of {len(spectra.values)} bands for an image of {count}"
            f"{'' if count == bands.stored else f' (of {bands.stored} in its file)'}, and {lacking} no "
            "wavelengths to resample them by; add wavelengths, or give spectra in the bands of the image"
            f"{''.join(f'; {note}' for note in spectra.notes)}"
        )
    missing: NDArray[np.bool_] = np.logical_not(np.isfinite(E).all(axis=1))
    if missing.any():
        raise _without(spectra, bands, missing, "have no value in")
    return E, [*spectra.notes, note]


def _without_fill(spectra: Spectra) -> Spectra:
    """Numbers that no instrument measures, such as -9999 and the -1.23e34 of the USGS, are no values."""
    with np.errstate(invalid="ignore"):  # of NaN, which is none
        fill = np.vectorize(is_sentinel, otypes=[bool])(spectra.values)
    if not fill.any():
        return spectra
    held = ", ".join(f"{value:g}" for value in np.unique(spectra.values[fill])[:3])
    note = f"{fill.sum()} numbers of the endmembers are no data ({held})"
    return replace(spectra, values=np.where(fill, np.nan, spectra.values), notes=(*spectra.notes, note))


def _resampled(spectra: Spectra, bands: Bands) -> tuple[NDArray[np.float64], str]:
    assert spectra.wavelengths is not None
    assert bands.wavelengths is not None
    x, centres = spectra.wavelengths, np.asarray(bands.wavelengths, dtype=np.float64)
    if x.shape == centres.shape and np.abs(x - centres).max() <= _SAME:
        return spectra.values, "endmembers have the image's wavelengths"
    inside = centres.clip(x.min(), x.max())
    outside = np.abs(inside - centres) > _SAME
    if outside.any():
        raise _without(spectra, bands, outside, f"reach from {x.min():g} to {x.max():g} nm, which leaves out")
    try:
        E = resample(spectra.values, x, inside)
    except ValueError as error:
        raise InputError(f"{spectra.path}: {error}") from error
    return E, f"endmembers resampled linearly from {len(x)} to the image's {len(centres)} wavelengths"


def _by_number(spectra: Spectra, bands: Bands, kept: NDArray[np.intp]) -> tuple[NDArray[np.float64], str]:
    """Spectra of some bands of a file, in those of them that the image has."""
    lacking = ~np.isin(bands.kept, kept)
    if lacking.any():
        raise _without(spectra, bands, lacking, "are of other bands of their file and lack")
    return spectra.values[np.searchsorted(kept, bands.kept)], "endmembers taken by the numbers of their bands"


def _without(spectra: Spectra, bands: Bands, lacking: NDArray[np.bool_], why: str) -> InputError:
    listed = numbered(bands.kept[lacking])
    where = ""
    if bands.wavelengths is not None:
        lost = bands.wavelengths[lacking]
        where = f" ({lost.min():g} to {lost.max():g} nm)" if lost.size > 1 else f" ({lost[0]:g} nm)"
    return InputError(
        f"{spectra.path}: the spectra {why} {lacking.sum()} of {len(lacking)} bands{where}; give "
        f"{option('drop_bands', listed.replace(' ', ''))} to unmix without these"
    )


def in_unit(spectra: Spectra, E: NDArray, sample: NDArray, scale: float | None) -> tuple[NDArray, list[str]]:
    """Endmembers ``(bands, endmembers)`` in reflectance, as the image's pixels ``(bands, pixels)`` are.

    Parameters
    ----------
    scale
        Divisor that the user names; None takes them for reflectance.

    Raises
    ------
    InputError
        If it is not positive, or the endmembers explain the image only if multiplied by a factor, which
        the message tells.
    """
    if scale is not None and not (np.isfinite(scale) and scale > 0):
        raise InputError(f"{option('endmembers_scale')}: expected a positive divisor, got {scale:g}")
    E = E if scale is None else E / scale
    if not np.abs(E).max() > 0:
        raise InputError(f"{spectra.path}: all its spectra are zero")
    notes = [] if scale is None else [f"endmembers divided by {scale:g}, as asked"]
    factor = factor_between(E, sample)
    if factor is None:
        raise InputError(
            f"{spectra.path}: its spectra explain nothing of the image: are they of another kind?"
        )
    if 1 / _NEAR <= factor <= _NEAR:
        _check_peaks(spectra, E, sample)
        return E, notes
    by = float(f"{1 / factor:.2g}")
    power = 10.0 ** round(np.log10(by))
    by = (power if abs(np.log10(by / power)) < 0.3 else by) * (scale or 1)
    raise InputError(
        f"{spectra.path}: its spectra are in another unit than the image, which is reflectance: they would "
        f"explain it multiplied by {1 / by:.6g}. Give {option('endmembers_scale', _short(by))}, the number "
        "that stands for a reflectance of one"
    )


def _check_peaks(spectra: Spectra, E: NDArray, sample: NDArray) -> None:
    """Refuse a number that is far from all of the image: the file is damaged, or it means no data."""
    band, column = np.unravel_index(int(np.abs(E).argmax()), E.shape)
    if abs(E[band, column]) > _PEAK * np.abs(sample).max():
        name = spectra.names[column] if spectra.names else f"spectrum {column + 1}"
        raise InputError(
            f"{spectra.path}: {name} is {E[band, column]:.4g} in band {band + 1}, far from everything in the "
            "image: is it damaged, or no data? Correct or remove it"
        )


def _short(value: float) -> float | int:
    return int(value) if value == int(value) else value
