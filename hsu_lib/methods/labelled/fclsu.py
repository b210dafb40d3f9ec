r"""`labelled-fclsu`: what the same labels are worth to least squares.

With the labelled pixels :math:`Y_\ell` and their abundances :math:`A_\ell`, before FCLSU of the whole image,

.. math:: \min_{E \ge 0} \|Y_\ell - E A_\ell\|_F^2
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from hsu_lib.learning.labels import Labels
from hsu_lib.methods.geometric.fclsu import with_endmembers
from hsu_lib.methods.labelled.labels import LabelSettings
from hsu_lib.methods.method import Method, Needs, Problem
from hsu_lib.methods.settings import sourced
from hsu_lib.metrics.alignment import align
from hsu_lib.scene import Unmixing
from hsu_lib.solvers.extraction import vca


@dataclass(frozen=True)
class LabelledSettings(LabelSettings):
    """Where the endmembers of FCLSU come from."""

    endmembers_from: Literal["labels", "vca", "scene"] = sourced(
        "labels",
        "ours: nonnegative least squares on the training pixels; vca: from the image, put in the order of "
        "these; scene: its reference",
    )


def learnt(labels: Labels) -> NDArray[np.float64]:
    r"""Endmembers that explain the labelled pixels best, :math:`\min_{E \ge 0} \|Y - EA\|_F^2`.

    Parameters
    ----------
    labels
        Pixels with known abundances.

    Returns
    -------
    array
        Shape ``(bands, endmembers)``.
    """
    Q, R = np.linalg.qr(labels.abundances.astype(np.float64))
    return np.array([nnls(R, band)[0] for band in (Q.T @ labels.spectra.astype(np.float64)).T])


def solve(problem: Problem, settings: LabelledSettings) -> Unmixing:
    """FCLSU of the whole scene with endmembers from the labels, by VCA, or the scene's own."""
    scene, labels = problem.scene, problem.labels
    assert labels is not None  # the contract has checked it
    E = learnt(labels)
    if settings.endmembers_from == "vca":
        picked = vca(scene.pixels, problem.endmembers, seed=problem.seed).E
        E = picked[:, align(picked, E)]
    elif settings.endmembers_from == "scene":
        if scene.E is None or scene.E.shape[1] != problem.endmembers:
            raise ValueError(
                f"endmembers_from: {scene.name} has no {problem.endmembers} reference endmembers; "
                "take 'labels'"
            )
        E = scene.E.astype(np.float64)
    found = with_endmembers(problem, E, ordered=True)
    return replace(found, decoder=lambda abundances: E @ abundances)


LABELLED = Method(
    name="labelled-fclsu",
    summary="endmembers from labelled pixels by nonnegative least squares, then FCLSU",
    kind="labelled",
    solve=solve,
    settings=LabelledSettings,
    needs=Needs(labels=True),
    source="ours: the linear model with what the papers on LDVAE and SpACNN-LDVAE give their networks",
)
