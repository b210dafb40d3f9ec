"""Cuprite: a window of a mining district in Nevada, and reference spectra of its twelve minerals."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from hsu_lib.scene import Scene
from hsu_lib.scenes.info import Get, SceneInfo
from hsu_lib.scenes.matlab import read_mat
from hsu_lib.scenes.public.zhu import ZHU
from hsu_lib.scenes.resampling import resample

CUPRITE_MATERIALS = (
    "Alunite",
    "Andradite",
    "Buddingtonite",
    "Dumortierite",
    "Kaolinite_1",
    "Kaolinite_2",
    "Muscovite",
    "Montmorillonite",
    "Nontronite",
    "Pyrope",
    "Sphene",
    "Chalcedony",
)
CUPRITE_SPECTRA = "cuprite/Cuprite12_groundTruth.mat"
CUPRITE_WAVELENGTHS = "cuprite/Moffet_wavelength.txt"

CUPRITE_REFERENCES = {
    "stored": "Laboratory spectra of twelve minerals after Zhu (2017), taken channel by channel as published",
    "aligned": (
        "The same spectra, interpolated by us from their own wavelengths to those of the image's bands "
        "(the first two, up to 10 nm below the spectra, keep their first value)"
    ),
}


def cuprite_endmembers(reference: str, get: Get) -> tuple[NDArray, NDArray]:
    """Reference spectra of the twelve minerals ``(188, 12)``, and the wavelengths ``(188,)`` they are at, nm.

    Both are in the order of the image's bands. ``"stored"`` spectra keep wavelengths of their own, which lie
    some 30 nm above those of the image.
    """
    truth = read_mat(get(CUPRITE_SPECTRA))
    bands = truth["slctBnds"].ravel().astype(int) - 1
    own = truth["waveLength"].ravel() * 1000  # from micrometres
    if reference == "stored":
        return truth["M"][bands], own[bands]
    image = cuprite_wavelengths(get)[bands]
    return resample(truth["M"], own, image.clip(own.min(), own.max())), image


def cuprite_wavelengths(get: Get) -> NDArray:
    """Centres of the 224 AVIRIS channels of 1997 in nm; those of neighbouring spectrometers overlap."""
    return np.loadtxt(BytesIO(get(CUPRITE_WAVELENGTHS)))[:, 0]


def _cuprite_window(reference: str, get: Get) -> Scene:
    stored = read_mat(get("cuprite/Rcuprite50x90x188.mat"))["Rcuprite50x90x188"]  # (height, width, bands)
    Y: NDArray = stored.transpose(2, 0, 1) / 10000
    E, _ = cuprite_endmembers(reference, get)
    _, wavelengths = cuprite_endmembers("aligned", get)  # the image's, whatever the spectra's
    return Scene(Y, E, None, CUPRITE_MATERIALS, wavelengths)


CUPRITE_WINDOW = SceneInfo(
    name="cuprite-window",
    title="Cuprite, window",
    summary=(
        "50 x 90 pixels of AVIRIS over the Cuprite mining district, Nevada, 188 of 224 bands: altered rock, "
        "a playa and tracks, with reference spectra of twelve minerals."
    ),
    kind="public",
    size=(188, 50, 90),
    references=CUPRITE_REFERENCES,
    materials=dict.fromkeys(CUPRITE_REFERENCES, CUPRITE_MATERIALS),
    unit="stored reflectance / 10000",
    cautions=(
        "No reference abundances exist, and which minerals the window holds is not known. The channels of "
        "the twelve spectra are not those of the image but three further on, some 30 nm: the Al-OH minimum "
        "of kaolinite lies at channel 189 as stored, at 192 aligned, at 193 in the image (from 0, among "
        "224), which turns the spectra by 1.0 to 3.4 degrees. Fitted with non-negative abundances, they "
        "leave a relative error of 0.038 as stored and 0.031 aligned; with abundances that also sum to one, "
        "0.072 and 0.076. Wavelengths are those of another AVIRIS flight of 1997, on which the absorptions "
        "of this image fall where they should; its source has none. Bands 1-2, 104-113, 148-167 and 221-224 "
        "are removed; 13 values are just below zero. The scene of the documents is the whole 512 x 614 one."
    ),
    licence="GPL-2.0 (image), none stated (spectra), GPL-3.0 (wavelengths)",
    citation=(
        "Zhuang et al., Regularization parameter selection in minimum volume hyperspectral unmixing, IEEE "
        f"TGRS 57 (2019) 9858-9877 (window); {ZHU} (spectra)"
    ),
    page="https://github.com/LinaZhuang/NMF-QMV_demo",
    definition=1,
    files=("cuprite/Rcuprite50x90x188.mat", CUPRITE_SPECTRA, CUPRITE_WAVELENGTHS),
)

SCENES = ((CUPRITE_WINDOW, _cuprite_window),)
