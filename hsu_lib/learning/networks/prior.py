"""Networks whose only input is noise: deep image priors for abundance maps (report on UnDIP)."""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

Skips = Literal["none", "direct", "one", "two"]


def block(inputs: int, outputs: int, side: int, *, stride: int = 1, slope: float = 0.1) -> nn.Sequential:
    """Convolution with reflection padding, batch normalisation, leaky ReLU.

    The convolution has no bias: the normalisation would take it away again.
    """
    convolution = nn.Conv2d(
        inputs,
        outputs,
        side,
        stride=stride,
        padding=side // 2,
        padding_mode="reflect" if side > 1 else "zeros",
        bias=False,
    )
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.LeakyReLU(slope, inplace=True))


class DeepPrior(nn.Module):
    """UnDIP's network: one step down, one up, one skip connection of few channels, softmax.

    Parameters
    ----------
    endmembers
        Channels of the input and of the abundances.
    filters
        Channels of the hidden layers.
    skip
        Channels of the skip connection.

    References
    ----------
    Report on UnDIP, section Network architecture and its table; Rasti, Koirala, Scheunders and Ghamisi,
    IEEE TGRS 60, 2022 (UnDIP).
    """

    #: Height and width must be divisible by it.
    multiple = 2

    def __init__(self, endmembers: int, *, filters: int = 256, skip: int = 4) -> None:
        super().__init__()
        self.down = nn.Sequential(block(endmembers, filters, 3, stride=2), block(filters, filters, 3))
        self.skip = block(endmembers, skip, 1)
        self.join = block(filters + skip, filters, 3)
        self.up = nn.Sequential(block(filters, filters, 1), nn.Conv2d(filters, endmembers, 1))

    def forward(self, Z: Tensor) -> Tensor:
        """Abundances of the input ``(images, endmembers, height, width)``, of the same shape."""
        coarse, fine = self.down(Z), F.pad(self.skip(Z), (1, 1, 1, 1), mode="reflect")
        # the convolution of both, one upon the other, is the sum of one for each
        weights = self.join[0].get_parameter("weight").split([coarse.shape[1], fine.shape[1]], dim=1)
        x = upsampled_convolution(coarse, weights[0]) + F.conv2d(fine, weights[1])
        return F.softmax(self.up(self.join[1:](x)), dim=1)


def upsampled_convolution(x: Tensor, weight: Tensor) -> Tensor:
    r"""Convolution of side 3 with reflection padding of the bilinear upsampling of `x`, without making that.

    Mixing channels and moving pixels can change places: with the weight :math:`W_k` at each of the nine
    places, the upsampling :math:`U` and the shift :math:`S_k`, :math:`\sum_k W_k S_k U x` is
    :math:`\sum_k S_k U W_k x`, a quarter of the multiplications.

    Parameters
    ----------
    x
        Shape ``(images, inputs, height, width)``.
    weight
        Shape ``(outputs, inputs, 3, 3)``.

    Returns
    -------
    Tensor
        Shape ``(images, outputs, 2 height, 2 width)``, channels last in memory.
    """
    images, _, height, width = x.shape
    outputs = len(weight)
    products = x.permute(0, 2, 3, 1) @ weight.permute(1, 3, 2, 0).flatten(1)
    wide = _Banded.apply(products.view(images, height, 3 * width, -1), *_upsampling(width, x.dtype, x.device))
    # from (row, column, shift) to (row, shift, column): shifts stand beside what they shift
    wide = wide.view(images, height, 2 * width, 3, outputs).transpose(2, 3)
    whole = _Banded.apply(wide.reshape(images, 3 * height, -1), *_upsampling(height, x.dtype, x.device))
    return whole.view(images, 2 * height, 2 * width, outputs).permute(0, 3, 1, 2)


Bands = list[tuple[slice, Tensor]]


@cache
def _upsampling(size: int, dtype: torch.dtype, device: torch.device) -> tuple[Bands, Bands]:
    """Matrix ``(2 size, 3 size)`` that upsamples three lines, shifts them and adds them; its transpose."""
    up = F.interpolate(torch.eye(size)[None], scale_factor=2.0, mode="linear")[0].T
    up = torch.cat([up[1:2], up, up[-2:-1]])  # reflected
    matrix = torch.stack([up[k : k + 2 * size] for k in range(3)], dim=2).flatten(1)
    return _bands(matrix.to(device, dtype)), _bands(matrix.T.to(device, dtype))


def _bands(matrix: Tensor, rows: int = 16) -> Bands:
    """Matrix cut into groups of rows, each without the zeros at its left and right."""
    bands = []
    for first in range(0, len(matrix), rows):
        group = matrix[first : first + rows]
        filled = group.any(dim=0).nonzero()
        columns = slice(int(filled.min()), int(filled.max()) + 1)
        bands.append((columns, group[:, columns].contiguous()))
    return bands


class _Banded(torch.autograd.Function):
    """Product of a matrix, given as bands with its transpose, and the last two axes of a tensor."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, bands: Bands, transposed: Bands) -> Tensor:
        ctx.transposed = transposed
        return torch.cat([band @ x[..., columns, :] for columns, band in bands], dim=-2)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        bands = ctx.transposed
        return torch.cat([band @ gradient[..., columns, :] for columns, band in bands], dim=-2), None, None


class ConfigurablePrior(nn.Module):
    """U-Net with as many encoder as decoder layers, with or without skip connections.

    An encoder layer is a convolution with stride 2, or with stride 1 once the image has been halved
    `scalings` times; a decoder layer the transposed convolution that undoes it (an ordinary one where
    there was no halving), joined by what the skip connection brings, and a convolution that mixes both.

    Parameters
    ----------
    endmembers
        Channels of the input and of the abundances.
    levels
        Number of encoder layers, and of decoder layers.
    skips
        What joins an encoder layer's input to the decoder layer of the same size: nothing, the features
        as they are (``"direct"``), or after one or two convolutions.
    scalings
        How often the image is halved at most.
    filters
        Channels of all hidden layers; the report on UnDIP does not say.

    References
    ----------
    Report on UnDIP, section Configurable Model; Ronneberger, Fischer and Brox, MICCAI 2015 (U-Net).
    """

    def __init__(
        self, endmembers: int, *, levels: int, skips: Skips, scalings: int = 3, filters: int = 64
    ) -> None:
        super().__init__()
        self.skips = skips
        self.multiple = max(8, 2 ** min(levels, scalings))  # the document pads to 8
        self.encoder, self.joins, self.decoder, self.mixers = (nn.ModuleList() for _ in range(4))
        convolutions = {"none": 0, "direct": 0, "one": 1, "two": 2}[skips]
        for level in range(levels):
            inputs = filters if level else endmembers
            halves = level < scalings
            self.encoder.append(block(inputs, filters, 3, stride=2 if halves else 1))
            self.decoder.append(_double(filters) if halves else block(filters, filters, 3))
            # each further convolution keeps the number of channels
            self.joins.append(nn.Sequential(*(block(inputs, inputs, 3) for _ in range(convolutions))))
            self.mixers.append(block(filters + (inputs if skips != "none" else 0), filters, 3))
        self.last = nn.Conv2d(filters, endmembers, 1)

    def forward(self, Z: Tensor) -> Tensor:
        """Abundances of the input ``(images, endmembers, height, width)``, of the same shape."""
        passed, x = [], Z
        for layer in self.encoder:
            passed.append(x)
            x = layer(x)
        layers = zip(self.decoder, self.joins, self.mixers, passed, strict=True)
        for decode, join, mix, features in reversed(list(layers)):
            x = decode(x)
            x = mix(x if self.skips == "none" else torch.cat([x, join(features)], dim=1))
        return F.softmax(self.last(x), dim=1)


def _double(filters: int) -> nn.Sequential:
    """Transposed convolution to twice the size, batch normalisation, leaky ReLU."""
    convolution = nn.ConvTranspose2d(filters, filters, 4, stride=2, padding=1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(filters), nn.LeakyReLU(0.1, inplace=True))


class EndmemberPrior(nn.Module):
    """A network with endmembers that are trained with it.

    Parameters
    ----------
    E
        Endmembers to start from, shape ``(bands, endmembers)``.
    """

    def __init__(self, E: Tensor) -> None:
        super().__init__()
        self.E = nn.Parameter(E.clone())

    def clip(self, *_: Any) -> None:
        """Endmembers back between 0 and 1; a hook for after a step."""
        self.E.data.clamp_(0, 1)


class MinimumSimplexPrior(EndmemberPrior):
    """MiSiCNet: a network for the abundances, and the endmembers, which are trained with it.

    Three convolutions of side 3 without any scaling; beside the first, one of side 1 and few channels.

    Parameters
    ----------
    E
        Endmembers to start from, shape ``(bands, endmembers)``. The input has as many channels as bands.
    filters
        Channels of the hidden layers.
    skip
        Channels of the skip connection.
    leaky
        Whether there is a leaky ReLU before the softmax, too.

    References
    ----------
    Rasti, Koirala, Scheunders and Chanussot, IEEE TGRS 60, 2022 (MiSiCNet).
    """

    #: Height and width must be divisible by it.
    multiple = 1

    def __init__(self, E: Tensor, *, filters: int = 256, skip: int = 4, leaky: bool = False) -> None:
        super().__init__(E)
        bands, endmembers = E.shape
        self.first = block(bands, filters, 3)
        self.skip = block(bands, skip, 1)
        self.join = block(filters + skip, filters, 3)
        self.last = block(filters, endmembers, 3)[: 3 if leaky else 2]

    def forward(self, Z: Tensor) -> Tensor:
        """Abundances of the input ``(images, bands, height, width)``, of its size."""
        wide, few = (F.pad(x, (1, 1, 1, 1), mode="reflect") for x in (self.first(Z), self.skip(Z)))
        # as above; on a CPU the convolution of 260 channels takes a quarter more than those of 256 and of 4
        weights = self.join[0].get_parameter("weight").split([wide.shape[1], few.shape[1]], dim=1)
        x = self.join[1:](F.conv2d(wide, weights[0]) + F.conv2d(few, weights[1]))
        return F.softmax(self.last(x), dim=1)


def parameters(network: nn.Module) -> int:
    """Number of trainable values."""
    return sum(p.numel() for p in network.parameters())
