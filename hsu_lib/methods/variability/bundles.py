r"""`group-bundles`, `library-bundles`: several spectra for each material, of which a pixel mixes its own.

.. math:: \min_A \tfrac12\|Y - BA\|_F^2 + \lambda\,\Omega(A) \quad\text{s.t.}\quad A \ge 0,\
          \mathbf 1^\top A = \mathbf 1^\top

The bundles `B` are from the image, or the classes of a library. The result has for each material the mean of
its bundle as endmember, and the sum over its spectra as abundance; the spectra that a pixel itself mixes are
known to `hsu_lib.solvers.bundles.penalised` alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from hsu_lib.methods.method import Method, Needs, Problem
from hsu_lib.methods.settings import Settings, sourced
from hsu_lib.methods.sparse.library import LibrarySettings, Reading
from hsu_lib.scene import Status, Unmixing
from hsu_lib.solvers.bundles import Bundles, Penalised, image_bundles, members, penalised, spread
from hsu_lib.solvers.fclsu import fclsu

PAPER = "Drumetz et al., IEEE TIP 28(7), 2019, 3435-3450"
SOMERS = "Somers et al., IEEE JSTARS 5(1), 2012, 86-95"
CODE = "public code of its authors"


@dataclass(frozen=True)
class PenaltySettings(Settings):
    """How bundles are unmixed, each with its source; the weight is in squared units of the image."""

    penalty: Literal["group", "elitist", "fractional", "none", "means"] = sourced(
        "group",
        f"{PAPER}; none: FCLSU with all spectra; means: FCLSU with the mean of each bundle, to compare with",
    )
    weight: float = sourced(
        2.0, f"{CODE}, Houston: lambda, group; elitist has 0.5 there, fractional 0.4", at_least=0
    )
    exponent: float = sourced(0.1, f"{CODE}, Houston: q, fractional", above=0, at_most=1)
    reading: Reading = sourced(
        "document",
        f"ours: the minimum where the norm is convex; code: iterations of the {CODE}, whose elitist step is "
        "inexact; fractional: the same in both",
    )
    step: float = sourced(10.0, f"{CODE}: rho", above=0)
    iterations: int = sourced(1000, f"{CODE}: at most", at_least=1)
    tolerance: float = sourced(1e-6, f"{CODE}: of a change, over the squared norm; its iterations", above=0)
    exactness: float = sourced(
        1e-5, "ours: of the residuals, root mean square; group, reading document", above=0
    )


@dataclass(frozen=True)
class ImageBundleSettings(PenaltySettings):
    """The same with bundles from the image, each with its source."""

    subsets: int = sourced(10, f"{CODE}, after {SOMERS}: on which VCA is run", at_least=1)
    share: float = sourced(0.1, f"{CODE}: of the pixels that a subset has", above=0, at_most=1)
    restarts: int = sourced(10, "ours: of k-means", at_least=1)


@dataclass(frozen=True)
class LibraryBundleSettings(PenaltySettings, LibrarySettings):
    """The same with a library, each with its source."""

    per_class: int = sourced(10, "ours: spectra of a class at most, the most different ones", at_least=1)


def from_image(problem: Problem, settings: ImageBundleSettings) -> Bundles:
    """Bundles of as many materials as are asked for."""
    return image_bundles(
        problem.scene.pixels,
        problem.endmembers,
        subsets=settings.subsets,
        share=settings.share,
        restarts=settings.restarts,
        seed=problem.seed,
    )


def from_library(problem: Problem, settings: LibraryBundleSettings) -> Bundles:
    """Bundles of the classes, in their order."""
    assert problem.library is not None  # the contract has checked it
    library = problem.library.taken(
        spread(problem.library.spectra, problem.library.labels, settings.per_class)
    )
    return Bundles(library.spectra, library.labels)


def solve(bundled: Callable[[Problem, Any], Bundles], problem: Problem, settings: Any) -> Unmixing:
    """Sums over bundles, and their mean spectra."""
    bundles, Y = bundled(problem, settings), problem.scene.pixels
    M = members(bundles.groups)
    E = bundles.spectra @ M.T / M.sum(axis=1)
    literal = settings.reading == "code"
    if settings.penalty == "means":
        found = Penalised(fclsu(Y, E, device=problem.device), True, 0)
    else:
        found = penalised(
            Y,
            bundles,
            0 if settings.penalty == "none" else settings.weight,
            norm="group" if settings.penalty == "none" else settings.penalty,
            exponent=settings.exponent,
            literal=literal,
            step=settings.step,
            iterations=settings.iterations,
            tolerance=settings.tolerance
            if literal or settings.penalty == "fractional"
            else settings.exactness,
            device=problem.device,
        )
    A = found.A if settings.penalty == "means" else M @ found.A
    return Unmixing(E, problem.maps(A), Status.CONVERGED if found.converged else Status.STOPPED)


GROUP_BUNDLES = Method(
    name="group-bundles",
    summary="several spectra for each material, picked by VCA on parts of the image, and a mixed norm",
    kind="variability",
    solve=partial(solve, from_image),
    settings=ImageBundleSettings,
    source=f"{PAPER}; {SOMERS}",
    quick=(("weight", 0.1), ("iterations", 100)),
)

LIBRARY_BUNDLES = Method(
    name="library-bundles",
    summary="several spectra for each material, the classes of a library, and a mixed norm",
    kind="variability",
    solve=partial(solve, from_library),
    settings=LibraryBundleSettings,
    needs=Needs(library=True),
    source=PAPER,
    quick=(("weight", 0.1), ("iterations", 100)),
)
