r"""`vca-fclsu`: vertex component analysis, then FCLSU.

In projected coordinates :math:`x_n`, with `k - 1` endmembers picked, the next is the pixel that is farthest
along a random direction orthogonal to them:

.. math:: i_k = \arg\max_n |f_k^\top x_n|, \qquad f_k = (I - X_{k-1} X_{k-1}^+)\, w_k,\ w_k \text{ random}
"""

from __future__ import annotations

from dataclasses import dataclass

from hsu_lib.methods.geometric.fclsu import with_endmembers
from hsu_lib.methods.method import Method, Problem
from hsu_lib.methods.settings import Settings, sourced
from hsu_lib.scene import Unmixing
from hsu_lib.solvers.extraction import Branch, Draws, vca


@dataclass(frozen=True)
class VCASettings(Settings):
    """Settings of VCA, each with its source."""

    draws: Draws = sourced(
        "normal", "the paper; uniform on [0, 1): public codes of VCA, MATLAB and Python", since="0.1.0"
    )
    branch: Branch = sourced(
        "auto",
        "the paper: by the signal-to-noise ratio; the others, always one projection: ours",
        since="0.1.0",
    )


def solve(problem: Problem, settings: VCASettings) -> Unmixing:
    """Endmembers picked among the pixels, then least squares."""
    found = vca(
        problem.scene.pixels,
        problem.endmembers,
        seed=problem.seed,
        draws=settings.draws,
        branch=settings.branch,
    )
    return with_endmembers(problem, found.E)


VCA = Method(
    name="vca-fclsu",
    summary="vertex component analysis, then FCLSU",
    kind="extraction",
    solve=solve,
    settings=VCASettings,
    source="Nascimento and Dias, IEEE TGRS 43(4), 2005, 898-910",
)
