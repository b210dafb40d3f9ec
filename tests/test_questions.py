"""Every claim has a question that a program can decide: known scenes, scores, conditions and effects."""

from __future__ import annotations

import math
from collections import Counter

import pytest
import yaml

from hsu_lib import claims, scenes
from hsu_lib.claims import REPORTED
from hsu_lib.methods import METHODS, get
from hsu_lib.metrics import SCORES

WORDS = yaml.safe_load((REPORTED / "conditions.yaml").read_text(encoding="utf-8"))
QUESTIONS = claims.claims()["question"].to_dict()
KINDS = {"comparison", "true by construction", "not testable"}
FIELDS = {
    "primary",
    "kind",
    "reading",
    "views",
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
COMMON = {"scene", "score", "snr", "relative", "group"}


def listed(value):
    return value if isinstance(value, list) else [value]


def shape(component):
    (found,) = SHAPES.keys() & component.keys()
    return found


def base(score):
    return score.removeprefix("test/").split("/")[0]


def better(score):
    return SCORES[base(score)].better if base(score) in SCORES else WORDS["scores"][base(score)]["better"]


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


def sides(component):
    """All sides of a component, the nested ones too."""
    for key in ("better", "than", "not_worse", "best", "worst", "steadiest", "of", "same", "alike", "group"):
        for side in listed(component.get(key, [])):
            yield side
            if isinstance(side, dict) and "minus" in side:
                yield side["minus"]


def names(side):
    if isinstance(side, str):
        return [side]
    if isinstance(side, dict):
        found = [n for key in ("condition", "mean_of", "best_of") for n in listed(side.get(key, []))]
        assert found, side
        return found
    assert isinstance(side, (int, float)), side
    return []


def test_every_claim_has_a_question_of_a_known_kind():
    assert len(QUESTIONS) == 113
    for claim, question in QUESTIONS.items():
        kind = question.get("kind", "comparison")
        assert kind in KINDS, claim
        assert question.keys() <= FIELDS, claim
        assert {"primary", "secondary", "why"} <= question.keys(), claim
        assert question["primary"].endswith("?"), claim
        assert all(question[k].endswith(".") for k in ("secondary", "why")), claim
        needed = {"comparison": "components", "true by construction": "check", "not testable": "reason"}
        assert {needed[k] for k in KINDS if needed[k] in question} == {needed[kind]}, claim
        assert question.get("reading") in (None, *WORDS["readings"]), claim
        assert set(question.get("views", ())) <= WORDS["views"].keys(), claim
        assert len(question.get("views", ("", ""))) > 1, claim


def test_readings_are_of_the_first_document_only():
    for claim, question in QUESTIONS.items():
        if "reading" in question:
            assert claims.claims().loc[claim, "source"] == "prim", claim
            used = {
                n
                for c in question["components"]
                for side in sides(c)
                for n in names(side)
                if n in WORDS["conditions"]
            }
            for name in used:
                condition = WORDS["conditions"][name]
                get(condition["method"]).configure(
                    **condition.get("settings", {}), reading=question["reading"]
                )


@pytest.mark.parametrize("claim", [claim for claim, q in QUESTIONS.items() if "components" in q])
def test_components_are_of_one_shape_and_name_what_is_known(claim):
    for component in QUESTIONS[claim]["components"]:
        check_names(component)


def check_names(component):
    found = shape(component)
    assert component.keys() <= COMMON | {found} | SHAPES[found]
    assert COMMON & {"scene", "score"} <= component.keys()
    if "than" in SHAPES[found] or found in ("above", "below", "best", "worst", "steadiest"):
        assert ("than" in component) != ("of" in component)
    for place in listed(component["scene"]):
        assert place in WORDS["scenes"] or place in scenes.names()
    scores = [*listed(component["score"]), *(s["score"] for s in sides(component) if "score" in dict_of(s))]
    scores += [s["by"] for s in sides(component) if "by" in dict_of(s)]
    for score in scores:
        assert base(score) in SCORES.keys() | WORDS["scores"].keys()
    for side in sides(component):
        assert set(names(side)) <= WORDS["conditions"].keys()
        for key in ("scene", "chosen_on"):
            place = dict_of(side).get(key)
            assert place is None or place in WORDS["scenes"] or place in scenes.names()
    for key in ("best", "worst", "steadiest"):
        if key in component:
            assert component[key] in component["of"]
    if "best" in component or "worst" in component:
        assert set(component.get("reported", component["of"])) == set(component["of"])


def dict_of(side):
    return side if isinstance(side, dict) else {}


@pytest.mark.parametrize("claim", [claim for claim, q in QUESTIONS.items() if "components" in q])
def test_smallest_effects_are_half_of_the_reported_or_the_default(claim):
    for component in QUESTIONS[claim]["components"]:
        check_effect(component)


def check_effect(component):
    found, relative = shape(component), component.get("relative", False)
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
    for name, condition in WORDS["conditions"].items():
        assert condition.keys() <= {"method", "settings", "times", "planned", "beside"}, name
        if "planned" in condition:
            continue
        asked = get(condition["method"]).configure(**condition.get("settings", {}))
        for setting in condition.get("times", {}):
            assert isinstance(getattr(asked, setting), (int, float)), name
        usual = get(condition["method"]).configure()
        same = [k for k, v in condition.get("settings", {}).items() if getattr(usual, k) == v]
        assert len(same) <= 2, name  # what a name says may be the default
    unknown = {c["method"] for c in WORDS["conditions"].values() if "planned" not in c} - METHODS.keys()
    assert not unknown


def test_places_are_scenes_with_a_reference_they_have():
    for name, entries in WORDS["scenes"].items():
        for entry in entries:
            if "made" in entry:
                continue
            assert entry.get("reference", "") in scenes.describe(entry["scene"]).references, name
            settings = entry.get("settings", {})
            get("ldvae").configure(**settings)
            assert settings.get("trained_on", "samson") in scenes.names()


def test_settings_of_a_question_are_settings_of_its_methods():
    for claim, question in QUESTIONS.items():
        if "settings" in question:
            used = {n for c in question["components"] for side in sides(c) for n in names(side)}
            for name in used:
                condition = WORDS["conditions"][name]
                if condition["method"] in ("undip", "undip-configurable"):
                    get(condition["method"]).configure(**condition.get("settings", {}) | question["settings"])
                else:
                    assert condition["method"] == "sivm-fclsu", claim


def test_no_word_is_left_over():
    used = Counter()
    for question in QUESTIONS.values():
        used.update(question.get("views", ()))
        for c in question.get("components", ()):
            used.update(listed(c["scene"]))
            used.update(base(s) for s in listed(c["score"]))
            for side in sides(c):
                used.update(names(side))
                used.update(base(dict_of(side)[k]) for k in ("score", "by") if k in dict_of(side))
                used.update(dict_of(side)[k] for k in ("scene", "chosen_on") if k in dict_of(side))
    replaced = {new for view in WORDS["views"].values() for new in view.get("replace", {}).values()}
    used.update(replaced)
    text = " ".join(str(q) for q in QUESTIONS.values()) + str(WORDS["scores"])
    for part in ("scenes", "scores", "views", "conditions"):
        beside = {name for name, word in WORDS[part].items() if "beside" in word}
        left = {word for word in WORDS[part] if not used[word] and word not in text} - beside
        assert not left, (part, left)


def test_reported_figures_are_those_of_the_documents():
    """Those that are means of printed figures, or a ratio in the text, are left out."""
    derived = {"prim-alpha0-good-abundances", "prim-alpha03-balance", "prim-unsupervised-term-dominates"}
    derived |= {"prim-vae-abundances-tenfold-worse", "prim-pixelwise-costlier", "prim-no-alpha-refines-both"}
    datasets = {"ontech": "ontech-syn-21", "dc1": "dc-unnamed"}
    source = claims.claims()["source"]
    for claim, question in QUESTIONS.items():
        for c in question.get("components", ()) if claim not in derived else ():
            reported = c.get("reported", [])
            numbers = list(reported.values()) if isinstance(reported, dict) else reported
            if not numbers:
                continue
            metric = base(c["score"])
            for ending in ("-code", "-own-order", "-averaged", "-plain"):
                metric = metric.removesuffix(ending)
            found = claims.reported(source[claim])
            found = found[found["metric"] == metric]
            two = [dict_of(c.get(side)).get("scene", c["scene"]) for side in ("better", "than")]
            names = {datasets.get(place, place.split("-")[0]) for place in two}
            levels = {dict_of(c.get(side)).get("snr", c.get("snr")) for side in ("better", "than")} - {None}
            found = found[found["dataset"].isin(names)]
            if levels:
                found = found[found["condition"].isin([f"snr={level}" for level in levels])]
            for number in numbers:
                printed = {"percent": 0.01, "degree": math.pi / 180}
                scaled = found["value"] * found["unit"].map(printed).fillna(1.0)
                assert (scaled - number).abs().min() < 2e-5, (claim, number)
