"""Abundances of known endmembers in the bilinear model of Fan: light meets one material, or two in turn."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from hsu_lib.solvers.fclsu import fclsu

#: Share of the decrease that the slope promises which a step has to reach.
_ARMIJO = 1e-4
#: So often a step is halved before a pixel is left where it is: at rounding nothing falls any more.
_HALVINGS = 30
#: Below it an abundance that the slope draws down is zero; added to curvatures, as a share of the largest.
_TINY = 1e-12
#: So many steps are of Gauss-Newton before those of Newton.
_GAUSS = 10
#: Numbers of the Jacobians that are held at once.
_BLOCK = 2**22


class Fan(NamedTuple):
    """Abundances ``A`` (endmembers, pixels), and whether each pixel converged, shape ``(pixels,)``."""

    A: NDArray[np.float64]
    converged: NDArray[np.bool_]


def fan(
    Y: ArrayLike,
    E: ArrayLike,
    *,
    iterations: int = 100,
    tolerance: float = 1e-8,
    device: str | torch.device = "cpu",
) -> Fan:
    r"""Least squares with the model of Fan under ANC and ASC, by projected Newton steps.

    .. math:: \min_a \tfrac12 \Bigl\|y - \sum_k a_k e_k - \sum_{j<k} a_j a_k\, e_j \odot e_k\Bigr\|^2

    Products are those of reflectances: it is no model of counts. The start is FCLSU; the objective is not
    convex, so what is found is a stationary point that is no worse. In each step the largest abundance is one
    minus the others; of these, those that are zero and would fall stay, and the rest takes a step that is
    cut at zero and halved until the objective falls enough. The first ten are of Gauss-Newton, which without
    noise leads to the true abundances from farther away; the others of Newton where it is convex.

    Parameters
    ----------
    Y
        Image in reflectance, shape ``(bands, pixels)``.
    E
        Endmembers, shape ``(bands, endmembers)``.
    iterations
        At most so many.
    tolerance
        A pixel has converged when a step moves no abundance by more.
    device
        Torch device on which to work.

    Raises
    ------
    ValueError
        If the shapes do not fit, or a value is not finite.

    References
    ----------
    Fan, Hu, Miller and Li, International Journal of Remote Sensing 30(11), 2009, 2951-2962 (the model);
    Bertsekas, SIAM J. Control and Optimization 20(2), 1982, 221-246 (projected Newton steps).
    """
    A = torch.tensor(fclsu(Y, E, device=device).T, device=device)  # pixels first, here and below
    E = np.asarray(E, dtype=np.float64)
    count = E.shape[1]
    one, two = np.triu_indices(count, 1)
    # of all that the model mixes only products among each other and with the pixels matter
    Q, R = np.linalg.qr(np.hstack([E, E[:, one] * E[:, two]]))
    pairs = np.zeros((count, count, len(R)))
    pairs[one, two] = pairs[two, one] = R[:, count:].T
    model = _Model(torch.tensor(R[:, :count], device=device), torch.tensor(pairs, device=device))
    y = torch.tensor((Q.T @ np.asarray(Y, dtype=np.float64)).T, device=device)
    size = max(1, _BLOCK // (len(R) * count))
    parts = [
        _solved(model, a, pixels, iterations, tolerance)
        for a, pixels in zip(A.split(size), y.split(size), strict=True)
    ]
    return Fan(
        torch.cat([a for a, _ in parts]).T.cpu().numpy(), torch.cat([c for _, c in parts]).cpu().numpy()
    )


class _Model(NamedTuple):
    """Coordinates of the endmembers, ``(n, endmembers)``, and of their products, zero with themselves,
    ``(endmembers, endmembers, n)``.
    """

    E: Tensor
    pairs: Tensor

    def __call__(self, a: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Half squared residuals, residuals ``(pixels, n)``, and Jacobians ``(pixels, n, endmembers)``."""
        J = self.E + torch.einsum("pj,ijn->pni", a, self.pairs)
        left = (0.5 * (self.E + J) @ a[:, :, None])[:, :, 0] - y  # each pair is in J twice
        return 0.5 * left.square().sum(dim=1), left, J


def _solved(model: _Model, A: Tensor, y: Tensor, iterations: int, tolerance: float) -> tuple[Tensor, Tensor]:
    """Abundances of pixels, and which converged."""
    A, todo = A.clone(), torch.arange(len(A), device=A.device)
    for done in range(iterations):
        a, pixels = A[todo], y[todo]
        new = _stepped(model, a, pixels, newton=done >= _GAUSS)
        A[todo] = new
        todo = todo[(new - a).abs().amax(dim=1) > tolerance]
        if not len(todo):
            break
    converged = torch.ones(len(A), dtype=torch.bool, device=A.device)
    converged[todo] = False
    return A, converged


def _stepped(model: _Model, a: Tensor, y: Tensor, *, newton: bool) -> Tensor:
    """Abundances after a step of each pixel, or as they were where none lowers the objective."""
    value, left, J = model(a, y)
    last = a.argmax(dim=1, keepdim=True)  # one minus the others
    J = J - J.gather(2, last[:, None].expand(-1, J.shape[1], 1))
    slope = (left[:, None] @ J)[:, 0]
    free = ((a > _TINY) | (slope < 0)).scatter(1, last, False)
    H = J.mT @ J
    ridge = _TINY * H.diagonal(dim1=1, dim2=2).amax(dim=1).clamp_min(_TINY)
    unit = torch.eye(a.shape[1], dtype=a.dtype, device=a.device)
    both = free[:, :, None] & free[:, None]
    H = torch.where(both, H + ridge[:, None, None] * unit, unit)
    if newton:
        bent = torch.einsum("pn,ijn->pij", left, model.pairs)  # second derivatives of the model
        row = bent.gather(1, last[:, :, None].expand(-1, 1, a.shape[1]))
        whole = H + torch.where(both, bent - row - row.mT + row.gather(2, last[:, :, None]), 0)
        convex = torch.linalg.cholesky_ex(whole).info == 0
        H = torch.where(convex[:, None, None], whole, H)
    step = torch.linalg.solve(H, torch.where(free, slope, a))
    share = torch.ones_like(value)
    found, waits = a.clone(), torch.ones_like(value, dtype=torch.bool)
    for _ in range(_HALVINGS):
        trial = (a - share[:, None] * step).clamp_min(0).scatter(1, last, 0)
        trial = trial.scatter(1, last, 1 - trial.sum(dim=1, keepdim=True))
        enough = value - model(trial, y)[0] >= _ARMIJO * (slope * (a - trial)).sum(dim=1)
        good = waits & enough & (trial.amin(dim=1) >= 0)
        found[good] = trial[good]
        waits &= ~good
        if not waits.any():
            break
        share /= 2
    return found
