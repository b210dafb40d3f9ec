"""The convolutional autoencoder of document 000 (PRIM report), after Palsson et al. 2020 (CNNAEU)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hsu_lib.learning.networks.wide import wide_convolution


class ConvolutionalAutoencoder(nn.Module):
    """Two convolutions to the abundances, one back, whose kernel holds the endmembers.

    Encoder: 3 x 3 to `filters`, leaky ReLU, batch norm, channel dropout; 1 x 1 to the endmembers, the
    same again; softmax over the endmembers, which gives ANC and ASC. Decoder: `kernel` x `kernel`
    from endmembers to bands. No biases; zero padding keeps the image's size.

    Parameters
    ----------
    bands, endmembers
        Sizes of the spectra and of the latent space.
    filters
        Channels of the hidden layer.
    kernel
        Side of the decoder's kernel in pixels, odd.
    dropout
        Probability with which a whole channel is dropped in training.
    softmax_factor
        The activations are multiplied by it before the softmax; above 1 it sharpens the abundances.

    References
    ----------
    Document 000, sections Encoder and Decoder; sizes from its code (``book/prim_code.md``).
    Palsson, Ulfarsson and Sveinsson, IEEE TGRS 59(1), 2021, 535-549.
    """

    def __init__(
        self,
        bands: int,
        endmembers: int,
        *,
        filters: int,
        kernel: int,
        dropout: float,
        softmax_factor: float,
    ) -> None:
        super().__init__()
        self.softmax_factor = softmax_factor
        self.encoder = nn.Sequential(
            nn.Conv2d(bands, filters, 3, padding=1, bias=False),
            nn.LeakyReLU(0.01),
            nn.BatchNorm2d(filters),
            nn.Dropout2d(dropout),
            nn.Conv2d(filters, endmembers, 1, bias=False),
            nn.LeakyReLU(0.01),
            nn.BatchNorm2d(endmembers),
            nn.Dropout2d(dropout),
        )
        self.decoder = nn.Conv2d(endmembers, bands, kernel, padding=kernel // 2, bias=False)

    def forward(self, Y: Tensor) -> tuple[Tensor, Tensor]:
        """Abundances ``(images, endmembers, height, width)`` and reconstruction, shape of `Y`."""
        A = F.softmax(self.softmax_factor * self.encoder(Y), dim=1)
        return A, wide_convolution(A, self.decoder.weight)

    @property
    def endmembers(self) -> Tensor:
        """Decoder kernel summed over its positions, shape ``(bands, endmembers)``.

        That is what the decoder answers to a uniform patch of one pure material, so it is the
        read-out that fits the forward model (a mean would differ by a factor, a centre in shape).
        """
        return self.decoder.weight.sum(dim=(2, 3))


def cosine_loss(Y_hat: Tensor, Y: Tensor) -> Tensor:
    """One minus the cosine of each pixel's spectrum, shape ``(images, height, width)``, in ``[0, 2]``.

    Source: document 000, section Decoder ("SAD-like" loss). Written out because it takes 4 ms where
    ``torch.cosine_similarity`` takes 9 ms on 10 patches of 40 x 40 x 156.
    """
    product = (Y_hat * Y).sum(dim=1)
    norms = (Y_hat * Y_hat).sum(dim=1) * (Y * Y).sum(dim=1)
    return 1 - product * torch.rsqrt(norms.clamp_min(1e-16))
