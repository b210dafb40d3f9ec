"""The variational autoencoder of the report on perturbations that learns how endmembers look."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class EndmemberVAE(nn.Module):
    """All endmembers of an image as one vector, to a few latent numbers and back.

    Encoder: `size` to `hidden` to `latent`, leaky ReLU (0.2) after both, then mean and log-variance.
    Decoder: the same backwards, with a sigmoid at the end, so it yields values between 0 and 1.

    Parameters
    ----------
    size
        Bands times endmembers.
    hidden, latent
        Widths of the layers between.

    References
    ----------
    Report on perturbations, section VAE; widths and slopes from its code (``book/prim_code.md``).
    Kingma and Welling, "Auto-encoding variational Bayes", ICLR 2014.
    """

    def __init__(self, size: int, *, hidden: int, latent: int) -> None:
        super().__init__()
        self.latent = latent
        self.encoder = nn.Sequential(
            nn.Linear(size, hidden), nn.LeakyReLU(0.2), nn.Linear(hidden, latent), nn.LeakyReLU(0.2)
        )
        self.mean = nn.Linear(latent, latent)
        self.log_variance = nn.Linear(latent, latent)
        self.decoder = nn.Sequential(
            nn.Linear(latent, latent),
            nn.LeakyReLU(0.2),
            nn.Linear(latent, hidden),
            nn.LeakyReLU(0.2),
            nn.Linear(hidden, size),
            nn.Sigmoid(),
        )

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of the latent numbers, shape ``(batch, latent)`` each."""
        hidden = self.encoder(x)
        return self.mean(hidden), self.log_variance(hidden)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Reconstruction from one draw of the latent numbers, and their mean and log-variance."""
        mean, log_variance = self.encode(x)
        z = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
        return self.decoder(z), mean, log_variance


def kl_to_standard_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Kullback-Leibler divergence of independent normals from the standard normal, summed over all."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum()


def vae_loss(network: EndmemberVAE, x: Tensor) -> Tensor:
    """Squared error of the reconstruction plus the KL divergence, both summed over the batch."""
    x_hat, mean, log_variance = network(x)
    return (x_hat - x).square().sum() + kl_to_standard_normal(mean, log_variance)
