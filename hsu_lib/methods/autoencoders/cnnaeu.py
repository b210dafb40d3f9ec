r"""`cnnaeu`: the convolutional autoencoder of Palsson et al.; the report on perturbations has one after it.

The decoder `D` is one convolution; endmembers are the mean of its kernel over its places.

.. math:: \min_{f,\ D \ge 0} \operatorname{mean}_n \arccos \frac{\hat y_n^\top y_n}{\|\hat y_n\| \|y_n\|},
          \qquad \hat Y = D * A,\quad A = \operatorname{softmax}(3 f(Y))
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hsu_lib.learning.fit import finished, fit, seeded
from hsu_lib.learning.networks import ConvolutionalAutoencoder
from hsu_lib.learning.networks.autoencoder import elementwise_angle_loss, spectral_angle_loss
from hsu_lib.methods.autoencoders.autoencoder import as_images, batches, scaled
from hsu_lib.methods.method import Method, Needs, Problem
from hsu_lib.methods.settings import Settings, sourced
from hsu_lib.scene import Unmixing
from hsu_lib.solvers.scaling import in_unit_of

CODE = "public code of CNNAEU (Palsson et al., IEEE JSTARS 15, 2022)"
_LOSSES = {"angle": spectral_angle_loss, "elementwise": elementwise_angle_loss}
Evaluation = Literal["running", "unnormalised"]


@dataclass(frozen=True)
class CNNAEUSettings(Settings):
    """Settings of CNNAEU, each with its source.

    The public code differs from its paper in two ways that can be had here. Its `loss` is not the spectral
    angle but ``"elementwise"``, which has the same minimum. And it makes new batch normalisations at every
    call of the network, so that what it trains with batch statistics is read with none, and their scales and
    offsets are never trained: `evaluation` ``"unnormalised"``.
    """

    loss: Literal["angle", "elementwise"] = sourced(
        "angle", "Palsson et al., IEEE TGRS 59(1), 2021; elementwise: its public code"
    )
    evaluation: Evaluation = sourced(
        "running",
        "ours: running statistics; unnormalised, as if means were 0 and variances 1: its public code",
    )
    epochs: int = sourced(320, f"{CODE}; its copy for the tutorial: 100", at_least=1)
    patches: int = sourced(250, f"{CODE}; drawn once; 0 trains on the whole image", at_least=0)
    patch_size: int = sourced(
        40, f"{CODE} (pixels; cut to the image's sides if those are shorter)", at_least=1
    )
    batch: int = sourced(15, CODE, at_least=1)
    learning_rate: float = sourced(0.003, f"{CODE}, with RMSprop", above=0)
    smoothing: float = sourced(0.9, f"{CODE} (rho of RMSprop, Keras's default)", at_least=0, below=1)
    filters: int = sourced(48, CODE, at_least=1)
    kernel: int = sourced(13, f"{CODE} (side of the decoder's kernel, pixels)", odd=True, at_least=1)
    slope: float = sourced(0.02, f"{CODE} (of the leaky ReLU)", at_least=0)
    dropout: float = sourced(0.2, f"{CODE}, of channels", at_least=0, below=1)
    softmax_factor: float = sourced(3.0, CODE, above=0)
    deviation: float = sourced(0.3, f"{CODE} (standard deviation of initial weights)", above=0)


def network(bands: int, endmembers: int, settings: CNNAEUSettings) -> ConvolutionalAutoencoder:
    """Network of these settings, its weights drawn from torch's global generator."""
    return ConvolutionalAutoencoder(
        bands,
        endmembers,
        filters=settings.filters,
        kernel=settings.kernel,
        dropout=settings.dropout,
        softmax_factor=settings.softmax_factor,
        slope=settings.slope,
        deviation=settings.deviation,
        epsilon=1e-3,  # Keras's
        affine=settings.evaluation == "running",
    )


def solve(problem: Problem, settings: CNNAEUSettings) -> Unmixing:
    """Train the autoencoder on patches of the image, then read its endmembers and abundances.

    The image is divided by its maximum. The loss sees directions alone, so endmembers have no unit: the mean
    of the decoder's kernel over its places is returned times the one factor that brings ``E A`` closest to
    the image.
    """
    image, apart = scaled(problem), _LOSSES[settings.loss]
    with seeded(problem.seed, image.device):
        made = network(problem.scene.bands, problem.endmembers, settings)
        made.to(image.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        history = fit(
            made,
            lambda epoch: batches(image, settings.patches, settings.patch_size, settings.batch, problem.seed),
            lambda Y: apart(made(Y)[1], Y).mean(),
            epochs=settings.epochs,
            learning_rate=settings.learning_rate,
            options={"alpha": settings.smoothing, "eps": 1e-7},  # Keras's
            project=made.project,
            progress=problem.label,
            replay=(),
        )
        A = unmix(made, as_images([image]), settings.evaluation)
    E = in_unit_of(
        problem.scene.pixels, made.endmembers.detach().cpu().numpy(), A.reshape(len(A), -1)
    ).astype(np.float32)
    return Unmixing(E, A, finished(history), history)


@torch.no_grad()
def unmix(network: ConvolutionalAutoencoder, image: Tensor, evaluation: Evaluation) -> NDArray[np.float32]:
    """Abundances ``(endmembers, height, width)`` of the first image, in evaluation mode."""
    network.eval()
    if evaluation == "unnormalised":
        for layer in network.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.reset_running_stats()  # to mean 0 and variance 1
    return network(image)[0][0].cpu().numpy()


CNNAEU = Method(
    name="cnnaeu",
    summary="convolutional autoencoder with a decoder of 13 x 13, trained on patches by the spectral angle",
    kind="blind",
    solve=solve,
    settings=CNNAEUSettings,
    needs=Needs(spatial=True),
    source="Palsson, Ulfarsson and Sveinsson, IEEE TGRS 59(1), 2021, 535-549; settings of its public code",
    quick=(
        ("filters", 6),
        ("kernel", 3),
        ("epochs", 5),
        ("patches", 4),
        ("patch_size", 4),
        ("batch", 2),
    ),
)
