"""Generated mineral scenes after the documents on latent Dirichlet autoencoders: spectra mixed by one law.

The papers on LDVAE and SpACNN-LDVAE train and test on images that mix USGS spectra at random; neither image
is public. Both are made here after their description, and each has a twin in which neighbouring pixels are
alike.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from hsu_lib.scene import Scene
from hsu_lib.scenes.info import Get, Read, SceneInfo
from hsu_lib.scenes.library import USGS_LIBRARY, usgs_library
from hsu_lib.scenes.public.cuprite import (
    CUPRITE_MATERIALS,
    CUPRITE_REFERENCES,
    CUPRITE_SPECTRA,
    CUPRITE_WAVELENGTHS,
    cuprite_endmembers,
)
from hsu_lib.scenes.public.zhu import ZHU

SIDE = 128
"""Height and width in pixels (LDVAE paper, section IV-D)."""
CORRELATION = 8.0
"""Correlation length of the coherent twins in pixels; ours."""

ONTECH_MATERIALS = (
    "Adularia GDS57 Orthoclase",
    "Jarosite GDS99 K,Sy 200C",
    "Jarosite GDS101 Na,Sy 200",
    "Anorthite HS349.3B",  # the document has HS349.1B, which the library of 1995 has not
    "Calcite WS272",
    "Alunite GDS83 Na63",
    "Howlite GDS155",
    "Corrensite CorWa-1",
    "Fassaite HS118.3B",
)
"""The nine minerals of the LDVAE paper, section IV-D, by their names in the USGS library of 1995."""

_LDVAE = (
    "Mantripragada and Qureshi, Hyperspectral pixel unmixing with latent Dirichlet variational autoencoder "
    "(LDVAE paper), section IV-D (description)"
)


def uniform_abundances(
    endmembers: int, height: int, width: int, *, correlation: float = 0.0, seed: int
) -> NDArray[np.float64]:
    r"""Abundances whose every pixel is uniform on the simplex, Dirichlet(1, ..., 1); neighbours alike or not.

    One standard normal field :math:`z_k` per endmember, independent of the others, becomes an exponential
    one, :math:`g_k = -\log\Phi(-z_k)`, and the abundances are :math:`g_k / \sum_j g_j`: exponentials over
    their sum are Dirichlet(1), whatever links one pixel to the next.

    Parameters
    ----------
    endmembers, height, width
        Size.
    correlation
        Distance in pixels at which the correlation of a normal field has fallen to 1/e. The fields are white
        noise smoothed by a Gaussian whose standard deviation is half of it, periodically, so that no border
        differs. 0 draws each pixel independently.
    seed
        Of numpy's PCG64 generator.

    Returns
    -------
    ndarray
        Shape ``(endmembers, height, width)``, not negative (ANC), sum 1 in each pixel (ASC).

    Raises
    ------
    ValueError
        If a size is below 1 or the correlation length is negative.

    References
    ----------
    Devroye, Non-uniform random variate generation (1986), chapter XI, section 4 (Dirichlet from gamma
    variates).
    """
    if min(endmembers, height, width) < 1 or not correlation >= 0:
        raise ValueError(
            "expected at least one endmember, row and column and a correlation length of 0 or more, got "
            f"{(endmembers, height, width)} and {correlation}"
        )
    from scipy.ndimage import gaussian_filter  # here: their import costs more than the scene
    from scipy.special import log_ndtr

    def smooth(field: NDArray) -> NDArray:
        return gaussian_filter(field, correlation / 2, mode="wrap")

    impulse = np.zeros((height, width))
    impulse[0, 0] = 1
    spread = np.sqrt(np.sum(smooth(impulse) ** 2))  # standard deviation of smoothed white noise
    white = np.random.default_rng(seed).standard_normal((endmembers, height, width))
    g = -log_ndtr(-np.stack([smooth(field) / spread for field in white]))
    return g / g.sum(axis=0)


#: Endmembers ``(bands, endmembers)`` and abundances ``(endmembers, height, width)`` to an image.
Mixing = Callable[[NDArray, NDArray], NDArray]


def linear(E: NDArray, A: NDArray) -> NDArray:
    """Image of the linear model, ``E A``, shape ``(bands, height, width)``."""
    return np.einsum("lk,khw->lhw", E, A)  # no BLAS: its sums differ between machines


def bilinear(E: NDArray, A: NDArray) -> NDArray:
    r"""Image of the bilinear model of Fan et al.: light that met two materials joins that which met one.

    .. math:: y = \sum_k a_k e_k + \sum_{j<k} a_j a_k\, e_j \odot e_k

    The second sum is computed band by band from :math:`\tfrac12\bigl((\sum_k a_k e_k)^2 - \sum_k (a_k
    e_k)^2\bigr)`, to which it is equal.

    Parameters
    ----------
    E
        Endmembers as reflectance, shape ``(bands, endmembers)``.
    A
        Abundances, shape ``(endmembers, height, width)``.

    Returns
    -------
    ndarray
        Shape ``(bands, height, width)``.

    References
    ----------
    Fan, Hu, Miller and Li, International Journal of Remote Sensing 30(11), 2009, pp. 2951-2962.
    """
    single = linear(E, A)
    return single + (single**2 - linear(E**2, A**2)) / 2


def _mixed(
    E: NDArray, A: NDArray, materials: tuple[str, ...], wavelengths: NDArray | None, *, law: Mixing = linear
) -> Scene:
    """Scene of these endmembers and abundances, without noise."""
    return Scene(law(E, A), E, A, materials, wavelengths)


def _law(correlation: float) -> str:
    """The law of the abundances in prose."""
    if correlation:
        return (
            "abundances are uniform on the simplex (Dirichlet(1)) in each pixel, and smooth from pixel to "
            f"pixel: normalised exponentials of Gaussian fields with a correlation length of {correlation:g} "
            "pixels"
        )
    return (
        "abundances are drawn uniformly on the simplex (Dirichlet(1)), each pixel independently of the others"
    )


def _ours(correlation: float) -> str:
    """What of that law is not the document's."""
    return "the law is ours, and so is its smoothness" if correlation else "the law is ours"


# --------------------------------------------------------------------------- OnTech-HSI-Syn-21


def _ontech(
    name: str, title: str, seed: int, correlation: float = 0.0, *, nonlinear: bool = False
) -> tuple[SceneInfo, Read]:
    def read(reference: str, get: Get) -> Scene:
        library = usgs_library(get)
        A = uniform_abundances(len(ONTECH_MATERIALS), SIDE, SIDE, correlation=correlation, seed=seed)
        E = library.endmembers(ONTECH_MATERIALS)
        return _mixed(E, A, ONTECH_MATERIALS, library.wavelengths, law=bilinear if nonlinear else linear)

    info = SceneInfo(
        name=name,
        title=title,
        summary=(
            "128 x 128 generated pixels, 224 bands from 383 to 2508 nm, nine USGS minerals; "
            f"{_law(correlation)}{'; mixed by the bilinear model of Fan et al.' if nonlinear else ''}. Made "
            "after the description of OnTech-HSI-Syn-21 in the LDVAE paper, whose own files are not public."
        ),
        kind="synthetic",
        size=(224, SIDE, SIDE),
        references={
            "truth": "Exact: the image is made of these endmembers times these abundances and the products "
            "of two endmembers"
            if nonlinear
            else "Exact: the image is these endmembers times these abundances, to rounding"
        },
        materials={"truth": ONTECH_MATERIALS},
        unit="reflectance",
        cautions=(
            "The document draws non-negative numbers that sum to one and does not say how: "
            f"{_ours(correlation)}. Anorthite HS349.3B stands for its HS349.1B, and the library of 1995 for "
            "the one of 2017 that it cites. Uniform abundances of nine endmembers are strongly mixed: their "
            "mean is 1/9, and a pixel with more than 0.9 of one mineral is a matter of one in ten million. "
            "No noise: ask for it with snr_db."
        ),
        licence="MIT, as this project (scene); none stated (library)",
        citation=f"{_LDVAE}; Clark et al., USGS Open File Report 93-592 (1993) (spectra)",
        page="https://github.com/ricardoborsoi/MUA_SparseUnmixing",
        definition=1,
        files=(USGS_LIBRARY,),
    )
    return info, read


# --------------------------------------------------------------------------- Cuprite, synthetic


def _cuprite(name: str, title: str, seed: int, correlation: float = 0.0) -> tuple[SceneInfo, Read]:
    def read(reference: str, get: Get) -> Scene:
        E, wavelengths = cuprite_endmembers(reference, get)
        A = uniform_abundances(len(CUPRITE_MATERIALS), SIDE, SIDE, correlation=correlation, seed=seed)
        return _mixed(E, A, CUPRITE_MATERIALS, wavelengths)

    info = SceneInfo(
        name=name,
        title=title,
        summary=(
            "128 x 128 generated pixels in the 188 bands of the Cuprite image, its twelve minerals; "
            f"{_law(correlation)}. Made to train a model that is then applied to `cuprite-window`, after "
            "the LDVAE paper, whose own scene is not public."
        ),
        kind="synthetic",
        size=(188, SIDE, SIDE),
        references={
            reference: f"{sentence}. Exact: the image is these endmembers times these abundances, to rounding"
            for reference, sentence in CUPRITE_REFERENCES.items()
        },
        materials=dict.fromkeys(CUPRITE_REFERENCES, CUPRITE_MATERIALS),
        unit="reflectance",
        cautions=(
            "Each reference comes with an image of its own, of the same abundances; a model meets the "
            "window's bands where it was trained on the aligned one. The LDVAE paper takes the spectra from "
            "the USGS library without saying which; these are the published reference spectra, each within "
            "0.3 degrees of one of the library of 1995 (Kaolinite_1 and Kaolinite_2 of its "
            "kaolinite-smectite mixtures KLF508 and H89-FR-5). Size and law are not stated for this scene: "
            f"{_ours(correlation)}, the size is that of OnTech-HSI-Syn-21. No noise: ask for it with snr_db."
        ),
        licence="MIT, as this project (scene); none stated (spectra); GPL-3.0 (wavelengths)",
        citation=f"{_LDVAE}; {ZHU} (spectra)",
        page="https://github.com/EASPORTS14/Hyperspectral-unmixing",
        definition=1,
        files=(CUPRITE_SPECTRA,),
        reference_files={"aligned": (CUPRITE_WAVELENGTHS,)},
    )
    return info, read


SCENES = (
    _ontech("ontech-syn-train", "OnTech-HSI-Syn-21 after its description, to train on", 2101),
    _ontech("ontech-syn", "OnTech-HSI-Syn-21 after its description", 2102),
    _ontech(
        "ontech-syn-coherent-train", "Coherent twin of OnTech-HSI-Syn-21, to train on", 2103, CORRELATION
    ),
    _ontech("ontech-syn-coherent", "Coherent twin of OnTech-HSI-Syn-21", 2104, CORRELATION),
    # the same abundances as their linear twins
    _ontech(
        "ontech-syn-bilinear-train", "Bilinear twin of OnTech-HSI-Syn-21, to train on", 2101, nonlinear=True
    ),
    _ontech("ontech-syn-bilinear", "Bilinear twin of OnTech-HSI-Syn-21", 2102, nonlinear=True),
    _cuprite("cuprite-synthetic", "Cuprite, synthetic", 2105),
    _cuprite("cuprite-synthetic-coherent", "Cuprite, synthetic, coherent twin", 2106, CORRELATION),
)
