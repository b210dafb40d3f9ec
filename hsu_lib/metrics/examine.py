"""What a method with a decoder makes of the pixels that were kept for testing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hsu_lib.metrics.alignment import spectral_angle
from hsu_lib.scene import Decoder, Scene


def examine(
    A: NDArray, decoder: Decoder, scene: Scene, test: NDArray[np.bool_], clean: NDArray | None = None
) -> dict[str, NDArray]:
    """What a model makes of the test pixels, as curves for a history.

    Parameters
    ----------
    A
        Its abundances, shape ``(endmembers, height, width)``.
    decoder
        See `Decoder`.
    scene
        What was unmixed.
    test
        Which pixels to look at, shape ``(height * width,)``; all of them count in the scene.
    clean
        The image without noise, shape of ``scene.Y``.

    Returns
    -------
    dict
        ``constraints``: the least abundance, and the largest distance of a sum from one, of all pixels.
        ``reconstruction-angle`` (radians) and ``reconstruction-mse``: the `summary` of the errors of the
        decoded abundances. ``clean-angle``, ``clean-mse``: of the same, against the clean image. Where the
        scene has abundances of as many endmembers, ``generated-angle``, ``generated-mse``: of the spectra
        decoded from these; and ``dominant``: the share of pixels whose largest abundance is of the same
        endmember.
    """
    A = A.reshape(len(A), -1)
    counts = np.ones(A.shape[1], dtype=bool) if scene.mask is None else scene.mask.ravel()
    sums = A[:, counts].sum(axis=0, dtype=np.float64)
    found = {"constraints": np.array([A[:, counts].min(), np.abs(sums - 1).max()])}

    def errors(name: str, decoded: NDArray, Y: NDArray) -> dict[str, NDArray]:
        angles = spectral_angle(decoded, Y)
        squares = np.mean((np.asarray(decoded, dtype=np.float64) - Y) ** 2, axis=0)
        return {f"{name}-angle": summary(angles), f"{name}-mse": summary(squares)}

    Y, decoded = scene.pixels[:, test], decoder(A[:, test])
    found |= errors("reconstruction", decoded, Y)
    if clean is not None:
        found |= errors("clean", decoded, clean.reshape(len(clean), -1)[:, test])
    if scene.A is not None and len(scene.A) == len(A):
        truth = scene.A.reshape(len(A), -1)[:, test]
        found |= errors("generated", decoder(truth), Y)
        found["dominant"] = np.mean(truth.argmax(axis=0) == A[:, test].argmax(axis=0), keepdims=True)
    return found


def summary(values: NDArray) -> NDArray[np.float64]:
    """Mean, standard deviation, least value, quartiles and largest: the rows of the LDVAE paper's Table I."""
    quartiles = np.quantile(values, [0, 0.25, 0.5, 0.75, 1])
    return np.concatenate([[np.mean(values), np.std(values)], quartiles])
