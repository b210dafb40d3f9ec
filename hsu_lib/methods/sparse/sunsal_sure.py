r"""`sunsal-sure`: `sunsal` with the weight of least estimated risk, so that nothing is tuned to the truth.

The risk of a weight is how far :math:`DX_\lambda` is from the image without its noise, squared. Stein's
unbiased estimate of it is, up to a constant,

.. math:: \|Y - DX_\lambda\|_F^2 + 2\sigma^2\,\#\{X_\lambda > 0\},

as many degrees of freedom as there are abundances above zero. The noise is what the whole library leaves
unexplained: :math:`\sigma^2 = \|Y - DX_0\|_F^2 / (LN - \#\{X_0 > 0\})`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize_scalar
from torch import Tensor

from hsu_lib.methods.method import Method, Needs, Problem
from hsu_lib.methods.settings import sourced
from hsu_lib.methods.sparse.library import ChosenLibrary, outcome, products_of
from hsu_lib.scene import Unmixing
from hsu_lib.solvers.sparse import nonnegative

#: Decades of weights, from the least that leaves no abundance downwards, and how closely the best is found.
_DECADES, _CLOSE = 7.0, 0.03


@dataclass(frozen=True)
class SunsalSureSettings(ChosenLibrary):
    """Settings of SUnSAL with a chosen weight, each with its source."""

    sample: int = sourced(2000, "ours: pixels that the weight is chosen by, evenly spread", at_least=1)


def solve(problem: Problem, settings: SunsalSureSettings) -> Unmixing:
    """Abundances of all atoms; the history has the weights that were tried, and their risks."""
    Y = problem.scene.pixels
    bands, pixels = Y.shape
    some = np.linspace(0, pixels - 1, min(settings.sample, pixels)).round().astype(int)
    weights, risks = chosen_by(*products_of(problem, Y[:, some]), bands)
    best = weights[int(np.argmin(risks))] if weights else 0.0
    given = products_of(problem, Y)
    found = nonnegative(given.G, given.B - best)
    history = {"weight": np.array(weights, np.float32), "risk": np.array(risks, np.float32)}
    return replace(outcome(problem, found.X, converged=found.converged), history=history)


def chosen_by(G: Tensor, B: Tensor, power: float, bands: int) -> tuple[list[float], list[float]]:
    """Weights that a search for the least risk tries, and their risks over the power of the noise.

    Parameters
    ----------
    G, B, power
        See `hsu_lib.solvers.sparse.Products`.
    bands
        Of the image.

    Returns
    -------
    weights, risks
        In the order tried; empty where no spectrum of the library explains anything.

    References
    ----------
    Stein, Annals of Statistics 9 (1981) 1135-1151; degrees of freedom: Zou, Hastie and Tibshirani, Annals of
    Statistics 35 (2007) 2173-2192.
    """
    values, top = bands * B.shape[1], float(B.max())
    if top <= 0:
        return [], []

    def fit(weight: float) -> tuple[float, int]:
        X = nonnegative(G, B - weight).X
        left = values * power - 2 * float((X * B).sum()) + float((X * (G @ X)).sum())
        return max(left, 0.0), int((X > 0).sum())

    left, freedom = fit(0.0)
    noise = max(left / max(values - freedom, 1), float(np.finfo(np.float32).eps) ** 2 * power)
    tried: dict[float, float] = {}

    def risk(exponent: float) -> float:
        left, freedom = fit(weight := top * 10.0**exponent)
        tried[weight] = (left / noise + 2 * freedom) / values
        return tried[weight]

    minimize_scalar(risk, bounds=(-_DECADES, 0.0), method="bounded", options={"xatol": _CLOSE})
    return list(tried), list(tried.values())


SUNSAL_SURE = Method(
    name="sunsal-sure",
    summary="sparse regression with a library, its weight by Stein's unbiased estimate of the risk",
    kind="sparse",
    solve=solve,
    settings=SunsalSureSettings,
    needs=Needs(library=True),
    source="ours: SUnSAL of Bioucas-Dias and Figueiredo, WHISPERS 2010, with the estimate of Stein, 1981",
    asc=False,
)
