"""Every score of the book, one definition each, and the one order that comes before them.

Scores compare an estimate with a reference in the order given; `hsu_lib.metrics.alignment.align` finds the
order. Angles are in radians, everything else in the unit of its inputs; percent and degrees belong to
tables. Nothing here changes its inputs. A value that is not finite is refused, never averaged: of a masked
image, `score` takes the pixels that count, and who calls a single score gives them, ``A[:, mask]``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from hsu_lib.metrics.alignment import Float, align, finite, pair, spectral_angle
from hsu_lib.metrics.chosen import whole_library
from hsu_lib.metrics.truth import Truth
from hsu_lib.scene import Array, Scene, Unmixing
from hsu_lib.solvers.subspace import pca_truncation

#: Raised when a score is added or changed: stored runs then get theirs anew, from their arrays.
VERSION = 2

# --------------------------------------------------------------------------- cosines


def cosine_pooled(hat: ArrayLike, ref: ArrayLike) -> float:
    r"""Cosine similarity of two arrays taken as one long vector, :math:`\langle a,b\rangle/(\|a\|\|b\|)`.

    Endmembers of unequal scale weigh unequally. 0 if either is all zero.
    Source: report on perturbations, section Metrics, for endmembers and for abundances.
    """
    x, y = pair(hat, ref)
    norms = np.linalg.norm(x) * np.linalg.norm(y)
    return float(np.vdot(x, y) / norms) if norms > 0 else 0.0


def cosine_mean(E_hat: ArrayLike, E_ref: ArrayLike) -> float:
    """Mean over the columns (spectra) of their cosine similarity; blind to the scale of each."""
    return float(np.mean(np.cos(spectral_angle(E_hat, E_ref))))


def max_normalised(E: ArrayLike) -> Float:
    """Each spectrum ``(bands, spectra)`` divided by its own maximum; one without positive maximum as it is.

    The code of the report on perturbations scales its estimates so before it compares them.
    """
    E = np.asarray(E, dtype=np.float64)
    peak = E.max(axis=0)
    return E / np.where(peak > 0, peak, 1.0)


# --------------------------------------------------------------------------- errors


def mse(hat: ArrayLike, ref: ArrayLike) -> float:
    """Mean over all entries of the squared difference.

    The report on perturbations prints a squared norm without the division; its values are of the size of a
    mean.
    """
    x, y = pair(hat, ref)
    return float(np.mean((x - y) ** 2))


def rmse_pooled(hat: ArrayLike, ref: ArrayLike) -> float:
    """Root of the mean squared difference over all entries at once.

    Source: the tutorial, ``RMSE`` in percent, there times 100.
    """
    return float(np.sqrt(mse(hat, ref)))


def rmse_averaged(A_hat: ArrayLike, A_ref: ArrayLike) -> float:
    """Mean over the endmembers (first axis) of each one's root mean squared error.

    Never above `rmse_pooled`; equal to it if all endmembers err alike.
    """
    return float(np.mean(rmse_per_endmember(A_hat, A_ref)))


def rmse_per_endmember(A_hat: ArrayLike, A_ref: ArrayLike) -> Float:
    """Root mean squared error of each endmember's abundances, first axis ``endmembers``."""
    x, y = pair(A_hat, A_ref)
    return np.sqrt(np.mean((x - y).reshape(len(x), -1) ** 2, axis=1))


def mae(hat: ArrayLike, ref: ArrayLike) -> float:
    """Mean over all entries of the absolute difference. Source: report on UnDIP, section Metrics."""
    x, y = pair(hat, ref)
    return float(np.mean(np.abs(x - y)))


def sre_db(hat: ArrayLike, ref: ArrayLike, *, norms: Literal["squared", "plain"] = "squared") -> float:
    r"""Signal-to-reconstruction error in dB; higher is better, infinite for a perfect estimate.

    ``"squared"`` is the usual power ratio, :math:`10\log_{10}(\|X\|^2/\|X-\hat X\|^2)`; ``"plain"``
    is the ratio of norms as the tutorial writes it, :math:`10\log_{10}(\|X\|/\|X-\hat X\|)`, exactly
    half of it. The estimate is not clipped.

    Raises
    ------
    ValueError
        If the reference is all zero: the ratio has no meaning.
    """
    x, y = pair(hat, ref)
    signal, error = np.linalg.norm(y), np.linalg.norm(y - x)
    if signal == 0:
        raise ValueError("the reference is all zero: a signal-to-reconstruction error needs a signal")
    if error == 0:
        return float("inf")
    return float((20.0 if norms == "squared" else 10.0) * np.log10(signal / error))


def reconstruction_mse(Y: ArrayLike, E_hat: ArrayLike, A_hat: ArrayLike) -> float:
    """Mean over bands and pixels of the squared difference between ``E A`` and the image.

    Shapes ``(bands, ...)``, ``(bands, endmembers)``, ``(endmembers, ...)``. The report on UnDIP calls it RE;
    against a noise-free image it is that document's spectral MSE.
    """
    return mse(_mixed(E_hat, A_hat), np.asarray(Y, dtype=np.float64).reshape(len(np.asarray(Y)), -1))


def reconstruction_angle(Y: ArrayLike, E_hat: ArrayLike, A_hat: ArrayLike) -> float:
    """Mean over pixels of the angle between ``E A`` and the image's spectrum, in radians."""
    Y = np.asarray(Y)
    return float(np.mean(spectral_angle(_mixed(E_hat, A_hat), Y.reshape(len(Y), -1))))


def _mixed(E: ArrayLike, A: ArrayLike) -> Float:
    E, A = np.asarray(E, dtype=np.float64), np.asarray(A, dtype=np.float64)
    return E @ A.reshape(len(A), int(np.prod(A.shape[1:])))  # of no endmember, too


# --------------------------------------------------------------------------- orders of their own


def cosine_own_order(hat: ArrayLike, ref: ArrayLike) -> float:
    """Pooled cosine similarity in the order of the first axis that maximises this very score.

    The code of the report on perturbations scores so: with an order of its own for each score, endmembers and
    abundances may belong to different orders, which flatters. For comparison with that code only.
    """
    x, y = pair(hat, ref)
    x, y = x.reshape(len(x), -1), y.reshape(len(y), -1)
    products = x @ y.T  # the numerator is a sum over matched pairs, so assignment solves it exactly
    norms = np.linalg.norm(x) * np.linalg.norm(y)
    return float(products[linear_sum_assignment(-products)].sum() / norms) if norms > 0 else 0.0


def mse_own_order(hat: ArrayLike, ref: ArrayLike) -> float:
    """Mean squared error in the order of the first axis that minimises it; see `cosine_own_order`."""
    x, y = pair(hat, ref)
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
    "mse-spectral": Score("mean squared error of E A against the image without noise", "1", "lower"),
    "mse-noise": Score("mean squared error of Y against the image without noise", "1", "lower"),
    "mse-spectral-pca": Score("the same after PCA truncation of Y to as many dimensions", "1", "lower"),
    "mae-abundances-fclsu": Score("mean absolute error of A against FCLSU on SiVM endmembers", "1", "lower"),
    "sad-reconstruction": Score("spectral angle of E A to Y, mean over pixels", "rad", "lower"),
    "extreme-abundances": Score("share of abundances below 0.05 or above 0.95", "1", "higher"),
    "extreme-abundances-reference": Score("that share in the reference", "1", "higher"),
    "contrast-abundances": Score("difference of the maps' standard deviations", "1", "lower"),
    "detail-abundances": Score("correlation of the maps' differences between neighbours", "1", "higher"),
    "cos-endmembers-own-order": Score("cosine of E over its own best order, over maxima", "1", "higher"),
    "cos-endmembers-code": Score("cosine of E over its own best order, both over maxima", "1", "higher"),
    "mse-abundances-own-order": Score("mean squared error of A over its own best order", "1", "lower"),
    "cos-abundances-own-order": Score("cosine similarity of A over its own best order", "1", "higher"),
}


def extreme_share(A: ArrayLike) -> float:
    """Share of abundances below 0.05 or above 0.95: near 1 for maps that are almost binary.

    Our reading of "almost binary" in the report on perturbations, section Samson dataset.
    """
    A = finite(A, "abundances")
    return float(np.mean((A < 0.05) | (A > 0.95)))


def contrast_error(A_hat: ArrayLike, A_ref: ArrayLike) -> float:
    """Absolute difference of the standard deviation over pixels, mean over endmembers.

    0 where every map has the contrast of its reference, wherever its light and dark pixels are. Our
    reading of "contrast" in the report on perturbations, section Samson dataset. Shapes
    ``(endmembers, ...)``.
    """
    x, y = pair(A_hat, A_ref)
    spread = [a.reshape(len(a), -1).std(axis=1) for a in (x, y)]
    return float(np.mean(np.abs(spread[0] - spread[1])))


def detail_correlation(A_hat: ArrayLike, A_ref: ArrayLike, mask: NDArray[np.bool_] | None = None) -> float:
    """Pearson correlation of the differences between neighbouring pixels, mean over endmembers.

    Differences to the right and downwards keep edges and texture and remove what is smooth. A map
    without any difference has correlation 0. Our reading of "details" in the report on perturbations,
    section Samson dataset. Shapes ``(endmembers, height, width)``; neighbours that do not both count by the
    `mask` ``(height, width)`` have no difference.
    """
    if mask is not None:
        A_hat, A_ref = np.where(mask, A_hat, 0), np.where(mask, A_ref, 0)
    maps = pair(A_hat, A_ref)
    counts = np.ones(maps[0].shape[1:], dtype=bool) if mask is None else mask
    pairs = zip(*(_differences(A, counts) for A in maps), strict=True)
    found = []
    for x, y in pairs:
        x, y = x - x.mean(), y - y.mean()
        size = np.linalg.norm(x) * np.linalg.norm(y)
        found.append(float(x @ y / size) if size > 0 else 0.0)
    return float(np.mean(found))


def _differences(A: Float, counts: NDArray[np.bool_]) -> list[Float]:
    """Per endmember the differences to the right and downwards, and a zero so that none is empty."""
    down, right = counts[1:] & counts[:-1], counts[:, 1:] & counts[:, :-1]
    return [np.concatenate([np.diff(a, axis=0)[down], np.diff(a, axis=1)[right], [0.0]]) for a in A]


def score(unmixing: Unmixing, scene: Scene, truth: Truth | None = None) -> tuple[dict[str, float], Unmixing]:
    """All scores that the scene's reference allows, and the unmixing in the order of that reference.

    Parameters
    ----------
    unmixing
        Estimate, in any order of endmembers.
    scene
        Scene it was made from. Without reference endmembers nothing is reordered, and only the
        reconstruction is scored. Pixels that do not count, by its mask or that of `unmixing`, are left out.
    truth
        What else is known of it (`hsu_lib.metrics.truth`): its clean image, the FCLSU reference, the library.

    Returns
    -------
    scores
        Names of `SCORES` to values; also ``sad-endmembers/MATERIAL``, ``rmse-abundances/MATERIAL`` and
        ``mae-abundances-fclsu/MATERIAL``.
    aligned
        The unmixing, reordered by `align` if the scene has reference endmembers of the same number, and it
        is not in their order by itself, nor in that of a library.

    Raises
    ------
    ValueError
        If no pixel counts, or a value of one that does is not finite: a diverged unmixing has no scores.
    """
    counts = _counting(unmixing, scene)

    def seen(maps: Array) -> Array:
        return maps if counts is None else maps[:, counts]

    E, Y, A = unmixing.E, seen(scene.Y), seen(unmixing.A)
    scores = {
        "mse-reconstruction": reconstruction_mse(Y, E, A),
        "sad-reconstruction": reconstruction_angle(Y, E, A),
    }
    truth = (truth or Truth()).fitting(scene, E.shape[1])
    clean = None if truth.clean is None else seen(truth.clean)
    if clean is not None:
        scores |= {"mse-spectral": reconstruction_mse(clean, E, A), "mse-noise": mse(Y, clean)}
    if unmixing.active is not None:
        return scores | _of_library(unmixing, scene, truth, seen), unmixing
    scores["extreme-abundances"] = extreme_share(A)
    if clean is not None:
        scores["mse-spectral-pca"] = mse(pca_truncation(Y, E.shape[1]), clean)
    materials = scene.materials or tuple(str(k + 1) for k in range(E.shape[1]))
    E_ref = scene.E if scene.E is not None and scene.E.shape == E.shape else None
    if "fclsu" in truth.references:
        other = truth.references["fclsu"]
        difference = np.abs(A[align(E, other.E)] - seen(other.A))
        errors = difference.mean(axis=tuple(range(1, difference.ndim)), dtype=np.float64)
        errors = finite(errors, "distance of A from the FCLSU reference")
        scores["mae-abundances-fclsu"] = float(errors.mean())
        if E_ref is not None:
            order = align(other.E, E_ref)
            scores |= {f"mae-abundances-fclsu/{materials[k]}": float(errors[i]) for k, i in enumerate(order)}
    if E_ref is None:
        return scores, unmixing
    aligned = unmixing if unmixing.ordered else unmixing.permuted(align(E, E_ref))
    angles = spectral_angle(aligned.E, E_ref)
    scores |= {
        "cos-endmembers": cosine_pooled(aligned.E, E_ref),
        "cos-endmembers-max": cosine_pooled(max_normalised(aligned.E), E_ref),
        "cos-endmembers-mean": float(np.mean(np.cos(angles))),
        "cos-endmembers-own-order": cosine_own_order(max_normalised(E).T, E_ref.T),
        "cos-endmembers-code": cosine_own_order(max_normalised(E).T, max_normalised(E_ref).T),
        "sad-endmembers": float(np.mean(angles)),
    }
    scores |= {f"sad-endmembers/{name}": float(angle) for name, angle in zip(materials, angles, strict=True)}
    if scene.A is not None:
        A_hat, A_ref = seen(aligned.A), seen(scene.A)
        errors = rmse_per_endmember(A_hat, A_ref)
        scores |= {
            "mse-abundances": mse(A_hat, A_ref),
            "rmse-abundances": rmse_pooled(A_hat, A_ref),
            "rmse-abundances-averaged": float(np.mean(errors)),
            "mae-abundances": mae(A_hat, A_ref),
            "cos-abundances": cosine_pooled(A_hat, A_ref),
            "extreme-abundances-reference": extreme_share(A_ref),
            "contrast-abundances": contrast_error(A_hat, A_ref),
            "detail-abundances": detail_correlation(aligned.A, scene.A, counts),
            "mse-abundances-own-order": mse_own_order(A, A_ref),
            "cos-abundances-own-order": cosine_own_order(A, A_ref),
            "sre-abundances": sre_db(A_hat, A_ref),
            "sre-abundances-plain": sre_db(A_hat, A_ref, norms="plain"),
        }
        scores |= {
            f"rmse-abundances/{name}": float(error) for name, error in zip(materials, errors, strict=True)
        }
    return scores, aligned


def _of_library(
    unmixing: Unmixing, scene: Scene, truth: Truth, seen: Callable[[Array], Array]
) -> dict[str, float]:
    """Errors over all spectra of the library, if the scene's endmembers are some of them."""
    found = whole_library(unmixing, scene, truth)
    if found is None:
        return {}
    estimate, reference = map(seen, found)
    return {
        "mse-abundances": mse(estimate, reference),
        "rmse-abundances": rmse_pooled(estimate, reference),
        "mae-abundances": mae(estimate, reference),
        "sre-abundances": sre_db(estimate, reference),
        "sre-abundances-plain": sre_db(estimate, reference, norms="plain"),
    }


def _counting(unmixing: Unmixing, scene: Scene) -> NDArray[np.bool_] | None:
    """Pixels to score: those that took part and count in the scene; None where all do."""
    masks = [mask for mask in (scene.mask, unmixing.mask) if mask is not None]
    if not masks:
        return None
    counts: NDArray[np.bool_] = np.logical_and.reduce(masks)
    if not counts.any():
        raise ValueError(f"no pixel of {scene.name} that counts took part, so there is nothing to score")
    return counts
