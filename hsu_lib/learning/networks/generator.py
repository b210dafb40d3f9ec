"""A generator of spectra: a variational autoencoder of the spectra that a material may have."""

from __future__ import annotations

from math import ceil

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hsu_lib.learning.networks.latent import layers
from hsu_lib.learning.networks.vae import kl_to_standard_normal


class SpectrumVAE(nn.Module):
    """Spectra between 0 and 1 to a few latent numbers, their codes, and back.

    Encoder: three layers that narrow from 1.2 times the bands to a tenth of them, ReLU after each, then mean
    and log-variance. Decoder: the same backwards, with a sigmoid at the end.

    Parameters
    ----------
    bands, latent
        Sizes of the spectra and of the codes.

    References
    ----------
    Borsoi, Imbiriba and Bermudez, IEEE TCI 6, 2020, 374-384; sizes of its public code. Kingma and Welling,
    "Auto-encoding variational Bayes", ICLR 2014.
    """

    def __init__(self, bands: int, latent: int) -> None:
        super().__init__()
        widths = (
            ceil(1.2 * bands) + 5,
            max(ceil(bands / 4), latent + 2) + 3,
            max(ceil(bands / 10), latent + 1),
        )
        self.encoder = nn.Sequential(layers([bands, *widths]), nn.ReLU())
        self.mean, self.log_variance = (nn.Linear(widths[-1], latent) for _ in range(2))
        self.decoder = nn.Sequential(*layers([latent, *reversed(widths), bands]), nn.Sigmoid())

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of the codes ``(spectra, latent)`` of ``(spectra, bands)``."""
        hidden = self.encoder(x)
        return self.mean(hidden), self.log_variance(hidden)

    def spectra(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Spectra ``(codes, bands)`` of ``(codes, latent)``, and their slopes ``(codes, latent, bands)``."""
        slopes = torch.eye(z.shape[1], dtype=z.dtype, device=z.device).expand(len(z), -1, -1)
        for layer in self.decoder:
            z = layer(z)
            if isinstance(layer, nn.Linear):
                slopes = slopes @ layer.weight.T
            else:
                slopes = slopes * (z * (1 - z) if isinstance(layer, nn.Sigmoid) else z > 0)[:, None]
        return z, slopes

    def loss(self, x: Tensor) -> Tensor:
        """Cross-entropy of a draw's reconstruction, over all bands, and KL divergence; mean over spectra."""
        mean, log_variance = self.encode(x)
        z = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
        missed = F.binary_cross_entropy(self.decoder(z), x, reduction="sum")
        return (missed + kl_to_standard_normal(mean, log_variance)) / len(x)
