r"""`endnet`: an autoencoder that compares pixels with endmembers by their angle, and mixes two at most.

With the similarity :math:`C`, one minus the angle over :math:`\pi`,

.. math:: \min_{W,\ E \ge 0} \tfrac{\lambda_0}2 \operatorname{mean}\,(y - \hat y)^2
          - \lambda_1 \log C(y, \hat y) + \lambda_3 \|W\|^2 + \lambda_4 \|E\|^2,
          \qquad \hat y = E\, s(C(y, W))

where `s` normalises the activations over the batch and keeps the two largest, divided by their sum.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from hsu_lib.learning.fit import finished, fit, seeded
from hsu_lib.learning.networks.endnet import EndNet, endnet_loss, similarity
from hsu_lib.methods.method import Method, Problem
from hsu_lib.methods.settings import Settings, sourced
from hsu_lib.scene import Unmixing
from hsu_lib.solvers.extraction import vca
from hsu_lib.solvers.scaling import in_unit_of

CODE = "public code of EndNet (Palsson et al., IEEE JSTARS 15, 2022)"


@dataclass(frozen=True)
class EndNetSettings(Settings):
    """Settings of EndNet, each with its source.

    The public code names a `noise` of 0.3 by which pixels are disturbed in training, as in the paper. Its
    results are met without any, and only so: 0.3 is more than most pixels of Samson have, a third of which
    then excite no endmember in training, and water is lost.
    """

    initial: Literal["vca", "glorot"] = sourced(
        "vca", f"{CODE}, for both layers; glorot, random: the copy of that code for the tutorial"
    )
    epochs: int = sourced(40, CODE, at_least=1)
    pixels: int = sourced(4000, f"{CODE}; drawn once, with replacement", at_least=1)
    batch: int = sourced(64, CODE, at_least=1)
    learning_rate: float = sourced(0.001, f"{CODE}, with Adam", above=0)
    momentum: float = sourced(0.7, f"{CODE} (beta 1 of Adam)", at_least=0, below=1)
    noise: float = sourced(
        0.0,
        "ours: with which the results of the public code are met; it names 0.3 (standard deviation; the "
        "image's maximum is 1)",
        at_least=0,
    )
    kept: float = sourced(0.6, f"{CODE}; share of the bands that have noise", above=0, at_most=1)
    dropout: float = sourced(0.1, CODE, at_least=0, below=1)
    active: int = sourced(2, f"{CODE}; at most so many endmembers make up a pixel", at_least=1)
    square_weight: float = sourced(0.01, f"{CODE} (lambda 0)", at_least=0)
    angle_weight: float = sourced(50.0, f"{CODE} (lambda 1)", at_least=0)
    decay: float = sourced(1e-5, f"{CODE} (lambda 3 and lambda 4, on squared norms)", at_least=0)


def solve(problem: Problem, settings: EndNetSettings) -> Unmixing:
    """Train on pixels drawn from the image, then read the abundances of all of them.

    The image is divided by its maximum. The loss sees little but directions, so endmembers have no unit:
    they are returned in the image's, by the one factor that brings ``E A`` closest to it. A pixel that
    excites no endmember is given to the one that it is most alike.

    History: ``loss`` per epoch; ``all-zero``, the number of such pixels.
    """
    scene, where = problem.scene, torch.device(problem.device)
    spectra = torch.from_numpy(scene.pixels.T.copy()).to(where)  # (pixels, bands)
    spectra /= float(spectra.abs().max()) or 1.0
    with seeded(problem.seed, where):
        network = EndNet(
            scene.bands,
            problem.endmembers,
            noise=settings.noise,
            kept=settings.kept,
            dropout=settings.dropout,
            active=settings.active,
        ).to(where)
        if settings.initial == "vca":
            picked = torch.from_numpy(vca(spectra.T.cpu().numpy(), problem.endmembers, seed=problem.seed).E)
            with torch.no_grad():
                network.E.copy_(picked)
                network.W.copy_(picked.T)
        drawn = spectra[torch.randint(len(spectra), (settings.pixels,), device=where)]

        def batches(epoch: int) -> Iterator[Tensor]:
            yield from drawn[torch.randperm(len(drawn), device=where)].split(settings.batch)

        def loss(Y: Tensor) -> Tensor:
            return endnet_loss(
                network,
                Y,
                square_weight=settings.square_weight,
                angle_weight=settings.angle_weight,
                decay=settings.decay,
            )

        history = fit(
            network,
            batches,
            loss,
            epochs=settings.epochs,
            learning_rate=settings.learning_rate,
            optimiser="adam",
            options={"betas": (settings.momentum, 0.999), "fused": True},  # one pass for all three parameters
            project=network.project,
            progress=problem.label,
            replay=(),
        )
    A, unexcited = unmix(network, spectra)
    history["all-zero"] = np.array([unexcited], dtype=np.float32)
    E = in_unit_of(scene.pixels, network.E.detach().cpu().numpy(), A).astype(np.float32)
    return Unmixing(E, problem.maps(A), finished(history), history)


@torch.no_grad()
def unmix(network: EndNet, Y: Tensor) -> tuple[np.ndarray, int]:
    """Abundances ``(endmembers, pixels)`` of ``(pixels, bands)``; how many pixels excited no endmember."""
    network.eval()
    A = network(Y)[0]
    unexcited = A.sum(dim=1) < 0.999
    A[unexcited] = F.one_hot(similarity(Y[unexcited], network.W).argmax(dim=1), A.shape[1]).to(A)
    return A.T.cpu().numpy(), int(unexcited.sum())


ENDNET = Method(
    name="endnet",
    summary="autoencoder that compares pixels with endmembers by their angle and mixes two at most",
    kind="blind",
    solve=solve,
    settings=EndNetSettings,
    source="Ozkan, Kaya and Akar, IEEE TGRS 57(1), 2019, 482-496; settings of its public code",
    quick=(("epochs", 3), ("pixels", 60), ("batch", 16)),
)
