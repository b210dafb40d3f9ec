r"""Abundances of pixels with endmembers of their own, smooth over the image: all pixels in one splitting.

.. math:: \min_A \sum_n \tfrac12 \|y_n - S_n a_n\|^2 + \text{roughness of the maps}
          \quad\text{s.t.}\quad A \ge 0,\ \mathbf 1^\top A = \mathbf 1^\top
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch
from scipy.fft import dct
from torch import Tensor
from torch.nn.functional import softshrink

from hsu_lib.solvers.sparse_maps import curvature, differences, differences_adjoint

#: First step; how many times larger one residual is than the other when the step is doubled or halved; and up
#: to which pass: the multipliers are not scaled with it, and with a constant step it converges.
_STEP, _APART, _ADAPTED = 10.0, 10.0, 20
#: Of the splitting that ends early: passes, absolute and relative tolerance, by how much the step grows.
_PASSES, _LOOSE, _CLOSE, _GROWTH = 100, 1e-2, 1e-4, 1.1


class Roughness(Protocol):
    """A penalty of maps ``(endmembers, height, width)``; it may keep copies of what it is a norm of."""

    def smooth(self, near: Tensor, step: float) -> tuple[Tensor, float]:
        """Maps near others, at that step; and the squared norm by which its copies are off."""


class Variation:
    r"""Total variation :math:`\lambda \sum (|\nabla_h| + |\nabla_v|)`; neighbours wrap around.

    Parameters
    ----------
    weight
        :math:`\lambda`.
    maps
        Where it starts, shape ``(endmembers, height, width)``.
    """

    def __init__(self, weight: float, maps: Tensor) -> None:
        self.weight = weight
        height, width = maps.shape[1:]
        self.spectrum = (1 / (1 + curvature((height, width)))).to(maps)
        self.copies = list(differences(maps))
        self.multipliers = [torch.zeros_like(copy) for copy in self.copies]

    def smooth(self, near: Tensor, step: float) -> tuple[Tensor, float]:
        """One step of each copy."""
        pulls = [copy + d for copy, d in zip(self.copies, self.multipliers, strict=True)]
        target = near + differences_adjoint(pulls[0], pulls[1])
        maps = torch.fft.irfft2(torch.fft.rfft2(target) * self.spectrum, s=near.shape[1:])
        off = 0.0
        for k, slope in enumerate(differences(maps)):
            self.copies[k] = softshrink(slope - self.multipliers[k], self.weight / step)
            apart = self.copies[k] - slope
            self.multipliers[k] += apart
            off += float(apart.square().sum())
        return maps, off


class Squares:
    r"""Squared differences :math:`\alpha \sum (\nabla_h^2 + \nabla_v^2)`; nothing is beyond the borders.

    Parameters
    ----------
    weight
        :math:`\alpha`.
    maps
        Any of their shape, ``(endmembers, height, width)``.
    """

    def __init__(self, weight: float, maps: Tensor) -> None:
        self.weight = weight
        sides = maps.shape[1:]
        # cosines: what such differences of squares are diagonal in
        self.waves = [torch.from_numpy(dct(np.eye(n), axis=0, norm="ortho")).to(maps) for n in sides]
        rows, columns = (2 - 2 * torch.cos(torch.pi * torch.arange(n) / n) for n in sides)
        self.curvature = (rows[:, None] + columns).to(maps)

    def smooth(self, near: Tensor, step: float) -> tuple[Tensor, float]:
        """Exact, so that nothing is off."""
        down, across = self.waves
        shares = down @ near @ across.T / (1 + 2 * self.weight / step * self.curvature)
        return down.T @ shares @ across, 0.0

    def value(self, maps: Tensor) -> float:
        """The penalty."""
        squares = maps.diff(dim=1).square().sum() + maps.diff(dim=2).square().sum()
        return self.weight * float(squares)


def smooth_abundances(
    gram: Tensor,
    products: Tensor,
    start: Tensor,
    shape: tuple[int, int],
    roughness: Roughness,
    *,
    tolerance: float = 1e-2,
    iterations: int = 100,
) -> Tensor:
    r"""Abundances by splitting, with ASC exact in every pass and ANC in the limit.

    Stopping and steps are those of the public code of ELMM, whose multipliers are not scaled with the step;
    but after a few passes, more than it makes on images, the step stays.

    Parameters
    ----------
    gram, products
        :math:`S_n^\top S_n` and :math:`S_n^\top y_n`, shapes ``(pixels, endmembers, endmembers)`` and
        ``(pixels, endmembers)``.
    start
        Shape ``(endmembers, pixels)``.
    shape
        Height and width.
    roughness
        The penalty, of the maps `start`.
    tolerance
        Of both residuals, absolute per entry and relative.
    iterations
        At most so many passes.

    Returns
    -------
    Tensor
        Shape of `start`; negative by as much as the tolerance allows.

    References
    ----------
    Drumetz et al., IEEE TIP 25(8), 2016, 3890-3905.
    """
    A, smooth, positive = start, start, start
    d_smooth, d_positive = torch.zeros_like(A), torch.zeros_like(A)
    step, entries, size, pull, solved = _STEP, A.numel(), 0.0, 0.0, 0.0
    unit = torch.eye(len(A), dtype=A.dtype, device=A.device)
    for count in range(iterations):
        if solved != step:
            inverse, solved = torch.linalg.inv(gram + 2 * step * unit), step
            towards = inverse.sum(dim=2)  # a change of the sum
        near = (smooth + d_smooth + positive + d_positive).T
        free = (inverse @ (products + step * near)[:, :, None])[:, :, 0]
        short = (1 - free.sum(dim=1)) / towards.sum(dim=1)
        A = (free + short[:, None] * towards).T
        before = smooth, positive
        maps, off = roughness.smooth((A - d_smooth).reshape(-1, *shape), step)
        smooth = maps.reshape(A.shape)
        positive = (A - d_positive).clamp_min(0)
        parts = smooth - A, positive - A
        d_smooth, d_positive = d_smooth + parts[0], d_positive + parts[1]
        primal = (off + sum(float(part.square().sum()) for part in parts)) ** 0.5
        moved = sum(
            float((x - old).square().sum()) for x, old in zip((smooth, positive), before, strict=True)
        )
        dual = step * moved**0.5
        if (
            count > 0
            and primal < tolerance * ((4 * entries) ** 0.5 + size)
            and dual < tolerance * (entries**0.5 + step * pull)
        ):
            break
        copies = off + float(smooth.square().sum() + positive.square().sum())
        size = max(2**0.5 * float(A.norm()), copies**0.5)
        pull = (float(d_smooth.norm()) + float(d_positive.square().sum())) ** 0.5
        if count < _ADAPTED and primal > _APART * dual:
            step *= 2
        elif count < _ADAPTED and dual > _APART * primal:
            step /= 2
    return A


def loose_abundances(
    gram: Tensor, products: Tensor, start: Tensor, shape: tuple[int, int], weight: float, bands: int
) -> Tensor:
    r"""Abundances with squared differences to neighbours, by a splitting that ends early, as in public code.

    Both constraints are met by copies only, with a step so small that the first pass is nearly least squares
    without any; residuals of a hundredth end it, and the step only grows. Sums are off by up to 2 percent.
    Neighbours are those of the start; the code goes over the pixels one by one.

    Parameters
    ----------
    gram, products, start, shape
        As in `smooth_abundances`.
    weight
        :math:`\alpha`, of a pixel's difference to each neighbour.
    bands
        How many there are: the first step depends on it.

    Returns
    -------
    Tensor
        Shape of `start`.

    References
    ----------
    Thouvenin, Dobigeon and Tourneret, IEEE TSP 64(2), 2016, 525-538 (version 1.0 of its code).
    """
    count = len(start)
    maps = torch.stack([start, torch.ones_like(start)]).reshape(2, count, *shape)
    around = torch.zeros_like(maps)
    for dim in (2, 3):
        last = maps.shape[dim] - 1
        around.narrow(dim, 0, last).add_(maps.narrow(dim, 1, last))
        around.narrow(dim, 1, last).add_(maps.narrow(dim, 0, last))
    near, degrees = around.reshape(2, count, -1)
    G, B = gram + torch.diag_embed(weight * degrees.T), products + weight * near.T
    both = torch.cat([torch.eye(count, dtype=G.dtype, device=G.device), G.new_ones((1, count))])
    A = start.T.clone()
    copy = torch.cat([A.clamp_min(0), torch.ones_like(A[:, :1])], dim=1)
    d, step = torch.zeros_like(copy), copy.new_full((len(A), 1), 1e-4 * bands / (count + 1))
    todo = torch.arange(len(A), device=A.device)
    for _ in range(_PASSES):
        rho = step[todo]
        right = B[todo] + rho * ((copy[todo] - d[todo]) @ both)
        A[todo] = torch.linalg.solve(G[todo] + rho[:, :, None] * (both.T @ both), right)
        values, before = A[todo] @ both.T, copy[todo]
        new = values + d[todo]
        new[:, :-1].clamp_min_(0)
        new[:, -1] = 1
        copy[todo], d[todo] = new, d[todo] + values - new
        primal = (values - new).norm(dim=1, keepdim=True)
        dual = rho * ((new - before) @ both).norm(dim=1, keepdim=True)
        size = torch.maximum(values.norm(dim=1, keepdim=True), new.norm(dim=1, keepdim=True))
        pull = rho * (d[todo] @ both).norm(dim=1, keepdim=True)
        done = (primal < _LOOSE * (count + 1) ** 0.5 + _CLOSE * size) & (
            dual < _LOOSE * count**0.5 + _CLOSE * pull
        )
        grows = torch.where((primal > _APART * dual) | (dual > _APART * primal), _GROWTH, 1.0)
        step[todo], d[todo] = rho * grows, d[todo] / grows
        todo = todo[~done[:, 0]]
        if not len(todo):
            break
    return A.T
