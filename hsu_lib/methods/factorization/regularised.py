r"""`l12-nmf`, `rsnmf`, `tv-rsnmf`, `glnmf`, `sswnmf`: NMF whose abundances sum to one and are sparse.

.. math:: \min_{E, A \ge 0} \tfrac12\|Y - EA\|_F^2 + \tfrac{\delta^2}2 \sum_n (1 - \mathbf 1^\top a_n)^2
          + R(A)

They differ by :math:`R`: :math:`\lambda \sum \sqrt a` in `l12-nmf`,
:math:`\lambda \sum \log(a + \varepsilon)` in `rsnmf`; `tv-rsnmf` adds
:math:`\tfrac\mu2 \|A - X\|_F^2 + \tau\,\mathrm{TV}(X)` to the latter, and `glnmf`
:math:`\tfrac\alpha2 \operatorname{Tr} A (D - S) A^\top` to the former, for a graph `S` that joins pixels of
like spectra and has the sums `D`. In `sswnmf` it is an l1 norm with weights from neighbours, set anew in
every pass.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from hsu_lib.methods.factorization.palm import outcome
from hsu_lib.methods.method import Method, Needs, Problem
from hsu_lib.methods.settings import Settings, sourced
from hsu_lib.scene import Unmixing
from hsu_lib.solvers.extraction import vca
from hsu_lib.solvers.factorization import nmf
from hsu_lib.solvers.fclsu import fclsu
from hsu_lib.solvers.nmf_terms import (
    Graph,
    Neighbours,
    Smoothed,
    Sparse,
    SumToOne,
    Term,
    sparseness,
    spectral_graph,
)
from hsu_lib.solvers.scaling import to_sum_one

CODE = "public code of TV-RSNMF"
PAPER = "He, Zhang and Zhang, IEEE TGRS 55(7), 2017, 3909-3921"
_FLOOR = 1e-3  # what is zero stays zero
_ROOTED = 1e-4  # abundances below are not penalised by their root: they can come back


@dataclass(frozen=True)
class RegularisedSettings(Settings):
    """What all have in common, each with its source; weights are for an image whose largest value is 1."""

    asc: float = sourced(15.0, f"{CODE}: of the sum to one, like a band of that value", at_least=0)
    iterations: int = sourced(1000, CODE, at_least=1)
    tolerance: float = sourced(
        1e-6, f"{CODE}; ours: as a share of the norm, by which neither factor moves", at_least=0
    )


@dataclass(frozen=True)
class RootSettings(RegularisedSettings):
    """Settings with an l1/2 norm, each with its source."""

    sparsity: float = sourced(
        1.0,
        f"{CODE}: times the weight that the sparseness of the image's bands gives; its author remarks 0.2",
        at_least=0,
    )


@dataclass(frozen=True)
class ReweightedSettings(RegularisedSettings):
    """Settings with a reweighted l1 norm, each with its source."""

    sparsity: float = sourced(
        0.01,
        f"{CODE}: of its single run; its scan, made with the truth in sight, has 0.0005 to 0.3",
        at_least=0,
    )


@dataclass(frozen=True)
class VariationSettings(ReweightedSettings):
    """Settings with total variation, each with its source."""

    nearness: float = sourced(
        100.0, f"{CODE}: of its single run; of the abundances to smooth ones", at_least=0
    )
    variation: float = sourced(
        0.02, f"{CODE}: of its single run; its proximal step takes twice as much", at_least=0
    )


@dataclass(frozen=True)
class GraphSettings(RootSettings):
    """Settings with a graph, each with its source."""

    likeness: float = sourced(0.15, f"{CODE}: of the graph", at_least=0)
    neighbours: int = sourced(3, f"{CODE}: nearest spectra that a pixel is joined with", at_least=1)
    width: float = sourced(1.0, f"{CODE}: of the heat kernel", above=0)


@dataclass(frozen=True)
class WeightedSettings(RegularisedSettings):
    """Settings with spectral and spatial weights, each with its source."""

    sparsity: float = sourced(0.01, "ours: the paper was not at hand", at_least=0)
    rows: bool = sourced(
        True, "ours: maps of small norm are made sparser, as in S2WSU; that depends on the number of pixels"
    )


def root(problem: Problem, Y: NDArray, settings: RootSettings) -> list[Term]:
    """Of L1/2-NMF."""
    return [Sparse(settings.sparsity * sparseness(Y), "root", _ROOTED)]


def reweighted(problem: Problem, Y: NDArray, settings: ReweightedSettings) -> list[Term]:
    """Of RSNMF."""
    return [Sparse(settings.sparsity, "log")]


def smooth(problem: Problem, Y: NDArray, settings: VariationSettings) -> list[Term]:
    """Of TV-RSNMF; without nearness, of RSNMF."""
    shape = problem.scene.height, problem.scene.width
    near = [Smoothed(settings.nearness, 2 * settings.variation, shape)] if settings.nearness else []
    return [*reweighted(problem, Y, settings), *near]


def joined(problem: Problem, Y: NDArray, settings: GraphSettings) -> list[Term]:
    """Of GLNMF."""
    graph = spectral_graph(torch.from_numpy(Y).to(problem.device), settings.neighbours, settings.width)
    return [*root(problem, Y, settings), Graph(settings.likeness, graph)]


def weighted(problem: Problem, Y: NDArray, settings: WeightedSettings) -> list[Term]:
    """Of SSWNMF, as we read it."""
    return [Neighbours(settings.sparsity, (problem.scene.height, problem.scene.width), settings.rows)]


def solve(
    terms: Callable[[Problem, NDArray, Any], list[Term]], problem: Problem, settings: RegularisedSettings
) -> Unmixing:
    """VCA and FCLSU, then multiplicative updates, endmembers first; in the end abundances over their sums.

    The image is divided by its largest value, so that weights mean the same in any unit.

    History: ``objective`` without and ``penalised`` with the terms.
    """
    Y = np.maximum(problem.scene.pixels.astype(np.float64), 0)
    scale = float(Y.max()) or 1.0
    Y /= scale
    E = vca(Y, problem.endmembers, seed=problem.seed).E
    found = nmf(
        Y,
        np.maximum(E, _FLOOR * E.max()),
        np.maximum(fclsu(Y, E, device=problem.device), _FLOOR),
        terms=[SumToOne(settings.asc), *terms(problem, Y, settings)],
        first="endmembers",
        iterations=settings.iterations,
        tolerance=settings.tolerance,
        device=problem.device,
    )
    unmixing = outcome(problem, found._replace(E=scale * found.E), to_sum_one(found.A))
    penalised = np.asarray(found.penalised, dtype=np.float32)
    return replace(unmixing, history={**unmixing.history, "penalised": penalised})


#: Some that converge and some that do not.
QUICK = (("iterations", 30), ("tolerance", 1e-4))

L12 = Method(
    name="l12-nmf",
    summary="VCA and FCLSU, then NMF with an l1/2 norm of the abundances",
    kind="blind",
    solve=partial(solve, root),
    settings=RootSettings,
    quick=QUICK,
    source="Qian, Jia, Zhou and Robles-Kelly, IEEE TGRS 49(11), 2011, 4282-4297",
)

RSNMF = Method(
    name="rsnmf",
    summary="VCA and FCLSU, then NMF with a reweighted l1 norm of the abundances",
    kind="blind",
    solve=partial(solve, reweighted),
    settings=ReweightedSettings,
    quick=QUICK,
    source=PAPER,
)

TV_RSNMF = Method(
    name="tv-rsnmf",
    summary="VCA and FCLSU, then NMF with a reweighted l1 norm and total variation of the abundances",
    kind="blind",
    solve=partial(solve, smooth),
    settings=VariationSettings,
    needs=Needs(spatial=True),
    quick=QUICK,
    source=PAPER,
)

GLNMF = Method(
    name="glnmf",
    summary="VCA and FCLSU, then NMF with an l1/2 norm, and pixels of like spectra mixed alike",
    kind="blind",
    solve=partial(solve, joined),
    settings=GraphSettings,
    quick=QUICK,
    source="Lu, Wu, Yuan, Yan and Li, IEEE TGRS 51(5), 2013, 2815-2826",
)

SSWNMF = Method(
    name="sswnmf",
    summary="reading of SSWNMF: VCA and FCLSU, then NMF with spectral and spatial weights; not its code",
    kind="blind",
    solve=partial(solve, weighted),
    settings=WeightedSettings,
    needs=Needs(spatial=True),
    quick=QUICK,
    source="Zhang et al., IEEE TGRS 60, 2022, from its abstract; weights of S2WSU, IEEE TGRS 56(6), 2018",
)

REGULARISED = (L12, RSNMF, TV_RSNMF, GLNMF, SSWNMF)
