r"""`snpa-fclsu`: successive nonnegative projection, then FCLSU.

Each new pixel is the one that those before it, and shade, explain worst:

.. math:: i_{k+1} = \arg\max_n \min_{h \ge 0,\ \mathbf 1^\top h \le 1} \|y_n - E_k h\|,
          \qquad E_k = [y_{i_1}, \dots, y_{i_k}]
"""

from __future__ import annotations

from hsu_lib.methods.geometric.fclsu import with_endmembers
from hsu_lib.methods.method import Method, Problem
from hsu_lib.methods.settings import Settings
from hsu_lib.scene import Unmixing
from hsu_lib.solvers.extraction import snpa


def solve(problem: Problem, settings: Settings) -> Unmixing:
    """Endmembers picked among the pixels, then least squares."""
    return with_endmembers(problem, snpa(problem.scene.pixels, problem.endmembers).E)


SNPA = Method(
    name="snpa-fclsu",
    summary="successive nonnegative projection, then FCLSU",
    kind="extraction",
    solve=solve,
    source="Gillis, SIAM J. Imaging Sciences 7(2), 2014, 1420-1450",
)
