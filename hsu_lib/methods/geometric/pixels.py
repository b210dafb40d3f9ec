"""`fclsu` and `vca-`, `sivm-`, `snpa-fclsu`: endmembers given or picked from pixels, then least squares."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsu_lib.methods.method import Method
from hsu_lib.scene import Scene, Status, Unmixing
from hsu_lib.solvers.extraction import sivm, snpa, vca
from hsu_lib.solvers.fclsu import fclsu


def _with(scene: Scene, E: NDArray, device: str) -> Unmixing:
    A = fclsu(scene.pixels, E, device=device).reshape(-1, scene.height, scene.width)
    return Unmixing(E.astype(np.float32), A.astype(np.float32), Status.CONVERGED)


def _given(
    scene: Scene, settings: Any, *, endmembers: int, seed: int, device: str, progress: bool
) -> Unmixing:
    assert scene.E is not None  # `Method.unmix` has checked it
    return _with(scene, scene.E, device)


def _vca(scene: Scene, settings: Any, *, endmembers: int, seed: int, device: str, progress: bool) -> Unmixing:
    return _with(scene, vca(scene.pixels, endmembers, seed=seed).E, device)


def _sivm(
    scene: Scene, settings: Any, *, endmembers: int, seed: int, device: str, progress: bool
) -> Unmixing:
    return _with(scene, sivm(scene.pixels, endmembers).E, device)


def _snpa(
    scene: Scene, settings: Any, *, endmembers: int, seed: int, device: str, progress: bool
) -> Unmixing:
    return _with(scene, snpa(scene.pixels, endmembers).E, device)


FCLSU = Method(
    name="fclsu",
    summary="fully constrained least squares with the scene's own endmembers",
    kind="supervised",
    solve=_given,
    source="Heinz and Chang, IEEE TGRS 39(3), 2001, 529-545",
)

VCA = Method(
    name="vca-fclsu",
    summary="vertex component analysis, then FCLSU",
    kind="blind",
    solve=_vca,
    source="Nascimento and Dias, IEEE TGRS 43(4), 2005, 898-910",
)

SIVM = Method(
    name="sivm-fclsu",
    summary="simplex volume maximisation, then FCLSU",
    kind="blind",
    solve=_sivm,
    source="Thurau, Kersting and Bauckhage, CIKM 2010, 1785-1788",
)

SNPA = Method(
    name="snpa-fclsu",
    summary="successive nonnegative projection, then FCLSU",
    kind="blind",
    solve=_snpa,
    source="Gillis, SIAM J. Imaging Sciences 7(2), 2014, 1420-1450",
)
