"""Public scenes: what each is, and how its files are read.

All ``.mat`` matrices ``(n, height * width)`` met here are column-major: the pixel index runs down the
columns of the image first.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from hsu_lib.scene import Scene
from hsu_lib.scenes.files import read_mat
from hsu_lib.scenes.info import Get, Read, SceneInfo
from hsu_lib.scenes.library import USGS_LIBRARY, resample, usgs_library

ZHU = (
    "Zhu, Hyperspectral unmixing: ground truth labeling, datasets, benchmark performances and survey, "
    "arXiv:1708.05125 (2017)"
)


def image_of(matrix: NDArray, height: int, width: int) -> NDArray:
    """Cube ``(n, height, width)`` of a matrix ``(n, height * width)`` with column-major pixels."""
    return matrix.reshape(len(matrix), width, height).transpose(0, 2, 1)


def class_names(cood: NDArray) -> tuple[str, ...]:
    """Names of a MATLAB cell of ``"1-rock"``: ``"rock"``."""
    return tuple(str(cell[0]).split("-", 1)[-1].strip().lower() for cell in cood.ravel())


def endmember_scales(Y: NDArray, E: NDArray, A: NDArray) -> NDArray:
    """Factors d ``(endmembers,)`` that bring ``E diag(d) A`` closest to `Y` in least squares.

    The normal equations of d are ``((E'E) * (AA')) d = diag(E' Y A')``, * element by element.
    """
    pixels, abundances = Y.reshape(len(Y), -1), A.reshape(len(A), -1)
    gram = (E.T @ E) * (abundances @ abundances.T)
    return np.linalg.solve(gram, np.einsum("ln,ln->n", E, pixels @ abundances.T))


# --------------------------------------------------------------------------- Samson


def _samson(reference: str, get: Get) -> Scene:
    # V is an integer count over 1402, its largest: the image is stored scaled to a maximum of 1
    Y = image_of(read_mat(get("samson/samson_1.mat"))["V"], 95, 95)
    header = get("samson/samson_1.img.hdr").decode("ascii")
    wavelengths = header.split("wavelength = {")[1].split("}")[0].split(",")
    if reference == "misicnet":
        # its endmembers already stand in the order rock, tree, water (spectral angle to end3)
        E = read_mat(get("samson/misicnet_E.mat"))["E"]
        A = (
            read_mat(get("samson/misicnet_A_true.mat"))["A_true"].transpose(2, 0, 1).clip(min=0)
        )  # rounding: -3e-17
    else:
        end3 = read_mat(get("samson/end3.mat"))
        E, A = end3["M"], image_of(end3["A"], 95, 95)
        if reference == "end3-scaled":
            E = E * endmember_scales(Y, E, A)
    return Scene(Y, E, A, SAMSON.materials[reference], np.array(wavelengths, dtype=float))


_ROCK = ("rock", "tree", "water")

SAMSON = SceneInfo(
    name="samson",
    title="Samson",
    summary="95 x 95 pixels of a coast, 156 bands from 401 to 899 nm: rock, trees and water.",
    kind="public",
    size=(156, 95, 95),
    references={
        "end3": (
            "Reference of Zhu (2017): endmembers chosen by hand, each scaled to a maximum of 1, "
            "and the abundances that constrained least squares gives for them; E A does not rebuild Y"
        ),
        "end3-scaled": (
            "Reference of Zhu (2017), its three endmembers rescaled by us, in least squares, to the image's "
            "unit"
        ),
        "misicnet": (
            "Reference that Rasti et al. (2022) distribute with MiSiCNet, endmembers in the image's unit; "
            "how it was made is not stated there"
        ),
    },
    materials=dict.fromkeys(("end3", "end3-scaled", "misicnet"), _ROCK),
    unit="counts / 1402, the largest count (as stored)",
    cautions=(
        "With end3 the relative reconstruction error is 1.51, rescaled 0.314, with misicnet 0.096; the "
        "abundances of the two correlate with 0.92, 0.92 and 0.83 only. Wavelengths from the ENVI header of "
        "a copy (400.9 to 899.1 nm); papers usually quote 401 to 889 nm."
    ),
    licence="none stated (image, end3); Apache-2.0 (misicnet)",
    citation=ZHU,
    page="https://github.com/maxkochanoff/Hyperspectral-Images-Unmixing",
    definition=1,
    files=("samson/samson_1.mat", "samson/samson_1.img.hdr"),
    reference_files={
        "end3": ("samson/end3.mat",),
        "end3-scaled": ("samson/end3.mat",),
        "misicnet": ("samson/misicnet_E.mat", "samson/misicnet_A_true.mat"),
    },
)


# --------------------------------------------------------------------------- Jasper Ridge

JASPER_SCALE = 5437.0
"""Largest count of the window. The source names 5000 (`maxValue`); E fits Y / 5437 better (relative error
0.161 against 0.175; the divisor that fits best is 5367) and Y then stays below 1."""


def _jasper(reference: str, get: Get) -> Scene:
    image, end4 = read_mat(get("jasper/jasperRidge2_R198.mat")), read_mat(get("jasper/end4.mat"))
    Y: NDArray = image_of(image["Y"], 100, 100) / JASPER_SCALE
    return Scene(Y, end4["M"], image_of(end4["A"], 100, 100), class_names(end4["cood"]))


JASPER = SceneInfo(
    name="jasper",
    title="Jasper Ridge",
    summary="100 x 100 pixels of AVIRIS, 198 of 224 bands: trees, water, dirt and a road.",
    kind="public",
    size=(198, 100, 100),
    references={
        "end4": (
            "Reference of Zhu (2017): endmembers chosen by hand in the image, "
            "and the abundances that constrained least squares gives for them"
        )
    },
    materials={"end4": ("tree", "water", "dirt", "road")},
    unit="counts / 5437, the largest count; the source names 5000, which fits its endmembers less well",
    cautions=(
        "Relative reconstruction error of the reference 0.161 (0.175 with counts / 5000; abundances "
        "transposed 0.83). The source has no wavelengths."
    ),
    licence="none stated",
    citation=ZHU,
    page="https://github.com/mabdolali/MaxVol_Dual",
    definition=1,
    files=("jasper/jasperRidge2_R198.mat", "jasper/end4.mat"),
)


# --------------------------------------------------------------------------- Urban

URBAN_MATERIALS = {
    "end4": ("asphalt road", "grass", "tree", "roof"),
    "end5": ("asphalt road", "grass", "tree", "roof", "dirt"),
    "end6": ("asphalt road", "grass", "tree", "roof", "metal", "dirt"),
}

_URBAN_REFERENCES = {
    f"end{n}": (
        f"Reference of Zhu (2017) with {n} endmembers chosen by hand, "
        "and the abundances that constrained least squares gives for them"
    )
    for n in (4, 5, 6)
}

_URBAN_TRUTH = {reference: (f"urban/{reference}_groundTruth.mat",) for reference in _URBAN_REFERENCES}


def urban_truth(reference: str, get: Get) -> tuple[NDArray, NDArray, tuple[str, ...]]:
    """Endmembers, abundances ``(n, 307, 307)`` and materials of the whole Urban scene."""
    truth = read_mat(get(f"urban/{reference}_groundTruth.mat"))
    return truth["M"], image_of(truth["A"], 307, 307), class_names(truth["cood"])


def _urban_detection(reference: str, get: Get) -> Scene:
    E, A, materials = urban_truth(reference, get)
    Y: NDArray = read_mat(get("urban/urban_162band.mat"))["urban_detection"].transpose(2, 0, 1) / 1000
    return Scene(Y, E, A[:, 0:80, 187:287], materials)


def _urban_grass(reference: str, get: Get) -> Scene:
    E, A, materials = urban_truth(reference, get)
    Y = read_mat(get("urban/subimage_Urban_R162.mat"))["im"].transpose(2, 0, 1)  # stored as counts / 1000
    return Scene(Y, E, A[:, 223:257, 149:227], materials)


URBAN_DETECTION = SceneInfo(
    name="urban-detection-window",
    title="Urban, detection window",
    summary=(
        "HYDICE Urban, rows 0 to 79 and columns 187 to 286 of the 307 x 307 scene, 162 bands: the window of "
        "anomaly-detection papers, with dirt, roads and grass."
    ),
    kind="public",
    size=(162, 80, 100),
    references=_URBAN_REFERENCES,
    materials=URBAN_MATERIALS,
    unit="counts / 1000",
    cautions=(
        "Reference cut from that of the whole scene; the place was found by correlation and confirmed by 31 "
        "library spectra that occur bit for bit. Relative reconstruction error 0.357 (end4), 0.451 (end5) "
        "and 0.448 (end6); the last two have endmembers about 1.3 times brighter than the image. Roof and "
        "metal are almost absent."
    ),
    licence="none stated",
    citation=ZHU,
    page="https://github.com/FDU-ctk/HSI-detection",
    definition=1,
    files=("urban/urban_162band.mat",),
    reference_files=_URBAN_TRUTH,
)

URBAN_GRASS = SceneInfo(
    name="urban-grass-window",
    title="Urban, grass window",
    summary=(
        "HYDICE Urban, rows 223 to 256 and columns 149 to 226 of the 307 x 307 scene, 162 bands: "
        "mostly grass and trees."
    ),
    kind="public",
    size=(162, 34, 78),
    references=_URBAN_REFERENCES,
    materials=URBAN_MATERIALS,
    unit="counts / 1000 (as stored)",
    cautions=(
        "Reference cut from that of the whole scene; the place was found by correlation and confirmed by 7 "
        "library spectra that occur bit for bit. Relative reconstruction error 0.251 (end4), 0.368 (end5), "
        "0.366 (end6). Roof and metal are almost absent."
    ),
    licence="none stated",
    citation=ZHU,
    page="https://github.com/ricardoborsoi/MAC_U",
    definition=1,
    files=("urban/subimage_Urban_R162.mat",),
    reference_files=_URBAN_TRUTH,
)


def _urban(reference: str, get: Get) -> Scene:
    file = read_mat(get(f"urban/Urban{reference.removeprefix('end')}.mat"))
    expected = {"Y": (162, 94249), "GT": (int(reference[-1]), 162), "S_GT": (307, 307, int(reference[-1]))}
    for key, shape in expected.items():
        if key not in file or file[key].shape != shape:
            found = file[key].shape if key in file else "nothing"
            raise ValueError(f"Urban{reference[-1]}.mat: expected {key} of shape {shape}, found {found}")
    Y = image_of(file["Y"], 307, 307)
    if Y.max() > 2:
        Y = Y / 1000  # counts; the sibling Samson.mat is stored divided by its largest count
    return Scene(Y, file["GT"].T, file["S_GT"].transpose(2, 0, 1), URBAN_MATERIALS[reference])


URBAN = SceneInfo(
    name="urban",
    title="Urban",
    summary=(
        "HYDICE Urban, the whole 307 x 307 pixels, 162 of 210 bands: a suburb of Copperas Cove, Texas, with "
        "roads, a shopping mall, grass and trees."
    ),
    kind="public",
    size=(162, 307, 307),
    references={
        reference: f"{sentence}, as distributed with the code of Palsson et al. (2022)"
        for reference, sentence in _URBAN_REFERENCES.items()
    },
    materials=URBAN_MATERIALS,
    unit="as stored, or counts / 1000 where counts are stored",
    cautions=(
        "Each reference comes with its own copy of the image. These files were not at hand when their "
        "reader was written: it follows the sibling file of the same repository (Samson.mat: image "
        "column-major, abundances (height, width, endmembers), endmembers scaled to a maximum of 1), and "
        "refuses other shapes."
    ),
    licence="none stated",
    citation=ZHU,
    page="https://github.com/burknipalsson/hu_autoencoders",
    definition=1,
    reference_files={f"end{n}": (f"urban/Urban{n}.mat",) for n in (4, 5, 6)},
)


# --------------------------------------------------------------------------- Sim1 and Sim2 of MiSiCNet

SIM_MATERIALS = (
    "Olivine KI3291 <60um",
    "Adularia GDS57 Orthoclase",
    "Monticellite HS339.3B",
    "Jarosite GDS100 Na,Sy 90C",
    "Muscovite GDS116 Tanzania",
    "Cookeite CAr-1.a 104-150u",
)
"""Found by exact match with the USGS 1995 library; the source does not name them."""


def _sim(name: str, purity: str) -> tuple[SceneInfo, Read]:
    def read(reference: str, get: Get) -> Scene:
        Y, E, A = (read_mat(get(f"{name}/{key}.mat"))[key] for key in ("Y_clean", "E", "A_true"))
        return Scene(Y.transpose(2, 0, 1), E, A.transpose(2, 0, 1), SIM_MATERIALS)

    info = SceneInfo(
        name=name,
        title=f"{name.capitalize()} of MiSiCNet",
        summary=(
            "105 x 105 simulated pixels, 224 bands, six USGS minerals in squares on a mixed ground, "
            f"no noise; {purity}."
        ),
        kind="synthetic",
        size=(224, 105, 105),
        references={"truth": "Exact: the image is E A of these endmembers and abundances, to rounding"},
        materials={"truth": SIM_MATERIALS},
        unit="reflectance (as stored)",
        cautions=(
            "No wavelengths: the channels stand in the order of the source library, which is not sorted by "
            "wavelength. No noise: ask for it with snr_db."
        ),
        licence="Apache-2.0",
        citation=(
            "Rasti et al., MiSiCNet: minimum simplex convolutional network for deep hyperspectral unmixing, "
            "IEEE TGRS 60 (2022) 5522815"
        ),
        page="https://github.com/BehnoodRasti/MiSiCNet",
        definition=1,
        files=tuple(f"{name}/{key}.mat" for key in ("Y_clean", "E", "A_true")),
    )
    return info, read


SIM1 = _sim("sim1", "no pure pixel, abundances up to 0.75")
SIM2 = _sim("sim2", "more strongly mixed, abundances up to 0.56")


# --------------------------------------------------------------------------- HySU

HYSU_MATERIALS = ("bitumen", "red metal sheets", "blue fabric", "red fabric", "green fabric", "grass")
HYSU_PIXEL_AREA = 0.7**2
"""Square metres per pixel (ENVI header)."""
HYSU_TARGET_SIDES = (3.0, 2.0, 1.0, 0.5, 0.25)
"""Side in metres of the square targets with label 1 to 5 (Cerra et al. 2021)."""
_HYSU_LIBRARIES = {"image": "hysu/DLR_HySU_HS_library_ASCII.txt", "field": "hysu/DLR_HySU_SVC_ASCII.txt"}


def _hysu(reference: str, get: Get) -> Scene:
    from tifffile import imread

    # tifffile logs an error for the file's "no data" value, 15000, which no pixel has
    logger = logging.getLogger("tifffile")
    logger.disabled, was = True, logger.disabled
    try:
        image = imread(BytesIO(get("hysu/Full.tif")))  # (height, width, bands)
    finally:
        logger.disabled = was
    lines = get(_HYSU_LIBRARIES[reference]).decode("ascii").splitlines()
    columns = np.loadtxt([line for line in lines if not line.startswith(("ENVI", "Column"))]).T
    # the image library holds green fabric twice
    spectra = columns[1:] if len(columns) == 7 else np.delete(columns[1:], 5, axis=0)
    Y: NDArray = image.transpose(2, 0, 1) / 10000
    E: NDArray = spectra.T / 10000
    wavelengths: NDArray = columns[0] * 1000  # from micrometres
    return Scene(Y, E, None, HYSU_MATERIALS, wavelengths)


HYSU = SceneInfo(
    name="hysu",
    title="DLR HySU",
    summary=(
        "86 x 123 pixels of 0.7 m, 135 bands from 417 to 903 nm: a sports field with square targets of five "
        "materials and known size laid out on the grass."
    ),
    kind="public",
    size=(135, 86, 123),
    references={
        "image": "Endmembers that the authors took from the image; no abundances but areas: `hysu_targets`",
        "field": "Endmembers measured on the ground; no abundances but areas: `hysu_targets`",
    },
    materials=dict.fromkeys(_HYSU_LIBRARIES, HYSU_MATERIALS),
    unit="stored reflectance / 10000",
    cautions="The truth is the area of each target, not the abundances of each pixel.",
    licence="free to use and share given that appropriate credits are given (readme of the data set)",
    citation="Cerra et al., DLR HySU: a benchmark dataset for spectral unmixing, Remote Sens. 13 (2021) 2559",
    page="https://doi.org/10.3390/rs13132559",
    definition=1,
    files=("hysu/Full.tif", "hysu/masks.mat"),
    reference_files={reference: (file,) for reference, file in _HYSU_LIBRARIES.items()},
)


@dataclass(frozen=True, eq=False)
class HysuTargets:
    """The deployed targets of the HySU scene.

    Parameters
    ----------
    masks
        Pixels in which a target may show, shape ``(materials, sizes, height, width)``, Boolean. They
        overlap a little (60 pixels belong to two materials).
    areas
        True area of the target of each size, in square metres, shape ``(sizes,)``.
    materials
        The first five materials of the scene; the sixth, grass, is the ground.
    """

    masks: NDArray[np.bool_]
    areas: NDArray[np.float64]
    materials: tuple[str, ...]

    def measured(self, A: NDArray) -> NDArray[np.float64]:
        """Area of each target in square metres after estimated abundances, shape ``(materials, sizes)``.

        The abundance of the material, summed over the mask, times the 0.49 square metres of a pixel.

        Parameters
        ----------
        A
            Abundances ``(endmembers, height, width)`` in the scene's order of materials.
        """
        return HYSU_PIXEL_AREA * np.einsum("kshw,khw->ks", self.masks, A[: len(self.masks)], dtype=np.float64)


def hysu_masks(content: bytes) -> HysuTargets:
    """Targets from the content of the data set's ``masks.mat``."""
    file = read_mat(content)
    labels = np.arange(1, 1 + len(HYSU_TARGET_SIDES))[:, None, None]
    masks = (file["materials"].transpose(2, 0, 1) > 0)[:, None] & (file["targetsROI"] == labels)
    return HysuTargets(masks, np.square(HYSU_TARGET_SIDES), HYSU_MATERIALS[: len(masks)])


# --------------------------------------------------------------------------- DC1 and DC2

DC_MATERIALS = (
    "Jarosite GDS101 Na,Sy 200",
    "Anorthite HS349.3B",
    "Calcite WS272",
    "Alunite GDS83 Na63",
    "Howlite GDS155",
    "Corrensite CorWa-1",
    "Fassaite HS118.3B",
    "Adularia GDS57 Orthoclase",
    "Andradite NMNH113829",
)
"""Found by exact match with the USGS 1995 library; the source does not name them. DC1 has the first five."""


def _dc(name: str, side: int, count: int, maps: str, cautions: str) -> tuple[SceneInfo, Read]:
    materials = DC_MATERIALS[:count]
    image = f"{name}/Y_clean.mat" if name == "dc1" else ""

    def read(reference: str, get: Get) -> Scene:
        D, X = read_mat(get("dc1/EE.mat"))["EE"], read_mat(get(f"{name}/XT.mat"))["XT"]
        active = np.flatnonzero(X.any(axis=(1, 2)))  # of the 240 spectra of the sparse-unmixing library
        E, A = D[:, active], X[active]
        Y = read_mat(get(image))["Y_clean"].transpose(2, 0, 1) if image else np.einsum("lk,khw->lhw", E, A)
        wavelengths: NDArray | None = usgs_library(get).wavelengths
        return Scene(Y, E, A, materials, wavelengths)

    info = SceneInfo(
        name=name,
        title=f"{name.upper()} of sparse unmixing",
        summary=(
            f"{side} x {side} simulated pixels, 224 bands from 383 to 2508 nm, {count} USGS minerals out of "
            f"a library of 240: {maps}. No noise."
        ),
        kind="synthetic",
        size=(224, side, side),
        references={"truth": "Exact: the image is E A of these endmembers and abundances, to rounding"},
        materials={"truth": materials},
        unit="reflectance (as stored)",
        cautions=(
            f"{cautions} Wavelengths are those of the USGS 1995 library, whose spectra these are exactly. "
            "The scene has the active endmembers only, not the library. Papers add correlated or white "
            "noise: white noise comes with snr_db."
        ),
        licence="Apache-2.0 (copy with SUnCNN)",
        citation=(
            "Iordache et al., Total variation spatial regularization for sparse hyperspectral unmixing, IEEE "
            "TGRS 50 (2012) 4484-4502; copy: Rasti and Koirala, SUnCNN, IEEE GRSL 19 (2022) 5508205"
        ),
        page="https://github.com/BehnoodRasti/SUnCNN",
        definition=1,
        files=("dc1/EE.mat", f"{name}/XT.mat", *([image] if image else []), USGS_LIBRARY),
    )
    return info, read


DC1 = _dc(
    "dc1",
    75,
    5,
    "squares, pure and mixed, on a mixed ground",
    "Abundances are stored with four decimals: their sums are off by up to 0.0001.",
)
DC2 = _dc(
    "dc2",
    100,
    9,
    "piecewise smooth maps with steep transitions",
    "The source's image file is not read: Y is E A, which on DC1 gives the stored image to rounding.",
)


# --------------------------------------------------------------------------- Cuprite

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


SCENES = (
    (SAMSON, _samson),
    (JASPER, _jasper),
    (URBAN, _urban),
    (URBAN_DETECTION, _urban_detection),
    (URBAN_GRASS, _urban_grass),
    (HYSU, _hysu),
    SIM1,
    SIM2,
    DC1,
    DC2,
    (CUPRITE_WINDOW, _cuprite_window),
)
