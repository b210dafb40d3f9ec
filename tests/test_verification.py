"""Published runs made again: which, with how many threads, and how near they come."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from click.testing import CliRunner

from hsu_lib import runs
from hsu_lib.cli import main
from hsu_lib.runs import Run, Store, verification
from hsu_lib.runs.verification import KINDS, Verification
from hsu_lib.scene import SceneSpec

SMALL = SceneSpec("lagoon", crop=(2, 3, 7, 5))
ASKED = [Run("vca-fclsu", SMALL, seed) for seed in range(6)] + [Run("sivm-fclsu", SMALL)]


@pytest.fixture
def published(tmp_path, monkeypatch):
    """A few runs, published; what is made again has a folder of its own."""
    monkeypatch.setenv("HSU_PUBLISHED", str(tmp_path / "published"))
    monkeypatch.setattr("hsu_lib.paths.built", lambda: tmp_path / "built")
    made = [runs.execute(run) for run in ASKED]
    runs.publish(made, tmp_path / "published" / "desk", [])
    return made


def test_the_sample_has_every_method(published):
    every = verification.published("desk")
    assert len(every) == 7
    for number in (1, 2, 5, 99):
        sample = verification.drawn(every, number, seed=3)
        assert {r.asked["method"] for r in sample} == {"vca-fclsu", "sivm-fclsu"}
        assert len({r.key for r in sample}) == len(sample) == min(max(number, 2), 7)
    keys = [[r.key for r in verification.drawn(every, 4, seed)] for seed in (3, 3, 4)]
    assert keys[0] == keys[1] != keys[2]
    with pytest.raises(LookupError, match="nothing is published for profile 'paper'"):
        verification.published("paper")


@pytest.mark.parametrize(
    ("made", "threads"),
    [
        ({"threads": 3}, 3),
        ({"device": "AMD EPYC, 2 threads"}, 2),
        ({"device": "NVIDIA H200"}, 1),
        ({}, 1),
    ],
)
def test_a_run_takes_the_threads_it_was_made_with(published, made, threads):
    assert verification.threads_of(replace(published[0], made=made)) == threads


def test_how_near_a_run_comes(published):
    record = published[0]

    def again(rmse=0.0, E=0.0, **changed):
        scores = record.scores | {"rmse-abundances": record.scores["rmse-abundances"] + rmse}
        arrays = {**record.arrays, "E": record.arrays["E"] + E}
        return verification.compared(record, replace(record, scores=scores, arrays=arrays, **changed)).kind

    assert again() == KINDS[0]
    assert again(rmse=1e-7) == KINDS[1]
    assert again(rmse=0.005) == again(E=0.2) == KINDS[2]
    assert again(rmse=0.02) == KINDS[3]
    assert again(status="DIVERGED") == KINDS[3]
    assert again(status="STOPPED") == KINDS[0]  # it says more of how it ended


def test_the_command_tells_and_publishes_what_it_found(published, tmp_path):
    found = CliRunner().invoke(main, ["verify", "desk", "--sample", "3", "--publish"])
    assert found.exit_code == 0, found.output
    assert "3 of 7 runs, 3 equal" in found.output
    kept = Verification.read(tmp_path / "published" / "desk")
    assert kept is not None
    assert kept.kinds[KINDS[0]] == 3
    assert str(kept) in found.output
    assert Verification.read(tmp_path) is None


def test_a_run_that_comes_out_otherwise_ends_with_one(published, tmp_path):
    wrong = [replace(r, scores=r.scores | {"sad-endmembers": 0.9}) for r in published]
    other = tmp_path / "other"
    runs.publish(wrong, other / "desk", [])
    env = {"HSU_PUBLISHED": str(other)}
    found = CliRunner().invoke(main, ["verify", "desk", "--sample", "2", "--json"], env=env)
    assert found.exit_code == 1
    assert "beyond" in found.stderr
    assert json.loads(found.stdout)["kinds"]["beyond"] == 2
    assert Store(tmp_path / "built").local.exists()
