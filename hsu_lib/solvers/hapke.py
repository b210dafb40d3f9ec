r"""Intimate mixtures: albedos mix linearly, and reflectance is Hapke's function of the mixed albedo.

Isotropic scatterers without opposition effect, normalised by a Lambertian surface. Functions take arrays of
numpy or tensors of torch, of any shape; :math:`\mu` and :math:`\mu_0` are the cosines of the angles of view
and of incidence. Source: Hapke, Journal of Geophysical Research 86(B4), 1981, 3039-3054.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:  # scenes are made by it, and importing them is to be light
    from torch import Tensor

Values = TypeVar("Values", NDArray[np.float64], "Tensor")


def reflectance(albedo: Values, *, mu: float = 1.0, mu0: float = 1.0) -> Values:
    r"""Reflectance of single-scattering albedos `w` between 0 and 1.

    .. math:: R(w) = \frac{w}{(1 + 2\mu\sqrt{1 - w})(1 + 2\mu_0\sqrt{1 - w})}

    It rises from 0 to 1 and is convex, so that a mixture is darker than the same shares side by side. Its
    slope is infinite at 1.
    """
    root = (1 - albedo) ** 0.5
    return albedo / ((1 + 2 * mu * root) * (1 + 2 * mu0 * root))


def albedo(reflectance: Values, *, mu: float = 1.0, mu0: float = 1.0) -> Values:
    r"""Single-scattering albedos of reflectances `R` between 0 and 1: the inverse of `reflectance`.

    .. math:: w(R) = 1 - \left(\frac{\sqrt{(\mu_0 + \mu)^2 R^2 + (1 + 4\mu\mu_0 R)(1 - R)} - (\mu_0 + \mu) R}
              {1 + 4\mu\mu_0 R}\right)^2
    """
    both, scale = (mu0 + mu) * reflectance, 1 + 4 * mu * mu0 * reflectance
    root = (both**2 + scale * (1 - reflectance)) ** 0.5
    return 1 - ((root - both) / scale) ** 2
