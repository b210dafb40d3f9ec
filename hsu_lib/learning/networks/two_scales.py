"""Networks with one step down, one up and a skip connection: HapkeCNN's and SUnCNN's."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hsu_lib.learning.networks.prior import EndmemberPrior, block, upsampled_convolution

#: What batch normalisations add to variances.
_EPS = 1e-5


class IntimatePrior(EndmemberPrior):
    """HapkeCNN: a network for the abundances, and the endmembers, which are trained with it.

    One step down, one up, one skip connection of few channels; both are normalised once more where they join.

    Parameters
    ----------
    E
        Endmembers to start from, shape ``(bands, endmembers)``. The input has as many channels as bands.
    filters
        Channels of the hidden layers.
    skip
        Channels of the skip connection.

    References
    ----------
    Rasti, Koirala and Scheunders, "HapkeCNN: blind nonlinear unmixing for intimate mixtures using Hapke
    model and convolutional neural network", IEEE TGRS 60, 2022.
    """

    #: Height and width must be divisible by it.
    multiple = 2

    def __init__(self, E: Tensor, *, filters: int = 256, skip: int = 4) -> None:
        super().__init__(E)
        bands, endmembers = E.shape
        self.skip = block(bands, skip, 1)
        self.down = nn.Sequential(block(bands, filters, 3, stride=2), block(filters, filters, 3))
        self.up = nn.Sequential(
            nn.BatchNorm2d(skip + filters),
            block(skip + filters, filters, 3),
            nn.Conv2d(filters, endmembers, 1),
        )

    def forward(self, Z: Tensor) -> Tensor:
        """Abundances of the input ``(images, bands, height, width)``, of its size."""
        deep = F.interpolate(self.down(Z), scale_factor=2.0, mode="bilinear", align_corners=True)
        return F.softmax(self.up(torch.cat([self.skip(Z), deep], dim=1)), dim=1)


class LibraryPrior(nn.Module):
    """SUnCNN: a network for the abundances of all spectra of a library.

    One step down, one up, one skip connection of few channels; both are normalised once more where they join.

    Parameters
    ----------
    inputs, spectra
        Channels of the input and of the abundances.
    filters
        Channels of the hidden layers.
    skip
        Channels of the skip connection.
    slope
        Of the leaky ReLU below zero; 0 for a ReLU.

    References
    ----------
    Rasti and Koirala, IEEE GRSL 19, 2022 (SUnCNN).
    """

    #: Height and width must be divisible by it.
    multiple = 2

    def __init__(
        self, inputs: int, spectra: int, *, filters: int = 256, skip: int = 4, slope: float = 0.1
    ) -> None:
        super().__init__()
        self.skip = block(inputs, skip, 1, slope=slope)
        self.down = nn.Sequential(
            block(inputs, filters, 3, stride=2, slope=slope), block(filters, filters, 3, slope=slope)
        )
        self.scale = nn.Parameter(torch.ones(skip + filters))
        self.join = block(skip + filters, filters, 3, slope=slope)
        self.mix = block(filters, filters, 1, slope=slope)
        self.last = nn.Conv2d(filters, spectra, 1)

    def forward(self, Z: Tensor) -> Tensor:
        """Abundances of the input ``(images, inputs, height, width)``, of its size."""
        fine, coarse = self.skip[1:](pointwise(Z, self.skip[0].get_parameter("weight"))), self.down(Z)
        # where they join, a normalisation comes before a convolution that is normalised, too: what is taken
        # away there would be taken away here, so it is no more than a factor of the weights
        spread = torch.cat([fine.var(dim=(0, 2, 3), correction=0), upsampled_variance(coarse)])
        weight = self.join[0].get_parameter("weight") * (self.scale / (spread + _EPS).sqrt())[:, None, None]
        weights = weight.split([fine.shape[1], coarse.shape[1]], dim=1)
        x = F.conv2d(F.pad(fine, (1, 1, 1, 1), mode="reflect"), weights[0])
        x = self.join[1:](x + upsampled_convolution(coarse, weights[1]))
        x = self.mix[1:](pointwise(x, self.mix[0].get_parameter("weight")))
        A = F.linear(x.permute(0, 2, 3, 1), self.last.weight.flatten(1), self.last.bias)
        return A.softmax(dim=-1).permute(0, 3, 1, 2)


def pointwise(x: Tensor, weight: Tensor) -> Tensor:
    """Convolution of side 1, as one product where channels are last in memory."""
    return F.linear(x.permute(0, 2, 3, 1), weight.flatten(1)).permute(0, 3, 1, 2)


def upsampled_variance(x: Tensor) -> Tensor:
    r"""Variance of each channel of the bilinear upsampling of `x`, without making that.

    The upsampling keeps the mean. Along an axis of `n` values, with the differences :math:`\partial` of
    neighbours, the sum of the `2n` squares is :math:`2\|x\|^2 - \tfrac38\|\partial x\|^2`.

    Parameters
    ----------
    x
        Shape ``(images, channels, height, width)``.

    Returns
    -------
    Tensor
        Shape ``(channels,)``, the number of values not corrected.
    """

    def squares(y: Tensor) -> Tensor:
        return y.square().sum(dim=(0, 2, 3))

    x = x - x.mean(dim=(0, 2, 3), keepdim=True)
    down, across, lost = x.diff(dim=2), x.diff(dim=3), 3 / 16
    total = squares(x) - lost * (squares(down) + squares(across)) + lost**2 * squares(down.diff(dim=3))
    return total / (x.numel() / x.shape[1])
