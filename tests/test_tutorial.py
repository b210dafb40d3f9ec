"""What the chapters that run the tutorial's tables again say with words of their own."""

from __future__ import annotations

import numpy as np
import pytest

from hsu_lib.publishing import tutorial
from hsu_lib.runs.amounts import amounts


def test_a_cell_has_ours_and_what_is_printed():
    where = {"table": "Table II", "method": "udas", "condition": "snr=30"}
    printed = " (9.40\u00a0±\u00a01.91)"
    ours = tutorial.cell(np.array([0.08, 0.1]), "rmse-abundances", **where)
    assert ours == f"9.00\u00a0±\u00a01.41\u00a0%{printed}"
    assert tutorial.cell(None, "rmse-abundances", **where) == f"–{printed}"
    assert (
        tutorial.cell(np.array([0.1]), "rmse-abundances", **where | {"condition": "snr=35"}) == "10.00\u00a0%"
    )


def test_an_estimate_counts_twice_by_the_rule_that_allows_it():
    E = np.eye(3)
    between, third = [1.0, 0.9, 0.0], [0.0, 0.0, 1.0]
    found = tutorial.angles_by_rule([E[:, [2, 0, 1]], np.array([between, third, third]).T], E)
    assert all(angles[0] == pytest.approx(0) for angles in found.values())
    near, far = np.arctan(0.9), np.arctan(1 / 0.9)
    ours, nearest, _ = found.values()
    assert ours[1] == pytest.approx((near + np.pi / 2) / 3)
    assert nearest[1] == pytest.approx((near + far) / 3)


def test_equal_shares_are_counted():
    A = np.full((4, 2, 3), 0.25)
    A[:, 0, 0] = [1, 0, 0, 0]
    assert tutorial.equal_shares(A) == pytest.approx(5 / 6)


def test_a_network_is_said_to_be_narrower_only_where_it_is():
    claim = "tutorial-misicnet-best-samson-rmse"
    networks = {"MiSiCNet": "misicnet", "UnDIP": "undip"}
    told = tutorial.narrowed(amounts("desk").for_claim(claim), **networks)
    assert told == " Networks are narrower here: MiSiCNet has 16 filters of 256, UnDIP has 16 filters of 256."
    assert not tutorial.narrowed(amounts("paper").for_claim(claim), **networks)
