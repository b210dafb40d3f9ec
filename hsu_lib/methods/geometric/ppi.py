r"""`ppi-fclsu`: pixels of high purity index, then FCLSU.

The index of a pixel is how often it is the first or the last along random directions :math:`u_k`:

.. math:: c_n = \#\{k : n = \arg\max_m u_k^\top x_m\} + \#\{k : n = \arg\min_m u_k^\top x_m\}
"""

from __future__ import annotations

from dataclasses import dataclass

from hsu_lib.methods.geometric.fclsu import with_endmembers
from hsu_lib.methods.method import Method, Problem
from hsu_lib.methods.settings import Settings, sourced
from hsu_lib.scene import Unmixing
from hsu_lib.solvers.pure_pixels import Choice, ppi


@dataclass(frozen=True)
class PPISettings(Settings):
    """Settings of the pixel purity index, each with its source."""

    projections: int = sourced(10_000, "common practice: the paper leaves it open", at_least=1)
    choice: Choice = sourced(
        "apart", "ours: the paper has a human choose; top: the highest counts, as public codes take them"
    )
    angle_deg: float = sourced(
        5.0, "ours: degrees between spectra, with apart; halved until there are enough", above=0, at_most=90
    )


def solve(problem: Problem, settings: PPISettings) -> Unmixing:
    """Endmembers picked among the pixels, then least squares."""
    found = ppi(
        problem.scene.pixels,
        problem.endmembers,
        seed=problem.seed,
        projections=settings.projections,
        choice=settings.choice,
        angle_deg=settings.angle_deg,
    )
    return with_endmembers(problem, found.E)


PPI = Method(
    name="ppi-fclsu",
    summary="pixels that are extreme along most random directions (PPI), then FCLSU",
    kind="extraction",
    solve=solve,
    settings=PPISettings,
    source="Boardman, Kruse and Green, JPL Publication 95-1, 1995, 23-26",
    quick=(("projections", 1000),),
)
