r"""Endmembers and abundances together, without a network: :math:`Y \approx E A` with :math:`E, A \ge 0`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from hsu_lib.scene import real
from hsu_lib.solvers.nmf_terms import Term

#: Share of the largest denominator below which one is taken for zero: the same in any unit of the image.
_TINY = 1e-12
#: Numbers of one block of a projection, so that it stays in the cache.
_BLOCK = 2**15


class Factors(NamedTuple):
    r"""Endmembers ``(bands, endmembers)``, abundances ``(endmembers, pixels)``, the objective
    :math:`\tfrac12\|Y - EA\|_F^2` before the first and after every iteration, and whether it had stopped
    falling when the iterations ended. Where terms are added to it, `penalised` is the sum of both.
    """

    E: NDArray[np.float64]
    A: NDArray[np.float64]
    objective: NDArray[np.float64]
    converged: bool
    penalised: NDArray[np.float64] | None = None


def nmf(
    Y: ArrayLike,
    E: ArrayLike,
    A: ArrayLike,
    *,
    terms: Sequence[Term] = (),
    first: Literal["abundances", "endmembers"] = "abundances",
    iterations: int = 200,
    tolerance: float = 1e-6,
    device: str | torch.device = "cpu",
) -> Factors:
    r"""Nonnegative matrix factorisation by multiplicative updates, from a given start.

    Every update keeps signs and never raises the objective. Abundances are not made to sum to one, unless a
    term does, and then nearly.

    Parameters
    ----------
    Y
        Image, nonnegative, shape ``(bands, pixels)``.
    E, A
        Start, positive, shapes ``(bands, endmembers)`` and ``(endmembers, pixels)``; what is zero stays zero.
    terms
        What else the abundances have to be; see `hsu_lib.solvers.nmf_terms`.
    first
        Which of both is updated first in an iteration.
    iterations
        At most so many.
    tolerance
        Stop when the objective falls by less than this share of its start. With terms, of which some have no
        objective: when neither `E` nor `A` moves by more than this share of its norm.
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

    def abundances(e: Tensor, a: Tensor) -> tuple[Tensor, Tensor]:
        products = e.T @ y
        up, down = products, e.T @ e @ a
        for term in terms:
            up, down = up + term.up(a), down + term.down(a)
        return a * up / _not_zero(down), products

    def spectra(e: Tensor, a: Tensor) -> tuple[Tensor, Tensor]:
        products = y @ a.T
        return e * products / _not_zero(e @ (a @ a.T)), products

    def step(e: Tensor, a: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Both, and the inner product of `Y` and ``E A``."""
        if first == "abundances":
            a, _ = abundances(e, a)
            e, products = spectra(e, a)
            return e, a, (e * products).sum()
        e, _ = spectra(e, a)
        a, products = abundances(e, a)
        return e, a, (a * products).sum()

    if not terms:
        return _alternate(lambda e, a: step(e, a)[:2], y, e, a, iterations, tolerance)
    objective, power = [_objective(y, e, a)], y.square().sum()
    penalised, converged = [objective[0] + sum(term.share(a) for term in terms)], False
    for _ in range(iterations):
        before = e, a
        e, a, inside = step(e, a)
        objective.append(float(0.5 * (power + ((e.T @ e) * (a @ a.T)).sum()) - inside))  # needs no E A
        penalised.append(objective[-1] + sum(term.share(a) for term in terms))
        terms = [term.after(a) for term in terms]
        moved = [float((x - old).norm() / old.norm()) for x, old in zip((e, a), before, strict=True)]
        if max(moved) < tolerance:
            converged = True
            break
    return Factors(e.cpu().numpy(), a.cpu().numpy(), np.array(objective), converged, np.array(penalised))


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

    def step(e: Tensor, a: Tensor) -> tuple[Tensor, Tensor]:
        normal = e.T @ e
        a = onto_simplex(a - (normal @ a - e.T @ y) / _norm(normal))
        normal = a @ a.T
        return (e - (e @ normal - y @ a.T) / _norm(normal)).clamp_min(0), a

    return _alternate(step, y, e.clamp_min(0), onto_simplex(a), iterations, tolerance)


def _alternate(
    step: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]],
    y: Tensor,
    e: Tensor,
    a: Tensor,
    iterations: int,
    tolerance: float,
) -> Factors:
    """Steps until the objective falls by less than a share of its start, or all of them."""
    objective, converged = [_objective(y, e, a)], False
    for _ in range(iterations):
        e, a = step(e, a)
        objective.append(_objective(y, e, a))
        if objective[-2] - objective[-1] < tolerance * objective[0]:
            converged = True
            break
    return Factors(e.cpu().numpy(), a.cpu().numpy(), np.array(objective), converged)


def onto_simplex(A: Tensor) -> Tensor:
    """Nearest columns that are nonnegative and sum to one.

    What is taken from every value of a column before what is negative becomes zero is found by Newton steps
    from below, exact after as many as there are values, mostly four: for 30 values 2.5 times as fast as to
    sort them.

    References
    ----------
    Held, Wolfe and Crowder, Mathematical Programming 6, 1974, 62-88; Michelot, Journal of Optimization Theory
    and Applications 50, 1986, 195-200 (these steps).
    """
    found, one = torch.empty_like(A), A.new_ones(1, len(A))
    size = max(1, _BLOCK // len(A))
    for part, out in zip(A.split(size, dim=1), found.split(size, dim=1), strict=True):
        taken = (one @ part - 1) / len(A)
        for _ in range(len(A)):
            left = (part - taken).clamp_(min=0)
            step = (one @ left - 1) / (one @ left.sign()).clamp_(min=1)
            taken += step
            if float(step.abs().amax()) <= torch.finfo(A.dtype).eps:
                break
        torch.clamp(part - taken, min=0, out=out)
    return found


def _not_zero(denominator: Tensor) -> Tensor:
    """Nothing below a tiny share of its largest value, and ones if it is zero throughout."""
    largest = float(denominator.max())
    return denominator.clamp_min(_TINY * largest if largest > 0 else 1.0)


def _norm(symmetric: Tensor) -> float:
    """Largest eigenvalue of a small positive semidefinite matrix; 1 if that is zero."""
    largest = float(torch.linalg.eigvalsh(symmetric)[-1])
    return largest if largest > 0 else 1.0


def _objective(Y: Tensor, E: Tensor, A: Tensor) -> float:
    return float(0.5 * (Y - E @ A).square().sum())


def _checked(Y: ArrayLike, E: ArrayLike, A: ArrayLike, device: str | torch.device) -> list[Tensor]:
    arrays = [real(x, name).astype(np.float64) for x, name in zip((Y, E, A), "YEA", strict=True)]
    y, e, a = (x.shape for x in arrays)
    if any(len(shape) != 2 for shape in (y, e, a)) or e != (y[0], a[0]) or a[1] != y[1]:
        raise ValueError(
            "expected Y (bands, pixels), E (bands, endmembers) and A (endmembers, pixels), "
            f"got {y}, {e} and {a}"
        )
    if not all(np.isfinite(x).all() for x in arrays):
        raise ValueError("expected finite Y, E and A")
    return [torch.tensor(x, device=device) for x in arrays]
