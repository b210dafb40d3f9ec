"""A library to choose endmembers from, minerals of the USGS or a user's spectra, in the bands of an image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hsu_lib.errors import InputError, option
from hsu_lib.methods import Method
from hsu_lib.scenes import library_of
from hsu_lib.scenes.catalogue import USGS
from hsu_lib.scenes.library import SpectralLibrary
from hsu_lib.unmixing.matching import Bands, in_bands, in_unit
from hsu_lib.unmixing.picking import CHOOSING
from hsu_lib.unmixing.spectra import Spectra, read_spectra


def check_asked(method: Method, *, library: bool, endmembers: bool) -> None:
    """Refuse a library for a method that has none, and endmembers, given or counted, for one that chooses.

    Raises
    ------
    InputError
        If what is given is not what the method needs.
    """
    if method.needs.library and endmembers:
        raise InputError(
            f"{method.name} chooses endmembers from a library, as many as the image asks for: give it alone, "
            f"{option('library', USGS)} for instance, and neither a number of endmembers nor known ones"
        )
    if library and not method.needs.library:
        raise InputError(
            f"{method.name} chooses from no library: give {option('method', CHOOSING)}, or "
            f"{option('endmembers_from', python='FILE', command='FILE')} for abundances of all its spectra"
        )
    if method.needs.library and not library:
        raise InputError(
            f"{method.name} chooses endmembers from a library: give {option('library', USGS)}, or spectra of "
            f"your own, {option('library', python='FILE', command='FILE')} (.csv, ENVI library, .npz, .mat)"
        )


def library_in(
    given: str | Path | Spectra, angle: float, bands: Bands, pixels: NDArray, scale: float | None
) -> tuple[SpectralLibrary, list[str]]:
    """A library in the bands and the unit of an image, and how it came there.

    Parameters
    ----------
    given
        ``"usgs"``, what `hsu_lib.unmixing.spectra.read_spectra` takes, or its result.
    angle
        How many degrees two spectra of ``"usgs"`` are apart at least.
    bands, pixels
        Of the image; pixels ``(bands, pixels)`` in reflectance.
    scale
        Divisor of the spectra to reflectance, or None.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    InputError
        If it holds no spectra, or they do not fit the image.
    """
    spectra, note = given, ""
    if str(given).lower() == USGS:
        if bands.wavelengths is None:
            raise InputError(
                f"{option('library', USGS)}: the image has no wavelengths to bring minerals to; give "
                "them with the image, or a library in its bands"
            )
        usgs = library_of(USGS, angle=angle)
        spectra = Spectra(usgs.spectra, usgs.names, usgs.wavelengths, path=Path(USGS))
        note = f"library: {len(usgs.names)} minerals of the USGS, {angle:g} degrees apart or more"
    elif not isinstance(given, Spectra):
        spectra = read_spectra(given)
    assert isinstance(spectra, Spectra)
    D, notes = in_bands(spectra, bands)
    D, more = in_unit(spectra, D, pixels, scale)
    names = spectra.names or tuple(f"spectrum {k + 1}" for k in range(D.shape[1]))
    classes = tuple(dict.fromkeys(names))
    labels = np.array([classes.index(name) for name in names])
    notes = [note or f"library: {len(names)} spectra from {spectra.path}", *notes, *more]
    return SpectralLibrary(D, labels, classes), notes
