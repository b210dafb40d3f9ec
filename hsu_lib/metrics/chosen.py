"""Scores of abundances of a whole library, most of which are zero: nothing is aligned."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hsu_lib.metrics.truth import Truth
from hsu_lib.scene import Scene, Unmixing


def embedded(A: ArrayLike, places: ArrayLike, spectra: int) -> NDArray[np.float64]:
    """Abundances of a whole library of so many spectra, shape ``(spectra, ...)``.

    Parameters
    ----------
    A
        Those of some of them, shape ``(some, ...)``; all others have 0.
    places
        Which ones, shape ``(some,)``.
    """
    A = np.asarray(A)
    X = np.zeros((spectra, *A.shape[1:]))
    X[np.asarray(places)] = A
    return X


def whole_library(unmixing: Unmixing, scene: Scene, truth: Truth) -> tuple[NDArray, NDArray] | None:
    """Estimate and truth for every spectrum of the library, shape ``(spectra, height, width)`` both.

    None if the scene has no reference, or its endmembers are not in the library.
    """
    if truth.library is None or scene.E is None or scene.A is None or unmixing.active is None:
        return None
    places = truth.places(scene.E)
    if places is None:
        return None
    spectra = truth.library.shape[1]
    return embedded(unmixing.A, unmixing.active, spectra), embedded(scene.A, places, spectra)
