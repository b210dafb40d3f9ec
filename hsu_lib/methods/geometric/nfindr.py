r"""`nfindr-fclsu`: the pixels that span the largest simplex, then FCLSU.

With the coordinates :math:`x_n` of the pixels in `p - 1` principal components,

.. math:: \max_{i_1, \dots, i_p} \left|\det \begin{pmatrix} 1 & \cdots & 1 \\
          x_{i_1} & \cdots & x_{i_p} \end{pmatrix}\right|
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hsu_lib.methods.geometric.fclsu import with_endmembers
from hsu_lib.methods.method import Method, Problem
from hsu_lib.methods.settings import Settings, sourced
from hsu_lib.scene import Status, Unmixing
from hsu_lib.solvers.pure_pixels import nfindr


@dataclass(frozen=True)
class NFINDRSettings(Settings):
    """Settings of N-FINDR, each with its source."""

    restarts: int = sourced(
        10, "ours: the paper has one start; 0: one, from the pixels that SiVM picks", at_least=0
    )


def solve(problem: Problem, settings: NFINDRSettings) -> Unmixing:
    """Endmembers picked among the pixels, then least squares; the history is the growth of the simplex."""
    found = nfindr(problem.scene.pixels, problem.endmembers, seed=problem.seed, restarts=settings.restarts)
    grown = {"log-volume": found.search.log_volumes.astype(np.float32)}
    status = Status.CONVERGED if found.search.converged else Status.STOPPED
    return replace(with_endmembers(problem, found.E), history=grown, status=status)


NFINDR = Method(
    name="nfindr-fclsu",
    summary="pixels that span the largest simplex (N-FINDR), then FCLSU",
    kind="extraction",
    solve=solve,
    settings=NFINDRSettings,
    source="Winter, Proc. SPIE 3753, 1999, 266-275",
)
