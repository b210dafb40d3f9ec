"""What the methods of this family share: which library they choose from, and how they are read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hsu_lib.methods.method import Problem
from hsu_lib.methods.settings import Settings, sourced
from hsu_lib.scene import Scene, Status, Unmixing
from hsu_lib.scenes.catalogue import USGS
from hsu_lib.scenes.public.dc import ANGLE
from hsu_lib.solvers.sparse import Products, products
from hsu_lib.solvers.subspace import svd_truncation

#: The published iterations with their early stop, or the minimum of what is stated.
Reading = Literal["document", "code"]
Precision = Literal["double", "single"]
#: Code that distributes SUnSAL, SUnSAL-TV, S2WSU and MUA, with a demonstration of each.
CODE = "public code of MUA"
#: Where weights of the penalties are from that have no default of their own.
DEMO = f"{CODE}, demonstration on DC1 at 30 dB, tuned there to the truth"


@dataclass(frozen=True)
class ChosenLibrary(Settings):
    """Which library a run chooses from; one that is given as `library` goes before it."""

    chosen_from: str = sourced(
        "", f"ours: the library that the scene is a mixture of; {USGS}: minerals of 1995"
    )
    angle: float = sourced(
        ANGLE,
        f"the library of DC1, Iordache et al., IEEE TGRS 50 (2012): degrees between spectra of {USGS}",
        above=0,
        below=90,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.chosen_from not in ("", USGS):
            raise ValueError(
                f"chosen_from: expected {USGS!r}, or nothing for the scene's own, got {self.chosen_from!r}"
            )


@dataclass(frozen=True)
class LibrarySettings(ChosenLibrary):
    """The same for methods that can be given the image projected."""

    rank: int = sourced(
        0,
        "ours: singular vectors on which the image is projected, as SUnCNN's is; 0 for the image as it is",
        at_least=0,
        since="0.1.0",
    )


def image_of(problem: Problem, settings: LibrarySettings) -> Scene:
    """The scene with the image that is unmixed, which may be projected."""
    scene = problem.scene
    if not settings.rank:
        return scene
    Y = svd_truncation(scene.pixels, settings.rank).astype(np.float32)
    return replace(scene, Y=Y.reshape(scene.Y.shape))


def products_of(problem: Problem, Y: NDArray, precision: Precision = "double") -> Products:
    """Products of spectra ``(bands, pixels)`` and the library, on the problem's device."""
    assert problem.library is not None  # the contract has checked it
    kind = torch.float64 if precision == "double" else torch.float32
    spectra, D = (
        torch.from_numpy(np.array(values, dtype=np.float64)).to(problem.device)
        for values in (Y, problem.library.spectra)
    )
    found = products(spectra, D)
    return found._replace(G=found.G.to(kind), B=found.B.to(kind))


def outcome(problem: Problem, X: Tensor, *, converged: bool) -> Unmixing:
    """The atoms that are used, and how it ended. What falls short of zero is zero."""
    status = Status.CONVERGED if converged else Status.STOPPED
    return problem.chosen(X.clamp(min=0).cpu().numpy(), status)
