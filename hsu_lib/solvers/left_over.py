r"""What spectra of its own for every pixel leave of an image, whatever the abundances are.

Spectra :math:`S_n` that are fitted to pixel :math:`n` with weight :math:`\kappa` to a base :math:`B` leave
the share :math:`\kappa / (\kappa + \|a_n\|^2)` of what the base leaves, for any abundances :math:`a_n`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from hsu_lib.scene import Scene
from hsu_lib.solvers.variability import nearest_spectra


class Left(NamedTuple):
    r"""What spectra for each pixel leave of an image, for some abundances and weights :math:`\kappa`.

    Parameters
    ----------
    power
        :math:`\|a_n\|^2`, shape ``(pixels,)``.
    shares
        Norm of a pixel's residual over that with one spectrum per endmember; ``(weights, pixels)``.
    errors
        Relative errors of the reconstruction, shape ``(weights,)``.
    """

    power: NDArray[np.float64]
    shares: NDArray[np.float64]
    errors: NDArray[np.float64]


def left_over(Y: ArrayLike, E: ArrayLike, A: ArrayLike, weights: Sequence[float]) -> Left:
    r"""What is left when the spectra of every pixel are fitted with weights :math:`\kappa`, `A` as it is.

    Parameters
    ----------
    Y, E, A
        Shapes ``(bands, pixels)``, ``(bands, endmembers)``, ``(endmembers, pixels)``.
    weights
        :math:`\kappa`, of the spectra to the endmembers.
    """
    y, e, a = (torch.tensor(np.asarray(X, dtype=np.float64)) for X in (Y, E, A))
    base, shares, errors = (y - e @ a).norm(dim=0), [], []
    for weight in weights:
        S = nearest_spectra(y, e.T[:, :, None], a, weight)
        left = y - (S * a[:, None]).sum(dim=0)
        shares.append((left.norm(dim=0) / base).numpy())
        errors.append(float(left.norm() / y.norm()))
    return Left((a**2).sum(dim=0).numpy(), np.array(shares), np.array(errors))


def left_over_cases(image: Scene, weights: Sequence[float]) -> dict[str, Left]:
    """`left_over` of a scene with its endmembers, for the reference's abundances, equal and random ones."""
    assert image.E is not None
    assert image.A is not None
    A = image.A.reshape(len(image.A), -1).astype(np.float64)
    random = np.random.default_rng(0).dirichlet(np.ones(len(A)), A.shape[1]).T
    given = {"the reference": A, "equal shares": np.full_like(A, 1 / len(A)), "random shares": random}
    return {name: left_over(image.pixels, image.E, shares, weights) for name, shares in given.items()}
