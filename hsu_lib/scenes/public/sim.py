"""Sim1 and Sim2 of MiSiCNet: six minerals in squares on a mixed ground, simulated by its authors."""

from __future__ import annotations

from hsu_lib.scene import Scene
from hsu_lib.scenes.info import Get, Read, SceneInfo
from hsu_lib.scenes.matlab import read_mat

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
            f"without noise in its file; {purity}."
        ),
        kind="synthetic",
        size=(224, 105, 105),
        references={"truth": "Exact: the image is these endmembers times these abundances, to rounding"},
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

SCENES = (SIM1, SIM2)
