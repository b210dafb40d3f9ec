"""`sivm-fclsu`: simplex volume maximisation, then FCLSU."""

from __future__ import annotations

from hsu_lib.methods.geometric.fclsu import with_endmembers
from hsu_lib.methods.method import Method, Problem
from hsu_lib.methods.settings import Settings
from hsu_lib.scene import Unmixing
from hsu_lib.solvers.extraction import sivm


def solve(problem: Problem, settings: Settings) -> Unmixing:
    """Endmembers picked among the pixels, then least squares."""
    return with_endmembers(problem, sivm(problem.scene.pixels, problem.endmembers).E)


SIVM = Method(
    name="sivm-fclsu",
    summary="simplex volume maximisation, then FCLSU",
    kind="extraction",
    solve=solve,
    source="Thurau, Kersting and Bauckhage, CIKM 2010, 1785-1788",
)
