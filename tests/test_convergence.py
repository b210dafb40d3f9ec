"""Readings of curves against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from hsu_lib.claims.convergence import common_threshold, reached, settled


def decay(rate, last=1.0, steps=400):
    """Curve ``last (1 + exp(-rate t))``, t from 0."""
    return last * (1 + np.exp(-rate * np.arange(steps)))


def test_an_exponential_settles_when_its_excess_is_the_share():
    # exp(-rate t) <= 0.05 from t = log(20) / rate on
    for rate in (0.05, 0.1, 0.5):
        assert settled(decay(rate))[0] == int(np.ceil(np.log(20) / rate)) + 1


def test_settled_counts_the_last_time_outside_and_not_the_first_time_inside():
    curve = np.ones(50)
    assert settled(curve)[0] == 1
    curve[30] = 1.2
    assert settled(curve)[0] == 32
    curve[-1] = 1.2  # the last value itself is far from all before but one
    assert settled(curve)[0] == 50


def test_a_threshold_is_reached_once_and_later_rises_do_not_count():
    curve = np.array([3.0, 2.0, 1.0, 5.0])
    np.testing.assert_array_equal(reached(curve, 2.0), [2])
    np.testing.assert_array_equal(reached([curve, curve], [3.0, 1.0]), [1, 3])
    with pytest.raises(ValueError, match="never comes down"):
        reached(curve, 0.5)


def test_every_condition_reaches_the_common_threshold_of_its_seed():
    groups = {"low": [decay(0.1), decay(0.1)], "high": [decay(0.1, last=2), decay(0.1, last=3)]}
    threshold = common_threshold(groups)
    np.testing.assert_allclose(threshold, [2 * 1.05, 3 * 1.05])
    assert (reached(groups["low"], threshold) < reached(groups["high"], threshold)).all()
