"""DC1 and DC2 of sparse unmixing: a few minerals out of a library of 240, simulated by its authors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hsu_lib.scene import Scene
from hsu_lib.scenes.info import Get, Read, SceneInfo
from hsu_lib.scenes.library import USGS_LIBRARY, SpectralLibrary, usgs_library
from hsu_lib.scenes.matlab import read_mat

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


#: Degrees by which spectra of the library of sparse unmixing are apart at least.
ANGLE = 4.44


def dc_library(get: Get) -> SpectralLibrary:
    """The library that both scenes are mixtures of: 240 minerals of the USGS, 4.44 degrees apart or more.

    The nearest pairs come first. DC1 is of the second to the sixth spectrum, DC2 of the second to the tenth.

    References
    ----------
    Iordache et al., IEEE TGRS 50 (2012) 4484-4502. It has, to the bit, the spectra of the file that SUnCNN
    distributes.
    """
    return usgs_library(get).pruned(ANGLE).nearest_first()


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
        references={"truth": "Exact: the image is these endmembers times these abundances, to rounding"},
        materials={"truth": materials},
        unit="reflectance (as stored)",
        cautions=(
            f"{cautions} Wavelengths are those of the USGS 1995 library, whose spectra these are exactly. "
            "The scene has the active endmembers only; hsu_lib.scenes.library_of has all 240. Papers add "
            "correlated or white noise: white noise comes with snr_db."
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

SCENES = (DC1, DC2)
LIBRARIES = {info.name: (dc_library, USGS_LIBRARY) for info, _ in SCENES}
