r"""`spacnn-ldvae`: the latent Dirichlet autoencoder with an encoder that sees a pixel's neighbourhood.

The loss is that of `ldvae`. The concentrations are made of features :math:`F` of a patch, each place
:math:`ij` of which counts by its attention :math:`a`:

.. math:: \sum_{ij} a_{ij} F_{ij}
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from scipy.ndimage import minimum_filter
from torch import Tensor

from hsu_lib.learning.fit import seeded
from hsu_lib.learning.networks.latent import Activation, SpatialEncoder, mirrored
from hsu_lib.methods.labelled.ldvae import LDVAE, LDVAESettings, learn
from hsu_lib.methods.method import Method, Needs, Problem
from hsu_lib.methods.settings import sourced
from hsu_lib.scene import Unmixing

OPEN = "ours: the SpACNN-LDVAE paper does not say"


@dataclass(frozen=True)
class SpaCNNSettings(LDVAESettings):
    """Settings of the same with context, each with its source; `hidden` is of the decoder, reversed."""

    activation: Activation = sourced("softmax", "SpACNN-LDVAE paper, equation 3")
    patch: int = sourced(5, f"{OPEN}; pixels, odd", odd=True, at_least=1)
    channels: int = sourced(32, OPEN, at_least=1)
    blocks: int = sourced(6, "SpACNN-LDVAE paper, section 2.1", at_least=0)
    attention: bool = sourced(True, "SpACNN-LDVAE paper, equation 1")


def solve(problem: Problem, settings: SpaCNNSettings) -> Unmixing:
    """Train on patches around the labelled pixels, then slide over the scene.

    Where blocks are split, only training pixels are used whose whole patch lies in training blocks, so no
    test pixel is seen. Where single pixels are, their neighbours are in the patches whatever they are for,
    though never their abundances.
    """
    labels = problem.labels
    assert labels is not None  # the contract has checked it
    if settings.split == "blocks" and not labels.chosen.all():
        inside = minimum_filter(labels.chosen, size=settings.patch, mode="mirror")
        if not inside.any():
            raise ValueError(
                f"no patch of {settings.patch} pixels lies inside training blocks of {settings.block}: "
                "take larger blocks"
            )
        problem = replace(problem, labels=replace(labels, mask=inside))
    with seeded(problem.seed, torch.device(problem.device)):
        encoder = SpatialEncoder(
            problem.scene.bands,
            problem.endmembers,
            side=settings.patch,
            channels=settings.channels,
            blocks=settings.blocks,
            attention=settings.attention,
            activation=settings.activation,
        ).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return learn(problem, settings, encoder, lambda Y: patches(Y, settings.patch))


def patches(Y: Tensor, side: int) -> Callable[[Tensor], Tensor]:
    """Patches around pixels, cut when they are asked for; the image is mirrored at its borders.

    Parameters
    ----------
    Y
        Image, shape ``(bands, height, width)``.
    side
        Odd, in pixels.

    Returns
    -------
    function
        From numbers of pixels, row by row, to patches ``(n, bands, side, side)``, channels last in memory.
    """
    width = Y.shape[2]
    image = mirrored(Y, side // 2).permute(1, 2, 0).contiguous()
    offsets = torch.arange(side, device=Y.device)

    def cut(chosen: Tensor) -> Tensor:
        rows = (chosen // width)[:, None, None] + offsets[:, None]
        columns = (chosen % width)[:, None, None] + offsets
        return image[rows, columns].permute(0, 3, 1, 2)

    return cut


SPACNN = Method(
    name="spacnn-ldvae",
    summary="the same with a convolutional encoder and spatial attention on patches",
    kind="labelled",
    solve=solve,
    settings=SpaCNNSettings,
    needs=Needs(labels=True, spatial=True),
    source="SpACNN-LDVAE paper; Chitnis, Mantripragada and Qureshi, arXiv:2311.10701",
    quick=(*LDVAE.quick, ("patch", 3), ("channels", 4), ("blocks", 2)),
)
