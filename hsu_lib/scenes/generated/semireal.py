"""Urban, semi-real: the reference maps of Urban, mixed anew from real spectra with their variability."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hsu_lib.scene import Scene
from hsu_lib.scenes.info import Get, SceneInfo
from hsu_lib.scenes.library import URBAN_LIBRARY, SpectralLibrary, urban_library
from hsu_lib.scenes.noise import add_noise
from hsu_lib.scenes.public.urban import URBAN_MATERIALS, urban_truth
from hsu_lib.scenes.public.zhu import ZHU


def mix_from_library(
    A: NDArray, materials: Sequence[str], library: SpectralLibrary, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Image whose every pixel mixes spectra of its own: one drawn from the library for each material.

    Parameters
    ----------
    A
        Abundances, shape ``(endmembers, height, width)``.
    materials
        Name of each endmember; the library must know it.
    library
        Spectra to draw from, with equal probability within a class.
    rng
        Draws pixel by pixel, material after material.

    Returns
    -------
    ndarray
        Shape ``(bands, height, width)``, without noise.
    """
    Y = np.zeros((len(library.spectra), *A.shape[1:]), dtype=np.float32)
    for abundance, material in zip(A, materials, strict=True):
        spectra = library.of(material).astype(np.float32)
        drawn = rng.integers(spectra.shape[1], size=abundance.shape)
        Y += abundance.astype(np.float32) * spectra[:, drawn]
    return Y


def _semireal(reference: str, get: Get) -> Scene:
    _, A, materials = urban_truth("end6", get)
    library = urban_library(get)
    Y = mix_from_library(A, materials, library, np.random.default_rng(6))
    E = np.stack([library.of(material).mean(axis=1) for material in materials], axis=1)
    return Scene(add_noise(Y, 30.0, seed=6), E, A, materials)


URBAN_SEMIREAL = SceneInfo(
    name="urban-semireal",
    title="Urban, semi-real",
    summary=(
        "The 307 x 307 reference abundances of Urban (6 endmembers), each pixel mixed from real pure-pixel "
        "spectra of Urban, one drawn at random per pixel and class out of 651, plus noise of 30 dB: real "
        "maps, real spectral variability, known truth."
    ),
    kind="semi-real",
    size=(162, 307, 307),
    references={
        "truth": (
            "Abundances exact, they made the image; endmembers are the mean library spectrum of each class, "
            "around which the spectra of the pixels vary"
        )
    },
    materials={"truth": URBAN_MATERIALS["end6"]},
    unit="reflectance (counts / 1000)",
    cautions=(
        "Spectra of neighbouring pixels are drawn independently, so the variability has no spatial "
        "structure, unlike that of a real scene. It differs by class: the spectra of roof lie 14 degrees "
        "from their mean on average, those of metal 1.6; roofs are also the most unequal in brightness."
    ),
    licence="none stated (abundances and library)",
    citation=f"{ZHU} (abundances); Borsoi et al., IEEE GRSL 16 (2019) 598-602 (library)",
    page="https://github.com/ricardoborsoi/MUA_SparseUnmixing",
    definition=1,
    files=("urban/end6_groundTruth.mat", URBAN_LIBRARY),
)

SCENES = ((URBAN_SEMIREAL, _semireal),)
LIBRARIES = {URBAN_SEMIREAL.name: (urban_library, URBAN_LIBRARY)}
