"""Jasper Ridge: trees, water, dirt and a road, seen by AVIRIS."""

from __future__ import annotations

from numpy.typing import NDArray

from hsu_lib.scene import Scene
from hsu_lib.scenes.info import Get, SceneInfo
from hsu_lib.scenes.matlab import read_mat
from hsu_lib.scenes.public.zhu import ZHU, class_names, image_of

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

SCENES = ((JASPER, _jasper),)
