"""Settings chosen on validation pixels: the grid, the choice from its records, who takes it, and its plan."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from itertools import product
from types import SimpleNamespace

import numpy as np
import pytest

from hsu_lib.claims import claims
from hsu_lib.claims.questions import questions, read_question, read_words, vocabulary
from hsu_lib.runs import Store, asking, choices, operations
from hsu_lib.runs.amounts import Amounts, amounts
from hsu_lib.runs.answers import answers
from hsu_lib.runs.blocks import blocks
from hsu_lib.runs.budget import Outcome
from hsu_lib.runs.campaign import Enumeration, Way, deciding, enumerated
from hsu_lib.runs.choices import (
    BY_VALIDATION,
    NEAREST,
    RMSE,
    SAD,
    Option,
    Site,
    Wanted,
    by_validation,
    chosen_from,
    grid,
    nearest,
    printed,
)
from hsu_lib.scene import SceneSpec

ASKED = [c for c in questions() if claims()["source"][c] in ("ldvae", "spacnn_ldvae")]


@cache
def waiting() -> Enumeration:
    """All that waits at desk, with its grids."""
    return enumerated(amounts("desk"), claims=ASKED)


@cache
def made_up() -> dict[str, SimpleNamespace]:
    """A record for every run of the grids, with scores that are drawn at random."""
    rng = np.random.default_rng(0)
    return {
        key: SimpleNamespace(
            key=key,
            asked=run.asked(),
            scores={RMSE: rng.uniform(0.01, 0.5), SAD: rng.uniform(0.005, 1.0)},
            made={"commit": "1234567"},
            arrays={},
        )
        for key, run in waiting().runs.items()
    }


def wanted(method="ldvae", scene="samson", view=BY_VALIDATION, document="ldvae", **settings) -> Wanted:
    return Wanted(view, method, scene, settings, amounts("desk").for_claim(f"{document}-generates-pixels"))


# --------------------------------------------------------------------------- the grid


def test_the_grid_never_sees_a_deciding_scene_or_seed():
    found = waiting()
    assert not found.ways
    for way, by_seed in found.waiting.items():
        assert tuple(by_seed) == (200, 201, 202), way
    for run in found.runs.values():
        assert run.scene in [site.scene for site in choices.SITES.values()]
        assert run.scene.snr_db is None
        assert (run.settings["holdout"], run.settings.get("trained_on", "")) == (0.2, "")
        assert run.settings["share"] == (0.8 if run.scene.name == "samson" else 1.0)
    assert len(found.runs) == (2 + 1 + 1) * 7 * 3 * 3  # LDVAE twice; softmax and SpACNN


def test_every_scene_of_a_choice_has_a_grid():
    """As many ways wait as there are ways that a view chooses for: none would wait for ever."""
    words, asked = vocabulary(), set()
    for claim in ASKED:
        for number, (view, _) in enumerate(questions()[claim].ways(words)):
            if view.choice:
                asked.add(Way(claim, number))
    assert set(waiting().waiting) == asked
    assert all(waiting().waiting.values())


def test_the_whole_grid_or_nothing():
    records = made_up()
    assert chosen_from(lambda key: None)(wanted()) is None
    for run in grid(wanted())[Option(10.0, "softmax")]:
        assert chosen_from(lambda key, gone=run.key: None if key == gone else records[key])(wanted()) is None
    assert chosen_from(records.get)(wanted()) is not None
    assert chosen_from(records.get)(wanted(scene="jasper")) is None
    assert chosen_from(records.get)(wanted(view="some other")) is None
    assert chosen_from(records.get)(wanted(method="labelled-fclsu")) is None


# --------------------------------------------------------------------------- the choice


@pytest.mark.parametrize("method", ["ldvae", "spacnn-ldvae"])
@pytest.mark.parametrize("scene", ["samson", "ontech-syn", "cuprite-window"])
@pytest.mark.parametrize("named", [None, "softmax"])
def test_the_choice_is_that_of_the_rule(method, scene, named):
    """By hand, from the records alone."""
    document = {"ldvae": "ldvae", "spacnn-ldvae": "spacnn"}[method]
    learnt = {"samson": "samson", "ontech-syn": "ontech-syn-train", "cuprite-window": "cuprite-synthetic"}
    reported = {
        ("ldvae", "samson"): {RMSE: 0.3078, SAD: 0.5923},
        ("ldvae", "ontech-syn"): {RMSE: 0.0052, SAD: 0.0069},
        ("ldvae", "cuprite-window"): {SAD: 0.0465},
        ("spacnn-ldvae", "samson"): {RMSE: 0.2412, SAD: 0.5525},
        ("spacnn-ldvae", "ontech-syn"): {RMSE: 0.0948, SAD: 0.0594},
        ("spacnn-ldvae", "cuprite-window"): {SAD: 0.0470},
    }[method, scene]
    epochs = 100 if method == "ldvae" else 40
    table: dict[tuple, dict[str, list[float]]] = {}
    for record in made_up().values():
        asked = record.asked["settings"]
        if (record.asked["method"], record.asked["scene"]["name"]) != (method, learnt[scene]):
            continue
        if asked["epochs"] != epochs or named not in (None, asked["activation"]):
            continue
        entry = table.setdefault((asked["abundance_weight"], asked["activation"]), {RMSE: [], SAD: []})
        for score in (RMSE, SAD):
            entry[score].append(record.scores[score])
    assert len(table) == (14 if method == "ldvae" and named is None else 7)
    assert all(len(entry[RMSE]) == 3 for entry in table.values())

    def distance(entry):
        return sum(abs(np.log(np.mean(entry[score]) / value)) for score, value in reported.items())

    best = min(table, key=lambda option: np.mean(table[option][RMSE]))
    near = min(table, key=lambda option: distance(table[option]))
    choose, own = chosen_from(made_up().get), {} if named is None else {"activation": named}
    for view, (weight, activation) in ((BY_VALIDATION, best), (NEAREST, near)):
        expected = {"abundance_weight": weight} | ({"activation": activation} if named is None else {})
        assert choose(wanted(method, scene, view, document, **own)) == expected


def test_what_has_no_score_is_not_chosen_and_the_smaller_of_equals_is():
    ours = {
        Option(1.0, "softplus"): {RMSE: [0.1, np.nan, 0.1], SAD: [0.1, 0.1, 0.1]},
        Option(10.0, "softplus"): {RMSE: [0.25, 0.5, 0.75], SAD: [0.125, 0.25, 0.375]},
        Option(100.0, "softplus"): {RMSE: [0.75, 0.5, 0.25], SAD: [0.375, 0.25, 0.125]},
    }
    assert by_validation(ours) == Option(10.0, "softplus")
    assert nearest(ours, {RMSE: 0.1, SAD: 0.1}) == Option(10.0, "softplus")
    assert nearest(ours, {SAD: 0.1}) == Option(1.0, "softplus")  # whose angles are all there
    assert by_validation({Option(1.0, "softplus"): {RMSE: [np.nan]}}) is None


def test_the_printed_figures_are_of_the_models_own_document():
    assert printed("ldvae", "samson") == {RMSE: 0.3078, SAD: 0.5923}
    assert printed("spacnn-ldvae", "ontech") == {RMSE: 0.0948, SAD: 0.0594}
    assert printed("spacnn-ldvae", "cuprite") == {SAD: 0.0470}


# --------------------------------------------------------------------------- who takes it


def test_other_conditions_take_the_choice_of_the_scene_and_model_they_differ_from():
    choose = chosen_from(made_up().get)
    for view in (BY_VALIDATION, NEAREST):
        here = {scene: choose(wanted(scene=scene, view=view)) for scene in choices.TAKEN_FROM}
        assert here["urban-semireal"] == here["urban-detection-window"] == here["samson"]
        assert here["ontech-syn-bilinear"] == here["ontech-syn"]
        assert choose(wanted(view=view, balanced=True)) == here["samson"]
        longer = choose(wanted("spacnn-ldvae", view=view, document="spacnn", activation="softplus"))
        own = choose(wanted("spacnn-ldvae", view=view, document="spacnn"))
        assert own["activation"] == "softmax"
        assert longer == {"abundance_weight": own["abundance_weight"]}


def test_runs_that_decide_have_what_was_chosen():
    choose = chosen_from(made_up().get)
    found = enumerated(amounts("desk"), [100], ASKED, choices=choose)
    assert not found.waiting
    for way, by_seed in found.ways.items():
        view = questions()[way.claim].ways(vocabulary())[way.number][0]
        document = "spacnn" if way.claim.startswith("spacnn") else "ldvae"
        for run in (found.runs[key] for key in by_seed[100]):
            if run.method == "labelled-fclsu":
                continue
            named = {"activation": "softmax"} if run.label == "LDVAE, softmax" else {}
            expected = choose(wanted(run.method, run.scene.name, view.name, document, **named)) | named
            assert {name: run.settings[name] for name in ("abundance_weight", "activation")} == expected
            assert run.settings.get("holdout", 0) == 0


# --------------------------------------------------------------------------- amounts of a document


def test_a_documents_own_amounts_come_before_the_others():
    desk = amounts("desk")
    spacnn, ldvae = desk.for_claim("spacnn-samson-lower-rmse"), desk.for_claim("ldvae-stable-across-snr")
    assert spacnn.of("ldvae", {})["epochs"] == spacnn.of("spacnn-ldvae", {})["epochs"] == 40
    assert ldvae.of("ldvae", {}) == {}  # the default: 100
    assert spacnn.methods["undip"] == desk.methods["undip"]
    assert desk.for_claim("no such claim").methods == desk.methods
    for profile, claim in product(("quick", "desk", "paper"), ASKED):
        given = amounts(profile).for_claim(claim)
        if claim.startswith("spacnn"):
            assert given.part("ldvae") == given.part("spacnn-ldvae")
    (answer,) = answers(["spacnn-samson-lower-rmse"], amounts=desk, find=lambda key: None)
    assert answer.reason.startswith("waits for settings")  # and is not refused for unequal shares


# --------------------------------------------------------------------------- planned, made, answered


WORDS = """
scenes:
  here: [{scene: lagoon, settings: {share: 0.5}}]
readings: {}
views:
  omega by validation: {choice: [abundance_weight, activation], rule: lowest}
  omega nearest the figures: {choice: [abundance_weight, activation], rule: nearest}
scores: {}
conditions:
  LDVAE: {method: ldvae, settings: {hidden: [4]}}
  labels + FCLSU: {method: labelled-fclsu}
"""
SHARES = Amounts("Hardly any.", {"ldvae": {"epochs": Fraction(1, 50)}})


@pytest.fixture
def small(monkeypatch) -> None:
    """One claim about the embedded scene, asked in both views, and a grid of two weights."""
    part = {"scene": "here", "score": RMSE, "not_worse": "LDVAE", "than": "labels + FCLSU", "margin": 9.0}
    says = {"primary": "?", "components": [part], "views": [BY_VALIDATION, NEAREST]}
    few, words = {"only": read_question("only", says)}, read_words(WORDS)
    monkeypatch.setattr(operations, "all_questions", lambda: few)
    for module in ("campaign", "answers.asking"):
        monkeypatch.setattr(f"hsu_lib.runs.{module}.all_questions", lambda: few)
        monkeypatch.setattr(f"hsu_lib.runs.{module}.all_words", lambda: words)
    monkeypatch.setattr(operations, "amounts", lambda profile: SHARES)
    site = Site(SceneSpec("lagoon", crop=(0, 0, 20, 20)), 0.8, choices.SITES["samson"].printed)
    monkeypatch.setattr(choices, "SITES", {"lagoon": site})
    monkeypatch.setattr(choices, "TAKEN_FROM", {"lagoon": "lagoon"})
    monkeypatch.setattr(choices, "WEIGHTS", (1.0, 1e5))
    printed.cache_clear()
    yield
    printed.cache_clear()


def test_a_sweep_makes_the_grid_chooses_and_goes_on(small, tmp_path, monkeypatch):
    store, lines = Store(tmp_path / "here", tmp_path / "published"), []
    found, plan, _ = operations.planned("quick", [100, 101], None, store, "cpu")
    (block,) = plan
    assert block.chooses
    assert (len(block.missing), block.claims, len(block.ways)) == (12, ("only",), 2)
    assert any("12 of the runs choose settings" in line for line in operations.told("quick", found, plan))
    operations.sweep("quick", [100, 101], None, 0.0, device="cpu", store=store, tell=lines.append)
    assert lines[-1] == "0 made, 0 failed, 12 not made"
    lines.clear()
    operations.sweep("quick", [100, 101], None, 300, device="cpu", store=store, tell=lines.append)
    assert not any("FAILED" in line for line in lines)
    assert "12 runs that settings are chosen by to make" in next(line for line in lines if "to make" in line)
    found, plan, _ = operations.planned("quick", [100, 101], None, store, "cpu")
    assert plan == []
    assert not found.waiting
    assert lines[-1] == f"{12 + len(found.runs)} made, 0 failed, 0 not made"
    weights = {run.settings["abundance_weight"] for run in found.runs.values() if run.method == "ldvae"}
    assert weights <= {1.0, 1e5}

    monkeypatch.setattr("hsu_lib.runs.answers.seedwise.counts", lambda record: True)
    (answer,) = answers(amounts=SHARES, seeds=[100, 101], find=store.find)
    assert [len(way.comparisons[0].seeds) for way in answer.ways] == [2, 2]
    behind = {
        run.key
        for runs in grid(Wanted(BY_VALIDATION, "ldvae", "lagoon", {}, SHARES)).values()
        for run in runs
    }
    assert behind < set(answer.keys)


def test_a_chapter_makes_the_grid_before_what_is_chosen_by_it(small, tmp_path, monkeypatch):
    store = Store(tmp_path / "here", tmp_path / "published")
    unmade = asking.ask(["only"], amounts=SHARES, seeds=[100, 101], compute=False, store=store)
    assert unmade.answers["only"].reason.startswith("waits for settings")
    assert not unmade.results.records
    made = asking.ask(["only"], amounts=SHARES, seeds=[100, 101], store=store)
    assert not made.found.waiting
    answer = made.answers["only"]
    assert [len(way.comparisons[0].seeds) for way in answer.ways] == [2, 2]
    assert set(answer.keys) == set(made.records)  # the grid's too
    monkeypatch.setattr("hsu_lib.runs.answers.seedwise.counts", lambda record: True)
    again = asking.ask(["only"], amounts=SHARES, seeds=[100, 101], compute=False, store=store)
    assert again.answers == made.answers


def test_a_run_of_the_grid_that_fails_is_told_once(small, tmp_path, monkeypatch):
    def failing(left, runs, *_, **__):
        return iter([Outcome(run, (), ValueError("no"), 0.0) for run in runs])

    monkeypatch.setattr(operations, "within", failing)
    store, lines = Store(tmp_path / "here", tmp_path / "published"), []
    operations.sweep("quick", [100], None, 300, device="cpu", store=store, tell=lines.append)
    assert sum("FAILED" in line for line in lines) == 12
    assert lines[-1] == "0 made, 12 failed, 0 not made"


def test_grids_come_before_what_can_be_decided_already():
    found = enumerated(amounts("desk"), [100], ["ldvae-stable-across-snr", "prim-alpha0-poor-endmembers"])
    plan = blocks(found, (), lambda run: 1e3 if run.seed >= 200 else 1e-3)
    assert [block.chooses for block in plan] == [True, False]
    assert plan[0].claims == ("ldvae-stable-across-snr",)
    assert {run.seed for run in plan[0].runs} == {200, 201, 202}
    needs = deciding(amounts("desk"), [100], ["ldvae-stable-across-snr"])
    assert {need.claims for need in needs} == {("ldvae-stable-across-snr",)}
    cheap = blocks(waiting(), (), lambda run: 1.0)
    gains = [len(block.ways) / len(block.missing) for block in cheap]
    assert gains[0] == max(gains)
    assert {key for block in cheap for key in block.missing} == set(waiting().runs)
