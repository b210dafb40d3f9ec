"""Abundances of known endmembers: fully constrained least squares (FCLSU), exact and vectorised.

For every pixel `y` the abundances minimise ``||y - E a||^2`` subject to ``a >= 0`` (ANC) and
``sum(a) = 1`` (ASC). All work after one product ``E.T @ Y`` is done on the endmembers' normal matrix.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import nnls
from torch import Tensor

from hsu_lib.scene import real

#: Below this an abundance counts as negative, and a multiplier (over the mean squared norm of the
#: endmembers) as violated: 1000 times the rounding of float64 at the sizes that occur.
_TOLERANCE = 1e-12
#: Pixels of one block of the product, so that its float64 copy stays in the cache.
_BLOCK = 1024
#: More endmembers than these have too many active sets to solve pixels in groups.
_MANY = 16
#: Up to so many groups each has a matrix product of its own; above, matrices are gathered per pixel,
#: so many values of them at a time.
_FEW_GROUPS = 200
_GATHERED = 2**22


def fclsu(Y: ArrayLike, E: ArrayLike, *, device: str | torch.device = "cpu") -> NDArray[np.float64]:
    r"""Abundances of every pixel by fully constrained least squares, to the KKT conditions.

    .. math:: \min_A \|Y - E A\|_F^2 \quad\text{s.t.}\quad A \ge 0,\ \mathbf 1^\top A = \mathbf 1^\top

    Exact in float64 whatever the type of the input, and whatever outnumbers what: few endmembers are solved
    for all pixels at once, many (spectral libraries) pixel by pixel. With collinear endmembers the minimum
    is reached at more than one point: one of them is returned.

    Parameters
    ----------
    Y
        Image, shape ``(bands, pixels)``.
    E
        Endmembers, shape ``(bands, endmembers)``, in the unit of `Y`.
    device
        Torch device on which to work; with more than 16 endmembers the processor does.

    Returns
    -------
    ndarray
        Shape ``(endmembers, pixels)``, float64.

    Raises
    ------
    ValueError
        If the shapes do not fit, or a value is not finite.

    References
    ----------
    Heinz and Chang, IEEE TGRS 39(3), 2001, 529-545 (the problem). Grouping pixels by their active set:
    Van Benthem and Keenan, J. Chemometrics 18, 2004, 441-450. Pixel by pixel: Lawson and Hanson, Solving
    Least Squares Problems, 1974, chapter 23.
    """
    Y, E = real(Y, "Y"), real(E, "E")
    if Y.ndim != 2 or E.ndim != 2 or len(Y) != len(E) or E.shape[1] == 0:
        raise ValueError(
            "expected Y (bands, pixels) and E (bands, endmembers) with equal bands, "
            f"got {Y.shape} and {E.shape}"
        )
    floats = [
        np.ascontiguousarray(X, dtype=None if X.dtype in (np.float32, np.float64) else np.float64)
        for X in (Y, E)
    ]
    for name, X in zip("YE", floats, strict=True):
        if not np.isfinite(X.sum()) and not np.isfinite(X).all():
            raise ValueError(
                f"{name} holds NaN or infinite values; remove those bands or fill those pixels first"
            )
    if E.shape[1] > _MANY:
        return _nearest_in_hull(*floats)
    tensors = [torch.from_numpy(X if X.flags.writeable else X.copy()).to(device) for X in floats]
    with one_thread():
        return fclsu_tensor(*tensors).cpu().numpy()


def _nearest_in_hull(Y: NDArray, E: NDArray) -> NDArray[np.float64]:
    r"""The same, one pixel after the other by nonnegative least squares.

    With :math:`F = E - y\mathbf 1^\top`, write :math:`b = s a` with :math:`s` the sum of :math:`b \ge 0`.
    Then :math:`\|F b\|^2 + t^2 (\mathbf 1^\top b - 1)^2 = s^2 \|y - E a\|^2 + t^2 (s - 1)^2`. Its minimum
    over :math:`s` rises with :math:`\|y - E a\|`, so the minimiser over its sum is the one under ASC, for
    any :math:`t`.
    """
    Y, E = np.asarray(Y, dtype=np.float64), np.asarray(E, dtype=np.float64)
    F, target = np.empty((len(E) + 1, E.shape[1])), np.zeros(len(E) + 1)
    F[-1] = target[-1] = np.linalg.norm(E, axis=0).mean() or 1.0
    A = np.empty((E.shape[1], Y.shape[1]))
    for pixel, y in enumerate(Y.T):
        np.subtract(E, y[:, None], out=F[:-1])
        A[:, pixel] = nnls(F, target, maxiter=100 * E.shape[1])[0]
    return A / A.sum(axis=0)


@contextmanager
def one_thread() -> Iterator[None]:
    """Torch on one CPU thread: its pool, waking for hundreds of small steps, takes longer than they do.

    Urban with 6 endmembers on 2 cores: 59 ms with one thread, 250 ms with two.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def fclsu_tensor(Y: Tensor, E: Tensor) -> Tensor:
    """`fclsu` for tensors that are already on a device; nothing is checked.

    Parameters
    ----------
    Y, E
        Shapes ``(bands, pixels)`` and ``(bands, endmembers)``.

    Returns
    -------
    Tensor
        Shape ``(endmembers, pixels)``, float64, on the same device.
    """
    return _on_simplex(*_normal_equations(Y, E)).T


def fclsu_normal(G: Tensor, C: Tensor, start: Tensor) -> Tensor:
    r"""Minimum of :math:`\tfrac12 a^\top G a - c^\top a` under ANC and ASC for each row `c` of `C`, float64.

    Parameters
    ----------
    G
        Shape ``(endmembers, endmembers)``, positive definite.
    C
        Shape ``(pixels, endmembers)``.
    start
        Abundances, shape of `C`, of which each row sums to one: if most of their zeros are those of the
        minimum it is found in 3 ms instead of 5 (11,025 pixels, 6 endmembers).

    Returns
    -------
    Tensor
        Shape of `C`.
    """
    scale = G.diagonal().mean()
    return _on_simplex(G / scale, C / scale, start > 0)


def _on_simplex(G: Tensor, C: Tensor, support: Tensor | None = None) -> Tensor:
    """Minima for the rows of `C` by block pivoting; the entries of `G` are of the order of 1."""
    A = torch.empty_like(C)  # (pixels, endmembers), as C: one pixel's values lie together
    todo = torch.arange(len(C), device=C.device)
    support = torch.ones_like(C, dtype=torch.bool) if support is None else support
    # Block pivoting: flip every infeasible index at once. A few rounds solve nearly all pixels, but it may
    # cycle, so what is left then goes to the slower method that cannot.
    for _ in range(len(G) + 2):
        order, X = _on_support(G, C, support)
        if len(order):
            todo, C, support = todo[order], C[order], support[order]
        wrong = X + _tolerance(C) < 0
        left = wrong.any(dim=1)
        A.index_copy_(0, todo, X.where(support, 0.0))  # what is left is written again
        left = left.nonzero()[:, 0]
        if not len(left):
            break
        todo, C, support = todo[left], C[left], (support ^ wrong)[left]
        empty = (~support.any(dim=1)).nonzero()[:, 0]
        support[empty, C[empty].argmax(dim=1)] = True
    else:
        A[todo] = _primal_active_set(G, C)
    A.clamp_(min=0)
    return A / A.sum(dim=1, keepdim=True)


def kkt_residual(Y: ArrayLike, E: ArrayLike, A: ArrayLike) -> NDArray[np.float64]:
    r"""How far each pixel's abundances are from optimal: 0 is a minimum under ANC and ASC.

    The larger of the duality gap :math:`g^\top a - \min_k g_k`, with the gradient
    :math:`g = E^\top(E a - y)` over the mean squared norm of the endmembers, and the violations of
    ANC and ASC. The gap bounds from above what the objective could still fall by (Jaggi, ICML 2013).

    Parameters
    ----------
    Y, E, A
        Shapes ``(bands, pixels)``, ``(bands, endmembers)``, ``(endmembers, pixels)``.

    Returns
    -------
    ndarray
        Shape ``(pixels,)``, not negative but for rounding.
    """
    Y, E, A = (np.asarray(X, dtype=np.float64) for X in (Y, E, A))
    gradient = E.T @ (E @ A - Y) / np.mean(np.sum(E**2, axis=0))
    gap = (gradient * A).sum(axis=0) - gradient.min(axis=0)
    return np.maximum.reduce([gap, -A.min(axis=0), np.abs(A.sum(axis=0) - 1)])


def _normal_equations(Y: Tensor, E: Tensor) -> tuple[Tensor, Tensor]:
    """``E.T @ E`` and ``Y.T @ E`` in float64, both over the mean squared norm of the endmembers."""
    E = E.double()
    G = E.T @ E
    if Y.device.type == "cpu":
        # numpy, because blocks that stay in the cache are where torch's thread pool costs more than it gives
        pixels, spectra = Y.numpy(), E.T.contiguous().numpy()
        blocks = [
            spectra @ pixels[:, k : k + _BLOCK].astype(np.float64) for k in range(0, Y.shape[1], _BLOCK)
        ]
        C = torch.from_numpy(np.concatenate(blocks, axis=1).T.copy() if blocks else np.empty((0, len(G))))
    else:
        C = Y.double().T @ E
    scale = G.diagonal().mean().clamp_min(torch.finfo(torch.float64).tiny)
    return G / scale, C / scale


def _tolerance(C: Tensor) -> Tensor:
    """Shape ``(pixels, 1)``."""
    return _TOLERANCE * (1 + C.abs().amax(dim=1, keepdim=True))


def _on_support(G: Tensor, C: Tensor, support: Tensor) -> tuple[Tensor, Tensor]:
    """Minimum under ASC alone on each pixel's support; pixels come out grouped by support.

    Parameters
    ----------
    G
        Shape ``(endmembers, endmembers)``.
    C, support
        Shape ``(pixels, endmembers)``.

    Returns
    -------
    order
        Shape ``(pixels,)``: row ``i`` of `X` belongs to pixel ``order[i]``; empty if the order is kept.
    X
        Shape ``(pixels, endmembers)``: abundances on the support, multipliers of ANC outside it. Both
        are affine in a pixel's row of `C`, so each group is one matrix product.
    """
    groups, member = _groups(support)
    M, m = _affine_solutions(G, groups)
    as_they_are = member[:0]
    if len(groups) == 1:
        return as_they_are, torch.addmm(m[0], C, M[0].T)
    if len(groups) > _FEW_GROUPS:  # mostly single pixels
        X = torch.empty_like(C)
        for rows in torch.arange(len(C), device=C.device).split(max(1, _GATHERED // G.numel())):
            X[rows] = (M[member[rows]] @ C[rows, :, None])[..., 0] + m[member[rows]]
        return as_they_are, X
    order = member.argsort()
    C, X, start = C[order], torch.empty_like(C), 0
    for group, size in enumerate(member.bincount().tolist()):
        torch.addmm(m[group], C[start : start + size], M[group].T, out=X[start : start + size])
        start += size
    return order, X


def _groups(support: Tensor) -> tuple[Tensor, Tensor]:
    """Distinct rows of `support`, and for each of its rows which of them it is."""
    if len(support) and bool(support.all()):  # where every solution starts
        return support[:1], torch.zeros(len(support), dtype=torch.int64, device=support.device)
    bits = 2 ** torch.arange(62, device=support.device)  # as many as an integer holds
    code = torch.zeros(len(support), dtype=torch.int64, device=support.device)
    for part in support.split(62, dim=1):
        more = (part * bits[: part.shape[1]]).sum(dim=1)
        code = torch.stack([code, more], dim=1).unique(dim=0, return_inverse=True)[1] if code.any() else more
    values, member = code.unique(return_inverse=True)
    first = torch.empty_like(values).scatter_(0, member, torch.arange(len(code), device=code.device))
    return support[first], member


def _affine_solutions(G: Tensor, supports: Tensor) -> tuple[Tensor, Tensor]:
    """Matrices and vectors of the affine maps of `_on_support`, one for each row of `supports`."""
    count = len(G)
    inside = supports.to(G.dtype)
    # The system of each support, padded with the identity so that all have one size.
    K = torch.zeros(len(supports), count + 1, count + 1, dtype=G.dtype, device=G.device)
    K[:, :count, :count] = G * inside[:, :, None] * inside[:, None, :] + torch.diag_embed(1 - inside)
    K[:, :count, count] = K[:, count, :count] = inside
    inverse, failed = torch.linalg.inv_ex(K)
    condition = K.abs().sum(dim=2).amax(dim=1) * inverse.abs().sum(dim=2).amax(dim=1)
    singular = (failed != 0) | ~(condition < 1e13)
    if bool(singular.any()):
        # Collinear endmembers: the solution of least norm, which exists because least squares always has one.
        inverse[singular] = torch.linalg.pinv(K[singular], hermitian=True, rtol=1e-13)
    P = inverse[:, :count, :count] * inside[:, :, None] * inside[:, None, :]
    q = inverse[:, :count, count] * inside
    sums = inverse[:, count, :count] * inside
    M = P + (1 - inside)[:, :, None] * (G @ P + sums[:, None, :]) - torch.diag_embed(1 - inside)
    m = q + (1 - inside) * (q @ G + inverse[:, count, count, None])
    return M, m


def _primal_active_set(G: Tensor, C: Tensor) -> Tensor:
    """Active-set method that lowers the objective at every change of support, so no support returns.

    Each pixel starts at its best vertex of the simplex. The minimum on the support is either feasible,
    then the most violated zero joins the support, or the step towards it ends where an abundance
    reaches zero, which then leaves. Shapes ``(pixels, endmembers)``.
    """
    A = torch.zeros_like(C).scatter_(1, (G.diagonal() / 2 - C).argmin(dim=1, keepdim=True), 1.0)
    support = A > 0
    todo = torch.arange(len(C), device=C.device)
    for _ in range(20 * len(G) + 100):
        order, X = _on_support(G, C[todo], support[todo])
        todo = todo[order] if len(order) else todo
        a, inside, eps = A[todo], support[todo], _tolerance(C[todo])
        negative = inside & (X + eps < 0)
        blocked = negative.any(dim=1)
        ratio = (a / (a - X).clamp_min(1e-300)).where(negative, torch.inf)
        step, leaving = ratio.min(dim=1)
        target = X.where(inside, 0.0)
        A[todo] = torch.where(blocked[:, None], a + step.where(blocked, 0.0)[:, None] * (target - a), target)
        A[todo[blocked], leaving[blocked]] = 0
        support[todo[blocked], leaving[blocked]] = False
        worst, joining = X.masked_fill(inside, torch.inf).min(dim=1)
        joins = ~blocked & (worst < -eps[:, 0])
        support[todo[joins], joining[joins]] = True
        todo = todo[blocked | joins]
        if not len(todo):
            return A
    return A  # rounding alone can bring a pixel here; its objective no longer falls
