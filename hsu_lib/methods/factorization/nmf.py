r"""`nmf`: the estimate of SiVM and FCLSU, refined by multiplicative updates.

.. math:: \min_{E, A \ge 0} \tfrac12\|Y - EA\|_F^2, \qquad
          A \leftarrow A \odot \frac{E^\top Y}{E^\top E A}, \quad
          E \leftarrow E \odot \frac{Y A^\top}{E A A^\top}
"""

from __future__ import annotations

import numpy as np

from hsu_lib.methods.factorization.palm import QUICK, FactorizationSettings, first_estimate, outcome
from hsu_lib.methods.method import Method, Problem
from hsu_lib.scene import Unmixing
from hsu_lib.solvers.factorization import nmf
from hsu_lib.solvers.fclsu import fclsu

_FLOOR = 1e-3  # what is zero stays zero


def solve(problem: Problem, settings: FactorizationSettings) -> Unmixing:
    """Multiplicative updates from the first estimate, and FCLSU: their abundances do not sum to one."""
    Y, E, A = first_estimate(problem)
    found = nmf(
        np.maximum(Y, 0),
        np.maximum(E, _FLOOR * E.max()),
        np.maximum(A, _FLOOR),
        iterations=settings.iterations,
        tolerance=settings.tolerance,
        device=problem.device,
    )
    return outcome(problem, found, fclsu(Y, found.E, device=problem.device))


NMF = Method(
    name="nmf",
    summary="SiVM and FCLSU, then NMF; its endmembers, with abundances by FCLSU",
    kind="blind",
    solve=solve,
    settings=FactorizationSettings,
    quick=QUICK,
    source="Lee and Seung, Advances in Neural Information Processing Systems 13, 2001",
)
