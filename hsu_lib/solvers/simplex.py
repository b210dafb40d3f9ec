"""Simplices in few dimensions: the largest among the pixels, their hull, and how near one is to it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, QhullError

Float = NDArray[np.float64]

#: Convex hulls are taken in at most so many dimensions: their cost grows exponentially.
_HULL_DIMENSIONS = 5
#: Added to singular values before their logarithms are summed, as in the public code of NMF-QMV.
_FLAT = 1e-4
#: A volume is larger if it is by more than this share: a bit more than rounding.
_ROUNDING = 1e-12


def largest_simplex(X: Float, *, runs: int, seed: int) -> NDArray[np.intp]:
    """Pixels that span the largest simplex of several runs of vertex component analysis.

    Each run is the search of `hsu_lib.solvers.extraction.vca` on coordinates that are reduced already, lifted
    by the largest norm: its projection on principal components.

    Parameters
    ----------
    X
        Coordinates, best whitened, shape ``(dimensions, pixels)``.
    runs
        How many.
    seed
        Seed of their directions.

    Returns
    -------
    ndarray
        Numbers of the pixels, rising, shape ``(dimensions + 1,)``.

    References
    ----------
    Nascimento and Bioucas-Dias, IEEE TGRS 43(4), 2005, 898-910.
    """
    count = len(X) + 1
    rng = np.random.default_rng(seed)
    lifted = np.vstack([X, np.full(X.shape[1], np.linalg.norm(X, axis=0).max())])
    found = np.zeros((runs, count, count))
    found[:, -1, 0] = 1
    indices = np.empty((runs, count), dtype=np.intp)
    for k in range(count):
        w = rng.standard_normal((runs, count, 1))
        direction = w - found @ (np.linalg.pinv(found) @ w)
        indices[:, k] = np.abs(direction[:, :, 0] @ lifted).argmax(axis=1)
        found[:, :, k] = lifted[:, indices[:, k]].T
    indices.sort(axis=1)  # so that runs with the same pixels have the same volume to the last bit
    corners = np.concatenate([X[:, indices].transpose(1, 0, 2), np.ones((runs, 1, count))], axis=1)
    volume = np.log(np.linalg.svd(corners, compute_uv=False) + _FLAT).sum(axis=1)
    return indices[volume.argmax()]


class Exchange(NamedTuple):
    """A simplex and how it grew.

    Parameters
    ----------
    indices
        Numbers of the points at its vertices, shape ``(dimensions + 1,)``.
    log_volumes
        Logarithm of the volume times ``dimensions!``, at the start and after each sweep; never falls.
    converged
        Whether no other point at any one vertex would make it larger.
    """

    indices: NDArray[np.intp]
    log_volumes: Float
    converged: bool


def exchanged(X: Float, start: NDArray[np.intp]) -> Exchange:
    r"""Simplex of points grown until no exchange of one vertex makes it larger: the search of N-FINDR.

    The volume is :math:`|\det M|` over a constant, with a column :math:`(x_k; 1)` of `M` for each vertex. It
    is linear in each column: with the others fixed, that of all points is :math:`|n^\top (x; 1)|`, times a
    constant, with `n` the unit normal of the others. So a vertex takes one product with all points and no
    determinant. Others that depend linearly have many normals; any of them leads out of a simplex without
    volume.

    Parameters
    ----------
    X
        Shape ``(dimensions, points)``.
    start
        Numbers of the points to begin with, shape ``(dimensions + 1,)``.

    Returns
    -------
    Exchange
        Local optimum; or what was reached after three sweeps per vertex. Of equal points the first is taken.

    References
    ----------
    Winter, "N-FINDR: an algorithm for fast autonomous spectral end-member determination in hyperspectral
    data", Proc. SPIE 3753, 1999, 266-275.
    """
    count = len(X) + 1
    lifted = np.vstack([X, np.ones(X.shape[1])])
    indices = start.copy()
    volumes = [np.linalg.slogdet(lifted[:, indices])[1]]
    grew = True
    while grew and len(volumes) <= 3 * count:
        grew = False
        for k in range(count):
            normal = np.linalg.svd(np.delete(lifted[:, indices], k, axis=1).T)[2][-1]
            heights = normal @ lifted
            ends = heights.argmax(), heights.argmin()
            best = max(ends, key=lambda end: (abs(heights[end]), -end))
            if abs(heights[best]) > (1 + _ROUNDING) * abs(heights[indices[k]]):
                indices[k], grew = best, True
        volumes.append(np.linalg.slogdet(lifted[:, indices])[1])
    return Exchange(indices, np.array(volumes), not grew)


def hull_vertices(X: Float, *, projections: int = 100, seed: int = 0) -> NDArray[np.intp]:
    """Points that are vertices of their convex hull.

    In more than five dimensions, those of random projections on five: vertices all the same, but not all of
    them. Of points that lie in a hyperplane, every one.

    Parameters
    ----------
    X
        Shape ``(dimensions, points)``.
    projections, seed
        How many random projections, and their seed.

    Returns
    -------
    ndarray
        Numbers of the points, rising.
    """
    if len(X) == 1:
        return np.unique([X[0].argmin(), X[0].argmax()])
    if len(X) <= _HULL_DIMENSIONS:
        views = [X]
    else:
        rng = np.random.default_rng(seed)
        normal = rng.standard_normal((projections, len(X), _HULL_DIMENSIONS))
        views = [q.T @ X for q in np.linalg.qr(normal)[0]]
    try:
        return np.unique(np.concatenate([ConvexHull(view.T).vertices for view in views]))
    except QhullError:
        return np.arange(X.shape[1])


def distance_to_facets(X: Float, M: Float) -> float:
    r"""Mean distance of points to the nearest of the planes through all vertices of a simplex but one.

    Parameters
    ----------
    X
        Points, shape ``(dimensions, points)``.
    M
        Vertices, shape ``(dimensions, dimensions + 1)``. Where some coincide, of the many planes through them
        one is taken.

    Returns
    -------
    float
        In the unit of `X`.
    """
    count = M.shape[1]
    facets = np.array([np.delete(M, k, axis=1).T for k in range(count)])  # facet, vertex, dimension
    anchor = facets[:, :1]
    # the edges of a facet leave one direction: its normal, for planes through the origin, too
    normal = np.linalg.svd(facets[:, 1:] - anchor, full_matrices=True)[2][:, -1]
    offset = (anchor[:, 0] * normal).sum(axis=1, keepdims=True)
    return float(np.abs(normal @ X - offset).min(axis=0).mean())
