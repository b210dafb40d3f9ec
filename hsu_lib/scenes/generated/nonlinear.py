"""Nonlinear twins: materials and abundances of another scene, mixed by another law than the linear one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hsu_lib.scene import Scene
from hsu_lib.scenes.generated.lagoon import LAGOON, lagoon
from hsu_lib.scenes.generated.minerals import Mixing, bilinear, linear
from hsu_lib.scenes.info import Get, Read, SceneInfo
from hsu_lib.scenes.public import sim
from hsu_lib.solvers.hapke import albedo, reflectance


def intimate(E: NDArray, A: NDArray) -> NDArray:
    """Image of grains that are mixed, not of areas side by side: albedos mix linearly, by Hapke's model.

    Parameters
    ----------
    E
        Endmembers as reflectance from 0 to 1, shape ``(bands, endmembers)``.
    A
        Abundances, shape ``(endmembers, height, width)``.

    Returns
    -------
    ndarray
        Reflectance, shape ``(bands, height, width)``.

    References
    ----------
    Hapke, Journal of Geophysical Research 86(B4), 1981, 3039-3054.
    """
    return reflectance(np.clip(linear(albedo(E), A), 0, 1))


#: What a law is called: how it is told, and whose it is.
LAWS: dict[str, tuple[Mixing, str, str]] = {
    "bilinear": (bilinear, "mixed by the bilinear model of Fan et al.", "Fan et al., IJRS 30(11), 2009"),
    "intimate": (intimate, "mixed as grains, by Hapke's model", "Hapke, JGR 86(B4), 1981"),
}


def _twin(of: SceneInfo, law: str, made: Callable[[Get], Scene], cautions: str) -> tuple[SceneInfo, Read]:
    mix, told, source = LAWS[law]

    def read(reference: str, get: Get) -> Scene:
        scene = made(get)
        assert scene.E is not None
        assert scene.A is not None
        return replace(scene, Y=mix(scene.E.astype(np.float64), scene.A.astype(np.float64)))

    height, width = of.size[1:]
    info = replace(
        of,
        name=f"{of.name}-{law}",
        title=f"{of.title}, {law}",
        summary=(
            f"{height} x {width} pixels, {of.size[0]} bands: materials and abundances of {of.name}, {told}."
        ),
        kind="synthetic",
        references={"truth": f"Exact: the image is made of these endmembers and abundances, {told}"},
        cautions=f"{cautions} No noise: ask for it with snr_db.",
        citation=f"{source}; {of.citation}",
        definition=1,
    )
    return info, read


def _lagoon(get: Get) -> Scene:
    return lagoon(variability=0)


def _sim1(get: Get) -> Scene:
    info, read = sim.SIM1
    return read(info.usual, get)


SCENES = (
    *(_twin(LAGOON, law, _lagoon, "Spectra do not vary over the scene.") for law in LAWS),
    _twin(sim.SIM1[0], "intimate", _sim1, "No pixel is pure, abundances are up to 0.75."),
)
