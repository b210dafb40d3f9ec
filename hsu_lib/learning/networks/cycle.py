"""CyCUNet: an autoencoder whose reconstruction goes through the same encoder once more."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

#: Squared singular values below this share of the largest are zero: nuclear norms have no gradient there.
_RANK = 1e-12


class Pass(NamedTuple):
    """Abundances ``(pixels, endmembers)`` and endmembers ``(bands, endmembers)`` of a pass."""

    A: Tensor
    E: Tensor


class CycleAutoencoder(nn.Module):
    """One encoder for both passes, and a linear decoder for each, both started at the same endmembers.

    Encoder, pixel by pixel: to 128, batch norm, dropout, ReLU; to 64, batch norm, ReLU; to the endmembers,
    batch norm; then cut to values from 0 to 1. No biases: batch norm would take them away again, and new
    statistics of it weigh 0.9. Nothing makes abundances sum to one but the loss. The ReLU after each decoder
    is left out: where abundances and endmembers are not negative it does nothing.

    Parameters
    ----------
    E
        Endmembers to start from, shape ``(bands, endmembers)``.
    dropout
        Probability with which a value of the first layer is dropped in training.

    References
    ----------
    Gao, Han, Hong, Zhang and Chanussot, "CyCU-Net: Cycle-consistency unmixing network by learning cascaded
    autoencoders", IEEE TGRS 60, 2022, 5503914.
    """

    #: Where the decoders' weights, which are endmembers, are kept.
    BOUNDS = (1e-6, 1.0)

    def __init__(self, E: Tensor, *, dropout: float = 0.5) -> None:
        super().__init__()
        bands, endmembers = E.shape
        self.first = _linear(bands, 128)
        self.rest = nn.Sequential(
            nn.BatchNorm1d(128, momentum=0.9),
            Dropout(dropout),
            nn.ReLU(inplace=True),
            _linear(128, 64),
            nn.BatchNorm1d(64, momentum=0.9),
            nn.ReLU(inplace=True),
            _linear(64, endmembers),
            nn.BatchNorm1d(endmembers, momentum=0.9),
        )
        self.decoders = nn.ParameterList([E.clone(), E.clone()])

    def encode(self, Y: Tensor) -> Tensor:
        """Abundances ``(pixels, endmembers)`` of spectra ``(pixels, bands)``, from 0 to 1, with any sum."""
        return self.rest(self.first(Y)).clamp(0, 1)

    def forward(self, Y: Tensor) -> tuple[Pass, Pass]:
        """Both passes of spectra ``(pixels, bands)``."""
        A = self.encode(Y)
        once, again = self.decoders
        # the first layer of a mixture is the mixture of the first layer of the endmembers, which are few
        return Pass(A, once), Pass(self.rest(A @ self.first(once.T)).clamp(0, 1), again)

    @torch.no_grad()
    def bound(self) -> None:
        """Bring the decoders' weights back between their bounds."""
        for E in self.decoders:
            E.clamp_(*self.BOUNDS)


class Dropout(nn.Dropout):
    """Torch's, with uniform numbers: on a CPU they take 3 ms for 9025 pixels where its own take 15 ms."""

    def forward(self, x: Tensor) -> Tensor:
        """Values dropped or divided by the probability to stay, in training."""
        return x * torch.rand_like(x).ge_(self.p).div_(1 - self.p) if self.training else x


def _linear(inputs: int, outputs: int) -> nn.Linear:
    layer = nn.Linear(inputs, outputs, bias=False)
    nn.init.kaiming_normal_(layer.weight)
    return layer


def nuclear_norm(A: Tensor) -> Tensor:
    """Sum of the singular values of ``(pixels, endmembers)``, by the small matrix of their squares.

    Where singular values are zero it has the subgradient zero in their directions.
    """
    X = A.double()  # squares need twice the digits
    squares = torch.linalg.eigvalsh(X.T @ X)
    positive = squares > _RANK * squares[-1]
    return (torch.where(positive, squares, 1.0).sqrt() * positive).sum().to(A.dtype)


def reconstruction_error(Y: Tensor, made: Pass) -> Tensor:
    """Mean squared error of a pass; as a norm, which reads the large image half as often as torch's loss."""
    return torch.linalg.vector_norm(torch.addmm(Y, made.A, made.E.T, alpha=-1)).square() / Y.numel()


def cycle_loss(
    Y: Tensor, once: Pass, again: Pass, *, balance: float, cycles: float, sums: float, rank: float
) -> Tensor:
    r"""Loss of both passes.

    .. math:: \beta\,\mathrm{MSE}(Y_1, Y) + (1 - \beta)\,\mathrm{MSE}(Y_2, Y) + \delta\,\mathrm{MSE}(A_1, A_2)
              + \gamma \sum_{i, n} |1 - \mathbf 1^\top a_{i, n}| + \sigma (\|A_1\|_* + \|A_2\|_*)

    Parameters
    ----------
    Y
        Image, shape ``(pixels, bands)``.
    once, again
        Both passes.
    balance, cycles, sums, rank
        The weights beta, delta, gamma and sigma.
    """
    both = torch.stack([once.A, again.A])
    return (
        balance * reconstruction_error(Y, once)
        + (1 - balance) * reconstruction_error(Y, again)
        + cycles * F.mse_loss(once.A, again.A)
        + sums * (1 - both.sum(dim=2)).abs().sum()
        + rank * (nuclear_norm(once.A) + nuclear_norm(again.A) if rank else 0.0)
    )
