"""Angles between spectra, and the one order of endmembers that they decide."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linear_sum_assignment

from hsu_lib.scene import real

Float = NDArray[np.float64]


def pair(hat: ArrayLike, ref: ArrayLike) -> tuple[Float, Float]:
    """Estimate and reference in double precision; refused if shapes differ, one is empty or not finite."""
    x, y = finite(hat, "estimate"), finite(ref, "reference")
    if x.shape != y.shape:
        raise ValueError(f"estimate has shape {x.shape}, reference {y.shape}: they must be equal")
    return x, y


def finite(values: ArrayLike, name: str) -> Float:
    """Values in double precision; refused if there are none, or one is NaN or infinite.

    One NaN would make a score of all pixels NaN, or count as an angle of 90 degrees.
    """
    array = real(values, name).astype(np.float64)
    if array.size == 0:
        raise ValueError(f"{name}: nothing to compare, the array is empty")
    bad = array.size - int(np.isfinite(array).sum())
    if bad:
        raise ValueError(
            f"{name}: {bad} of {array.size} values are NaN or infinite; give only pixels that count, "
            "such as A[:, mask]"
        )
    return array


def _unit(X: Float) -> tuple[Float, NDArray[np.bool_]]:
    """Columns over their norms, and which columns have a direction at all."""
    norms = np.linalg.norm(X, axis=0)
    return X / np.where(norms > 0, norms, 1.0), norms > 0


def spectral_angle(E_hat: ArrayLike, E_ref: ArrayLike) -> Float:
    r"""Angle between each spectrum and its reference, in radians.

    For unit vectors :math:`u, v` the angle is :math:`2\,\mathrm{atan2}(\|u-v\|, \|u+v\|)`: equal to
    :math:`\arccos(u^\top v)`, but precise for nearly parallel spectra, where rounding can push the
    cosine past 1. A positive scale of either spectrum changes nothing.

    Parameters
    ----------
    E_hat, E_ref
        Spectra as columns, shape ``(bands, spectra)``, in matching order.

    Returns
    -------
    ndarray
        Shape ``(spectra,)``, in ``[0, pi]``. A spectrum of zeros has no direction and counts as
        orthogonal to everything: ``pi / 2``.

    Raises
    ------
    ValueError
        If the shapes differ or a value is not finite.

    Examples
    --------
    >>> E = np.array([[1.0, 0.0], [0.0, 2.0]])
    >>> spectral_angle(E, 5 * E)
    array([0., 0.])

    References
    ----------
    Kruse et al., Remote Sensing of Environment 44 (1993) 145-163 (the angle); W. Kahan, "How Futile
    are Mindless Assessments of Roundoff in Floating-Point Computation", 2006 (this form).
    """
    x, y = pair(E_hat, E_ref)
    (u, u_has), (v, v_has) = _unit(x), _unit(y)
    angle = 2.0 * np.arctan2(np.linalg.norm(u - v, axis=0), np.linalg.norm(u + v, axis=0))
    return np.where(u_has & v_has, angle, np.pi / 2)


def spectral_angles(E_hat: ArrayLike, E_ref: ArrayLike) -> Float:
    """Angle of every estimate (rows) to every reference (columns), in radians.

    Shapes ``(bands, m)`` and ``(bands, n)`` give ``(m, n)``; zero spectra as in `spectral_angle`.
    """
    x, y = np.asarray(E_hat, dtype=np.float64), np.asarray(E_ref, dtype=np.float64)
    if x.ndim != 2 or y.ndim != 2 or x.shape[0] != y.shape[0]:
        raise ValueError(
            f"expected two (bands, spectra) matrices with equal bands, got {x.shape} and {y.shape}"
        )
    m, n = x.shape[1], y.shape[1]
    return spectral_angle(np.repeat(x, n, axis=1), np.tile(y, (1, m))).reshape(m, n)


def align(E_hat: ArrayLike, E_ref: ArrayLike) -> NDArray[np.intp]:
    """Order of the estimated endmembers that fits the reference best: ONE order for E and A.

    Minimises the sum of spectral angles over all permutations (Hungarian assignment). It uses the
    reference: a page that shows aligned results says so.

    Parameters
    ----------
    E_hat, E_ref
        Shape ``(bands, endmembers)`` both.

    Returns
    -------
    ndarray
        Indices, shape ``(endmembers,)``: ``E_hat[:, order]`` and ``A_hat[order]`` stand in the order
        of the reference.

    Raises
    ------
    ValueError
        If the shapes differ or a value is not finite.
    """
    x, y = pair(E_hat, E_ref)
    estimate, reference = linear_sum_assignment(spectral_angles(x, y))
    order = np.empty(len(estimate), dtype=np.intp)
    order[reference] = estimate
    return order


def align_nearest(E_hat: ArrayLike, E_ref: ArrayLike) -> NDArray[np.intp]:
    """For each reference the estimate at the least Euclidean distance, as public scripts of UnDIP have it.

    No order: one estimate may stand for several references, and another for none. Shapes, result and errors
    as of `align`.
    """
    x, y = pair(E_hat, E_ref)
    distances = np.linalg.norm(x[:, :, None] - y[:, None, :], axis=0)
    return distances.argmin(axis=0)


def align_greedily(E_hat: ArrayLike, E_ref: ArrayLike) -> NDArray[np.intp]:
    """The pair at the least angle first, then the next of what is left, as the public code of NMF-QMV has it.

    An order, but not the best one. That code takes the angle between lines, so that a spectrum may point the
    other way. Shapes, result and errors as of `align`.
    """
    x, y = pair(E_hat, E_ref)
    (u, _), (v, _) = _unit(x), _unit(y)
    apart = 1 - np.abs(u.T @ v)
    order = np.empty(apart.shape[1], dtype=np.intp)
    for _ in order:
        estimate, reference = np.unravel_index(apart.argmin(), apart.shape)
        order[reference] = estimate
        apart[estimate], apart[:, reference] = np.inf, np.inf
    return order
