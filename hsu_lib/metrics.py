"""Every score of the book, one definition each, and the one alignment that comes before them.

Scores compare an estimate with a reference in the order given; `align` finds the order. Angles are
in radians, everything else in the unit of its inputs; percent and degrees belong to tables. Nothing
here changes its inputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from hsu_lib.scene import Scene, Unmixing

Float = NDArray[np.float64]


def _pair(hat: ArrayLike, ref: ArrayLike) -> tuple[Float, Float]:
    x, y = np.asarray(hat, dtype=np.float64), np.asarray(ref, dtype=np.float64)
    if x.shape != y.shape:
        raise ValueError(f"estimate has shape {x.shape}, reference {y.shape}: they must be equal")
    if x.size == 0:
        raise ValueError("nothing to compare: the arrays are empty")
    return x, y


def _unit(X: Float) -> tuple[Float, NDArray[np.bool_]]:
    """Columns over their norms, and which columns have a direction at all."""
    norms = np.linalg.norm(X, axis=0)
    return X / np.where(norms > 0, norms, 1.0), norms > 0


# --------------------------------------------------------------------------- angles and cosines


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
        If the shapes differ.

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
    x, y = _pair(E_hat, E_ref)
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


def cosine_pooled(hat: ArrayLike, ref: ArrayLike) -> float:
    r"""Cosine similarity of two arrays taken as one long vector, :math:`\langle a,b\rangle/(\|a\|\|b\|)`.

    Endmembers of unequal scale weigh unequally. 0 if either is all zero.
    Source: document 000, section Metrics, for endmembers and for abundances.
    """
    x, y = _pair(hat, ref)
    norms = np.linalg.norm(x) * np.linalg.norm(y)
    return float(np.vdot(x, y) / norms) if norms > 0 else 0.0


def cosine_mean(E_hat: ArrayLike, E_ref: ArrayLike) -> float:
    """Mean over the columns (spectra) of their cosine similarity; blind to the scale of each."""
    return float(np.mean(np.cos(spectral_angle(E_hat, E_ref))))


def max_normalised(E: ArrayLike) -> Float:
    """Each spectrum ``(bands, spectra)`` divided by its own maximum; one without positive maximum as it is.

    The code of document 000 scales its estimates so before it compares them.
    """
    E = np.asarray(E, dtype=np.float64)
    peak = E.max(axis=0)
    return E / np.where(peak > 0, peak, 1.0)


# --------------------------------------------------------------------------- errors


def mse(hat: ArrayLike, ref: ArrayLike) -> float:
    """Mean over all entries of the squared difference.

    Document 000 prints a squared norm without the division; its values are of the size of a mean.
    """
    x, y = _pair(hat, ref)
    return float(np.mean((x - y) ** 2))


def rmse_pooled(hat: ArrayLike, ref: ArrayLike) -> float:
    """Root of the mean squared difference over all entries at once.

    Source: document 002 (tutorial), ``RMSE`` in percent, there times 100.
    """
    return float(np.sqrt(mse(hat, ref)))


def rmse_averaged(A_hat: ArrayLike, A_ref: ArrayLike) -> float:
    """Mean over the endmembers (first axis) of each one's root mean squared error.

    Never above `rmse_pooled`; equal to it if all endmembers err alike.
    """
    return float(np.mean(rmse_per_endmember(A_hat, A_ref)))


def rmse_per_endmember(A_hat: ArrayLike, A_ref: ArrayLike) -> Float:
    """Root mean squared error of each endmember's abundances, first axis ``endmembers``."""
    x, y = _pair(A_hat, A_ref)
    return np.sqrt(np.mean((x - y).reshape(len(x), -1) ** 2, axis=1))


def mae(hat: ArrayLike, ref: ArrayLike) -> float:
    """Mean over all entries of the absolute difference. Source: document 001, section Metrics."""
    x, y = _pair(hat, ref)
    return float(np.mean(np.abs(x - y)))


def sre_db(hat: ArrayLike, ref: ArrayLike, *, norms: Literal["squared", "plain"] = "squared") -> float:
    r"""Signal-to-reconstruction error in dB; higher is better, infinite for a perfect estimate.

    ``"squared"`` is the usual power ratio, :math:`10\log_{10}(\|X\|^2/\|X-\hat X\|^2)`; ``"plain"``
    is the ratio of norms as document 002 writes it, :math:`10\log_{10}(\|X\|/\|X-\hat X\|)`, exactly
    half of it. The estimate is not clipped.

    Raises
    ------
    ValueError
        If the reference is all zero: the ratio has no meaning.
    """
    x, y = _pair(hat, ref)
    signal, error = np.linalg.norm(y), np.linalg.norm(y - x)
    if signal == 0:
        raise ValueError("the reference is all zero: a signal-to-reconstruction error needs a signal")
    if error == 0:
        return float("inf")
    return float((20.0 if norms == "squared" else 10.0) * np.log10(signal / error))


def reconstruction_mse(Y: ArrayLike, E_hat: ArrayLike, A_hat: ArrayLike) -> float:
    """Mean over bands and pixels of the squared difference between ``E A`` and the image.

    Shapes ``(bands, ...)``, ``(bands, endmembers)``, ``(endmembers, ...)``. Document 001 calls it RE;
    against a noise-free image it is that document's spectral MSE.
    """
    return mse(_mixed(E_hat, A_hat), np.asarray(Y, dtype=np.float64).reshape(len(np.asarray(Y)), -1))


def reconstruction_angle(Y: ArrayLike, E_hat: ArrayLike, A_hat: ArrayLike) -> float:
    """Mean over pixels of the angle between ``E A`` and the image's spectrum, in radians."""
    Y = np.asarray(Y)
    return float(np.mean(spectral_angle(_mixed(E_hat, A_hat), Y.reshape(len(Y), -1))))


def _mixed(E: ArrayLike, A: ArrayLike) -> Float:
    E, A = np.asarray(E, dtype=np.float64), np.asarray(A, dtype=np.float64)
    return E @ A.reshape(len(A), -1)


# --------------------------------------------------------------------------- alignment


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
    x, y = _pair(E_hat, E_ref)
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("cannot align endmembers that are not finite")
    estimate, reference = linear_sum_assignment(spectral_angles(x, y))
    order = np.empty(len(estimate), dtype=np.intp)
    order[reference] = estimate
    return order


def cosine_own_order(hat: ArrayLike, ref: ArrayLike) -> float:
    """Pooled cosine similarity in the order of the first axis that maximises this very score.

    The code of document 000 scores so: with an order of its own for each score, endmembers and
    abundances may belong to different orders, which flatters. For comparison with that code only.
    """
    x, y = _pair(hat, ref)
    x, y = x.reshape(len(x), -1), y.reshape(len(y), -1)
    products = x @ y.T  # the numerator is a sum over matched pairs, so assignment solves it exactly
    norms = np.linalg.norm(x) * np.linalg.norm(y)
    return float(products[linear_sum_assignment(-products)].sum() / norms) if norms > 0 else 0.0


def mse_own_order(hat: ArrayLike, ref: ArrayLike) -> float:
    """Mean squared error in the order of the first axis that minimises it; see `cosine_own_order`."""
    x, y = _pair(hat, ref)
    x, y = x.reshape(len(x), -1), y.reshape(len(y), -1)
    return mse(x[linear_sum_assignment(cdist(y, x, "sqeuclidean"))[1]], y)


# --------------------------------------------------------------------------- all scores of a run


class Score(NamedTuple):
    """How a score is read: its title, its unit, and whether lower or higher is better."""

    title: str
    unit: str
    better: Literal["lower", "higher"]


#: Every score a record may hold. Names are those of `book/reported/README.md`, with a suffix where
#: a document's definition differs from the plain one.
SCORES: Mapping[str, Score] = {
    "cos-endmembers": Score("cosine similarity of E, pooled", "1", "higher"),
    "cos-endmembers-max": Score("cosine similarity of E, pooled, estimates over their maxima", "1", "higher"),
    "cos-endmembers-mean": Score("cosine similarity of E, mean over endmembers", "1", "higher"),
    "sad-endmembers": Score("spectral angle of E, mean over endmembers", "rad", "lower"),
    "mse-abundances": Score("mean squared error of A", "1", "lower"),
    "rmse-abundances": Score("root mean squared error of A, pooled", "1", "lower"),
    "rmse-abundances-averaged": Score("root mean squared error of A, mean over endmembers", "1", "lower"),
    "mae-abundances": Score("mean absolute error of A", "1", "lower"),
    "cos-abundances": Score("cosine similarity of A, pooled", "1", "higher"),
    "sre-abundances": Score("signal-to-reconstruction error of A (squared norms)", "dB", "higher"),
    "sre-abundances-plain": Score("signal-to-reconstruction error of A (plain norms)", "dB", "higher"),
    "mse-reconstruction": Score("mean squared error of E A against Y", "1", "lower"),
    "sad-reconstruction": Score("spectral angle of E A to Y, mean over pixels", "rad", "lower"),
    "extreme-abundances": Score("share of abundances below 0.05 or above 0.95", "1", "higher"),
    "contrast-abundances": Score("difference of the maps' standard deviations", "1", "lower"),
    "detail-abundances": Score("correlation of the maps' differences between neighbours", "1", "higher"),
    "cos-endmembers-own-order": Score("cosine of E over its own best order, over maxima", "1", "higher"),
    "mse-abundances-own-order": Score("mean squared error of A over its own best order", "1", "lower"),
    "cos-abundances-own-order": Score("cosine similarity of A over its own best order", "1", "higher"),
}


def extreme_share(A: ArrayLike) -> float:
    """Share of abundances below 0.05 or above 0.95: near 1 for maps that are almost binary.

    Our reading of "almost binary" in document 000, section Samson dataset.
    """
    A = np.asarray(A)
    return float(np.mean((A < 0.05) | (A > 0.95)))


def contrast_error(A_hat: ArrayLike, A_ref: ArrayLike) -> float:
    """Absolute difference of the standard deviation over pixels, mean over endmembers.

    0 where every map has the contrast of its reference, wherever its light and dark pixels are. Our
    reading of "contrast" in document 000, section Samson dataset. Shapes ``(endmembers, ...)``.
    """
    x, y = _pair(A_hat, A_ref)
    spread = [a.reshape(len(a), -1).std(axis=1) for a in (x, y)]
    return float(np.mean(np.abs(spread[0] - spread[1])))


def detail_correlation(A_hat: ArrayLike, A_ref: ArrayLike) -> float:
    """Pearson correlation of the differences between neighbouring pixels, mean over endmembers.

    Differences to the right and downwards keep edges and texture and remove what is smooth. A map
    without any difference has correlation 0. Our reading of "details" in document 000, section Samson
    dataset. Shapes ``(endmembers, height, width)``.
    """
    pairs = zip(*(_differences(a) for a in _pair(A_hat, A_ref)), strict=True)
    found = []
    for x, y in pairs:
        x, y = x - x.mean(), y - y.mean()
        size = np.linalg.norm(x) * np.linalg.norm(y)
        found.append(float(x @ y / size) if size > 0 else 0.0)
    return float(np.mean(found))


def _differences(A: Float) -> list[Float]:
    """Per endmember all differences to the right and downwards, and a zero so that none is empty."""
    return [np.concatenate([np.diff(a, axis=0).ravel(), np.diff(a, axis=1).ravel(), [0.0]]) for a in A]


def score(unmixing: Unmixing, scene: Scene) -> tuple[dict[str, float], Unmixing]:
    """All scores that the scene's reference allows, and the unmixing in the order of that reference.

    Parameters
    ----------
    unmixing
        Estimate, in any order of endmembers.
    scene
        Scene it was made from. Without reference endmembers nothing is reordered, and only the
        reconstruction is scored.

    Returns
    -------
    scores
        Names of `SCORES` to values; also ``sad-endmembers/MATERIAL`` and ``rmse-abundances/MATERIAL``.
    aligned
        The unmixing, reordered by `align` if the scene has reference endmembers of the same number.
    """
    E, A = unmixing.E, unmixing.A
    scores = {
        "mse-reconstruction": reconstruction_mse(scene.Y, E, A),
        "sad-reconstruction": reconstruction_angle(scene.Y, E, A),
        "extreme-abundances": extreme_share(A),
    }
    if scene.E is None or scene.E.shape != E.shape:
        return scores, unmixing
    materials = scene.materials or tuple(str(k + 1) for k in range(E.shape[1]))
    aligned = unmixing.permuted(align(E, scene.E))
    angles = spectral_angle(aligned.E, scene.E)
    scores |= {
        "cos-endmembers": cosine_pooled(aligned.E, scene.E),
        "cos-endmembers-max": cosine_pooled(max_normalised(aligned.E), scene.E),
        "cos-endmembers-mean": float(np.mean(np.cos(angles))),
        "cos-endmembers-own-order": cosine_own_order(max_normalised(E).T, scene.E.T),
        "sad-endmembers": float(np.mean(angles)),
    }
    scores |= {f"sad-endmembers/{name}": float(angle) for name, angle in zip(materials, angles, strict=True)}
    if scene.A is not None:
        errors = rmse_per_endmember(aligned.A, scene.A)
        scores |= {
            "mse-abundances": mse(aligned.A, scene.A),
            "rmse-abundances": rmse_pooled(aligned.A, scene.A),
            "rmse-abundances-averaged": float(np.mean(errors)),
            "mae-abundances": mae(aligned.A, scene.A),
            "cos-abundances": cosine_pooled(aligned.A, scene.A),
            "contrast-abundances": contrast_error(aligned.A, scene.A),
            "detail-abundances": detail_correlation(aligned.A, scene.A),
            "mse-abundances-own-order": mse_own_order(A, scene.A),
            "cos-abundances-own-order": cosine_own_order(A, scene.A),
            "sre-abundances": sre_db(aligned.A, scene.A),
            "sre-abundances-plain": sre_db(aligned.A, scene.A, norms="plain"),
        }
        scores |= {
            f"rmse-abundances/{name}": float(error) for name, error in zip(materials, errors, strict=True)
        }
    return scores, aligned
