r"""`conmf`: collaborative NMF, which empties endmembers that are not needed and keeps the simplex small.

In lifted coordinates `G` of the image, with the rows :math:`a_{(i)}` of the abundances and a penalty that is
given by `B` and `O`, or on the left of `M` where it is `tv-code`,

.. math:: \min_{M, A} \tfrac12\|G - M A\|_F^2 + \tfrac w2\|M B - O\|_F^2 + s \sum_i \|a_{(i)}\|_2
          \quad\text{s.t.}\quad A \ge 0,\ \mathbf 1^\top A = \mathbf 1^\top
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hsu_lib.methods.geometric.fclsu import with_endmembers
from hsu_lib.methods.method import Method, Problem
from hsu_lib.methods.settings import Settings, sourced
from hsu_lib.scene import Status, Unmixing
from hsu_lib.solvers.quadratic_volume import Penalty, quadratic_volume
from hsu_lib.solvers.simplex import largest_simplex
from hsu_lib.solvers.subspace import principal_subspace

CODE = "public code of CoNMF"


@dataclass(frozen=True)
class CoNMFSettings(Settings):
    """Settings of CoNMF, each with its source."""

    penalty: Literal["boundary", "center", "tv", "tv-code"] = sourced(
        "boundary", f"{CODE}: boundary; tv-code is its tv, which compares coordinates and not endmembers"
    )
    weight: float = sourced(
        5e-4,
        f"{CODE}: of the penalty, times pixels; the lambda that the tutorial calls hard to choose",
        at_least=0,
    )
    sparsity: float = sourced(
        1e-6, f"{CODE}: of the norms of the abundances' rows, times sqrt(pixels / 1000)", at_least=0
    )
    coordinates: Literal["vca", "whitened", "plain"] = sourced(
        "vca", f"{CODE}: shares of the VCA endmembers, unit variances, or the unit of the image"
    )
    asc: bool = sourced(
        True, f"the paper; {CODE} by default False: abundances sum to one only nearly while it iterates"
    )
    iterations: int = sourced(200, CODE, at_least=1)
    tolerance: float = sourced(1e-4, f"{CODE}; share of the image that may remain", at_least=0)
    damping_endmembers: float = sourced(1e-3, f"{CODE}, times pixels", above=0)
    damping_abundances: float = sourced(1.0, CODE, above=0)
    vca_runs: int = sourced(50, f"{CODE}: of VCA, of which the largest simplex is the start", at_least=1)


def solve(problem: Problem, settings: CoNMFSettings) -> Unmixing:
    r"""Largest simplex of VCA, then alternating steps in lifted coordinates.

    History: ``objective``.
    """
    Y, count = problem.scene.pixels.astype(np.float64), problem.endmembers
    if count == 1:
        return with_endmembers(problem, Y.mean(axis=1, keepdims=True))
    subspace = principal_subspace(Y, count - 1)
    X = subspace.coordinates(Y)
    corners = largest_simplex(subspace.whitening * X, runs=settings.vca_runs, seed=problem.seed)
    C = {
        "vca": lambda: np.linalg.pinv(np.vstack([X[:, corners], np.ones(count)])),
        "whitened": lambda: np.diag(np.append(subspace.whitening, 1.0)),
        "plain": lambda: np.eye(count),
    }[settings.coordinates]()
    level = levelled(C)
    G = level.slope @ X + level.origin
    found = quadratic_volume(
        G,
        G[:, corners],
        penalty(settings.penalty, G[:, corners], level),
        weight=settings.weight * Y.shape[1],
        damping=(settings.damping_endmembers * Y.shape[1], settings.damping_abundances),
        iterations=settings.iterations,
        tolerance=settings.tolerance,
        sparsity=settings.sparsity * np.sqrt(Y.shape[1] / 1000),
        sums=None if settings.asc else level.height**2,
    )
    return Unmixing(
        subspace.spectra(np.linalg.pinv(level.slope) @ (found.M - level.origin)).astype(np.float32),
        problem.maps(found.A),
        Status.CONVERGED if found.converged else Status.STOPPED,
        {"objective": found.objective.astype(np.float32)},
    )


class Levelled(NamedTuple):
    """Lifted coordinates :math:`C [x; 1]`, turned so that the last one is the same for all `x`.

    Parameters
    ----------
    axes
        Turned coordinates to lifted ones, orthogonal, shape ``(endmembers, endmembers)``.
    slope, origin
        All but the last are ``slope @ x + origin``, shapes ``(endmembers - 1, endmembers - 1)`` and
        ``(endmembers - 1, 1)``.
    height
        The last.
    """

    axes: NDArray
    slope: NDArray
    origin: NDArray
    height: float


def levelled(C: NDArray) -> Levelled:
    """Of `C`, shape ``(endmembers, endmembers)``."""
    axes = np.linalg.qr(C[:, :-1], mode="complete")[0]
    mean = axes.T @ C[:, -1:]
    return Levelled(axes, axes[:, :-1].T @ C[:, :-1], mean[:-1], float(mean[-1, 0]))


def penalty(kind: str, start: NDArray, level: Levelled) -> Penalty:
    r"""Penalty of that name, with the code's factors.

    Those of boundary and center are `q` squared below those of NMF-QMV, of tv `q - 1`, for `q` endmembers.

    Parameters
    ----------
    kind
        As in the settings.
    start
        Endmembers of VCA in turned coordinates, shape ``(endmembers - 1, endmembers)``.
    level
        How these came about.
    """
    count = len(level.axes)
    share = np.eye(count) / count
    apart = (np.eye(count) - 1 / count) / np.sqrt(count - 1)  # its square: (q I - 1 1') / (q (q - 1))
    match kind:
        case "boundary":
            return Penalty(start / count, right=share)
        case "center":
            return Penalty(np.repeat(level.origin, count, axis=1) / count, right=share)
        case "tv":
            return Penalty(np.zeros_like(start), right=apart)
        case _:
            flat = -level.height * apart @ level.axes[:, -1:]
            return Penalty(np.repeat(flat, count, axis=1), left=apart @ level.axes[:, :-1])


CONMF = Method(
    name="conmf",
    summary="collaborative NMF: quadratic volume penalty, and rows of abundances that may vanish",
    kind="blind",
    solve=solve,
    settings=CoNMFSettings,
    quick=(("iterations", 10), ("vca_runs", 5)),
    source="Li, Bioucas-Dias, Plaza and Liu, IEEE TGRS 54(10), 2016, 6076-6090",
)
