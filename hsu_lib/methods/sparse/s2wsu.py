r"""`s2wsu`: sparse unmixing in rounds, weights of which come from maps and from neighbours.

.. math:: \min_X \tfrac12\|Y - DX\|_F^2 + \lambda \sum_{kj} W_{kj} |X_{kj}|
          \quad\text{s.t.}\quad X \ge 0

with weights, the inverse of the norm of an atom's map times the mean of a pixel's neighbours in it, that are
set anew in every round.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from hsu_lib.methods.method import Method, Needs, Problem
from hsu_lib.methods.settings import sourced
from hsu_lib.methods.sparse.library import (
    CODE,
    DEMO,
    LibrarySettings,
    Precision,
    image_of,
    outcome,
    products_of,
)
from hsu_lib.scene import Status, Unmixing
from hsu_lib.solvers.sparse_maps import s2wsu


@dataclass(frozen=True)
class S2wsuSettings(LibrarySettings):
    """Settings of S2WSU, each with its source."""

    weight: float = sourced(0.005, f"{DEMO}: lambda, in squared units of the image", at_least=0)
    step: float = sourced(0.5, f"{CODE}: mu, constant", above=0)
    rounds: int = sourced(60, f"{CODE}, demonstrations: how often weights are set", at_least=1)
    iterations: int = sourced(5, f"{CODE}, demonstrations: with each weights", at_least=1)
    precision: Precision = sourced("double", "ours: single takes half the time, the same SRE within 0.003 dB")


def solve(problem: Problem, settings: S2wsuSettings) -> Unmixing:
    """Abundances of all atoms; those that some pixel has are the result."""
    found = s2wsu(
        products_of(problem, image_of(problem, settings).pixels, settings.precision),
        problem.scene.Y.shape[1:],
        settings.weight,
        step=settings.step,
        rounds=settings.rounds,
        iterations=settings.iterations,
        label=problem.label,
    )
    # the code returns the iterate, which is nowhere exactly zero: its SRE on DC1 is within 0.003 dB
    unmixing = outcome(problem, found.sparse, converged=found.converged)
    return unmixing if unmixing.status is Status.DIVERGED else replace(unmixing, status=Status.FINISHED)


S2WSU = Method(
    name="s2wsu",
    summary="sparse regression with a library, reweighted by maps and by neighbours",
    kind="sparse",
    solve=solve,
    settings=S2wsuSettings,
    needs=Needs(library=True, spatial=True),
    source="Zhang, Li, Li, Deng and Plaza, IEEE TGRS 56(6), 2018, 3265-3276",
    asc=False,
    quick=(("weight", 0.0001), ("rounds", 10)),
)
