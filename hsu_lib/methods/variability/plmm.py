r"""`plmm`: endmembers with a small perturbation in each pixel.

Spectra :math:`S_n` stay near endmembers `M`, and these near those of VCA, :math:`M_0`; :math:`m \sim n` are
neighbours:

.. math:: \min \sum_n \tfrac12 \|y_n - S_n a_n\|^2 + \tfrac\gamma2 \|S_n - M\|_F^2
          + \tfrac\alpha2 \sum_{m \sim n} \|a_n - a_m\|^2 + \tfrac\beta2 \|M - M_0\|_F^2
          \quad\text{s.t.}\quad A, S_n \ge 0,\ \mathbf 1^\top A = \mathbf 1^\top
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hsu_lib.methods.method import Method, Needs, Problem
from hsu_lib.methods.settings import Settings, sourced
from hsu_lib.methods.variability.scaled import DEMO, first_estimate, outcome
from hsu_lib.scene import Unmixing
from hsu_lib.solvers.variability import perturbed


@dataclass(frozen=True)
class PerturbedSettings(Settings):
    """Settings of PLMM, each with its source; weights are for an image whose largest value is 1."""

    reading: Literal["document", "code"] = sourced(
        "document",
        "ours: steps are exact; code: that of the abundances ends early, as in version 1.0 of public code; "
        "the printed error on Samson is of it",
    )
    smoothness: float = sourced(0.0014, f"{DEMO}: of the abundances", at_least=0)
    distance: float = sourced(500.0, f"{DEMO}: of the endmembers to those of VCA", at_least=0)
    nearness: float = sourced(1.0, f"{DEMO}: of spectra to the endmembers", above=0)
    iterations: int = sourced(20, DEMO, at_least=1)
    tolerance: float = sourced(1e-3, f"{DEMO}: share by which the objective changes", at_least=0)


def solve(problem: Problem, settings: PerturbedSettings) -> Unmixing:
    """VCA and SCLSU, then abundances, endmembers and spectra by turns. Endmembers are means of the spectra.

    History: ``relative-error-reconstruction``, that of the model with a spectrum for each pixel.
    """
    start = first_estimate(problem)
    found = perturbed(
        start.Y,
        start.E,
        start.A,
        (problem.scene.height, problem.scene.width),
        smoothness=settings.smoothness,
        distance=settings.distance,
        nearness=settings.nearness,
        loose=settings.reading == "code",
        iterations=settings.iterations,
        tolerance=settings.tolerance,
        device=problem.device,
    )
    return outcome(problem, start, found)


PLMM = Method(
    name="plmm",
    summary="VCA, then endmembers perturbed in each pixel, with smooth abundances",
    kind="variability",
    solve=solve,
    settings=PerturbedSettings,
    needs=Needs(spatial=True),
    source="Thouvenin, Dobigeon and Tourneret, IEEE TSP 64(2), 2016, 525-538",
    quick=(("iterations", 3),),
)
