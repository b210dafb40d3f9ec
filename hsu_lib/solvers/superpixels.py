"""Regions of like spectra: superpixels by local clustering (SLIC), a binary partition tree on a watershed."""

from __future__ import annotations

import heapq
from itertools import count
from math import ceil

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Labels = NDArray[np.intp]

#: Rounds of SLIC, and share of what the energy has fallen by below which a further fall is none.
_ROUNDS, _FALL = 100, 1e-5
#: Share of the mean size below which a region of the tree is merged before others.
_SMALL = 0.15
_AROUND = tuple((i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if (i, j) != (0, 0))


def region_means(Y: ArrayLike, labels: Labels) -> NDArray[np.float64]:
    """Mean spectrum of each region, shape ``(bands, regions)``.

    Parameters
    ----------
    Y
        Image, shape ``(bands, height, width)``.
    labels
        Region of each pixel, from 0, none empty, shape ``(height, width)``.
    """
    Y = np.asarray(Y)
    flat, sizes = labels.ravel(), np.bincount(labels.ravel())
    return np.stack([np.bincount(flat, band.ravel()) for band in Y]) / sizes


def numbered(labels: NDArray) -> Labels:
    """The same regions with numbers from 0 and no gap."""
    return np.unique(labels, return_inverse=True)[1].reshape(labels.shape)


# --------------------------------------------------------------------------- SLIC


def slic(Y: ArrayLike, size: int, regulariser: float) -> Labels:
    r"""Superpixels by simple linear iterative clustering, in the form of VLFeat.

    Clusters start on a grid, each moved to the least edge nearby, and a pixel goes to the nearest of the four
    around it by :math:`\|y - c\|^2 + r/S^2\,\|\text{place} - \text{place of } c\|^2`. Small remains then join
    a neighbour. What noise scatters stays scattered: a region may have several parts.

    Parameters
    ----------
    Y
        Image, shape ``(bands, height, width)``. Spectra are compared over their mean norm.
    size
        Side `S` of a superpixel, in pixels.
    regulariser
        :math:`r`.

    Returns
    -------
    ndarray
        Region of each pixel, from 0, shape ``(height, width)``.

    References
    ----------
    Achanta et al., IEEE TPAMI 34(11), 2012, 2274-2282; Vedaldi and Fulkerson, ACM Multimedia 2010 (VLFeat).
    """
    Y = np.asarray(Y, dtype=np.float64)
    Y = (Y / (np.linalg.norm(Y, axis=0).mean() or 1.0)).astype(np.float32).astype(np.float64)
    _, height, width = Y.shape
    grid = ceil(height / size), ceil(width / size)
    start = _centres(_edges(Y), grid, size)  # (rows and columns, clusters)
    places, spectra = start.astype(np.float64), Y[:, start[0], start[1]]
    first, last = 0.0, np.inf
    at = np.indices((height, width)).reshape(2, -1)
    cell = np.floor(at / size - 0.5).astype(np.intp)
    pixels = Y.reshape(len(Y), -1)
    for turn in range(_ROUNDS):
        labels, energy = _nearest(pixels, at, spectra, places, cell, grid, regulariser / size**2)
        if turn == 0:
            first = energy
        elif last - energy < _FALL * (first - energy):
            break
        last = energy
        sizes = np.maximum(np.bincount(labels, minlength=places.shape[1]), 1)
        spectra, places = (
            np.stack([np.bincount(labels, x, minlength=len(sizes)) for x in values]) / sizes
            for values in (pixels, at)
        )
    return numbered(_joined(labels.reshape(height, width), size**2 // 36))


def _edges(Y: NDArray) -> NDArray[np.float64]:
    """Sum over the bands of squared central differences, 0 at the borders, shape ``(height, width)``."""
    edges = np.zeros(Y.shape[1:])
    down, across = Y[:, 2:, 1:-1] - Y[:, :-2, 1:-1], Y[:, 1:-1, 2:] - Y[:, 1:-1, :-2]
    edges[1:-1, 1:-1] = (down**2 + across**2).sum(axis=0)
    return edges


def _centres(edges: NDArray, grid: tuple[int, int], size: int) -> Labels:
    """Row and column of the least edge around each point of the grid, shape ``(2, clusters)``."""
    found = []
    for v, u in np.ndindex(grid):
        row, column = (
            min(int(size * (k + 0.5) + 0.5), side - 1) for k, side in zip((v, u), edges.shape, strict=True)
        )
        top, left = max(row - 1, 0), max(column - 1, 0)
        around = edges[top : row + 2, left : column + 2]
        i, j = np.unravel_index(int(around.argmin()), around.shape)
        found.append((top + int(i), left + int(j)))
    return np.array(found).T


def _nearest(
    pixels: NDArray,
    at: NDArray,
    spectra: NDArray,
    places: NDArray,
    cell: NDArray,
    grid: tuple[int, int],
    factor: float,
) -> tuple[Labels, float]:
    """Nearest cluster of each pixel among those of the four cells around it, and the sum of the distances."""
    best, labels = np.full(pixels.shape[1], np.inf), np.zeros(pixels.shape[1], dtype=np.intp)
    for v, u in np.ndindex(2, 2):
        row, column = cell[0] + v, cell[1] + u
        there = np.flatnonzero((row >= 0) & (row < grid[0]) & (column >= 0) & (column < grid[1]))
        cluster = row[there] * grid[1] + column[there]
        distance = ((pixels[:, there] - spectra[:, cluster]) ** 2).sum(axis=0)
        distance += factor * ((at[:, there] - places[:, cluster]) ** 2).sum(axis=0)
        nearer = distance < best[there]
        labels[there[nearer]], best[there[nearer]] = cluster[nearer], distance[nearer]
    return labels, float(best.sum())


def _joined(labels: Labels, least: int) -> Labels:
    """Connected parts of fewer pixels join a region beside their first pixel that has come before, if any."""
    parts, width = connected(labels).ravel(), labels.shape[1]
    firsts = np.unique(parts, return_index=True)[1]
    region = labels.ravel()[firsts]
    for part in np.flatnonzero(np.bincount(parts) < least):  # in the order of their first pixels
        pixel = int(firsts[part])
        beside = (
            (pixel + 1, (pixel + 1) % width != 0),
            (pixel - 1, pixel % width != 0),
            (pixel + width, pixel + width < len(parts)),
            (pixel - width, pixel >= width),
        )
        for other, inside in beside:
            if inside and parts[other] < part:
                region[part] = region[parts[other]]
    return region[parts].reshape(labels.shape)


def connected(labels: NDArray, *, corners: bool = False) -> Labels:
    """Connected pixels of one value, numbered in the order of their first pixels."""
    index = np.arange(labels.size).reshape(labels.shape)
    ways = [(1, 0), (0, 1), *([(1, 1), (1, -1)] if corners else [])]
    pairs = []
    for down, across in ways:
        here = (slice(None, -down or None), slice(max(-across, 0), -across if across > 0 else None))
        there = (slice(down, None), slice(max(across, 0), across if across < 0 else None))
        same = labels[here] == labels[there]
        pairs.append(np.stack([index[here][same], index[there][same]]))
    a, b = np.concatenate(pairs, axis=1)
    graph = coo_array((np.ones(len(a), dtype=bool), (a, b)), shape=(labels.size, labels.size))
    found = connected_components(graph, directed=False)[1]
    order = np.unique(found, return_index=True)[1].argsort().argsort()
    return order[found].reshape(labels.shape)


# --------------------------------------------------------------------------- binary partition tree


def partition_tree(Y: ArrayLike, regions: int, *, by_sum: bool = False) -> Labels:
    """Regions of a binary partition tree: basins of a watershed, merged pair by pair.

    The pair of neighbours whose mean spectra have the smallest angle is merged first; but while a region is
    smaller than 0.15 times the mean, only pairs with such a one.

    Parameters
    ----------
    Y
        Image, shape ``(bands, height, width)``.
    regions
        How many to leave, if there are as many basins.
    by_sum
        Whether pixels on the lines of the watershed go to the basin whose median spectrum has the nearest sum
        over the bands, as in the public code; else to the one whose median spectrum is nearest.

    Returns
    -------
    ndarray
        Region of each pixel, from 0, shape ``(height, width)``.

    References
    ----------
    Veganzones et al., IEEE TIP 23(8), 2014, 3574-3589; as used by Borsoi et al., IEEE TGRS 58, 2020.
    """
    Y = np.asarray(Y, dtype=np.float64)
    basins = numbered(_without_lines(Y, watershed(gradient(Y)), by_sum=by_sum))
    return numbered(_merged(region_means(Y, basins).T, basins, regions)[basins])


def gradient(Y: NDArray) -> NDArray[np.float64]:
    """Largest over the bands of their range in 3 x 3 pixels, from 0 to 1, shape ``(height, width)``."""
    most = np.zeros(Y.shape[1:])
    for band in Y:
        span = ndimage.maximum_filter(band, 3) - ndimage.minimum_filter(band, 3)
        low, high = span.min(), span.max()
        most = np.maximum(most, (span - low) / (high - low) if high > low else 0.0)
    return most


def watershed(surface: NDArray) -> Labels:
    """Basins of a surface ``(height, width)`` from 1, and 0 on the lines between them.

    References
    ----------
    Meyer, Signal Processing 38(1), 1994, 113-125.
    """
    plateaus = connected(surface, corners=True)
    drains = np.bincount(plateaus.ravel(), ndimage.minimum_filter(surface, 3).ravel() < surface.ravel())
    lows = np.flatnonzero(drains == 0)
    number = np.zeros(len(drains), dtype=np.intp)
    number[lows] = np.arange(1, len(lows) + 1)
    labels = number[plateaus]
    height, width = surface.shape
    queued, order = labels > 0, count()
    heap: list[tuple[float, int, int, int]] = []

    def push(i: int, j: int) -> None:
        for row, column in ((i + a, j + b) for a, b in _AROUND):
            if 0 <= row < height and 0 <= column < width and not queued[row, column]:
                queued[row, column] = True
                heapq.heappush(heap, (surface[row, column], next(order), row, column))

    for i, j in zip(*np.nonzero(labels), strict=True):
        push(int(i), int(j))
    while heap:
        _, _, i, j = heapq.heappop(heap)
        around = labels[max(i - 1, 0) : i + 2, max(j - 1, 0) : j + 2]
        basins = np.unique(around[around > 0])
        if len(basins) == 1:
            labels[i, j] = basins[0]
            push(i, j)
    return labels


def _without_lines(Y: NDArray, labels: Labels, *, by_sum: bool) -> Labels:
    """Pixels of the lines in the neighbouring basin whose median spectrum, or its sum, is nearest."""
    medians = np.stack([np.median(Y[:, labels == k], axis=1) for k in range(1, labels.max() + 1)])
    while (lines := np.argwhere(labels == 0)).size:
        filled = labels.copy()
        for i, j in lines:
            around = labels[max(i - 1, 0) : i + 2, max(j - 1, 0) : j + 2]
            basins = np.unique(around[around > 0])
            if len(basins):
                apart = medians[basins - 1] - Y[:, i, j]
                apart = np.abs(apart.sum(axis=1)) if by_sum else np.abs(apart).sum(axis=1)
                filled[i, j] = basins[apart.argmin()]
        labels = filled
    return labels


def _merged(means: NDArray, basins: Labels, regions: int) -> Labels:
    """To which region each basin belongs; mean spectra have shape ``(basins, bands)``."""
    sizes, alive = np.bincount(basins.ravel()), len(means)
    mean_of, into = [*means], [*range(len(means))]
    beside = _neighbours(basins)
    small: list[tuple[float, int, int]] = []
    pairs = [(_angle(mean_of[a], mean_of[b]), a, b) for a, of in enumerate(beside) for b in of if a < b]
    heapq.heapify(pairs)
    by_size = [(int(size), k) for k, size in enumerate(sizes)]
    heapq.heapify(by_size)
    size_of, lesser = dict(enumerate(map(int, sizes))), set[int]()
    while alive > max(regions, 1):
        while by_size and by_size[0][0] < _SMALL * basins.size / alive:
            _, k = heapq.heappop(by_size)
            if k in size_of:
                lesser.add(k)
                for other in beside[k]:
                    heapq.heappush(small, (_angle(mean_of[k], mean_of[other]), k, other))
        source = small if lesser else pairs
        _, a, b = heapq.heappop(source)
        if a not in size_of or b not in size_of:
            continue
        new = len(mean_of)
        total = size_of[a] + size_of[b]
        mean_of.append((size_of.pop(a) * mean_of[a] + size_of.pop(b) * mean_of[b]) / total)
        lesser -= {a, b}
        size_of[new], alive = total, alive - 1
        into.append(new)
        into[a] = into[b] = new
        beside.append((beside[a] | beside[b]) - {a, b})
        heapq.heappush(by_size, (total, new))
        for other in beside[new]:
            beside[other] = (beside[other] - {a, b}) | {new}
            pair = (_angle(mean_of[new], mean_of[other]), other, new)
            heapq.heappush(pairs, pair)
            if other in lesser:
                heapq.heappush(small, pair)
    for k in range(len(into) - 1, -1, -1):  # a region that was merged has a larger number after it
        into[k] = into[into[k]]
    return np.array(into[: len(means)])


def _neighbours(labels: Labels) -> list[set[int]]:
    """Regions that have a side in common with each."""
    beside: list[set[int]] = [set() for _ in range(labels.max() + 1)]
    for a, b in ((labels[1:], labels[:-1]), (labels[:, 1:], labels[:, :-1])):
        for one, other in np.unique(np.stack([a[a != b], b[a != b]]), axis=1).T.tolist():
            beside[one].add(other)
            beside[other].add(one)
    return beside


def _angle(x: NDArray, y: NDArray) -> float:
    sizes = np.linalg.norm(x) * np.linalg.norm(y)
    return float(np.arccos(np.clip(x @ y / sizes, -1, 1))) if sizes > 0 else np.pi / 2
