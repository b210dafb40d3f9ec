"""Runs on a real cluster of processes: Dask's, on this machine."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import dask
import pytest
from click.testing import CliRunner
from cluster_toys import POISON, Notes
from distributed import Client, LocalCluster
from test_campaign import campaign  # noqa: F401 - a fixture

from hsu_lib import cli
from hsu_lib.cli.cluster import LINES
from hsu_lib.publishing import chapters
from hsu_lib.runs import Cluster, Run, Store, connection, errands, here, operations, remote, sweep
from hsu_lib.runs.budget import MakeWithTwins, within
from hsu_lib.runs.estimates import Estimates
from hsu_lib.runs.layout import sealed
from hsu_lib.runs.remote import Workers
from hsu_lib.runs.schedule import Make, SetAside
from hsu_lib.scene import SceneSpec

pytestmark = pytest.mark.slow
SMALL = SceneSpec("lagoon", crop=(2, 3, 7, 5))


def quick(seed):
    return Run("vca-fclsu", SMALL, seed)


@pytest.fixture(scope="module")
def notes(tmp_path_factory):
    path = tmp_path_factory.mktemp("cluster") / "notes"
    path.touch()
    return path


HOW = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": ":0", "silence_logs": logging.CRITICAL}


@contextmanager
def started(notes, **how):
    # a worker that is absent this long after an earlier death is given up, even if it is only starting anew
    patient = dask.config.set({"distributed.deploy.lost-worker-timeout": "1h"})
    with patient, LocalCluster(**HOW, **how, local_directory=str(notes.parent)) as cluster:
        with Client(cluster, set_as_default=False) as client:
            client.register_plugin(Notes(notes))
        yield cluster


@pytest.fixture(scope="module")
def processes(notes):
    with started(notes, scheduler_kwargs={"allowed_failures": 2}) as cluster:
        yield cluster


@pytest.fixture
def cluster(processes):
    """Two workers in processes of their own, under nannies; both are there, whatever happened before."""
    until(lambda: len(processes.scheduler.workers) == 2)
    return processes


@pytest.fixture
def near(notes):
    """Two workers in this process, for what needs no other."""
    with started(notes, processes=False) as cluster:
        yield cluster


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "local", tmp_path / "published")


def executed(notes):
    """How often each key was begun."""
    return Counter(line.split()[0] for line in notes.read_text().splitlines())


def timeless(record):
    """A record as it lies on disk, without what no two runs have in common."""
    return sealed(replace(record, seconds=0.0, made={**record.made, "date": ""}))


def processes_of(cluster):
    return {nanny.process.pid for nanny in cluster.workers.values()}


def until(true, seconds=60):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


# --------------------------------------------------------------------------- what comes back


def test_a_killed_worker_loses_nothing_and_nothing_is_made_twice(
    cluster, notes, store, tmp_path, monkeypatch
):
    tiny = {"epochs": 2, "filters": 4, "kernel": 3, "images": 2, "patches": 2, "patch_size": 4}
    refined = Run("simple-perturbation-patches", SMALL, 1, tiny | {"first": "snpa-fclsu"})
    runs = [refined, *map(quick, range(199))]
    kept, before = [], []
    put = Store.put

    def noted(self, record, data=None):
        kept.append(record.key)
        return put(self, record, data)

    def shoot():
        until(lambda: len(kept) >= 80)
        before.extend(kept)
        os.kill(min(processes_of(cluster)), signal.SIGKILL)

    monkeypatch.setattr(Store, "put", noted)
    killer = threading.Thread(target=shoot)
    killer.start()
    results = sweep(runs, store=store, schedule=Cluster(cluster.scheduler_address), progress=False)
    killer.join()
    assert [record.key for record in results.records] == [run.key for run in runs]
    assert not results.table["replayed"].any()
    assert len(before) < 150
    assert Counter(kept) == Counter({run.key: 1 for run in [*runs, refined.first]})
    times = executed(notes)
    assert set(times) == set(kept)
    assert {times[key] for key in before} == {1}
    assert sum(times.values()) <= len(kept) + 4  # what the worker was at, and had not yet handed over
    some = [0, *range(1, 200, 20)]
    other = sweep(
        [runs[k] for k in some], store=Store(tmp_path / "other"), schedule=here, device="cpu", progress=False
    )
    for k, theirs in zip(some, other.records, strict=True):
        assert timeless(results.records[k]) == timeless(theirs)


def test_what_is_kept_is_what_the_worker_sealed(near, store):
    sweep([quick(900)], store=store, schedule=Cluster(near.scheduler_address), progress=False)
    data = (store.local / quick(900).key[:2] / f"{quick(900).key}.npz").read_bytes()
    assert data == sealed(store.get(quick(900)))
    assert store.get(quick(900)).made["threads"] == 1
    assert (
        sweep([quick(900)], store=store, schedule=Cluster(near.scheduler_address), progress=False)
        .table["replayed"]
        .all()
    )


def test_within_a_time_failures_are_told_and_twins_are_made(near, notes, store):
    bad, good, twin = Run("vca-fclsu", SMALL, 910, endmembers=99), quick(911), quick(912)
    make = MakeWithTwins(store, "cpu", twins={good.key: (twin,)})
    how = {"crew": partial(Workers, near.scheduler_address), "estimates": Estimates()}
    found = {outcome.run.key: outcome for outcome in within(900.0, [bad, good], make, **how)}
    assert isinstance(found[bad.key].error, ValueError)
    assert "while making vca-fclsu on lagoon" in found[bad.key].error.__notes__[0]
    assert [record.key for record in found[good.key].records] == [good.key, twin.key]
    assert store.get(twin).made["estimate_of"] == good.key
    assert how["estimates"].of(good).measured
    for path in store.local.glob(f"??/{twin.key}.*"):
        path.unlink()
    (again,) = within(900.0, [good], make, **how)  # its record is sent, and only the twin made
    assert [record.key for record in again.records] == [good.key, twin.key]
    assert executed(notes)[good.key] == 1
    assert list(within(0.0, [quick(913)], make, **how)) == []


def test_a_campaign_on_a_cluster(campaign, near, store):  # noqa: F811
    lines = []
    asked = ("quick", [100], None, 900.0)
    assert operations.sweep(*asked, scheduler=near.scheduler_address, store=store, tell=lines.append) == 0
    found, left, _ = operations.planned("quick", [100], None, store, "cpu")
    assert left == []
    assert lines[-1] == f"{len(found.runs)} made, 0 failed, 0 not made"
    assert any(f"to make on the cluster at {near.scheduler_address}, " in line for line in lines)


def test_the_environment_names_a_cluster(near, notes, store, monkeypatch):
    monkeypatch.setenv("HSU_SCHEDULER", near.scheduler_address)
    sweep([quick(920)], store=store, progress=False)
    assert executed(notes)[quick(920).key] == 1
    seen = []
    monkeypatch.setattr(
        chapters, "run_chapter", lambda chapter, **how: seen.append(os.environ.get("HSU_SCHEDULER"))
    )
    monkeypatch.delenv("HSU_SCHEDULER")
    result = CliRunner().invoke(
        cli.main, ["run", "patching", "--scheduler", near.scheduler_address], catch_exceptions=False
    )
    assert (result.exit_code, seen) == (0, [near.scheduler_address])
    assert "HSU_SCHEDULER" not in os.environ


# --------------------------------------------------------------------------- when things go wrong


def test_a_poisonous_run_is_set_aside_and_the_others_are_made(cluster, notes, store):
    runs = [*map(quick, range(1000, 1004)), quick(POISON), *map(quick, range(1004, 1008))]
    with pytest.raises(SetAside, match=f"3 times or more: vca-fclsu on lagoon.*seed {POISON}"):
        sweep(runs, store=store, schedule=Cluster(cluster.scheduler_address), progress=False)
    assert executed(notes)[quick(POISON).key] == 3
    assert [store.get(run) is not None for run in runs] == [run.seed != POISON for run in runs]
    assert not any((store.local / "leases").iterdir())


def test_an_interruption_leaves_the_cluster_clean(cluster, notes, store):
    long = Run("ae-plain", SMALL, 1, {"epochs": 10**6})
    before = processes_of(cluster)
    making = Cluster(cluster.scheduler_address)([long, quick(930)], Make(store, "cpu"), lambda run: None)
    assert next(making).run.key == quick(930).key
    until(lambda: executed(notes)[long.key])
    with pytest.raises(KeyboardInterrupt):
        making.throw(KeyboardInterrupt())
    until(lambda: not cluster.scheduler.tasks)
    until(lambda: len(cluster.scheduler.workers) == 2)
    assert len(before - processes_of(cluster)) == 1  # that was at work on it
    assert not list((store.local / "leases").iterdir())


def test_a_card_is_waited_for_and_only_its_worker_gets_the_run(near, notes, store, capsys):
    address = near.scheduler_address
    make, runs = MakeWithTwins(store, "cuda"), [quick(seed) for seed in range(940, 944)]
    with Workers(address, make) as crew:
        assert crew.free
        crew.begin(runs[0])
        assert not crew.free
        assert list(crew.answers(0.1)) == []
        assert f"waiting for a worker with --resources GPU=1 at {address}" in capsys.readouterr().err
    until(lambda: not near.scheduler.tasks)
    chosen = near.workers[0]
    chosen.loop.add_callback(chosen.set_resources, GPU=1)
    until(lambda: near.scheduler.workers[chosen.address].resources.get("GPU"))
    how = {"crew": partial(Workers, address), "estimates": Estimates()}
    done = list(within(900.0, runs, make, **how))
    assert len(done) == len(runs)  # with an error each, where there is no card
    at = dict(line.split() for line in notes.read_text().splitlines())
    assert {at[run.key] for run in runs} == {chosen.address}


def test_when_a_worker_joins_others_are_begun(near, store, monkeypatch):
    there = iter([1, 1, 1])
    monkeypatch.setattr(remote, "_LOOK", 0.01)
    monkeypatch.setattr(connection, "offering", lambda client, device: next(there, 2))
    with Workers(near.scheduler_address, Make(store, "cuda")) as crew:  # which nobody makes
        crew.begin(quick(945))
        assert not crew.free
        assert list(crew.answers(None)) == []
        assert crew.free


def test_workers_that_would_make_other_records_are_refused(near, store, monkeypatch):
    there = errands.needed()
    monkeypatch.setattr(errands, "needed", lambda: {**there, "torch": "0.1", "commit": "1234"})
    for asked in (
        lambda: sweep([quick(950)], store=store, schedule=Cluster(near.scheduler_address), progress=False),
        lambda: list(
            within(
                60.0,
                [quick(951)],
                MakeWithTwins(store, "cpu"),
                crew=partial(Workers, near.scheduler_address),
                estimates=Estimates(),
            )
        ),
        lambda: Cluster(near.scheduler_address).visited("cpu"),
    ):
        with pytest.raises(errands.Unfit, match=r"commit is .* must be '1234', torch is .* must be '0\.1'"):
            asked()
    assert store.get(quick(950)) is None


def test_a_worker_with_threads_is_refused(monkeypatch):
    worker = SimpleNamespace(address="tcp://there:1", state=SimpleNamespace(nthreads=4))
    monkeypatch.setattr(errands, "get_worker", lambda: worker)
    with pytest.raises(errands.Unfit, match=r"4 threads.*--nthreads 1"):
        errands.check({})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["sweep", "--scheduler", "node7"], "expected an address such as tcp://node7:8786, got 'node7'"),
        (
            ["run", "patching", "--scheduler", "tcp://127.0.0.1:9"],
            "no Dask scheduler answers at tcp://127.0.0.1:9",
        ),
        (["sweep", "--jobs", "2", "--scheduler", "tcp://node7:8786"], "give one of them"),
    ],
)
def test_errors_teach(given, message, monkeypatch):
    monkeypatch.setattr(connection, "PATIENCE", 0.3)
    result = CliRunner().invoke(cli.main, given)
    assert result.exit_code != 0
    assert message in " ".join(result.output.split())


def test_without_dask_it_is_said_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    result = CliRunner().invoke(cli.main, ["sweep", "--scheduler", "tcp://node7:8786", "--device", "cuda"])
    assert result.exit_code != 0
    assert "pip install 'hsu[cluster]'" in result.output


def test_a_sweep_with_failures_does_not_end_well(monkeypatch):
    monkeypatch.setattr(operations, "sweep", lambda *_, **__: 2)
    assert CliRunner().invoke(cli.main, ["sweep"]).exit_code == 1
    monkeypatch.setattr(operations, "sweep", lambda *_, **__: 0)
    assert CliRunner().invoke(cli.main, ["sweep"]).exit_code == 0


@pytest.mark.parametrize("kind", LINES)
def test_the_lines_that_start_a_cluster_are_python(kind):
    result = CliRunner().invoke(cli.main, ["cluster", kind])
    assert result.exit_code == 0
    compile(result.output, kind, "exec")
    for needed in ("allowed", "HSU_DATA_DIR", "--scheduler {cluster.scheduler_address}", "GPU=1"):
        assert needed.lower() in result.output.lower()
