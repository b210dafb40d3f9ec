"""`nmf` and `palm`: the estimate of SiVM and FCLSU, refined by a factorisation of the image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsu_lib.abundances import fclsu
from hsu_lib.extraction import sivm
from hsu_lib.factorization import nmf, palm
from hsu_lib.methods.method import Method
from hsu_lib.methods.settings import sourced
from hsu_lib.scene import Scene, Status, Unmixing

OPEN = "ours: document 001 does not say"


@dataclass(frozen=True)
class FactorizationSettings:
    """Settings of both, each with its source."""

    iterations: int = sourced(200, OPEN)
    tolerance: float = sourced(1e-6, f"{OPEN}; share of the first objective by which it must fall")

    def __post_init__(self) -> None:
        if self.iterations < 1 or self.tolerance < 0:
            raise ValueError(
                f"expected iterations >= 1 and tolerance >= 0, got {self.iterations} and {self.tolerance}"
            )


def _palm(
    scene: Scene,
    settings: FactorizationSettings,
    *,
    endmembers: int,
    seed: int,
    device: str,
    progress: bool,
) -> Unmixing:
    Y = scene.pixels.astype(np.float64)
    E = sivm(Y, endmembers).E
    found = palm(
        Y,
        E,
        fclsu(Y, E, device=device),
        iterations=settings.iterations,
        tolerance=settings.tolerance,
        device=device,
    )
    return _unmixing(scene, found.E, found.A, found.objective)


def _nmf(
    scene: Scene,
    settings: FactorizationSettings,
    *,
    endmembers: int,
    seed: int,
    device: str,
    progress: bool,
) -> Unmixing:
    Y = scene.pixels.astype(np.float64)
    E = sivm(Y, endmembers).E
    A = fclsu(Y, E, device=device)
    floor = 1e-3  # what is zero stays zero
    found = nmf(
        np.maximum(Y, 0),
        np.maximum(E, floor * E.max()),
        np.maximum(A, floor),
        iterations=settings.iterations,
        tolerance=settings.tolerance,
        device=device,
    )
    # its abundances do not sum to one
    return _unmixing(scene, found.E, fclsu(Y, found.E, device=device), found.objective)


def _unmixing(scene: Scene, E: NDArray, A: NDArray, objective: NDArray) -> Unmixing:
    maps = A.reshape(-1, scene.height, scene.width)
    return Unmixing(
        E.astype(np.float32), maps.astype(np.float32), Status.FINISHED, history={"objective": objective}
    )


_QUICK = (("tolerance", 1e-4),)  # met before the last iteration

PALM = Method(
    name="palm",
    summary="SiVM and FCLSU, then PALM: endmembers and abundances together, under ANC and ASC",
    kind="blind",
    solve=_palm,
    settings=FactorizationSettings,
    source="Bolte, Sabach and Teboulle, Mathematical Programming 146, 2014, 459-494",
    quick=_QUICK,
)

NMF = Method(
    name="nmf",
    summary="SiVM and FCLSU, then NMF; its endmembers, with abundances by FCLSU",
    kind="blind",
    solve=_nmf,
    settings=FactorizationSettings,
    source="Lee and Seung, Advances in Neural Information Processing Systems 13, 2001",
    quick=_QUICK,
)
