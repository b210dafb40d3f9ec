"""The store when things go wrong: damage, full disks, kills, several processes; and its index."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hsu_lib import atomic, paths, runs
from hsu_lib.learning.checkpoints import Checkpoint
from hsu_lib.runs import (
    DamagedRecord,
    Record,
    Run,
    Store,
    as_row,
    canonical,
    leases,
    plan,
    processes,
    read_record,
    schedule,
    sweep,
)
from hsu_lib.runs import index as index_module
from hsu_lib.scene import SceneSpec

SMALL = SceneSpec("lagoon", crop=(2, 3, 7, 5))


def asked(seed=0):
    return Run("vca-fclsu", SMALL, seed)


def record(seed=0, factor=1.0):
    rng = np.random.default_rng(seed)
    A = rng.dirichlet(np.ones(3), 35).T.reshape(3, 7, 5).astype(np.float32)
    arrays = {"E": rng.random((20, 3)) * factor, "A": A, "history/loss": rng.random(9)}
    made = {"date": "2026-01-02T03:04:05+00:00", "device": "toy", "commit": "", "scores": 99}
    return Record(asked(seed).asked(), {"mse-abundances": 0.25 * factor}, "DONE", 1.5, made, arrays)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "local", tmp_path / "published")


def npz(store, seed=0):
    key = asked(seed).key
    return store.local / key[:2] / f"{key}.npz"


def snapshot(folder):
    """Records, and what was set aside or is half-written."""
    names = [p for p in folder.rglob("*") if p.is_file() and not p.name.startswith("index.sqlite")]
    return {str(p.relative_to(folder)): p.read_bytes() for p in names}


def same(one, other):
    assert (one.asked, one.scores, one.made) == (other.asked, other.scores, other.made)
    assert set(one.arrays) == set(other.arrays)
    for name in one.arrays:
        np.testing.assert_array_equal(one.arrays[name], other.arrays[name])


def child(work):
    """Process id of a copy of this process that does the work and ends."""
    pid = os.fork()
    if not pid:
        try:
            work()
            os._exit(0)
        except BaseException:
            os._exit(1)
    return pid


def ended(pid):
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def no_such_process():
    pid = os.fork()
    if not pid:
        os._exit(0)
    os.waitpid(pid, 0)
    return pid


# --------------------------------------------------------------------------- one record


def test_a_record_is_one_file_and_its_words_beside_it_are_for_people(store):
    store.put(record())
    path = npz(store)
    words = json.loads(path.with_suffix(".json").read_text())
    assert (words["asked"], words["scores"]) == (record().asked, record().scores)
    with np.load(path, allow_pickle=False) as file:  # anybody's numpy opens it
        np.testing.assert_array_equal(file["history/loss"], record().arrays["history/loss"])
    for text in (b"", b"{}", path.with_suffix(".json").read_bytes().replace(b"0.25", b"0.01")):
        path.with_suffix(".json").write_bytes(text)
        same(store.get(asked()), record())
    path.with_suffix(".json").unlink()
    same(store.get(asked()), record())
    assert [r.key for r in store.records()] == [row["key"] for row in store.rows()] == [asked().key]


def test_equal_records_are_equal_files(store):
    store.put(record())
    before = snapshot(store.local)
    store.put(record())
    assert snapshot(store.local) == before


def test_a_flip_anywhere_and_a_cut_anywhere_are_noticed(store):
    store.put(record())
    path = npz(store)
    whole = path.read_bytes()
    for place in {*range(0, len(whole), 23), *range(len(whole) - 90, len(whole))}:
        flipped = bytearray(whole)
        flipped[place] ^= 1 << place % 8
        path.write_bytes(flipped)
        with pytest.raises(DamagedRecord):
            read_record(path, "local")
    for length in range(0, len(whole), 97):
        path.write_bytes(whole[:length])
        with pytest.raises(DamagedRecord):
            read_record(path, "local")
    path.unlink()
    path.mkdir()
    with pytest.warns(RuntimeWarning, match="it is a folder"):
        assert store.get(asked()) is None
    assert not path.exists()


def test_damage_is_moved_aside_and_told(store):
    for time_ in range(2):
        store.put(record())
        npz(store).write_bytes(b"something else")
        with pytest.warns(RuntimeWarning, match=r"damaged record, computed again.*now in .*damaged"):
            assert store.get(asked()) is None
        kept = sorted((store.local / "damaged").glob("*.npz"))
        assert [path.read_bytes() for path in kept] == [b"something else"] * (time_ + 1)
    assert not list(store.local.glob("??/*"))


def test_a_record_of_a_newer_version_is_left_alone(store, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("hsu_lib.runs.layout.FORMAT", 3)
        store.put(record())
    before = snapshot(store.local)
    with pytest.raises(ValueError, match="newer") as error:
        store.get(asked())
    assert not isinstance(error.value, DamagedRecord)
    assert snapshot(store.local) == before


# --------------------------------------------------------------------------- records of before


#: Names of curves before there were seals, and today.
OLD_CURVES = {
    "re": "mse-reconstruction",
    "spectral-mse-averaged": "mse-spectral-averaged",
    "mae.reference": "mae-abundances",
    "mae.fclsu": "mae-abundances-fclsu",
    "loss": "loss",
}


def of_before(folder, seed=0):
    """The words of a record as they were written before there were seals; the archive lies beside them."""
    found, folder = record(seed), Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {name: found.arrays[name] for name in ("E", "A")}
    arrays |= {f"history.{name}": found.arrays["history/loss"] + k for k, name in enumerate(OLD_CURVES)}
    path = folder / f"{found.key}.json"
    np.savez_compressed(path.with_suffix(".npz"), **arrays)
    words = {name: getattr(found, name) for name in ("asked", "scores", "status", "seconds", "made")}
    words["arrays_sha256"] = canonical.digest(path.with_suffix(".npz").read_bytes())
    words["sha256"] = canonical.digest(canonical.to_json(words))
    path.write_text(json.dumps(words))
    return path


def test_old_records_are_read_and_their_words_count(store):
    for seed in (0, 1):
        path = of_before(store.local / asked(seed).key[:2], seed)
        found = read_record(path, "local")
        assert found.key == path.stem
        assert found.scores == record(seed).scores
        assert {name.removeprefix("history/") for name in found.arrays} == {"E", "A", *OLD_CURVES.values()}
        np.testing.assert_array_equal(found.arrays["A"], record(seed).arrays["A"])
        same(store.find(path.stem), found)
        for suffix in (".json", ".npz"):
            file = path.with_suffix(suffix)
            whole = file.read_bytes()
            file.write_bytes(whole.replace(b"1", b"2", 1))
            with pytest.raises(DamagedRecord):
                read_record(path, "local")
            file.unlink()
            with pytest.raises(DamagedRecord):
                read_record(path, "local")
            file.write_bytes(whole)
        words = path.read_bytes()
        store.put(replace(found, scores={"mse-abundances": 0.5}))
        path.write_bytes(words)  # as if killed before the second file took its place
        assert store.find(path.stem).scores == {"mse-abundances": 0.5}
    with pytest.raises(FileNotFoundError):
        read_record(store.local / "00" / f"{'0' * 64}.json", "local")


# --------------------------------------------------------------------------- errors of the machine


@pytest.mark.parametrize(
    "error",
    [OSError(errno.EMFILE, "x"), OSError(errno.EIO, "x"), PermissionError(errno.EACCES, "x"), MemoryError()],
)
@pytest.mark.parametrize("reading", ["get", "records", "rows", "sweep"])
def test_an_error_of_the_machine_is_no_damage(store, monkeypatch, error, reading):
    store.put(record())
    shutil.rmtree(store.local / "leases", ignore_errors=True)
    (store.local / "index.sqlite").unlink()
    before = snapshot(store.local)
    read_bytes = Path.read_bytes

    def fail(path):
        if path.suffix == ".npz":
            raise error
        return read_bytes(path)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", fail)
        with pytest.raises(type(error)):
            {
                "get": lambda: store.get(asked()),
                "records": lambda: list(store.records()),
                "rows": store.rows,
                "sweep": lambda: sweep([asked()], store=store, progress=False),
            }[reading]()
    assert snapshot(store.local) == before
    same(store.get(asked()), record())


def test_short_memory_while_the_arrays_are_made_is_no_damage(store, monkeypatch):
    store.put(record())

    def fail(*_, **__):
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(np, "load", fail)
        with pytest.raises(MemoryError):
            store.get(asked())
    same(store.get(asked()), record())


def test_a_folder_that_cannot_be_listed_is_told(store, monkeypatch):
    store.put(record())
    scandir, listdir = os.scandir, os.listdir

    def closed(through):
        def listed(path="."):
            if Path(path) == npz(store).parent:
                raise PermissionError(errno.EACCES, "closed", str(path))
            return through(path)

        return listed

    monkeypatch.setattr(os, "scandir", closed(scandir))
    monkeypatch.setattr(os, "listdir", closed(listdir))
    with pytest.raises(PermissionError):
        store.rows()
    with pytest.raises(PermissionError):
        list(store.records())


@pytest.mark.parametrize("failing", ["fsync", "replace"])
@pytest.mark.parametrize("call", [1, 2])
def test_a_rewrite_that_fails_leaves_a_whole_record_and_nothing_half(store, monkeypatch, failing, call):
    store.put(record())
    real, calls = getattr(os, failing), []

    def fail(*given):
        calls.append(given)
        if len(calls) == call:
            raise OSError(errno.ENOSPC, "disk full")
        return real(*given)

    with monkeypatch.context() as patch:
        patch.setattr(os, failing, fail)
        with pytest.raises(OSError, match="disk full"):
            store.put(record(factor=2.0))
    expected = record(factor=2.0 if (failing, call) == ("replace", 2) else 1.0)
    same(store.get(asked()), expected)
    assert [row["mse-abundances"] for row in store.rows()] == [expected.scores["mse-abundances"]]
    assert not list((store.local / "parts").iterdir())


@pytest.mark.parametrize("call", [1, 2])
def test_kill_9_between_the_two_files_leaves_a_whole_record(store, monkeypatch, call):
    store.put(record())
    real, calls = os.replace, []

    def killed(*given):
        calls.append(given)
        if len(calls) == call:
            os.kill(os.getpid(), signal.SIGKILL)
        real(*given)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", killed)
        pid = child(lambda: store.put(record(factor=2.0)))
        assert ended(pid) == -signal.SIGKILL
    same(store.get(asked()), record(factor=float(call)))
    assert len(list((store.local / "parts").iterdir())) == 3 - call
    store.tidy()
    assert not list((store.local / "parts").iterdir())
    assert store.rows()[0]["mse-abundances"] == 0.25 * call


def test_a_store_that_is_only_read_gives_what_it_has(store, monkeypatch):
    old = runs.execute(asked())
    store.put(replace(old, scores={}, made={**old.made, "scores": 0}))
    store.rows()

    def fail(*_, **__):
        raise OSError(errno.EROFS, "read-only file system")

    for name in ("mkdir", "unlink", "rename", "replace"):
        monkeypatch.setattr(os, name, fail)
        monkeypatch.setattr(Path, name, fail)
    opened = os.open
    monkeypatch.setattr(os, "open", lambda p, how, *a: fail() if how & os.O_CREAT else opened(p, how, *a))
    assert len(store.rows()) == len(list(store.records())) == 1
    with pytest.warns(RuntimeWarning, match="not kept: .*read-only"):
        table, _ = sweep([asked()], store=store, progress=False)
    assert table["replayed"].all()
    assert table["mse-abundances"][0] == pytest.approx(old.scores["mse-abundances"])
    with pytest.warns(RuntimeWarning), pytest.raises(OSError, match="read-only"):  # before any work
        sweep([asked(), asked(1)], store=store, progress=False)


# --------------------------------------------------------------------------- several processes


def test_many_writers_of_the_same_keys_mix_nothing(store):
    start = time.time() + 0.2

    def write(factor):
        time.sleep(max(0.0, start - time.time()))
        for seed in range(25):
            store.put(record(seed, factor))

    assert [ended(pid) for pid in [child(lambda k=k: write(k)) for k in (1.0, 2.0, 3.0)]] == [0, 0, 0]
    rows = {row["key"]: row for row in store.rows()}
    for seed in range(25):
        found = store.get(asked(seed))
        same(found, record(seed, found.scores["mse-abundances"] / 0.25))
        words = json.loads(npz(store, seed).with_suffix(".json").read_text())
        assert words["scores"] == found.scores == {"mse-abundances": rows[found.key]["mse-abundances"]}
    assert not list((store.local / "parts").iterdir())


def test_damage_that_another_process_has_mended_is_not_moved(store, monkeypatch):
    store.put(record())
    npz(store).write_bytes(b"something else")
    held = leases.held

    def mended_first(folder):
        npz(store).unlink()
        store.put(record(factor=2.0))
        return held(folder)

    monkeypatch.setattr("hsu_lib.runs.store.held", mended_first)
    same(store.get(asked()), record(factor=2.0))
    assert not (store.local / "damaged").exists()


def test_a_lease_ends_with_its_process(store):
    key, gate = asked().key, store.local / "gate"

    def hold():
        with store.lease(key) as ours:
            gate.write_text(str(ours))
            time.sleep(60)

    store.local.mkdir()
    pid = child(hold)
    while not gate.exists() or not gate.read_text():
        time.sleep(0.005)
    with store.lease(key) as ours:
        assert not ours
    store.tidy()
    with store.lease(key) as ours:  # nobody's tidying takes it away
        assert not ours
    os.kill(pid, signal.SIGKILL)
    assert ended(pid) == -signal.SIGKILL
    assert list((store.local / "leases").iterdir())
    store.tidy()
    assert not list((store.local / "leases").iterdir())
    with store.lease(key) as ours:
        assert ours
    assert not list((store.local / "leases").iterdir())


def test_without_locks_everybody_may_work(store, monkeypatch):
    def none(*_):
        raise OSError(errno.ENOLCK, "no locks available")

    monkeypatch.setattr(leases.fcntl, "flock", none)
    with store.lease("a") as one, store.lease("a") as other:
        assert one
        assert other
    sweep([asked()], store=store, progress=False)
    assert store.get(asked()) is not None


def counted(monkeypatch, log):
    """From here on every execution leaves a line with its seed."""
    real = schedule.execute

    def execute(run, **given):
        with log.open("a") as file:
            file.write(f"{run.method} {run.seed}\n")
        return real(run, **given)

    monkeypatch.setattr(schedule, "execute", execute)


def test_two_sweeps_share_the_work(store, monkeypatch, tmp_path):
    log = tmp_path / "log"
    counted(monkeypatch, log)
    wanted = [Run("ae-plain", SMALL, seed, {"epochs": 20, "filters": 4, "kernel": 3}) for seed in range(8)]
    runs.execute(wanted[0])  # what is loaded once is not what is looked at
    start = time.time() + 0.1

    def work():
        time.sleep(max(0.0, start - time.time()))
        table, records = sweep(wanted, store=store, progress=False, device="cpu")
        assert [r.key for r in records] == [run.key for run in wanted]
        with (tmp_path / "computed").open("a") as file:
            file.write("x" * int((~table["replayed"]).sum()) + "\n")

    pids = [child(work), child(work)]
    assert [ended(pid) for pid in pids] == [0, 0]
    assert sorted(log.read_text().split("\n")[:-1]) == [f"ae-plain {seed}" for seed in range(8)]
    shares = [len(line) for line in (tmp_path / "computed").read_text().split("\n")[:-1]]
    assert sum(shares) == 8
    assert min(shares) > 0


def test_what_another_process_is_making_is_waited_for(store, monkeypatch, tmp_path):
    log = tmp_path / "log"
    counted(monkeypatch, log)
    kept = runs.execute(asked(0))

    def slowly():
        with store.lease(asked(0).key):
            (tmp_path / "held").touch()
            time.sleep(0.3)
            store.put(kept)

    pid = child(slowly)
    while not (tmp_path / "held").exists():
        time.sleep(0.005)
    table, records = sweep([asked(0), asked(1)], store=store, progress=False)
    assert ended(pid) == 0
    assert log.read_text() == "vca-fclsu 1\n"  # the other one meanwhile
    assert table["replayed"].tolist() == [True, False]
    assert records[0].made == kept.made


# --------------------------------------------------------------------------- what is left behind


def test_leftovers_of_the_dead_go_and_those_of_the_living_stay(store):
    dead = no_such_process()
    for name in ("parts", "unfinished"):
        folder = store.local / name
        folder.mkdir(parents=True)
        mine = atomic.temporary(folder)
        gone = mine.with_name(mine.name.replace(f"-{os.getpid()}-", f"-{dead}-"))
        elsewhere = gone.with_name("." + "0" * 12 + gone.name[13:])
        old = elsewhere.with_name(elsewhere.name.replace(".part", "")[:-8] + "01234567.part")
        for path in (mine, gone, elsewhere, old, folder / "notes.txt"):
            path.write_bytes(b"half")
        os.utime(old, (0, 0))
        store.tidy()
        assert set(folder.iterdir()) == {mine, elsewhere, folder / "notes.txt"}


def test_the_state_of_a_run_that_is_done_goes_with_the_next_sweep(store):
    store.put(record())
    for seed in (0, 1):
        Checkpoint(store.local / "unfinished" / asked(seed).key).save({"done": 1})
    store.tidy(finished=False)
    assert len(list((store.local / "unfinished").iterdir())) == 2
    store.tidy()
    assert [path.name for path in (store.local / "unfinished").iterdir()] == [asked(1).key]


# --------------------------------------------------------------------------- plans and schedules


def refined(seed=0, **changes):
    tiny = {"epochs": 2, "filters": 4, "kernel": 3, "images": 2, "patches": 2, "patch_size": 4}
    return Run("simple-perturbation-patches", SMALL, seed, tiny | {"first": "snpa-fclsu"} | changes)


def test_a_plan_has_each_needed_run_once_and_first_ones_first():
    two = [refined(0, alpha=0.1), asked(3), refined(0, alpha=0.3), asked(3), refined(0).first]
    planned = plan(two)
    assert [run.key for run in planned] == [
        refined(0).first.key,
        two[0].key,
        asked(3).key,
        two[2].key,
    ]
    done = {two[0].key, two[2].key}
    assert [run.key for run in plan(two[:4], done=lambda run: run.key in done)] == [asked(3).key]
    assert plan([]) == []


def test_a_run_waits_for_the_one_it_starts_from():
    waiting = schedule.Waiting(plan([refined(0), refined(0, alpha=0.5), asked(0)]))
    first = waiting.next()
    assert first.key == refined(0).first.key
    assert waiting.next().key == asked(0).key
    assert waiting.next() is None
    waiting.elsewhere(first)
    assert waiting.next() is None
    assert 0 < waiting.pause() <= 1
    time.sleep(waiting.pause())
    assert waiting.next().key == first.key
    waiting.finished(first)
    assert {waiting.next().key, waiting.next().key} == {refined(0).key, refined(0, alpha=0.5).key}
    assert waiting.pause() is None


def test_runs_are_begun_in_their_order_and_what_starts_from_a_failed_one_never():
    planned = plan([refined(0), refined(0, alpha=0.5), asked(0), asked(1)])
    first, two, three, last = planned[0], *planned[1:3], planned[4]
    waiting = schedule.Waiting(planned)
    assert waiting.next(lambda run: run.seed == 1).key == last.key
    assert waiting.next().key == first.key
    waiting.finished(first)
    assert [waiting.next().key for _ in range(2)] == [two.key, three.key]  # before what was asked later
    waiting = schedule.Waiting(planned)
    assert waiting.next().key == first.key
    waiting.failed(first)
    assert [waiting.next().key for _ in range(2)] == [asked(0).key, asked(1).key]
    waiting.finished(asked(0))
    waiting.finished(asked(1))
    assert not waiting
    assert waiting.next() is None


def test_an_error_names_its_run(store):
    with pytest.raises(ValueError, match="99 endmembers") as error:
        sweep([Run("vca-fclsu", SMALL, 4, endmembers=99)], store=store, progress=False)
    assert "while making vca-fclsu on lagoon" in error.value.__notes__[0]
    assert not list((store.local / "leases").iterdir())


@pytest.mark.slow
def test_processes_give_what_here_gives(store, tmp_path):
    wanted = [refined(0), *(asked(seed) for seed in range(5)), refined(1), asked(0)]
    one = sweep(wanted, store=store, schedule=processes(2), progress=False, device="cpu")
    other = sweep(wanted, store=Store(tmp_path / "other"), progress=False, device="cpu")
    assert one.table["replayed"].tolist() == [False] * 7 + [True]
    for mine, theirs in zip(one.records, other.records, strict=True):
        assert (mine.key, mine.scores) == (theirs.key, theirs.scores)
    assert "1 threads" in one.records[0].made["device"]
    assert sweep(wanted, store=store, schedule=processes(2), progress=False).table["replayed"].all()
    broken = Run("vca-fclsu", SMALL, 4, endmembers=99)
    with pytest.raises(ValueError, match="99 endmembers") as error:
        sweep([broken, asked(9)], store=store, schedule=processes(1), progress=False)
    assert "seed 4" in error.value.__notes__[0]
    with pytest.raises(ValueError, match="at least one"):
        processes(0)


def alive(group):
    """Processes of a group that still run."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, of = path.read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(of) == group and state != "Z":
            found.append(path.parent.name)
    return found


def interruptible():
    """Tests that are started in the background ignore interruptions, and hand that on."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.slow
def test_an_interruption_ends_all_processes_and_keeps_what_was_finished(store):
    script = (
        "import sys\nfrom pathlib import Path\nfrom hsu_lib.runs import Run, Store, processes, sweep\n"
        "from hsu_lib.scene import SceneSpec\n"
        "runs = [Run('ae-plain', SceneSpec('lagoon', crop=(2, 3, 7, 5)), s, dict(epochs=30, filters=4))\n"
        "        for s in range(500)]\n"
        "sweep(runs, store=Store(Path(sys.argv[1])), schedule=processes(2), progress=False, device='cpu')\n"
    )
    command = [sys.executable, "-c", script, str(store.local)]
    process = subprocess.Popen(
        command, start_new_session=True, stderr=subprocess.PIPE, text=True, preexec_fn=interruptible
    )
    deadline = time.monotonic() + 120
    while len(list(store.local.glob("??/*.npz"))) < 4:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all of them
    _, told = process.communicate(timeout=30)
    assert process.returncode != 0
    assert told.count("KeyboardInterrupt") == 1  # of one process, not of each
    deadline = time.monotonic() + 10
    while alive(process.pid):
        assert time.monotonic() < deadline, "a process goes on"
        time.sleep(0.05)
    assert all(read_record(path, "local") for path in store.local.glob("??/*.npz"))


# --------------------------------------------------------------------------- the index


def filled(store, count=6):
    for seed in range(count):
        store.put(record(seed))
    runs.publish([record(seed) for seed in (1, 100)], store.published / "desk", [])


def expected(store):
    return [as_row(found) for found in store.records()]


def test_rows_are_those_of_the_records_whatever_happens_to_the_files(store, monkeypatch):
    filled(store)
    assert store.rows() == expected(store)
    npz(store, 0).unlink()
    npz(store, 0).with_suffix(".json").unlink()
    store.put(record(1, 2.0))
    runs.write_record(npz(store, 7).parent, record(7))  # by somebody who knows of no index
    (npz(store, 2).parent / "notes.txt").write_text("foreign")
    (store.local / "ab.txt").write_text("foreign")
    rows = store.rows()
    assert rows == expected(store)
    assert {row["seed"] for row in rows} == {1, 2, 3, 4, 5, 7, 100}
    monkeypatch.setattr("hsu_lib.runs.store.read_body", lambda path: pytest.fail(f"{path} is known"))
    assert store.rows() == rows
    shutil.rmtree(npz(store, 3).parent)
    assert 3 not in {row["seed"] for row in store.rows()}


def test_old_records_change_with_either_of_their_files(store):
    path = of_before(store.published / "desk" / "records")
    words = path.read_bytes()
    store.local.mkdir()
    assert len(store.rows()) == 1
    path.write_bytes(words.replace(b'"seconds": ', b'"seconds": 1'))
    with pytest.warns(RuntimeWarning, match="damaged records, passed over: 1"):
        assert store.rows() == []
    path.write_bytes(words)
    assert len(store.rows()) == 1


def test_damage_is_told_by_a_listing_and_stays_where_it_is(store):
    filled(store)
    npz(store, 2).write_bytes(b"something else")
    before = snapshot(store.local)
    for _ in range(2):
        with pytest.warns(RuntimeWarning, match=r"damaged records, passed over: 1"):
            assert 2 not in {row["seed"] for row in store.rows()}
        with pytest.warns(RuntimeWarning, match=r"damaged record, passed over"):
            list(store.records())
    assert snapshot(store.local) == before


@pytest.mark.parametrize("harm", ["gone", "empty", "other", "cut", "older", "tables", "flips"])
def test_a_damaged_index_is_made_anew(store, harm):
    filled(store)
    rows, path = store.rows(), store.local / "index.sqlite"
    whole = path.read_bytes()
    if harm == "gone":
        path.unlink()
    elif harm == "flips":
        for place in range(100, len(whole), 997):
            flipped = bytearray(whole)
            flipped[place] ^= 1 << place % 8
            path.write_bytes(flipped)
            assert store.rows() == rows
        path.write_bytes(whole)
    elif harm in ("older", "tables"):
        base = sqlite3.connect(path)
        base.execute("DROP TABLE rows")
        base.execute(f"PRAGMA user_version = {index_module.VERSION - (harm == 'older')}")
        base.commit()
        base.close()
    else:
        path.write_bytes({"empty": b"", "other": b"no base " * 999, "cut": whole[: len(whole) // 2]}[harm])
    assert store.rows() == rows
    found = index_module.Index(path).entries()
    assert len(found) == 8
    store.put(record(50))
    assert len(index_module.Index(path).entries()) == 9


def test_without_an_index_everything_works(store, monkeypatch):
    filled(store, 2)
    rows = store.rows()

    def fail(*_, **__):
        raise sqlite3.OperationalError("unable to open database file")

    with monkeypatch.context() as patch:
        patch.setattr(sqlite3, "connect", fail)
        assert store.rows() == rows
        store.put(record(9))
        assert len(store.rows()) == len(rows) + 1
    empty = Store(store.local / "nowhere", store.published)
    assert {row["seed"] for row in empty.rows()} == {1, 100}
    assert not empty.local.exists()


def test_an_index_that_is_locked_is_not_waited_for_long(store, monkeypatch):
    monkeypatch.setattr(index_module, "PATIENCE", 0.05)
    filled(store, 2)
    with ExitStack() as stack:
        base = sqlite3.connect(store.local / "index.sqlite")
        stack.callback(base.close)
        base.execute("BEGIN EXCLUSIVE")
        store.put(record(9))
        assert {row["seed"] for row in store.rows()} == {0, 1, 9, 100}
    assert {row["seed"] for row in store.rows()} == {0, 1, 9, 100}


def test_a_listing_loads_no_torch(store):
    filled(store, 1)
    code = (
        "import sys\nfrom hsu_lib.cli import main\nmain(sys.argv[1:], standalone_mode=False)\n"
        "assert not {'torch', 'scipy', 'pandas'} & set(sys.modules), 'loaded'"
    )
    environment = os.environ | {"HSU_STORE": str(store.local), "HSU_PUBLISHED": str(store.published)}
    for command in (["runs"], ["runs", "--json", "--method", "vca-fclsu"], ["runs", "--scene", "x"]):
        done = subprocess.run(
            [sys.executable, "-c", code, *command], env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        if "--json" in command:
            assert [row["seed"] for row in json.loads(done.stdout)] == sorted({0, 1, 100})


# --------------------------------------------------------------------------- published records


def test_what_is_published_already_is_not_written_again(store):
    folder = store.published / "desk"
    kept = [asked(0).key]
    assert runs.publish([record(0), record(1)], folder, kept) > 0
    before = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in folder.rglob("*") if p.is_file()}
    again = [read_record(folder / "records" / f"{asked(s).key}.json", "desk") for s in (0, 1)]
    for records in ([record(0), record(1)], again):
        assert runs.publish(records, folder, kept) == 0
    assert {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in folder.rglob("*") if p.is_file()} == before
    assert runs.publish([record(1)], folder, [asked(1).key]) > 0  # now with its maps
    assert runs.publish([record(0, 2.0)], folder, kept) > 0
    same_made = replace(record(0, 2.0), arrays={**record(0).arrays})
    assert runs.publish([same_made], folder, kept) > 0


def test_published_records_that_are_published_once_more_stay_as_they_are(tmp_path):
    chosen = sorted(paths.published().glob("*/records/*.npz"))[::100]
    assert chosen
    assert not list(paths.published().glob("*/records/*.json"))  # the words are in the record
    (tmp_path / "records").mkdir()
    for path in chosen:
        shutil.copy(path, tmp_path / "records")
    before = snapshot(tmp_path)
    found = [read_record(path, "desk") for path in chosen]
    assert runs.publish(found, tmp_path, [r.key for r in found if "A" in r.arrays]) == 0
    assert snapshot(tmp_path) == before
