"""One order of endmembers, whatever the seed."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def stable_order(E: ArrayLike, wavelengths: ArrayLike | None = None) -> NDArray[np.intp]:
    r"""Order by centre of gravity: endmembers that reflect at short wavelengths first.

    The centre of a spectrum is :math:`\sum_b \lambda_b e_b / \sum_b e_b`. It changes little with a little
    noise, as a maximum does not, so that endmembers found with other seeds come in the same order.

    Parameters
    ----------
    E
        Shape ``(bands, endmembers)``.
    wavelengths
        Shape ``(bands,)``; by default the index of the band.

    Returns
    -------
    ndarray
        Indices, shape ``(endmembers,)``.

    Examples
    --------
    >>> stable_order([[0.1, 0.9], [0.9, 0.1]])
    array([1, 0])
    """
    E = np.asarray(E, dtype=np.float64)
    x = np.arange(len(E)) if wavelengths is None else np.asarray(wavelengths, dtype=np.float64)
    weights = np.abs(E)
    sums = weights.sum(axis=0)
    centres = x @ weights / np.where(sums > 0, sums, 1)
    # bands that make no difference in sixteen digits must not decide
    return np.argsort(np.round(centres, 9), kind="stable")
