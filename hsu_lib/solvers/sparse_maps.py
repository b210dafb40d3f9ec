r"""Sparse regression with a library in which neighbouring pixels matter: total variation, spatial weights.

Abundances are maps here, shape ``(atoms, height, width)``. Both methods split `DX` from the image, at a
constant step, so that one factorisation serves all iterations. Neither `DX` nor any other array of the bands
is kept: of the copy of `DX` and its multiplier only the products with the library enter, and they follow
from the system that has just been solved.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from hsu_lib.solvers.sparse import Products

#: Weights of the eight neighbours of `neighbours`: 1 at the sides, less in the corners.
_CORNER = 2**-0.5
#: Share by which S2WSU's weights are kept finite.
_FINITE = 0.01
#: Iterations between two looks at residuals or objective, and looks between which the objective is compared.
_EVERY, _LOOK, _LOOKS = 10, 100, 10
#: Root mean square over the pixels of all residuals, and share of the objective: it has converged below.
_RESIDUAL, _GAIN = 1e-5, 1e-6


class Iterates(NamedTuple):
    """What splitting ends with, shape ``(atoms, pixels)``.

    Parameters
    ----------
    X
        Abundances as the public code returns them: the constraints are met in the limit only.
    sparse
        Their copy on which the l1 penalty acts: most of it is zero.
    converged, iterations
        Whether a stopping rule was met, and after how many iterations.
    """

    X: Tensor
    sparse: Tensor
    converged: bool
    iterations: int


class _Fit:
    """The copy `V` of `DX` and its multiplier `d`, of which only ``D'(V + d)`` is known, and ``D'd``.

    Parameters
    ----------
    given
        Products of image and library.
    step
        Constant step.
    copies
        How many further copies of `X` there are: the system is ``G + copies I``.
    """

    def __init__(self, given: Products, step: float, copies: int) -> None:
        self.B, self.step, self.copies = given.B, step, copies
        unit = torch.eye(len(given.G), dtype=given.G.dtype, device=given.G.device)
        factor = torch.linalg.cholesky((given.G + copies * unit).double())
        self.inverse = torch.cholesky_inverse(factor).to(given.G.dtype)
        self.start = self.inverse @ given.B
        self.multiplier = torch.zeros_like(given.B)
        self.sum = given.B - copies * self.start  # D'DX, by the system
        self.moved = torch.zeros_like(given.B)

    def solve(self, others: Tensor) -> Tensor:
        """Next `X`, given the sum of the other copies and multipliers; then the own copy and multiplier."""
        right = self.sum.add_(others)
        X = self.inverse @ right
        slope = right.sub_(X, alpha=self.copies).sub_(self.multiplier)  # D'(DX - d)
        last = self.multiplier
        self.multiplier = (self.B - slope).div_(1 + self.step)
        self.moved = last - self.multiplier  # D'(DX - V)
        self.sum = slope.mul_(self.step - 1).add_(self.B, alpha=2).div_(1 + self.step)
        return X


# --------------------------------------------------------------------------- total variation


def differences(X: Tensor) -> tuple[Tensor, Tensor]:
    """To the next column and row of maps ``(..., height, width)``; the last is followed by the first."""
    return X.roll(-1, -1) - X, X.roll(-1, -2) - X


def differences_adjoint(H: Tensor, V: Tensor) -> Tensor:
    """Transpose of `differences`."""
    return (H.roll(1, -1) - H).add_(V.roll(1, -2)).sub_(V)


def total_variation(X: Tensor, *, isotropic: bool = False) -> float:
    """Sum over all maps ``(atoms, height, width)`` of their absolute differences, or of their norms."""
    h, v = differences(X)
    return float((torch.hypot(h, v) if isotropic else h.abs() + v.abs()).sum())


def sunsal_tv(
    given: Products,
    shape: tuple[int, int],
    sparsity: float,
    variation: float,
    *,
    isotropic: bool = False,
    step: float = 0.05,
    iterations: int = 200,
    converge: bool = False,
    anc: bool = True,
    label: str | None = None,
) -> Iterates:
    r"""Sparse unmixing with total variation, as in its public code.

    .. math:: \min_X \tfrac12\|Y - DX\|_F^2 + \lambda \|X\|_1 + \lambda_{TV}\,\mathrm{TV}(X)
              \quad\text{s.t.}\quad X \ge 0

    with differences of neighbours that wrap around at the borders.

    Parameters
    ----------
    given
        Products of image and library.
    shape
        Height and width; pixels in row-major order.
    sparsity, variation
        :math:`\lambda` and :math:`\lambda_{TV}`.
    isotropic
        Whether the norm of both differences counts, instead of the sum of their sizes.
    step
        Constant step: the iterates depend on it strongly, the minimum does not.
    iterations
        At most so many.
    converge
        Whether to go on until a thousand iterations lower the objective by less than a millionth; else it
        stops where the residuals are small, as measured in products with the library.
    anc
        Whether abundances must not be negative.
    label
        Text of a progress bar, or None.

    References
    ----------
    Iordache, Bioucas-Dias and Plaza, IEEE TGRS 50(11), 2012, 4484-4502.
    """
    fit, maps = _Fit(given, step, 3), (len(given.G), *shape)
    X = fit.start.view(maps)
    sparse, smooth = X, X
    clip, shrink, same = (
        torch.zeros_like(X) for _ in range(3)
    )  # multipliers: ANC, l1, the copy with differences
    h, v = differences(X)
    across, down = torch.zeros_like(h), torch.zeros_like(v)  # and of the differences
    others = 3 * X
    spectrum = _periodic(shape, X)
    enough, found = _RESIDUAL * (shape[0] * shape[1]) ** 0.5, [float("inf")]
    with tqdm(total=iterations, desc=label, disable=label is None) as bar:
        for count in range(1, iterations + 1):
            X = fit.solve(others.view(len(others), -1)).view(maps)
            low = X - clip
            copy = low.clamp(min=0) if anc else low
            clip = copy - low
            over = X - shrink
            shrink = -over.clamp(-sparsity / step, sparsity / step)
            sparse = over + shrink
            near = X - same
            target = differences_adjoint(h + across, v + down).add_(near)
            smooth = torch.fft.irfft2(torch.fft.rfft2(target).mul_(spectrum), s=shape)
            same = smooth - near
            h, v = differences(smooth)
            h, v, across, down = _shortened(h.sub_(across), v.sub_(down), variation / step, isotropic)
            others = (copy + clip).add_(sparse).add_(shrink).add_(smooth).add_(same)
            bar.update()
            if not converge and count % _EVERY == 1:
                apart = (X - copy, X - sparse, X - smooth, fit.moved)
                if sum(float(part.norm()) for part in apart) <= enough:
                    return Iterates(X.flatten(1), sparse.flatten(1), True, count)
            if converge and count % _LOOK == 0:
                state = sparse.clamp(min=0) if anc else sparse
                penalty = variation * total_variation(state, isotropic=isotropic)
                found.append(_misfit(given, state.flatten(1)) + sparsity * float(state.abs().sum()) + penalty)
                if abs(found[max(0, len(found) - 1 - _LOOKS)] - found[-1]) <= _GAIN * abs(found[-1]):
                    return Iterates(X.flatten(1), sparse.flatten(1), True, count)
    return Iterates(X.flatten(1), sparse.flatten(1), False, iterations)


def _misfit(given: Products, X: Tensor) -> float:
    """Half the squared residual, less half the squared image."""
    return float((X * (0.5 * (given.G @ X) - given.B)).sum())


def _periodic(shape: tuple[int, int], like: Tensor) -> Tensor:
    """Inverse of one plus the differences' square in the transform of `torch.fft.rfft2`."""
    height, width = shape
    rows = 2 - 2 * torch.cos(2 * torch.pi * torch.fft.fftfreq(height, dtype=torch.float64))
    columns = 2 - 2 * torch.cos(2 * torch.pi * torch.fft.rfftfreq(width, dtype=torch.float64))
    return (1 / (1 + rows[:, None] + columns)).to(like)


def _shortened(h: Tensor, v: Tensor, by: float, isotropic: bool) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Differences shortened by so much, together or each by itself, and the next multipliers."""
    if isotropic:
        lost = (by / torch.hypot(h, v).clamp_min(torch.finfo(h.dtype).tiny)).clamp(max=1)
        off = h * lost, v * lost
    else:
        off = h.clamp(-by, by), v.clamp(-by, by)
    return h.sub_(off[0]), v.sub_(off[1]), -off[0], -off[1]


# --------------------------------------------------------------------------- spatial weights


def neighbours(X: Tensor) -> Tensor:
    """Weighted mean of eight neighbours in maps ``(atoms, height, width)``; beyond the border they are 0."""
    kernel = X.new_tensor([[_CORNER, 1, _CORNER], [1, 0, 1], [_CORNER, 1, _CORNER]]) / (4 + 4 * _CORNER)
    return F.conv2d(X[:, None], kernel[None, None], padding=1)[:, 0]


def spatial_thresholds(X: Tensor, weight: float) -> Tensor:
    """By how much each abundance is shortened: more in maps of small norm, and where neighbours are small."""
    size = (_FINITE + neighbours(X).abs()) * torch.linalg.vector_norm(X, dim=(1, 2), keepdim=True)
    return weight / size.clamp_min(torch.finfo(X.dtype).tiny)  # huge where a map is all zero


def s2wsu(
    given: Products,
    shape: tuple[int, int],
    weight: float,
    *,
    step: float = 0.5,
    rounds: int = 60,
    iterations: int = 5,
    thresholds: Callable[[Tensor, float], Tensor] = spatial_thresholds,
    label: str | None = None,
) -> Iterates:
    r"""Spectral-spatial weighted sparse unmixing, as in its public code: a fixed number of rounds.

    .. math:: \min_X \tfrac12\|Y - DX\|_F^2 + \lambda \sum_{kj} W_{kj} |X_{kj}|
              \quad\text{s.t.}\quad X \ge 0

    with weights, the inverse of the norm of an atom's map times the mean of a pixel's neighbours in it, that
    are set anew in every round.

    Parameters
    ----------
    given, shape, step, label
        See `sunsal_tv`.
    weight
        :math:`\lambda`.
    rounds, iterations
        How often the weights are set, and iterations with each.
    thresholds
        From maps and ``weight / step`` to what abundances are shortened by.

    References
    ----------
    Zhang et al., IEEE TGRS 56(6), 2018, 3265-3276.
    """
    fit, maps = _Fit(given, step, 2), (len(given.G), *shape)
    X = fit.start.view(maps)
    sparse, others = X, 2 * X
    clip, shrink = torch.zeros_like(X), torch.zeros_like(X)
    for _ in tqdm(range(rounds), desc=label, disable=label is None):
        limit = thresholds(sparse - shrink, weight / step)
        for _ in range(iterations):
            X = fit.solve(others.view(len(others), -1)).view(maps)
            low, over = X - clip, X - shrink
            clip = (-low).clamp_(min=0)
            shrink = -over.clamp(-limit, limit)
            sparse = over + shrink
            others = low.abs_().add_(sparse).add_(shrink)
    return Iterates(X.flatten(1), sparse.flatten(1), True, rounds * iterations)
