"""`spacnn-ldvae`: the latent Dirichlet autoencoder with an encoder that sees a pixel's neighbourhood."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from scipy.ndimage import minimum_filter
from torch import Tensor

from hsu_lib.methods.ldvae import LDVAE, LDVAESettings, learn
from hsu_lib.methods.settings import sourced
from hsu_lib.methods.trained import Decoder, Trained, Training
from hsu_lib.networks.latent import Activation, SpatialEncoder, mirrored
from hsu_lib.scene import Scene, Unmixing
from hsu_lib.training import seeded

OPEN = "ours: document 003 does not say"


@dataclass(frozen=True)
class SpaCNNSettings(LDVAESettings):
    """Settings of the same with context, each with its source; `hidden` is of the decoder, reversed."""

    activation: Activation = sourced("softmax", "document 003, equation 3")
    patch: int = sourced(5, f"{OPEN}; pixels, odd")
    channels: int = sourced(32, OPEN)
    blocks: int = sourced(6, "document 003, section 2.1")
    attention: bool = sourced(True, "document 003, equation 1")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.patch < 1 or self.patch % 2 == 0:
            raise ValueError(f"patch: expected an odd number of pixels, got {self.patch}")
        if self.channels < 1 or self.blocks < 0:
            raise ValueError(f"expected channels >= 1 and blocks >= 0, got {self.channels} and {self.blocks}")


def solve(
    scene: Scene,
    settings: SpaCNNSettings,
    *,
    training: Training,
    endmembers: int,
    seed: int,
    device: str,
    progress: bool,
) -> tuple[Unmixing, Decoder]:
    """Train on patches around the labelled pixels, then slide over the scene.

    Where blocks are split, only training pixels are used whose whole patch lies in training blocks, so no
    test pixel is seen. Where single pixels are, their neighbours are in the patches whatever they are for,
    though never their abundances.
    """
    where = torch.device(device)
    if settings.split == "blocks" and not training.mask.all():
        inside = minimum_filter(training.mask, size=settings.patch, mode="mirror")
        if not inside.any():
            raise ValueError(
                f"no patch of {settings.patch} pixels lies inside training blocks of {settings.block}: "
                "take larger blocks"
            )
        training = replace(training, mask=inside)
    with seeded(seed, where):
        encoder = SpatialEncoder(
            scene.bands,
            endmembers,
            side=settings.patch,
            channels=settings.channels,
            blocks=settings.blocks,
            attention=settings.attention,
            activation=settings.activation,
        ).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        label = f"{scene.name}, seed {seed}" if progress else None
        return learn(scene, settings, encoder, lambda Y: patches(Y, settings.patch), training, where, label)


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


SPACNN = Trained(
    name="spacnn-ldvae",
    summary="the same with a convolutional encoder and spatial attention on patches",
    kind="trained",
    solve=solve,
    settings=SpaCNNSettings,
    source="document 003; Chitnis, Mantripragada and Qureshi, arXiv:2311.10701",
    quick=(*LDVAE.quick, ("patch", 3), ("channels", 4), ("blocks", 2)),
)
