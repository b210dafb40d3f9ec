r"""`ae-plain` and `ae-patches`: autoencoder of the report on perturbations, on the image or on patches.

The encoder `f` ends in a softmax, and the decoder is one convolution, whose kernel, added up over its places,
is the endmembers:

.. math:: \min_{f, D} \sum_n \bigl(1 - \cos(\hat y_n, y_n)\bigr), \qquad \hat Y = D * A,\quad
          A = \operatorname{softmax} f(Y)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from hsu_lib.learning.fit import finished, fit, seeded
from hsu_lib.learning.networks import ConvolutionalAutoencoder
from hsu_lib.learning.networks.autoencoder import cosine_loss
from hsu_lib.methods.method import Method, Needs, Problem
from hsu_lib.methods.settings import Settings, sourced
from hsu_lib.scene import Scene, Unmixing

CODE = "code of the report on perturbations (prim_code.md)"
TABLE = "report on perturbations, Table 1"


@dataclass(frozen=True)
class AutoencoderSettings(Settings):
    """Settings of the autoencoder, each with its source.

    `reading` says whose word counts where the document's text and its code differ:

    ============================  =============================  ==============================
    difference                    ``"document"``                 ``"code"``
    ============================  =============================  ==============================
    softmax over the endmembers   of the activations             of 3.5 times the activations
    loss                          summed over all pixels         mean over pixels, summed over
                                                                 the batch
    abundances are read           in evaluation mode             in training mode: dropout and
                                                                 batch statistics are active
    ============================  =============================  ==============================
    """

    reading: Literal["document", "code"] = sourced("document", "ours: the text is what was published")
    epochs: int = sourced(200, TABLE, at_least=1)
    patches: int = sourced(100, TABLE + " (PATCH_NUMBER); 0 trains on the whole image", at_least=0)
    patch_size: int = sourced(
        40, TABLE + " (pixels; cut to the image's sides if those are shorter)", at_least=1
    )
    batch: int = sourced(10, TABLE, at_least=1)
    learning_rate: float = sourced(0.01, CODE, above=0)
    decay: float = sourced(0.95, CODE, above=0, at_most=1)
    decay_every: int = sourced(10, CODE + ", in epochs", at_least=1)
    filters: int = sourced(48, CODE, at_least=1)
    kernel: int = sourced(11, CODE + " (side of the decoder's kernel, pixels)", odd=True, at_least=1)
    dropout: float = sourced(0.2, CODE, at_least=0, below=1)


def train(
    problem: Problem,
    settings: AutoencoderSettings,
    batches: Callable[[int], Iterable[Tensor]],
    loss: Callable[[ConvolutionalAutoencoder, Tensor], Tensor],
    image: Tensor,
    generators: Sequence[torch.Generator] = (),
) -> Unmixing:
    """Train the autoencoder and let it unmix an image, in the way of the settings' reading.

    Parameters
    ----------
    batches
        Epoch number (from 0) to that epoch's batches.
    loss
        Of the network and a batch.
    image
        What is unmixed, shape ``(1, bands, height, width)``.
    generators
        Those that the loss draws from.
    """
    as_code = settings.reading == "code"
    with seeded(problem.seed, image.device):
        network = ConvolutionalAutoencoder(
            problem.scene.bands,
            problem.endmembers,
            filters=settings.filters,
            kernel=settings.kernel,
            dropout=settings.dropout,
            softmax_factor=3.5 if as_code else 1.0,
        ).to(image.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        history = fit(
            network,
            batches,
            partial(loss, network),
            epochs=settings.epochs,
            learning_rate=settings.learning_rate,
            decay=settings.decay,
            decay_every=settings.decay_every,
            progress=problem.label,
            replay=generators,
        )
        network.train(as_code)
        with torch.no_grad():
            A = network(twice_if_single(image))[0][0]
            E = network.endmembers
    return Unmixing(E.cpu().numpy(), A.cpu().numpy(), finished(history), history)


def twice_if_single(images: Tensor) -> Tensor:
    """Images ``(images, bands, height, width)``; a single pixel is shown twice.

    Batch normalisation needs two values per channel.
    """
    return images if images.shape[0] * images.shape[2] * images.shape[3] > 1 else images.repeat(2, 1, 1, 1)


def solve(problem: Problem, settings: AutoencoderSettings) -> Unmixing:
    """Train the autoencoder on one image and read endmembers and abundances from it.

    The image is divided by its maximum. Patches are cut once at random positions and kept, as many
    per epoch as `patches` says (both readings: the text leaves it open, the code does so).
    """
    scene, pixels = problem.scene, scaled(problem)

    def loss(network: ConvolutionalAutoencoder, Y: Tensor) -> Tensor:
        apart = cosine_loss(network(Y)[1], Y)
        return apart.mean(dim=(1, 2)).sum() if settings.reading == "code" else apart.sum()

    found = train(
        problem,
        settings,
        lambda epoch: batches(pixels, settings.patches, settings.patch_size, settings.batch, problem.seed),
        loss,
        as_images([pixels]),
    )
    # per pixel, so that curves of different batches, patch sizes and readings can be compared
    return replace(found, history={"loss": found.history["loss"] / _terms(scene, settings)})


def as_images(cuts: list[Tensor]) -> Tensor:
    """Patches ``(height, width, bands)`` as a channels-last batch ``(images, bands, height, width)``."""
    return twice_if_single(torch.stack(cuts).permute(0, 3, 1, 2))


def scaled(problem: Problem) -> Tensor:
    """The image over its maximum, shape ``(height, width, bands)``."""
    pixels = torch.from_numpy(problem.scene.Y.transpose(1, 2, 0).copy()).to(problem.device)
    return pixels / (float(pixels.abs().max()) or 1.0)


def batches(pixels: Tensor, patches: int, side: int, batch: int, seed: int) -> Iterator[Tensor]:
    """So many patches, the same at every call with the same seed; the whole image if there are to be none.

    A `side` that is longer than the image's is cut to it.
    """
    if patches == 0:
        yield as_images([pixels])
        return
    rng = np.random.default_rng(seed)
    height, width = (min(side, of_image) for of_image in pixels.shape[:2])
    tops = rng.integers(pixels.shape[0] - height + 1, size=patches)
    lefts = rng.integers(pixels.shape[1] - width + 1, size=patches)
    cuts = [pixels[t : t + height, left : left + width] for t, left in zip(tops, lefts, strict=True)]
    for start in range(0, len(cuts), batch):
        yield as_images(cuts[start : start + batch])


def _terms(scene: Scene, settings: AutoencoderSettings) -> float:
    """How many loss terms a step's loss adds up on average (pixels, or images where it is their mean)."""
    if settings.patches == 0:
        images, side = 1.0, scene.height * scene.width
    else:
        images = settings.patches / np.ceil(settings.patches / settings.batch)
        side = min(settings.patch_size, scene.height) * min(settings.patch_size, scene.width)
    doubled = 2.0 if images * side == 1 else 1.0
    return doubled * (images if settings.reading == "code" else images * side)


_SOURCE = (
    "report on perturbations, sections First Estimation and Patch technique; "
    "Palsson et al., IEEE TGRS 59(1), 2021"
)

_QUICK = (("filters", 6), ("kernel", 3), ("epochs", 5), ("decay_every", 2))

PLAIN = Method(
    name="ae-plain",
    summary="convolutional autoencoder trained on the whole image",
    kind="blind",
    solve=solve,
    settings=AutoencoderSettings,
    needs=Needs(spatial=True),
    defaults=(("patches", 0), ("epochs", 100)),
    source=_SOURCE,
    quick=_QUICK,
)

PATCHES = Method(
    name="ae-patches",
    summary="convolutional autoencoder trained on random patches",
    kind="blind",
    solve=solve,
    settings=AutoencoderSettings,
    needs=Needs(spatial=True),
    source=_SOURCE,
    quick=(*_QUICK, ("patches", 4), ("patch_size", 4), ("batch", 2)),
)
