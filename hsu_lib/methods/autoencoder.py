"""`ae-plain` and `ae-patches`: the autoencoder of document 000 on the whole image or on patches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from hsu_lib.methods.method import Method
from hsu_lib.networks import ConvolutionalAutoencoder
from hsu_lib.networks.autoencoder import cosine_loss
from hsu_lib.scene import Scene, Status, Unmixing
from hsu_lib.training import fit, seeded

CODE = "code of document 000 (prim_code.md)"
TABLE = "document 000, Table 1"


def _sourced(default: Any, source: str) -> Any:
    return field(default=default, metadata={"source": source})


@dataclass(frozen=True)
class AutoencoderSettings:
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

    reading: Literal["document", "code"] = _sourced("document", "ours: the text is what was published")
    epochs: int = _sourced(200, TABLE)
    patches: int = _sourced(100, TABLE + " (PATCH_NUMBER); 0 trains on the whole image")
    patch_size: int = _sourced(40, TABLE + " (pixels; cut to the image's sides if those are shorter)")
    batch: int = _sourced(10, TABLE)
    learning_rate: float = _sourced(0.01, CODE)
    decay: float = _sourced(0.95, CODE)
    decay_every: int = _sourced(10, CODE + ", in epochs")
    filters: int = _sourced(48, CODE)
    kernel: int = _sourced(11, CODE + " (side of the decoder's kernel, pixels)")
    dropout: float = _sourced(0.2, CODE)

    def __post_init__(self) -> None:
        if self.reading not in ("document", "code"):
            raise ValueError(f"reading: expected 'document' or 'code', got {self.reading!r}")
        for name in ("epochs", "patch_size", "batch", "decay_every", "filters"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: expected at least 1, got {getattr(self, name)}")
        if self.patches < 0:
            raise ValueError(f"patches: expected 0 (whole image) or more, got {self.patches}")
        if self.kernel < 1 or self.kernel % 2 == 0:
            raise ValueError(f"kernel: expected an odd number of pixels, got {self.kernel}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout: expected a probability below 1, got {self.dropout}")
        if self.learning_rate <= 0 or not 0 < self.decay <= 1:
            raise ValueError(
                f"expected learning_rate > 0 and 0 < decay <= 1, got {self.learning_rate} and {self.decay}"
            )


def solve(
    scene: Scene,
    settings: AutoencoderSettings,
    *,
    endmembers: int,
    seed: int,
    device: str,
    progress: bool,
) -> Unmixing:
    """Train the autoencoder on one image and read endmembers and abundances from it.

    The image is divided by its maximum. Patches are cut once at random positions and kept, as many
    per epoch as `patches` says (both readings: the text leaves it open, the code does so).
    """
    where = torch.device(device)
    as_code = settings.reading == "code"
    pixels = torch.from_numpy(scene.Y.transpose(1, 2, 0).copy()).to(where)  # (height, width, bands)
    pixels /= pixels.abs().max().clamp_min(1e-12)
    with seeded(seed, where):
        network = ConvolutionalAutoencoder(
            scene.bands,
            endmembers,
            filters=settings.filters,
            kernel=settings.kernel,
            dropout=settings.dropout,
            softmax_factor=3.5 if as_code else 1.0,
        ).to(where, memory_format=torch.channels_last)  # type: ignore[call-overload]

        def loss(Y: Tensor) -> Tensor:
            apart = cosine_loss(network(Y)[1], Y)
            return apart.mean(dim=(1, 2)).sum() if as_code else apart.sum()

        history = fit(
            network,
            lambda epoch: _batches(pixels, settings, np.random.default_rng(seed)),
            loss,
            epochs=settings.epochs,
            learning_rate=settings.learning_rate,
            decay=settings.decay,
            decay_every=settings.decay_every,
            progress=f"{scene.name}, seed {seed}" if progress else None,
        )
        network.train(as_code)
        with torch.no_grad():
            A = network(_images([pixels]))[0][0]
            E = network.endmembers
    # per pixel, so that curves of different batches, patch sizes and readings can be compared
    history["loss"] = history["loss"] / _terms(scene, settings)
    status = Status.FINISHED if np.isfinite(history["loss"]).all() else Status.DIVERGED
    return Unmixing(E=E.cpu().numpy(), A=A.cpu().numpy(), status=status, history=history)


def _images(cuts: list[Tensor]) -> Tensor:
    """Patches ``(height, width, bands)`` as a channels-last batch ``(images, bands, height, width)``."""
    batch = torch.stack(cuts).permute(0, 3, 1, 2)
    # batch normalisation needs two values per channel: a one-pixel image is shown twice
    return batch if batch.shape[0] * batch.shape[2] * batch.shape[3] > 1 else batch.repeat(2, 1, 1, 1)


def _batches(pixels: Tensor, settings: AutoencoderSettings, rng: np.random.Generator) -> Iterator[Tensor]:
    """The same patches at every call with the same generator state; the whole image if `patches` is 0."""
    if settings.patches == 0:
        yield _images([pixels])
        return
    height, width = (min(settings.patch_size, side) for side in pixels.shape[:2])
    tops = rng.integers(pixels.shape[0] - height + 1, size=settings.patches)
    lefts = rng.integers(pixels.shape[1] - width + 1, size=settings.patches)
    cuts = [pixels[t : t + height, left : left + width] for t, left in zip(tops, lefts, strict=True)]
    for start in range(0, len(cuts), settings.batch):
        yield _images(cuts[start : start + settings.batch])


def _terms(scene: Scene, settings: AutoencoderSettings) -> float:
    """How many loss terms a step's loss adds up on average (pixels, or images where it is their mean)."""
    if settings.patches == 0:
        images, side = 1.0, scene.height * scene.width
    else:
        images = settings.patches / np.ceil(settings.patches / settings.batch)
        side = min(settings.patch_size, scene.height) * min(settings.patch_size, scene.width)
    doubled = 2.0 if images * side == 1 else 1.0
    return doubled * (images if settings.reading == "code" else images * side)


_SOURCE = "document 000, sections First Estimation and Patch technique; Palsson et al., IEEE TGRS 59(1), 2021"

_QUICK = (("filters", 6), ("kernel", 3), ("epochs", 5), ("decay_every", 2))

PLAIN = Method(
    name="ae-plain",
    summary="convolutional autoencoder trained on the whole image",
    kind="blind",
    solve=solve,
    settings=AutoencoderSettings,
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
    source=_SOURCE,
    quick=(*_QUICK, ("patches", 4), ("patch_size", 4), ("batch", 2)),
)
