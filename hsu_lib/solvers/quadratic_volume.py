r"""Blind unmixing with a quadratic penalty that keeps the simplex of the endmembers small.

In coordinates of the image's affine subspace the endmembers are a free matrix `M`, and

.. math:: \min_{M, A} \tfrac12\|G - M A\|_F^2 + \tfrac w2\|M B - O\|_F^2 + s \sum_i \|a_{(i)}\|_2
          \quad\text{s.t.}\quad A \ge 0,\ \mathbf 1^\top A = \mathbf 1^\top

with :math:`a_{(i)}` the abundances of endmember `i` in all pixels. NMF-QMV is :math:`s = 0`; CoNMF has the
last term, which empties rows that are not needed.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg import solve_sylvester

from hsu_lib.solvers.factorization import onto_simplex
from hsu_lib.solvers.fclsu import fclsu, fclsu_normal, one_thread

Float = NDArray[np.float64]

#: Of the steps that split the abundances: at most so many, each `_CHECK` compare both residuals, adapt
#: the penalty where one is `_APART` times the other, and end where both are below `_SMALL`, root mean square.
_SPLIT, _CHECK, _APART, _SMALL = 100, 10, 10.0, 1e-5


class Penalty(NamedTuple):
    r"""Half of :math:`\|M B - O\|_F^2`, or of :math:`\|L M - O\|_F^2` where there is a `left`.

    Parameters
    ----------
    target
        `O`, shape ``(dimensions, n)``, or ``(m, endmembers)`` with `left`.
    right
        `B`, shape ``(endmembers, n)``; None for the identity, and with `left`.
    left
        `L`, shape ``(m, dimensions)``.
    """

    target: Float
    right: Float | None = None
    left: Float | None = None

    def value(self, M: Float) -> float:
        """Of endmembers ``(dimensions, endmembers)``."""
        M = M if self.left is None else self.left @ M
        inside = M if self.right is None else M @ self.right
        return 0.5 * float(np.square(inside - self.target).sum())

    def minimum(self, weight: float, normal: Float, linear: Float) -> Float:
        r"""Least :math:`\tfrac12\mathrm{tr}(M N M^\top) - \langle C, M\rangle` with the weighted penalty.

        Parameters
        ----------
        weight
            Of the penalty.
        normal, linear
            `N`, positive definite, shape ``(endmembers, endmembers)``, and `C`, that of `M`.
        """
        if self.left is not None:
            linear = linear + weight * self.left.T @ self.target
            return solve_sylvester(weight * self.left.T @ self.left, normal, linear)
        right = np.eye(len(normal)) if self.right is None else self.right
        normal, linear = normal + weight * right @ right.T, linear + weight * self.target @ right.T
        return np.linalg.solve(normal, linear.T).T.astype(np.float64, copy=False)


def centre(M: Float) -> Penalty:
    """Squared distances of the endmembers to the origin; the shape of `M` alone matters."""
    return Penalty(np.zeros_like(M))


def squared_distances(M: Float) -> Penalty:
    r"""Squared distances of the endmembers to each other.

    With :math:`B = I - \mathbf 1\mathbf 1^\top / p`, :math:`\sum_{i<j}\|m_i - m_j\|^2 = p \|M B\|_F^2`.
    The shape of `M` alone matters.
    """
    return Penalty(np.zeros_like(M), right=np.eye(M.shape[1]) - 1 / M.shape[1])


def boundary(M: Float) -> Penalty:
    """Squared distances of the endmembers to those given, which are extreme pixels."""
    return Penalty(M)


class Shrunk(NamedTuple):
    """Endmembers `M` ``(dimensions, endmembers)``, abundances `A` ``(endmembers, pixels)``, the objective
    before the first and after every iteration, and whether the fit became as good as asked for.
    """

    M: Float
    A: Float
    objective: Float
    converged: bool


def quadratic_volume(
    G: Float,
    M: Float,
    penalty: Penalty,
    *,
    weight: float,
    damping: tuple[float, float],
    iterations: int = 100,
    tolerance: float = 1e-8,
    sparsity: float = 0.0,
    sums: float | None = None,
) -> Shrunk:
    r"""Minimise over endmembers and abundances by turns, each damped by its squared distance to the last one.

    Endmembers have a closed form. Without `sparsity` and `sums` the abundances are those of fully constrained
    least squares, exact, and the objective never rises. Else they are split by the alternating direction
    method of multipliers: one copy has shrunk rows, another is not negative.

    Parameters
    ----------
    G
        Coordinates of the image, shape ``(dimensions, pixels)``.
    M
        First endmembers, shape ``(dimensions, endmembers)``; the first abundances are by FCLSU.
    penalty, weight
        What keeps the endmembers together, and `w`.
    damping
        Half of it weighs the squared distance to the last endmembers, and to the last abundances. Above 0.
    iterations
        At most so many.
    tolerance
        Stop when the residual is at most this share of the image.
    sparsity
        `s`, weight of the norms of the abundances' rows.
    sums
        None for abundances that sum to one; else the weight of
        :math:`\tfrac12\|\mathbf 1^\top A - \mathbf 1^\top\|^2` in its place while it iterates.

    Returns
    -------
    Shrunk
        Its abundances fulfil ANC and ASC in every case: at the end, split ones are projected.

    References
    ----------
    Zhuang, Lin, Figueiredo and Bioucas-Dias, IEEE TGRS 57(12), 2019, 9858-9877 (NMF-QMV); Li, Bioucas-Dias,
    Plaza and Liu, IEEE TGRS 54(10), 2016, 6076-6090 (CoNMF).
    """
    exact = sparsity == 0 and sums is None
    mu_M, mu_A = damping
    X = np.ascontiguousarray(G.T)  # pixels first: what belongs to one lies together
    A = np.ascontiguousarray(fclsu(G, M).T)
    size, identity = np.linalg.norm(X), np.eye(M.shape[1])
    split = _Split(A, sparsity, asc=sums is None)

    def objective(rest: float) -> float:
        value = 0.5 * rest**2 + weight * penalty.value(M)
        value += sparsity * float(np.linalg.norm(A, axis=0).sum())
        return value if sums is None else value + 0.5 * sums * float(np.square(A.sum(axis=1) - 1).sum())

    rest = float(np.linalg.norm(X - A @ M.T))
    values = [objective(rest)]
    with one_thread():
        for _ in range(iterations):
            M = penalty.minimum(weight, A.T @ A + mu_M * identity, X.T @ A + mu_M * M)
            normal, linear = M.T @ M + mu_A * identity, X @ M + mu_A * A
            if sums is not None:
                normal, linear = normal + sums, linear + sums
            if exact:
                A = fclsu_normal(*map(torch.from_numpy, (normal, linear, A))).numpy()
            else:
                A = split.minimum(normal, linear)
            rest = float(np.linalg.norm(X - A @ M.T))
            values.append(objective(rest))
            if rest <= tolerance * size:
                break
    A = A.T if exact else onto_simplex(torch.from_numpy(A.T)).numpy()
    return Shrunk(M, A, np.array(values), bool(rest <= tolerance * size))


def shrunk(A: Float, by: float) -> Float:
    """Columns shortened by that norm: nearest to `A`, squared and halved, plus `by` times their norms."""
    norms = np.linalg.norm(A, axis=0)
    return A * (np.maximum(norms - by, 0) / np.where(norms > 0, norms, 1.0))


class _Split:
    """Abundances in copies, each with one constraint, that are made to agree; duals are kept between calls.

    Parameters
    ----------
    A
        First ones, shape ``(pixels, endmembers)``.
    sparsity
        Weight of the norms of an endmember's abundances.
    asc
        Whether they sum to one.
    """

    def __init__(self, A: Float, sparsity: float, *, asc: bool) -> None:
        self.sparsity, self.asc = sparsity, asc
        self.copies, self.duals, self.penalty = np.array([A, A]), np.zeros((2, *A.shape)), 0.0

    def minimum(self, normal: Float, linear: Float) -> Float:
        r"""Near that of :math:`\tfrac12\mathrm{tr}(A N A^\top) - \langle C, A\rangle` and the norms."""
        rho = self.penalty or float(np.trace(normal)) / len(normal)
        limit = _SMALL * np.sqrt(linear.size)
        inverse = None
        for step in range(1, _SPLIT + 1):
            if inverse is None:
                inverse = np.linalg.inv(normal + 2 * rho * np.eye(len(normal)))
                ones = inverse.sum(axis=0) / inverse.sum()
            A = (linear + rho * (self.copies + self.duals).sum(axis=0)) @ inverse
            if self.asc:
                A += np.outer(1 - A.sum(axis=1), ones)
            before = self.copies
            apart = A - self.duals
            self.copies = np.array([shrunk(apart[0], self.sparsity / rho), np.maximum(apart[1], 0)])
            self.duals = self.copies - apart
            if step % _CHECK == 0:
                primal = float(np.linalg.norm(self.copies - A))
                dual = rho * float(np.linalg.norm(self.copies - before))
                if max(primal, dual) <= limit:
                    break
                if max(primal, dual) > _APART * min(primal, dual):
                    factor = 2.0 if primal > dual else 0.5
                    rho, self.duals, inverse = rho * factor, self.duals / factor, None
        self.penalty = rho
        return self.copies[0]
