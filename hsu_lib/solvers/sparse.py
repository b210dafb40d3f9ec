r"""Abundances of many spectra, most of them zero: sparse regression with a library, all pixels at once.

With a library `D` (bands, atoms), the pixels' spectra `Y` and abundances `X` (atoms, pixels), all that is
needed are the products `G = D'D` and `B = D'Y`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

#: Share of the largest product from which on a gradient counts as one.
_SLOPE = 1e-12
#: Pixels that the exact solver has at a time, so that their gathered matrices fit in memory.
_TOGETHER = 8192
#: Iterations between two looks at the residuals, and by how much one may exceed the other.
_EVERY, _APART = 10, 10.0


class Products(NamedTuple):
    """What a problem is made of.

    Parameters
    ----------
    G
        Of the library with itself, shape ``(atoms, atoms)``.
    B
        Of the library with the pixels, shape ``(atoms, pixels)``.
    power
        Mean square of the image.
    """

    G: Tensor
    B: Tensor
    power: float


class Abundances(NamedTuple):
    """Abundances ``(atoms, pixels)``, whether the stopping rule was met, and after how many steps."""

    X: Tensor
    converged: bool
    iterations: int


def products(Y: Tensor, D: Tensor) -> Products:
    """Products of an image ``(bands, pixels)`` and a library ``(bands, atoms)``."""
    return Products(D.T @ D, D.T @ Y, float(Y.square().mean()) or 1.0)


# --------------------------------------------------------------------------- exact, pixel by pixel


def nonnegative(G: Tensor, B: Tensor, *, rounds: int = 0) -> Abundances:
    r"""Minimum of :math:`\tfrac12 x^\top G x - b^\top x` over `x >= 0` for every column `b` of `B`, exact.

    Active sets, all pixels in step: the atom with the steepest slope joins a pixel's support; where the
    minimum on the support would be negative, the step ends at the first zero, and that atom leaves. An l1
    penalty with a weight is `B` less that weight.

    Parameters
    ----------
    G
        Shape ``(atoms, atoms)``, positive semidefinite, float64. The minimum on a support has to be one
        point.
    B
        Shape ``(atoms, pixels)``, float64.
    rounds
        At most so many changes of a support; by default three times the number of atoms.

    References
    ----------
    Lawson and Hanson, Solving Least Squares Problems, 1974, chapter 23.
    """
    X, most = torch.zeros_like(B), 0
    left = 0
    for columns in torch.arange(B.shape[1], device=B.device).split(_TOGETHER):
        X[:, columns], unsolved, taken = _active_sets(
            G, B[:, columns].T.contiguous(), rounds or 3 * len(G) + 10
        )
        left, most = left + unsolved, max(most, taken)
    return Abundances(X, left == 0, most)


def _active_sets(G: Tensor, C: Tensor, rounds: int) -> tuple[Tensor, int, int]:
    """Minima ``(atoms, pixels)`` for rows of `C`, how many did not end, and the number of rounds."""
    X = torch.zeros_like(C)
    todo = torch.arange(len(C), device=C.device)
    flat = _SLOPE * (1 + C.abs().amax(dim=1))
    slope, joining = C.max(dim=1)
    todo = todo[slope > flat]
    support = torch.zeros_like(C, dtype=torch.bool)
    support[todo, joining[todo]] = True
    new = joining.clone()  # who joined last, -1 once it has stayed
    for taken in range(1, rounds + 1):
        if not len(todo):
            return X.T, 0, taken
        x, inside, c = X[todo], support[todo], C[todo]
        target = _on_supports(G, c, inside)
        negative = inside & (target <= 0)
        blocked = negative.any(dim=1)
        step, leaving = (x / (x - target)).where(negative, torch.inf).min(dim=1)
        # an atom that would leave as it comes had its slope from rounding: the pixel is solved without it
        idle = blocked & (leaving == new[todo]) & (x.gather(1, leaving[:, None])[:, 0] == 0)
        move = torch.where(blocked, step.clamp(max=1), 1.0)[:, None]
        x = torch.where(idle[:, None], x, torch.where(inside, x + move * (target - x), 0.0))
        gone = negative & (x <= 0)
        gone[blocked, leaving[blocked]] = True
        x[gone] = 0
        X[todo], inside = x, inside & ~gone
        free = ~blocked
        slopes = c[free].addmm(x[free], G, alpha=-1).masked_fill(inside[free], -torch.inf)
        steepest, atom = slopes.max(dim=1)
        rows = free.nonzero()[:, 0]
        joins = steepest > flat[todo[rows]]
        inside[rows[joins], atom[joins]] = True
        support[todo] = inside
        new[todo[free]] = atom
        going = blocked & ~idle
        going[rows[joins]] = True
        todo = todo[going]
    return X.T, len(todo), rounds


def _on_supports(G: Tensor, C: Tensor, support: Tensor) -> Tensor:
    """Minimum on each pixel's support, gathered and padded to the longest; 0 outside. Shapes of `C`."""
    counts = support.sum(dim=1)
    rows, atoms = support.nonzero(as_tuple=True)
    places = torch.arange(len(rows), device=G.device) - (counts.cumsum(0) - counts)[rows]
    width = int(counts.max())
    at = torch.full((len(C), width), -1, device=G.device)
    at[rows, places] = atoms
    there = at >= 0
    at.clamp_(min=0)
    K = G[at[:, :, None], at[:, None, :]] * (there[:, :, None] & there[:, None, :])
    K.diagonal(dim1=1, dim2=2).add_((~there).to(G.dtype))
    right = C.gather(1, at) * there
    factor, failed = torch.linalg.cholesky_ex(K)
    found = torch.cholesky_solve(right[:, :, None], factor)[:, :, 0]
    singular = failed != 0
    if bool(singular.any()):  # copies among the atoms: of many minima that of least norm
        inverse = torch.linalg.pinv(K[singular], hermitian=True, rtol=1e-13)
        found[singular] = (inverse @ right[singular][:, :, None])[:, :, 0]
    out = torch.zeros_like(C)
    out[rows, atoms] = found[rows, places]
    return out


# --------------------------------------------------------------------------- by splitting


def admm(
    G: Tensor,
    B: Tensor,
    prox: Callable[[Tensor, float], Tensor],
    *,
    step: float,
    splits: int = 1,
    ridge: float = 0.0,
    asc: bool = False,
    tolerance: float = 1e-4,
    iterations: int = 1000,
) -> Abundances:
    r"""Alternating directions for :math:`\tfrac12\|Y - DX\|^2 + h(X)`, and copies of `X` on which `h` acts.

    One factorisation serves all pixels; the step, and with it the factorisation, is doubled or halved where
    one of the residuals outgrows the other tenfold.

    Parameters
    ----------
    G, B
        See `Products`. With a penalty :math:`\tfrac\beta2\|X - \hat X\|^2`, `B` has :math:`\beta\hat X`
        added.
    prox
        From copies ``(splits, atoms, pixels)`` and the step :math:`\mu` to those that minimise
        :math:`h(Z)/\mu + \tfrac12\|Z - V\|^2`, of the same shape.
    step
        First :math:`\mu`.
    splits
        How many copies.
    ridge
        :math:`\beta`.
    asc
        Whether columns sum to one before each copy is taken; the copies then do in the limit.
    tolerance
        Root mean square over atoms and pixels of both residuals below which it has converged. They are looked
        at in every tenth iteration.
    iterations
        At most so many.

    Returns
    -------
    Abundances
        The copies, shape ``(splits, atoms, pixels)``.

    References
    ----------
    Bioucas-Dias and Figueiredo, WHISPERS 2010; Boyd et al., Foundations and Trends in Machine Learning 3,
    2011, 1-122, section 3.4.1 (the step).
    """
    values, vectors = torch.linalg.eigh(G)
    enough = tolerance * B.numel() ** 0.5

    def inverse(step: float) -> tuple[Tensor, Tensor]:
        F = (vectors / (values + splits * step + ridge)) @ vectors.T
        sums = F.sum(dim=1, keepdim=True)
        return F, sums / sums.sum()

    F, to_one = inverse(step)
    X = F @ B
    Z, U = X.expand(splits, *X.shape), torch.zeros(splits, *X.shape, dtype=X.dtype, device=X.device)
    for count in range(1, iterations + 1):
        last, Z = Z, prox(X - U, step)
        X = F @ torch.add(B, (Z + U).sum(dim=0), alpha=step)
        if asc:
            X += to_one * (1 - X.sum(dim=0))
        apart = X - Z
        U = U - apart
        if count % _EVERY == 1:
            primal, dual = float(apart.norm()), step * float((Z - last).sum(dim=0).norm())
            if max(primal, dual) <= enough:
                return Abundances(Z, True, count)
            factor = 2.0 if primal > _APART * dual else 0.5 if dual > _APART * primal else 1.0
            if factor != 1:
                step, U = factor * step, U / factor
                F, to_one = inverse(step)
    return Abundances(Z, False, iterations)


def sunsal(
    given: Products,
    weight: float,
    *,
    near: Tensor | None = None,
    ridge: float = 0.0,
    asc: bool = False,
    tolerance: float = 1e-4,
    iterations: int = 1000,
) -> Abundances:
    r"""Sparse unmixing by variable splitting and augmented Lagrangian, as in its public code.

    .. math:: \min_X \tfrac12\|Y - DX\|_F^2 + \lambda \sum X + \tfrac\beta2 c^2\|X - \hat X\|_F^2
              \quad\text{s.t.}\quad X \ge 0

    with :math:`c^2` the mean square of the image, by which all but the ridge is divided.

    Parameters
    ----------
    given
        Products of image and library.
    weight
        :math:`\lambda`, in squared units of the image.
    near, ridge
        :math:`\hat X`, shape ``(atoms, pixels)``, and :math:`\beta`.
    asc, tolerance, iterations
        See `admm`.
    """
    G, B, small = given.G / given.power, given.B / given.power, weight / given.power
    pull = B if near is None else torch.add(B, near, alpha=ridge)

    def prox(V: Tensor, step: float) -> Tensor:
        return V.sub_(small / step).clamp_(min=0)

    found = admm(
        G,
        pull,
        prox,
        step=10 * small + 0.01,
        ridge=ridge,
        asc=asc,
        tolerance=tolerance,
        iterations=iterations,
    )
    return found._replace(X=found.X[0])


def rows_shrunk(V: Tensor, by: float) -> Tensor:
    """Rows (last axis: pixels) shortened by so much, to zero where they are shorter."""
    norms = torch.linalg.vector_norm(V, dim=-1, keepdim=True)
    return V * (1 - by / norms.clamp_min(torch.finfo(V.dtype).tiny)).clamp_min(0)


def clsunsal(
    given: Products, weight: float, *, joint: bool, tolerance: float = 1e-4, iterations: int = 1000
) -> Abundances:
    r"""Collaborative sparse unmixing: few atoms for the whole image.

    .. math:: \min_X \tfrac12\|Y - DX\|_F^2 + \lambda \sum_k \|X_{k\cdot}\| \quad\text{s.t.}\quad X \ge 0

    Parameters
    ----------
    given, weight
        As of `sunsal`. Norms of rows grow with the root of the number of pixels, and so do useful weights.
    joint
        Whether norm and ANC act on one copy of the abundances, for which both together have a closed form;
        the public code has a copy for each.
    tolerance, iterations
        See `admm`.

    References
    ----------
    Iordache, Bioucas-Dias and Plaza, IEEE TGRS 52(1), 2014, 341-354.
    """
    G, B, small = given.G / given.power, given.B / given.power, weight / given.power

    def together(V: Tensor, step: float) -> Tensor:
        return rows_shrunk(V.clamp_(min=0), small / step)

    def apart(V: Tensor, step: float) -> Tensor:
        return torch.stack([rows_shrunk(V[0], small / step), V[1].clamp(min=0)])

    prox, splits = (together, 1) if joint else (apart, 2)
    found = admm(
        G, B, prox, splits=splits, step=10 * small + 0.01, tolerance=tolerance, iterations=iterations
    )
    return found._replace(X=found.X[-1])
