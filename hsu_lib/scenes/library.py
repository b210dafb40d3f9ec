"""Spectral libraries: many measured spectra per material."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsu_lib.scenes.files import read_mat
from hsu_lib.scenes.info import Get

URBAN_LIBRARY = "urban/spectral_library_urban.mat"


@dataclass(frozen=True, eq=False)
class SpectralLibrary:
    """Spectra in classes.

    Parameters
    ----------
    spectra
        Reflectance, shape ``(bands, spectra)``.
    labels
        Index into `classes` of each spectrum, shape ``(spectra,)``.
    classes
        Names of the materials.
    """

    spectra: NDArray[np.float64]
    labels: NDArray[np.intp]
    classes: tuple[str, ...]

    def of(self, material: str) -> NDArray[np.float64]:
        """Spectra of one material, shape ``(bands, n)``; ``"asphalt road"`` is of class ``"asphalt"``.

        Raises
        ------
        ValueError
            If the library has no spectra of this material.
        """
        for index, name in enumerate(self.classes):
            if material == name or material.startswith(name + " "):
                return self.spectra[:, self.labels == index]
        raise ValueError(f"no spectra of {material!r}; the library has {', '.join(self.classes)}")


def urban_library(get: Get) -> SpectralLibrary:
    """The 651 pure-pixel spectra of HYDICE Urban in 6 classes, reflectance (counts / 1000, as stored).

    References
    ----------
    Borsoi et al., IEEE Geoscience and Remote Sensing Letters 16 (2019) 598-602, whose code distributes it.
    """
    file = read_mat(get(URBAN_LIBRARY))
    classes = tuple(str(cell[0]).lower() for cell in file["material_names"].ravel())
    groups = [file[f"lib{number}"] for number in range(1, len(classes) + 1)]
    labels = np.repeat(np.arange(len(groups)), [group.shape[1] for group in groups])
    return SpectralLibrary(np.hstack(groups), labels, classes)
