r"""Blind unmixing with the squared volume of the simplex of the endmembers as a penalty."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hsu_lib.solvers.factorization import Factors
from hsu_lib.solvers.fclsu import fclsu
from hsu_lib.solvers.subspace import Subspace, principal_subspace

Float = NDArray[np.float64]

#: Share of the first-order decrease that a step has to reach (Armijo).
_ENOUGH = 0.01
#: At most so many doublings or halvings of one step.
_TRIALS = 40


def determinant_volume(
    Y: ArrayLike,
    E: ArrayLike,
    A: ArrayLike,
    *,
    weight: float,
    iterations: int = 150,
    steps: int = 20,
    tolerance: float = 0.0,
    device: str = "cpu",
) -> Factors:
    r"""Factorisation whose endmembers span a small simplex, from a given start.

    .. math:: \min_{E, A \ge 0} \tfrac12\|Y - E A\|_F^2 + \tfrac w2 \det(Z)^2
              \quad\text{s.t.}\quad \mathbf 1^\top A = \mathbf 1^\top,
              \qquad Z = \begin{pmatrix}\mathbf 1^\top\\ U^\top(E - m\mathbf 1^\top)\end{pmatrix}

    with the mean pixel `m` and the leading principal components `U` of the image, one less than endmembers,
    `p`. The volume of the simplex is :math:`|\det Z| / (p-1)!`. By turns, endmembers take projected gradient
    steps and abundances are those of fully constrained least squares, exact: the objective never rises.

    Parameters
    ----------
    Y
        Image, shape ``(bands, pixels)``.
    E, A
        Start, shapes ``(bands, endmembers)`` and ``(endmembers, pixels)``; negative endmembers become 0.
    weight
        `w`. The other term grows with the number of pixels and the square of the image's unit, this one with
        the power :math:`2(p-1)` of the unit: a value means something only together with these.
    iterations
        At most so many.
    steps
        Of the endmembers in each iteration.
    tolerance
        Stop when the objective falls by less than this share of its start.
    device
        Torch device on which the abundances are computed.

    Returns
    -------
    Factors
        With the objective above.

    References
    ----------
    Miao and Qi, IEEE TGRS 45(3), 2007, 765-777.
    """
    Y, A = np.asarray(Y, dtype=np.float64), np.asarray(A, dtype=np.float64)
    E = np.maximum(np.asarray(E, dtype=np.float64), 0)
    subspace = principal_subspace(Y, E.shape[1] - 1)
    power = float(np.vdot(Y, Y))

    def objective(E: Float, normal: Float, linear: Float) -> float:
        fit = power - 2 * float(np.vdot(linear, E)) + float(np.vdot(E @ normal, E))
        return 0.5 * max(fit, 0.0) + 0.5 * weight * determinant(E, subspace) ** 2

    normal, linear = A @ A.T, Y @ A.T
    values, converged = [objective(E, normal, linear)], False
    length = 1 / max(float(np.linalg.norm(normal, 2)), np.finfo(float).tiny)
    for _ in range(iterations):
        for _ in range(steps):
            E, length = _step(E, normal, linear, weight, subspace, length)
        A = fclsu(Y, E, device=device)
        normal, linear = A @ A.T, Y @ A.T
        values.append(objective(E, normal, linear))
        converged = values[-2] - values[-1] < tolerance * values[0]
        if converged:
            break
    return Factors(E, A, np.array(values), converged)


def determinant(E: Float, subspace: Subspace) -> float:
    r"""Of the lifted endmembers, :math:`\det(Z)`, in the unit of `E` to the power of the dimensions.

    Parameters
    ----------
    E
        Shape ``(bands, endmembers)``.
    subspace
        With one dimension less than endmembers.
    """
    return float(np.linalg.det(_lifted(E, subspace)))


def determinant_gradient(E: Float, subspace: Subspace) -> Float:
    r"""Of `determinant`, shape of `E`: :math:`\det(Z)\, U Z^{-\top}`, the last factor without its first row.

    Its entries are polynomials of those of `E`, and so are they computed: a flat simplex has one, too.
    """
    left, values, right = np.linalg.svd(_lifted(E, subspace))
    others = np.array([np.delete(values, k).prod() for k in range(len(values))])
    cofactors = np.linalg.det(left) * np.linalg.det(right) * (left * others) @ right
    return subspace.basis @ cofactors[1:]


def _lifted(E: Float, subspace: Subspace) -> Float:
    """`Z`, shape ``(endmembers, endmembers)``."""
    return np.vstack([np.ones(E.shape[1]), subspace.coordinates(E)])


def _step(
    E: Float, normal: Float, linear: Float, weight: float, subspace: Subspace, length: float
) -> tuple[Float, float]:
    """One projected gradient step of the endmembers, and its length, where the next search starts.

    The length is doubled as long as the objective falls by enough, or halved until it does.
    """
    volume, slope = determinant(E, subspace), determinant_gradient(E, subspace)
    fit = E @ normal - linear
    gradient = fit + weight * volume * slope

    def step(length: float) -> tuple[Float, bool]:
        new = np.maximum(E - length * gradient, 0)
        change = new - E
        fall = float(np.vdot(fit + 0.5 * change @ normal, change))
        fall += 0.5 * weight * (determinant(new, subspace) ** 2 - volume**2)
        return new, fall <= _ENOUGH * float(np.vdot(gradient, change))

    return _longest(step, E, length)


def _longest(step: Callable[[float], tuple[Float, bool]], E: Float, length: float) -> tuple[Float, float]:
    """Where the longest good step leads, and its length; the place itself if none is good."""
    new, good = step(length)
    factor = 2.0 if good else 0.5
    for _ in range(_TRIALS):
        other, fine = step(factor * length)
        if good and (not fine or np.array_equal(other, new)):
            return new, length
        new, length = other, factor * length
        if fine and not good:
            return new, length
    return (new, length) if good else (E, length)
