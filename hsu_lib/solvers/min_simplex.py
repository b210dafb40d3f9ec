"""Endmembers and abundances together, where the simplex of the endmembers is kept small."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import lsq_linear

from hsu_lib.solvers.factorization import Factors
from hsu_lib.solvers.fclsu import fclsu

#: Below this, over the size of what it is a part of, a value that breaks a constraint is rounding.
_TOLERANCE = 1e-12
#: Of block pivoting; nearly every band needs less than five.
_ROUNDS = 20


def min_simplex(
    V: ArrayLike,
    G: ArrayLike,
    E: ArrayLike,
    *,
    penalty: float,
    iterations: int = 2000,
    tolerance: float = 1e-9,
    device: str | torch.device = "cpu",
) -> Factors:
    r"""Factorisation of an image `V G` with endmembers that are drawn to its mean pixel `m`.

    .. math:: \min \tfrac12\|V G - E A\|_F^2 + \lambda \|E - m\mathbf 1^\top\|_F^2
              \quad\text{s.t.}\quad 0 \le E \le 1,\ A \ge 0,\ \mathbf 1^\top A = \mathbf 1^\top

    Both halves of an iteration are exact: FCLSU for the abundances, a quadratic programme in a box for the
    endmembers. Between iterations the endmembers are extrapolated (Nesterov), and where the objective would
    rise it goes on from the last ones without, after which it cannot. It has converged when such a plain
    iteration hardly lowers it. Where the penalty outweighs the fit, the minimum that it finds depends on the
    start: sim1 at 40 dB has one for penalties up to 1, several from 10 on.

    Parameters
    ----------
    V
        Orthonormal columns, shape ``(bands, rank)``.
    G
        Coordinates of the pixels, shape ``(rank, pixels)``. The costly half works on `rank` + `endmembers`
        numbers for each pixel.
    E
        Start, shape ``(bands, endmembers)``.
    penalty
        :math:`\lambda`; the fit grows with the number of pixels, the penalty does not.
    iterations
        At most so many.
    tolerance
        Share of the objective below which what a plain iteration gains is little.
    device
        Torch device of the abundances.

    Returns
    -------
    Factors
        Their objective with the penalty, without the iterations that were taken back.

    References
    ----------
    Rasti, Koirala, Scheunders and Chanussot, IEEE TGRS 60, 2022 (the objective); O'Donoghue and Candes,
    Foundations of Computational Mathematics 15, 2015, 715-732 (restarts).
    """
    V, G, E = (np.asarray(X, dtype=np.float64) for X in (V, G, E))
    mean = V @ G.mean(axis=1, keepdims=True)
    unit = np.eye(E.shape[1])

    def within(E: NDArray) -> NDArray[np.float64]:
        """Endmembers in coordinates of `V`, and below them some in which their rest has the same products."""
        inside = V.T @ E
        return np.vstack([inside, np.linalg.qr(E - V @ inside, mode="r")])

    pixels = np.vstack([G, np.zeros((min(E.shape), G.shape[1]))])

    def iterate(E: NDArray) -> tuple[NDArray, NDArray, float]:
        A = fclsu(pixels, within(E), device=device)
        normal = A @ A.T
        # a little of the last endmembers makes the programme strictly convex whatever the abundances are
        hold = _TOLERANCE * np.trace(normal)
        E = in_box(normal + (2 * penalty + hold) * unit, V @ (G @ A.T) + 2 * penalty * mean + hold * E)
        return E, A, objective(E, A)

    def objective(E: NDArray, A: NDArray) -> float:
        # the residual itself, because the expanded square would cancel
        fit = np.square(pixels - within(E) @ A).sum()
        return float(0.5 * fit + penalty * np.square(E - mean).sum())

    E = ahead = E.clip(0, 1)
    A = fclsu(pixels, within(E), device=device)
    found, converged, momentum = [objective(E, A)], False, 1.0
    for _ in range(iterations):
        new, A_new, value = iterate(ahead)
        gain, plain = found[-1] - value, momentum == 1
        if gain >= 0:
            following = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
            ahead = new + (momentum - 1) / following * (new - E)
            E, A, momentum = new, A_new, following
            found.append(value)
        if gain <= tolerance * value:
            if plain:
                converged = True
                break
            ahead, momentum = E, 1.0
    return Factors(E, A, np.array(found), converged)


def in_box(H: NDArray, B: NDArray) -> NDArray[np.float64]:
    r"""For each row `b` of `B` the `e` between 0 and 1 that minimises :math:`\tfrac12 e H e^\top - b e^\top`.

    Block pivoting: each round solves for the entries that are free, binds those that left the box and frees
    those whose slope points into it. Rows that have not settled then, if any, are solved one by one.

    Parameters
    ----------
    H
        Symmetric and positive definite, shape ``(n, n)``.
    B
        Shape ``(rows, n)``.

    Returns
    -------
    ndarray
        Shape of `B`.

    References
    ----------
    Judice and Pires, Computers & Operations Research 21, 1994, 587-596; Stark and Parker, Computational
    Statistics 10, 1995, 129-141 (bounded least squares, one by one).
    """
    E, todo = np.empty_like(B), np.arange(len(B))
    low = high = np.zeros(B.shape, dtype=bool)
    flat = _TOLERANCE * np.trace(H)
    for _ in range(_ROUNDS):
        free, x = ~(low | high), high.astype(np.float64)
        # bound entries have an equation of their own, which says that they stay
        K = np.where(free[:, :, None] & free[:, None, :], H, np.eye(len(H)) * ~free[:, :, None])
        x += np.linalg.solve(K, np.where(free, B[todo] - x @ H, 0)[..., None])[..., 0]
        E[todo] = x.clip(0, 1)
        slope = x @ H - B[todo]
        lower = np.where(low, slope > -flat, x < -_TOLERANCE)
        upper = np.where(high, slope < flat, x > 1 + _TOLERANCE)
        left = ((lower != low) | (upper != high)).any(axis=1)
        todo, low, high = todo[left], lower[left], upper[left]
        if not len(todo):
            break
    root = np.linalg.cholesky(H) if len(todo) else H
    for row in todo:
        E[row] = lsq_linear(root.T, np.linalg.solve(root, B[row]), bounds=(0, 1), method="bvls").x.clip(0, 1)
    return E
