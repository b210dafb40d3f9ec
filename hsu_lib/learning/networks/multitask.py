"""Neighbouring pixels unmixed together: one hidden layer sees all of them, one decoder rebuilds each."""

from __future__ import annotations

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class MultitaskAutoencoder(nn.Module):
    """Several spectra to the abundances of each, and back.

    Encoder: noise in training; a quarter as many hidden units as there are values, leaky ReLU, dropout, batch
    norm; for each pixel a layer of its own to the endmembers, leaky ReLU, batch norm, dropout; softmax, which
    gives ANC and ASC. Decoder: linear, one for all. No biases.

    Parameters
    ----------
    bands, endmembers
        Sizes of the spectra and of the abundances.
    inputs
        How many pixels are unmixed together.
    noise
        Standard deviation of what is added to the spectra in training.
    dropout, branch_dropout
        Probabilities, of the hidden layer and of the layers of each pixel.
    slope
        Of the leaky ReLU where its input is negative.
    softmax_factor
        The activations are multiplied by it before the softmax.
    mean, deviation
        Of the normal distribution of initial weights.

    References
    ----------
    Palsson, Sveinsson and Ulfarsson, IEEE Access 7, 2019, 148861-148872; layers of its public code.
    """

    def __init__(
        self,
        bands: int,
        endmembers: int,
        inputs: int,
        *,
        noise: float,
        dropout: float,
        branch_dropout: float,
        slope: float,
        softmax_factor: float,
        mean: float,
        deviation: float,
    ) -> None:
        super().__init__()
        self.inputs, self.noise, self.softmax_factor = inputs, noise, softmax_factor
        hidden = max(bands * inputs // 4, 1)
        norm = partial(nn.BatchNorm1d, eps=1e-3, momentum=0.01)  # Keras's
        self.encoder = nn.Sequential(
            nn.Linear(bands * inputs, hidden, bias=False),
            nn.LeakyReLU(slope),
            nn.Dropout(dropout),
            norm(hidden),
            nn.Linear(hidden, inputs * endmembers, bias=False),  # the layers of all pixels side by side
            nn.LeakyReLU(slope),
            norm(inputs * endmembers),
            nn.Dropout(branch_dropout),
        )
        self.E = nn.Parameter(torch.empty(bands, endmembers))
        for layer in self.encoder:
            if isinstance(layer, nn.Linear):
                nn.init.normal_(layer.weight, mean, deviation)
        nn.init.normal_(self.E, mean, deviation)

    def forward(self, Y: Tensor) -> tuple[Tensor, Tensor]:
        """Abundances ``(groups, inputs, endmembers)`` and reconstruction of ``(groups, inputs, bands)``."""
        noisy = Y + self.noise * torch.randn_like(Y) if self.training and self.noise else Y
        A = F.softmax(
            self.softmax_factor * self.encoder(noisy.flatten(1)).unflatten(1, (self.inputs, -1)), dim=2
        )
        return A, A @ self.E.T

    @torch.no_grad()
    def project(self) -> None:
        """A decoder that is not negative."""
        self.E.clamp_min_(0)
