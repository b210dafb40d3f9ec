"""The second rule: known answers, what it must never say, and its error rates by simulation."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy import stats

from hsu_lib.claims import rule
from hsu_lib.claims.rule import Differences, Outcome, Verdict


def spread(mean, seeds=10, scale=1.0):
    """Differences with exactly this mean and standard deviation."""
    values = np.linspace(-1, 1, seeds)
    return mean + scale * values / values.std(ddof=1)


def test_sign_flips_are_counted_out():
    rng = np.random.default_rng(0)
    for n in (2, 5, 9):
        values = rng.normal(0.4, 1, n)
        sums = [np.dot(signs, np.abs(values)) for signs in product((1, -1), repeat=n)]
        assert rule.sign_flips(values) == np.mean(np.array(sums) >= values.sum() - 1e-12)
    assert rule.sign_flips(np.arange(1.0, 11)) == 1 / 1024
    with pytest.raises(ValueError, match="at most 40"):
        rule.sign_flips(np.ones(41))


def test_a_bound_is_shown_if_both_tests_say_so():
    heaps = np.array([0.5] * 4 + [3.0] * 6)  # far from normal
    t = stats.ttest_1samp(heaps, 0, alternative="greater").pvalue
    assert rule.above(heaps) == max(t, 1 / 1024)
    assert rule.below(-heaps) == rule.above(heaps)
    assert rule.above(heaps, 6.0) > 0.9


def test_the_interval_has_the_level_of_one_of_two_looks():
    mean, low, high = rule.interval(spread(2.0))
    assert mean == pytest.approx(2.0)
    assert (high - mean) == pytest.approx(stats.t.ppf(1 - 0.0294 / 2, 9) / np.sqrt(10))
    assert low == pytest.approx(4.0 - high)


def test_holms_method():
    assert rule.holm([0.001, 0.02, 0.03], level=0.05).tolist() == [True, True, True]
    assert rule.holm([0.03, 0.001, 0.04], level=0.05).tolist() == [False, True, False]
    assert rule.holm([0.02, 0.03, 0.04], level=0.05).tolist() == [False, False, False]
    assert rule.holm([]).tolist() == []


@pytest.mark.parametrize(
    ("mean", "given", "expected"),
    [
        (5.0, {"effect": 1.0}, Outcome.HOLDS),
        (2.0, {"effect": 9.0}, Outcome.SMALLER),
        (0.1, {"effect": 3.0}, Outcome.ABSENT),
        (0.1, {"effect": 0.2}, Outcome.OPEN),
        (-5.0, {"effect": 1.0}, Outcome.REVERSED),
        (-2.0, {"effect": 9.0}, Outcome.ABSENT),  # worse, by less than counts
        (-2.0, {"effect": 2.1, "reported": True}, Outcome.OPEN),
        (-2.0, {"effect": 2.1}, Outcome.REVERSED),
        (5.0, {"shape": "threshold"}, Outcome.HOLDS),
        (-5.0, {"shape": "threshold"}, Outcome.REVERSED),
        (0.1, {"shape": "threshold"}, Outcome.OPEN),
        (-1.0, {"effect": 3.0, "shape": "not worse"}, Outcome.HOLDS),
        (-5.0, {"effect": 1.0, "shape": "not worse"}, Outcome.REVERSED),
        (0.5, {"effect": 3.0, "shape": "equal"}, Outcome.HOLDS),
        (5.0, {"effect": 1.0, "shape": "equal"}, Outcome.REVERSED),
        (-5.0, {"effect": 1.0, "shape": "equal"}, Outcome.REVERSED),
        (1.0, {"effect": 1.0, "shape": "equal"}, Outcome.OPEN),
    ],
)
def test_what_a_comparison_comes_to(mean, given, expected):
    assert rule.outcomes([Differences(spread(mean), **given)]) == [expected]


def test_with_few_seeds_nothing_is_decided():
    for shape in ("better", "threshold", "not worse", "equal"):
        for mean in (-99.0, 0.0, 99.0):
            assert rule.outcomes([Differences(spread(mean, 8), 1.0, shape)]) == [Outcome.OPEN]


def test_differences_that_are_all_equal_lie_where_they_lie():
    found = [rule.outcomes([Differences(np.full(10, v), 1.0)])[0] for v in (2.0, 0.5, 0.0, -0.5, -2.0)]
    assert found == [Outcome.HOLDS, Outcome.SMALLER, Outcome.ABSENT, Outcome.ABSENT, Outcome.REVERSED]


def test_what_a_claim_comes_to():
    hold, small, gone, turned, open_ = Outcome
    V = Verdict
    assert rule.judged([hold, hold]) is V.REPRODUCED
    assert rule.judged([hold, small]) is V.SMALLER
    assert rule.judged([hold, open_]) is V.OPEN
    assert rule.judged([hold, gone, open_]) is V.ABSENT
    assert rule.judged([gone, turned]) is V.REVERSED
    assert rule.judged([hold], necessary_only=True) is V.OPEN
    assert rule.judged([turned], necessary_only=True) is V.REVERSED
    assert rule.over_views([V.REPRODUCED, V.ABSENT]) is V.DEPENDS
    assert rule.over_views([V.REVERSED, V.SMALLER]) is V.DEPENDS
    assert rule.over_views([V.REPRODUCED, V.OPEN, V.SMALLER]) is V.REPRODUCED
    assert rule.over_views([V.OPEN, V.REVERSED]) is V.OPEN
    assert rule.over_views([V.REVERSED, V.ABSENT]) is V.REVERSED


def test_a_wrong_question_is_refused():
    with pytest.raises(ValueError, match="effect above 0"):
        Differences(np.ones(10))
    with pytest.raises(ValueError, match="finite"):
        Differences([1.0, np.nan], 1.0)


def test_the_seeds_that_would_decide():
    assert rule.seeds_needed(Differences(spread(2.0), 0.1)) == rule.FEWEST
    needed = rule.seeds_needed(Differences(spread(0.4), 0.3))
    assert needed is not None
    assert rule.outcomes([Differences(spread(0.4, 10), 0.3)]) == [Outcome.OPEN]
    assert stats.ttest_1samp(spread(0.4, needed), 0, alternative="greater").pvalue < rule.LEVEL
    assert rule.seeds_needed(Differences(spread(0.001), 0.001)) is None
    # a margin is met from the inside, and only there
    for shape in ("equal", "not worse"):
        inside = rule.seeds_needed(Differences(spread(0.0), 0.5, shape))
        assert inside is not None
        assert rule.outcomes([Differences(spread(0.0, 20), 0.5, shape)]) == [
            Outcome.HOLDS if inside <= 20 else Outcome.OPEN
        ]
        assert rule.seeds_needed(Differences(spread(-0.5), 0.5, shape)) is None


def test_more_seeds_are_needed_where_any_of_many_comparisons_may_refute():
    far = Differences(np.linspace(-1.01, -0.99, 10), 0.1, "equal")
    assert rule.outcomes([far]) == [Outcome.REVERSED]
    among = [far] * 10
    assert rule.outcomes(among) == [Outcome.OPEN] * 10  # ten seeds have too few patterns of signs
    needed = rule.seeds_needed(far, among=10)
    assert needed is not None
    assert needed > 10 > rule.seeds_needed(far)
    more = Differences(np.linspace(-1.01, -0.99, needed), 0.1, "equal")
    assert rule.outcomes([more] * 10) == [Outcome.REVERSED] * 10


def decided(rng, comparisons, *, mean, effect, claims=200, heaps=False):
    """Shares of claims that two looks call reproduced (of either size), absent or reversed."""
    counts = dict.fromkeys(Verdict, 0)
    for _ in range(claims):
        noise = rng.normal(size=(2, comparisons, 20))
        if heaps:  # one seed in five lies apart, as some of ours do
            noise = np.where(rng.random(noise.shape) < 0.2, 2.0, -0.5) + 0.1 * noise
        noise = noise[0] - noise[1]  # of two conditions that are alike
        for seeds in (10, 20):
            questions = [Differences(mean + d[:seeds], effect) for d in noise]
            verdict = rule.judged(rule.outcomes(questions))
            if verdict is not Verdict.OPEN:
                break
        counts[verdict] += 1
    return {verdict: count / claims for verdict, count in counts.items()}


@pytest.mark.slow
@pytest.mark.parametrize("heaps", [False, True])
@pytest.mark.parametrize("comparisons", [1, 4, 24])
def test_error_rates(comparisons, heaps):
    rng = np.random.default_rng(comparisons)
    none = decided(rng, comparisons, mean=0.0, effect=0.2, heaps=heaps)
    allowed = 0.05 + 2 * np.sqrt(0.05 * 0.95 / 200)  # what 200 claims can tell from 5 percent
    assert none[Verdict.REPRODUCED] + none[Verdict.SMALLER] <= allowed
    assert none[Verdict.REVERSED] <= allowed
    # an effect of exactly the smallest size of interest is rarely called absent
    at_the_edge = decided(rng, comparisons, mean=0.2, effect=0.2, heaps=heaps)
    assert at_the_edge[Verdict.ABSENT] <= allowed
    # and a large one is found: four standard deviations
    if not heaps:
        assert decided(rng, comparisons, mean=6.0, effect=3.0, claims=60)[Verdict.REPRODUCED] > 0.9


@pytest.mark.parametrize(("effect", "seeds"), [(0.9, 10), (0.5, 20)])
def test_power_is_what_simulation_finds(effect, seeds):
    rng = np.random.default_rng(7)
    found = np.mean(
        [rule.holds(Differences(rng.normal(effect, 1, seeds), effect / 2)) for _ in range(1000)], dtype=float
    )
    assert rule.power(effect, 1, seeds) == pytest.approx(found, abs=0.04)
