"""Superpixels by the spectral angle, on a hexagonal grid, and how well each pixel fits into its own."""

from __future__ import annotations

from math import sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from hsu_lib.solvers.superpixels import Labels, connected, region_means

#: Rounds of the clustering, as in the public code of SGSNMF.
_ROUNDS = 10
#: Least distance of a pixel from its segment, so that its confidence is at most 20; of Samson's it is 14.
_LEAST = 0.05
_CROSS = ndimage.generate_binary_structure(2, 1)


def angle_slic(Y: ArrayLike, size: int, compactness: float) -> Labels:
    r"""Superpixels by simple linear iterative clustering with the spectral angle, hexagonal at first.

    A pixel's distance from a cluster is :math:`\sqrt{\theta + m^2 d^2 / S^2}` with the angle :math:`\theta`
    to its mean, the distance :math:`d` to its centre, and the spacing `S` of the grid. In each round every
    cluster takes, in a square around its centre, what is nearer to it than to whatever it has ever been
    taken by. Then parts that hang together are regions of their own, and pixels where a region is less than
    a cross of three pixels wide join the nearest region.

    Parameters
    ----------
    Y
        Image, shape ``(bands, height, width)``.
    size
        Root of the number of pixels that a superpixel should have.
    compactness
        :math:`m`.

    Returns
    -------
    ndarray
        Region of each pixel, connected, from 0 and without a gap, shape ``(height, width)``.

    References
    ----------
    Achanta et al., IEEE TPAMI 34(11), 2012, 2274-2282; with the angle: Wang, Zhong, Zhang and Xu, IEEE TGRS
    55(11), 2017, 6287-6304, and its public code.
    """
    Y = np.asarray(Y, dtype=np.float64)
    _, height, width = Y.shape
    places, spacing = _hexagonal(height, width, size)
    reach = max(_rounded(spacing), 1)
    means = Y[:, *places]
    unit = Y / _not_zero(np.linalg.norm(Y, axis=0))
    rows, columns = np.indices((height, width))
    best, labels = np.full((height, width), np.inf), np.zeros((height, width), dtype=np.intp)
    for _ in range(_ROUNDS):
        means /= _not_zero(np.linalg.norm(means, axis=0))
        for k, (row, column) in enumerate(places.T):
            around = (
                slice(max(row - reach, 0), row + reach + 1),
                slice(max(column - reach, 0), column + reach + 1),
            )
            apart = (rows[around] - row) ** 2 + (columns[around] - column) ** 2
            angle = np.arccos(np.clip(np.tensordot(means[:, k], unit[:, *around], 1), 0, 1))
            distance = np.sqrt(angle + compactness**2 * apart / reach**2)
            nearer = distance < best[around]
            labels[around][nearer], best[around][nearer] = k, distance[nearer]
        present = np.unique(labels)
        labels = np.searchsorted(present, labels)
        means, places = region_means(Y, labels), _centres(labels)
    return _without_thin(labels)


def confidence(Y: ArrayLike, labels: Labels, size: int, compactness: float) -> NDArray[np.float64]:
    r"""How well each pixel fits into its segment, :math:`1/\sqrt{\theta + m\,d^2/S^2}`, shape of `labels`.

    Letters and parameters as in `angle_slic`; the weight is `m`, not its square, as in the public code. A
    pixel that is its segment's mean and centre would fit infinitely well: the root is 0.05 at least.
    """
    Y = np.asarray(Y, dtype=np.float64)
    height, width = labels.shape
    reach = max(_rounded(_hexagonal(height, width, size)[1]), 1)
    means, centres = region_means(Y, labels)[:, labels], _centres(labels)[:, labels]
    norms = np.linalg.norm(Y, axis=0) * np.linalg.norm(means, axis=0)
    angle = np.arccos(np.clip((Y * means).sum(axis=0) / _not_zero(norms), 0, 1))
    apart = ((np.indices(labels.shape) - centres) ** 2).sum(axis=0)
    return 1 / np.maximum(np.sqrt(angle + compactness * apart / reach**2), _LEAST)


def _hexagonal(height: int, width: int, size: int) -> tuple[Labels, float]:
    """Rows and columns ``(2, clusters)`` of a grid whose every second row is shifted, and its spacing."""
    wanted = max(_rounded(height * width / size**2), 1)
    across = max(_rounded(width / sqrt(height * width / (wanted * sqrt(3) / 2)) - 0.5), 1)
    spacing = width / (across + 0.5)
    down = max(_rounded(height / (sqrt(3) / 2 * spacing)), 1)
    centres = [
        (_rounded((row + 0.5) * height / down), _rounded((column + (0.5 if row % 2 == 0 else 1)) * spacing))
        for row, column in np.ndindex(down, across)
    ]
    return np.maximum(np.array(centres).T - 1, 0), spacing  # places are counted from 1 in the code


def _rounded(x: float) -> int:
    """Nearest whole number, halves up."""
    return int(np.floor(x + 0.5))


def _not_zero(norms: NDArray) -> NDArray:
    return np.where(norms > 0, norms, 1.0)


def _centres(labels: Labels) -> Labels:
    """Mean row and column of each region, rounded, shape ``(2, regions)``."""
    return np.floor(region_means(np.indices(labels.shape), labels) + 0.5).astype(np.intp)


def _without_thin(labels: Labels) -> Labels:
    """Connected regions, each opened with a cross; what is cut off goes to the nearest pixel that is not."""
    labels = connected(labels)
    same = ndimage.maximum_filter(labels, footprint=_CROSS, mode="nearest") == ndimage.minimum_filter(
        labels, footprint=_CROSS, mode="nearest"
    )
    kept = ndimage.binary_dilation(same, _CROSS)
    if not kept.any():
        return labels
    nearest = ndimage.distance_transform_edt(~kept, return_distances=False, return_indices=True)
    return connected(labels[tuple(nearest)])
