"""From the questions to runs, and runs made within a time: planned, made, packed, merged."""

from __future__ import annotations

import json
import multiprocessing
import threading
import time
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from functools import cache

import numpy as np
import pytest
from click.testing import CliRunner

from hsu_lib import claims, cli, scenes
from hsu_lib.claims.questions import (
    Place,
    Question,
    Vocabulary,
    questions,
    read_question,
    read_words,
    vocabulary,
)
from hsu_lib.runs import Run, Store, execute, operations, provenance, publish
from hsu_lib.runs.amounts import Amounts, amounts, decided_by, deciding_amounts
from hsu_lib.runs.blocks import blocks, to_make, twins
from hsu_lib.runs.budget import MakeWithTwins, within
from hsu_lib.runs.campaign import Enumeration, Way, deciding, enumerated, runs_of, spec_of
from hsu_lib.runs.choices import Wanted
from hsu_lib.runs.estimates import Estimates, amount
from hsu_lib.runs.execution import twin
from hsu_lib.runs.packing import Pack, light, merge
from hsu_lib.scene import SceneSpec


def chosen(wanted: Wanted) -> dict[str, float]:
    """A choice for every view that has one."""
    return {"abundance_weight": 10.0 if wanted.view.endswith("validation") else 1000.0}


@cache
def everything() -> Enumeration:
    return enumerated(amounts("paper"), choices=chosen)


# --------------------------------------------------------------------------- questions to runs


def test_every_claim_that_can_be_tested_gets_its_runs():
    found, words = everything(), vocabulary()
    ours = {
        c for c, q in questions().items() if q.components and claims.claims().loc[c, "source"] != "tutorial"
    }
    asked = {way.claim for way in found.ways}
    assert ours - asked == {  # a sitting answers these alone
        "prim-pixelwise-costlier",
        "prim-samson-faster",
        "prim-vae-trains-faster",
        "undip-larger-model-trains-longer",
    }
    assert not found.waiting
    planned = {c for c in found.planned if c not in ours}
    for claim in planned:
        terms = questions()[claim].terms()
        assert any(words.conditions[term.condition].planned for term in terms), claim


def test_ways_that_wait_for_a_choice_are_told_and_get_no_runs():
    found = enumerated(amounts("paper"), claims=["ldvae-stable-across-snr", "prim-alpha0-poor-endmembers"])
    assert {way.claim for way in found.waiting} == {"ldvae-stable-across-snr"}
    assert {way.claim for way in found.ways} == {"prim-alpha0-poor-endmembers"}


def test_what_is_tuned_to_the_noise_is_run_with_the_settings_of_its_noise():
    claim = "tutorial-sre-rises-with-snr"
    desk = amounts("desk")
    found = enumerated(desk, [100], claims=[claim])
    assert not found.planned
    assert len(found.runs) == 18
    asked = {(run.label, run.scene.snr_db): run.settings for run in found.runs.values()}
    assert [asked["SUnSAL", level]["weight"] for level in (20, 30, 40)] == [0.7, 0.1, 0.01]
    assert [asked["SUnCNN", level]["iterations"] for level in (20, 30, 40)] == [4000, 8000, 12000]
    assert not any("filters" in asked["SUnCNN", level] for level in (20, 30, 40))  # all: `paper` decides
    shown = runs_of(["SUnSAL"], SceneSpec("dc2", snr_db=20), [0], desk, reading="document")
    assert [run.settings for run in shown] == [{"reading": "code", "weight": 0.1}]
    rehearsed = enumerated(desk, [100], claims=[claim], where="lagoon").runs.values()
    assert {str(run.settings) for run in rehearsed if run.method == "sunsal"} == {"{'reading': 'code'}"}


def test_keys_are_unique_and_seeds_and_conditions_balanced():
    found = everything()
    assert all(run.key == key for key, run in found.runs.items())
    for way, by_seed in found.ways.items():
        assert tuple(by_seed) == tuple(questions()[way.claim].seeds), way
        shapes = set()
        for seed, keys in by_seed.items():
            members = [found.runs[key] for key in keys]
            assert {run.seed for run in members} == {seed}
            noise = {run.scene.noise_seed for run in members if run.scene.snr_db is not None}
            assert noise <= {seed}
            assert {run.scene.noise_seed for run in members if run.scene.snr_db is None} <= {0}
            bare = [
                (r.method, tuple(sorted(r.settings.items())), r.scene.name, r.scene.snr_db) for r in members
            ]
            shapes.add(tuple(bare))
        assert len(shapes) == 1, way


@pytest.mark.parametrize(
    ("claim", "per_seed"),
    [
        ("prim-alpha0-poor-endmembers", 11),
        ("prim-patches-help-every-variant", 6),
        ("undip-noise-raises-loss", 10),  # two scenes, five levels, not the image without noise
        ("undip-noise-widens-model-gap", 18),
        ("undip-depth-speeds-and-hardens", 24),  # without noise, and at 10, 20 and 50 dB
        ("undip-reproduction-succeeds", 6),  # SiVM + FCLSU beside
        ("ldvae-captures-non-linearity", 4),
    ],
)
def test_the_runs_of_a_claim_in_its_first_way(claim, per_seed):
    by_seed = everything().ways[Way(claim, 0)]
    assert {len(keys) for keys in by_seed.values()} == {per_seed}


def test_readings_places_and_question_settings_reach_the_runs():
    found = everything()

    def runs(claim, number=0):
        return [found.runs[key] for key in found.ways[Way(claim, number)][100]]

    assert {r.settings["reading"] for r in runs("prim-alpha0-poor-endmembers")} == {"code"}
    assert {r.scene for r in runs("prim-patches-improve-abundances")} == {SceneSpec("urban-semireal")}
    window = {SceneSpec("urban-detection-window", reference="end6")}
    assert {r.scene for r in runs("prim-patches-improve-abundances", 1)} == window
    assert {r.settings["iterations"] for r in runs("undip-adam-0001-best")} == {750}
    assert {r.settings["share"] for r in runs("ldvae-urban-worst") if r.scene.name == "urban-semireal"} == {
        0.5
    }
    assert {r.settings["trained_on"] for r in runs("ldvae-averages-noise-out")} == {"ontech-syn-train"}
    weights = [{r.settings["abundance_weight"] for r in runs("ldvae-stable-across-snr", n)} for n in (0, 1)]
    assert weights == [{10.0}, {1000.0}]
    bare = {r.label for r in runs("prim-normalised-endmembers-needed", 1)}
    assert bare == {
        "VAE, alpha 0.3, pixels normalised too",
        "VAE, alpha 0.3, not normalised",
    }


def test_a_first_estimation_is_the_condition_of_that_name():
    found = enumerated(amounts("paper"), [100], ["prim-samson-above-099"])
    patches = next(run for run in found.runs.values() if run.label == "patches" and not run.scene.reference)
    simple = next(
        run for run in found.runs.values() if run.label == "simple, patches" and not run.scene.reference
    )
    assert simple.first.key == patches.key


def test_the_share_of_training_is_that_of_a_condition_too():
    third = Amounts("", {"ae-patches": {"epochs": Fraction(1, 3), "patches": Fraction(1, 3)}})
    assert third.of("ae-patches", {"epochs": 320}) == {"epochs": 107, "patches": 33}
    assert third.of("undip", {"filters": 8}) == {"filters": 8}
    whole = Amounts("", {"ae-plain": {"patches": Fraction(1, 3), "epochs": Fraction(1, 1000)}})
    assert whole.of("ae-plain", {}) == {"patches": 0, "epochs": 1}


@pytest.mark.parametrize("profile", ["paper", "desk", "quick"])
def test_amounts_are_of_settings_that_exist(profile):
    assert len(deciding(amounts(profile), [100], ["prim-samson-above-099", "undip-skips-improve-score"])) > 10
    assert amounts(profile).share.endswith(".")
    for method in amounts(profile).methods:
        amounts(profile).of(method, {})


def test_what_is_not_known_is_told():
    with pytest.raises(ValueError, match="'best'; known: paper, desk, quick"):
        amounts("best")
    with pytest.raises(ValueError, match="no such claim: prim-nothing"):
        enumerated(amounts("quick"), claims=["prim-nothing"])


def test_needs_tell_the_claims_they_serve_and_the_first_way_counts_most():
    needs = deciding(amounts("paper"), [100], ["prim-alpha0-poor-endmembers", "prim-alpha1-best-endmembers"])
    assert Counter(need.value for need in needs) == {2.0: 11, 0.5: 11}
    assert {need.claims for need in needs} == {("prim-alpha0-poor-endmembers", "prim-alpha1-best-endmembers")}


# --------------------------------------------------------------------------- the most valuable first


def test_blocks_make_each_run_once_and_seed_by_seed():
    found = everything()
    made = blocks(found, (), lambda run: 10.0)
    keys = [key for block in made for key in block.missing]
    assert len(keys) == len(set(keys))
    also = {run.key for runs in twins(found.runs).values() for run in runs}
    wanted = {k for by in found.ways.values() for ks in by.values() for k in ks}
    assert set(keys) == wanted - also
    assert {way for block in made for way in block.ways} == found.ways.keys()
    for block in made:
        seeds = [run.seed for run in block.runs]
        assert seeds == sorted(seeds)
        assert len(set(Counter(seeds).values())) == 1


def test_what_decides_more_in_a_second_comes_first_and_what_is_there_is_not_made():
    asked = ["prim-alpha0-poor-endmembers", "prim-decaying-lr-saves-epochs"]
    found = enumerated(amounts("paper"), [100, 101], asked)
    dear = blocks(found, (), lambda run: 100.0 if run.scene.name == "samson" else 1.0)
    cheap = blocks(found, (), lambda run: 0.1 if run.scene.name == "samson" else 100.0)
    assert (dear[0].claims, cheap[0].claims) == (
        ("prim-decaying-lr-saves-epochs",),
        ("prim-alpha0-poor-endmembers",),
    )
    assert cheap[0].seconds == pytest.approx(22 * 0.1 + 2 * 0.1)  # the first estimations too
    rest = blocks(found, cheap[0].missing, lambda run: None)
    twin_keys = {run.key for runs in twins(found.runs).values() for run in runs}
    assert {k for b in rest for k in b.missing} >= cheap[0].missing  # their twins are not there
    rest = blocks(found, cheap[0].missing | twin_keys, lambda run: None)
    assert [block.claims for block in rest] == [("prim-decaying-lr-saves-epochs",)] * 2
    assert rest[0].seconds is None


# --------------------------------------------------------------------------- estimates


def test_estimates_scale_with_training_and_prefer_this_device():
    rows = [
        {
            "method": "ae-patches",
            "scene": "lagoon",
            "device": device,
            "seconds": seconds,
            "settings": settings,
        }
        for device, seconds, settings in [
            ("card, 80 GiB", 2.0, "batch=10, epochs=100, patch_size=8, patches=10"),
            ("chip, 2 threads", 50.0, "batch=10, epochs=100, patch_size=8, patches=10"),
        ]
    ]
    run = Run("ae-patches", SceneSpec("lagoon"), settings={"epochs": 50, "patches": 10, "patch_size": 8})
    assert Estimates(rows, "card, 79 GiB").of(run) == (pytest.approx(1.0), True)
    assert Estimates(rows, "other").of(run) == (pytest.approx(13.0), False)
    known = Estimates(rows, "card")
    known.observe(run, 7.0)
    assert known.of(run) == (pytest.approx(7.0), True)
    assert Estimates().of(run) is None
    assert Estimates(rows).seconds(Run("nmf", SceneSpec("lagoon"))) is None


def test_amounts_of_work():
    assert amount("undip", {"iterations": 10, "filters": 4}, 100) == 4000
    assert amount("ae-plain", {"epochs": 3, "patches": 0, "patch_size": 40}, 100) == 300
    assert (
        amount("simple-perturbation-patches", {"epochs": 3, "images": 2, "patches": 5, "patch_size": 4}, 100)
        == 480
    )


# --------------------------------------------------------------------------- twins


def test_a_twin_is_what_the_other_reference_would_have_given(monkeypatch, tmp_path):
    """Two references of one image: here the lagoon's own, and the same with materials in another order."""
    from hsu_lib.runs import execution

    load = scenes.load

    def loaded(spec, **how):
        if spec.reference != "other":
            return load(spec, **how)
        scene = load(replace(spec, reference=""), **how)
        order = list(range(scene.endmembers))[::-1]
        return replace(
            scene,
            E=scene.E[:, order] ** 0.5,
            A=scene.A[order],
            materials=tuple(scene.materials[i] for i in order),
        )

    monkeypatch.setattr(scenes, "load", loaded)
    monkeypatch.setattr(scenes, "version", lambda spec: 1)
    settings = {"epochs": 2, "patches": 4, "patch_size": 8, "filters": 4, "kernel": 3}
    run = Run("ae-patches", SceneSpec("lagoon"), 3, settings)
    other = replace(run, scene=SceneSpec("lagoon", reference="other"))
    execution._truth.cache_clear()
    made, direct = execute(run), execute(other)
    derived = twin(made, other)
    assert derived.key == direct.key != made.key
    assert derived.scores == pytest.approx(direct.scores)
    assert derived.scores != pytest.approx(made.scores)
    for name, array in direct.arrays.items():
        np.testing.assert_allclose(derived.arrays[name], array)
    assert derived.made["estimate_of"] == made.key
    assert twin(light(made, maps=True), other) is None
    execution._truth.cache_clear()


def test_only_methods_that_never_see_the_reference_have_twins():
    found = everything()
    assert {found.runs[key].scene.name for key in twins(found.runs)} == {"samson"}
    methods = {found.runs[key].method for key in twins(found.runs)}
    assert "undip" not in methods
    assert "labelled-fclsu" not in methods
    assert {"vae-augmentation", "ae-patches", "simple-perturbation-patches"} <= methods


# --------------------------------------------------------------------------- a small campaign


WORDS = """
scenes:
  two: [{scene: lagoon}]
readings: {}
views: {}
scores: {}
conditions:
  pixels: {method: vca-fclsu}
  corners: {method: sivm-fclsu}
  trained: {method: ae-patches}
  refined: {method: simple-perturbation-patches}
"""
TINY = {"epochs": Fraction(1, 200), "patches": Fraction(1, 50)}
SHARES = Amounts(
    "Hardly any.",
    {
        "ae-patches": TINY,
        "simple-perturbation-patches": TINY
        | {"images": Fraction(1, 70), "first_epochs": Fraction(1, 200), "first_patches": Fraction(1, 50)},
    },
)


@pytest.fixture
def campaign(monkeypatch) -> tuple[dict[str, Question], Vocabulary]:
    """Three claims about the embedded scene, in place of those of the book."""

    def asked(claim, ours, theirs, snr=None):
        part = {"scene": "two", "score": "rmse-abundances", "better": ours, "than": theirs, "snr": snr}
        return claim, read_question(claim, {"primary": "?", "components": [part]})

    few = dict(
        [
            asked("fast", "pixels", "corners", 20),
            asked("slow", "trained", "refined"),
            asked("mid", "pixels", "corners"),
        ]
    )
    words = read_words(WORDS)
    monkeypatch.setattr(operations, "all_questions", lambda: few)
    monkeypatch.setattr("hsu_lib.runs.campaign.all_questions", lambda: few)
    monkeypatch.setattr("hsu_lib.runs.campaign.all_words", lambda: words)
    monkeypatch.setattr(operations, "amounts", lambda profile: SHARES)
    return few, words


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "here", tmp_path / "published")


def test_what_does_not_count_is_made_anew(campaign, store, tmp_path, monkeypatch, request):
    quietly = {"device": "cpu", "tell": lambda line: None}
    request.addfinalizer(provenance.commit.cache_clear)

    def at(commit):
        monkeypatch.setenv("HSU_COMMIT", commit)
        provenance.commit.cache_clear()

    def missing(where):
        return sum(len(b.missing) for b in operations.planned("quick", [100], "mid", where, "cpu")[1])

    at("abc+")
    operations.sweep("quick", [100], "mid", 120, store=store, **quietly)
    runs = operations.planned("quick", [100], "mid", store, "cpu")[0].runs.values()
    assert missing(store) == 0  # nothing that counts could be made
    at("abc")
    assert missing(store) == len(runs)
    for commit, count in (("abc", 0), ("abc+", len(runs))):
        there = Store(tmp_path / "empty", tmp_path / commit)
        publish(
            [replace(store.get(r), origin="", made={"commit": commit}) for r in runs],
            there.published / "desk",
            [],
        )
        assert missing(there) == count
    for where in (store, there):
        operations.sweep("quick", [100], "mid", 120, store=where, **quietly)
        assert missing(where) == 0
        assert {where.get(run).made["commit"] for run in runs} == {"abc"}


def test_plan_sweep_and_merge_go_round(campaign, store, tmp_path):
    lines: list[str] = []
    out = tmp_path / "out" / "store.tar"
    operations.sweep("quick", [100, 101], None, 120, device="cpu", out=out, store=store, tell=lines.append)
    found, left, _ = operations.planned("quick", [100, 101], None, store, "cpu")
    assert left == []
    assert not any("FAILED" in line for line in lines)
    assert lines[-2] == f"{len(found.runs)} made, 0 failed, 0 not made"
    others = Store(tmp_path / "there", tmp_path / "published")
    assert merge([out], others) == (12, 0, ())
    assert merge([out], others) == (0, 12, ())
    for run in found.runs.values():
        ours, theirs = store.get(run), others.get(run)
        assert theirs.scores == ours.scores
        np.testing.assert_array_equal(theirs.arrays["E"], ours.arrays["E"])
        if run.method == "ae-patches":  # others start from it
            np.testing.assert_array_equal(theirs.arrays["A"], ours.arrays["A"])
            assert theirs.exact
        elif run.seed == 100:
            np.testing.assert_allclose(theirs.arrays["A"], ours.arrays["A"], atol=1 / 100)
            assert (theirs.exact, theirs.made["abundances"]) == (False, "in 255 steps")
        else:
            assert ("A" in theirs.arrays, theirs.made["abundances"]) == (False, "left out")
        assert ours.made["threads"] == 1
    assert operations.planned("quick", [100, 101], None, others, "cpu")[1] == []
    more = operations.planned("quick", [100, 102], "slow", others, "cpu")[1]
    assert [{found_run.seed for found_run in block.runs} for block in more] == [{100, 102}]
    assert len(more[0].missing) == 2


def test_only_whole_maps_are_started_from(campaign, store):
    run = Run(
        "simple-perturbation-patches", SceneSpec("lagoon"), 1, SHARES.of("simple-perturbation-patches", {})
    )
    first = execute(run.first)
    store.put(light(first, maps=True))
    record = execute(run, store=store)
    assert store.get(run.first).exact
    np.testing.assert_array_equal(record.arrays["E"], execute(run).arrays["E"])


class Clock:
    """A clock that is moved by hand."""

    now = 0.0

    def __call__(self):
        return self.now


def test_a_budget_is_kept_and_what_cannot_end_in_it_is_not_begun(campaign, store):
    found = enumerated(SHARES, [100, 101, 102])
    runs = to_make(blocks(found, (), lambda run: 1.0), found, lambda run: False)
    clock, begun = Clock(), []
    estimates = Estimates()

    def tell(run):
        begun.append(run)
        clock.now += 10.0

    done = list(
        within(35.0, runs, MakeWithTwins(store, "cpu"), jobs=1, estimates=estimates, tell=tell, clock=clock)
    )
    assert 3 <= len(begun) <= 4  # the fourth has no time left, or has been measured to need more
    assert len(done) <= len(begun)
    assert [outcome.run for outcome in done] == begun[: len(done)]
    assert all(store.get(outcome.run) is not None for outcome in done)
    assert list(within(0.0, runs, MakeWithTwins(store, "cpu"), jobs=1, estimates=estimates)) == []
    with pytest.raises(ValueError, match="at least one"):
        list(within(1.0, runs, MakeWithTwins(store, "cpu"), jobs=0, estimates=estimates))


def test_a_run_that_fails_is_told_and_the_others_go_on(store):
    good = [Run("vca-fclsu", SceneSpec("lagoon"), seed) for seed in range(2)]
    bad = Run("vca-fclsu", SceneSpec("lagoon"), 0, endmembers=500)
    done = within(60.0, [good[0], bad, good[1]], MakeWithTwins(store, "cpu"), jobs=1, estimates=Estimates())
    outcomes = {outcome.run.key: outcome for outcome in done}
    assert len(outcomes) == 3
    assert isinstance(outcomes[bad.key].error, ValueError)
    assert all(outcomes[run.key].error is None and outcomes[run.key].records for run in good)


def test_a_process_that_dies_is_told_and_replaced(store):
    long = Run("ae-patches", SceneSpec("lagoon"), settings={"epochs": 10_000})
    short = Run("vca-fclsu", SceneSpec("lagoon"))

    def shoot():
        while not multiprocessing.active_children():
            time.sleep(0.01)
        multiprocessing.active_children()[0].kill()

    killer = threading.Thread(target=shoot)
    killer.start()
    done = list(within(90.0, [long, short], MakeWithTwins(store, "cpu"), jobs=1, estimates=Estimates()))
    killer.join()
    assert [outcome.run.key for outcome in done] == [long.key, short.key]
    assert "has died (exit code -9)" in str(done[0].error)
    assert done[1].error is None


# --------------------------------------------------------------------------- packing


def records(count=3):
    return [execute(Run("vca-fclsu", SceneSpec("lagoon"), seed)) for seed in range(count)]


def test_a_pack_is_split_before_it_is_too_large(tmp_path, store):
    with Pack(tmp_path / "store.tar", largest=6000) as pack:
        for record in records(6):
            pack.add(light(record, maps=False))
    assert [path.name for path in pack.paths][:2] == ["store-000.tar", "store-001.tar"]
    assert not (tmp_path / "store.tar").exists()
    assert max(path.stat().st_size for path in pack.paths) <= 10240  # tar fills its last 10 KiB
    assert merge(pack.paths, store).new == 6


def test_a_pack_can_be_read_whatever_stopped_it(tmp_path, store):
    pack = Pack(tmp_path / "store.tar")
    for record in records():
        pack.add(record)
    data = (tmp_path / "store.tar").read_bytes()  # never closed
    (tmp_path / "cut.tar").write_bytes(data)
    assert merge([tmp_path / "cut.tar"], store) == (3, 0, ())
    pack.__exit__()


def test_damage_in_a_pack_is_noticed_and_nothing_is_replaced(tmp_path, store):
    with Pack(tmp_path / "store.tar") as pack:
        for record in records():
            pack.add(record)
    data = bytearray((tmp_path / "store.tar").read_bytes())
    data[512 + 100] ^= 1  # in the first record
    (tmp_path / "bad.tar").write_bytes(data)
    kept = store.put(records(2)[1])
    merged = merge([tmp_path / "bad.tar"], store)
    assert (merged.new, merged.there, len(merged.damaged)) == (1, 1, 1)
    assert "bad.tar" in merged.damaged[0]
    assert store.find(kept.key).made == kept.made
    (tmp_path / "none.tar").write_bytes(b"no tar at all" * 100)
    assert len(merge([tmp_path / "none.tar"], store).damaged) == 1
    result = CliRunner().invoke(cli.main, ["merge", str(tmp_path / "bad.tar")])
    assert result.exit_code == 1
    assert "2 new, 0 there already, 1 damaged" in result.output


# --------------------------------------------------------------------------- commands


def test_plan_lists_blocks_for_people_and_programs():
    asked = ["plan", "quick", "--claims", "prim-alpha0-poor-endmembers,undip-adam", "--seeds", "100-101"]
    rows = json.loads(CliRunner().invoke(cli.main, [*asked, "--json", "--device", "cpu"]).output)
    assert {row["runs"] for row in rows} == {22, 14}
    assert {row["decides"] for row in rows} == {1}
    text = CliRunner().invoke(cli.main, [*asked, "--device", "cpu"]).output
    assert "36 runs" in text
    assert "As little as still runs." in text


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["plan", "--seeds", "ten"], "expected such as 100-109"),
        (["plan", "--claims", "nothing"], "no claim is called 'nothing'"),
        (["sweep", "--budget", "soon"], "expected such as 90s"),
        (["plan", "best"], "no amounts of training for 'best'"),
    ],
)
def test_commands_say_what_they_expect(given, message):
    result = CliRunner().invoke(cli.main, given)
    assert result.exit_code != 0
    assert message in result.output


# --------------------------------------------------------------------------- where it was made


def test_outside_git_the_commit_is_what_the_environment_says(monkeypatch, tmp_path):
    monkeypatch.setattr(provenance.paths, "ROOT", tmp_path)
    monkeypatch.setenv("HSU_COMMIT", "0123456789ab")
    provenance.commit.cache_clear()
    assert provenance.commit() == "0123456789ab"
    provenance.commit.cache_clear()


def test_the_usual_reference_has_no_name_in_a_spec():
    assert spec_of(Place("samson", "end3")) == SceneSpec("samson")
    assert spec_of(Place("samson", "misicnet"), 20, 7) == SceneSpec("samson", "misicnet", 20.0, noise_seed=7)


def test_given_amounts_stand_in_for_the_shares_of_what_is_trained():
    shares = amounts("desk")
    how = shares.with_given(iterations=4, filters=0, epochs=2)
    assert how.of("undip", {"window": 1}) == {"window": 1, "iterations": 4, "filters": 64}
    assert how.of("nmf", {}) == {}  # its iterations are no training
    assert how.for_claim("ldvae-samson-satisfactory").of("ldvae", {}) == {"epochs": 2}
    np.testing.assert_allclose(how.part("undip"), 4 / 3000 * 64 / 256)
    np.testing.assert_allclose([how.lengths().part("undip"), how.widths().part("undip")], [4 / 3000, 1 / 4])
    assert how.share.startswith("As asked for: iterations 4, epochs 2. ")
    assert shares.with_given(iterations=0) == shares


def test_each_document_is_decided_by_one_profile():
    how, desk, paper = deciding_amounts(), amounts("desk"), amounts("paper")
    assert how.for_claim("undip-re-is-not-enough").of("undip", {}) == desk.of("undip", {})
    first = "prim-patches-help-every-variant"
    assert how.for_claim(first).of("simple-perturbation", {}) == paper.of("simple-perturbation", {})
    spatial = "spacnn-satisfies-constraints"
    assert how.for_claim(spatial).of("ldvae", {}) == desk.for_claim(spatial).of("ldvae", {}) == {"epochs": 40}
    assert set(how.documents) == set(claims.SOURCES)


def test_a_single_claim_may_be_decided_by_another_profile_than_its_document():
    table = claims.claims()
    whole, scaled = "tutorial-misicnet-best-sim1-rmse", "tutorial-misicnet-best-samson-rmse"
    for how in (deciding_amounts(), amounts("desk"), amounts("paper")):
        assert how.for_claim(whole).of("misicnet", {}) == how.for_claim(whole).of("undip", {}) == {}
    assert amounts("desk").for_claim(scaled).of("misicnet", {}) == {"filters": 16}
    assert amounts("quick").for_claim(whole).of("misicnet", {}) != {}
    decided = {profile: decided_by(profile) for profile in ("paper", "desk", "quick")}
    assert whole in decided["paper"]
    assert scaled in decided["desk"]
    assert decided["quick"] == ()
    assert sorted(decided["paper"] + decided["desk"]) == sorted(table[table["source"].notna()].index)


def test_a_plan_lists_what_its_profile_decides(tmp_path):
    store = Store(tmp_path / "runs", tmp_path / "none")
    asked = {
        profile: {way.claim for way in operations.planned(profile, [100], None, store, "cpu")[0].ways}
        for profile in ("paper", "desk")
    }
    assert asked["paper"] <= set(decided_by("paper"))
    assert asked["desk"] <= set(decided_by("desk"))
    named = operations.planned("desk", [100], "prim-alpha0-poor", store, "cpu")[0].ways
    assert {way.claim for way in named} == {"prim-alpha0-poor-endmembers"}
