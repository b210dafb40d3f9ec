r"""`misicnet`: abundances as the output of a network fed with noise, endmembers drawn to the mean pixel.

Its weights and the endmembers are fitted together: `f` is the network, `Z` its fixed input, and `m` the mean
pixel in

.. math:: \min \tfrac12\|Y - E f(Z)\|_F^2 + \lambda \|E - m\mathbf 1^\top\|_F^2
          \quad\text{s.t.}\quad 0 \le E \le 1

`min-simplex` is the same without a network.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from hsu_lib.learning.fit import finished, seeded
from hsu_lib.learning.networks.prior import MinimumSimplexPrior
from hsu_lib.methods.factorization.min_simplex import CODE, PAPER, SimplexSettings, Start, start
from hsu_lib.methods.method import Method, Needs, Problem
from hsu_lib.methods.priors.fitting import by_adam, padded
from hsu_lib.methods.settings import sourced
from hsu_lib.scene import Unmixing


@dataclass(frozen=True)
class MiSiCNetSettings(SimplexSettings):
    """Settings of MiSiCNet, each with its source."""

    iterations: int = sourced(8000, CODE, at_least=1)
    learning_rate: float = sourced(0.001, f"{CODE}; of endmembers, too, in the unit of the image", above=0)
    window: int = sourced(
        100, f"{CODE} (weight 0.99): iterations over which outputs are averaged; 1 for none", at_least=1
    )
    filters: int = sourced(256, CODE, at_least=1)
    skip: int = sourced(4, CODE, at_least=1)
    input_scale: float = sourced(0.1, f"{CODE}: the input is uniform between 0 and it; 1 in HySUPP", above=0)
    leaky: bool = sourced(False, f"{CODE}; HySUPP: a leaky ReLU before the softmax, too")


class Objective:
    r"""What is minimised, with as many rows for each pixel as `V` has columns, not bands.

    These are orthonormal, so with :math:`E = V F + R`, :math:`F = V^\top E`, the squared distance is
    :math:`\|V G - EA\|^2 = \|G - F A\|^2 + \langle R^\top R, A A^\top \rangle`. Unlike in the expanded
    square, nothing cancels.

    Parameters
    ----------
    begin
        Image and units; its `E` is not looked at.
    E
        The endmembers in question, which change.
    size
        Height and width.
    penalty
        :math:`\lambda`.
    """

    #: Of `errors`.
    names = ("mse-reconstruction",)

    def __init__(self, begin: Start, E: Tensor, size: tuple[int, int], penalty: float) -> None:
        def tensor(X: np.ndarray) -> Tensor:
            return torch.tensor(X, dtype=torch.float32, device=E.device)

        self.E, self.size, self.penalty = E, size, penalty
        self.V, self.mean = tensor(begin.V), tensor(begin.V @ begin.G.mean(axis=1, keepdims=True))
        self.G = padded(tensor(begin.G.reshape(1, -1, *size)), MinimumSimplexPrior.multiple)[0].flatten(1)

    def distance(self, A: Tensor) -> Tensor:
        """Squared distance of ``E A`` to the image, which is mirrored where the maps are."""
        a, F = A[0].flatten(1), self.V.T @ self.E
        R = self.E - self.V @ F
        return (self.G - F @ a).square().sum() + ((R.T @ R) * (a @ a.T)).sum()

    def loss(self, A: Tensor) -> Tensor:
        """The objective, of maps ``(1, endmembers, height, width)``."""
        return 0.5 * self.distance(A) + self.penalty * (self.E - self.mean).square().sum()

    def errors(self, A: Tensor) -> Tensor:
        """Mean squared error of ``E A`` against the image that is fitted."""
        return self.distance(A)[None] / (len(self.V) * self.G.shape[1])


def solve(problem: Problem, settings: MiSiCNetSettings) -> Unmixing:
    """Fit network and endmembers; the averaged abundances and the last endmembers are the estimate.

    History, one value per iteration: ``loss``, and ``mse-reconstruction``, of the new endmembers and the
    output against the image that is fitted, in the unit of that; with ``-averaged`` of the averaged output.
    """
    scene, where = problem.scene, torch.device(problem.device)
    size = (scene.height, scene.width)
    begin = start(problem, settings)
    with seeded(problem.seed, where):
        Z = settings.input_scale * torch.rand(1, scene.bands, *size)
        network = MinimumSimplexPrior(
            torch.tensor(begin.E, dtype=torch.float32),
            filters=settings.filters,
            skip=settings.skip,
            leaky=settings.leaky,
        )
        network.to(where, memory_format=torch.channels_last)  # type: ignore[call-overload]
        objective = Objective(begin, network.E, size, settings.center_weight)
        A, history = by_adam(network, Z, objective, problem, settings)
    E = (begin.scale * network.E.detach().cpu().numpy()).astype(np.float32)
    return Unmixing(E, A[0].cpu().numpy(), finished(history), history)


MISICNET = Method(
    name="misicnet",
    summary="convolutional network for the abundances, endmembers drawn to the mean pixel",
    kind="blind",
    solve=solve,
    settings=MiSiCNetSettings,
    needs=Needs(spatial=True),
    source=PAPER,
    quick=(("center_weight", 0.1), ("normalise", "max"), ("iterations", 6), ("window", 3), ("filters", 6)),
)
