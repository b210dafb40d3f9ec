"""HYDICE Urban: the whole scene, and two windows of it that other papers use."""

from __future__ import annotations

from numpy.typing import NDArray

from hsu_lib.scene import Scene
from hsu_lib.scenes.info import Get, SceneInfo
from hsu_lib.scenes.library import URBAN_LIBRARY, urban_library
from hsu_lib.scenes.matlab import read_mat
from hsu_lib.scenes.public.zhu import ZHU, class_names, image_of

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


# --------------------------------------------------------------------------- whole


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


# --------------------------------------------------------------------------- windows


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


_URBAN_TRUTH = {reference: (f"urban/{reference}_groundTruth.mat",) for reference in _URBAN_REFERENCES}

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

SCENES = ((URBAN, _urban), (URBAN_DETECTION, _urban_detection), (URBAN_GRASS, _urban_grass))
#: Pure pixels of the whole scene by class, in its bands.
LIBRARIES = dict.fromkeys((URBAN_DETECTION.name, URBAN_GRASS.name), (urban_library, URBAN_LIBRARY))
