"""Least squares between bounds, for many right-hand sides at once: one factor of a factorisation."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hsu_lib.scene import real


def bounded_least_squares(
    gram: ArrayLike,
    products: ArrayLike,
    *,
    low: float = 0.0,
    high: float = np.inf,
    tolerance: float = 1e-12,
    iterations: int = 20_000,
) -> NDArray[np.float64]:
    r"""Columns between two bounds that minimise a quadratic function.

    .. math:: \min_{l \le x \le h} \tfrac12 x^\top G x - c^\top x \quad\text{for every column } c

    That is least squares, ``min ||y - M x||``, with ``gram = M.T @ M`` and ``products = M.T @ Y``. Projected
    gradient steps with momentum, which starts afresh where it points uphill. They begin at zero, or at the
    bound nearest to it; what the function does not depend on stays there.

    Parameters
    ----------
    gram
        Shape ``(unknowns, unknowns)``, symmetric and positive semidefinite.
    products
        Shape ``(unknowns, columns)``.
    low, high
        The bounds of every unknown.
    tolerance
        All are solved when no gradient step moves an unknown by more than this share of its column's largest.
    iterations
        At most so many steps.

    Returns
    -------
    ndarray
        Shape of `products`.

    Raises
    ------
    ValueError
        If shapes do not fit, a value is not finite, or the bounds are not in order.

    References
    ----------
    Beck and Teboulle, SIAM J. Imaging Sciences 2(1), 2009, 183-202 (the steps); O'Donoghue and Candes,
    Foundations of Computational Mathematics 15, 2015, 715-732 (when momentum starts afresh).
    """
    G, C = (real(X, name).astype(np.float64) for X, name in ((gram, "gram"), (products, "products")))
    if G.ndim != 2 or C.ndim != 2 or G.shape != (len(C), len(C)):
        raise ValueError(
            f"expected (unknowns, unknowns) and (unknowns, columns), got {G.shape} and {C.shape}"
        )
    if not (np.isfinite(G).all() and np.isfinite(C).all()) or not low <= high:
        raise ValueError(f"expected finite values and bounds in order, got {low} and {high}")
    # each unknown in a unit of its own: the condition no longer depends on how large endmembers are
    unit = np.sqrt(np.where(G.diagonal() > 0, G.diagonal(), 1.0))[:, None]
    G, C, below, above = G / unit / unit.T, C / unit, low * unit, high * unit
    length = 1 / max(np.linalg.norm(G, 2), np.finfo(float).tiny)
    x = ahead = np.clip(np.zeros_like(C), below, above)
    age = np.ones(C.shape[1])
    for _ in range(iterations):
        new = np.clip(ahead - length * (G @ ahead - C), below, above)
        step, apart = new - x, np.abs(new - ahead)
        age = np.where(((ahead - new) * step).sum(axis=0) > 0, 1.0, age)
        older = (1 + np.sqrt(1 + 4 * age**2)) / 2
        ahead, x = new + (age - 1) / older * step, new
        age = older
        if (apart <= tolerance * np.abs(new).max(axis=0)).all():
            break
    return x / unit
