r"""`palm`: the estimate of SiVM and FCLSU, refined under ANC and ASC; what it shares with `nmf`.

.. math:: \min \tfrac12\|Y - EA\|_F^2
          \quad\text{s.t.}\quad E \ge 0,\ A \ge 0,\ \mathbf 1^\top A = \mathbf 1^\top
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsu_lib.methods.method import Method, Problem
from hsu_lib.methods.settings import Settings, sourced
from hsu_lib.scene import Status, Unmixing
from hsu_lib.solvers.extraction import sivm
from hsu_lib.solvers.factorization import Factors, palm
from hsu_lib.solvers.fclsu import fclsu

OPEN = "ours: the report on UnDIP does not say"


@dataclass(frozen=True)
class FactorizationSettings(Settings):
    """Settings of both, each with its source."""

    iterations: int = sourced(200, OPEN, at_least=1)
    tolerance: float = sourced(
        1e-6, f"{OPEN}; share of the first objective by which it must fall", at_least=0
    )


def first_estimate(problem: Problem) -> tuple[NDArray, NDArray, NDArray]:
    """Image ``(bands, pixels)`` in double precision, endmembers by SiVM and abundances by FCLSU."""
    Y = problem.scene.pixels.astype(np.float64)
    E = sivm(Y, problem.endmembers).E
    return Y, E, fclsu(Y, E, device=problem.device)


def outcome(problem: Problem, found: Factors, A: NDArray) -> Unmixing:
    """Endmembers of a factorisation with these abundances; its curve and how it ended."""
    status = Status.CONVERGED if found.converged else Status.STOPPED
    history = {"objective": found.objective.astype(np.float32)}
    return Unmixing(found.E.astype(np.float32), problem.maps(A), status, history)


def solve(problem: Problem, settings: FactorizationSettings) -> Unmixing:
    """Proximal steps from the first estimate."""
    Y, E, A = first_estimate(problem)
    found = palm(Y, E, A, iterations=settings.iterations, tolerance=settings.tolerance, device=problem.device)
    return outcome(problem, found, found.A)


#: With a tolerance that is met before the last iteration.
QUICK = (("tolerance", 1e-4),)

PALM = Method(
    name="palm",
    summary="SiVM and FCLSU, then PALM: endmembers and abundances together, under ANC and ASC",
    kind="blind",
    solve=solve,
    settings=FactorizationSettings,
    quick=QUICK,
    source="Bolte, Sabach and Teboulle, Mathematical Programming 146, 2014, 459-494",
)
