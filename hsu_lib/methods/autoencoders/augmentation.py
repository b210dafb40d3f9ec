"""What the methods that train on generated, labelled images share: settings, balanced loss, training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hsu_lib.learning.networks import ConvolutionalAutoencoder
from hsu_lib.learning.networks.autoencoder import cosine_loss
from hsu_lib.learning.variability import Batch, Stream
from hsu_lib.methods.autoencoders.autoencoder import TABLE, AutoencoderSettings
from hsu_lib.methods.autoencoders.autoencoder import train as train_autoencoder
from hsu_lib.methods.method import Problem
from hsu_lib.methods.settings import sourced
from hsu_lib.scene import Scene, Unmixing


@dataclass(frozen=True)
class AugmentationSettings(AutoencoderSettings):
    """Settings of the autoencoder, and those of training it on generated images.

    Besides what `AutoencoderSettings` lists, `reading` decides:

    ============================  =============================  ==============================
    difference                    ``"document"``                 ``"code"``
    ============================  =============================  ==============================
    endmember term of the loss    compares spectra               compares, band by band, the
                                                                 values of all endmembers
    supervised terms              their sum                      half their sum
    ============================  =============================  ==============================
    """

    alpha: float = sourced(0.3, "report on perturbations, section Alpha dependencies", at_least=0, at_most=1)
    weighs: Literal["both", "endmembers"] = sourced(
        "both",
        "report on perturbations, section Balanced Loss: 1 - alpha weighs both supervised terms; as printed "
        "in section Alpha dependencies, it weighs that of the endmembers alone",
    )
    images: int = sourced(70, TABLE + " (NUMBER_IMAGES)", at_least=1)
    patches: int = sourced(50, TABLE + " (PATCH_NUMBER, of each image); 0 trains on whole images", at_least=0)
    epochs: int = sourced(30, TABLE, at_least=1)
    noise: float = sourced(0.03, TABLE + " (standard deviation)", at_least=0)


def balanced_loss(
    Y_hat: Tensor, E_hat: Tensor, A_hat: Tensor, truth: Batch, settings: AugmentationSettings
) -> Tensor:
    r"""Unsupervised and supervised loss in the proportion `alpha`, summed over the images of a batch.

    .. math:: \alpha\, d(\hat Y, Y) + (1 - \alpha)\,\bigl(d(\hat E, E) + d(\hat A, A)\bigr)

    where `d` is one minus the cosine, mean over an image's pixels (for `Y` and `A`) or endmembers (for
    `E`). The means are our reading of sums whose index the document does not explain: with sums over
    pixels, three endmembers would weigh nothing beside 1600 pixels.

    Parameters
    ----------
    Y_hat, E_hat, A_hat
        What the network says: ``(images, bands, height, width)``, ``(bands, endmembers)``, ``(images,
        endmembers, height, width)``.
    truth
        The generated images.
    settings
        `alpha`, `weighs` and `reading` count.

    References
    ----------
    Report on perturbations, sections Balanced Loss (first form) and Alpha dependencies (second form).
    """
    as_code = settings.reading == "code"
    E, E_of_all = truth.E, E_hat.expand_as(truth.E)
    if as_code:
        E, E_of_all = E.transpose(1, 2), E_of_all.transpose(1, 2)
    on_Y = cosine_loss(Y_hat, truth.Y).mean(dim=(1, 2)).sum()
    on_E = cosine_loss(E_of_all, E).mean(dim=1).sum()
    on_A = cosine_loss(A_hat, truth.A).mean(dim=(1, 2)).sum()
    if as_code:
        on_E, on_A = 0.5 * on_E, 0.5 * on_A
    rest = 1 - settings.alpha
    return settings.alpha * on_Y + rest * on_E + (rest if settings.weighs == "both" else 1.0) * on_A


def train(problem: Problem, settings: AugmentationSettings, stream: Stream) -> Unmixing:
    """Train the autoencoder on generated images and let it unmix the real one, divided by its maximum.

    Parameters
    ----------
    stream
        Its batches have the scale of the real image over its maximum.
    """

    def loss(network: ConvolutionalAutoencoder, numbers: Tensor) -> Tensor:
        batch = stream.make(numbers)
        A_hat, Y_hat = network(batch.Y)
        return balanced_loss(Y_hat, network.endmembers, A_hat, batch, settings) / len(batch.Y)

    Y = torch.from_numpy(image(problem.scene)).to(problem.device)
    return train_autoencoder(problem, settings, stream.numbers, loss, Y[None], [stream.generator])


def image(scene: Scene) -> NDArray[np.float32]:
    """The scene's image over its maximum, float32, shape ``(bands, height, width)``."""
    return (scene.Y / (np.abs(scene.Y).max() or 1)).astype(np.float32)


def own_generator(seed: int, device: torch.device) -> torch.Generator:
    """Generator of the data, whose numbers are not those that initialise the network with the same seed."""
    return torch.Generator(device).manual_seed(derived_seed(seed, 1))


def derived_seed(seed: int, use: int) -> int:
    """Seed for another use of the same seed; of 32 bits, because torch drops all others on the CPU."""
    return int(np.random.SeedSequence((seed, use)).generate_state(1)[0])
