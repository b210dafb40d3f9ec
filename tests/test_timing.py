"""Times as records: what is timed, by a clock that only training moves; the file; the verdicts from it."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from scipy.stats import spearmanr

from hsu_lib import cli
from hsu_lib.claims.questions import SEEDS, read_question, read_words
from hsu_lib.claims.rule import Verdict
from hsu_lib.methods import METHODS
from hsu_lib.methods.autoencoders import perturbation, vae
from hsu_lib.methods.method import Method
from hsu_lib.methods.priors import undip
from hsu_lib.runs import Record, Run, execute, timing
from hsu_lib.runs.amounts import Amounts, amounts
from hsu_lib.runs.answers import answers, several
from hsu_lib.runs.campaign import enumerated
from hsu_lib.runs.layout import DamagedRecord
from hsu_lib.runs.operations import told
from hsu_lib.runs.times import Sitting, Subject, Timed, counting, free, publish, sittings
from hsu_lib.scene import SceneSpec

QUICK = {name: dict(method.quick) for name, method in METHODS.items()}
AE, MADE_UP, DRAWN, PRIOR, DEEP = (
    json.dumps(QUICK[name])
    for name in (
        "ae-patches",
        "simple-perturbation-patches",
        "vae-augmentation",
        "undip",
        "undip-configurable",
    )
)
WORDS = f"""
scenes:
  made: [{{made: drawn}}]
readings: {{}}
views: {{}}
conditions:
  patches: {{method: ae-patches, settings: {AE}}}
  simple: {{method: simple-perturbation-patches, settings: {MADE_UP}}}
  pixel-wise: {{method: pixelwise-perturbation-patches, settings: {MADE_UP}}}
  vae: {{method: vae-augmentation, settings: {DRAWN}}}
  random: {{method: undip, settings: {PRIOR}}}
  palm: {{method: undip, settings: {json.dumps(QUICK["undip"] | {"input": "palm"})}}}
  shallow: {{method: undip-configurable, settings: {json.dumps(QUICK["undip-configurable"] | {"levels": 1})}}}
  deep: {{method: undip-configurable, settings: {DEEP}}}
  vca: {{method: vca-fclsu}}
scores:
  seconds: {{unit: s, better: lower, timed: true, definition: ''}}
  seconds-stored: {{unit: s, better: lower, timed: true, definition: ''}}
  seconds-per-image: {{unit: s, better: lower, timed: true, definition: ''}}
  seconds-per-iteration: {{unit: s, better: lower, timed: true, definition: ''}}
  seconds-to-common-mae: {{unit: s, better: lower, timed: true, definition: ''}}
  size-and-time: {{unit: '1', better: higher, timed: true, definition: ''}}
  iterations-to-common-mae: {{unit: iterations, better: lower, definition: ''}}
"""
TOYS = read_words(WORDS)
IDLE = {"average": 1.0, "beside": 0.0}
MADE = {"device": "a processor, 1 threads", "commit": "abc", "begin": "2026-01-01T00:00:00+00:00"}


def question(score, first, second, scene="lagoon", **more):
    part = {"scene": scene, "score": score, "better": first, "than": second, "smallest_effect": 0.1, **more}
    return {"toy": read_question("toy", {"primary": "", "components": [part]})}


def wanted(asked):
    return timing.subjects(questions=asked, words=TOYS)[0]


def subject(wanted, label, method=None) -> Subject:
    (found,) = {
        one.key: one for one, _ in wanted if one.run.label == label and method in (None, one.run.method)
    }.values()
    return found


def sitting(wanted, seconds, **more) -> Sitting:
    """A sitting of made up times: seconds of a part of a label, by repetition."""
    timed = [
        Timed(
            str(one),
            one.asked(),
            {part: tuple(seconds(one.run.label, part, k) for k in range(10)) for part in parts},
            timing._probes(one).steps,
            timing._probes(one).images,
            values=timing.Bench(one, ()).values() if one.run.scene.name == "lagoon" else 0,
        )
        for one, parts in wanted
    ]
    load = {"begin": IDLE, "repetitions": [IDLE] * 10}
    return Sitting(**{"repetitions": 10, "timed": tuple(timed), "made": MADE, "load": load} | more)


def by_label(wiggle=0.01, **seconds):
    return lambda label, part, k: seconds[label] * (1 + wiggle * (k % 2))


@pytest.fixture
def clock(monkeypatch):
    """A clock that moves by what is trained, called, made and factorised, and by nothing else."""
    now = SimpleNamespace(seconds=0.0, steps=0)

    def moved(owner, name, seconds):
        before = getattr(owner, name)

        def after(*args, **how):
            now.seconds += seconds(*args) if callable(seconds) else seconds
            now.steps += name == "step"
            return before(*args, **how)

        monkeypatch.setattr(owner, name, after)

    moved(torch.optim.RMSprop, "step", 0.5)
    moved(Method, "unmix", 3.0)
    moved(perturbation, "generate", lambda *_: 0.0)
    moved(undip, "start", lambda Y, E, settings, size: 0.0 if settings.input == "random" else 7.0)
    monkeypatch.setattr(timing.time, "perf_counter", lambda: now.seconds)
    monkeypatch.setattr(timing.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(timing, "_busy", lambda: 0.0)
    now.moved = moved
    return now


# --------------------------------------------------------------------------- what is timed


STEPS_OF_QUICK = {  # epochs times batches, by hand
    "ae-patches": 5 * 2,
    "ae-plain": 5,
    "simple-perturbation": 5 * 1,
    "simple-perturbation-patches": 5 * 3,
    "pixelwise-perturbation-random-patches": 5 * 3,
    "vae-augmentation": 5 * 4,
}


@pytest.mark.parametrize("name", STEPS_OF_QUICK)
def test_steps_are_those_that_training_takes(name, clock):
    one = Subject(Run(name, SceneSpec("lagoon"), settings=QUICK[name]))
    told = timing._probes(one)
    bench = timing.Bench(one, told.runs)
    clock.steps = 0
    execute(one.run)
    document = clock.steps
    if one.first is not None:
        document -= timing._probes(one.first).steps["document"]
    assert document == told.steps["document"] == STEPS_OF_QUICK[name]
    for part in told.runs:
        clock.steps = 0
        bench._run(part, 0)
        assert clock.steps == told.steps[part], part


def test_a_run_is_its_set_up_its_steps_what_it_starts_from_and_its_images(clock):
    clock.moved(perturbation, "perturb", 0.25)  # once for each image of the first kind
    asked = question("seconds-stored", "simple", "patches")
    found = timing.sit(wanted(asked), repetitions=2)
    simple, patches = (subject(wanted(asked), name) for name in ("simple", "patches"))
    timed = found.timed_of(simple)
    np.testing.assert_allclose(timed.per_step, 0.5)
    np.testing.assert_allclose(timed.part("image"), 0.25)
    np.testing.assert_allclose(timed.set_up, 3 + 0.25)
    assert timed.images == QUICK["simple-perturbation-patches"]["images"]
    first = 3 + 0.5 * 5 * 2
    np.testing.assert_allclose(found.score("seconds", patches), first)
    np.testing.assert_allclose(found.score("seconds-stored", patches), first)
    np.testing.assert_allclose(found.score("seconds", simple), first + 3.25 + 0.5 * 15)
    np.testing.assert_allclose(found.score("seconds-stored", simple), first + 3.25 + 0.5 * 15 + 2 * 0.25)


def test_a_set_up_that_grows_with_the_images_is_timed_whole(clock):
    clock.moved(vae, "abundances", 1.0)  # FCLSU for each image
    asked = question("seconds-stored", "vae", "vae")
    found = timing.sit(wanted(asked), repetitions=1)
    (timed,) = found.timed
    images = QUICK["vae-augmentation"]["images"]
    np.testing.assert_allclose(timed.set_up, 3 + images)
    np.testing.assert_allclose(timed.per_step, 0.5)
    assert set(timed.parts) == {"few", "many", "whole", "image"}


def test_the_time_to_a_common_error_counts_what_computes_the_start(clock):
    clock.moved(torch.optim.Adam, "step", 0.2)
    asked = question("seconds-to-common-mae", "random", "palm")
    found = timing.sit(wanted(asked), repetitions=2)
    random, palm = (subject(wanted(asked), name) for name in ("random", "palm"))
    each = (3 + 6 * 0.2) / 6
    iterations = np.array([4.0, 2.0])
    np.testing.assert_allclose(found.score("seconds-per-iteration", random), each)
    np.testing.assert_allclose(found.score("seconds-to-common-mae", random, iterations), iterations * each)
    np.testing.assert_allclose(found.score("seconds-to-common-mae", palm, iterations), iterations * each + 7)


def test_what_has_no_known_steps_is_timed_as_it_is(clock):
    asked = question("seconds", "vca", "vca")
    found = timing.sit(wanted(asked), repetitions=1)
    np.testing.assert_allclose(found.score("seconds", subject(wanted(asked), "vca")), 3)
    assert list(found.timed[0].parts) == ["whole"]
    with pytest.raises(LookupError, match="did not time 'image'"):
        found.score("seconds-per-image", subject(wanted(asked), "vca"))


def test_conditions_are_timed_in_turn_and_the_first_round_does_not_count(monkeypatch, clock):
    order = []
    monkeypatch.setattr(timing, "SIMULATED", (5, 2, 4, 3))
    real = timing.Bench.__call__

    def noted(self, seed):
        order.append((seed, self.subject.run.label))
        return real(self, seed) | {"image": float(seed)}

    monkeypatch.setattr(timing.Bench, "__call__", noted)
    asked = question("seconds-per-image", "simple", "pixel-wise", scene="made")
    found = timing.sit(wanted(asked), repetitions=2)
    assert order == [(k, name) for k in range(3) for name in ("simple", "pixel-wise")]
    assert found.timed[0].parts == {"image": (1.0, 2.0)}
    assert len(found.load["repetitions"]) == found.repetitions == 2
    assert {"device", "threads", "versions", "commit", "begin", "end", "anyway"} == set(found.made)


@pytest.mark.parametrize("name", ["simple", "pixel-wise", "vae"])
def test_an_image_is_made_whole_with_noise(name, monkeypatch):
    made = []
    for module in (perturbation, vae):
        real = module.generate
        monkeypatch.setattr(
            module, "generate", lambda *a, real=real, **k: made.append((real(*a, **k), k)) or made[-1][0]
        )
    one = subject(wanted(question("seconds-stored", name, name)), name)
    assert timing.Bench(one, ["image"])(0)["image"] > 0
    assert len(made) == timing.IMAGES
    image, how = made[0]
    assert image.Y.shape == (1, *timing.scenes.load("lagoon").Y.shape)
    assert how["noise"] > 0
    assert (how.get("pixelwise") is not None) is (name == "pixel-wise")


def test_trained_values_are_counted_and_ranks_compared(clock):
    clock.moved(torch.optim.Adam, "step", 0.2)
    part = {"scene": "lagoon", "score": "size-and-time", "of": ["shallow", "deep"], "above": 0}
    asked = {"toy": read_question("toy", {"primary": "", "components": [part]})}
    found = timing.sit(wanted(asked), repetitions=1)
    assert found.timed[1].values > found.timed[0].values > 0
    sizes, times = [5, 9, 7], [[1.0, 3.0], [2.0, 1.0], [3.0, 2.0]]
    parts = [{"few": (0.0, 0.0), "many": tuple(t)} for t in times]
    steps = {"few": 0, "many": 1, "document": 1}
    ones = [
        Subject(Run("undip-configurable", SceneSpec("lagoon"), settings={"levels": k})) for k in (1, 2, 3)
    ]
    made = [Timed("", one.asked(), p, steps, values=v) for one, p, v in zip(ones, parts, sizes, strict=True)]
    together = Sitting(2, tuple(made), MADE, {"repetitions": []}).size_and_time(ones)
    expected = [spearmanr(sizes, column).statistic for column in zip(*times, strict=True)]
    np.testing.assert_allclose(together, expected)


# --------------------------------------------------------------------------- the file


IMAGE = question("seconds-per-image", "simple", "pixel-wise", scene="made", relative=True)


def good(**more) -> Sitting:
    return sitting(wanted(IMAGE), by_label(simple=1.0, **{"pixel-wise": 2.0}), **more)


def test_a_sitting_is_read_as_it_was_written(tmp_path):
    path = tmp_path / "times.json"
    good().write(path)
    assert Sitting.read(path) == good()
    text = path.read_bytes()
    Sitting.read(path).write(path)
    assert path.read_bytes() == text


@pytest.mark.parametrize("at", [10, 0.3, 0.9, -20, -3])
def test_damage_is_told(tmp_path, at):
    path = tmp_path / "times.json"
    good().write(path)
    data = bytearray(path.read_bytes())
    data[int(at * len(data)) if isinstance(at, float) else at] ^= 1
    path.write_bytes(data)
    with pytest.raises(DamagedRecord, match=r"times\.json is damaged .*take the times again with `hsu time`"):
        Sitting.read(path)
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(DamagedRecord):
        counting(tmp_path)


def test_a_newer_format_is_told(tmp_path, monkeypatch):
    path = tmp_path / "times.json"
    monkeypatch.setattr("hsu_lib.runs.times.FORMAT", 2)
    good().write(path)
    monkeypatch.setattr("hsu_lib.runs.times.FORMAT", 1)
    with pytest.raises(ValueError, match="format 2, this version reads up to 1"):
        Sitting.read(path)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({}, ""),
        ({"made": MADE | {"commit": "abc+"}}, "differ from any commit"),
        ({"made": MADE | {"commit": ""}}, "differ from any commit"),
        ({"made": MADE | {"anyway": True}}, "something beside it"),
        ({"load": {"repetitions": [IDLE] * 9 + [IDLE | {"beside": 0.5}]}}, "something beside it"),
        ({"repetitions": 9}, "9 repetitions, and 10 are needed"),
    ],
)
def test_only_a_sitting_without_objection_is_published_and_decides(tmp_path, monkeypatch, more, why):
    monkeypatch.setenv("HSU_PUBLISHED", str(tmp_path / "results"))
    path, made = tmp_path / "times.json", good(**more)
    made.write(path)
    assert why in made.objection
    answer = ask(IMAGE, made)
    if why:
        assert (answer.verdict, counting(tmp_path)) == (None, ())
        with pytest.raises(ValueError, match=why):
            publish(path)
        assert not sittings(tmp_path / "results")
    else:
        assert answer.verdict is Verdict.REPRODUCED
        assert publish(path).read_bytes() == path.read_bytes()
        publish(path)  # the same again is no other
        good(made=MADE | {"commit": "def"}).write(path)
        with pytest.raises(ValueError, match="all it timed is in a sitting that is published"):
            publish(path)
        assert [file.name for file in sittings(tmp_path / "results")] == ["times.json"]


def test_a_later_sitting_adds_and_takes_nothing_back(tmp_path, monkeypatch):
    monkeypatch.setenv("HSU_PUBLISHED", str(tmp_path / "results"))
    first = good()
    quicker = replace(first.timed[0], parts={"image": (0.001,) * 10})
    new = replace(first.timed[1], asked={**first.timed[1].asked, "method": "another"})
    later = replace(first, timed=(quicker, *first.timed[1:], new))
    for number, sitting in enumerate((first, later), start=1):
        assert free(tmp_path).name == ("times.json" if number == 1 else f"times-{number}.json")
        timing.keep(sitting, free(tmp_path))
        assert publish(sittings(tmp_path)[-1]).name == sittings(tmp_path)[-1].name
    assert counting() == counting(tmp_path) == (first, later)
    by_first = ask(IMAGE, first).deciding.differences
    assert ask(IMAGE, first, later).deciding.differences == by_first
    assert ask(IMAGE, later, first).deciding.differences != by_first
    lacking = replace(first, timed=first.timed[:1])
    assert ask(IMAGE, lacking).verdict is None
    assert ask(IMAGE, lacking, first).deciding.differences == by_first
    claim = "prim-pixelwise-costlier"
    wanted_parts, asking = timing.subjects([claim])
    assert asking == [claim]
    held = replace(
        first,
        timed=tuple(Timed("", s.asked(), dict.fromkeys(parts, (1.0,)), {}) for s, parts in wanted_parts),
    )
    assert timing.subjects([claim], held=[held]) == ([], [])
    assert timing.subjects([claim], held=[replace(held, timed=held.timed[1:])])[1] == [claim]


def test_a_sitting_that_counts_is_never_replaced(tmp_path):
    path = tmp_path / "times.json"
    timing.keep(good(repetitions=2), path)
    timing.keep(good(), path)
    with pytest.raises(FileExistsError, match="has a sitting that counts"):
        timing.keep(good(), path)


# --------------------------------------------------------------------------- nothing beside it


def test_what_others_take_is_seen_and_refused(monkeypatch):
    monkeypatch.setattr(timing.time, "monotonic", iter([0.0, 10.0] * 3).__next__)
    monkeypatch.setattr(timing.time, "process_time", iter([0.0, 9.0] * 3).__next__)
    monkeypatch.setattr(timing, "_busy", iter([100.0, 109.5, 100.0, 115.0, 100.0, 115.0]).__next__)
    assert timing.Others().since()["beside"] == 0.05
    with pytest.raises(timing.Disturbed, match=r"keep 0\.60 processors busy .* `--anyway`"):
        timing.Others().since()
    assert timing.Others().since(anyway=True)["beside"] == 0.6
    monkeypatch.undo()
    monkeypatch.setattr(timing, "_busy", lambda: None)
    with pytest.raises(timing.Disturbed, match="does not tell"):
        timing.Others().since()


def test_the_processors_are_watched_where_the_system_tells():
    assert timing._busy() is None or timing._busy() > 0


def test_a_sitting_that_is_disturbed_or_interrupted_leaves_nothing(tmp_path, monkeypatch, clock):
    monkeypatch.setattr(timing, "SIMULATED", (5, 2, 4, 3))
    path = tmp_path / "times.json"
    words = ["time", "--claims", "prim-pixelwise-costlier", "--out", str(path)]
    monkeypatch.setattr(timing, "_busy", iter([0.0, 0.0, 0.0, 1e6]).__next__)
    result = CliRunner().invoke(cli.main, words)
    assert (result.exit_code, "stop them and begin anew" in result.output) == (1, True)
    monkeypatch.setattr(timing, "_busy", lambda: 0.0)

    def stopped(self, seed):
        if seed == 2:
            raise KeyboardInterrupt
        return {"image": 1.0}

    monkeypatch.setattr(timing.Bench, "__call__", stopped)
    assert CliRunner().invoke(cli.main, words).exit_code == 1
    assert list(tmp_path.iterdir()) == []


# --------------------------------------------------------------------------- verdicts


def ask(asked, *times, find=lambda key: None, seeds=SEEDS):
    (answer,) = answers(
        amounts=Amounts(), find=find, times=times or None, questions=asked, words=TOYS, seeds=seeds
    )
    return answer


@pytest.mark.parametrize(
    ("simple", "verdict"), [(1.0, Verdict.REPRODUCED), (2.0, Verdict.ABSENT), (4.0, Verdict.REVERSED)]
)
def test_a_sitting_gives_the_verdict(simple, verdict):
    times = sitting(wanted(IMAGE), by_label(simple=simple, **{"pixel-wise": 2.0}))
    answer = ask(IMAGE, times)
    assert answer.verdict is verdict
    assert answer.deciding.seeds == tuple(SEEDS)
    np.testing.assert_allclose(answer.deciding.differences, math.log(2 / simple))
    assert "10 repetitions in turn on a processor, 1 threads, 2026-01-01, commit abc" in answer.reason
    again = ask(IMAGE, times)
    assert json.dumps(again.to_dict()) == json.dumps(answer.to_dict())


@pytest.mark.usefixtures("no_sitting")
def test_without_a_sitting_or_with_another_one_there_is_no_verdict():
    assert "times of runs with nothing beside them" in ask(IMAGE).reason
    other = sitting(wanted(question("seconds", "patches", "patches")), by_label(patches=1.0))
    assert "the sitting did not time simple on made" in ask(IMAGE, other).reason
    assert "needs a sitting of 20 repetitions" in ask(IMAGE, good(), seeds=range(100, 120)).reason


def test_a_group_has_its_ranks_compared_as_a_question_asks():
    part = {"scene": "lagoon", "score": "size-and-time", "of": ["shallow", "deep"], "above": 0}
    asked = {"toy": read_question("toy", {"primary": "", "components": [part]})}

    def seconds(label, part, k):
        return {"few": 1.0, "many": 2.0 + (label == "deep")}[part]

    answer = ask(asked, sitting(wanted(asked), seconds))
    assert answer.verdict is Verdict.REPRODUCED
    assert answer.deciding.differences == pytest.approx([1.0] * 10)
    assert answer.deciding.words == "shallow, deep above 0 on lagoon: rank correlation of size and time"
    small = Amounts("", {"undip-configurable": {"filters": 0.5}})
    (answer,) = answers(
        amounts=small,
        find=lambda key: None,
        times=[sitting(wanted(asked), seconds)],
        questions=asked,
        words=TOYS,
    )
    assert answer.reason == "the sitting did not time shallow on lagoon"  # of networks of that size


def test_iterations_come_from_records_and_their_seconds_from_the_sitting(monkeypatch):
    asked = question("seconds-to-common-mae", "palm", "random", relative=True)
    needed = enumerated(Amounts(), SEEDS, questions=asked, words=TOYS).runs
    found = {
        key: Record(
            run.asked(), {"x": 5.0 if run.label == "palm" else 3.0}, "FINISHED", 1.0, {"commit": "a"}, {}
        )
        for key, run in needed.items()
    }

    def seconds(label, part, k):
        return {"few": 1.0 + 0.5 * (label == "palm"), "many": 1.0 + 0.1 * timing.STEPS}[part]

    times = sitting(wanted(asked), seconds)

    def iterations(scores, terms, group):
        records = scores.records(terms[0])
        return np.array([np.nan if record is None else record.scores["x"] for record in records])

    monkeypatch.setitem(several.SEVERAL, "iterations-to-common-mae", iterations)
    answer = ask(asked, times, find=found.get)
    each = (0.9 + 6 * 0.1) / 6
    np.testing.assert_allclose(answer.deciding.differences, math.log(3 * each / (5 * each + 0.5)))
    assert answer.verdict is Verdict.REVERSED
    assert ask(asked, times).reason == "20 of 20 runs are missing"


# --------------------------------------------------------------------------- the book's own


TIMED = {
    "prim-pixelwise-costlier",
    "prim-samson-faster",
    "prim-vae-trains-faster",
    "undip-larger-model-trains-longer",
    "undip-init-not-worth-time",
    "tutorial-subspace-helps",
}


def test_every_timed_question_of_the_book_is_answered_by_its_sitting():
    needed, asking = timing.subjects()
    assert set(asking) == TIMED
    timed = [
        Timed(
            str(one),
            one.asked(),
            {part: tuple(1.0 + k + number * (part == "many") for k in range(10)) for part in parts},
            timing._probes(one).steps,
            timing._probes(one).images,
            values=number,
        )
        for number, (one, parts) in enumerate(needed)
    ]
    made = Sitting(10, tuple(timed), MADE, {"begin": IDLE, "repetitions": [IDLE] * 10})
    reasons = {a.claim: a.reason for a in answers(asking, times=[made]) if a.verdict is None}
    assert set(reasons) <= {"undip-init-not-worth-time", "tutorial-subspace-helps"}
    assert not any("sitting" in reason for reason in reasons.values())
    seconds = made.of("seconds-per-image", "pixel-wise, patches", "simulated-image")
    np.testing.assert_array_equal(seconds, 1.0 + np.arange(10))
    assert made.of("seconds-stored", "alpha 0.3", "samson", reading="code").shape == (10,)
    with pytest.raises(LookupError, match="did not time alpha 1 on samson"):
        made.of("seconds-stored", "alpha 1", "samson")


def test_steps_of_the_documents_are_those_that_the_questions_name():
    found = {(one.run.label, one.run.scene.name): timing._probes(one) for one, _ in timing.subjects()[0]}
    assert found["VAE, alpha 0.3", "samson"].steps["document"] == 25_000
    assert found["alpha 0.3", "samson"].steps["document"] == 10_500
    assert found["patches", "samson"].steps["document"] == 2_000
    assert found["pixel-wise, patches", "urban-semireal"].steps["document"] == 17_500
    assert found["architecture 6", "jasper"].steps["document"] == 1_000
    assert found["UnDIP", "jasper"].steps["document"] == 3_000
    assert found["simple, patches", "urban-semireal"].images == 70


def test_a_plan_tells_how_many_claims_need_a_sitting(monkeypatch, tmp_path):
    monkeypatch.setenv("HSU_PUBLISHED", str(tmp_path))
    found = enumerated(amounts("paper"))
    assert {way.claim for way in found.timed} == TIMED
    assert not TIMED & set(found.planned)
    assert "6 claims need times of a sitting (`hsu time`)" in list(told("paper", found, []))


def test_the_command_times_shows_keeps_and_publishes(tmp_path, monkeypatch):
    monkeypatch.setattr(timing, "SIMULATED", (5, 2, 4, 3))
    monkeypatch.setenv("HSU_PUBLISHED", str(tmp_path / "results"))
    monkeypatch.setenv("HSU_STORE", str(tmp_path / "runs"))
    words = ["time", "--claims", "prim-pixelwise", "--anyway", "--repetitions", "2"]
    result = CliRunner().invoke(cli.main, words)
    assert result.exit_code == 0, result.output
    assert "pixel-wise, patches on simulated-image" in result.output
    assert "It decides nothing" in result.output
    (local,) = sittings(tmp_path / "runs")
    assert Sitting.read(local).made["anyway"] is True
    assert CliRunner().invoke(cli.main, ["time", "--publish"]).exit_code == 1
    rows = json.loads(CliRunner().invoke(cli.main, [*words, "--json"]).stdout)
    assert [row["timed"].split()[0] for row in rows] == ["simple,", "pixel-wise,"]
    result = CliRunner().invoke(cli.main, ["time", "--claims", "prim-alpha0", "--anyway"])
    assert "none of these claims asks for a time" in result.output
    kept = replace(Sitting.read(local), repetitions=10, made=MADE, load={"repetitions": [IDLE] * 10})
    kept.write(local)
    target = tmp_path / "results" / "times.json"
    assert str(target) in CliRunner().invoke(cli.main, ["time", "--publish"]).output
    result = CliRunner().invoke(cli.main, [*words, "--out", str(local)])
    assert "sitting that counts" in result.output
    assert "is to be, taken" in CliRunner().invoke(cli.main, words).output  # there is nothing left to time
