"""Noise has the SNR that was asked for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hsu_lib.scenes.noise import add_noise


@given(st.floats(0, 60), st.integers(0, 2**32 - 1), st.floats(1e-3, 1e3))
def test_snr_is_met_within_a_tenth_of_a_decibel(snr_db, seed, scale):
    Y = scale * np.random.default_rng(seed).random((40, 70, 50))
    noise = add_noise(Y, snr_db, seed) - Y
    measured = 10 * np.log10(np.mean(Y**2) / np.mean(noise**2))
    assert measured == pytest.approx(snr_db, abs=0.1)


def test_infinite_snr_changes_nothing_and_the_seed_decides():
    Y = np.random.default_rng(0).random((6, 7, 5), dtype=np.float32)
    np.testing.assert_array_equal(add_noise(Y, np.inf, 0), Y)
    np.testing.assert_array_equal(add_noise(Y, 20, 1), add_noise(Y, 20, 1))
    assert not np.array_equal(add_noise(Y, 20, 1), add_noise(Y, 20, 2))
    assert add_noise(Y, 20, 1).dtype == np.float32


@pytest.mark.parametrize("snr_db", [np.nan, -np.inf])
def test_an_snr_without_meaning_is_refused(snr_db):
    with pytest.raises(ValueError, match="in dB"):
        add_noise(np.ones((2, 3)), snr_db, 0)
