"""The convolutional autoencoder of the report on perturbations and of Palsson et al. 2021 (CNNAEU)."""

from __future__ import annotations

from typing import Any

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
    slope
        Of the leaky ReLU where its input is negative.
    deviation
        Standard deviation of the normal distribution of initial weights; by default as torch draws them.
    epsilon, affine
        What is added to variances in batch normalisation, and whether it has a learned scale and offset.

    References
    ----------
    Report on perturbations, sections Encoder and Decoder; sizes from its code (``book/prim_code.md``).
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
        slope: float = 0.01,
        deviation: float | None = None,
        epsilon: float = 1e-5,
        affine: bool = True,
    ) -> None:
        super().__init__()
        self.softmax_factor = softmax_factor
        self.encoder = nn.Sequential(
            nn.Conv2d(bands, filters, 3, padding=1, bias=False),
            nn.LeakyReLU(slope),
            nn.BatchNorm2d(filters, eps=epsilon, affine=affine),
            nn.Dropout2d(dropout),
            nn.Conv2d(filters, endmembers, 1, bias=False),
            nn.LeakyReLU(slope),
            nn.BatchNorm2d(endmembers, eps=epsilon, affine=affine),
            nn.Dropout2d(dropout),
        )
        self.decoder = nn.Conv2d(endmembers, bands, kernel, padding=kernel // 2, bias=False)
        for layer in self.modules():
            if deviation is not None and isinstance(layer, nn.Conv2d):
                nn.init.normal_(layer.weight, std=deviation)

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

    @torch.no_grad()
    def project(self) -> None:
        """A decoder that is not negative."""
        self.decoder.weight.clamp_min_(0)


def cosine_loss(Y_hat: Tensor, Y: Tensor) -> Tensor:
    """One minus the cosine of each pixel's spectrum, shape ``(images, height, width)``, in ``[0, 2]``.

    Source: report on perturbations, section Decoder ("SAD-like" loss). Written out because it takes 4 ms
    where ``torch.cosine_similarity`` takes 9 ms on 10 patches of 40 x 40 x 156.
    """
    product = (Y_hat * Y).sum(dim=1)
    norms = (Y_hat * Y_hat).sum(dim=1) * (Y * Y).sum(dim=1)
    return 1 - product * torch.rsqrt(norms.clamp_min(1e-16))


class _SpectralAngle(torch.autograd.Function):
    """The angle, with the gradient for the first spectrum: a unit vector across it over its norm."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor) -> Tensor:
        size, other = (torch.linalg.vector_norm(s, dim=1, keepdim=True).clamp_min(1e-6) for s in (x, y))
        u, v = x / size, y / other
        apart, along = (torch.linalg.vector_norm(s, dim=1, keepdim=True) for s in (u - v, u + v))
        ctx.save_for_backward(u, v, size, apart, along)
        return 2 * torch.atan2(apart, along).squeeze(1)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        assert not ctx.needs_input_grad[1]
        u, v, size, apart, along = ctx.saved_tensors
        cosine, sine = 1 - apart.square() / 2, (apart * along / 2).clamp_min(1e-12)
        # where u equals v the difference is exactly zero, and so is the gradient
        return (cosine * u).sub_(v).mul_(grad.unsqueeze(1) / (sine * size)), None


def spectral_angle_loss(Y_hat: Tensor, Y: Tensor) -> Tensor:
    r"""Angle of each pixel's spectra in radians, shape ``(images, height, width)``, in :math:`[0, \pi]`.

    As :math:`2 \operatorname{atan2}(\|u - v\|, \|u + v\|)` of the unit vectors: exact for small angles, where
    the arccosine of a rounded cosine is not, and with a gradient that is finite everywhere. That is for
    `Y_hat` alone, and written out: on 15 patches of 40 x 40 x 156 it takes 23 ms where torch finds it in
    72 ms. A spectrum that is zero is at a right angle to all others, and at none to another zero.

    Parameters
    ----------
    Y_hat, Y
        Spectra along the second axis, for instance ``(images, bands, height, width)``.

    References
    ----------
    Kahan, "How futile are mindless assessments of roundoff in floating-point computation?", 2006.
    """
    return _SpectralAngle.apply(Y_hat, Y)


def elementwise_angle_loss(Y_hat: Tensor, Y: Tensor) -> Tensor:
    r"""Mean over bands of the arccosine of the products of unit spectra, shape ``(images, height, width)``.

    The public code of CNNAEU has this in the place of the angle. As :math:`\arccos x \approx \pi/2 - x` it is
    nearly :math:`\pi/2 - \cos/L` with `L` bands: it falls with the angle, with a gradient `L` times smaller.
    Arguments as of `spectral_angle_loss`.
    """
    u, v = F.normalize(Y_hat, dim=1, eps=1e-6), F.normalize(Y, dim=1, eps=1e-6)
    return torch.arccos((u * v).clamp(-1 + 1e-6, 1 - 1e-6)).mean(dim=1)
