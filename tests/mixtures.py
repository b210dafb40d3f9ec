"""Known mixtures for methods that look for a small simplex, and how near a result is to them."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment

from hsu_lib.scene import Scene
from hsu_lib.solvers.simplex import largest_simplex
from hsu_lib.solvers.subspace import principal_subspace


def mixture(pixels=300, bands=30, endmembers=4, seed=0):
    """Endmembers, abundances without noise, the first pixels pure."""
    rng = np.random.default_rng(seed)
    E = rng.random((bands, endmembers))
    A = rng.dirichlet(np.ones(endmembers), pixels).T
    A[:, :endmembers] = np.eye(endmembers)
    return E, A


def whitened(*, noise=0.0, endmembers=4, seed=0):
    """Whitened coordinates of a mixture and of its endmembers, and the start: a largest simplex."""
    E, A = mixture(endmembers=endmembers, seed=seed)
    Y = E @ A + noise * np.random.default_rng(1).standard_normal((len(E), A.shape[1]))
    subspace = principal_subspace(Y, endmembers - 1)
    G = subspace.whitening * subspace.coordinates(Y)
    M = subspace.whitening * subspace.coordinates(E)
    return G, M, G[:, largest_simplex(G, runs=5, seed=0)]


def accuracy(found, scene):
    """RMSE of abundances, mean angle of endmembers in degrees; in the order of the nearest abundances."""
    A, reference = found.A.reshape(len(found.A), -1), scene.A.reshape(len(scene.A), -1)
    distances = np.linalg.norm(reference[:, None] - A[None], axis=2)
    order = linear_sum_assignment(distances)[1]
    E, E_ref = found.E[:, order].astype(float), scene.E.astype(float)
    cosines = (E * E_ref).sum(axis=0) / np.linalg.norm(E, axis=0) / np.linalg.norm(E_ref, axis=0)
    return np.sqrt(np.mean((A[order] - reference) ** 2)), np.rad2deg(np.arccos(cosines)).mean()


def without_pure_pixels(noise=0.0):
    """No abundance above 0.8, but points on every facet: what minimum volume is made for."""
    E, _ = mixture(endmembers=3)
    A = np.random.default_rng(3).dirichlet(np.ones(3), 1000).T
    A = A[:, A.max(axis=0) < 0.8][:, :400]
    Y = E @ A + noise * np.random.default_rng(4).standard_normal((len(E), 400))
    return Scene(Y.reshape(-1, 20, 20), E, A.reshape(3, 20, 20))
