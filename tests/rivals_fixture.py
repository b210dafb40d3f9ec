"""A mixture of 6 x 5 pixels and a start, all by formulas, so that figures of other code can be compared."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SHAPE = (6, 5)


class Fixture(NamedTuple):
    """Image, endmembers, abundances, and a start; pixels in row-major order."""

    Y: NDArray
    E: NDArray
    A: NDArray
    E0: NDArray
    A0: NDArray


def fixture() -> Fixture:
    band, pixel = np.arange(12)[:, None], np.arange(30)[None]
    p, q = np.arange(3)[None], np.arange(3)[:, None]
    E = 0.5 + 0.4 * np.sin(0.7 * band * (p + 1) + p)
    A = (1 + np.cos(0.9 * (q + 1) * pixel + q)) ** 2
    A /= A.sum(axis=0)
    Y = np.maximum(E @ A + 0.01 * np.sin(3.1 * band + 1.7 * pixel), 0)
    A0 = 1 + 0.3 * np.sin(pixel + q)
    return Fixture(Y, E, A, np.maximum(E + 0.1 * np.cos(band + p), 0.05), A0 / A0.sum(axis=0))
