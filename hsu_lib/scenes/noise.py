"""Noise at a given signal-to-noise ratio."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def add_noise(Y: NDArray, snr_db: float, seed: int) -> NDArray:
    r"""Image plus white Gaussian noise at a signal-to-noise ratio in dB.

    The noise variance is :math:`\sigma^2 = \mathrm{mean}(Y^2)\, 10^{-\mathrm{SNR}/10}`, one value for
    the whole image: the same power in every band and pixel. Nothing is clipped, so dark bands can
    become negative.

    Parameters
    ----------
    Y
        Image of any shape.
    snr_db
        Ratio of mean squared signal to noise variance, in dB; ``inf`` returns a copy.
    seed
        Seed of numpy's PCG64 generator.

    Returns
    -------
    ndarray
        Same shape and dtype as `Y`.

    Raises
    ------
    ValueError
        If `snr_db` is NaN or minus infinity.

    References
    ----------
    Definition of the SNR: report on UnDIP, section on noise; the tutorial
    uses the same ratio in dB.
    """
    if np.isnan(snr_db) or snr_db == -np.inf:
        raise ValueError(f"expected a signal-to-noise ratio in dB, got {snr_db}")
    sigma = np.sqrt(np.mean(np.square(Y, dtype=np.float64)) * 10.0 ** (-snr_db / 10.0))
    noise = np.random.default_rng(seed).standard_normal(Y.shape, dtype=np.float32)
    return (Y + sigma * noise).astype(Y.dtype)
