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

#: Weight of a neighbour at a corner; that of one at a side is 1.
_CORNER = 2**-0.5
#: Added to neighbours so that weights stay finite.
_FINITE = 0.01
#: Values of some maps that are taken together on a CPU; all arrays of them fit in its cache.
_CACHED = 2**15
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


class _Splitting:
    """Copies of `X`, and one of `DX`, each with a multiplier, as they are stepped through.

    Of the copy `V` of `DX` and its multiplier `d` only ``D'(V + d)`` and ``D'd`` are needed. Between two
    products the maps of a few atoms are taken at a time, in places that are there already: what is made of
    them stays in the cache, and memory asked for anew would take ten times as long as what is done in it.

    Parameters
    ----------
    given
        Products of image and library.
    shape
        Height and width.
    step
        Constant step.
    copies
        How many copies of `X` there are: the system is ``G + copies I``.
    """

    def __init__(self, given: Products, shape: tuple[int, int], step: float, copies: int) -> None:
        self.B, self.shape, self.step, self.copies = given.B, shape, step, copies
        unit = torch.eye(len(given.G), dtype=given.G.dtype, device=given.G.device)
        factor = torch.linalg.cholesky((given.G + copies * unit).double())
        self.inverse = torch.cholesky_inverse(factor).to(given.G.dtype)
        self.X = self.inverse @ given.B
        self.right = given.B.clone()  # of the system: that of D'DX and all copies, which are X
        self.multiplier = torch.zeros_like(given.B)
        atoms, pixels = given.B.shape
        together = max(1, _CACHED // pixels) if given.B.device.type == "cpu" else atoms
        self.blocks = [slice(k, k + together) for k in range(0, atoms, together)]
        self.places = [given.B.new_empty(min(together, atoms), *shape) for _ in range(6)]

    @property
    def maps(self) -> Tensor:
        """`X`, shape ``(atoms, height, width)``."""
        return self.X.view(-1, *self.shape)

    def advance(self, update: Callable[[slice, Tensor, list[Tensor]], Tensor], *, watched: bool) -> float:
        """Next `X`, copies and multipliers; returns the squared norm of ``D'(DX - V)`` where it is watched.

        `update` is given some maps and five arrays of their shape to work in, and makes the next copies; it
        returns, in one of these, the sum of all copies and their multipliers.
        """
        torch.mm(self.inverse, self.right, out=self.X)
        moved, share = 0.0, 1 / (1 + self.step)
        for rows in self.blocks:
            x, B, multiplier = self.X[rows], self.B[rows], self.multiplier[rows]
            new, *others = (place[: len(x)] for place in self.places)
            new = new.view_as(x)
            slope = self.right[rows].sub_(x, alpha=self.copies).sub_(multiplier)  # D'(DX - d)
            torch.sub(B, slope, out=new).mul_(share)
            if watched:
                moved += float(multiplier.sub(new).square_().sum())
            multiplier.copy_(new)
            slope.mul_((self.step - 1) * share).add_(B, alpha=2 * share)  # D'(V + d)
            slope.add_(update(rows, x.view(-1, *self.shape), others).view_as(slope))
        return moved


# --------------------------------------------------------------------------- total variation


def differences(X: Tensor, out: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, Tensor]:
    """To the next column and row of maps ``(..., height, width)``; the last is followed by the first."""
    across, down = out or (torch.empty_like(X), torch.empty_like(X))
    for dim, found in ((-1, across), (-2, down)):
        last = X.shape[dim] - 1
        torch.sub(X.narrow(dim, 1, last), X.narrow(dim, 0, last), out=found.narrow(dim, 0, last))
        torch.sub(X.narrow(dim, 0, 1), X.narrow(dim, last, 1), out=found.narrow(dim, last, 1))
    return across, down


def differences_adjoint(H: Tensor, V: Tensor, out: Tensor | None = None) -> Tensor:
    """Transpose of `differences`."""
    found = torch.empty_like(H) if out is None else out
    torch.add(H, V, out=found).neg_()
    for dim, part in ((-1, H), (-2, V)):
        last = H.shape[dim] - 1
        found.narrow(dim, 1, last).add_(part.narrow(dim, 0, last))
        found.narrow(dim, 0, 1).add_(part.narrow(dim, last, 1))
    return found


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
    splitting, spectrum = _Splitting(given, shape, step, 3), (1 / (1 + curvature(shape))).to(given.B)
    X = splitting.maps
    sparse = X.clone()
    clip, shrink, same = (torch.zeros_like(X) for _ in range(3))  # multipliers: ANC, l1, the smooth copy
    across, down = torch.zeros_like(X), torch.zeros_like(X)  # and of its differences
    h, v = differences(X)  # the differences' copies, each with its multiplier added
    apart, limit = [0.0, 0.0, 0.0], variation / step  # squared residuals
    transformed = torch.fft.rfft2(splitting.places[0])

    def update(rows: slice, x: Tensor, places: list[Tensor]) -> Tensor:
        total, cut, a, b, smooth = places
        torch.sub(x, shrink[rows], out=total)
        torch.clamp(total, -sparsity / step, sparsity / step, out=cut)
        torch.sub(total, cut, out=sparse[rows])
        torch.neg(cut, out=shrink[rows])
        total.sub_(cut, alpha=2)
        near = torch.sub(x, same[rows], out=cut)
        target = differences_adjoint(h[rows], v[rows], out=a).add_(near)
        waves = torch.fft.rfft2(target, out=transformed[: len(x)]).mul_(spectrum)
        torch.fft.irfft2(waves, s=shape, out=smooth)
        torch.sub(smooth, near, out=same[rows])
        total.add_(smooth).add_(same[rows])
        differences(smooth, out=(a, b))
        a.sub_(across[rows])
        b.sub_(down[rows])
        share = _share(a, b, limit) if isotropic else None
        for size, pull, multiplier in ((a, h, across), (b, v, down)):
            if share is None:
                torch.clamp(size, -limit, limit, out=cut)
            else:
                torch.mul(size, share, out=cut)
            torch.neg(cut, out=multiplier[rows])
            torch.sub(size, cut, alpha=2, out=pull[rows])
        low = torch.sub(x, clip[rows], out=cut)
        if watched:
            parts = x - low.clamp(min=0), x - sparse[rows], x - smooth
            for k, part in enumerate(parts):
                apart[k] += float(part.square_().sum())
        if not anc:
            return total.add_(low)
        torch.clamp(torch.neg(low, out=a), min=0, out=clip[rows])
        return total.add_(low.abs_())

    enough, found = _RESIDUAL * (shape[0] * shape[1]) ** 0.5, [float("inf")]
    with tqdm(total=iterations, desc=label, disable=label is None) as bar:
        for count in range(1, iterations + 1):
            watched = not converge and count % _EVERY == 1
            apart[:] = 0.0, 0.0, 0.0
            moved = splitting.advance(update, watched=watched)
            bar.update()
            if watched and sum(part**0.5 for part in (*apart, moved)) <= enough:
                return Iterates(splitting.X, sparse.flatten(1), True, count)
            if converge and count % _LOOK == 0:
                state = sparse.clamp(min=0) if anc else sparse
                penalty = variation * total_variation(state, isotropic=isotropic)
                found.append(_misfit(given, state.flatten(1)) + sparsity * float(state.abs().sum()) + penalty)
                if abs(found[max(0, len(found) - 1 - _LOOKS)] - found[-1]) <= _GAIN * abs(found[-1]):
                    return Iterates(splitting.X, sparse.flatten(1), True, count)
    return Iterates(splitting.X, sparse.flatten(1), False, iterations)


def _misfit(given: Products, X: Tensor) -> float:
    """Half the squared residual, less half the squared image."""
    return float((X * (0.5 * (given.G @ X) - given.B)).sum())


def curvature(shape: tuple[int, int]) -> Tensor:
    """Square of the differences, their transpose times them, in the transform of `torch.fft.rfft2`."""
    height, width = shape
    rows = 2 - 2 * torch.cos(2 * torch.pi * torch.fft.fftfreq(height, dtype=torch.float64))
    columns = 2 - 2 * torch.cos(2 * torch.pi * torch.fft.rfftfreq(width, dtype=torch.float64))
    return rows[:, None] + columns


def _share(h: Tensor, v: Tensor, by: float) -> Tensor:
    """What share of differences is lost when both together are shortened by so much."""
    return (by / torch.hypot(h, v).clamp_min(torch.finfo(h.dtype).tiny)).clamp(max=1)


# --------------------------------------------------------------------------- spatial weights


def neighbours(X: Tensor) -> Tensor:
    """Weighted mean of eight neighbours in maps ``(atoms, height, width)``; beyond the border they are 0."""
    near = F.pad(X, (1, 1, 1, 1))
    across, down = near[:, :, :-2] + near[:, :, 2:], near[:, :-2] + near[:, 2:]
    sides = across[:, 1:-1] + down[:, :, 1:-1]
    return sides.add_(down[:, :, :-2] + down[:, :, 2:], alpha=_CORNER).div_(4 + 4 * _CORNER)


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
    splitting = _Splitting(given, shape, step, 2)
    sparse = splitting.maps.clone()
    clip, shrink = torch.zeros_like(sparse), torch.zeros_like(sparse)

    def update(rows: slice, x: Tensor, places: list[Tensor]) -> Tensor:
        total, cut, low, floor, _ = places
        torch.sub(x, shrink[rows], out=total)
        torch.clamp(total, torch.neg(limit[rows], out=floor), limit[rows], out=cut)
        torch.sub(total, cut, out=sparse[rows])
        torch.neg(cut, out=shrink[rows])
        total.sub_(cut, alpha=2)
        torch.sub(x, clip[rows], out=low)
        torch.clamp(torch.neg(low, out=cut), min=0, out=clip[rows])
        return total.add_(low.abs_())

    for _ in tqdm(range(rounds), desc=label, disable=label is None):
        limit = thresholds(sparse - shrink, weight / step)
        for _ in range(iterations):
            splitting.advance(update, watched=False)
    return Iterates(splitting.X, sparse.flatten(1), True, rounds * iterations)
