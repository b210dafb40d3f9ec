"""Latent Dirichlet autoencoders: from a pixel to concentrations, from abundances to a spectrum."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Activation = Literal["softplus", "softmax"]
#: Smallest concentration, and smallest standard deviation of a band: both must stay positive.
FLOOR = 1e-3


def layers(sizes: Sequence[int]) -> nn.Sequential:
    """Fully connected layers, ReLU after all but the last."""
    stack: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        stack += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*stack[:-1])


def concentration(features: Tensor, activation: Activation) -> Tensor:
    """Positive concentrations from any numbers, shape ``(..., endmembers)``.

    ``"softmax"`` makes them sum to one, so that a Dirichlet sample is nearly pure however mixed its mean
    is; ``"softplus"`` lets the sum be learnt.
    """
    positive = F.softplus(features) if activation == "softplus" else torch.softmax(features, dim=-1)
    return positive + FLOOR


class PixelEncoder(nn.Module):
    """Spectrum to concentrations of its abundances, pixel by pixel.

    Parameters
    ----------
    bands, endmembers
        Of the spectrum, and how many concentrations.
    hidden
        Sizes of the hidden layers.
    activation
        See `concentration`.

    References
    ----------
    Document 004, Figure 1; it does not print the sizes.
    """

    def __init__(
        self, bands: int, endmembers: int, *, hidden: Sequence[int], activation: Activation = "softplus"
    ) -> None:
        super().__init__()
        self.activation: Activation = activation
        self.stack = layers([bands, *hidden, endmembers])

    def forward(self, x: Tensor) -> Tensor:
        """Concentrations ``(..., endmembers)`` of spectra ``(..., bands)``."""
        return concentration(self.stack(x), self.activation)


class SpectrumDecoder(nn.Module):
    """Abundances to a normal distribution of spectra with independent bands.

    Parameters
    ----------
    endmembers, bands, hidden
        As of `PixelEncoder`, the other way round.

    References
    ----------
    Document 004, equation 2 and Figure 1; it does not print the sizes.
    """

    def __init__(self, endmembers: int, bands: int, *, hidden: Sequence[int]) -> None:
        super().__init__()
        self.stack = nn.Sequential(layers([endmembers, *hidden]), nn.ReLU())
        self.mean = nn.Linear(hidden[-1], bands)
        self.spread = nn.Linear(hidden[-1], bands)

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation ``(..., bands)`` for abundances ``(..., endmembers)``."""
        features = self.stack(z)
        return self.mean(features), F.softplus(self.spread(features)) + FLOOR


def negative_log_likelihood(x: Tensor, mean: Tensor, deviation: Tensor) -> Tensor:
    r"""Of a spectrum under a normal distribution with independent bands, in nats; shape ``(...)``.

    .. math:: \sum_k \tfrac12\Bigl(\frac{x_k - \mu_k}{\sigma_k}\Bigr)^2 + \ln\sigma_k + \tfrac12\ln 2\pi
    """
    return F.gaussian_nll_loss(mean, x, deviation.square(), full=True, eps=0.0, reduction="none").sum(-1)
