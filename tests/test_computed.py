"""Scores computed from records, counted out by hand; and that published records give the same, to the bit."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy.stats import spearmanr

from hsu_lib import methods, scenes
from hsu_lib.claims.documents import claims
from hsu_lib.claims.questions import SEEDS, questions, read_question, vocabulary
from hsu_lib.learning.networks.prior import parameters
from hsu_lib.methods.priors.undip import ARCHITECTURES
from hsu_lib.metrics import examine
from hsu_lib.runs import Record, Run, computed, curves, execute, publication, publish, read_record
from hsu_lib.runs.amounts import Amounts
from hsu_lib.runs.answers import Answer, answers
from hsu_lib.runs.answers.several import among, rank_correlation, trained_values
from hsu_lib.runs.campaign import enumerated
from hsu_lib.runs.choices import Wanted
from hsu_lib.runs.compact import compacted, expanded
from hsu_lib.runs.computed import score_of
from hsu_lib.runs.curves import rounded
from hsu_lib.runs.publication import off, published_form
from hsu_lib.scene import Scene, SceneSpec

MAE = "mae-abundances-fclsu-averaged"
ESTIMATES = ("loss", "mse-reconstruction", MAE)


def curve(length: int, seed: int, noise: float = 0.05) -> np.ndarray:
    """Falls and then strays, as UnDIP's do."""
    rng = np.random.default_rng(seed)
    falls = 0.01 + 0.3 * np.exp(-np.arange(length) / rng.uniform(0.05, 0.3) / length)
    return (falls * rng.lognormal(0, noise, length)).astype(np.float32)


def undip(length: int, seed: int = 0, method: str = "undip", **settings) -> Record:
    run = Run(method, SceneSpec("lagoon"), seed, {"iterations": length, **settings})
    history = {f"history/{name}": curve(length, 10 * seed + k) for k, name in enumerate(ESTIMATES)}
    E = np.random.default_rng(seed).random((20, 4), dtype=np.float32)
    made = {"commit": "abc"}
    return Record(run.asked(), {"mse-reconstruction": 0.1}, "FINISHED", 1.0, made, {"E": E, **history})


def values(record: Record, name: str) -> list[float]:
    return [float(v) for v in record.arrays[f"history/{name}"]]


def rises(mae: list[float], span: int = 50):
    """All pairs of iterations at most so far apart, with what they are apart by."""
    for i in range(len(mae)):
        for k in range(i + 1, min(i + span, len(mae) - 1) + 1):
            yield i, k, mae[k] - mae[i]


# --------------------------------------------------------------------------- from whole curves


@pytest.mark.parametrize("length", [3000, 301, 40])
def test_scores_of_curves_are_what_loops_find(length):
    record = undip(length, seed=length)
    mae, error, loss = (values(record, name) for name in (MAE, "mse-reconstruction", "loss"))
    late = mae[length // 2 :]
    expected = {
        "re-falls-mae-rises": float(
            any(error[k] < error[i] and mae[k] > 1.05 * mae[i] for i, k, _ in rises(mae))
        ),
        "largest-rise-of-mae": max(rise for *_, rise in rises(late)) / mae[-1],
        "roughness-of-mae": np.std([b - a for a, b in pairwise(late)]),
        "early-rise-of-loss": float(any(loss[t] > 1.1 * min(loss[: t + 1]) for t in range(min(150, length)))),
        "mae-of-last-tenth": np.median(mae[-int(np.ceil(length / 10)) :]),
        "loss-of-last-tenth": np.median(loss[-int(np.ceil(length / 10)) :]),
        "range-of-mae": max(mae[2000:]) - min(mae[2000:]) if length == 3000 else np.nan,
        "mae-at-1000": mae[999] if length == 3000 else np.nan,
        "mae-at-2000": mae[1999] if length == 3000 else np.nan,
    }
    found = {name: score_of(record, name) for name in expected}
    np.testing.assert_allclose(list(found.values()), list(expected.values()), rtol=1e-12, err_msg=str(found))


def test_a_curve_that_only_falls_never_rises():
    record = undip(400)
    falls = np.linspace(1, 0.1, 400, dtype=np.float32)
    record = replace(record, arrays={f"history/{name}": falls for name in ESTIMATES})
    for name in ("re-falls-mae-rises", "largest-rise-of-mae", "early-rise-of-loss"):
        assert score_of(record, name) == 0.0
    bump = falls.copy()
    bump[250] = 1.06 * falls[200]  # 50 apart, in the second half
    record = replace(record, arrays=record.arrays | {f"history/{MAE}": bump})
    assert score_of(record, "re-falls-mae-rises") == 1.0
    bump[250], bump[251] = falls[250], 1.06 * falls[200]  # 51 apart
    assert score_of(
        replace(record, arrays=record.arrays | {f"history/{MAE}": bump}), "re-falls-mae-rises"
    ) == (bump[251] > 1.05 * bump[201])


def test_a_curve_that_is_not_finite_has_no_score():
    record = undip(400)
    record.arrays[f"history/{MAE}"][300] = np.nan
    assert np.isnan(score_of(record, "roughness-of-mae"))
    assert curves.first_down_to(record, MAE, 1.0) is None
    published = published_form(record)
    assert np.isnan(score_of(published, "roughness-of-mae"))
    assert curves.first_down_to(published, MAE, 1.0) is None


# --------------------------------------------------------------------------- published, and to the bit


@given(
    arrays(np.float32, st.integers(0, 40), elements=st.floats(width=32)),
    arrays(np.int32, st.integers(0, 40), elements=st.integers(-(2**31), 2**31 - 1)),
)
def test_compacted_arrays_come_back_to_the_bit(one, other):
    found = expanded(compacted({"a/b": one, "c": other}))
    assert list(found) == ["a/b", "c"]
    assert found["a/b"].view(np.int32).tolist() == one.view(np.int32).tolist()
    assert found["c"].tolist() == other.tolist()


@pytest.mark.parametrize("length", [7, 300, 301, 3000])
def test_curves_are_drawn_where_all_have_them_whether_whole_or_published(length):
    records = [undip(length, seed) for seed in range(3)]
    at, whole = curves.together(records, MAE)
    assert at.tolist() == list(range(1, length + 1))
    np.testing.assert_array_equal(whole[1], records[1].arrays[f"history/{MAE}"])
    mixed_at, mixed = curves.together([published_form(records[0]), *records[1:]], MAE)
    assert (mixed_at[0], mixed_at[-1]) == (1, length)
    assert len(mixed_at) == length if length <= 300 else len(mixed_at) <= 150
    np.testing.assert_allclose(mixed, whole[:, mixed_at - 1], rtol=1 / 1024)


@given(arrays(np.float32, array_shapes(max_dims=3, min_side=0), elements=st.floats(width=32)))
def test_arrays_of_any_shape_are_compacted(array):
    found = expanded(compacted({"x": array}))["x"]
    assert found.shape == array.shape
    assert found.flags.c_contiguous
    np.testing.assert_array_equal(found.view(np.int32), array.view(np.int32))


def test_only_numbers_of_32_bits_are_compacted():
    with pytest.raises(ValueError, match="x: expected float32"):
        compacted({"x": np.zeros(3)})


@given(
    arrays(np.float32, (5, 2), elements=st.floats(-1, 1, width=32, allow_subnormal=False)),
    st.floats(0, 1e-3),
)
def test_what_rounding_explains_is_no_difference(E, change):
    kept = rounded(E)
    assert off(kept, E).max() == 0
    assert off(kept, E + change).max() <= change * (1 + 1e-6)
    assert off(E + np.float32(1e-7), E + np.float32(1e-7)).max() == 0
    far = off(kept, np.full_like(E, 3.0))
    np.testing.assert_allclose(far, np.abs(kept - 3.0), rtol=1 / 4096, atol=1 / 4096)


def to_the_bit(record, published):
    """As records were published before curves were rounded here: every value lower than before, whole."""
    kept = {}
    for name in curves.FOLLOWED:
        least = np.minimum.accumulate(record.arrays[f"history/{name}"])
        at = np.flatnonzero(np.concatenate([[True], least[1:] < least[:-1]]))
        kept |= {f"lowest-at/{name}": (at + 1).astype(np.int32), f"lowest/{name}": least[at]}
    return replace(published, arrays={**published.arrays, **kept})


@given(st.integers(0, 2**31), st.integers(301, 900), st.floats(1.0, 30.0))
def test_first_passages_of_published_curves_are_those_of_whole_ones(seed, length, share):
    record = undip(length, seed)
    published = published_form(record)
    for name, settled in ((MAE, "mae-of-last-tenth"), ("loss", "loss-of-last-tenth")):
        level = 1.05 * share * score_of(record, settled)
        curve = rounded(values(record, name)).astype(np.float64)
        first = next((t for t, v in enumerate(curve, 1) if v <= level), length)
        assert curves.first_down_to(record, name, level) == first
        assert curves.first_down_to(published, name, level) == first
        assert curves.first_down_to(to_the_bit(record, published), name, level) == first
        assert score_of(published, settled) == score_of(record, settled)


def test_a_run_that_never_comes_down_counts_with_all_its_iterations():
    record = undip(400)
    assert curves.first_down_to(record, MAE, 0.0) == 400
    assert curves.first_down_to(published_form(record), MAE, 0.0) == 400


def test_published_curves_are_thinned_and_small(tmp_path):
    record = undip(3000)
    assert publish([record], tmp_path, []) < 12_000
    found = read_record(tmp_path / "records" / f"{record.key}.npz", "desk")
    at = found.arrays["history/iterations"]
    assert at[0] == 1
    assert at[-1] == 3000
    assert len(at) <= 150
    for name in ESTIMATES:
        np.testing.assert_allclose(
            found.arrays[f"history/{name}"], record.arrays[f"history/{name}"][at - 1], rtol=1 / 4096
        )
    assert publish([record, found], tmp_path, []) == 0
    assert computed.without_computed(found.scores) == record.scores
    assert not [name for name in published_form(undip(300)).arrays if name.startswith("lowest")]


def test_whole_and_thinned_curves_are_shown_together():
    records = [undip(400, seed) for seed in range(3)]
    at, every = curves.together(records, MAE)
    np.testing.assert_array_equal(at, np.arange(1, 401))
    np.testing.assert_array_equal(every, [values(record, MAE) for record in records])
    records[1] = published_form(records[1])
    at, some = curves.together(records, MAE)
    np.testing.assert_array_equal(at, records[1].arrays["history/iterations"])
    np.testing.assert_allclose(some, every[:, at - 1], rtol=1 / 4096)  # as published
    same, first = curves.together(records[:1], MAE, at)  # a whole one beside them, at the same iterations
    np.testing.assert_array_equal(same, at)
    np.testing.assert_array_equal(first[0], every[0, at - 1])
    with pytest.raises(KeyError):
        curves.together(records, "another")


# --------------------------------------------------------------------------- models with labels


def labelled(scene: str = "lagoon", reference: str = "", **arrays) -> Record:
    run = Run("labelled-fclsu", SceneSpec(scene, reference=reference), 0)
    kept = {name if name == "E" else f"history/{name}": array for name, array in arrays.items()}
    return Record(run.asked(), {"test/rmse-abundances-averaged": 0.2}, "FINISHED", 1.0, {}, kept)


def test_what_a_model_makes_of_test_pixels_is_read_from_its_summaries():
    errors = np.random.default_rng(0).random(99)
    summary = examine.summary(errors).astype(np.float32)
    names = ("reconstruction-angle", "reconstruction-mse", "clean-mse", "generated-angle", "generated-mse")
    record = labelled(**dict.fromkeys(names, summary), dominant=np.array([0.75]), E=np.array([[0.5, -1.0]]))
    for name in names:
        assert score_of(record, name) == np.float32(np.mean(errors))
    assert score_of(record, "reconstruction-angle-median") == np.float32(np.median(errors))
    assert score_of(record, "dominant") == 0.75
    assert score_of(record, "smallest-endmember-entry") == -1.0
    assert np.isnan(score_of(labelled(), "clean-mse"))


def test_rmse_over_that_of_the_uniform_answer():
    scene = scenes.load("lagoon")
    test = np.random.default_rng(1).random(scene.height * scene.width) < 0.3
    A = scene.A.reshape(len(scene.A), -1)[:, test].astype(float)
    uniform = np.mean([np.sqrt(np.mean((row - 1 / len(A)) ** 2)) for row in A])
    record = labelled(test=test.astype(np.float32))
    assert score_of(record, "rmse-over-uniform") == pytest.approx(0.2 / uniform)
    assert published_form(record).scores["rmse-over-uniform"] == score_of(record, "rmse-over-uniform")


def test_roughness_of_the_spectrum_of_tree(monkeypatch):
    E = np.random.default_rng(2).random((156, 3))

    def rough(spectrum, bands):
        s = spectrum / max(spectrum)
        return np.sqrt(np.mean([(s[b - 1] - 2 * s[b] + s[b + 1]) ** 2 for b in bands]))

    record = labelled("samson", "end3", E=E, test=np.ones(5, dtype=np.float32))
    inside, outside = range(100, 151), [*range(1, 100), *range(151, 155)]
    assert score_of(record, "roughness-100-150") == pytest.approx(rough(E[:, 1], inside))
    assert score_of(record, "roughness-elsewhere") == pytest.approx(rough(E[:, 1], outside))
    assert np.isnan(score_of(labelled(E=E), "roughness-100-150"))  # lagoon has no tree
    reference = Scene(np.zeros((156, 1, 1)), E[::-1])
    monkeypatch.setattr(computed, "_loaded", lambda spec: reference)
    expected = pytest.approx(rough(E[::-1, 1], inside), rel=1e-5)
    assert score_of(record, "roughness-100-150-reference") == expected


# --------------------------------------------------------------------------- of several records


def ask(part, scores=None, curved=None, *, settings=None, seeds=SEEDS) -> Answer:
    """Answer to a question of one component on `lagoon`, from made-up records of all runs it needs."""
    says = {"primary": "Is it?", "settings": settings or {}, "components": [{"scene": "lagoon"} | part]}
    how = {"questions": {"toy": read_question("toy", says)}, "words": vocabulary()}
    runs = enumerated(Amounts(), seeds, **how).runs
    found = {key: record(run, scores, curved) for key, run in runs.items()}
    (answer,) = answers(amounts=Amounts(), seeds=seeds, find=found.get, **how)
    assert set(answer.keys) == set(found)
    return answer


def record(run: Run, scores, curved) -> Record:
    told = scores(run) if scores else {}
    arrays = {f"history/{name}": c for name, c in (curved(run) if curved else {}).items()}
    E = np.ones((20, 4), dtype=np.float32)
    return Record(run.asked(), told, "FINISHED", 1.0, {"commit": "abc"}, {"E": E, **arrays})


def differences(answer: Answer) -> np.ndarray:
    return np.array(answer.ways[0].comparisons[0].differences)


def drawn(run: Run) -> np.random.Generator:
    return np.random.default_rng([int(run.key[:8], 16)])


def test_error_over_that_of_fclsu_on_the_same_image():
    def scores(run):
        return {"mse-reconstruction": run.seed * (1.0 if run.method == "sivm-fclsu" else 1.5)}

    answer = ask({"score": "re-over-fclsu", "of": "UnDIP", "below": 2, "snr": 20}, scores)
    np.testing.assert_allclose(differences(answer), 0.5)


def test_slopes_are_those_of_least_squares():
    def scores(run):
        re, mae = drawn(run).lognormal(size=2)
        return {"mse-reconstruction": re, "mae-abundances-fclsu": mae}

    found = {}
    for score, name in (("slope-of-re", "mse-reconstruction"), ("slope-of-mae", "mae-abundances-fclsu")):
        found[score] = differences(ask({"score": score, "of": "UnDIP", "above": 0.0}, scores))
        for seed, slope in zip(SEEDS, found[score], strict=True):
            specs = [SceneSpec("lagoon", snr_db=snr, noise_seed=seed) for snr in (10, 20, 30, 40, 50)]
            logs = [np.log(scores(Run("undip", spec, seed))[name]) for spec in specs]
            assert slope == pytest.approx(np.polyfit([-1, -2, -3, -4, -5], logs, 1)[0])
    side = {"condition": "UnDIP", "score": "slope-of-mae"}
    part = {"score": "slope-of-re", "better": "UnDIP", "than": side, "smallest_effect": 0.1}
    np.testing.assert_allclose(differences(ask(part, scores)), found["slope-of-re"] - found["slope-of-mae"])


def test_rise_of_mae_from_50_db():
    def scores(run):
        return {"mae-abundances-fclsu": {50: 0.1, 10: 0.4}[run.scene.snr_db] + 0.001 * run.seed}

    answer = ask({"score": "rise-of-mae", "of": "UnDIP", "above": 0.2, "snr": 10}, scores)
    np.testing.assert_allclose(differences(answer), 0.1)


STARTS = ["UnDIP", "UnDIP from PALM", "UnDIP from NMF"]


@pytest.mark.parametrize(
    ("score", "name", "factor"),
    [
        ("iterations-to-common-mae", MAE, 1.05),
        ("iterations-to-common-loss", "loss", 1.05),
        ("iterations-to-tenfold-loss", "loss", 10),
    ],
)
@pytest.mark.parametrize("group", [STARTS, None])
def test_iterations_to_a_level_common_to_the_group(score, name, factor, group):
    def curved(run):
        return {name: drawn(run).uniform(0.5, 2) * curve(80, int(run.key[:8], 16), 0.3)}

    part = {"score": score, "better": "UnDIP from NMF", "than": "UnDIP", "smallest_effect": 0.1}
    more = {"group": group} if group else {}
    answer = ask(part | more, curved=curved, settings={"iterations": 80})
    for seed, difference in zip(SEEDS, differences(answer), strict=True):
        found = {}
        for start in group or ["UnDIP from NMF", "UnDIP"]:
            settings = {"iterations": 80, **vocabulary().conditions[start].settings}
            found[start] = curved(Run("undip", SceneSpec("lagoon"), seed, settings))[name].tolist()
        level = factor * max(np.median(c[-8:]) for c in found.values())
        firsts = {s: next((t for t, v in enumerate(c, 1) if v <= level), 80) for s, c in found.items()}
        assert difference == firsts["UnDIP"] - firsts["UnDIP from NMF"]


def test_iterations_of_records_that_are_shown_are_those_that_decide():
    def curved(run):
        return {MAE: drawn(run).uniform(0.5, 2) * curve(80, int(run.key[:8], 16), 0.3)}

    part = {"score": "iterations-to-common-mae", "better": "UnDIP from NMF", "than": "UnDIP"}
    answer = ask(part | {"smallest_effect": 0.1}, curved=curved, settings={"iterations": 80})
    shown = {
        name: [record(Run("undip", SceneSpec("lagoon"), seed, settings), None, curved) for seed in SEEDS]
        for name in ("UnDIP", "UnDIP from NMF")
        for settings in ({"iterations": 80, **vocabulary().conditions[name].settings},)
    }
    found = among("iterations-to-common-mae", shown)
    np.testing.assert_array_equal(differences(answer), found["UnDIP"] - found["UnDIP from NMF"])


SIX = [f"architecture {k}" for k in range(1, 7)]


def test_model_gap_between_the_first_three_and_the_last():
    def scores(run):
        wide = 1.0 if run.scene.snr_db == 20 else 0.5
        deep = run.settings["levels"] == 4
        return {"mae-abundances-fclsu": wide * (0.2 if deep else 0.6) + 0.01 * len(run.settings["skips"])}

    sides = ({"condition": SIX, "snr": snr} for snr in (50, 20))
    part = {"score": "model-gap", "better": next(sides), "than": next(sides), "smallest_effect": 0.01}
    answer = ask(part, scores)
    skips = 0.01 * (len("none" + "direct" + "one") - len("direct" + "one" + "two")) / 3
    np.testing.assert_allclose(differences(answer), 0.4 + skips - (0.2 + skips))
    assert "architecture 1 to architecture 6" in answer.deciding.words


def test_size_and_convergence():
    def curved(run):
        return {MAE: curve(80, int(run.key[:8], 16), 0.3)}

    answer = ask(
        {"score": "size-and-convergence", "of": SIX, "above": 0.0}, curved=curved, settings={"iterations": 80}
    )
    asked = [{"iterations": 80, **ARCHITECTURES[k]} for k in range(1, 7)]
    configure = methods.get("undip-configurable").configure
    sizes = [parameters(configure(**settings).network(4)) for settings in asked]
    for seed, found in zip(SEEDS, differences(answer), strict=True):
        of = [
            curved(Run("undip-configurable", SceneSpec("lagoon"), seed, s))[MAE].astype(float) for s in asked
        ]
        level = 1.05 * max(np.median(c[-8:]) for c in of)
        firsts = [np.flatnonzero(c <= level)[0] + 1 if (c <= level).any() else 80 for c in of]
        assert found == pytest.approx(spearmanr(sizes, firsts).statistic)


def test_rank_correlation_without_ranks_is_zero_and_without_values_none():
    found = rank_correlation(np.array([1.0, 2, 3]), np.array([[5.0, 1, 3], [5, 2, np.nan], [5, 3, 1]]))
    np.testing.assert_array_equal(found, [0, 1, np.nan])


def test_counting_trained_values_draws_nothing():
    import torch

    torch.manual_seed(1)
    before = torch.get_rng_state()
    assert trained_values(undip(5, method="undip-configurable", levels=4, filters=3)) > 0
    assert torch.equal(torch.get_rng_state(), before)


# --------------------------------------------------------------------------- all questions at once

DOCUMENTS = ("undip", "ldvae", "spacnn_ldvae")


def chosen(wanted: Wanted) -> dict[str, float]:
    return {"abundance_weight": 10.0 if wanted.view.endswith("validation") else 1000.0}


def anything(run: Run) -> Record:
    """A record with all that a run of the method has, drawn by its key."""
    rng, scene = drawn(run), scenes.load("lagoon")
    names = ["mse-reconstruction", "mse-spectral", "mse-noise", "sad-endmembers", "mae-abundances-fclsu"]
    names += [f"mae-abundances-fclsu/{m}" for m in ("tree", "water", "dirt", "road", "rock")]
    names += ["test/rmse-abundances-averaged"]
    arrays = {"E": rng.random((scene.bands, 4), dtype=np.float32)}
    length = run.settings.get("iterations", 0)
    if length:
        arrays |= {f"history/{n}": curve(length, int(rng.integers(2**31))) for n in ESTIMATES}
    elif run.method != "sivm-fclsu":
        told = ("reconstruction-angle", "reconstruction-mse", "clean-mse", "generated-angle", "generated-mse")
        arrays |= {f"history/{name}": rng.random(7, dtype=np.float32) for name in told}
        arrays |= {"history/dominant": rng.random(1, dtype=np.float32)}
        arrays |= {"history/test": (rng.random(scene.height * scene.width) < 0.5).astype(np.float32)}
    scores = dict(zip(names, rng.lognormal(size=len(names)).tolist(), strict=True))
    return Record(run.asked(), scores, "FINISHED", 1.0, {"commit": "abc", "date": "2030-01-01"}, arrays)


def test_a_value_for_each_pixel_is_not_published():
    record = execute(Run("udas", SceneSpec("lagoon"), 1, {"rounds": 1}))
    assert record.arrays["history/sums"].ndim == 1
    assert record.arrays.keys() - published_form(record).arrays.keys() == {"history/sums"}


@pytest.mark.usefixtures("no_sitting")
def test_every_question_is_answered_alike_from_local_and_from_published_records(tmp_path):
    """Rehearsed on one scene with three seeds: nothing is decided, everything is told."""
    source = claims()["source"]
    asked = [claim for claim in questions() if source[claim] in DOCUMENTS]
    seeds, where = (100, 101, 102), {"where": "lagoon", "choices": chosen}
    runs = enumerated(Amounts(), seeds, asked, **where).runs
    assert {run.scene.name for run in runs.values()} == {"lagoon"}
    made = {key: anything(run) for key, run in runs.items()}
    publish(list(made.values()), tmp_path, [])

    def published(key):
        path = tmp_path / "records" / f"{key}.npz"
        return read_record(path, "desk") if path.exists() else None

    local = answers(asked, amounts=Amounts(), seeds=seeds, find=made.get, **where)
    again = answers(asked, amounts=Amounts(), seeds=seeds, find=published, **where)
    told = [json.dumps(answer.to_dict(), allow_nan=False) for answer in local]
    assert told == [json.dumps(answer.to_dict(), allow_nan=False) for answer in again]
    assert [Answer.from_dict(json.loads(text)) for text in told] == local
    for answer in local:
        timed = "times of runs with nothing beside them" in answer.reason
        assert (answer.verdict is None) == timed, f"{answer.claim}: {answer.reason}"
        for way in answer.ways:
            for c in way.comparisons:
                assert c.seeds == seeds or "tree" in c.words or "roughness" in c.words, c.words
                assert not c.seeds or np.isfinite(c.interval).all()


def test_what_was_published_comes_out_alike_if_it_is_published_again(monkeypatch):
    """As when records of before are written in the form of today."""
    monkeypatch.setattr(publication, "LONG", 100)
    once = published_form(undip(3000))
    twice = published_form(replace(once, origin="local"))
    assert twice.scores == once.scores
    assert list(twice.arrays) == list(once.arrays)
    assert max(a.size for name, a in once.arrays.items() if name.startswith("lowest")) > 100
    for name, array in once.arrays.items():
        np.testing.assert_array_equal(twice.arrays[name], array, err_msg=name)
