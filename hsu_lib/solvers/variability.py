r"""Endmembers that vary from pixel to pixel: scaled, scaled band by band, perturbed.

.. math:: \min \sum_n \tfrac12 \|y_n - S_n a_n\|^2 + \tfrac\kappa2 \|S_n - B_n\|_F^2 + \dots
          \quad\text{s.t.}\quad A \ge 0,\ \mathbf 1^\top A = \mathbf 1^\top,\ S_n \ge 0

with bases :math:`B_n`, which the models differ by. For given `A` the spectra have a closed form. Without the
bound they leave exactly :math:`\kappa / (\kappa + \|a_n\|^2)` of a pixel's residual :math:`y_n - B_n a_n`: a
small residual of such a model says nothing of its abundances.

Spectra of the pixels have shape ``(endmembers, bands, pixels)``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from hsu_lib.scene import real
from hsu_lib.solvers.bounded import bounded_least_squares
from hsu_lib.solvers.scaling import to_sum_one
from hsu_lib.solvers.smooth_abundances import (
    Squares,
    Variation,
    loose_abundances,
    smooth_abundances,
)
from hsu_lib.solvers.sparse import nonnegative
from hsu_lib.solvers.sparse_maps import curvature

#: Least value of a spectrum of the scaled models, as in their public code.
_LEAST = 1e-6
#: Bands of a block of them.
_TOGETHER = 16


class Scaled(NamedTuple):
    r"""Abundances of one brightness per pixel, :math:`y_n = \psi_n E a_n`.

    Parameters
    ----------
    A
        Shape ``(endmembers, pixels)``.
    brightness
        Shape ``(pixels,)``.
    """

    A: NDArray[np.float64]
    brightness: NDArray[np.float64]


class Variability(NamedTuple):
    """What a model with spectra for each pixel ends with.

    Parameters
    ----------
    A
        Abundances, shape ``(endmembers, pixels)``: ANC holds to the tolerance of the splitting.
    S
        Spectra, shape ``(endmembers, bands, pixels)``.
    base
        Scales ``(endmembers, 1 or bands, pixels)``, or for PLMM endmembers ``(bands, endmembers)``.
    error
        Norm of the residuals ``y_n - S_n a_n`` over that of the image, after every pass.
    converged
        Whether it stopped by its own rule.
    """

    A: NDArray[np.float64]
    S: NDArray[np.float64]
    base: NDArray[np.float64]
    error: NDArray[np.float64]
    converged: bool

    @property
    def endmembers(self) -> NDArray[np.float64]:
        """Mean spectra, shape ``(bands, endmembers)``: pixels count by their abundances."""
        shares = self.A.clip(0) + np.finfo(float).tiny  # of a map of zeros the plain mean
        return np.einsum("pln,pn->lp", self.S, shares / shares.sum(axis=1, keepdims=True))


def sclsu(Y: ArrayLike, E: ArrayLike, *, device: str | torch.device = "cpu") -> Scaled:
    r"""Nonnegative least squares of each pixel, divided by its sum, which is the brightness.

    Parameters
    ----------
    Y, E
        Image and endmembers, shapes ``(bands, pixels)`` and ``(bands, endmembers)``.
    device
        Torch device on which to work.

    Raises
    ------
    ValueError
        If shapes do not fit, or a value is not finite.

    References
    ----------
    Drumetz et al., IEEE TIP 25(8), 2016, 3890-3905: its start.
    """
    y, e = _checked(Y, E, device)
    scale = e.norm(dim=0).clamp_min(torch.finfo(e.dtype).tiny)
    G, B = (e / scale).T @ (e / scale), (e / scale).T @ y
    X = (nonnegative(G, B).X / scale[:, None]).cpu().numpy()
    return Scaled(to_sum_one(X), X.sum(axis=0))


def scaled(
    Y: ArrayLike,
    S0: ArrayLike,
    A: ArrayLike,
    shape: tuple[int, int],
    *,
    by_band: bool,
    nearness: float,
    variation: float,
    smoothness: float,
    iterations: int = 100,
    tolerance: float = 1e-3,
    device: str | torch.device = "cpu",
) -> Variability:
    r"""Extended (ELMM) or generalised (GLMM) linear mixing model: :math:`B_n = S_0 \circ \Psi_n`.

    .. math:: \lambda_A \sum_p \mathrm{TV}(A_p) + \tfrac{\lambda_\psi}2 \sum \|\nabla \Psi\|^2

    is added, with differences that wrap around at the borders, and :math:`\kappa = \lambda_S`.

    Parameters
    ----------
    Y, S0, A
        Image, reference spectra, first abundances: ``(bands, pixels)``, ``(bands, endmembers)``,
        ``(endmembers, pixels)``.
    shape
        Height and width; pixels in row-major order.
    by_band
        Whether each band of an endmember has a scale of its own (GLMM), or all have one (ELMM).
    nearness, variation, smoothness
        :math:`\lambda_S`, :math:`\lambda_A` and :math:`\lambda_\psi`.
    iterations
        At most so many passes over spectra, abundances, scales.
    tolerance
        Stop when all three change by less than this share.
    device
        Torch device on which to work.

    Raises
    ------
    ValueError
        If shapes do not fit, or a value is not finite.

    References
    ----------
    Drumetz et al., IEEE TIP 25(8), 2016, 3890-3905; Imbiriba, Borsoi and Bermudez, ICASSP 2018, 1862-1866.
    """
    y, s0 = _checked(Y, S0, device)
    a = torch.tensor(np.asarray(A, dtype=np.float64), device=device)
    reference = s0.T[:, :, None]
    weight = nearness * (reference.square() if by_band else reference.square().sum(dim=1, keepdim=True))
    weight = weight.clamp_min(torch.finfo(weight.dtype).tiny)  # a band of zeros has no scale
    waves = smoothness * curvature(shape).to(y) if smoothness else None
    psi = torch.ones((len(a), y.shape[0] if by_band else 1, y.shape[1]), dtype=y.dtype, device=device)
    S, converged = reference.repeat(1, 1, y.shape[1]), False
    errors: list[float] = []

    def scales(inside: Tensor, weight: Tensor) -> Tensor:
        """Their minimum: smooth maps of `inside` over `weight`."""
        if waves is None:
            return inside / weight
        transformed = torch.fft.rfft2(inside.unflatten(2, shape)) / (weight[..., None] + waves)
        return torch.fft.irfft2(transformed, s=shape).flatten(2)

    for _ in range(iterations):
        before, moves = a, [_Move(y), _Move(y)]  # of the spectra and of the scales
        gram, products = y.new_zeros((y.shape[1], len(a), len(a))), y.new_zeros((y.shape[1], len(a)))
        for some in _bands(y):
            of = psi[:, some] if by_band else psi
            new = nearest_spectra(y[some], reference[:, some] * of, a, nearness).clamp_min_(_LEAST)
            moves[0].add(new, S[:, some])
            S[:, some] = new
            for whole, part in zip((gram, products), pixel_products(new, y[some]), strict=True):
                whole += part
        a = smooth_abundances(gram, products, a, shape, Variation(variation, a.unflatten(1, shape)))
        inside, left = torch.zeros_like(psi[:, :1]), 0.0
        for some in _bands(y):
            left += float((y[some] - (S[:, some] * a[:, None]).sum(dim=0)).square().sum())
            part = nearness * S[:, some] * reference[:, some]
            if by_band:
                new = scales(part, weight[:, some])
                moves[1].add(new, psi[:, some])
                psi[:, some] = new
            else:
                inside += part.sum(dim=1, keepdim=True)
        if not by_band:
            last, psi = psi, scales(inside, weight)
        errors.append(left**0.5 / float(y.norm().clamp_min(torch.finfo(y.dtype).tiny)))
        moved = (
            moves[0].share(),
            float((a - before).norm() / before.norm()),
            moves[1].share() if by_band else float((psi - last).norm() / last.norm()),
        )
        if max(moved) < tolerance:
            converged = True
            break
    return _result(a, S, psi, errors, converged)


def perturbed(
    Y: ArrayLike,
    M0: ArrayLike,
    A: ArrayLike,
    shape: tuple[int, int],
    *,
    smoothness: float,
    distance: float,
    nearness: float,
    loose: bool = False,
    iterations: int = 20,
    tolerance: float = 1e-3,
    device: str | torch.device = "cpu",
) -> Variability:
    r"""Perturbed linear mixing model (PLMM): :math:`B_n = M`, which stays near `M0`.

    .. math:: \tfrac\alpha2 \sum_{n} \sum_{m \sim n} \|a_n - a_m\|^2 + \tfrac\beta2 \|M - M_0\|_F^2

    is added, with each pair of neighbours counted twice and none beyond the borders, and
    :math:`\kappa = \gamma`. Endmembers are exact for the rest, and so are abundances to 1e-6, unless they are
    `loose`; spectra are those without their bound, with what is negative set to zero.

    Parameters
    ----------
    Y, M0, A, shape, device
        As in `scaled`.
    smoothness, distance, nearness
        :math:`\alpha`, :math:`\beta` and :math:`\gamma`.
    loose
        Whether abundances are those of `loose_abundances`, as in public code: they sum to one within 2
        percent only, so that less is left of the image.
    iterations
        At most so many passes over abundances, endmembers, spectra.
    tolerance
        Stop when the objective changes by less than this share.

    Raises
    ------
    ValueError
        If shapes do not fit, or a value is not finite.

    References
    ----------
    Thouvenin, Dobigeon and Tourneret, IEEE TSP 64(2), 2016, 525-538.
    """
    y, m0 = _checked(Y, M0, device)
    a = torch.tensor(np.asarray(A, dtype=np.float64), device=device)
    maps = a.reshape(-1, *shape)
    rough = Squares(smoothness, maps)
    m, S = m0.clamp_min(0), m0.clamp_min(0).T[:, :, None].expand(-1, -1, y.shape[1])
    errors: list[float] = []
    last, converged = np.inf, False
    unit = torch.eye(len(a), dtype=y.dtype, device=device)
    for _ in range(iterations):
        products = pixel_products(S, y)
        a = (
            loose_abundances(*products, a, shape, smoothness, len(y))
            if loose
            else smooth_abundances(*products, a, shape, rough, tolerance=1e-6, iterations=500)
        )
        target = y - ((S - m.T[:, :, None]) * a[:, None]).sum(dim=0)
        right = a @ target.T + distance * m0.T
        normal = a @ a.T + distance * unit
        m = torch.tensor(bounded_least_squares(normal.cpu().numpy(), right.cpu().numpy()).T, device=device)
        S = nearest_spectra(y, m.T[:, :, None], a, nearness).clamp_min_(0)
        errors.append(_relative(y, S, a))
        objective = (
            0.5 * errors[-1] ** 2 * float(y.square().sum())
            + rough.value(a.reshape(-1, *shape))
            + 0.5 * distance * float((m - m0).square().sum())
            + 0.5 * nearness * float((S - m.T[:, :, None]).square().sum())
        )
        if abs(last - objective) < tolerance * abs(objective):
            converged = True
            break
        last = objective
    return _result(a, S, m, errors, converged)


# --------------------------------------------------------------------------- steps


def nearest_spectra(y: Tensor, base: Tensor, a: Tensor, nearness: float) -> Tensor:
    r"""Spectra :math:`S_n` for given abundances and bases, without a bound: what all models have in common.

    Parameters
    ----------
    y, base, a
        Shapes ``(bands, pixels)``, ``(endmembers, bands, pixels or 1)``, ``(endmembers, pixels)``.
    nearness
        :math:`\kappa`.
    """
    residual = y - (base * a[:, None]).sum(dim=0)
    return base + residual * (a / (nearness + a.square().sum(dim=0)))[:, None]


def pixel_products(S: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """`gram` and `products` of `smooth_abundances` for spectra ``(endmembers, bands, pixels)``."""
    gram = y.new_empty((y.shape[1], len(S), len(S)))
    for p in range(len(S)):
        for q in range(p + 1):
            gram[:, p, q] = gram[:, q, p] = (S[p] * S[q]).sum(dim=0)
    return gram, (S * y).sum(dim=1).T


def _relative(y: Tensor, S: Tensor, a: Tensor) -> float:
    residual = y - (S * a[:, None]).sum(dim=0)
    return float(residual.norm() / y.norm().clamp_min(torch.finfo(y.dtype).tiny))


def _bands(y: Tensor) -> Iterator[slice]:
    """Blocks of bands: all are worked on alike, and few at a time need little memory."""
    yield from (slice(k, k + _TOGETHER) for k in range(0, len(y), _TOGETHER))


class _Move:
    """By what share the arrays of each pixel change, from blocks of them."""

    def __init__(self, y: Tensor) -> None:
        self.change, self.size = y.new_zeros(y.shape[1]), y.new_zeros(y.shape[1])

    def add(self, new: Tensor, old: Tensor) -> None:
        self.change += (new - old).square().sum(dim=(0, 1))
        self.size += old.square().sum(dim=(0, 1))

    def share(self) -> float:
        """Mean over the pixels."""
        return float((self.change / self.size).sqrt().mean())


def _result(a: Tensor, S: Tensor, base: Tensor, errors: list[float], converged: bool) -> Variability:
    A, spectra, bases = (x.cpu().numpy() for x in (a, S, base))
    return Variability(A, spectra, bases, np.array(errors), converged)


def _checked(Y: ArrayLike, E: ArrayLike, device: str | torch.device) -> list[Tensor]:
    y, e = (real(X, name).astype(np.float64) for X, name in ((Y, "Y"), (E, "E")))
    if y.ndim != 2 or e.ndim != 2 or len(y) != len(e):
        raise ValueError(
            "expected Y (bands, pixels) and E (bands, endmembers) with equal bands, "
            f"got {y.shape} and {e.shape}"
        )
    if not (np.isfinite(y).all() and np.isfinite(e).all()):
        raise ValueError("expected finite Y and E")
    return [torch.tensor(X, device=device) for X in (y, e)]
