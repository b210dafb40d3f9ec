r"""`fan`: endmembers picked by VCA, then least squares with the bilinear model of Fan.

.. math:: \min_a \tfrac12 \Bigl\|y - \sum_k a_k e_k - \sum_{j<k} a_j a_k\, e_j \odot e_k\Bigr\|^2
          \quad\text{s.t.}\quad a \ge 0,\ \mathbf 1^\top a = 1
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from hsu_lib.methods.method import Method, Problem
from hsu_lib.methods.settings import Settings, sourced
from hsu_lib.scene import Status, Unmixing
from hsu_lib.scenes.generated.minerals import bilinear
from hsu_lib.solvers.bilinear import fan
from hsu_lib.solvers.extraction import vca


@dataclass(frozen=True)
class FanSettings(Settings):
    """Settings of the bilinear model, each with its source."""

    endmembers_from: Literal["vca", "scene"] = sourced(
        "vca", "ours: the paper takes known ones; scene: those of its reference"
    )
    iterations: int = sourced(100, "ours: at most", at_least=1)
    tolerance: float = sourced(1e-6, "ours: of an abundance", above=0)


def solve(problem: Problem, settings: FanSettings) -> Unmixing:
    """Least squares of each pixel; the decoder is the bilinear model."""
    scene = problem.scene
    if settings.endmembers_from == "vca":
        E = vca(scene.pixels, problem.endmembers, seed=problem.seed).E
    elif scene.E is not None and scene.E.shape[1] == problem.endmembers:
        E = scene.E.astype(np.float64)
    else:
        raise ValueError(
            f"endmembers_from: {scene.name} has no {problem.endmembers} reference endmembers; take 'vca'"
        )
    found = fan(
        scene.pixels,
        E,
        iterations=settings.iterations,
        tolerance=settings.tolerance,
        device=problem.device,
    )
    return Unmixing(
        E.astype(np.float32),
        problem.maps(found.A),
        Status.CONVERGED if found.converged.all() else Status.STOPPED,
        ordered=settings.endmembers_from == "scene",
        decoder=lambda A: bilinear(E, A[:, None])[:, 0],
    )


FAN = Method(
    name="fan",
    summary="VCA, then least squares with the bilinear model of Fan",
    kind="nonlinear",
    solve=solve,
    settings=FanSettings,
    source="Fan, Hu, Miller and Li, International Journal of Remote Sensing 30(11), 2009, 2951-2962",
)
