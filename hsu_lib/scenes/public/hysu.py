"""DLR HySU: square targets of known material and size, laid out on a sports field."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from hsu_lib.scene import Scene
from hsu_lib.scenes.info import Get, SceneInfo
from hsu_lib.scenes.matlab import read_mat
from hsu_lib.scenes.public.download import locate

HYSU_MATERIALS = ("bitumen", "red metal sheets", "blue fabric", "red fabric", "green fabric", "grass")
HYSU_PIXEL_AREA = 0.7**2
"""Square metres per pixel (ENVI header)."""
HYSU_TARGET_SIDES = (3.0, 2.0, 1.0, 0.5, 0.25)
"""Side in metres of the square targets with label 1 to 5 (Cerra et al. 2021)."""
_HYSU_MASKS = "hysu/masks.mat"
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
    files=("hysu/Full.tif", _HYSU_MASKS),
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


def hysu_targets(*, download: bool = True, progress: bool = False) -> HysuTargets:
    """Masks and known areas of the targets that were laid out in the scene ``hysu``.

    Raises
    ------
    FileNotFoundError
        If the file is missing and is not, or cannot be, downloaded.
    """
    _, content = locate(_HYSU_MASKS, download=download, progress=progress)
    file = read_mat(content)
    labels = np.arange(1, 1 + len(HYSU_TARGET_SIDES))[:, None, None]
    masks = (file["materials"].transpose(2, 0, 1) > 0)[:, None] & (file["targetsROI"] == labels)
    return HysuTargets(masks, np.square(HYSU_TARGET_SIDES), HYSU_MATERIALS[: len(masks)])


SCENES = ((HYSU, _hysu),)
