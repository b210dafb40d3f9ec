"""Small known scenes that several tests share. Height and width differ, so no swapped axis can hide."""

from __future__ import annotations

from typing import Any

import numpy as np

from hsu_lib.methods import get
from hsu_lib.scene import Scene, Status
from hsu_lib.scenes.library import SpectralLibrary


def pure_pixel_scene(height=7, width=5, bands=12, endmembers=3, seed=0) -> Scene:
    """Noiseless linear mixture in which every material has a pure pixel."""
    rng = np.random.default_rng(seed)
    x = np.linspace(0, 1, bands)[:, None]
    centres = (np.arange(endmembers) + 0.5) / endmembers
    E = 0.15 + 0.7 * np.exp(-(((x - centres) / 0.18) ** 2)) + 0.02 * rng.random((bands, endmembers))
    A = rng.dirichlet(np.ones(endmembers), height * width).T
    A[:, :endmembers] = np.eye(endmembers)
    return Scene(
        Y=(E @ A).reshape(bands, height, width),
        E=E,
        A=A.reshape(endmembers, height, width),
        materials=tuple("abcdefgh"[:endmembers]),
        name="toy",
    )


def toy_library(scene: Scene) -> SpectralLibrary:
    """The scene's endmembers, and each the other way round: a library of twice as many."""
    spectra = np.hstack([scene.E, scene.E[::-1]]).astype(np.float64)
    names = tuple(f"spectrum {k}" for k in range(spectra.shape[1]))
    return SpectralLibrary(spectra, np.arange(len(names)), names)


def asked_of(name: str, scene: Scene, **given: Any) -> dict[str, Any]:
    """Arguments of `Method.unmix`: the quick settings, and a library in place of a number of endmembers."""
    method = get(name)
    if method.needs.library:
        given = {"library": toy_library(scene)} | given
        given.pop("endmembers", None)
    return dict(method.quick) | given


#: Methods without ASC that find the abundances of a scene without noise, which sum to one.
EXACT = ("sunsal-sure",)


def ends_well(name: str) -> tuple[Status, ...]:
    """How a method of that name may end on that scene."""
    if name == "uniform":  # its endmembers are all the same
        return (Status.DEGENERATE,)
    return (Status.CONVERGED, Status.FINISHED, Status.STOPPED)


def striped_scene() -> Scene:
    """Stripes of pure materials, wide against the kernel: a decoder need not borrow from neighbours."""
    scene = pure_pixel_scene()
    A = np.kron(np.eye(3), np.ones((1, 8)))[:, None, :].repeat(20, axis=1)  # 3 x 20 x 24
    return Scene(np.einsum("lp,phw->lhw", scene.E, A), scene.E, A)
