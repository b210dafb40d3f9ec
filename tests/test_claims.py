"""The rule of verdicts, fed right and deliberately wrong data, and the reported figures."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from hsu_lib import claims
from hsu_lib.claims import Judgement, Verdict, compare, interval, judge

CLAIM = "prim-patches-improve-abundances"


def mse(ours, against):
    return compare("mse", "toy", ours, against, better="lower")


def test_a_clear_gain_is_reproduced_and_its_mirror_image_contradicted():
    good, bad = [0.03, 0.035, 0.04, 0.032, 0.038], [0.09, 0.1, 0.095, 0.092, 0.097]
    assert judge(CLAIM, [mse(good, bad)], profile="t").verdict is Verdict.REPRODUCED
    # the check that must fail: the same data the wrong way round
    assert judge(CLAIM, [mse(bad, good)], profile="t").verdict is Verdict.CONTRADICTED


def test_noise_is_undecided_and_so_are_two_seeds():
    rng = np.random.default_rng(0)
    assert mse(rng.normal(size=6), rng.normal(size=6)).verdict is Verdict.UNDECIDED
    assert mse([0.01, 0.011], [0.9, 0.91]).verdict is Verdict.UNDECIDED


def test_all_comparisons_must_hold_and_one_can_contradict():
    yes, no = mse([1, 1.1, 0.9], [2, 2, 2]), mse([2, 2.1, 1.9], [1, 1, 1])
    maybe = mse([1, 2, 3], [2, 2, 2])
    assert judge(CLAIM, [yes, yes], profile="t").verdict is Verdict.REPRODUCED
    assert judge(CLAIM, [yes, maybe], profile="t").verdict is Verdict.UNDECIDED
    assert judge(CLAIM, [yes, maybe, no], profile="t").verdict is Verdict.CONTRADICTED


def test_a_part_can_contradict_but_not_reproduce():
    yes, no = mse([1, 1.1, 0.9], [2, 2, 2]), mse([2, 2.1, 1.9], [1, 1, 1])
    assert judge(CLAIM, [yes], profile="t", complete=False).verdict is Verdict.UNDECIDED
    assert judge(CLAIM, [no], profile="t", complete=False).verdict is Verdict.CONTRADICTED


def test_readings_decide_only_if_they_agree():
    yes, no = mse([1, 1.1, 0.9], [2, 2, 2]), mse([2, 2.1, 1.9], [1, 1, 1])
    for both, expected in (
        ((yes, yes), Verdict.REPRODUCED),
        ((no, no), Verdict.CONTRADICTED),
        ((yes, no), Verdict.UNDECIDED),
    ):
        assert judge(CLAIM, [both], profile="t").verdict is expected
        assert len(judge(CLAIM, [both], profile="t").comparisons) == 2
    assert judge(CLAIM, [(yes, yes), yes], profile="t").verdict is Verdict.REPRODUCED
    assert judge(CLAIM, [(yes, no), yes], profile="t").verdict is Verdict.UNDECIDED
    assert judge(CLAIM, [(yes, no), no], profile="t").verdict is Verdict.CONTRADICTED


def test_conditions_are_alike_if_each_is_near_the_mean_of_all():
    rng = np.random.default_rng(0)
    near = {name: 0.5 + 0.1 * rng.standard_normal(50) for name in "abc"}
    assert {c.verdict for c in claims.alike("w", "s", near)} == {Verdict.REPRODUCED}
    found = claims.alike("w", "s", near | {"c": near["c"] + 3})
    assert [c.verdict for c in found] == [Verdict.CONTRADICTED] * 3
    assert found[0].margin == pytest.approx(claims.spread(*near.values()))
    assert found[2].mean == pytest.approx(2 + np.mean(near["c"] - np.mean(list(near.values()), axis=0)))


def test_a_reading_is_nearer_if_clearly():
    assert claims.nearer({"document": 0.01, "code": 0.02}) == "document"
    assert claims.nearer({"document": 0.02, "code": 0.01}) == "code"
    assert claims.nearer({"document": 0.0109, "code": 0.0107}) == "neither clearly"


def test_a_rehearsal_decides_nothing():
    for c in (mse([1, 1.1, 0.9], [2, 2, 2]), mse([2, 2.1, 1.9], [1, 1, 1])):
        assert judge(CLAIM, [c], profile="quick", rehearsal=True).verdict is Verdict.UNDECIDED


def test_not_testable_needs_a_reason():
    with pytest.raises(ValueError, match="give the reason"):
        judge(CLAIM, [], profile="t")
    assert judge(CLAIM, [], profile="t", reason="no data").verdict is Verdict.NOT_TESTABLE
    with pytest.raises(ValueError, match="no claim"):
        judge("prim-moon-is-cheese", [], profile="t", reason="x")


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=20).filter(lambda d: np.std(d) > 1e-6))
def test_the_interval_is_students(d):
    mean, low, high = interval(d)
    expected = stats.t.interval(0.95, len(d) - 1, loc=np.mean(d), scale=stats.sem(d))
    np.testing.assert_allclose((low, high), expected, rtol=1e-9, atol=1e-9)
    assert low <= mean <= high


def test_the_interval_covers_the_truth_nineteen_times_of_twenty():
    rng = np.random.default_rng(0)
    hits = [low <= 0.3 <= high for _, low, high in (interval(rng.normal(0.3, 1, 5)) for _ in range(4000))]
    assert np.mean(hits) == pytest.approx(0.95, abs=0.012)


def test_degenerate_intervals():
    assert interval([2.0]) == (2.0, -np.inf, np.inf)
    assert interval([2.0, 2.0, 2.0]) == (2.0, 2.0, 2.0)
    for wrong in ([], [1.0, np.nan]):
        with pytest.raises(ValueError, match="finite differences"):
            interval(wrong)


def test_relative_differences_have_the_sign_of_the_claim():
    c = compare("mse", "toy", [0.04, 0.04, 0.04], [0.1, 0.1, 0.1], better="lower", reported=(0.0385, 0.0926))
    assert c.relative == pytest.approx(0.6)
    assert c.reported == pytest.approx(0.584, abs=1e-3)  # the document prints 58.5 %


def test_a_judgement_survives_json():
    import json

    j = judge(CLAIM, [mse([1, 1.1, 0.9], [2, 2, 2])], profile="desk", reason="because")
    assert Judgement.from_dict(json.loads(json.dumps(j.to_dict()))) == j


def test_the_reported_figures_are_all_there():
    assert sum(len(claims.reported(source)) for source in claims.SOURCES) == 842
    assert len(claims.claims()) == 113
    assert len(claims.inconsistencies()) == 81
    assert claims.claims().index.is_unique
    assert set(claims.claims()["source"]) <= set(claims.SOURCES)


def test_one_reported_value_is_found_and_none_or_many_are_refused():
    where = {"table": "Table 1", "method": "ae-patches", "metric": "cos-abundances"}
    assert claims.reported_value("prim", **where) == 0.8439
    with pytest.raises(LookupError, match="no figure"):
        claims.reported_value("prim", table="Table 99")
    with pytest.raises(LookupError, match="expected one"):
        claims.reported_value("prim", table="Table 1")
    with pytest.raises(ValueError, match="known: prim"):
        claims.reported("prin")


def test_equivalence_is_decided_by_where_the_whole_interval_lies():
    ours = np.array([1.00, 1.01, 0.99, 1.00])
    inside, outside = (
        claims.equivalent("w", "s", ours, against, margin=0.1) for against in (ours - 0.001, ours - 1)
    )
    assert inside.verdict is Verdict.REPRODUCED
    assert inside.mean == pytest.approx(0.001)
    assert inside.ends == pytest.approx((0.099, 0.099))
    assert outside.verdict is Verdict.CONTRADICTED
    assert outside.ends[1] < 0
    noisy = claims.equivalent("w", "s", [0.0, 1.0, -1.0], 0.0, margin=0.1)
    assert noisy.verdict is Verdict.UNDECIDED
    assert claims.equivalent("w", "s", ours - 1, ours, margin=0.1).mean == pytest.approx(-outside.mean)


def test_the_spread_is_twice_the_pooled_standard_deviation():
    assert claims.spread([0, 2], [5, 5]) == pytest.approx(2 * np.sqrt((2 + 0) / 2))


def test_printed_tables_have_every_figure_in_the_documents_order():
    table = claims.printed_table("ldvae", "Table V", "sad-endmembers")
    assert list(table.index) == ["asphalt", "grass", "tree", "roof", "metal", "dirt", "mean"]
    assert table.columns[0] == "ldvae"
    assert table.loc["metal", "ldvae"] == "0.7004\u00a0±\u00a00.70"
    assert table.loc["metal", "cnnaeu"] == ""  # not printed
    by_noise = claims.printed_table("spacnn_ldvae", "Table 4", "sad-endmembers")
    assert list(by_noise.index) == ["snr=20", "snr=30", "snr=40", "snr=50", "snr=inf"]
    everything = claims.reported("ldvae").query("table == 'Table V'")
    assert (table != "").to_numpy().sum() == len(everything)
    with pytest.raises(LookupError, match="Table 99"):
        claims.printed_table("ldvae", "Table 99", "sad-endmembers")


def test_constraints_are_kept_or_not():
    def verdicts(least, distance):
        found = claims.constrained("toy", "toy", [[least, distance]] * 3)
        return [comparison.verdict for comparison in found]

    kept, broken = claims.Verdict.REPRODUCED, claims.Verdict.CONTRADICTED
    assert verdicts(0.0, 2e-6) == [kept, kept]
    assert verdicts(-1e-9, 2e-6) == [broken, kept]
    assert verdicts(1e-3, 2e-5) == [kept, broken]
