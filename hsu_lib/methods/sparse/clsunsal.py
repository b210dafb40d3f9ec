r"""`clsunsal`: collaborative sparse unmixing, few atoms for the whole image.

.. math:: \min_X \tfrac12\|Y - DX\|_F^2 + \lambda \sum_k \|X_{k\cdot}\| \quad\text{s.t.}\quad X \ge 0
"""

from __future__ import annotations

from dataclasses import dataclass

from hsu_lib.methods.method import Method, Needs, Problem
from hsu_lib.methods.settings import sourced
from hsu_lib.methods.sparse.library import LibrarySettings, Reading, image_of, outcome, products_of
from hsu_lib.scene import Unmixing
from hsu_lib.solvers.sparse import clsunsal

PAPER = "Iordache, Bioucas-Dias and Plaza, IEEE TGRS 52(1), 2014, 341-354"
CODE = "public code of its authors"


@dataclass(frozen=True)
class ClsunsalSettings(LibrarySettings):
    """Settings of CLSUnSAL, each with its source."""

    reading: Reading = sourced(
        "document", f"ours: to a small residual; code: iterations and tolerance of the {CODE}"
    )
    weight: float = sourced(
        5.0,
        "ours, of DC1 at 30 dB: lambda, useful values grow with the root of the number of pixels",
        at_least=0,
    )
    tolerance: float = sourced(1e-4, f"{CODE}: of the residuals; reading code", above=0)
    iterations: int = sourced(1000, f"{CODE}: at most; reading code", at_least=1)
    exactness: float = sourced(1e-8, "ours: tolerance of reading document", above=0)
    most: int = sourced(20_000, "ours: iterations of reading document, at most", at_least=1)


def solve(problem: Problem, settings: ClsunsalSettings) -> Unmixing:
    """Abundances of all atoms; those that some pixel has are the result."""
    document = settings.reading == "document"
    found = clsunsal(
        products_of(problem, image_of(problem, settings).pixels),
        settings.weight,
        joint=document,
        tolerance=settings.exactness if document else settings.tolerance,
        iterations=settings.most if document else settings.iterations,
    )
    return outcome(problem, found.X, converged=found.converged)


CLSUNSAL = Method(
    name="clsunsal",
    summary="sparse regression with a library, few of its spectra for the whole image",
    kind="sparse",
    solve=solve,
    settings=ClsunsalSettings,
    needs=Needs(library=True),
    source=PAPER,
    asc=False,
    quick=(("weight", 0.01),),
)
