"""The scenes by name: load one, describe it, fetch its files, verify them all."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from hsu_lib.scene import Scene, SceneSpec
from hsu_lib.scenes import public
from hsu_lib.scenes.generated import lagoon, minerals, nonlinear, semireal
from hsu_lib.scenes.info import Get, Read, SceneInfo
from hsu_lib.scenes.library import USGS_LIBRARY, SpectralLibrary, usgs_library
from hsu_lib.scenes.noise import add_noise
from hsu_lib.scenes.public import dc, download, urban

if TYPE_CHECKING:
    import pandas as pd

_ALL = (
    *lagoon.SCENES,
    *public.SCENES,
    *semireal.SCENES,
    *minerals.SCENES,
    *nonlinear.SCENES,
)
#: The library of minerals that is no scene's own.
USGS = "usgs"
#: The own ones, and the file that each is made of; none of one that is generated.
_LIBRARIES: dict[str, tuple[Callable[[Get], SpectralLibrary], str]] = {
    **lagoon.LIBRARIES,
    **dc.LIBRARIES,
    **urban.LIBRARIES,
    **semireal.LIBRARIES,
}
_SCENES = {info.name: info for info, _ in _ALL}
_READERS: dict[str, Read] = {info.name: read for info, read in _ALL}


def names() -> tuple[str, ...]:
    """Names that `load` knows; the first is embedded and needs no file."""
    return tuple(_SCENES)


def describe(name: str) -> SceneInfo:
    """What the catalogue knows of a scene, without opening its files.

    Raises
    ------
    ValueError
        If there is no scene of that name.
    """
    if name not in _SCENES:
        close = difflib.get_close_matches(name, _SCENES)
        hint = f" Did you mean {' or '.join(close)}?" if close else ""
        raise ValueError(f"no scene is called {name!r}.{hint} Known scenes: {', '.join(_SCENES)}")
    return _SCENES[name]


def _resolve(spec: SceneSpec | str) -> tuple[SceneSpec, SceneInfo, str]:
    spec = SceneSpec(spec) if isinstance(spec, str) else spec
    info = describe(spec.name)
    reference = spec.reference or info.usual
    if reference not in info.references:
        raise ValueError(
            f"scene {info.name} has no reference {reference!r}; it has {', '.join(info.references)} "
            "(the first is the usual one)"
        )
    return spec, info, reference


def load(spec: SceneSpec | str, *, download: bool = True, progress: bool = False) -> Scene:
    """Scene of a specification, or the scene of that name: its reference, then the crop, then the noise.

    Parameters
    ----------
    spec
        A `SceneSpec`, or a name for the whole scene with its usual reference and no added noise.
    download
        Whether files that are not on this machine may be downloaded.
    progress
        Whether to show a bar while downloading.

    Returns
    -------
    Scene
        `Y` ``(bands, height, width)`` in reflectance units; `name` is the scene's name.

    Raises
    ------
    ValueError
        If the name or the reference is not known, or the crop lies outside the scene.
    FileNotFoundError
        If a file is missing and is not, or cannot be, downloaded.
    """
    spec, info, reference = _resolve(spec)
    scene = _whole(info.name, reference, download, progress)
    if spec.crop is not None:
        scene = scene.crop(*spec.crop)
    if spec.snr_db is not None:
        scene = replace(scene, Y=add_noise(scene.Y, spec.snr_db, spec.noise_seed))
    return scene


@lru_cache(maxsize=8)  # a sweep asks for the same scenes run after run; the eight largest are 210 MB
def _whole(name: str, reference: str, may_download: bool, progress: bool) -> Scene:
    get = partial(download.read, download=may_download, progress=progress)
    scene = _READERS[name](reference, get)
    return replace(scene, name=name, reference=_SCENES[name].references[reference])


def library_of(name: str, *, angle: float = dc.ANGLE, progress: bool = False) -> SpectralLibrary:
    """Spectral library that a scene is a mixture of, or of its materials, or the minerals of the USGS.

    Parameters
    ----------
    name
        A scene, ``"dc1"`` or ``"urban-grass-window"`` for instance; or ``"usgs"`` for the library of 1995
        without spectra that are nearly alike (`hsu_lib.scenes.library.SpectralLibrary.pruned`).
    angle
        Of ``"usgs"``: how many degrees two spectra are apart at least.
    progress
        Whether to show a bar while downloading.

    Raises
    ------
    ValueError
        If the scene is not known, or has no library.
    FileNotFoundError
        If a file is missing and is not, or cannot be, downloaded.
    """
    get = partial(download.read, progress=progress)
    if name == USGS:
        return usgs_library(get).pruned(angle)
    if name not in _LIBRARIES:
        *others, last = _LIBRARIES
        raise ValueError(
            f"{describe(name).name} has no library of its own, as {', '.join(others)} and {last} have: "
            f"choose from {USGS!r}"
        )
    return _LIBRARIES[name][0](get)


def library_version(name: str) -> str:
    """Checksum of a library's file, for the keys of runs; empty where the version of its scene has it."""
    if name == USGS:
        return download.registry()[USGS_LIBRARY].checksum
    file = _LIBRARIES[name][1] if name in _LIBRARIES else ""
    return download.registry()[file].checksum if file and file not in describe(name).files else ""


def version(spec: SceneSpec | str) -> str:
    """Short string that changes when what `load` returns for this scene changes by our doing.

    Made of our definition number and, for public data, the registered checksums: no file is opened. It
    is part of every stored run's key.

    Raises
    ------
    ValueError
        If the name or the reference is not known.
    """
    _, info, reference = _resolve(spec)
    needed = info.needs(reference)
    if not needed:
        return str(info.definition)
    checksums = "\n".join(download.registry()[file].checksum for file in needed)
    return f"{info.definition}-{hashlib.sha256(checksums.encode()).hexdigest()[:8]}"


def is_available(spec: SceneSpec | str) -> bool:
    """Whether `load` needs no download: the scene is generated, or its files are here and undamaged.

    Raises
    ------
    ValueError
        If the name or the reference is not known.
    """
    _, info, reference = _resolve(spec)
    return all(download.find(file)[0] is not None for file in info.needs(reference))


def fetch(name: str, *, progress: bool = True) -> dict[str, Path]:
    """Bring every file of a scene here, those of all its references included, and say where each is.

    Raises
    ------
    ValueError
        If there is no scene of that name.
    FileNotFoundError
        If a file is missing and cannot be downloaded.
    """
    return {file: download.locate(file, progress=progress)[0] for file in describe(name).all_files}


def table() -> pd.DataFrame:
    """One row per scene: what it is and whether its files are here.

    ``files`` is ``"embedded"``, ``"here"`` (those of the usual reference) or ``"to download"``; ``mb`` counts
    the files of the usual reference in megabytes, NaN where a size is not known.
    """
    import pandas as pd

    rows = []
    for info in _SCENES.values():
        needed = [download.registry()[file] for file in info.needs(info.usual)]
        rows.append(
            {
                "name": info.name,
                "title": info.title,
                "kind": info.kind,
                "bands": info.size[0],
                "height": info.size[1],
                "width": info.size[2],
                "endmembers": len(info.materials[info.usual]),
                "references": ", ".join(info.references),
                "files": "embedded" if not needed else "here" if is_available(info.name) else "to download",
                "mb": sum(float("nan") if file.size is None else file.size / 1e6 for file in needed),
            }
        )
    return pd.DataFrame(rows)


def verify() -> pd.DataFrame:
    """State of every registered file: columns ``file``, ``state``, ``where``.

    ``state`` is ``"ok"``, ``"damaged"`` (something else lies under its name) or ``"absent"``. A damaged
    copy is listed even if a good one is found further on.
    """
    import pandas as pd

    rows = []
    for file in download.registry():
        path, _, damaged = download.find(file)
        rows += [(file, "damaged", str(bad)) for bad in damaged]
        if path is not None:
            rows.append((file, "ok", str(path)))
        elif not damaged:
            rows.append((file, "absent", ""))
    return pd.DataFrame(rows, columns=["file", "state", "where"])
