"""Latent Dirichlet autoencoders: from a pixel to concentrations, from abundances to a spectrum."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise, product
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

Activation = Literal["softplus", "softmax"]
#: Smallest concentration.
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
    LDVAE paper, Figure 1; it does not print the sizes.
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

    def centre(self, x: Tensor) -> Tensor:
        """Spectra of the pixels that are encoded, shape ``(..., bands)``: the input itself."""
        return x

    def whole(self, image: Tensor) -> Tensor:
        """Concentrations ``(pixels, endmembers)`` of every pixel of ``(bands, height, width)``."""
        return torch.cat([self(x) for x in image.flatten(1).T.contiguous().split(4096)])


class SpatialEncoder(nn.Module):
    r"""Patch of an image to concentrations of the abundances of its centre pixel.

    Stem and body keep the size of the patch :math:`F`; the attention :math:`a` weighs its places by the mean
    and the largest of their channels, and :math:`\sum_{ij} a_{ij} F_{ij}` goes on to the concentrations.

    Parameters
    ----------
    bands, endmembers
        Of the spectra, and how many concentrations.
    side
        Of the patch, in pixels, odd.
    channels
        Of all hidden layers.
    blocks
        Convolutions of the body, each with batch normalisation and ReLU.
    attention
        Whether places are weighed; otherwise all alike.
    activation
        See `concentration`.

    References
    ----------
    SpACNN-LDVAE paper, section 2.1, equations 1 to 3, and Figure 2. It does not print the number of channels,
    nor how these become as many concentrations as there are endmembers (by one linear layer here).
    """

    def __init__(
        self,
        bands: int,
        endmembers: int,
        *,
        side: int = 5,
        channels: int = 32,
        blocks: int = 6,
        attention: bool = True,
        activation: Activation = "softmax",
    ) -> None:
        super().__init__()
        self.activation: Activation = activation
        self.side = side
        self.stem = _block(bands, channels)
        self.body = nn.Sequential(*(_block(channels, channels) for _ in range(blocks)))
        self.weigh = nn.Conv2d(2, 1, 3, padding=1) if attention else None
        self.head = nn.Linear(channels, endmembers)

    def attention(self, features: Tensor) -> Tensor:
        """Weights in (0, 1) of the places of ``(n, channels, side, side)``, shape ``(n, 1, side, side)``."""
        if self.weigh is None:
            return torch.ones_like(features[:, :1])
        pooled = torch.cat([features.mean(1, keepdim=True), features.amax(1, keepdim=True)], dim=1)
        return torch.sigmoid(self.weigh(pooled))

    def forward(self, patches: Tensor) -> Tensor:
        """Concentrations ``(n, endmembers)`` of patches ``(n, bands, side, side)``."""
        return self.gather(self.body(self.stem(patches)))

    def gather(self, features: Tensor) -> Tensor:
        """Concentrations ``(n, endmembers)`` of features ``(n, channels, side, side)``."""
        gathered = (self.attention(features) * features).sum(dim=(-2, -1))
        return concentration(self.head(gathered), self.activation)

    def centre(self, patches: Tensor) -> Tensor:
        """Spectra of the pixels that are encoded, shape ``(n, bands)``: those in the middle."""
        return patches[..., self.side // 2, self.side // 2]

    def whole(self, image: Tensor) -> Tensor:
        r"""Concentrations ``(pixels, endmembers)`` of every pixel of ``(bands, height, width)``.

        Equal to `forward` on the patches around all pixels, in evaluation mode, but each pixel is multiplied
        by the stem once and not once per patch that it is in. In the patch around pixel :math:`p`, the stem
        gives its place :math:`o` the sum of :math:`W_t\, y_{p+o+t}` over the taps :math:`t` that stay in
        the patch: a map of :math:`p + o` for each set of taps, of which there are nine, whatever the side.
        """
        half, (height, width) = self.side // 2, image.shape[1:]
        padded = mirrored(image, half).permute(1, 2, 0)
        stem, *body = (fuse_conv_bn_eval(block[0], block[1]) for block in (self.stem, *self.body))
        taps = stem.weight.permute(1, 2, 3, 0).flatten(1)  # (bands, 3 * 3 * channels)
        found = []
        rows = max(_TOGETHER // width, 1)
        for top in range(0, height, rows):
            strip = padded[top : top + min(rows, height - top) + 2 * half]
            features = self._stem_of_patches((strip @ taps).unflatten(-1, (3, 3, -1)), stem.bias)
            for convolution in body:
                features = convolution(features).relu_()
            found.append(self.gather(features))
        return torch.cat(found)

    def _stem_of_patches(self, products: Tensor, bias: Tensor) -> Tensor:
        """Features after the stem, from its products ``(rows, columns, 3, 3, channels)`` with a strip."""
        side, (height, width, *_) = self.side, products.shape
        rows, columns = height - side + 1, width - side + 1
        out = bias.new_empty(rows, columns, side, side, len(bias))
        products = F.pad(products, (0, 0, 0, 0, 0, 0, 1, 1, 1, 1))

        def valid(place: int) -> tuple[int, ...]:
            return tuple(t for t in (0, 1, 2) if 0 <= place + t - 1 < side)

        for down in {valid(place) for place in range(side)}:
            summed = torch.stack([products[t : t + height, :, t] for t in down]).sum(0)
            for across in {valid(place) for place in range(side)}:
                features = torch.relu(sum((summed[:, t : t + width, t] for t in across), bias))
                for i, j in product(range(side), repeat=2):
                    if (valid(i), valid(j)) == (down, across):
                        out[:, :, i, j] = features[i : i + rows, j : j + columns]
        return out.flatten(0, 1).permute(0, 3, 1, 2)


#: Patches that go through the body at once: few enough that their features stay in the cache.
_TOGETHER = 1024


def mirrored(image: Tensor, half: int) -> Tensor:
    """Image ``(bands, height, width)`` with a mirrored border of so many pixels (repeated, if too small)."""
    mode = "reflect" if half < min(image.shape[1:]) else "replicate"
    return F.pad(image[None], (half,) * 4, mode=mode)[0]


def _block(inputs: int, outputs: int) -> nn.Sequential:
    """Convolution of side 3 that keeps the size, batch normalisation, ReLU."""
    convolution = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU())


class SpectrumDecoder(nn.Module):
    """Abundances to a normal distribution of spectra with independent bands.

    Parameters
    ----------
    endmembers, bands, hidden
        As of `PixelEncoder`, the other way round.

    References
    ----------
    LDVAE paper, equation 2 and Figure 1; it does not print the sizes.
    """

    def __init__(self, endmembers: int, bands: int, *, hidden: Sequence[int]) -> None:
        super().__init__()
        self.stack = nn.Sequential(layers([endmembers, *hidden]), nn.ReLU())
        self.mean = nn.Linear(hidden[-1], bands)
        self.spread = nn.Linear(hidden[-1], bands)

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and logarithm of the standard deviation ``(..., bands)`` for ``(..., endmembers)``."""
        features = self.stack(z)
        return self.mean(features), self.spread(features)


def negative_log_likelihood(x: Tensor, mean: Tensor, log_deviation: Tensor) -> Tensor:
    r"""Of a spectrum under a normal distribution with independent bands, in nats; shape ``(...)``.

    .. math:: \sum_k \tfrac12\Bigl(\frac{x_k - \mu_k}{\sigma_k}\Bigr)^2 + \ln\sigma_k + \tfrac12\ln 2\pi
    """
    terms = 0.5 * ((x - mean) * torch.exp(-log_deviation)).square() + log_deviation
    return terms.sum(-1) + 0.5 * math.log(2 * math.pi) * x.shape[-1]
