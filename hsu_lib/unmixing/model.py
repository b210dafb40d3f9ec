"""What an unmixing makes of an image: residual, order, diagnosis, names, in a `Result`."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

import hsu_lib
from hsu_lib.errors import InputError
from hsu_lib.methods import Method
from hsu_lib.metrics.alignment import align
from hsu_lib.scene import Scene, Status, Unmixing
from hsu_lib.scenes.library import SpectralLibrary
from hsu_lib.unmixing.diagnosis import findings, noise_level
from hsu_lib.unmixing.order import stable_order
from hsu_lib.unmixing.result import Result

_MUCH = 0.2  # share of an image that is left, from which on its endmembers are not those of the image
_PIXELS = 20_000  # that are looked at to tell the noise


class Diverged(RuntimeError):
    """The estimate is not finite: there is no result."""


def result_of(
    found: Unmixing,
    blocks: Iterable[tuple[slice, Scene]],
    *,
    whole: Scene,
    about: Mapping[str, Any],
    library: SpectralLibrary | None = None,
) -> Result:
    """Result of an unmixing.

    Parameters
    ----------
    found
        What the method made.
    blocks
        Rows and the scenes of them, once through the image, for the residual.
    whole
        The image, or a block of it that has its wavelengths, mask aside, and its reference.
    about
        What is to be known of how it was made.
    library
        What the method chose from; which of its spectra are used is then known, too.

    Raises
    ------
    Diverged
        If the method diverged.
    InputError
        If no spectrum of the library is used.
    """
    if found.status is Status.DIVERGED:
        raise Diverged(f"no result: {found.status.value}")
    if library is not None and found.active is not None:
        if not len(found.active):
            raise InputError("no pixel has any spectrum of the library: lower the weight, or check the units")
        whole = replace(whole, E=None, A=None, materials=())
        about = {**about, "library_size": len(library.names), "active": found.active.tolist()}
    rmse = np.full(found.A.shape[1:], np.nan, dtype=np.float32)
    parts: list[NDArray] = []
    for rows, scene in blocks:
        rmse[rows] = _rmse(scene, found, rows)
        counting = scene.pixels if scene.mask is None else scene.Y[:, scene.mask]
        parts.append(counting[:, :: max(1, found.A[0].size // _PIXELS)].copy())  # and not a view of it all
    pixels = np.concatenate(parts, axis=1)
    worst: Status | None = None
    warnings: list[str] = []
    if library is not None and found.active is not None:  # of a library, which is what it is
        names = tuple(library.names[k] for k in found.active)
    else:
        found, names = _ordered(found, whole)  # after the residual: a decoder has the method's order
        A = found.A.reshape(len(found.A), -1) if found.mask is None else found.A[:, found.mask]
        worst, warnings = findings(found.E, A, noise_level(pixels, len(A)), names, picked=not found.ordered)
    warnings += _unexplained(rmse, pixels)
    status = worst or found.status
    if found.status is Status.STOPPED:
        warnings.append(Status.STOPPED.value)
    return Result(
        found.E,
        found.A,
        rmse,
        names,
        status=status.value,
        warnings=tuple(dict.fromkeys(warning for warning in warnings if warning != status.value)),
        wavelengths=whole.wavelengths,
        mask=found.mask,
        kept=whole.kept,
        georeference=whole.georeference,
        name=whole.name,
        read=whole.read,
        about=about,
    )


def _unexplained(rmse: NDArray, pixels: NDArray) -> list[str]:
    """Whether the model leaves much of the image."""
    size = float(np.sqrt(np.mean(np.square(pixels, dtype=np.float64))))
    share = float(np.sqrt(np.nanmean(np.square(rmse, dtype=np.float64)))) / size if size > 0 else 0.0
    if share < _MUCH:
        return []
    return [
        f"the model leaves {100 * share:.0f} % of the image unexplained (RMSE over the root mean square of "
        "the image): materials lack, or units differ"
    ]


def _ordered(found: Unmixing, scene: Scene) -> tuple[Unmixing, tuple[str, ...]]:
    """Endmembers in an order that no seed decides, and their names.

    As given; else by the nearest spectra of the image's own reference, where it has as many; else by the
    centre of gravity of the spectra, and numbered.
    """
    count = found.E.shape[1]
    names = scene.materials if len(scene.materials) == count else ()
    if not found.ordered:
        if scene.E is not None and scene.E.shape == found.E.shape:
            found = found.permuted(align(found.E, scene.E))
        else:
            names = ()
            found = found.permuted(stable_order(found.E, scene.wavelengths))
    return found, names or tuple(f"endmember {k + 1}" for k in range(count))


def _rmse(scene: Scene, found: Unmixing, rows: slice) -> NDArray[np.float32]:
    """Root mean square over the bands of image minus model, NaN where no pixel counts."""
    A = found.A[:, rows].reshape(len(found.A), -1)
    if found.decoder is None:
        with np.errstate(invalid="ignore"):
            model = found.E @ A
    else:
        model = np.full((scene.bands, A.shape[1]), np.nan, dtype=np.float32)
        counts = np.isfinite(A).all(axis=0)
        model[:, counts] = found.decoder(A[:, counts])
    model -= scene.pixels
    return np.sqrt(np.mean(np.square(model), axis=0)).reshape(scene.height, scene.width)


def about_run(method: Method, configured: Any, *, seed: int, device: str, **more: Any) -> dict[str, Any]:
    """What is to be known of how a result was made, JSON-ready."""
    versions = {name: importlib.metadata.version(name) for name in ("numpy", "scipy", "torch")}
    return {
        "method": method.name,
        "method_version": method.version,
        "settings": asdict(configured),
        "seed": int(seed),
        "device": device,
        "versions": {"hsu": hsu_lib.__version__, **versions, "python": platform.python_version()},
        **more,
    }


def with_endmembers(scene: Scene, E: NDArray, names: Sequence[str], notes: Sequence[str]) -> Scene:
    """The scene with given endmembers ``(bands, endmembers)`` in place of a reference."""
    names = tuple(names) or tuple(f"endmember {k + 1}" for k in range(E.shape[1]))
    return replace(scene, E=E, A=None, materials=names, read=(*scene.read, *notes))
