r"""`sclsu`, `elmm`, `glmm`: endmembers brighter or darker from pixel to pixel, or band to band.

Of `sclsu` each pixel has one brightness, :math:`y_n = \psi_n E a_n`. Of `elmm` each endmember has a scale of
its own in each pixel, of `glmm` each of its bands:

.. math:: \min \sum_n \tfrac12 \|y_n - S_n a_n\|^2 + \tfrac{\lambda_S}2 \|S_n - S_0 \odot \Psi_n\|_F^2
          + \lambda_A \sum_p \mathrm{TV}(A_p) + \tfrac{\lambda_\psi}2 \sum \|\nabla \Psi\|^2
          \quad\text{s.t.}\quad A, S_n \ge 0,\ \mathbf 1^\top A = \mathbf 1^\top
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hsu_lib.methods.method import Method, Needs, Problem
from hsu_lib.methods.settings import Settings, sourced
from hsu_lib.scene import Status, Unmixing
from hsu_lib.solvers.extraction import vca
from hsu_lib.solvers.scaling import to_sum_one
from hsu_lib.solvers.variability import Variability, scaled, sclsu

DEMO = "public code of DeepGUn, its demo on Samson"
#: The history's curve: the norm of what the method's own model leaves of the image, over that of the image.
ERROR = "relative-error-reconstruction"


class Start(NamedTuple):
    """Image over its largest value, endmembers of VCA, abundances and brightness of SCLSU, that value."""

    Y: NDArray[np.float64]
    E: NDArray[np.float64]
    A: NDArray[np.float64]
    brightness: NDArray[np.float64]
    scale: float


def first_estimate(problem: Problem) -> Start:
    """VCA, then SCLSU, of the image over its largest value, so that weights mean the same in any unit."""
    Y = problem.scene.pixels.astype(np.float64)
    scale = float(np.abs(Y).max()) or 1.0
    Y /= scale
    E = vca(Y, problem.endmembers, seed=problem.seed).E
    return Start(Y, E, *sclsu(Y, E, device=problem.device), scale)


def outcome(problem: Problem, start: Start, found: Variability) -> Unmixing:
    """Mean spectra, abundances under both constraints, and the error of the model with all spectra."""
    return Unmixing(
        (start.scale * found.endmembers).astype(np.float32),
        problem.maps(to_sum_one(found.A.clip(0))),
        Status.CONVERGED if found.converged else Status.STOPPED,
        {ERROR: found.error.astype(np.float32)},
    )


@dataclass(frozen=True)
class ScaledSettings(Settings):
    """Settings of ELMM, each with its source; weights are for an image whose largest value is 1."""

    nearness: float = sourced(0.4, f"{DEMO}: of spectra to the scaled reference", above=0)
    variation: float = sourced(0.005, f"{DEMO}: of the abundances", at_least=0)
    smoothness: float = sourced(0.001, f"{DEMO}: of the scales", at_least=0)
    iterations: int = sourced(20, f"{DEMO}; 100 where nothing is said", at_least=1)
    tolerance: float = sourced(1e-3, f"{DEMO}: share by which nothing changes any more", at_least=0)


def brightness(problem: Problem, settings: Settings) -> Unmixing:
    """VCA, then one brightness for each pixel. Endmembers have the mean one of their pixels.

    History: ``relative-error-reconstruction``, that of the model with brightness.
    """
    start = first_estimate(problem)
    shares = start.A + np.finfo(float).tiny
    E = start.E * ((shares @ start.brightness) / shares.sum(axis=1))
    left = np.linalg.norm(start.Y - start.E @ (start.A * start.brightness))
    error = left / (np.linalg.norm(start.Y) or 1.0)
    return Unmixing(
        (start.scale * E).astype(np.float32),
        problem.maps(start.A),
        Status.CONVERGED,
        {ERROR: np.array([error], dtype=np.float32)},
    )


def solve(by_band: bool, problem: Problem, settings: ScaledSettings) -> Unmixing:
    """VCA and SCLSU, then spectra, abundances and scales by turns. Endmembers are means of the spectra.

    History: ``relative-error-reconstruction``, that of the model with a spectrum for each pixel.
    """
    start = first_estimate(problem)
    found = scaled(
        start.Y,
        start.E,
        start.A,
        (problem.scene.height, problem.scene.width),
        by_band=by_band,
        nearness=settings.nearness,
        variation=settings.variation,
        smoothness=settings.smoothness,
        iterations=settings.iterations,
        tolerance=settings.tolerance,
        device=problem.device,
    )
    return outcome(problem, start, found)


SCLSU = Method(
    name="sclsu",
    summary="VCA, then least squares with one brightness for each pixel",
    kind="variability",
    solve=brightness,
    source="Drumetz et al., IEEE TIP 25(8), 2016, 3890-3905: its start",
)

ELMM = Method(
    name="elmm",
    summary="VCA, then endmembers scaled in each pixel, with smooth scales and abundances",
    kind="variability",
    solve=partial(solve, False),
    settings=ScaledSettings,
    needs=Needs(spatial=True),
    source="Drumetz et al., IEEE TIP 25(8), 2016, 3890-3905",
    quick=(("iterations", 5),),
)

GLMM = Method(
    name="glmm",
    summary="VCA, then endmembers scaled band by band in each pixel, with smooth scales and abundances",
    kind="variability",
    solve=partial(solve, True),
    settings=ScaledSettings,
    defaults=(("nearness", 1.0), ("variation", 0.01), ("smoothness", 1e-6), ("iterations", 100)),
    needs=Needs(spatial=True),
    source="Imbiriba, Borsoi and Bermudez, ICASSP 2018, 1862-1866",
    quick=(("iterations", 5),),
)
