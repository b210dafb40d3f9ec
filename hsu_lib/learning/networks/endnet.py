r"""EndNet: a pixel is compared with each endmember by the angle between them, and few of these make it up.

A layer of an ordinary autoencoder multiplies the pixel by weights; here it compares directions, so that
brightness does not matter.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hsu_lib.learning.networks.autoencoder import spectral_angle_loss

#: Squared sine below which it is taken for zero, and so is its slope; below the rounding of float32.
_TINY = 1e-12
#: Sum of activations below which there are none.
_NONE = 1e-7


def similarity(Y: Tensor, W: Tensor) -> Tensor:
    r"""One minus the angle over :math:`\pi` of every pixel and every endmember: 1 alike, 0 opposed.

    One matrix product for all pairs. The arccosine's slope is infinite where spectra are alike; that of
    :math:`\operatorname{atan2}(\sin, \cos)`, with a sine kept from zero, is not.

    Parameters
    ----------
    Y, W
        Spectra in rows, shapes ``(pixels, bands)`` and ``(endmembers, bands)``. One that is zero is at a
        right angle to all others.

    Returns
    -------
    Tensor
        Shape ``(pixels, endmembers)``, in ``[0, 1]``.
    """
    norms = torch.linalg.vector_norm(Y, dim=1)[:, None] * torch.linalg.vector_norm(W, dim=1)
    cosine = Y @ W.T / norms.clamp_min(_TINY)
    sine = (1 - cosine.square()).clamp_min(_TINY).sqrt()
    return 1 - torch.atan2(sine, cosine) / math.pi


def shares(Z: Tensor, active: int) -> Tensor:
    """The `active` largest of every row over their sum, the others zero; a row of zeros stays one.

    Parameters
    ----------
    Z
        Nonnegative, shape ``(pixels, endmembers)``.
    """
    if active < Z.shape[1]:
        largest = Z.topk(active, dim=1)
        Z = torch.zeros_like(Z).scatter(1, largest.indices, largest.values)
    return Z / Z.sum(dim=1, keepdim=True).clamp_min(_NONE)


class BatchOffset(nn.Module):
    """Batch normalisation of ``(pixels, features)`` with a learned offset and no scale, as Keras does it.

    Running statistics are those of past batches, each one percent of what was left; variances are divided
    by the number of pixels, not one less. So a batch may be a single pixel.
    """

    mean: Tensor
    variance: Tensor

    def __init__(self, features: int) -> None:
        super().__init__()
        self.offset = nn.Parameter(torch.zeros(features))
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("variance", torch.ones(features))

    def forward(self, x: Tensor) -> Tensor:
        """Normalised features, shape of `x`."""
        mean, variance = self.mean, self.variance
        if self.training:
            variance, mean = torch.var_mean(x, dim=0, correction=0)
            with torch.no_grad():
                self.mean.lerp_(mean, 0.01)
                self.variance.lerp_(variance, 0.01)
        return (x - mean) * torch.rsqrt(variance + 1e-3) + self.offset


class EndNet(nn.Module):
    r"""Pixels to abundances, and these to pixels again.

    Noise, in training; `similarity` to the rows of `W`; `BatchOffset`; dropout; ReLU; the largest few over
    their sum, which gives ANC and ASC; mixtures of the columns of `E`. No biases.

    Parameters
    ----------
    bands, endmembers
        Sizes of the spectra and of the latent space.
    noise
        Standard deviation of the noise that is added to a part of the bands, in the unit of the image.
    kept
        Probability with which a band has noise. Divided by it, so that on average there is as much.
    dropout
        Probability with which an activation is dropped in training.
    active
        At most so many endmembers make up a pixel.

    References
    ----------
    Ozkan, Kaya, Akar, IEEE TGRS 57(1), 2019, 482-496, after its public code of Palsson et al. (2022): the
    authors released none. The paper's learned threshold and penalty on the offset are not in that code.
    """

    def __init__(
        self, bands: int, endmembers: int, *, noise: float, kept: float, dropout: float, active: int
    ) -> None:
        super().__init__()
        self.noise, self.kept, self.dropout, self.active = noise, kept, dropout, active
        self.W = nn.Parameter(nn.init.xavier_uniform_(torch.empty(endmembers, bands)))
        self.E = nn.Parameter(nn.init.xavier_uniform_(torch.empty(bands, endmembers)))
        self.normalise = BatchOffset(endmembers)

    def masked_noise(self, Y: Tensor) -> Tensor:
        """Noise of mean 0 and variance ``noise^2 / kept``, shape of `Y`."""
        return F.dropout(self.noise * torch.randn_like(Y), 1 - self.kept)

    def forward(self, Y: Tensor) -> tuple[Tensor, Tensor]:
        """Abundances ``(pixels, endmembers)`` of ``(pixels, bands)``, and what is rebuilt, shape of `Y`.

        A pixel no activation of which is positive has abundances that are all zero.
        """
        seen = Y + self.masked_noise(Y) if self.training and self.noise else Y
        Z = F.dropout(self.normalise(similarity(seen, self.W)), self.dropout, self.training)
        A = shares(F.relu(Z), self.active)
        return A, A @ self.E.T

    @torch.no_grad()
    def project(self) -> None:
        """Endmembers that are not negative."""
        self.E.clamp_min_(0)


def endnet_loss(
    network: EndNet, Y: Tensor, *, square_weight: float, angle_weight: float, decay: float
) -> Tensor:
    r"""Loss of a batch of pixels, a mean over them.

    .. math:: \tfrac{\lambda_0}2 \operatorname{mean}\,(y - \hat y)^2 - \lambda_1 \log C(y, \hat y)
              + \lambda_3 \|W\|^2 + \lambda_4 \|E\|^2

    with the `similarity` :math:`C`; `decay` is :math:`\lambda_3 = \lambda_4`. The paper subtracts a
    divergence that is minus this logarithm, which would reward disagreement, and has norms that are not
    squared: this is what its public code does.
    """
    Y_hat = network(Y)[1]
    alike = 1 - spectral_angle_loss(Y_hat, Y) / math.pi
    return (
        0.5 * square_weight * (Y_hat - Y).square().mean()
        - angle_weight * alike.clamp_min(_NONE).log().mean()
        + decay * (network.W.square().sum() + network.E.square().sum())
    )
