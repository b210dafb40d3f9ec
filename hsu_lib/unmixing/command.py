"""The command `hsu unmix`: everything that can be refused is refused before the work begins."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsu_lib import methods
from hsu_lib.errors import InputError, option
from hsu_lib.learning import devices
from hsu_lib.methods import Method
from hsu_lib.methods.blocks import unmix_in_blocks
from hsu_lib.methods.settings import typed
from hsu_lib.runs import default_device
from hsu_lib.scene import Scene, Unmixing
from hsu_lib.scenes.own.image import open_part
from hsu_lib.scenes.own.opened import OwnImage
from hsu_lib.scenes.own.reading import PLAIN, Reading
from hsu_lib.scenes.own.selection import WHOLE, Selection
from hsu_lib.unmixing import formats, outputs, picture
from hsu_lib.unmixing.counting import counted, is_asked
from hsu_lib.unmixing.libraries import check_asked, library_in
from hsu_lib.unmixing.matching import Bands, in_bands, in_unit
from hsu_lib.unmixing.model import about_run, result_of
from hsu_lib.unmixing.picking import BLIND, GIVEN, picked, usual
from hsu_lib.unmixing.result import Result
from hsu_lib.unmixing.spectra import Spectra, read_spectra

_SAMPLE = 1_000_000  # numbers of the image by which the unit of endmembers is told
_SMALL = 400  # pixels of the composite, at most


@dataclass(frozen=True)
class Request:
    """What `hsu unmix` is asked for; the fields are its options.

    Parameters
    ----------
    image
        File of the image.
    reading, selection
        How the image is read, and which part of it is used.
    method
        Name, or None for `fclsu` where endmembers are given, `sunsal-sure` where a library is, else the one
        that is `picked`.
    endmembers
        How many to look for, or None for those of the image's reference, else as many as are estimated.
    endmembers_from, endmembers_scale
        Where given ones are from, and their divisor to reflectance, or None.
    library
        From where a method chooses endmembers: ``"usgs"`` or spectra as of `endmembers_from`, or None.
    settings
        Of the method, as typed.
    seed, device
        Of everything random; torch device, or None.
    out, forms, overwrite
        Name of the result, further formats, and whether files of others may be replaced.
    """

    image: Path
    reading: Reading = PLAIN
    selection: Selection = WHOLE
    method: str | None = None
    endmembers: int | None = None
    endmembers_from: str | None = None
    endmembers_scale: float | None = None
    library: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0
    device: str | None = None
    out: Path = Path("unmixing.npz")
    forms: Sequence[str] = ()
    overwrite: bool = False


def run(asked: Request, tell: Callable[[str], Any], *, progress: bool = False) -> Result:
    """Unmix an image, write the result and tell of it.

    Raises
    ------
    InputError
        For anything that is wrong or in doubt about image, spectra, options or places.
    Diverged
        If the method diverged; then nothing is written.
    """
    given, library = asked.endmembers_from is not None, asked.library is not None
    method = methods.get(asked.method) if asked.method else usual(known=given, library=library)
    configured = method.configure(**typed(method.settings, asked.settings))
    check_asked(method, library=library, endmembers=given or asked.endmembers is not None)
    device = devices.checked(asked.device or default_device())
    for form in asked.forms:
        formats.check(form)
    files = outputs.planned(asked.out, asked.forms)
    outputs.check(files, _inputs(asked), overwrite=asked.overwrite)
    image = open_part(asked.image, asked.reading, asked.selection)
    atoms, estimate = None, dict[str, Any]()
    if asked.library is not None:
        bands, sample = _bands(image), _sample(image)
        atoms, notes = library_in(asked.library, configured.angle, bands, sample, asked.endmembers_scale)
        image = replace(image, notes=(*image.notes, *notes))
    else:
        image = _given(asked, method, configured, image)
        asked, image, estimate = _counted(asked, method, image)
        if (asked.method, method.name) == (None, BLIND[0]) and not asked.settings:
            chosen = picked(_sample(image), asked.endmembers or _known(image), seed=asked.seed)
            method, configured = chosen.method, chosen.method.configure()
            image, estimate = replace(image, notes=(*image.notes, chosen.note)), estimate | chosen.about
    settings = {name: getattr(configured, name) for name in asked.settings}
    found = _unmix(method, image, asked, device, progress, settings | ({"library": atoms} if atoms else {}))
    about = about_run(
        method,
        configured,
        seed=asked.seed,
        device=device,
        image=str(asked.image),
        endmembers_from=asked.endmembers_from,
        library=asked.library,
        divisor=image.divisor,
        **estimate,
    )
    small = _small(image)
    result = result_of(found, image.blocks(), whole=small, about=about, library=atoms)
    contents = {files.result: result.to_bytes(), files.picture: picture.png(result, small)}
    for form, paths in files.forms.items():
        contents |= dict(zip(paths, formats.contents(result, form), strict=True))
    outputs.write(contents)
    _report(method, image, result, tell)
    tell("\n".join(map(str, contents)))
    return result


def _inputs(asked: Request) -> list[Path]:
    """Files that are read, those beside a header or of the same name included."""
    image = asked.image.expanduser()
    found = [image]
    for given in (asked.endmembers_from, asked.library):
        if given is None:
            continue
        spectra = Path(given).expanduser()
        found += [spectra, Path(str(spectra).rpartition(":")[0] or spectra)]
    if asked.selection.mask is not None:
        found.append(asked.selection.mask.expanduser())
    beside = []
    for path in found:
        stems = {path.stem.lower(), path.name.lower(), Path(path.stem).stem.lower()}
        header = path.suffix.lower() == ".hdr"
        if path.is_file():
            for other in path.parent.iterdir():
                ending = other.suffix.lower()
                pair = ending == ".hdr" or (header and ending not in (".png", ".npz"))
                if pair and (other.stem.lower() in stems or other.name.lower() in stems):
                    beside.append(other)
    return [path for path in dict.fromkeys([*found, *beside]) if path.is_file()]


# --------------------------------------------------------------------------- endmembers


def _given(asked: Request, method: Method, configured: Any, image: OwnImage) -> OwnImage:
    """The image with the endmembers that are given, in its bands and its unit."""
    if asked.endmembers_from is not None:
        if not _takes_endmembers(method, configured):
            raise InputError(
                f"{method.name} finds its own endmembers: give {option('method', GIVEN)} for abundances of "
                f"given ones, or leave {option('endmembers_from', python='None', command='')} away"
            )
        spectra = read_spectra(asked.endmembers_from)
        E, notes = in_bands(spectra, _bands(image))
        E, more = in_unit(spectra, E, _sample(image), asked.endmembers_scale)
        return _with(image, spectra, E, [f"endmembers from {asked.endmembers_from}", *notes, *more])
    if asked.endmembers_scale is not None:
        raise InputError(
            f"{option('endmembers_scale')} is of the endmembers that are given: with which file?"
        )
    if method.needs.endmembers and image.companions.get("E") is None:
        beside = "".join(f"; {note}" for note in image.notes if "left out: no endmembers" in note)
        raise InputError(
            f"{method.name} needs known endmembers and {image.name} has none: give "
            f"{option('endmembers_from', python='FILE', command='FILE')} (.csv, ENVI library, .npz, .mat, or "
            f"usgs:NAME,NAME), or take a blind method (`hsu methods` lists them){beside}"
        )
    return image


def _takes_endmembers(method: Method, configured: Any) -> bool:
    return method.needs.endmembers or getattr(configured, "endmembers_from", "") == "scene"


def _with(image: OwnImage, spectra: Spectra, E: NDArray, notes: Sequence[str]) -> OwnImage:
    names = spectra.names if len(set(spectra.names)) == E.shape[1] else ()
    names = names or tuple(f"endmember {k + 1}" for k in range(E.shape[1]))
    return replace(image, companions={"E": E, "materials": names}, notes=(*image.notes, *notes))


def _bands(image: OwnImage) -> Bands:
    return Bands(image.wavelengths, image.kept, len(image.values))


def _sample(image: OwnImage) -> NDArray[np.float64]:
    """Some pixels in reflectance, shape ``(bands, pixels)``."""
    return image.sample(_SAMPLE) / image.divisor


def _counted(asked: Request, method: Method, image: OwnImage) -> tuple[Request, OwnImage, dict[str, Any]]:
    """All with a number of endmembers, and what is to be known of it where nothing but the image says it."""
    known = image.companions.get("E") is not None or image.companions.get("A") is not None
    if not is_asked(method, asked.endmembers, known):
        return asked, image, {}
    found = counted(image.scene())
    image = replace(image, notes=(*image.notes, found.note))
    return replace(asked, endmembers=found.number), image, {"endmembers_estimated": found.about}


def _known(image: OwnImage) -> int:
    """How many endmembers the image's reference has, which is there."""
    E = image.companions.get("E")
    return len(image.companions["A"]) if E is None else E.shape[1]


# --------------------------------------------------------------------------- the work


def _unmix(
    method: Method,
    image: OwnImage,
    asked: Request,
    device: str,
    progress: bool,
    settings: Mapping[str, Any],
) -> Unmixing:
    """The method on the image: in blocks where it treats each pixel by itself, else at once."""
    needs = method.needs
    others = needs.spatial or needs.labels or needs.library or needs.first is not None or needs.truth
    given: dict[str, Any] = {"endmembers": asked.endmembers, "seed": asked.seed, "device": device}
    if needs.endmembers and not others:
        return unmix_in_blocks(method, image, image.companions["E"], **given, **settings)
    return method.unmix(image.scene(), progress=progress, **given, **settings)


def _small(image: OwnImage) -> Scene:
    """Pixels of the image that are evenly spread, with all that is known of it."""
    step = max(1, -(-max(image.height, image.width) // _SMALL))
    mask = None if image.mask is None else image.mask[::step, ::step]
    if mask is not None and not mask.any():
        step, mask = 1, image.mask
    companions = {key: value for key, value in image.companions.items() if key != "A"}
    return replace(image, values=image.values[:, ::step, ::step], mask=mask, companions=companions).scene()


def _report(method: Method, image: OwnImage, result: Result, tell: Callable[[str], Any]) -> None:
    tell(f"{method.name} on {image.name} ({image.bands} bands, {image.height} x {image.width} pixels)")
    for note in result.read:
        tell(f"- {note}")
    if "active" in result.about:
        tell(f"{len(result.materials)} of {result.about['library_size']} spectra of the library are used")
    tell(f"endmembers: {', '.join(result.materials[:12])}{' ...' if len(result.materials) > 12 else ''}")
    size = float(np.nanmean(result.rmse))
    tell(f"residual: RMSE {size:.3g} in the mean over pixels, {np.nanmax(result.rmse):.3g} at most")
    tell(result.status)
    for warning in result.warnings:
        tell(f"warning: {warning}")
