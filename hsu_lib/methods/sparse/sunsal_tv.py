r"""`sunsal-tv`: sparse unmixing with maps of small total variation.

.. math:: \min_X \tfrac12\|Y - DX\|_F^2 + \lambda \|X\|_1 + \lambda_{TV}\,\mathrm{TV}(X)
          \quad\text{s.t.}\quad X \ge 0
"""

from __future__ import annotations

from dataclasses import dataclass

from hsu_lib.methods.method import Method, Needs, Problem
from hsu_lib.methods.settings import sourced
from hsu_lib.methods.sparse.library import (
    CODE,
    DEMO,
    LibrarySettings,
    Precision,
    Reading,
    image_of,
    outcome,
    products_of,
)
from hsu_lib.scene import Unmixing
from hsu_lib.solvers.sparse_maps import sunsal_tv


@dataclass(frozen=True)
class SunsalTVSettings(LibrarySettings):
    """Settings of SUnSAL-TV, each with its source."""

    reading: Reading = sourced(
        "code", f"{CODE}, 200 iterations; document: until the objective no longer falls, ten times as long"
    )
    weight: float = sourced(0.007, f"{DEMO}: lambda, in squared units of the image", at_least=0)
    variation: float = sourced(0.01, f"{DEMO}: lambda_TV, in the same units", at_least=0)
    isotropic: bool = sourced(False, f"{CODE}, demonstrations")
    step: float = sourced(0.05, f"{CODE}, demonstrations: mu, constant", above=0)
    iterations: int = sourced(200, f"{CODE}, demonstrations: at most; reading code", at_least=1)
    most: int = sourced(10_000, "ours: iterations of reading document, at most", at_least=1)
    precision: Precision = sourced("double", "ours: single takes half the time and moves the SRE by 0.02 dB")


def solve(problem: Problem, settings: SunsalTVSettings) -> Unmixing:
    """Abundances of all atoms; those that some pixel has are the result."""
    document = settings.reading == "document"
    found = sunsal_tv(
        products_of(problem, image_of(problem, settings).pixels, settings.precision),
        problem.scene.Y.shape[1:],
        settings.weight,
        settings.variation,
        isotropic=settings.isotropic,
        step=settings.step,
        iterations=settings.most if document else settings.iterations,
        converge=document,
        label=problem.label,
    )
    # the code returns the iterate, which is nowhere exactly zero: its SRE on DC1 is within 0.002 dB
    return outcome(problem, found.sparse, converged=found.converged)


SUNSAL_TV = Method(
    name="sunsal-tv",
    summary="sparse regression with a library, maps of small total variation",
    kind="sparse",
    solve=solve,
    settings=SunsalTVSettings,
    needs=Needs(library=True, spatial=True),
    source="Iordache, Bioucas-Dias and Plaza, IEEE TGRS 50(11), 2012, 4484-4502",
    asc=False,
    quick=(("weight", 0.001), ("variation", 0.001), ("iterations", 50), ("most", 300)),
)
