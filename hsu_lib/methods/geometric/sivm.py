r"""`sivm-fclsu`: simplex volume maximisation, then FCLSU.

Each new pixel is the one farthest from the affine hull of those before it, which makes the simplex largest:

.. math:: i_{k+1} = \arg\max_n \min_{\mathbf 1^\top h = 1} \|y_n - E_k h\|,
          \qquad E_k = [y_{i_1}, \dots, y_{i_k}]
"""

from __future__ import annotations

from dataclasses import dataclass

from hsu_lib.methods.geometric.fclsu import with_endmembers
from hsu_lib.methods.method import Method, Problem
from hsu_lib.methods.settings import Settings, sourced
from hsu_lib.scene import Unmixing
from hsu_lib.solvers.extraction import Start, sivm
from hsu_lib.solvers.subspace import svd_truncation


@dataclass(frozen=True)
class SiVMSettings(Settings):
    """Settings of SiVM, each with its source."""

    farthest_from: Start = sourced(
        "mean", "ours: the first pixel, which the paper draws; origin: public code of UnDIP", since="0.1.0"
    )
    project: bool = sourced(
        False,
        "the paper; yes: public code of UnDIP, pixels of the image on its first singular vectors",
        since="0.1.0",
    )


def solve(problem: Problem, settings: SiVMSettings) -> Unmixing:
    """Endmembers picked among the pixels, then least squares."""
    Y, count = problem.scene.pixels, problem.endmembers
    found = sivm(svd_truncation(Y, count) if settings.project else Y, count, start=settings.farthest_from)
    return with_endmembers(problem, found.E)


SIVM = Method(
    name="sivm-fclsu",
    summary="simplex volume maximisation, then FCLSU",
    kind="extraction",
    solve=solve,
    settings=SiVMSettings,
    source="Thurau, Kersting and Bauckhage, CIKM 2010, 1785-1788",
)
