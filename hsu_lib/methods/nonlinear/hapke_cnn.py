r"""`hapke-cnn`: intimate mixtures, abundances as the output of a network fed with noise.

With the albedos `w(E)` of the endmembers, Hapke's reflectance `R`, the network `f` and its fixed input `Z`,

.. math:: \min \tfrac12\|Y - R(w(E) f(Z))\|_F^2 + \tfrac\alpha2\|Y - E f(Z)\|_F^2
          + \lambda \|w(E)(I - \tfrac1p\mathbf 1\mathbf 1^\top)\|_F^2 \quad\text{s.t.}\quad 0 \le E \le 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from hsu_lib.learning.fit import finished, seeded
from hsu_lib.learning.networks.two_scales import IntimatePrior
from hsu_lib.methods.method import Method, Needs, Problem
from hsu_lib.methods.priors.fitting import by_adam, padded
from hsu_lib.methods.settings import Settings, sourced
from hsu_lib.scene import Unmixing
from hsu_lib.solvers.extraction import sivm
from hsu_lib.solvers.hapke import albedo, reflectance
from hsu_lib.solvers.subspace import svd_truncation

CODE = "public code of HapkeCNN"
#: The slope of the reflectance is infinite at an albedo of 1.
_ALMOST_WHITE = 1 - 1e-6


@dataclass(frozen=True)
class HapkeSettings(Settings):
    """Settings of HapkeCNN, each with its source."""

    linear_weight: float = sourced(1e-4, f"{CODE}, alpha: of the linear model", at_least=0)
    volume_weight: float = sourced(
        0.1,
        f"{CODE}, lambda: of the distances of albedos to their mean; the fit grows with the pixels",
        at_least=0,
    )
    iterations: int = sourced(8000, CODE, at_least=1)
    learning_rate: float = sourced(0.001, f"{CODE}; of endmembers, too", above=0)
    window: int = sourced(
        100, f"{CODE} (weight 0.99): iterations over which outputs are averaged; 1 for none", at_least=1
    )
    filters: int = sourced(256, CODE, at_least=1)
    skip: int = sourced(4, CODE, at_least=1)
    input_scale: float = sourced(0.1, f"{CODE}: the input is uniform between 0 and it", above=0)


class _Misfit(torch.autograd.Function):
    r"""Half squared distance of the reflectance of mixed albedos to an image, of the same shape.

    With :math:`r = \sqrt{1 - w}` the slope of the reflectance is :math:`(r + 2) / (r (1 + 2r)^3)`. In steps
    that autograd keeps one by one it took half of an iteration with 64 filters.
    """

    @staticmethod
    def forward(ctx: Any, mixed: Tensor, Y: Tensor) -> Tensor:
        root = (1 - mixed).sqrt_()
        wide = (2 * root).add_(1)
        left = (mixed / wide).div_(wide).sub_(Y)
        if ctx.needs_input_grad[0]:
            slope = (root + 2).div_(root).div_(wide).div_(wide).div_(wide)
            ctx.save_for_backward(slope.mul_(left))
        return 0.5 * left.square_().sum()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        (slope,) = ctx.saved_tensors
        return grad * slope, None


class Objective:
    """What is minimised.

    Parameters
    ----------
    Y
        The image that is fitted, shape ``(1, bands, height, width)``, mirrored where the maps are.
    E
        The endmembers in question, which change.
    size
        Height and width of the image.
    settings
        Weights.
    """

    #: Of `errors`.
    names = ("mse-reconstruction",)

    def __init__(self, Y: Tensor, E: Tensor, size: tuple[int, int], settings: HapkeSettings) -> None:
        self.Y, self.E, self.size, self.settings = Y[0].flatten(1), E, size, settings

    def albedos(self) -> Tensor:
        """Of the endmembers."""
        return albedo(self.E).clamp(max=_ALMOST_WHITE)

    def loss(self, A: Tensor) -> Tensor:
        """The objective, of maps ``(1, endmembers, height, width)``."""
        a, w = A[0].flatten(1), self.albedos()
        fit = _Misfit.apply(w @ a, self.Y)
        linear = F.mse_loss(self.E @ a, self.Y, reduction="sum")
        apart = (w - w.mean(dim=1, keepdim=True)).square().sum()
        return fit + 0.5 * self.settings.linear_weight * linear + self.settings.volume_weight * apart

    def errors(self, A: Tensor) -> Tensor:
        """Mean squared error of the intimate model against the image that is fitted."""
        return 2 / self.Y.numel() * _Misfit.apply(self.albedos() @ A[0].flatten(1), self.Y)[None]


def solve(problem: Problem, settings: HapkeSettings) -> Unmixing:
    """Fit network and endmembers; the averaged abundances and the last endmembers are the estimate.

    The image is projected on its first singular vectors, one per endmember, and is in reflectance; endmembers
    start at its pixels that SiVM takes, from the brightest. History, one value per iteration: ``loss``, and
    ``mse-reconstruction`` of the output; with ``-averaged`` of the averaged one.
    """
    scene, where = problem.scene, torch.device(problem.device)
    size = (scene.height, scene.width)
    Y = svd_truncation(scene.pixels, problem.endmembers)
    E = sivm(Y.clip(0, 1), problem.endmembers, start="origin").E
    with seeded(problem.seed, where):
        Z = settings.input_scale * torch.rand(1, scene.bands, *size)
        network = IntimatePrior(
            torch.tensor(E, dtype=torch.float32), filters=settings.filters, skip=settings.skip
        )
        network.to(where, memory_format=torch.channels_last)  # type: ignore[call-overload]
        image = torch.tensor(Y.reshape(1, -1, *size), dtype=torch.float32)
        objective = Objective(padded(image.to(where), network.multiple), network.E, size, settings)
        A, history = by_adam(network, Z, objective, problem, settings)
    found = network.E.detach().cpu().numpy()
    w = albedo(found.astype(np.float64))
    return Unmixing(
        found,
        A[0].cpu().numpy(),
        finished(history),
        history,
        decoder=lambda abundances: reflectance((w @ abundances).clip(0, 1)),
    )


HAPKE_CNN = Method(
    name="hapke-cnn",
    summary="intimate mixtures: Hapke's model, a convolutional network for the abundances",
    kind="nonlinear",
    solve=solve,
    settings=HapkeSettings,
    needs=Needs(spatial=True),
    source="Rasti, Koirala and Scheunders, IEEE TGRS 60, 2022 (HapkeCNN)",
    quick=(("iterations", 6), ("window", 3), ("filters", 6)),
)
