r"""`min-simplex`: what MiSiCNet minimises, without its network: endmembers drawn to the mean pixel.

.. math:: \min \tfrac12\|Y - EA\|_F^2 + \lambda \|E - m\mathbf 1^\top\|_F^2
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hsu_lib.methods.factorization.palm import outcome
from hsu_lib.methods.method import Method, Problem
from hsu_lib.methods.settings import Settings, sourced
from hsu_lib.scene import Unmixing
from hsu_lib.solvers.extraction import sivm
from hsu_lib.solvers.min_simplex import min_simplex
from hsu_lib.solvers.subspace import leading

PAPER = "Rasti, Koirala, Scheunders and Chanussot, IEEE TGRS 60, 2022"
CODE = "public code of MiSiCNet"


@dataclass(frozen=True)
class SimplexSettings(Settings):
    """What is minimised, and from where: the same with the network and without it."""

    center_weight: float = sourced(
        100.0,
        f"{CODE}, lambda of measured scenes; 0.1 for sim1, 0.3 for sim2. The fit it is weighed against grows "
        "with the number of pixels",
        at_least=0,
    )
    project: bool = sourced(True, f"{CODE}: the image on its first singular vectors, one per endmember")
    normalise: Literal["none", "max"] = sourced(
        "none", f"{CODE}: reflectances; endmembers are at most 1. max: ours, for images in another unit"
    )


@dataclass(frozen=True)
class MinSimplexSettings(SimplexSettings):
    """Settings without the network, each with its source."""

    iterations: int = sourced(2000, "ours: at most", at_least=1)
    tolerance: float = sourced(
        1e-8, "ours: share of the objective by which an iteration must lower it", at_least=0
    )


class Start(NamedTuple):
    """Image ``V G``, `V` with orthonormal columns, over `scale`; and endmembers `E` to start from."""

    V: NDArray[np.float64]
    G: NDArray[np.float64]
    E: NDArray[np.float64]
    scale: float


def start(problem: Problem, settings: SimplexSettings) -> Start:
    """The image that is fitted, and its pixels that SiVM takes, from the brightest, clipped to the box."""
    Y = problem.scene.pixels.astype(np.float64)
    scale = (float(np.abs(Y).max()) or 1.0) if settings.normalise == "max" else 1.0
    Y /= scale
    V = leading(Y @ Y.T, problem.endmembers) if settings.project else np.eye(len(Y))
    G = V.T @ Y
    return Start(V, G, sivm((V @ G).clip(0, 1), problem.endmembers, start="origin").E, scale)


def solve(problem: Problem, settings: MinSimplexSettings) -> Unmixing:
    """Both halves in turn, until the objective, which is the history, no longer falls."""
    V, G, E, scale = start(problem, settings)
    found = min_simplex(
        V,
        G,
        E,
        penalty=settings.center_weight,
        iterations=settings.iterations,
        tolerance=settings.tolerance,
        device=problem.device,
    )
    return outcome(problem, found._replace(E=scale * found.E), found.A)


MIN_SIMPLEX = Method(
    name="min-simplex",
    summary="endmembers drawn to the mean pixel: what MiSiCNet minimises, without its network",
    kind="blind",
    solve=solve,
    settings=MinSimplexSettings,
    source=f"{PAPER} (the objective); solved by alternating least squares: ours",
    quick=(("center_weight", 0.1), ("normalise", "max")),
)
