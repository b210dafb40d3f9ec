r"""`sgsnmf`: NMF in which the pixels of a superpixel lack the same endmembers.

.. math:: \min_{E, A \ge 0} \tfrac12\|Y - EA\|_F^2 + \tfrac{\delta^2}2 \sum_n (1 - \mathbf 1^\top a_n)^2
          + \lambda \sum_k \sum_{n \in k} c_n \|W_k a_n\|

The diagonal weights of superpixel `k` are :math:`1 / (p^2 h + 1)` with the abundances `h` of its mean
spectrum; the confidence :math:`c_n` says how well a pixel fits into it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hsu_lib.methods.factorization.palm import outcome
from hsu_lib.methods.method import Method, Needs, Problem
from hsu_lib.methods.settings import Settings, sourced
from hsu_lib.scene import Unmixing
from hsu_lib.solvers.angle_superpixels import angle_slic, confidence
from hsu_lib.solvers.extraction import vca
from hsu_lib.solvers.fclsu import fclsu
from hsu_lib.solvers.group_sparse import group_sparse_nmf
from hsu_lib.solvers.scaling import to_sum_one
from hsu_lib.solvers.superpixels import region_means

CODE = "public code of SGSNMF"


@dataclass(frozen=True)
class GroupSettings(Settings):
    """Settings of SGSNMF, each with its source; weights are for an image whose largest value is 1."""

    sparsity: float = sourced(0.3, f"{CODE}, its demo; of the groups", at_least=0)
    asc: float = sourced(15.0, f"{CODE}: of the sum to one, like a band of that value", at_least=0)
    size: int = sourced(6, f"{CODE}, its demo: root of the pixels of a superpixel", at_least=1)
    compactness: float = sourced(0.5, f"{CODE}, its demo: of superpixels", at_least=0)
    iterations: int = sourced(100, CODE, at_least=1)
    tolerance: float = sourced(
        1e-4, f"{CODE}: by which the squared error has to fall, see `group_sparse_nmf`", at_least=0
    )


def solve(problem: Problem, settings: GroupSettings) -> Unmixing:
    """Superpixels, VCA on their means and FCLSU, then projected gradients; in the end abundances over sums.

    The image is divided by its largest value. Where there are fewer superpixels than endmembers, VCA is on
    the pixels.

    History: ``objective`` without and ``penalised`` with the terms.
    """
    image = np.maximum(problem.scene.Y.astype(np.float64), 0)
    scale = float(image.max()) or 1.0
    image /= scale
    labels = angle_slic(image, settings.size, settings.compactness)
    fit = confidence(image, labels, settings.size, settings.compactness)
    Y, means = image.reshape(len(image), -1), region_means(image, labels)
    E = vca(means if means.shape[1] >= problem.endmembers else Y, problem.endmembers, seed=problem.seed).E
    found = group_sparse_nmf(
        Y,
        E,
        fclsu(Y, E, device=problem.device),
        labels=labels.ravel(),
        means=means,
        confidence=fit.ravel(),
        weight=settings.sparsity,
        asc=settings.asc,
        iterations=settings.iterations,
        tolerance=settings.tolerance,
    )
    unmixing = outcome(problem, found._replace(E=scale * found.E), to_sum_one(found.A))
    penalised = np.asarray(found.penalised, dtype=np.float32)
    return replace(unmixing, history={**unmixing.history, "penalised": penalised})


SGSNMF = Method(
    name="sgsnmf",
    summary="superpixels, VCA on their means and FCLSU, then NMF with a group norm on each superpixel",
    kind="blind",
    solve=solve,
    settings=GroupSettings,
    needs=Needs(spatial=True),
    source="Wang, Zhong, Zhang and Xu, IEEE TGRS 55(11), 2017, 6287-6304",
    quick=(("iterations", 5), ("size", 3)),
)
