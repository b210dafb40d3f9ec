"""`vca-fclsu`: vertex component analysis, then FCLSU."""

from __future__ import annotations

from hsu_lib.methods.geometric.fclsu import with_endmembers
from hsu_lib.methods.method import Method, Problem
from hsu_lib.methods.settings import Settings
from hsu_lib.scene import Unmixing
from hsu_lib.solvers.extraction import vca


def solve(problem: Problem, settings: Settings) -> Unmixing:
    """Endmembers picked among the pixels, then least squares."""
    return with_endmembers(problem, vca(problem.scene.pixels, problem.endmembers, seed=problem.seed).E)


VCA = Method(
    name="vca-fclsu",
    summary="vertex component analysis, then FCLSU",
    kind="extraction",
    solve=solve,
    source="Nascimento and Dias, IEEE TGRS 43(4), 2005, 898-910",
)
