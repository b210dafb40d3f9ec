"""`labelled-fclsu`: what the same labels are worth to least squares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from hsu_lib.methods.settings import sourced
from hsu_lib.methods.trained import Decoder, SplitSettings, Trained, Training
from hsu_lib.metrics.alignment import align
from hsu_lib.scene import Scene, Status, Unmixing
from hsu_lib.solvers.extraction import vca
from hsu_lib.solvers.fclsu import fclsu


@dataclass(frozen=True)
class LabelledSettings(SplitSettings):
    """Where the endmembers of FCLSU come from."""

    endmembers_from: Literal["labels", "vca", "scene"] = sourced(
        "labels",
        "ours: nonnegative least squares on the training pixels; vca: from the image, put in the order of "
        "these; scene: its reference",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.endmembers_from not in ("labels", "vca", "scene"):
            raise ValueError(f"endmembers_from: expected labels, vca or scene, got {self.endmembers_from!r}")


def learnt(training: Training) -> NDArray[np.float64]:
    r"""Endmembers that explain the labelled pixels best, :math:`\min_{E \ge 0} \|Y - EA\|_F^2`.

    Parameters
    ----------
    training
        Labelled pixels.

    Returns
    -------
    array
        Shape ``(bands, endmembers)``.
    """
    Q, R = np.linalg.qr(training.abundances.astype(np.float64))
    return np.array([nnls(R, band)[0] for band in (Q.T @ training.spectra.astype(np.float64)).T])


def solve(
    scene: Scene,
    settings: LabelledSettings,
    *,
    training: Training,
    endmembers: int,
    seed: int,
    device: str,
    progress: bool,
) -> tuple[Unmixing, Decoder]:
    """FCLSU of the whole scene with endmembers from the labels, by VCA, or the scene's own."""
    E = learnt(training)
    if settings.endmembers_from == "vca":
        picked = vca(scene.pixels, endmembers, seed=seed).E
        E = picked[:, align(picked, E)]
    elif settings.endmembers_from == "scene":
        if scene.E is None or scene.E.shape[1] != endmembers:
            raise ValueError(
                f"endmembers_from: {scene.name} has no {endmembers} reference endmembers; take 'labels'"
            )
        E = scene.E.astype(np.float64)
    A = fclsu(scene.pixels, E, device=device)
    maps = A.reshape(endmembers, scene.height, scene.width)
    found = Unmixing(E.astype(np.float32), maps.astype(np.float32), Status.CONVERGED)
    return found, lambda abundances: E @ abundances


LABELLED = Trained(
    name="labelled-fclsu",
    summary="endmembers from labelled pixels by nonnegative least squares, then FCLSU",
    kind="trained",
    solve=solve,
    settings=LabelledSettings,
    source="ours: the linear model with what documents 003 and 004 give their networks",
)
