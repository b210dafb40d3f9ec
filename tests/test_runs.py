"""Runs, records and the store: keys, damage, interruption, publication."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import make_dataclass, replace
from functools import wraps

import numpy as np
import pytest

from hsu_lib import metrics, paths, runs, scenes
from hsu_lib.methods import METHODS
from hsu_lib.methods.autoencoders.autoencoder import PATCHES
from hsu_lib.methods.settings import sourced
from hsu_lib.runs import Run, Store, grid, sweep
from hsu_lib.runs.computed import without_computed
from hsu_lib.runs.layout import read_body
from hsu_lib.scene import SceneSpec

SMALL = SceneSpec("lagoon", crop=(2, 3, 7, 5))
TINY = {"epochs": 2, "filters": 4, "kernel": 3}


def tiny(seed=0, **changes):
    return Run("ae-plain", SMALL, seed, TINY | changes)


REFINED = TINY | {"images": 2, "patches": 2, "patch_size": 4, "first_epochs": 2, "first_patches": 3}


def refined(seed=0, method="simple-perturbation-patches", **changes):
    return Run(method, SMALL, seed, REFINED | changes)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "local", tmp_path / "published")


def files(store):
    return sorted(store.local.glob("??/*.*"))


def test_the_key_follows_every_part_of_the_question():
    same = [Run("ae-plain", SMALL, 0, TINY), Run("ae-plain", SMALL, 0, TINY, label="other words")]
    # spelling out a default is the same question
    same.append(Run("ae-plain", SMALL, 0, {**TINY, "learning_rate": 0.01}))
    assert len({run.key for run in same}) == 1
    other = [
        Run("ae-patches", SMALL, 0, TINY),
        Run("ae-plain", SceneSpec("lagoon"), 0, TINY),
        Run("ae-plain", SceneSpec("lagoon", crop=(2, 3, 7, 5), snr_db=30), 0, TINY),
        tiny(seed=1),
        tiny(learning_rate=0.02),
        Run("ae-plain", SMALL, 0, TINY, endmembers=2),
    ]
    assert len({run.key for run in [*same, *other]}) == 1 + len(other)


def test_a_wrong_setting_is_told_before_any_work():
    with pytest.raises(ValueError, match="no setting 'epoch'"):
        tiny(epoch=3)


def test_a_record_comes_back_as_it_went(store):
    record = store.put(runs.execute(tiny()))
    back = store.get(tiny())
    assert back.key == tiny().key == record.key
    assert back.scores == record.scores
    assert all(back.made[name] for name in ("scene", "scores", "device", "date", "versions"))
    for name, array in record.arrays.items():
        np.testing.assert_array_equal(back.arrays[name], array)
    np.testing.assert_array_equal(back.unmixing.A, record.arrays["A"])
    assert "loss" in back.unmixing.history


def test_the_same_run_twice_is_the_same_record_bit_for_bit():
    one, two = runs.execute(tiny(seed=3)), runs.execute(tiny(seed=3))
    assert one.scores == two.scores
    for name in one.arrays:
        np.testing.assert_array_equal(one.arrays[name], two.arrays[name])


@pytest.mark.parametrize("where", [0.1, 0.5, 0.9])
def test_one_flipped_byte_is_noticed_and_the_run_made_again(store, where):
    store.put(runs.execute(tiny()))
    path = next(p for p in files(store) if p.suffix == ".npz")
    data = bytearray(path.read_bytes())
    data[int(where * len(data))] ^= 0x01
    path.write_bytes(data)
    with pytest.warns(RuntimeWarning, match="damaged record"):
        assert store.get(tiny()) is None
    table, _ = sweep([tiny()], store=store, progress=False)
    assert not table["replayed"].any()
    assert store.get(tiny()) is not None


def test_a_record_under_another_key_is_not_believed(store):
    store.put(runs.execute(tiny()))
    for path in files(store):
        target = store.local / tiny(seed=1).key[:2] / f"{tiny(seed=1).key}{path.suffix}"
        target.parent.mkdir(exist_ok=True)
        path.rename(target)
    with pytest.warns(RuntimeWarning, match="damaged record"):
        assert store.get(tiny(seed=1)) is None


def test_a_sweep_replays_what_is_there_and_computes_the_rest(store):
    first, _ = sweep([tiny(0), tiny(1)], store=store, progress=False)
    again, records = sweep([tiny(1), tiny(2), tiny(0)], store=store, progress=False)
    assert not first["replayed"].any()
    assert again["replayed"].tolist() == [True, False, True]
    assert again["seed"].tolist() == [1, 2, 0]
    assert [r.key for r in records] == [tiny(1).key, tiny(2).key, tiny(0).key]
    afresh, _ = sweep([tiny(0)], store=store, recompute=True, progress=False)
    assert not afresh["replayed"].any()


def test_results_pair_conditions_by_seed(store):
    asked = [
        Run("ae-plain", SMALL, seed, TINY | {"epochs": n}, label=f"{n}") for n in (1, 3) for seed in (2, 0, 1)
    ]
    results = sweep(asked, store=store, progress=False)
    name = str(SMALL)
    assert results.labels(name) == ["1", "3"]
    assert [record.asked["seed"] for record in results.pick(name, "3")] == [0, 1, 2]
    few, many = (results.scores(name, label, "mse-abundances") for label in ("1", "3"))
    by_seed = {record.asked["seed"]: record.scores["mse-abundances"] for record in results.records[:3]}
    np.testing.assert_array_equal(few, [by_seed[seed] for seed in range(3)])
    table = results.summary(["mse-abundances", "sad-endmembers"])
    assert table["label"].tolist() == ["1", "1", "3", "3"]
    row = table.iloc[2]
    assert (row["scene"], row["score"], row["seeds"]) == (name, "mse-abundances", 3)
    assert row["mean"] == pytest.approx(many.mean())
    assert row["std"] == pytest.approx(many.std(ddof=1))
    assert row["ours"] == f"{many.mean():.4f}\u00a0±\u00a0{many.std(ddof=1):.4f}"
    with pytest.raises(LookupError, match="0 runs"):
        results.scores(name, "2", "mse-abundances")
    assert sweep([], store=store, progress=False).records == []


def test_a_failing_run_stops_the_sweep_and_keeps_what_was_finished(store):
    broken = Run("ae-plain", SMALL, 0, TINY, endmembers=99)
    with pytest.raises(ValueError, match="99 endmembers"):
        sweep([tiny(0), broken, tiny(1)], store=store, progress=False)
    assert store.get(tiny(0)) is not None
    assert store.get(tiny(1)) is None


def test_grid_is_the_product():
    made = grid(["ae-plain", "ae-patches"], ["lagoon", SMALL], range(3), epochs=2)
    assert len({run.key for run in made}) == 12


@pytest.mark.slow
def test_kill_9_loses_at_most_the_run_in_progress(store):
    script = (
        "from hsu_lib.runs import Run, Store\nfrom hsu_lib.scene import SceneSpec\n"
        "from hsu_lib.runs import sweep\n"
        "from pathlib import Path\nimport sys\n"
        "runs = [Run('ae-plain', SceneSpec('lagoon', crop=(2, 3, 7, 5)), seed,"
        f" {TINY!r}) for seed in range(400)]\n"
        "sweep(runs, store=Store(Path(sys.argv[1]), Path(sys.argv[2])), progress=False)\n"
    )
    command = [sys.executable, "-c", script, str(store.local), str(store.published)]
    process = subprocess.Popen(command, env=os.environ)
    deadline = time.monotonic() + 120
    while len(list(store.local.glob("??/*.json"))) < 5:
        assert process.poll() is None, "the sweep ended by itself"
        assert time.monotonic() < deadline, "no record in two minutes"
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    finished = len(list(store.local.glob("??/*.json")))
    assert 5 <= finished < 400
    table, _ = sweep([tiny(seed) for seed in range(finished + 3)], store=store, progress=False)
    # seeds are made in order, so exactly the finished ones are replayed
    assert table["replayed"].tolist() == [True] * finished + [False] * 3


# --------------------------------------------------------------------------- runs that start from another


@pytest.fixture
def first_runs(monkeypatch):
    """Seeds of the first estimations that are really made, in order."""
    made = []

    @wraps(PATCHES.solve)
    def solve(problem, settings):
        made.append(problem.seed)
        return PATCHES.solve(problem, settings)

    monkeypatch.setitem(METHODS, PATCHES.name, replace(PATCHES, solve=solve))
    return made


def test_a_refinement_says_what_it_starts_from():
    settings = TINY | {"epochs": 2, "patches": 3, "patch_size": 4}
    assert refined(seed=3).first.key == Run("ae-patches", SMALL, 3, settings).key
    assert refined(first="snpa-fclsu").first.key == Run("snpa-fclsu", SMALL).key
    assert refined(seed=3).asked()["first"] == refined(seed=3).first.asked()
    assert tiny().first is None
    assert "first" not in tiny().asked()
    two = replace(refined(), endmembers=2)
    assert two.first.endmembers == 2


def test_the_first_estimation_is_shared_where_its_settings_are():
    others = [refined(alpha=0.5), refined(images=3), refined(patches=1), refined(noise=0.1)]
    others.append(refined(method="pixelwise-perturbation-patches"))
    assert {run.first.key for run in others} == {refined().first.key}
    assert len({run.key for run in [*others, refined()]}) == 6


def test_a_refinements_key_follows_its_first_estimation(monkeypatch):
    changed = [
        refined(first_epochs=3),
        refined(first_patches=2),
        refined(first="snpa-fclsu"),
        refined(learning_rate=0.02),  # of both
        refined(seed=1),
    ]
    firsts = [run.first.key for run in [*changed, refined()]]
    assert len(set(firsts)) == len(firsts)
    keys = [run.key for run in [*changed, refined()]]
    assert len(set(keys)) == len(keys)
    monkeypatch.setitem(METHODS, PATCHES.name, replace(PATCHES, version=99))
    assert refined().key not in keys
    assert refined(first="snpa-fclsu").key in keys


def test_the_first_estimation_is_made_once_and_kept(store, first_runs):
    record = store.put(runs.execute(refined(), store=store))
    assert first_runs == [0]
    first = store.get(refined().first)
    assert first.origin == "local"
    assert len(list(store.local.glob("??/*.json"))) == 2
    runs.execute(refined(alpha=0.5), store=store)
    runs.execute(refined(method="pixelwise-perturbation-patches"), store=store)
    assert first_runs == [0]
    runs.execute(refined(seed=1), store=store)
    runs.execute(refined(first_epochs=1), store=store)
    assert first_runs == [0, 1, 0]
    again = runs.execute(refined(), store=store)
    for name in record.arrays:
        np.testing.assert_array_equal(again.arrays[name], record.arrays[name])


def test_a_run_starts_from_the_kept_first_estimation(store, first_runs):
    first = runs.execute(refined().first)
    turned = replace(first, arrays={**first.arrays, "A": np.roll(first.arrays["A"], 1, axis=0)})
    store.put(turned)
    first_runs.clear()
    record = runs.execute(refined(), store=store)
    assert not first_runs
    scene = scenes.load(SMALL)
    expected = METHODS[refined().method].unmix(scene, seed=0, start=turned.unmixing, **REFINED)
    expected = metrics.score(expected, scene)[1]
    np.testing.assert_array_equal(record.arrays["A"], expected.A)
    assert not np.array_equal(record.arrays["A"], runs.execute(refined()).arrays["A"])


def test_without_a_store_the_first_estimation_is_made_each_time(first_runs):
    one, two = (runs.execute(refined()) for _ in range(2))
    assert first_runs == [0, 0]
    np.testing.assert_array_equal(one.arrays["A"], two.arrays["A"])


def test_a_published_first_estimation_is_made_again(store, first_runs):
    first = runs.execute(refined().first)
    runs.publish([first], store.published / "desk", [first.key])  # with maps in 255 steps
    runs.execute(refined(), store=store)
    assert first_runs == [0, 0]
    assert store.get(refined().first).origin == "local"


def test_a_sweep_makes_one_first_estimation_for_all_that_start_from_it(store, first_runs):
    asked = [refined(seed, alpha=alpha) for seed in (0, 1) for alpha in (0.1, 0.3)]
    sweep(asked, store=store, progress=False)
    assert first_runs == [0, 1]
    table, _ = sweep([*asked, asked[0].first], store=store, progress=False)
    assert table["replayed"].all()


def test_recomputing_makes_each_first_estimation_once_more(store, first_runs):
    asked = [refined(), refined(alpha=0.5), refined().first]
    sweep(asked, store=store, progress=False)
    assert first_runs == [0]
    table, _ = sweep([refined(), refined(alpha=0.5)], store=store, recompute=True, progress=False)
    assert first_runs == [0, 0]
    assert not table["replayed"].any()


# --------------------------------------------------------------------------- scores made anew


def outdated(record):
    """The record as if it had been made before there were its scores."""
    return replace(record, scores={"mse-abundances": 7.0}, made={**record.made, "scores": 0})


def test_scores_are_made_anew_from_the_arrays():
    record = runs.execute(tiny())
    found = runs.rescored(outdated(record))
    assert found.scores == pytest.approx(record.scores, rel=1e-6)
    assert found.made == record.made
    for name in ("asked", "status", "seconds", "arrays", "origin"):
        assert getattr(found, name) is getattr(record, name)
    bare = replace(record, arrays={"E": record.arrays["E"]})
    with pytest.raises(LookupError, match="only where a page shows"):
        runs.rescored(bare)


def test_a_run_that_diverged_has_no_scores_to_make():
    record = replace(runs.execute(tiny()), status="DIVERGED", scores={})
    found = runs.rescored(replace(record, made={**record.made, "scores": 0}))
    assert found.scores == {}
    assert found.made["scores"] == metrics.VERSION


def test_a_sweep_makes_old_scores_anew(store):
    record = runs.execute(tiny())
    store.put(outdated(record))
    results = sweep([tiny()], store=store, progress=False)
    assert results.records[0].scores == pytest.approx(record.scores, rel=1e-6)
    assert results.table["replayed"].tolist() == [True]
    assert store.get(tiny()).scores == results.records[0].scores  # and keeps them
    written = {path: path.read_bytes() for path in files(store)}
    sweep([tiny()], store=store, progress=False)
    assert {path: path.read_bytes() for path in files(store)} == written


def test_a_sweep_leaves_scores_that_it_cannot_make(store, monkeypatch):
    record = outdated(runs.execute(tiny()))
    runs.publish([record], store.published / "desk", [])
    results = sweep([tiny()], store=store, progress=False)
    assert without_computed(results.records[0].scores) == {"mse-abundances": 7.0}
    assert not files(store)
    store.put(record)
    monkeypatch.setattr(scenes, "is_available", lambda spec: False)
    results = sweep([tiny()], store=store, progress=False)
    assert without_computed(results.records[0].scores) == {"mse-abundances": 7.0}


def test_records_of_version_one_named_a_hash_of_the_scores(store):
    record = runs.execute(tiny())
    old = replace(record, made={**record.made, "scores": "7b49785065011515"})
    assert runs.has_old_scores(old) is (metrics.VERSION > 1)


# --------------------------------------------------------------------------- publication


def test_published_records_are_found_without_data_and_keep_the_maps_asked_for(store, monkeypatch):
    made = [runs.execute(tiny(seed)) for seed in (1, 0)]
    runs.publish(made, store.published / "desk", [made[1].key])
    before = {p: p.read_bytes() for p in store.published.rglob("*") if p.is_file()}
    monkeypatch.setattr(scenes, "load", lambda *a, **k: pytest.fail("a replayed run needs no data"))
    table, records = sweep([tiny(0), tiny(1)], store=store, progress=False)
    assert table["replayed"].all()
    assert table["origin"].tolist() == ["desk", "desk"]
    assert np.abs(records[0].unmixing.A - made[1].arrays["A"]).max() < 1 / 200
    np.testing.assert_allclose(records[0].unmixing.A.sum(axis=0), 1, atol=1e-6)
    with pytest.raises(LookupError, match="only where a page shows"):
        records[1].unmixing  # noqa: B018
    assert without_computed(records[1].scores) == made[0].scores
    np.testing.assert_allclose(records[1].arrays["E"], made[0].arrays["E"], rtol=1 / 4096)
    assert before == {p: p.read_bytes() for p in store.published.rglob("*") if p.is_file()}
    assert not files(store)


def test_long_curves_are_rounded(store):
    record = runs.execute(tiny())
    long = np.geomspace(1e-7, 1e9, 1000).astype(np.float32)
    long[3:6] = np.nan, np.inf, -2.5e-3
    runs.publish(
        [replace(record, arrays={**record.arrays, "history/long": long})], store.published / "desk", []
    )
    published = store.get(tiny())
    found = published.arrays["history/long"]
    np.testing.assert_allclose(found, long, rtol=1 / 4096)
    assert np.abs(found[6:] / long[6:] - 1).max() > 0  # some were rounded
    np.testing.assert_array_equal(published.arrays["history/loss"], record.arrays["history/loss"])


def test_the_local_store_comes_before_the_published_one(store):
    record = runs.execute(tiny())
    runs.publish([record], store.published / "desk", [])
    store.put(record)
    assert store.get(tiny()).origin == "local"
    assert [r.origin for r in store.records()] == ["local"]


# --------------------------------------------------------------------------- keys are pinned


def published():
    return sorted(paths.published().glob("*/records/*.npz"))


def test_the_key_of_every_published_record_is_rebuilt_from_what_was_asked():
    assert published()
    moved = []
    for path in published():
        asked = read_body(path)[0]["asked"]
        run = Run.from_asked(asked)
        if run.key != path.stem or json.loads(json.dumps(run.asked())) != asked:
            moved.append(f"{path.stem[:12]} of {run}")
    assert not moved, f"{len(moved)} keys are no longer those of published records, first: {moved[:3]}"


@pytest.mark.parametrize("method", METHODS)
def test_a_setting_added_later_moves_no_key_while_it_has_its_default(method, monkeypatch):
    run = Run(method, SMALL)
    before = run.key

    def with_a_new_setting(**since):
        new = sourced(5, "ours: made up", **since)
        grown = make_dataclass("Grown", [("added", int, new)], bases=(METHODS[method].settings,), frozen=True)
        return replace(METHODS[method], settings=grown)

    monkeypatch.setitem(METHODS, method, with_a_new_setting(since="9.9"))
    assert Run(method, SMALL, settings={"added": 5}).key == run.key == before
    assert Run(method, SMALL, settings={"added": 6}).key != before
    assert Run.from_asked(Run(method, SMALL, settings={"added": 6}).asked()).settings["added"] == 6
    monkeypatch.setitem(METHODS, method, with_a_new_setting())
    assert run.key != before


def test_what_is_asked_is_plain_json():
    assert json.loads(json.dumps(tiny().asked())) == tiny().asked()


def test_published_snapshots_are_maps_again(store):
    record = runs.execute(tiny())
    frames = np.stack([record.arrays["A"], np.roll(record.arrays["A"], 1, axis=1)])
    record = replace(
        record, arrays={**record.arrays, "history/snapshots": frames, "history/a/b": frames[0, 0]}
    )
    runs.publish([record], store.published / "desk", [record.key])
    found = store.get(tiny())
    assert found.origin == "desk"
    np.testing.assert_allclose(found.arrays["history/snapshots"], frames, atol=0.01)
    np.testing.assert_array_equal(found.arrays["history/a/b"], frames[0, 0])


def test_maps_that_the_history_keeps_come_in_the_order_of_the_record(store):
    run = Run("undip", SceneSpec("lagoon"), 1, {"iterations": 3, "filters": 4, "snapshots": 2})
    record = runs.execute(run)
    np.testing.assert_allclose(record.arrays["history/snapshots"][-1], record.arrays["A"], atol=1e-6)
