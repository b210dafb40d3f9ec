r"""`edaa`: archetypal analysis by entropic descent from many random starts, of which one is selected.

Endmembers mix pixels, and pixels mix endmembers:

.. math:: \min_{A, B} \tfrac12\|Y - Y B A\|_F^2 \quad\text{s.t.}\quad A, B \ge 0,\
          \mathbf 1^\top A = \mathbf 1^\top,\ \mathbf 1^\top B = \mathbf 1^\top
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hsu_lib.methods.method import Method, Problem
from hsu_lib.methods.settings import Settings, sourced
from hsu_lib.scene import Unmixing
from hsu_lib.solvers.archetypal import Coherence, archetypes, coherence, l1_residual, select

PAPER = "Zouaoui et al., IEEE TIP 32, 2023, 4649-4663"
TUTORIAL = "public notebook of the tutorial, and HySUPP"
#: A start whose abundances are nowhere farther from 1/p than this has stalled: it never left its symmetry.
_STALLED = 0.01


@dataclass(frozen=True)
class EDAASettings(Settings):
    """Settings of entropic descent, each with its source."""

    starts: int = sourced(50, f"{TUTORIAL}; 1 for no selection", at_least=1)
    iterations: int = sourced(100, f"{TUTORIAL}, and the authors' configuration file", at_least=1)
    abundance_steps: int = sourced(5, f"{TUTORIAL}; the authors' configuration file: 20", at_least=1)
    endmember_steps: int = sourced(5, f"{TUTORIAL}; the authors' configuration file: 20", at_least=1)
    normalise: Literal["none", "l2"] = sourced(
        "none",
        "public code of HySUPP; l2: the paper, pixels over their norms (endmembers in the image's unit)",
    )
    coherence: Coherence = sourced(
        "correlation", "public code; inner product: the tutorial, of the endmembers as they are"
    )
    tolerance: float = sourced(
        0.05,
        "public code: share of its residual (l1) by which a start may exceed the best and still be selected",
        at_least=0,
        below=1,
    )


def solve(problem: Problem, settings: EDAASettings) -> Unmixing:
    """All starts, then the least coherent of those that fit.

    History: ``residual`` (l1, of the image as it is unmixed) and ``coherence`` of every start, which one was
    ``selected`` (from 0), and the share that ``stalled``, with abundances that are the same everywhere.
    """
    Y = problem.scene.pixels.astype(np.float32)
    given = Y / _norms(Y) if settings.normalise == "l2" else Y
    found = archetypes(
        given,
        problem.endmembers,
        seed=problem.seed,
        starts=settings.starts,
        iterations=settings.iterations,
        steps=(settings.abundance_steps, settings.endmember_steps),
        device=problem.device,
        progress=problem.label,
    )
    endmembers = [given @ B.T for B in found.B]
    residuals = [l1_residual(given, E, A) for E, A in zip(endmembers, found.A, strict=True)]
    coherences = [coherence(E, settings.coherence) for E in endmembers]
    best = select(residuals, coherences, settings.tolerance)
    apart = [float(np.abs(A - 1 / problem.endmembers).max()) for A in found.A]
    stalled = np.mean(np.less(apart, _STALLED)) if problem.endmembers > 1 else 0.0
    history = {"residual": residuals, "coherence": coherences, "selected": [best], "stalled": [stalled]}
    curves = {name: np.array(values, dtype=np.float32) for name, values in history.items()}
    return Unmixing(Y @ found.B[best].T, problem.maps(found.A[best]), history=curves)


def _norms(Y: NDArray) -> NDArray:
    """Norm of every pixel; 1 of one without any."""
    norms = np.linalg.norm(Y, axis=0)
    return np.where(norms > 0, norms, 1.0).astype(Y.dtype)


EDAA = Method(
    name="edaa",
    summary="archetypal analysis by entropic descent, the least coherent of many starts that fit",
    kind="blind",
    solve=solve,
    settings=EDAASettings,
    quick=(("starts", 3), ("iterations", 20)),
    source=PAPER,
)
