"""`snpa-fclsu`: successive nonnegative projection, then FCLSU."""

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
