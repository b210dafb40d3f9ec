r"""`suncnn`: abundances of all spectra of a library as the output of a network fed with the image.

`f` is the network, which ends in a softmax, `Z` its fixed input, `D` the library, and `Y` the image on its
first singular vectors, in

.. math:: \min_\theta \|Y - D f_\theta(Z)\|_F^2

Nothing asks for few spectra: the network is the prior. The true number of endmembers is given to it, as the
rank of the image.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from hsu_lib.learning.fit import finished, seeded
from hsu_lib.learning.networks.two_scales import LibraryPrior
from hsu_lib.methods.method import Method, Needs, Problem
from hsu_lib.methods.priors.fitting import by_adam, padded
from hsu_lib.methods.settings import sourced
from hsu_lib.methods.sparse.library import LibrarySettings, image_of
from hsu_lib.scene import Unmixing

CODE = "public code of SUnCNN"
#: Mean abundance from which on a spectrum counts as taken.
SEEN = 1e-3


@dataclass(frozen=True)
class SUnCNNSettings(LibrarySettings):
    """Settings of SUnCNN, each with its source."""

    rank: int = sourced(
        5,
        f"{CODE}, of DC1: singular vectors on which the image is projected, the true number of endmembers; "
        "9 of DC2; 0 for the image as it is",
        at_least=0,
    )
    input: Literal["image", "noise"] = sourced("image", f"{CODE}, of DC1; of DC2: noise")
    input_scale: float = sourced(0.1, f"{CODE}, of DC2: noise is uniform between 0 and it", above=0)
    iterations: int = sourced(8000, f"{CODE}, at 30 dB; at 20 dB 4000, at 40 dB 12000", at_least=1)
    learning_rate: float = sourced(0.001, CODE, above=0)
    window: int = sourced(
        100, f"{CODE} (weight 0.99): iterations over which outputs are averaged; 1 for none", at_least=1
    )
    filters: int = sourced(256, CODE, at_least=1)
    skip: int = sourced(4, CODE, at_least=1)
    slope: float = sourced(0.1, f"{CODE}, of DC1: of the leaky ReLU; of DC2: 0", at_least=0, below=1)


class Objective:
    """What is minimised.

    Parameters
    ----------
    Y
        The image that is fitted, shape ``(1, bands, height, width)``, mirrored where the maps are.
    D
        The library, shape ``(bands, spectra)``.
    size
        Height and width of the image.
    """

    #: Of `errors`.
    names = ("active-spectra",)

    def __init__(self, Y: Tensor, D: Tensor, size: tuple[int, int]) -> None:
        self.Y, self.D, self.size = pixels(Y), D, size

    def loss(self, A: Tensor) -> Tensor:
        """Mean squared error of the maps ``(1, spectra, height, width)``."""
        return F.mse_loss(F.linear(pixels(A), self.D), self.Y)

    def errors(self, A: Tensor) -> Tensor:
        """How many spectra have a mean abundance that can be seen; no error, but what becomes of the maps."""
        return (pixels(A).mean(dim=0) > SEEN).sum()[None]


def pixels(maps: Tensor) -> Tensor:
    """Maps ``(1, channels, height, width)`` as ``(pixels, channels)``; no copy if channels are last."""
    return maps.permute(0, 2, 3, 1).flatten(0, 2)


def solve(problem: Problem, settings: SUnCNNSettings) -> Unmixing:
    """Fit the network; its averaged output is the estimate.

    The image is in reflectance, what falls short of 0 or exceeds 1 cut off. History, one value per iteration:
    ``loss``, and ``active-spectra``, how many have a mean abundance above 0.001; with ``-averaged`` of the
    averaged output.
    """
    assert problem.library is not None  # the contract has checked it
    scene, where = problem.scene, torch.device(problem.device)
    size = (scene.height, scene.width)
    image = torch.tensor(image_of(problem, settings).Y.clip(0, 1)[None])
    D = torch.tensor(problem.library.spectra, dtype=torch.float32, device=where)
    with seeded(problem.seed, where):
        Z = settings.input_scale * torch.rand_like(image) if settings.input == "noise" else image
        network = LibraryPrior(
            scene.bands, D.shape[1], filters=settings.filters, skip=settings.skip, slope=settings.slope
        )
        network.to(where, memory_format=torch.channels_last)  # type: ignore[call-overload]
        objective = Objective(padded(image.to(where), network.multiple), D, size)
        A, history = by_adam(network, Z, objective, problem, settings)
    return replace(problem.chosen(A[0].flatten(1).cpu().numpy(), finished(history)), history=history)


SUNCNN = Method(
    name="suncnn",
    summary="convolutional network for the abundances of all spectra of a library",
    kind="sparse",
    solve=solve,
    settings=SUnCNNSettings,
    needs=Needs(library=True, spatial=True),
    source="Rasti and Koirala, IEEE GRSL 19, 2022, 5508205 (SUnCNN)",
    quick=(("rank", 3), ("iterations", 6), ("window", 3), ("filters", 6)),
)
