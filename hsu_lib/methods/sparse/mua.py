r"""`mua-slic`, `mua-bpt`: regions of the image first, then its pixels near what their region has.

.. math:: \min_X \tfrac12\|Y - DX\|_F^2 + \lambda_2 \|X\|_1 + \tfrac\beta2 c^2 \|X - \hat X\|_F^2
          \quad\text{s.t.}\quad X \ge 0

with :math:`\hat X` the sparse unmixing of the regions' mean spectra and :math:`c^2` the image's mean square.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

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
from hsu_lib.scene import Scene, Unmixing
from hsu_lib.solvers.sparse import nonnegative, sunsal
from hsu_lib.solvers.superpixels import partition_tree, region_means, slic

PAPER = "Borsoi, Imbiriba, Bermudez and Richard, IEEE GRSL 16(4), 2019, 598-602"


@dataclass(frozen=True)
class MuaSettings(LibrarySettings):
    """What both have in common, each with its source; weights are in squared units of the image."""

    reading: Reading = sourced("document", f"ours: both minima, exact; code: iterations of the {CODE}")
    coarse_weight: float = sourced(0.007, f"{DEMO}: lambda_1, of the regions", at_least=0)
    fine_weight: float = sourced(0.05, f"{DEMO}: lambda_2, of the pixels", at_least=0)
    nearness: float = sourced(10.0, f"{DEMO}: beta, for an image over its root mean square", at_least=0)
    tolerance: float = sourced(1e-4, f"{CODE}: of the residuals; reading code", above=0)
    iterations: int = sourced(2000, f"{CODE}: at most; reading code", at_least=1)


@dataclass(frozen=True)
class MuaSlicSettings(MuaSettings):
    """Settings with superpixels, each with its source."""

    size: int = sourced(5, f"{DEMO}: side of a superpixel, in pixels", at_least=1)
    regulariser: float = sourced(0.005, f"{DEMO}: of SLIC", at_least=0)


@dataclass(frozen=True)
class MuaBptSettings(MuaSettings):
    """Settings with a binary partition tree, each with its source."""

    reading: Reading = sourced(
        "document",
        f"ours: both minima, exact, pixels on lines in the nearest basin; code: iterations of the {CODE}, "
        "and the basin with the nearest sum over the bands",
    )
    side: int = sourced(10, f"{DEMO}: root of the mean number of pixels in a region", at_least=1)


def superpixels(scene: Scene, settings: MuaSlicSettings) -> NDArray[np.intp]:
    """Regions ``(height, width)`` by SLIC."""
    return slic(scene.Y, settings.size, settings.regulariser)


def branches(scene: Scene, settings: MuaBptSettings) -> NDArray[np.intp]:
    """Regions ``(height, width)`` of the tree."""
    regions = scene.height * scene.width // settings.side**2
    return partition_tree(scene.Y, regions, by_sum=settings.reading == "code")


def solve(regions: Callable[[Scene, Any], NDArray[np.intp]], problem: Problem, settings: Any) -> Unmixing:
    """Abundances of all atoms; those that some pixel has are the result."""
    scene = image_of(problem, settings)
    labels = regions(scene, settings)
    coarse = products_of(problem, region_means(scene.Y, labels))
    fine = products_of(problem, scene.pixels)
    region = torch.from_numpy(labels.ravel()).to(problem.device)
    beta = settings.nearness * fine.power
    if settings.reading == "document":
        first = nonnegative(coarse.G, coarse.B - settings.coarse_weight)
        near = first.X[:, region]
        unit = torch.eye(len(fine.G), dtype=fine.G.dtype, device=fine.G.device)
        found = nonnegative(fine.G + beta * unit, fine.B + beta * near - settings.fine_weight)
    else:
        stop = {"tolerance": settings.tolerance, "iterations": settings.iterations}
        first = sunsal(coarse, settings.coarse_weight, **stop)
        near = first.X[:, region]
        found = sunsal(fine, settings.fine_weight, near=near, ridge=settings.nearness, **stop)
    return outcome(problem, found.X, converged=found.converged and first.converged)


MUA_SLIC = Method(
    name="mua-slic",
    summary="sparse regression with a library, of superpixels and then of pixels near them",
    kind="sparse",
    solve=partial(solve, superpixels),
    settings=MuaSlicSettings,
    needs=Needs(library=True, spatial=True),
    source=PAPER,
    asc=False,
    quick=(("coarse_weight", 0.001), ("fine_weight", 0.001), ("nearness", 1.0)),
)

MUA_BPT = Method(
    name="mua-bpt",
    summary="sparse regression with a library, of a partition tree's regions and then of pixels near them",
    kind="sparse",
    solve=partial(solve, branches),
    settings=MuaBptSettings,
    defaults=(("coarse_weight", 0.005), ("fine_weight", 0.1), ("nearness", 30.0)),
    needs=Needs(library=True, spatial=True),
    source=PAPER,
    asc=False,
    quick=(("coarse_weight", 0.001), ("fine_weight", 0.001), ("nearness", 1.0), ("side", 3)),
)
