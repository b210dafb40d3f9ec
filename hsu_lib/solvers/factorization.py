r"""Endmembers and abundances together, without a network: :math:`Y \approx E A` with :math:`E, A \ge 0`."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

_TINY = 1e-12


class Factors(NamedTuple):
    r"""Endmembers ``(bands, endmembers)``, abundances ``(endmembers, pixels)``, and the objective
    :math:`\tfrac12\|Y - EA\|_F^2` before the first and after every iteration.
    """

    E: NDArray[np.float64]
    A: NDArray[np.float64]
    objective: NDArray[np.float64]


def nmf(
    Y: ArrayLike,
    E: ArrayLike,
    A: ArrayLike,
    *,
    iterations: int = 200,
    tolerance: float = 1e-6,
    device: str | torch.device = "cpu",
) -> Factors:
    r"""Nonnegative matrix factorisation by multiplicative updates, from a given start.

    Every update keeps signs and never raises the objective. Abundances are not made to sum to one.

    Parameters
    ----------
    Y
        Image, nonnegative, shape ``(bands, pixels)``.
    E, A
        Start, positive, shapes ``(bands, endmembers)`` and ``(endmembers, pixels)``; what is zero stays zero.
    iterations
        At most so many.
    tolerance
        Stop when the objective falls by less than this share of its start.
    device
        Torch device on which to work.

    Returns
    -------
    Factors

    Raises
    ------
    ValueError
        If shapes do not fit, or a value is negative or not finite.

    References
    ----------
    Lee and Seung, Advances in Neural Information Processing Systems 13, 2001.
    """
    y, e, a = _checked(Y, E, A, device)
    if (y < 0).any() or (e < 0).any() or (a < 0).any():
        raise ValueError("expected nonnegative Y, E and A: a negative value has no nonnegative factors")

    def update(e: Tensor, a: Tensor) -> tuple[Tensor, Tensor]:
        a = a * (e.T @ y) / (e.T @ e @ a).clamp_min(_TINY)
        return e * (y @ a.T) / (e @ (a @ a.T)).clamp_min(_TINY), a

    return _descend(update, y, e, a, iterations, tolerance)


def palm(
    Y: ArrayLike,
    E: ArrayLike,
    A: ArrayLike,
    *,
    iterations: int = 200,
    tolerance: float = 1e-6,
    device: str | torch.device = "cpu",
) -> Factors:
    r"""Proximal alternating linearised minimisation of a constrained factorisation.

    .. math:: \min \tfrac12\|Y - EA\|_F^2
              \quad\text{s.t.}\quad E \ge 0,\ A \ge 0,\ \mathbf 1^\top A = \mathbf 1^\top

    Each half of an iteration is a gradient step and a projection,
    of length :math:`1/L` with the Lipschitz constant :math:`L` of that half's gradient,
    :math:`\|E^\top E\|_2` and :math:`\|A A^\top\|_2`: the condition under which the objective cannot rise.

    Parameters
    ----------
    Y, E, A
        Image and start, shapes as in `nmf`; the start is projected onto the constraints.
    iterations, tolerance, device
        As in `nmf`.

    Returns
    -------
    Factors

    Raises
    ------
    ValueError
        If shapes do not fit, or a value is not finite.

    References
    ----------
    Bolte, Sabach and Teboulle, Mathematical Programming 146, 2014, 459-494.
    """
    y, e, a = _checked(Y, E, A, device)

    def update(e: Tensor, a: Tensor) -> tuple[Tensor, Tensor]:
        normal = e.T @ e
        a = onto_simplex(a - (normal @ a - e.T @ y) / _norm(normal))
        normal = a @ a.T
        return (e - (e @ normal - y @ a.T) / _norm(normal)).clamp_min(0), a

    return _descend(update, y, e.clamp_min(0), onto_simplex(a), iterations, tolerance)


def onto_simplex(A: Tensor) -> Tensor:
    """Nearest columns that are nonnegative and sum to one.

    References
    ----------
    Held, Wolfe and Crowder, Mathematical Programming 6, 1974, 62-88 (by sorting).
    """
    ordered = A.sort(dim=0, descending=True).values
    excess = ordered.cumsum(dim=0) - 1
    count = torch.arange(1, len(A) + 1, device=A.device, dtype=A.dtype)[:, None]
    kept = (ordered * count > excess).sum(dim=0, keepdim=True)  # at least the largest
    return (A - excess.gather(0, kept - 1) / kept).clamp_min(0)


def _descend(
    update: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]],
    y: Tensor,
    e: Tensor,
    a: Tensor,
    iterations: int,
    tolerance: float,
) -> Factors:
    """Update E and A until the objective falls by less than a share of its start, at most so often."""
    objective = [_objective(y, e, a)]
    for _ in range(iterations):
        e, a = update(e, a)
        objective.append(_objective(y, e, a))
        if objective[-2] - objective[-1] < tolerance * objective[0]:
            break
    return Factors(e.cpu().numpy(), a.cpu().numpy(), np.array(objective))


def _norm(symmetric: Tensor) -> float:
    """Largest eigenvalue of a small positive semidefinite matrix."""
    return max(float(torch.linalg.eigvalsh(symmetric)[-1]), _TINY)


def _objective(Y: Tensor, E: Tensor, A: Tensor) -> float:
    return float(0.5 * (Y - E @ A).square().sum())


def _checked(Y: ArrayLike, E: ArrayLike, A: ArrayLike, device: str | torch.device) -> list[Tensor]:
    arrays = [np.asarray(x, dtype=np.float64) for x in (Y, E, A)]
    y, e, a = (x.shape for x in arrays)
    if any(len(shape) != 2 for shape in (y, e, a)) or e != (y[0], a[0]) or a[1] != y[1]:
        raise ValueError(
            "expected Y (bands, pixels), E (bands, endmembers) and A (endmembers, pixels), "
            f"got {y}, {e} and {a}"
        )
    if not all(np.isfinite(x).all() for x in arrays):
        raise ValueError("expected finite Y, E and A")
    return [torch.tensor(x, device=device) for x in arrays]
