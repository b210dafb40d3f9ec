r"""Terms that steer the abundances of a nonnegative matrix factorisation.

A multiplicative update of `A` divides what pulls it up by what pulls it down. A term adds to both, and knows
its share of the objective:

.. math:: A \leftarrow A \circ \frac{E^\top Y + \sum_t u_t(A)}{E^\top E A + \sum_t d_t(A)}

With :math:`d_t - u_t` the gradient of its share, and `d_t` not negative, no pass raises the objective.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from hsu_lib.solvers.sparse_maps import spatial_thresholds

#: Added to abundances before their logarithm is taken.
_FINITE = 1e-12
#: Steps of the total variation's dual problem, and share of a map's objective below which a change ends them.
_STEPS, _CHANGE = 10, 1e-4
#: Pixels whose distances to all others are held at a time.
_TOGETHER = 1024


@dataclass(frozen=True)
class Term:
    """What adds nothing: each term says what it does otherwise. `A` has shape ``(endmembers, pixels)``."""

    def up(self, A: Tensor) -> Tensor | float:
        """Added above the line; it is not negative."""
        return 0.0

    def down(self, A: Tensor) -> Tensor | float:
        """Added below the line; it is not negative."""
        return 0.0

    def share(self, A: Tensor) -> float:
        """Share of the objective; 0 also where there is none."""
        return 0.0

    def after(self, A: Tensor) -> Term:
        """The term of the next pass."""
        return self


@dataclass(frozen=True)
class SumToOne(Term):
    r""":math:`\tfrac{\delta^2}2 \sum_n (1 - \mathbf 1^\top a_n)^2`: ASC with a weight, like one more band."""

    weight: float

    def up(self, A: Tensor) -> float:
        return self.weight**2

    def down(self, A: Tensor) -> Tensor:
        return self.weight**2 * A.sum(dim=0)

    def share(self, A: Tensor) -> float:
        return 0.5 * self.weight**2 * float((1 - A.sum(dim=0)).square().sum())


@dataclass(frozen=True)
class Sparse(Term):
    r""":math:`\lambda \sum |a|`, :math:`\lambda \sum \sqrt a` or :math:`\lambda \sum \log(a + \varepsilon)`.

    The logarithm is an l1 norm whose weights are renewed in every pass.

    Parameters
    ----------
    weight
        :math:`\lambda`.
    norm
        Which of them.
    above
        Of the root, only what is larger is pulled down, so that nothing dies for good.
    """

    weight: float
    norm: Literal["l1", "root", "log"]
    above: float = 0.0

    def down(self, A: Tensor) -> Tensor | float:
        match self.norm:
            case "l1":
                return self.weight
            case "root":
                return 0.5 * self.weight * A.rsqrt().masked_fill_(self.above >= A, 0.0)
            case _:
                return self.weight / (A + _FINITE)

    def share(self, A: Tensor) -> float:
        match self.norm:
            case "l1":
                values = A
            case "root":
                values = A.sqrt()
            case _:
                values = (A + _FINITE).log()
        return self.weight * float(values.sum())


@dataclass(frozen=True, eq=False)
class Graph(Term):
    r""":math:`\tfrac\alpha2 \operatorname{Tr} A (D - S) A^\top`: pixels joined by a graph are alike.

    Parameters
    ----------
    weight
        :math:`\alpha`.
    joins
        :math:`S`, symmetric, sparse, shape ``(pixels, pixels)``; `D` holds its sums. `spectral_graph` is one.
    """

    weight: float
    joins: Tensor

    @cached_property
    def degrees(self) -> Tensor:
        """Diagonal of `D`, shape ``(pixels,)``."""
        return torch.sparse.sum(self.joins, dim=1).to_dense()

    def up(self, A: Tensor) -> Tensor:
        return self.weight * (self.joins @ A.T).T

    def down(self, A: Tensor) -> Tensor:
        return self.weight * self.degrees * A

    def share(self, A: Tensor) -> float:
        return 0.5 * float((A * (self.down(A) - self.up(A))).sum())


@dataclass(frozen=True, eq=False)
class Smoothed(Term):
    r""":math:`\tfrac\mu2 \|A - X\|_F^2 + \lambda\,\mathrm{TV}(X)`, with `X` renewed after each pass.

    Parameters
    ----------
    weight
        :math:`\mu`, above 0.
    variation
        :math:`\lambda`.
    shape
        Height and width.
    near
        `X`, shape ``(endmembers, pixels)``; at first the start itself.
    """

    weight: float
    variation: float
    shape: tuple[int, int]
    near: Tensor | None = None

    def up(self, A: Tensor) -> Tensor:
        return self.weight * (A if self.near is None else self.near)

    def down(self, A: Tensor) -> Tensor:
        return self.weight * A

    def share(self, A: Tensor) -> float:
        X = A if self.near is None else self.near
        variation = self.variation * float(torch.hypot(*_gradient(X.view(-1, *self.shape))).sum())
        return 0.5 * self.weight * float((A - X).square().sum()) + variation

    def after(self, A: Tensor) -> Smoothed:
        maps = less_variation(A.view(-1, *self.shape), self.variation / self.weight)
        return replace(self, near=maps.view_as(A))


@dataclass(frozen=True)
class Neighbours(Term):
    r"""An l1 norm with weights that are large where the neighbours of a pixel have little.

    They are renewed in every pass and no gradient of anything, so that no share is known.

    Parameters
    ----------
    weight
        :math:`\lambda`.
    shape
        Height and width.
    rows
        Whether maps of small norm are pulled down more, too, as in `spatial_thresholds`.
    """

    weight: float
    shape: tuple[int, int]
    rows: bool = True

    def down(self, A: Tensor) -> Tensor:
        found = spatial_thresholds(A.view(-1, *self.shape), self.weight).view_as(A)
        return found if self.rows else found * torch.linalg.vector_norm(A, dim=1, keepdim=True)


# --------------------------------------------------------------------------- what they are made of


def sparseness(Y: ArrayLike) -> float:
    r"""Weight of an l1/2 norm from the image: mean sparseness of its bands, times the root of their number.

    .. math:: \hat\lambda = \frac1{\sqrt L} \sum_l \frac{\sqrt N - \|y^l\|_1 / \|y^l\|_2}{\sqrt{N - 1}}

    Bands that are zero throughout are left out of the sum. It does not depend on the unit of the image.

    Parameters
    ----------
    Y
        Image, shape ``(bands, pixels)``.

    References
    ----------
    Qian et al., IEEE TGRS 49(11), 2011, 4282-4297; with N - 1 under the root as in public code.
    """
    Y = np.asarray(Y, dtype=np.float64)
    size, count = np.linalg.norm(Y, axis=1), Y.shape[1]
    ratio = np.abs(Y).sum(axis=1)[size > 0] / size[size > 0]
    return float((np.sqrt(count) - ratio).sum() / np.sqrt(len(Y) * max(count - 1, 1)))


def spectral_graph(Y: Tensor, neighbours: int, width: float) -> Tensor:
    r"""Each pixel joined with those of nearest spectra, by :math:`\exp(-\|y_i - y_j\|^2 / 2t^2)`.

    Two are joined where one is among the nearest of the other.

    Parameters
    ----------
    Y
        Image, shape ``(bands, pixels)``.
    neighbours
        How many; at most all others.
    width
        :math:`t`, in the unit of the image.

    Returns
    -------
    Tensor
        Sparse, symmetric, shape ``(pixels, pixels)``.
    """
    count = Y.shape[1]
    k = min(neighbours, count - 1)
    everyone = torch.arange(count, device=Y.device)
    nearest = []
    for block in everyone.split(_TOGETHER):
        apart = torch.cdist(Y[:, block].T, Y.T)
        apart[everyone[: len(block)], block] = torch.inf
        nearest.append(apart.topk(k, largest=False).indices)
    i, j = everyone.repeat_interleave(k), torch.cat(nearest).flatten()
    pairs = torch.cat([i * count + j, j * count + i]).unique()
    i, j = pairs // count, pairs % count
    weights = (-(Y[:, i] - Y[:, j]).square().sum(dim=0) / (2 * width**2)).exp()
    index = torch.stack([i, j])
    return torch.sparse_coo_tensor(index, weights, (count, count), check_invariants=True).coalesce()


def less_variation(maps: Tensor, weight: float) -> Tensor:
    r"""Near each map one with less total variation.

    .. math:: \arg\min_z \tfrac12\|z - b\|^2 + \tau\,\mathrm{TV}(z) \quad\text{for each map } b

    Isotropic, with differences to the next row and column that are zero at the last ones. At most ten steps
    of the dual problem, fewer where a map's objective hardly changes, as public code takes them: near the
    minimum, not at it.

    Parameters
    ----------
    maps
        Shape ``(maps, height, width)``.
    weight
        :math:`\tau`.

    References
    ----------
    Beck and Teboulle, IEEE TIP 18(11), 2009, 2419-2434.
    """
    return torch.stack([_of_less_variation(b, weight) for b in maps]) if weight else maps


def _of_less_variation(b: Tensor, weight: float) -> Tensor:
    """A single map: what it takes stays in the cache."""
    dual = ahead = torch.zeros_like(b), torch.zeros_like(b)
    z, age, last = b, 1.0, torch.inf
    for _ in range(_STEPS):
        z = torch.add(b, _gradient_adjoint(*ahead), alpha=-weight)
        slopes = _gradient(z)
        objective = 0.5 * float((z - b).square_().sum()) + weight * float(torch.hypot(*slopes).sum())
        if abs(objective - last) < _CHANGE * objective:
            break
        longer = [torch.add(p, s, alpha=1 / (8 * weight)) for p, s in zip(ahead, slopes, strict=True)]
        size = torch.hypot(*longer).clamp_min_(1)
        new = longer[0].div_(size), longer[1].div_(size)
        momentum = (age - 1) / (age + 0.5)
        ahead = torch.lerp(dual[0], new[0], 1 + momentum), torch.lerp(dual[1], new[1], 1 + momentum)
        dual, last, age = new, objective, age + 0.5
    return z


def _gradient(maps: Tensor) -> tuple[Tensor, Tensor]:
    """To the next row and column, 0 at the last ones."""
    down, across = torch.zeros_like(maps), torch.zeros_like(maps)
    torch.sub(maps[..., 1:, :], maps[..., :-1, :], out=down[..., :-1, :])
    torch.sub(maps[..., 1:], maps[..., :-1], out=across[..., :-1])
    return down, across


def _gradient_adjoint(down: Tensor, across: Tensor) -> Tensor:
    found = torch.zeros_like(down)
    found[..., 1:, :] += down[..., :-1, :]
    found[..., :-1, :] -= down[..., :-1, :]
    found[..., 1:] += across[..., :-1]
    found[..., :-1] -= across[..., :-1]
    return found
