r"""Bundles: several spectra for each material, and abundances of all of them under a mixed norm.

With spectra `B` (bands, spectra) in groups, one for each material, and abundances `A` (spectra, pixels),

.. math:: \min_A \tfrac12\|Y - BA\|_F^2 + \lambda\,\Omega(A) \quad\text{s.t.}\quad A \ge 0,\
          \mathbf 1^\top A = \mathbf 1^\top.

The abundance of a material is the sum over its group; what the material looks like in a pixel is the mean of
its group's spectra with these weights.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from hsu_lib.solvers.extraction import vca
from hsu_lib.solvers.factorization import onto_simplex
from hsu_lib.solvers.fclsu import fclsu, one_thread
from hsu_lib.solvers.sparse import admm

Float = NDArray[np.float64]
#: Few materials in a pixel; all of them, each by few spectra; few materials, more sharply. See `penalised`.
Norm = Literal["group", "elitist", "fractional"]
#: Rounds of k-means at most.
_ROUNDS = 100


class Bundles(NamedTuple):
    """Spectra ``(bands, spectra)``, and the group of each, from 0, shape ``(spectra,)``."""

    spectra: Float
    groups: NDArray[np.intp]


class Penalised(NamedTuple):
    """Abundances ``(spectra, pixels)``, whether the iterations ended by themselves, and how many there were.

    What was solved exactly took none.
    """

    A: Float
    converged: bool
    iterations: int


# --------------------------------------------------------------------------- where bundles come from


def image_bundles(
    Y: ArrayLike, endmembers: int, *, subsets: int = 10, share: float = 0.1, restarts: int = 10, seed: int
) -> Bundles:
    """Bundles from the image itself: VCA on disjoint random subsets of its pixels, clustered by angle.

    Parameters
    ----------
    Y
        Image, shape ``(bands, pixels)``.
    endmembers
        How many materials.
    subsets, share
        How many subsets, and which share of the pixels each has. A subset has no fewer pixels than there are
        materials, and where so many subsets need more pixels than there are, fewer are drawn.
    restarts
        Of k-means; the tightest clusters are kept.
    seed
        Of the subsets, of VCA and of the clusters.

    References
    ----------
    Somers et al., IEEE JSTARS 5(1), 2012, 86-95.
    """
    Y, rng = np.asarray(Y), np.random.default_rng(seed)
    pixels = Y.shape[1]
    size = min(pixels, max(endmembers, int(share * pixels)))
    order, count = rng.permutation(pixels), min(subsets, pixels // size)
    drawn = [
        vca(Y[:, part], endmembers, seed=int(rng.integers(2**31))).E
        for part in order[: count * size].reshape(count, size)
    ]
    spectra = np.hstack(drawn)
    return Bundles(spectra, by_angle(spectra, endmembers, restarts=restarts, rng=rng))


def by_angle(spectra: Float, clusters: int, *, restarts: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Clusters of spectra ``(bands, spectra)`` with large cosines to their mean direction: spherical k-means.

    Every start draws its first centres one after the other, far ones more likely (k-means++). A cluster that
    loses its last spectrum takes the one that fits its own worst.

    References
    ----------
    Dhillon and Modha, Machine Learning 42, 2001, 143-175; Arthur and Vassilvitskii, SODA 2007, 1027-1035.
    """
    X = (spectra / np.maximum(np.linalg.norm(spectra, axis=0), np.finfo(float).tiny)).T
    best, labels = -np.inf, np.zeros(len(X), dtype=np.intp)
    for _ in range(restarts):
        found, tightness = _clustered(X, _far_apart(X, clusters, rng))
        if tightness > best:
            best, labels = tightness, found
    return labels


def _far_apart(X: Float, clusters: int, rng: np.random.Generator) -> Float:
    """First centres among rows of length one, each drawn by its distance to those before."""
    chosen = [int(rng.integers(len(X)))]
    while len(chosen) < clusters:
        far = (1 - (X @ X[chosen].T).max(axis=1)).clip(0)
        far[chosen] = 0
        likely = far / far.sum() if far.sum() > 0 else np.isin(np.arange(len(X)), chosen, invert=True)
        chosen.append(int(rng.choice(len(X), p=likely / likely.sum())))
    return X[chosen]


def _clustered(X: Float, centres: Float) -> tuple[NDArray[np.intp], float]:
    """Labels of rows of length one, and the sum of cosines to their centres."""
    labels = np.full(len(X), -1)
    for _ in range(_ROUNDS):
        cosines = X @ centres.T
        new = cosines.argmax(axis=1)
        for empty in np.setdiff1d(np.arange(len(centres)), new):
            several = np.bincount(new, minlength=len(centres))[new] > 1
            own = np.where(several, cosines[np.arange(len(X)), new], np.inf)
            new[own.argmin()] = empty
        if (new == labels).all():
            break
        labels = new
        sums = np.stack([X[labels == k].sum(axis=0) for k in range(len(centres))])
        centres = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), np.finfo(float).tiny)
    return labels, float((X * centres[labels]).sum())


def spread(spectra: ArrayLike, groups: ArrayLike, count: int) -> NDArray[np.intp]:
    """A few spectra of each group that stand for it, without randomness: their indices, rising.

    Of each group the one nearest its mean direction, then one after the other the one whose largest cosine
    to those chosen is smallest.

    Parameters
    ----------
    spectra, groups
        Shapes ``(bands, spectra)`` and ``(spectra,)``.
    count
        How many of each group; all of one that has no more.
    """
    X, groups = np.asarray(spectra, dtype=np.float64), np.asarray(groups)
    X = X / np.maximum(np.linalg.norm(X, axis=0), np.finfo(float).tiny)
    kept: list[int] = []
    for group in np.unique(groups):
        own = np.flatnonzero(groups == group)
        chosen = [int((X[:, own].sum(axis=1) @ X[:, own]).argmax())]
        while len(chosen) < min(count, len(own)):
            near = (X[:, own[chosen]].T @ X[:, own]).max(axis=0)
            near[chosen] = np.inf
            chosen.append(int(near.argmin()))
        kept += own[chosen].tolist()
    return np.array(sorted(kept), dtype=np.intp)


# --------------------------------------------------------------------------- proximal steps


def members(groups: ArrayLike) -> Float:
    """Which spectrum is in which group: ones and zeros, shape ``(groups, spectra)``."""
    groups = np.asarray(groups)
    return (groups == np.arange(groups.max() + 1)[:, None]).astype(np.float64)


def group_shrunk(V: Tensor, by: float, M: Tensor) -> Tensor:
    r"""Minimum over `X` of :math:`\mathrm{by}\sum_g \|x_g\| + \tfrac12\|X - V\|^2`; `M` as of `members`."""
    norms = (M @ V.square()).sqrt_()
    factor = (1 - by / norms.clamp_min(torch.finfo(V.dtype).tiny)).clamp_(min=0)
    return V * (M.T @ factor)


def elitist_shrunk(V: Tensor, by: float, M: Tensor, *, exact: bool) -> Tensor:
    r"""Minimum over `X` of :math:`\tfrac{\mathrm{by}}2\sum_g \|x_g\|_1^2 + \tfrac12\|X - V\|^2`.

    Values lose what is common to their group: :math:`t / (1 + kt)` of the sum of its `k` largest, those
    that do not become zero. The public code (not `exact`) has :math:`t / (1 + t)` of the sum of all, which
    is the same for groups of one.

    References
    ----------
    Kowalski, Applied and Computational Harmonic Analysis 27(3), 2009, 303-324.
    """
    size = V.abs()
    if not exact:
        return V.sign() * (size - by / (1 + by) * (M.T @ (M @ size))).clamp_(min=0)
    found = torch.empty_like(V)
    for group in M > 0:
        ordered = size[group].sort(dim=0, descending=True).values
        k = torch.arange(1, len(ordered) + 1, dtype=V.dtype, device=V.device)[:, None]
        common = by / (1 + by * k) * ordered.cumsum(dim=0)
        last = ((ordered > common).sum(dim=0, keepdim=True) - 1).clamp_(min=0)
        found[group] = V[group].sign() * (size[group] - common.gather(0, last)).clamp_(min=0)
    return found


def fractional_shrunk(v: Tensor, by: float, exponent: float) -> Tensor:
    r"""Shrinkage in place of the proximal step of :math:`|v|^q`: large values lose less than small ones.

    For `q` = 1 it is soft thresholding; below, the penalty it belongs to is near the power and has no closed
    form.

    References
    ----------
    Chartrand, IEEE ISBI 2009, 262-265.
    """
    size = v.abs().clamp_min(torch.finfo(v.dtype).tiny)
    return v.sign() * (size - by ** (2 - exponent) * size ** (exponent - 1)).clamp_(min=0)


# --------------------------------------------------------------------------- abundances


def penalised(
    Y: ArrayLike,
    bundles: Bundles,
    weight: float,
    *,
    norm: Norm,
    exponent: float = 0.1,
    literal: bool = False,
    step: float = 10.0,
    iterations: int = 1000,
    tolerance: float = 1e-6,
    device: str | torch.device = "cpu",
) -> Penalised:
    r"""Abundances of all spectra of bundles under a mixed norm, ANC and ASC.

    With the sum :math:`s_g` of a group in a pixel, which ASC and ANC make its l1 norm, the norm is
    :math:`\sum_g \|a_g\|` (``"group"``), :math:`\tfrac12 \sum_g s_g^2` (``"elitist"``: the paper writes its
    root, its proximal step is that of this) or :math:`\sum_g s_g^q` (``"fractional"``). The second is a
    quadratic function and is minimised exactly, as FCLSU with a row for each group; the first is convex, and
    iterated until both residuals are small. The third is not convex: what is found depends on the start,
    which is FCLSU, and on the iterations, which are the published ones.

    Parameters
    ----------
    Y
        Image, shape ``(bands, pixels)``.
    bundles
        Spectra in its unit, and their groups.
    weight
        :math:`\lambda`, in squared units of the image; with 0 it is FCLSU.
    norm, exponent
        :math:`\Omega`, and `q`, above 0 and at most 1.
    literal
        Whether the published iterations are taken for all norms, with their inexact step for the elitist
        one and their stopping rule, whose tolerance is over the squared norm of the abundances.
    step
        The weight of the copies in the published iterations, and the first one in the others.
    iterations, tolerance
        At most so many; when to stop.
    device
        Torch device on which to work.

    Returns
    -------
    Penalised
        The copy that fulfils ANC and ASC.

    Raises
    ------
    ValueError
        If shapes do not fit, or a value is not finite.

    References
    ----------
    Drumetz et al., IEEE TIP 28(7), 2019, 3435-3450.
    """
    Y, B = (np.asarray(X, dtype=np.float64) for X in (Y, bundles.spectra))
    M = members(bundles.groups)
    Q, R = np.linalg.qr(B)  # what is outside the span of the spectra is the same for all abundances
    y = Q.T @ Y
    if norm == "elitist" and not literal:
        rows = np.vstack([R, weight**0.5 * M])
        A = fclsu(np.vstack([y, np.zeros((len(M), y.shape[1]))]), rows, device=device)
        return Penalised(A, True, 0)
    plain = fclsu(y, R, device=device)
    if weight == 0:
        return Penalised(plain, True, 0)
    G, C, start, of = (torch.from_numpy(X).to(device) for X in (R.T @ R, R.T @ y, plain, M))
    with one_thread():
        if norm == "group" and not literal:

            def both(V: Tensor, step: float) -> Tensor:
                return torch.stack([group_shrunk(V[0], weight / step, of), onto_simplex(V[1])])

            found = admm(G, C, both, step=step, splits=2, tolerance=tolerance, iterations=iterations)
            return Penalised(found.X[1].cpu().numpy(), found.converged, found.iterations)
        return _published(G, C, start, of, weight, norm, exponent, step, iterations, tolerance)


def _published(
    G: Tensor,
    C: Tensor,
    A: Tensor,
    M: Tensor,
    weight: float,
    norm: Norm,
    exponent: float,
    step: float,
    iterations: int,
    tolerance: float,
) -> Penalised:
    """The iterations of the public code: one copy for the norm, of the groups' sums if it is fractional."""
    by, unit = weight / step, torch.eye(len(G), dtype=G.dtype, device=G.device)
    shrunk: Callable[[Tensor], Tensor]
    if norm == "fractional":
        T = M

        def shrunk(V: Tensor) -> Tensor:
            return fractional_shrunk(V, by, exponent)
    else:
        T = unit

        def shrunk(V: Tensor) -> Tensor:
            return group_shrunk(V, by, M) if norm == "group" else elitist_shrunk(V, by, M, exact=False)

    F = torch.linalg.inv(G + step * (T.T @ T + unit))
    first, pull = F @ C, step * F
    U, V, W = A, T @ A, A
    D, E = torch.zeros_like(V), torch.zeros_like(W)
    for count in range(1, iterations + 1):
        last, U = U, first + pull @ (T.T @ (V + D) + W + E)
        TU = T @ U
        V, W = shrunk(TU - D), onto_simplex(U - E)
        D, E = D - (TU - V), E - (U - W)
        if float((U - last).norm()) < tolerance * float(last.square().sum()):
            return Penalised(W.cpu().numpy(), True, count)
    return Penalised(W.cpu().numpy(), False, iterations)
