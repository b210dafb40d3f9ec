r"""`mvc-nmf`: factorisation under ANC and ASC with the squared volume of the simplex as a penalty.

With the mean pixel `m` and the leading principal components `U` of the image, one less than endmembers,

.. math:: \min_{E, A \ge 0} \tfrac12\|Y - E A\|_F^2 + \tfrac w2 \det(Z)^2
          \quad\text{s.t.}\quad \mathbf 1^\top A = \mathbf 1^\top,
          \qquad Z = \begin{pmatrix}\mathbf 1^\top\\ U^\top(E - m\mathbf 1^\top)\end{pmatrix}
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from hsu_lib.methods.factorization.palm import outcome
from hsu_lib.methods.method import Method, Problem
from hsu_lib.methods.settings import Settings, sourced
from hsu_lib.scene import Unmixing
from hsu_lib.solvers.determinant_volume import determinant_volume
from hsu_lib.solvers.extraction import vca
from hsu_lib.solvers.fclsu import fclsu


@dataclass(frozen=True)
class MVCSettings(Settings):
    """Settings of MVC-NMF, each with its source."""

    weight: float = sourced(
        0.015,
        "public code of MVC-NMF: of half the squared determinant, for an image with largest value 1",
        at_least=0,
    )
    projection: Literal["projective", "principal"] = sourced(
        "projective",
        "of the first VCA; public code: it is given an image without noise, a projected one; principal: ours",
    )
    iterations: int = sourced(150, "public code of MVC-NMF", at_least=1)
    steps: int = sourced(20, "ours: gradient steps of the endmembers in each iteration", at_least=1)
    tolerance: float = sourced(
        1e-6,
        "ours: share of the first objective by which it must fall; the code stops when the fit rises often",
        at_least=0,
    )


def solve(problem: Problem, settings: MVCSettings) -> Unmixing:
    """VCA on the image projected along its singular vectors, FCLSU, then both under the penalty, by turns.

    The image is divided by its largest value, so that the weight means the same in any unit. What it does
    still depends on the number of pixels and of endmembers.

    History: ``objective``.
    """
    Y = problem.scene.pixels.astype(np.float64)
    scale = float(np.abs(Y).max()) or 1.0
    Y /= scale
    snr_db = np.inf if settings.projection == "projective" else -np.inf  # which decides on the projection
    E = vca(Y, problem.endmembers, seed=problem.seed, snr_db=snr_db).E
    found = determinant_volume(
        Y,
        E,
        fclsu(Y, E, device=problem.device),
        weight=settings.weight,
        iterations=settings.iterations,
        steps=settings.steps,
        tolerance=settings.tolerance,
        device=problem.device,
    )
    return outcome(problem, found._replace(E=scale * found.E), found.A)


MVC = Method(
    name="mvc-nmf",
    summary="VCA and FCLSU, then both under a penalty for the simplex's volume",
    kind="blind",
    solve=solve,
    settings=MVCSettings,
    quick=(("iterations", 20),),
    source="Miao and Qi, IEEE TGRS 45(3), 2007, 765-777",
)
