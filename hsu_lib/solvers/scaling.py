"""What a method leaves without a scale: endmembers in the unit of the image, abundances that sum to one."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def in_unit_of(Y: ArrayLike, E: ArrayLike, A: ArrayLike) -> NDArray[np.float64]:
    r"""Endmembers times the factor that brings ``E A`` closest to `Y`, which may have any scale.

    .. math:: s E \quad\text{with}\quad s = \arg\min_s \|Y - s E A\|_F
              = \frac{\langle Y, EA\rangle}{\|EA\|_F^2}

    One factor for all endmembers: every mixture keeps its direction, which is all that a loss of spectral
    angles has fitted. Without a positive factor (`E A` or `Y` zero, or opposed) they stay as they are.

    Parameters
    ----------
    Y, E, A
        Image ``(bands, pixels)``, endmembers ``(bands, endmembers)``, abundances ``(endmembers, pixels)``.
    """
    y, e, a = (np.asarray(X, dtype=np.float64) for X in (Y, E, A))
    # products of endmembers' sizes: E A itself is not needed
    inside, power = float(np.vdot(e, y @ a.T)), float(np.vdot(e.T @ e, a @ a.T))
    return e * (inside / power if inside > 0 and power > 0 else 1.0)


def to_sum_one(A: NDArray[np.float64]) -> NDArray[np.float64]:
    """Nonnegative abundances ``(endmembers, pixels)`` over their sums; equal ones where the sum is zero."""
    sums = A.sum(axis=0)
    return np.where(sums == 0, 1 / len(A), A / np.where(sums == 0, 1.0, sums))
