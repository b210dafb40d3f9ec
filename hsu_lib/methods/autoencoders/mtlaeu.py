r"""`mtlaeu`: neighbouring pixels are unmixed together by one autoencoder, whose tasks share its layers.

With the angle :math:`\theta` between spectra, and groups of neighbours `g`,

.. math:: \min_{f,\ E \ge 0} \sum_g \sum_{n \in g} \theta(y_n, E a_n), \qquad
          (a_n)_{n \in g} = f\bigl((y_n)_{n \in g}\bigr)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from hsu_lib.learning.fit import finished, fit, seeded
from hsu_lib.learning.networks.autoencoder import cosine_loss, spectral_angle_loss
from hsu_lib.learning.networks.multitask import MultitaskAutoencoder
from hsu_lib.methods.autoencoders.autoencoder import scaled
from hsu_lib.methods.method import Method, Needs, Problem
from hsu_lib.methods.settings import Settings, sourced
from hsu_lib.scene import Unmixing
from hsu_lib.solvers.scaling import in_unit_of

CODE = "public code of MTLAEU (Palsson et al., IEEE JSTARS 15, 2022)"
_LOSSES = {"angle": spectral_angle_loss, "cosine": cosine_loss}


@dataclass(frozen=True)
class MultitaskSettings(Settings):
    """Settings of MTLAEU, each with its source.

    The public code cuts patches of 4 x 4 pixels and uses the four of the first row. What it calls the
    spectral angle is nearly a constant less the cosine over the bands, which has the same minimum as
    ``"cosine"``.
    """

    loss: Literal["angle", "cosine"] = sourced(
        "angle", "the paper; cosine: its public code, but for a constant and a factor"
    )
    height: int = sourced(1, f"{CODE}; of a group of pixels, cut to the image's", at_least=1)
    width: int = sourced(4, f"{CODE}; the paper draws whole patches", at_least=1)
    groups: int = sourced(2000, f"{CODE}; drawn once", at_least=1)
    epochs: int = sourced(60, CODE, at_least=1)
    batch: int = sourced(15, f"{CODE}, in groups", at_least=1)
    learning_rate: float = sourced(0.001, f"{CODE}, with RMSprop", above=0)
    smoothing: float = sourced(0.9, f"{CODE} (rho of RMSprop, Keras's default)", at_least=0, below=1)
    noise: float = sourced(0.05, f"{CODE} (standard deviation; the image's maximum is 1)", at_least=0)
    dropout: float = sourced(0.5, f"{CODE}, of the hidden layer", at_least=0, below=1)
    branch_dropout: float = sourced(0.1, f"{CODE}, of each pixel's layer", at_least=0, below=1)
    slope: float = sourced(0.2, f"{CODE} (of the leaky ReLU)", at_least=0)
    softmax_factor: float = sourced(3.0, CODE, above=0)
    mean: float = sourced(0.01, f"{CODE}, of initial weights")
    deviation: float = sourced(0.1, f"{CODE}, of initial weights", above=0)


def drawn(image: Tensor, groups: int, height: int, width: int, seed: int) -> Tensor:
    """Groups of neighbours, shape ``(groups, pixels, bands)``, of an image ``(height, width, bands)``."""
    rng = np.random.default_rng(seed)
    tops = rng.integers(image.shape[0] - height + 1, size=groups)
    lefts = rng.integers(image.shape[1] - width + 1, size=groups)
    cuts = [image[t : t + height, k : k + width].flatten(0, 1) for t, k in zip(tops, lefts, strict=True)]
    return torch.stack(cuts)


def solve(problem: Problem, settings: MultitaskSettings) -> Unmixing:
    """Train on groups of neighbours, then give every pixel to all inputs and take the mean of the outputs.

    The image is divided by its maximum. The loss sees directions alone, so endmembers have no unit: they are
    returned in the image's, by the one factor that brings ``E A`` closest to it.
    """
    image, apart = scaled(problem), _LOSSES[settings.loss]
    height, width = (
        min(side, of) for side, of in zip((settings.height, settings.width), image.shape[:2], strict=True)
    )
    pool = drawn(image, settings.groups, height, width, problem.seed)
    with seeded(problem.seed, image.device):
        network = MultitaskAutoencoder(
            problem.scene.bands,
            problem.endmembers,
            height * width,
            noise=settings.noise,
            dropout=settings.dropout,
            branch_dropout=settings.branch_dropout,
            slope=settings.slope,
            softmax_factor=settings.softmax_factor,
            mean=settings.mean,
            deviation=settings.deviation,
        ).to(image.device)

        def batches(epoch: int) -> Iterator[Tensor]:
            for batch in pool[torch.randperm(len(pool), device=image.device)].split(settings.batch):
                yield batch if len(batch) > 1 else batch.repeat(2, 1, 1)  # batch norm needs two

        history = fit(
            network,
            batches,
            lambda Y: apart(network(Y)[1].mT, Y.mT).mean(dim=0).sum(),
            epochs=settings.epochs,
            learning_rate=settings.learning_rate,
            options={"alpha": settings.smoothing, "eps": 1e-7},  # Keras's
            project=network.project,
            progress=problem.label,
            replay=(),
        )
    A = unmix(network, image.flatten(0, 1))
    E = in_unit_of(problem.scene.pixels, network.E.detach().cpu().numpy(), A).astype(np.float32)
    return Unmixing(E, problem.maps(A), finished(history), history)


@torch.no_grad()
def unmix(network: MultitaskAutoencoder, spectra: Tensor) -> np.ndarray:
    """Abundances ``(endmembers, pixels)`` of ``(pixels, bands)``: the mean over all places of a group."""
    network.eval()
    A = network(spectra[:, None].expand(-1, network.inputs, -1))[0].mean(dim=1)
    return A.T.cpu().numpy()


MTLAEU = Method(
    name="mtlaeu",
    summary="autoencoder that unmixes neighbouring pixels together, trained by the spectral angle",
    kind="blind",
    solve=solve,
    settings=MultitaskSettings,
    needs=Needs(spatial=True),
    source="Palsson, Sveinsson and Ulfarsson, IEEE Access 7, 2019, 148861-148872; its public code",
    quick=(("epochs", 3), ("groups", 60)),
)
