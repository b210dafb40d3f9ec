"""Every claim has a question that a program can decide: known scenes, scores, conditions and effects."""

from __future__ import annotations

import math
from collections import Counter

import pytest

from hsu_lib import claims, scenes
from hsu_lib.claims.questions import (
    SHAPES as KNOWN_SHAPES,
)
from hsu_lib.claims.questions import (
    Component,
    base,
    listed,
    names,
    questions,
    read_words,
    vocabulary,
)
from hsu_lib.methods import METHODS, get
from hsu_lib.metrics import SCORES
from hsu_lib.runs.answers import words

WORDS = vocabulary()
ASKED = questions()
KINDS = {"comparison", "true by construction", "not testable"}
FIELDS = {
    "primary",
    "kind",
    "reading",
    "views",
    "seeds",
    "settings",
    "necessary_only",
    "components",
    "check",
    "reason",
}
FIELDS |= {"secondary", "why"}
#: keys that say what a component asks, and what else goes with them
SHAPES = {
    "better": {"than", "smallest_effect", "reported"},
    "best": {"of", "smallest_effect", "reported"},
    "worst": {"of", "smallest_effect", "reported"},
    "not_worse": {"than", "margin"},
    "same": {"margin"},
    "alike": {"margin"},
    "steadiest": {"of", "smallest_effect"},
    "above": {"of"},
    "below": {"of"},
}
assert set(SHAPES) == set(KNOWN_SHAPES)
COMMON = {"scene", "score", "snr", "relative", "group"}


def better(score):
    return SCORES[base(score)].better if base(score) in SCORES else WORDS.scores[base(score)]["better"]


def default(score, relative):
    if relative:
        return 0.1
    if base(score).startswith("sre"):
        return 0.5
    angle = base(score).startswith("sad") or "angle" in base(score)
    return 0.02 if angle else 0.01


def gain(score, ours, against, relative):
    """How far the first figure is better than the second."""
    if relative:
        ours, against = math.log(ours), math.log(against)
    return ours - against if better(score) == "higher" else against - ours


def used(question):
    """Names of the conditions of a question."""
    return {name for part in question.components for side in part.sides() for name in names(side)}


def test_every_claim_has_a_question_of_a_known_kind():
    assert len(ASKED) == 113
    for claim, question in ASKED.items():
        assert question.kind in KINDS, claim
        assert question.says.keys() <= FIELDS, claim
        assert {"primary", "secondary", "why"} <= question.says.keys(), claim
        assert question.primary.endswith("?"), claim
        assert all(question.says[k].endswith(".") for k in ("secondary", "why")), claim
        needed = {"comparison": "components", "true by construction": "check", "not testable": "reason"}
        assert {needed[k] for k in KINDS if needed[k] in question.says} == {needed[question.kind]}, claim
        assert question.reading in ("", *WORDS.readings), claim
        assert set(question.views) <= WORDS.views.keys(), claim
        assert len(question.views) != 1, claim


def test_readings_are_of_the_first_document_only():
    for claim, question in ASKED.items():
        if question.reading:
            assert claims.claims().loc[claim, "source"] == "prim", claim
            for name in used(question) & WORDS.conditions.keys():
                condition = WORDS.conditions[name]
                get(condition.method).configure(**condition.settings, reading=question.reading)


@pytest.mark.parametrize("claim", [claim for claim, q in ASKED.items() if q.components])
def test_components_are_of_one_shape_and_name_what_is_known(claim):
    for component in ASKED[claim].components:
        check_names(component)


def check_names(component):
    says, found = component.says, component.shape
    assert says.keys() <= COMMON | {found} | SHAPES[found]
    assert COMMON & {"scene", "score"} <= says.keys()
    if "than" in SHAPES[found] or found in ("above", "below", "best", "worst", "steadiest"):
        assert ("than" in says) != ("of" in says)
    for term in component.terms():
        assert term.scene in WORDS.scenes or term.scene in scenes.names()
        assert base(term.score) in SCORES.keys() | WORDS.scores.keys()
        assert term.condition in WORDS.conditions
    for key in ("best", "worst", "steadiest"):
        if key in says:
            assert says[key] in says["of"]
    if "best" in says or "worst" in says:
        assert set(says.get("reported", says["of"])) == set(says["of"])


def dict_of(side):
    return side if isinstance(side, dict) else {}


@pytest.mark.parametrize("claim", [claim for claim, q in ASKED.items() if q.components])
def test_smallest_effects_are_half_of_the_reported_or_the_default(claim):
    for component in ASKED[claim].components:
        check_effect(component.says, component.shape)


def check_effect(component, found):
    relative = component.get("relative", False)
    score = listed(component["score"])[0]
    usual = default(score, relative)
    assert {default(s, relative) for s in listed(component["score"])} == {usual}
    if found in ("above", "below"):
        return
    if "margin" in SHAPES[found]:
        named = {0.01, 0.01745, 0.4055, 0.6931}  # figures of the checks: 0.01, one degree, 1.5 and 2 times
        assert component["margin"] == usual or component["margin"] in named
        return
    if found == "steadiest":
        assert component["smallest_effect"] == 0.1
        return
    reported, gains = component.get("reported"), []
    if isinstance(reported, list):
        gains = [gain(score, *reported, relative)]
    elif reported:
        ours = reported[component[found]]
        pairs = [(ours, v) for k, v in reported.items() if k != component[found]]
        gains = [gain(score, *(pair if found == "best" else pair[::-1]), relative) for pair in pairs]
    lead = min(gains, default=0.0)
    if base(score).startswith("slope"):
        usual = 0.1  # of logarithms, so ten percent
    expected = lead / 2 if lead >= usual / 10 - 1e-12 else usual
    assert component["smallest_effect"] == pytest.approx(expected, rel=2e-3)


def test_every_condition_is_one_that_its_method_accepts():
    for name, condition in WORDS.conditions.items():
        if condition.planned:
            continue
        asked = get(condition.method).configure(**condition.settings)
        for setting in condition.times:
            assert isinstance(getattr(asked, setting), (int, float)), name
        usual = get(condition.method).configure()
        same = [k for k, v in condition.settings.items() if getattr(usual, k) == v]
        assert len(same) <= 2, name  # what a name says may be the default
    unknown = {c.method for c in WORDS.conditions.values() if not c.planned} - METHODS.keys()
    assert not unknown


def test_settings_by_noise_are_settings_of_the_method_on_scenes_that_there_are():
    found = [condition for condition in WORDS.conditions.values() if condition.tuned]
    assert {condition.method for condition in found} >= {"sunsal", "mua-bpt", "suncnn"}
    for condition in found:
        assert set(condition.tuned) <= set(scenes.names()), condition.name
        for scene, levels in condition.tuned.items():
            for level, settings in levels.items():
                assert set(settings).isdisjoint(condition.settings), condition.name
                get(condition.method).configure(**condition.at(scene, level))


def test_a_condition_has_settings_by_noise_only_where_it_is_tuned():
    condition = WORDS.conditions["SUnSAL"]
    assert condition.at("dc1", 20) == {"reading": "code", "weight": 0.7}
    assert condition.at("dc2", 40.0) == {"reading": "code", "weight": 0.005}
    for scene, level in (("dc1", None), ("dc1", 25), ("lagoon", 20)):
        assert condition.at(scene, level) == {"reading": "code"}


def test_places_are_scenes_with_a_reference_they_have():
    for name, entries in WORDS.scenes.items():
        for place in entries:
            if place.made:
                continue
            assert place.reference in scenes.describe(place.scene).references, name
            method = get("misicnet" if "center_weight" in place.settings else "ldvae")
            method.configure(**place.settings)
            assert place.settings.get("trained_on", "samson") in scenes.names()


def test_settings_of_a_question_are_settings_of_its_methods():
    for claim, question in ASKED.items():
        for name in used(question) if question.settings else ():
            condition = WORDS.conditions[name]
            if condition.method in ("undip", "undip-configurable"):
                get(condition.method).configure(**{**condition.settings, **question.settings})
            else:
                assert condition.method == "sivm-fclsu", claim


def test_what_computed_scores_need_is_known():
    for name, score in WORDS.scores.items():
        assert set(score.get("also", ())) <= WORDS.conditions.keys(), name
        assert all(isinstance(level, int) for level in score.get("at", ())), name


def test_no_word_is_left_over():
    seen = Counter()
    for question in ASKED.values():
        seen.update(question.views)
        seen.update(used(question))
        for term in question.terms():
            seen.update([term.scene, base(term.score)])
    seen.update(new for view in WORDS.views.values() for new in view.replace.values())
    seen.update(name for score in WORDS.scores.values() for name in score.get("also", ()))
    text = " ".join(str(q.says) for q in ASKED.values()) + str(WORDS.scores)
    beside = {name for name, condition in WORDS.conditions.items() if condition.beside}
    for part in (WORDS.scenes, WORDS.scores, WORDS.views, WORDS.conditions):
        assert not {word for word in part if not seen[word] and word not in text} - beside


def test_words_and_questions_are_refused_that_nobody_knows():
    with pytest.raises(TypeError, match="colour"):
        read_words("{scenes: {}, readings: {}, views: {a: {colour: red}}, conditions: {}, scores: {}}")
    with pytest.raises(ValueError, match="expected one of better"):
        assert Component({"scene": "samson", "better": "a", "worst": "b"}).shape
    with pytest.raises(ValueError, match="expected a condition"):
        names({"scene": "samson"})


def test_reported_figures_are_those_of_the_documents():
    """Those that are means of printed figures, or a ratio in the text, are left out."""
    derived = {"prim-alpha0-good-abundances", "prim-alpha03-balance", "prim-unsupervised-term-dominates"}
    derived |= {"prim-vae-abundances-tenfold-worse", "prim-pixelwise-costlier", "prim-no-alpha-refines-both"}
    datasets = {"ontech": "ontech-syn-21", "dc1": "dc-unnamed"}
    source = claims.claims()["source"]
    for claim, question in ASKED.items():
        for c in (part.says for part in question.components) if claim not in derived else ():
            reported = c.get("reported", [])
            numbers = list(reported.values()) if isinstance(reported, dict) else reported
            if not numbers:
                continue
            metric = base(c["score"])
            for ending in ("-code", "-own-order", "-averaged"):
                metric = metric.removesuffix(ending)
            found = claims.reported(source[claim])
            found = found[found["metric"] == metric]
            two = [dict_of(c.get(side)).get("scene", c["scene"]) for side in ("better", "than")]
            places = {datasets.get(place, place.split("-")[0]) for place in two}
            levels = {dict_of(c.get(side)).get("snr", c.get("snr")) for side in ("better", "than")} - {None}
            found = found[found["dataset"].isin(places)]
            if levels:
                found = found[found["condition"].isin([f"snr={level}" for level in levels])]
            for number in numbers:
                printed = {"percent": 0.01, "degree": math.pi / 180}
                scaled = found["value"] * found["unit"].map(printed).fillna(1.0)
                assert (scaled - number).abs().min() < 2e-5, (claim, number)


def test_every_score_of_a_question_has_a_title_in_words():
    asked = {term.score for question in questions().values() for term in question.terms()}
    assert not [score for score in asked if words.title(score) == score]
