"""From questions and records to verdicts by rule 2: every shape, what is missing, what is not answered."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from click.testing import CliRunner
from markupsafe import escape

from hsu_lib import claims, cli
from hsu_lib.claims.questions import SEEDS, questions, read_question, read_words
from hsu_lib.claims.rule import Outcome, Verdict
from hsu_lib.publishing import cards, html
from hsu_lib.runs import Record, Run, Store, asking, publish
from hsu_lib.runs.amounts import Amounts, amounts
from hsu_lib.runs.answers import Answer, answers
from hsu_lib.runs.answers.words import title
from hsu_lib.runs.campaign import enumerated
from hsu_lib.runs.computed import score_of
from hsu_lib.runs.evidence import counts, published
from hsu_lib.scene import SceneSpec

WORDS = """
scenes:
  two: [{scene: lagoon}, {scene: samson, reference: end3}]
  made: [{made: seeded random endmembers}]
readings:
  code: {settings: {reading: code}, scores: []}
views:
  as it is: {replace: {}}
  with c: {replace: {b: c}}
  by angle: {replace: {mse-abundances: sad-endmembers}}
  noisy: {snr: 20}
  chosen: {choice: [epochs], rule: some}
conditions:
  a: {method: ae-plain, settings: {epochs: 1}}
  b: {method: ae-plain, settings: {epochs: 2}}
  c: {method: ae-plain, settings: {epochs: 3}}
  to come: {method: nmf-qmv, planned: some day}
scores:
  seconds: {unit: s, better: lower, timed: true, definition: wall time}
  finite-gradients: {unit: '1', better: higher, definition: a share}
  model-gap: {unit: '1', better: lower, definition: a gap}
  fcls-misfit: {unit: '1', better: lower, definition: a misfit}
"""
TOYS = read_words(WORDS)
Scores = Callable[[str, str, int], Mapping[str, float]]
#: Up and down by turns, so that means over all ten seeds are what they are said to be.
LATER = range(110, 120)
WIGGLE = {seed: 0.001 * (1 if seed % 2 else -1) for seed in SEEDS}


def question(*components, **more):
    says = {"primary": "Is it?", "components": list(components), **more}
    return {"toy": read_question("toy", says)}


def component(**says):
    return {"scene": "lagoon", "score": "mse-abundances", **says}


def records(asked, scores: Scores, *, commit="abc", seeds=SEEDS) -> dict[str, Record]:
    """A record for each run that the question needs, with the scores that are given for it."""
    found = enumerated(Amounts(), seeds, questions=asked, words=TOYS)
    return {
        key: Record(
            run.asked(), scores(run.label, run.scene.name, run.seed), "CONVERGED", 1.0, {"commit": commit}, {}
        )
        for key, run in found.runs.items()
    }


def ask(asked, found: Mapping[str, Record]) -> Answer:
    (answer,) = answers(amounts=Amounts(), find=found.get, questions=asked, words=TOYS)
    return answer


def means(**by_condition: float) -> Scores:
    """Mean squared errors that wiggle with the seed, each condition by a size of its own."""
    size = {name: 1 + k for k, name in enumerate(by_condition)}
    return lambda name, scene, seed: {"mse-abundances": by_condition[name] + size[name] * WIGGLE[seed]}


def judged(part, scores, **more) -> Answer:
    asked = question(part, **more)
    return ask(asked, records(asked, scores))


def outcomes(answer: Answer) -> list[Outcome]:
    return [c.outcome for c in answer.ways[0].comparisons]


# --------------------------------------------------------------------------- shapes and directions


BETTER = component(better="a", than="b", smallest_effect=0.01)


@pytest.mark.parametrize(
    ("part", "scores", "verdict"),
    [
        (BETTER, means(a=0.1, b=0.2), Verdict.REPRODUCED),
        (BETTER, means(a=0.1, b=0.105), Verdict.SMALLER),
        (BETTER, means(a=0.1, b=0.1), Verdict.ABSENT),
        (BETTER, means(a=0.2, b=0.1), Verdict.REVERSED),
        (component(not_worse="a", than="b", margin=0.01), means(a=0.102, b=0.1), Verdict.REPRODUCED),
        (component(not_worse="a", than="b", margin=0.01), means(a=0.2, b=0.1), Verdict.REVERSED),
        (component(not_worse="a", than=0.3, margin=0.01), means(a=0.2), Verdict.REPRODUCED),
        (component(same=["a", "b"], margin=0.01), means(a=0.102, b=0.1), Verdict.REPRODUCED),
        (component(same=["a", "b"], margin=0.01), means(a=0.1, b=0.2), Verdict.REVERSED),
        (component(same=["a", "b"], margin=0.01), means(a=0.2, b=0.1), Verdict.REVERSED),
        (component(same=["a", 0.2], margin=0.01), means(a=0.2), Verdict.REPRODUCED),
        (component(of="a", above=0.5), means(a=0.6), Verdict.REPRODUCED),  # less of this score is better
        (component(of="a", above=0.5), means(a=0.4), Verdict.REVERSED),
        (component(of="a", below=0.5), means(a=0.4), Verdict.REPRODUCED),
        (component(of="a", below=0.5), means(a=0.6), Verdict.REVERSED),
    ],
)
def test_every_shape_is_judged_as_the_rule_says(part, scores, verdict):
    answer = judged(part, scores)
    assert answer.verdict is verdict
    assert answer.deciding is answer.ways[0].comparisons[0]
    assert answer.deciding.seeds == tuple(SEEDS)
    assert escape(answer.deciding.words) in cards.card(answer, claims.claims().iloc[0].to_dict())
    assert answer.deciding.score == "mse-abundances"


def test_more_is_better_where_the_score_says_so():
    cosine = component(better="a", than="b", smallest_effect=0.01) | {"score": "cos-abundances"}
    answer = judged(cosine, lambda name, _, seed: {"cos-abundances": 0.9 if name == "a" else 0.8})
    np.testing.assert_allclose(answer.deciding.differences, 0.1)


@pytest.mark.parametrize(
    ("says", "score", "reads"),
    [
        ("better", "mse-abundances", "below"),
        ("better", "cos-abundances", "above"),
        ("not_worse", "mse-abundances", "not above"),
        ("not_worse", "cos-abundances", "not below"),
    ],
)
def test_two_scores_of_one_condition_are_said_to_lie_above_or_below(says, score, reads):
    other = {"condition": "a", "score": "rmse-abundances"}
    part = component(**{says: "a"}, than=other, smallest_effect=0.01) | {"score": score}
    answer = judged(part, lambda name, _, seed: {score: 0.1, "rmse-abundances": 0.2})
    assert answer.deciding.words == f"a on lagoon: {title(score)} {reads} {title('rmse-abundances')}"


def test_the_best_is_compared_with_each_other_one():
    part = component(best="a", of=["b", "a", "c"], smallest_effect=0.01)
    answer = judged(part, means(a=0.1, b=0.2, c=0.1))
    assert outcomes(answer) == [Outcome.HOLDS, Outcome.ABSENT]
    assert answer.verdict is Verdict.ABSENT
    assert answer.deciding.words.startswith("a better than c on lagoon")


def test_the_worst_is_worse_than_each_other_one():
    part = component(worst="a", of=["a", "b", "c"], smallest_effect=0.01)
    assert judged(part, means(a=0.3, b=0.2, c=0.1)).verdict is Verdict.REPRODUCED
    answer = judged(part, means(a=0.2, b=0.3, c=0.1))
    assert outcomes(answer) == [Outcome.REVERSED, Outcome.HOLDS]


def test_alike_compares_each_with_the_mean_of_all():
    answer = judged(component(alike=["a", "b", "c"], margin=0.01), means(a=0.1, b=0.1, c=0.4))
    expected = [[-(score - 0.2) for score in (0.1, 0.1, 0.4)]]
    np.testing.assert_allclose([[c.interval[0] for c in answer.ways[0].comparisons]], expected)
    assert outcomes(answer) == [Outcome.REVERSED] * 3


def test_alike_takes_sides_with_noise_of_their_own():
    sides = [{"condition": "a", "snr": 20}, {"condition": "b", "snr": 30}]
    answer = judged(component(alike=sides, margin=0.15), means(a=0.1, b=0.3))
    np.testing.assert_allclose([[c.interval[0] for c in answer.ways[0].comparisons]], [[0.1, -0.1]])
    assert answer.ways[0].comparisons[1].words.startswith("b at 30 dB equal to the mean of 2")


def test_relative_differences_are_of_logarithms():
    part = component(better="a", than="b", relative=True, smallest_effect=1.151, reported=[1, 10])
    answer = judged(part, lambda name, _, seed: {"mse-abundances": 1.0 if name == "a" else np.e})
    np.testing.assert_allclose(answer.deciding.differences, 1.0)
    assert answer.deciding.reported
    assert answer.verdict is Verdict.SMALLER


def test_the_steadiest_lies_nearer_to_its_own_median():
    rng = np.random.default_rng(5)
    drawn = {
        name: dict(zip(SEEDS, rng.normal(k, 1 + k, len(SEEDS)), strict=True)) for k, name in enumerate("abc")
    }
    part = component(steadiest="a", of=["a", "b", "c"], smallest_effect=0.1)
    answer = judged(part, lambda name, _, seed: {"mse-abundances": drawn[name][seed]})
    for c, other in zip(answer.ways[0].comparisons, "bc", strict=True):
        distance = {
            n: [abs(v - np.median(list(drawn[n].values()))) for v in drawn[n].values()] for n in ("a", other)
        }
        mean = np.mean(distance[other])
        np.testing.assert_allclose(c.differences, (np.array(distance[other]) - distance["a"]) / mean)
        assert c.interval[0] == pytest.approx(1 - np.mean(distance["a"]) / mean)  # 0.1: nearer by ten percent
        assert c.usual == 0.1
        assert c.words.startswith(f"a steadier than {other} on lagoon")
    equal = judged(part, lambda *_: {"mse-abundances": 0.5})
    assert equal.verdict is Verdict.OPEN
    assert equal.deciding.seeds == ()


@pytest.mark.parametrize(
    ("effect", "reported", "half"),
    [
        (0.05, [0.1, 0.2], True),
        (0.01, [0.2, 0.1], False),  # the wrong way: the default
        (0.01, [0.1, 0.1005], False),  # less than a tenth of it
        (0.01, None, False),
    ],
)
def test_only_half_of_a_reported_effect_is_one(effect, reported, half):
    more = {} if reported is None else {"reported": reported}
    answer = judged(component(better="a", than="b", smallest_effect=effect, **more), means(a=0.12, b=0.1))
    assert answer.deciding.reported is half
    # between minus the effect and zero: the reverse of what no size is known of, and not of the other
    assert answer.verdict is (Verdict.ABSENT if half else Verdict.REVERSED)


def test_of_the_best_the_lead_over_the_next_is_halved():
    figures = {"a": 0.1, "b": 0.3, "c": 0.2}
    part = component(best="a", of=["a", "b", "c"], reported=figures, smallest_effect=0.05)
    answer = judged(part, means(a=0.1, b=0.3, c=0.2))
    assert [c.reported for c in answer.ways[0].comparisons] == [True, True]


# --------------------------------------------------------------------------- sides


def test_the_mean_of_several_is_taken_seed_by_seed():
    part = component(better="a", than={"mean_of": ["b", "c"]}, smallest_effect=0.01)
    answer = judged(part, means(a=0.1, b=0.2, c=0.4))
    expected = [0.3 + 2.5 * WIGGLE[seed] - (0.1 + WIGGLE[seed]) for seed in SEEDS]
    np.testing.assert_allclose(answer.deciding.differences, expected)


def test_the_best_of_several_is_chosen_by_the_other_seeds():
    rng = np.random.default_rng(3)
    values = {(name, seed): rng.random(2) for name, seed in product("bc", SEEDS)}

    def scores(name, scene, seed):
        mine = values.get((name, seed), (0.5, 0.5))
        return {"mse-abundances": mine[0], "cos-abundances": mine[1]}

    part = component(better="a", than={"best_of": ["b", "c"], "by": "cos-abundances"}, smallest_effect=0.01)
    expected = []
    for seed in SEEDS:
        others = [s for s in SEEDS if s != seed]
        best = max("bc", key=lambda name: np.mean([values[name, s][1] for s in others]))
        expected.append(values[best, seed][0] - 0.5)
    np.testing.assert_allclose(judged(part, scores).deciding.differences, expected)


def test_a_side_may_have_its_own_scene_score_and_subtrahend():
    def scores(name, scene, seed):
        value = {"a": 0.1, "b": 0.5}[name] + (0.2 if scene == "samson" else 0.0)
        return {"mse-abundances": value, "rmse-abundances": 10 * value}

    own = component(
        better={"condition": "a", "minus": {"condition": "a", "scene": "samson"}},
        than={"condition": "b", "score": "rmse-abundances"},
        smallest_effect=0.01,
    )
    np.testing.assert_allclose(judged(own, scores).deciding.differences, 5.0 - (0.1 - 0.3))


def test_lists_of_scenes_and_scores_are_comparisons_each():
    part = BETTER | {"scene": ["lagoon", "samson"], "score": ["mse-abundances", "rmse-abundances"]}
    answer = judged(part, lambda name, *_: dict.fromkeys(["mse-abundances", "rmse-abundances"], ord(name)))
    assert len(answer.ways[0].comparisons) == 4


# --------------------------------------------------------------------------- views and places


def test_the_opposite_in_another_place_depends_on_the_reading():
    def scores(name, scene, seed):
        return {"mse-abundances": float((name == "a") == (scene == "samson"))}

    answer = judged(BETTER | {"scene": "two"}, scores)
    assert [way.verdict for way in answer.ways] == [Verdict.REPRODUCED, Verdict.REVERSED]
    assert answer.verdict is Verdict.DEPENDS


def test_a_view_replaces_names_of_conditions_and_scores():
    asked = question(BETTER, views=["as it is", "with c", "by angle"])

    def scores(name, scene, seed):
        error = {"a": 0.2, "b": 0.3, "c": 0.1}[name]
        return {"mse-abundances": error, "sad-endmembers": 1 - error}

    answer = ask(asked, records(asked, scores))
    assert [w.verdict for w in answer.ways] == [Verdict.REPRODUCED, Verdict.REVERSED, Verdict.REVERSED]
    assert answer.verdict is Verdict.DEPENDS
    assert "than c" in answer.ways[1].comparisons[0].words
    assert "angle" in answer.ways[2].comparisons[0].words


def test_a_view_without_its_runs_is_told_and_changes_nothing():
    asked = question(BETTER, views=["as it is", "noisy"])
    found = records(asked, means(a=0.1, b=0.2))
    clean = {key: record for key, record in found.items() if record.scene.snr_db is None}
    answer = ask(asked, clean)
    assert answer.verdict is Verdict.REPRODUCED
    assert "20 of 20 runs are missing" in answer.reason
    assert ask(asked, found).reason == ""


def test_a_part_of_a_claim_can_refute_it_only():
    assert judged(BETTER, means(a=0.1, b=0.2), necessary_only=True).verdict is Verdict.OPEN
    assert judged(BETTER, means(a=0.2, b=0.1), necessary_only=True).verdict is Verdict.REVERSED


# --------------------------------------------------------------------------- what is missing


def without(found, name, *seeds):
    epochs = {"a": 1, "b": 2}[name]

    def gone(record):
        return record.asked["settings"]["epochs"] == epochs and record.asked["seed"] in seeds

    return {key: record for key, record in found.items() if not gone(record)}


def test_one_seed_of_ten_may_be_missing_and_is_told():
    asked = question(BETTER)
    answer = ask(asked, without(records(asked, means(a=0.1, b=0.2)), "a", 104))
    assert answer.verdict is Verdict.REPRODUCED
    assert answer.deciding.left_out == (104,)
    assert "without <b>104</b>" in cards.card(answer, claims.claims().iloc[0].to_dict())


def test_with_more_missing_there_is_no_answer():
    asked = question(BETTER)
    answer = ask(asked, without(records(asked, means(a=0.1, b=0.2)), "a", 104, 105))
    assert answer.verdict is None
    assert answer.word == "not yet answered"
    assert answer.reason == "2 of 20 runs are missing"


@pytest.mark.parametrize("broken", [{}, {"mse-abundances": float("nan")}, {"mse-abundances": float("inf")}])
def test_with_more_that_failed_the_comparison_is_open(broken):
    def scores(name, scene, seed):
        return broken if name == "b" and seed in (100, 101) else means(a=0.1, b=0.2)(name, scene, seed)

    answer = judged(BETTER, scores)
    assert answer.verdict is Verdict.OPEN
    assert answer.deciding.left_out == (100, 101)


def test_with_twenty_seeds_more_than_two_that_failed_leave_it_open():
    asked, seeds = question(BETTER), range(100, 120)

    def scores(broken):
        return lambda name, scene, seed: {} if seed < broken else {"mse-abundances": float(name == "b")}

    for broken, verdict in ((102, Verdict.REPRODUCED), (103, Verdict.OPEN)):
        found = records(asked, scores(broken), seeds=seeds)
        how = {"amounts": Amounts(), "questions": asked, "words": TOYS}
        assert answers(seeds=seeds, find=found.get, **how)[0].verdict is verdict


@pytest.mark.parametrize("commit", ["abc+", ""])
def test_records_of_files_that_differ_from_a_commit_do_not_count(commit):
    asked = question(BETTER)
    found = records(asked, means(a=0.1, b=0.2), commit=commit)
    assert not any(map(counts, found.values()))
    assert ask(asked, found).reason == "20 of 20 runs are missing"


def test_what_was_made_here_and_does_not_count_hides_nothing_that_is_published(tmp_path):
    def made(commit, seed=1):
        run = Run("fclsu", SceneSpec("lagoon"), seed)
        return Record(run.asked(), {}, "FINISHED", 1.0, {"commit": commit}, {})

    store = Store(tmp_path / "here", tmp_path / "published")
    publish([made("abc")], store.published / "desk", [])
    keys = [store.put(record).key for record in (made("abc+"), made("abc+", 2))]
    assert [store.find(key, deciding=True).made["commit"] for key in keys] == ["abc", "abc+"]
    assert [store.find(key).made["commit"] for key in keys] == ["abc+", "abc+"]
    assert store.find("0" * 64, deciding=True) is None
    store.put(made("def"))
    assert store.find(keys[0], deciding=True).made["commit"] == "def"


@pytest.mark.parametrize("count", [1, 2, 8])
def test_few_seeds_decide_nothing_and_are_told(count):
    seeds = range(100, 100 + count)
    parts = [BETTER, component(same=["a", "b"], margin=0.01), component(of="a", above=0.5)]
    parts += [component(not_worse="a", than={"best_of": ["a", "b"], "by": "mse-abundances"}, margin=0.01)]
    parts += [component(steadiest="a", of=["a", "b"], smallest_effect=0.1)]
    asked = question(*parts)
    found = records(asked, means(a=0.1, b=0.2), seeds=seeds)
    how = {"amounts": Amounts(), "questions": asked, "words": TOYS}
    (answer,) = answers(seeds=seeds, find=found.get, **how)
    assert answer.verdict is Verdict.OPEN
    told = json.dumps(answer.to_dict(), allow_nan=False)
    assert Answer.from_dict(json.loads(told)) == answer
    if count > 1:
        np.testing.assert_allclose(
            [c.interval[0] for c in answer.ways[0].comparisons[:3]], [0.1, 0.1, -0.4], atol=2e-3
        )
    assert cards.card(answer, claims.claims().iloc[0].to_dict())


def test_a_scene_stands_in_for_every_place():
    words = read_words(
        WORDS.replace(
            "  two:",
            "  labels: [{scene: samson, reference: end3, settings: {share: 0.5, trained_on: x}}]\n  two:",
        )
    )
    assert words.at("") is words
    for name in ("two", "labels", "made", "jasper"):
        assert {(p.scene, p.reference, p.made) for p in words.at("lagoon").places(name)} == {
            ("lagoon", "", "")
        }
    assert [p.settings for p in words.at("lagoon").places("labels")] == [{"share": 0.5}]
    asked = question(BETTER | {"scene": "two", "snr": 20})
    runs = enumerated(Amounts(), questions=asked, words=TOYS, where="lagoon").runs
    assert {str(run.scene) for run in runs.values()} == {"lagoon, 20 dB"}
    made = {
        key: Record(run.asked(), {"mse-abundances": ord(run.label)}, "CONVERGED", 1.0, {"commit": "abc"}, {})
        for key, run in runs.items()
    }
    (answer,) = answers(amounts=Amounts(), find=made.get, questions=asked, words=TOYS, where="lagoon")
    assert answer.verdict is Verdict.REPRODUCED
    assert [way.words for way in answer.ways] == ["lagoon", "lagoon"]


def test_other_seeds_do_not_count():
    asked = question(BETTER)
    found = records(asked, lambda *_: {"mse-abundances": 1.0}, seeds=range(10))
    assert ask(asked, found).reason == "20 of 20 runs are missing"


@pytest.mark.parametrize(
    ("part", "more", "reason"),
    [
        (BETTER | {"than": "to come"}, {}, "methods that are still to be written: nmf-qmv"),
        (BETTER | {"score": "seconds"}, {}, "times of runs with nothing beside them: seconds"),
        (BETTER | {"score": "finite-gradients"}, {}, "not computed from records yet: finite-gradients"),
        (BETTER | {"scene": "made"}, {}, "no scene: seeded random endmembers"),
        (BETTER, {"views": ["chosen", "as it is"]}, "chosen by validation: chosen"),
        (component(better={"condition": ["a", "b"]}, than="c", smallest_effect=0.1), {}, "a group"),
        (BETTER | {"score": "model-gap"}, {}, "model-gap of one condition, which only a group has"),
    ],
)
@pytest.mark.usefixtures("no_sitting")
def test_what_cannot_be_answered_yet_says_why(part, more, reason):
    answer = ask(question(part, **more), dict[str, Record]())
    assert answer.verdict is None
    assert reason in answer.reason


def test_claims_that_runs_do_not_decide_keep_their_reason():
    told = question(kind="not testable", reason="No one knows.")
    assert (ask(told, {}).verdict, ask(told, {}).reason) == (Verdict.NOT_TESTABLE, "No one knows.")
    told = question(kind="true by construction", check="It is so.")
    assert ask(told, {}).verdict is Verdict.BY_CONSTRUCTION


# --------------------------------------------------------------------------- computed scores


def test_scores_are_computed_from_curves():
    asked = {"settings": {"reading": "document", "normalise": "endmembers"}}
    cosines = np.array([1.0, 1.0, 0.9, 0.7], dtype=np.float32)
    curves = {"history/vca-cosine": cosines, "history/residual": np.array([0.1, 0.3])}
    record = Record(asked, {}, "CONVERGED", 1.0, {}, curves)
    assert score_of(record, "vca-cosine") == pytest.approx(0.9)
    assert score_of(record, "vca-pairs-that-differ") == 0.5
    assert score_of(record, "fcls-misfit") == pytest.approx(0.2)
    as_code = replace(record, asked={"settings": {"reading": "code"}})  # its repeats are in no order
    assert np.isnan(score_of(as_code, "vca-cosine"))
    assert score_of(replace(record, scores={"vca-cosine": 0.5}), "vca-cosine") == 0.5  # computed before


# --------------------------------------------------------------------------- the book's own


@pytest.fixture(scope="module")
def first_document() -> list[Answer]:
    return answers([claim for claim in questions() if claim.startswith("prim-")])


def test_every_claim_of_the_first_document_is_answered_or_says_why(first_document):
    assert len(first_document) == 38
    for answer in first_document:
        decided_by_runs = answer.deciding is not None
        assert decided_by_runs or answer.reason, answer.claim
        assert (answer.verdict is None) <= bool(answer.reason), answer.claim


def test_answers_are_the_same_again_and_json(first_document):
    again = answers([answer.claim for answer in first_document])
    told = [json.dumps(answer.to_dict(), allow_nan=False) for answer in first_document]
    assert told == [json.dumps(answer.to_dict(), allow_nan=False) for answer in again]
    assert [Answer.from_dict(json.loads(text)) for text in told] == first_document


def test_one_answer_by_hand(first_document):
    """Mean squared errors of alpha 0 and of the others, straight from the records."""
    (answer,) = (a for a in first_document if a.claim == "prim-alpha0-good-abundances")
    by_alpha: dict[float, dict[int, float]] = {}
    for key in answer.ways[0].keys:
        record = published()(key)
        settings = record.asked["settings"]
        assert (settings["reading"], settings["epochs"], str(record.scene)) == ("code", 10, "samson")
        scores = by_alpha.setdefault(settings["alpha"], {})
        scores[record.asked["seed"]] = record.scores["mse-abundances-own-order"]
    assert len(by_alpha) == 11
    zero = by_alpha.pop(0.0)
    expected = [np.mean([s[seed] for s in by_alpha.values()]) - zero[seed] for seed in SEEDS]
    np.testing.assert_allclose(answer.deciding.differences, expected)


@pytest.mark.usefixtures("no_sitting")
def test_no_field_of_a_question_surprises():
    """Every claim of every document has an answer or a reason, with no record at all."""
    for answer in answers(find=lambda key: None):
        assert answer.reason, answer.claim
        assert answer.verdict in (None, Verdict.NOT_TESTABLE, Verdict.BY_CONSTRUCTION), answer.claim


def test_the_command_tells_and_gives_json():
    result = CliRunner().invoke(cli.main, ["answers", "--claims", "prim-alpha0"])
    assert result.exit_code == 0
    assert "prim-alpha0-poor-endmembers" in result.output
    result = CliRunner().invoke(cli.main, ["answers", "--claims", "prim-alpha0", "--json"])
    first, *_ = json.loads(result.output)
    assert len(first["ways"][0]["comparisons"]) == 10
    assert CliRunner().invoke(cli.main, ["answers", "--claims", "nobody"]).exit_code == 1


def test_what_comes_from_data_is_escaped():
    claim = claims.claims().iloc[0].to_dict() | {"statement": "<script>"}
    shown = cards.card(Answer("x", None, (), "<b> needs"), claim)
    assert "<script>" not in shown
    assert "&lt;b&gt; needs." in shown
    assert "hsu-reproduced-smaller" in html.badge(Verdict.SMALLER.value)


def test_unequal_shares_of_training_answer_nothing():
    found = {answer.claim: answer for answer in answers()}
    refused = found["prim-perturbation-beats-vae"]
    assert refused.verdict is None
    assert "unequal shares of the document's training" in refused.reason
    assert "vae-augmentation 14%" in refused.reason
    assert found["prim-alpha0-poor-endmembers"].verdict is not None


# --------------------------------------------------------------------------- two looks


def noisy(mean: float) -> Scores:
    """Condition `a` better than `b` by a mean, with a scatter that may leave ten seeds open."""

    def scores(name, scene, seed):
        return {"mse-abundances": 0.5 - (mean + 0.05 * (-1) ** seed if name == "a" else 0.0)}

    return scores


@pytest.mark.parametrize(
    ("mean", "there", "verdict", "seeds"),
    [
        (0.035, LATER, Verdict.REPRODUCED, 20),  # open by ten, decided by twenty
        (0.035, LATER[:6], Verdict.OPEN, 10),  # the second look waits for all of its runs
        (0.2, LATER, Verdict.REPRODUCED, 10),  # what is decided is final
    ],
)
def test_what_is_open_is_judged_once_more_by_twenty(mean, there, verdict, seeds):
    asked = question(BETTER)
    found = records(asked, noisy(mean), seeds=[*SEEDS, *there])
    how = {"amounts": Amounts(), "find": found.get, "questions": asked, "words": TOYS}
    (answer,) = answers(**how, again=True)
    assert (answer.verdict, len(answer.deciding.seeds)) == (verdict, seeds)
    (first,) = answers(**how)
    assert len(first.deciding.seeds) == 10


def test_a_question_may_have_seeds_of_its_own():
    asked = question(BETTER, seeds="120-129")
    own, later = range(120, 130), range(130, 140)
    how = {"amounts": Amounts(), "questions": asked, "words": TOYS}
    (answer,) = answers(**how, find=records(asked, noisy(0.2), seeds=own).get)
    assert answer.deciding.seeds == tuple(own)
    (answer,) = answers(**how, find=records(asked, noisy(0.035), seeds=[*own, *later]).get, again=True)
    assert answer.deciding.seeds == (*own, *later)
    (answer,) = answers(**how, find=records(asked, noisy(0.2), seeds=SEEDS).get)
    assert answer.verdict is None
    (answer,) = answers(**how, find=records(asked, noisy(0.2), seeds=SEEDS).get, seeds=SEEDS, again=True)
    assert answer.deciding.seeds == tuple(SEEDS)


def test_where_no_run_is_there_a_page_finds_none(tmp_path):
    store = Store(tmp_path, tmp_path)
    how = {"amounts": amounts("desk"), "seeds": [100], "compute": False, "store": store}
    asked = asking.ask(["undip-ewma-smooths"], **how)
    assert asked.answers["undip-ewma-smooths"].verdict is None
    assert asked.of().pick("jasper", "UnDIP") == []
    assert asked.of().labels("jasper") == []
