r"""`fclsu`: abundances of the scene's own endmembers by fully constrained least squares.

.. math:: \min_A \tfrac12\|Y - EA\|_F^2 \quad\text{s.t.}\quad A \ge 0,\ \mathbf 1^\top A = \mathbf 1^\top
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hsu_lib.methods.method import Method, Needs, Problem
from hsu_lib.methods.settings import Settings
from hsu_lib.scene import Status, Unmixing
from hsu_lib.solvers.fclsu import fclsu


def with_endmembers(problem: Problem, E: NDArray, *, ordered: bool = False) -> Unmixing:
    """Least squares on the whole image with endmembers ``(bands, endmembers)``, to convergence."""
    A = problem.maps(fclsu(problem.scene.pixels, E, device=problem.device))
    return Unmixing(E.astype(np.float32), A, Status.CONVERGED, ordered=ordered)


def solve(problem: Problem, settings: Settings) -> Unmixing:
    """Abundances of the given endmembers."""
    assert problem.scene.E is not None  # the contract has checked it
    return with_endmembers(problem, problem.scene.E, ordered=True)


FCLSU = Method(
    name="fclsu",
    summary="fully constrained least squares with the scene's own endmembers",
    kind="supervised",
    solve=solve,
    needs=Needs(endmembers=True),
    source="Heinz and Chang, IEEE TGRS 39(3), 2001, 529-545",
)
