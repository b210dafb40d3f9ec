r"""`sunsal`: sparse unmixing with a library, each pixel by itself.

.. math:: \min_X \tfrac12\|Y - DX\|_F^2 + \lambda \|X\|_1 \quad\text{s.t.}\quad X \ge 0
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from hsu_lib.methods.method import Method, Needs, Problem
from hsu_lib.methods.settings import sourced
from hsu_lib.methods.sparse.library import (
    CODE,
    DEMO,
    LibrarySettings,
    Reading,
    image_of,
    outcome,
    products_of,
)
from hsu_lib.scene import Unmixing
from hsu_lib.solvers.fclsu import fclsu
from hsu_lib.solvers.sparse import nonnegative, sunsal


@dataclass(frozen=True)
class SunsalSettings(LibrarySettings):
    """Settings of SUnSAL, each with its source."""

    reading: Reading = sourced("document", f"ours: the minimum, exact; code: iterations of the {CODE}")
    weight: float = sourced(0.1, f"{DEMO}: lambda, in squared units of the image", at_least=0)
    sum_to_one: bool = sourced(False, "ours: tutorial prints ASC, with which the weight has no effect")
    tolerance: float = sourced(1e-4, f"{CODE}: of the residuals; reading code", above=0)
    iterations: int = sourced(2000, f"{CODE}, demonstrations: at most; reading code", at_least=1)


def solve(problem: Problem, settings: SunsalSettings) -> Unmixing:
    """Abundances of all atoms; those that some pixel has are the result."""
    Y = image_of(problem, settings).pixels
    if settings.reading == "document" and settings.sum_to_one:
        assert problem.library is not None
        X = fclsu(Y, problem.library.spectra, device=problem.device)
        return outcome(problem, torch.from_numpy(X), converged=True)
    given = products_of(problem, Y)
    if settings.reading == "document":
        found = nonnegative(given.G, given.B - settings.weight)
        return outcome(problem, found.X, converged=found.converged)
    found = sunsal(
        given,
        settings.weight,
        asc=settings.sum_to_one,
        tolerance=settings.tolerance,
        iterations=settings.iterations,
    )
    return outcome(problem, found.X, converged=found.converged)


SUNSAL = Method(
    name="sunsal",
    summary="sparse regression with a library, each pixel by itself",
    kind="sparse",
    solve=solve,
    settings=SunsalSettings,
    needs=Needs(library=True),
    source="Bioucas-Dias and Figueiredo, WHISPERS 2010; Iordache et al., IEEE TGRS 49(6), 2011, 2014-2039",
    asc=False,
    quick=(("weight", 0.001),),
)
