"""`hsu_lib.unmix`: an array in, labelled arrays out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hsu_lib import methods
from hsu_lib.errors import InputError
from hsu_lib.learning import devices
from hsu_lib.scene import Scene
from hsu_lib.scenes.catalogue import USGS
from hsu_lib.scenes.library import SpectralLibrary
from hsu_lib.scenes.own.reading import NoData
from hsu_lib.unmixing.counting import counted, is_asked
from hsu_lib.unmixing.images import SPECTRAL, TURNED, is_labelled, scene_of, wavelengths_of
from hsu_lib.unmixing.libraries import check_asked, library_in
from hsu_lib.unmixing.matching import Bands, in_bands, in_unit
from hsu_lib.unmixing.model import about_run, result_of, with_endmembers
from hsu_lib.unmixing.picking import GIVEN, picked, usual
from hsu_lib.unmixing.result import Result
from hsu_lib.unmixing.spectra import Spectra, read_spectra


def unmix(
    Y: Any,
    *,
    method: str | None = None,
    endmembers: int | ArrayLike | str | Path | None = None,
    wavelengths: ArrayLike | None = None,
    mask: ArrayLike | None = None,
    nodata: NoData = None,
    names: Sequence[str] = (),
    endmembers_scale: float | None = None,
    library: ArrayLike | str | Path | None = None,
    seed: int = 0,
    device: str = "cpu",
    progress: bool = False,
    **settings: Any,
) -> Result:
    """Unmix an image.

    Parameters
    ----------
    Y
        Image in reflectance: an array ``(bands, height, width)`` or ``(bands, pixels)``; an
        ``xarray.DataArray`` with a dimension band or wavelength, in any order, whose attributes may tell fill
        values and, of integers, scale and offset; or a `Scene`. Pixels with NaN, or that a masked array
        masks, take no part.
    method
        A name of `hsu methods`; by default ``"fclsu"`` for given endmembers, ``"sunsal-sure"`` for a library,
        else ``"vca-fclsu"`` or ``"nfindr-fclsu"``, whichever leaves less of the image unexplained.
    endmembers
        How many to look for; or known ones: an array ``(bands, endmembers)``, a DataArray, or what
        ``hsu unmix --endmembers-from`` takes, such as ``"usgs:alunite,kaolinite"``. Those with wavelengths
        are resampled to the image's. By default those of a scene's reference; without one, as many as
        `hsu_lib.methods.rank.count_by` finds, which the result tells.
    wavelengths
        Of the bands, in nm, shape ``(bands,)``; such as no band in nm can have are taken as micrometres.
    mask
        True where a pixel counts, shape ``(height, width)`` or ``(pixels,)``.
    nodata
        Number that means no data, several, or ``"none"``, as of `hsu_lib.scenes.read_image`.
    names
        Of given endmembers, or of the spectra of a library.
    endmembers_scale
        Divisor of given endmembers, or of a library, to reflectance.
    library
        What methods such as ``"sunsal-sure"`` choose endmembers from: ``"usgs"``, the minerals of 1995; or
        spectra, as known endmembers are given.
    seed, device, progress
        As those of `hsu_lib.methods.Method.unmix`.
    **settings
        Of the method.

    Returns
    -------
    Result
        `endmembers`, `abundances` and `residual` are labelled where xarray is installed, with the dimensions
        and coordinates of a DataArray that was given; `E`, `A` and `rmse` are plain arrays, `A` of shape
        ``(endmembers, height, width)``, with a height of 1 for ``(bands, pixels)``.

    Raises
    ------
    ValueError
        For anything that is wrong or does not fit.
    Diverged
        If the method diverged.

    Examples
    --------
    >>> Y = np.array([[0.1, 0.9, 0.5], [0.8, 0.2, 0.5], [0.4, 0.3, 0.35]])
    >>> unmix(Y, endmembers=Y[:, :2], names=["soil", "tree"]).A[:, 0].round(2)
    array([[1. , 0. , 0.5],
           [0. , 1. , 0.5]], dtype=float32)
    """
    if not _is_whole(seed) or seed < 0:
        raise InputError(f"seed: expected a whole number from 0, got {seed!r}")
    scene, labels, doubts = scene_of(Y, wavelengths, mask, nodata)
    count = int(endmembers) if _is_whole(endmembers) else None
    chosen, given = None if method is None else methods.get(method), library is not None
    if library is not None or (chosen is not None and chosen.needs.library):
        chosen = chosen or usual(known=False, library=True)
        check_asked(chosen, library=given, endmembers=endmembers is not None)
    elif count is None and endmembers is not None:
        scene = _given(scene, endmembers, names, endmembers_scale)
    elif endmembers_scale is not None or len(names):
        raise InputError("endmembers: names and endmembers_scale are of given ones, and none are given")
    known = scene.E is not None and count is None
    picking = chosen is None and not known and not settings
    chosen = chosen or usual(known=known, library=False)
    if endmembers is not None and count is None and not chosen.needs.endmembers:
        raise InputError(
            f"{chosen.name} finds its own endmembers: give method={GIVEN!r}, or a number of them"
        )
    configured = chosen.configure(**settings)
    atoms, estimate = None, dict[str, Any]()
    if library is not None:
        scene, atoms = _choosing(scene, library, names, endmembers_scale, configured.angle)
    elif is_asked(chosen, count, scene.endmembers is not None):
        counting = counted(scene)
        count, estimate = counting.number, {"endmembers_estimated": counting.about}
        scene = replace(scene, read=(*scene.read, counting.note))
    if picking:
        pixels = scene.pixels if scene.mask is None else scene.Y[:, scene.mask]
        best = picked(pixels, count or scene.endmembers or 0, seed=seed)
        chosen, configured, estimate = best.method, best.method.configure(), estimate | best.about
        scene = replace(scene, read=(*scene.read, best.note))
    found = chosen.unmix(
        scene,
        endmembers=count,
        library=atoms,
        seed=seed,
        device=devices.checked(device),
        progress=progress,
        **settings,
    )
    about = about_run(chosen, configured, seed=seed, device=device, **estimate)
    result = result_of(found, [(slice(None), scene)], whole=scene, about=about, library=atoms)
    return replace(result, labels=labels, warnings=(*result.warnings, *doubts))


# --------------------------------------------------------------------------- what is given


def _is_whole(number: Any) -> TypeGuard[int | np.integer]:
    return isinstance(number, int | np.integer) and not isinstance(number, bool)


def _given(scene: Scene, endmembers: Any, names: Sequence[str], scale: float | None) -> Scene:
    """The scene with known endmembers, in its bands and unit."""
    spectra = _spectra(scene, endmembers, "endmembers")
    E, notes = in_bands(spectra, _bands(scene))
    E, more = in_unit(spectra, E, _pixels(scene), scale)
    names = tuple(names) or spectra.names
    if names and len(names) != E.shape[1]:
        raise InputError(f"names: {len(names)} for {E.shape[1]} endmembers")
    return with_endmembers(scene, E, names, [*notes, *more])


def _choosing(
    scene: Scene, library: Any, names: Sequence[str], scale: float | None, angle: float
) -> tuple[Scene, SpectralLibrary]:
    """The scene, with a note, and a library in its bands and unit."""
    if str(library).lower() != USGS:
        library = _spectra(scene, library, "library")
        if names and len(names) != library.values.shape[1]:
            raise InputError(f"names: {len(names)} for {library.values.shape[1]} spectra of the library")
        library = replace(library, names=tuple(names) or library.names)
    found, notes = library_in(library, angle, _bands(scene), _pixels(scene), scale)
    return replace(scene, read=(*scene.read, *notes)), found


def _bands(scene: Scene) -> Bands:
    return Bands(scene.wavelengths, np.arange(scene.bands), scene.bands)


def _pixels(scene: Scene) -> NDArray:
    return scene.pixels if scene.mask is None else scene.Y[:, scene.mask]


def _spectra(scene: Scene, given: Any, what: str) -> Spectra:
    """Spectra that are given as a file, an array or a DataArray; `what` they are called in messages."""
    if isinstance(given, str | Path):
        return read_spectra(given)
    if is_labelled(given):
        return _labelled_spectra(given)
    values = np.ma.filled(np.ma.asarray(given, dtype=np.float64), np.nan)
    if values.ndim != 2:
        asked = (
            "a number, or an array (bands, endmembers)"
            if what == "endmembers"
            else "an array (bands, spectra)"
        )
        raise InputError(f"{what}: expected {asked}, got {values.shape if values.ndim else given!r}")
    if len(values) != scene.bands and len(values) == scene.width:
        raise InputError(TURNED.format(f"{what} of {len(values)} bands", scene.Y.shape))
    return Spectra(values, path=Path(what))


def _labelled_spectra(endmembers: Any) -> Spectra:
    band = [name for name in endmembers.dims if SPECTRAL.fullmatch(str(name))]
    other = [name for name in endmembers.dims if name not in band]
    if len(band) != 1 or len(other) != 1:
        raise InputError(f"endmembers: dimensions {dict(endmembers.sizes)}: call one band and one endmember")
    labels = endmembers.coords.get(other[0])
    names = () if labels is None or labels.dtype.kind not in "OUS" else tuple(map(str, labels.values))
    waves = wavelengths_of(endmembers, band[0])
    values = np.asarray(endmembers.transpose(band[0], other[0]).values, dtype=np.float64)
    return Spectra(values, names, None if waves is None else np.asarray(waves), path=Path("endmembers"))
