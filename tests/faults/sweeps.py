"""Kills sweeps at random and looks what is lost: two processes over one store, again and again.

Each round starts two sweeps and kills one or both with signal 9 after a random time. Then every record that
was there before must be there still, to the byte, every file in its place must be whole, and no more than
what was in progress may be lost. In some rounds nobody is killed: then no run may be made twice. At the end a
whole sweep must give exactly what one without kills gives, and nothing may be left behind.

    python tests/faults/sweeps.py --rounds 200
"""

from __future__ import annotations

import argparse
import functools
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import torch

from hsu_lib import runs
from hsu_lib.learning import checkpoints
from hsu_lib.runs import Run, Store, execute, read_record, schedule, sweep
from hsu_lib.scene import SceneSpec

SMALL = SceneSpec("lagoon", crop=(2, 3, 7, 5))
TINY = {"epochs": 2, "filters": 4, "kernel": 3, "images": 2, "patches": 2, "patch_size": 4}
TINY |= {"first_epochs": 2, "first_patches": 3}


def wanted(block: int) -> list[Run]:
    """A dozen runs: quick ones, some that start from another, one that keeps its state."""
    seeds = range(3 * block, 3 * block + 3)
    prior = {"iterations": 60, "filters": 8, "window": 5}
    return [
        *(Run("vca-fclsu", SMALL, 10 * seed + k) for seed in seeds for k in range(2)),
        *(
            Run("simple-perturbation-patches", SMALL, seed, TINY | {"alpha": a})
            for seed in seeds
            for a in (0.1, 0.5)
        ),
        Run("undip", SMALL, block, prior),
    ]


def child(work, log: Path) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        real = schedule.execute

        def execute_and_tell(run: Run, **given):
            record = real(run, **given)
            with log.open("a") as file:
                file.write(f"{run.key} {os.getpid()}\n")
            return record

        schedule.execute = execute_and_tell
        work()
        os._exit(0)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        os._exit(1)


def kept(store: Store) -> dict[str, bytes]:
    """Every record by key, read and so found whole."""
    found = {}
    for path in store.local.glob("??/*.npz"):
        read_record(path, "local")
        found[path.stem] = path.read_bytes()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    warnings.simplefilter("error", RuntimeWarning)  # damage of any kind
    torch.set_num_threads(1)
    # a state after every step instead of every two minutes
    runs.checkpoints.keep_in = functools.partial(checkpoints.keep_in, seconds=0.0)
    chance = random.Random(given.seed)
    folder = Path(tempfile.mkdtemp())
    for run in wanted(0):
        execute(run)  # everything is loaded before the first fork
    store, log = Store(folder / "store", folder / "none"), folder / "log"
    counts = {
        "killed at work": 0,
        "records lost": 0,
        "made and lost": 0,
        "most lost in a round": 0,
        "made twice": 0,
    }
    block = 0
    for number in range(given.rounds):
        before, anew = kept(store), chance.random() < 0.1
        asked = wanted(block)
        if all(run.key in before for run in asked) and not anew:
            block += 1
            asked = wanted(block)
        log.write_text("")

        def work(asked=asked, anew=anew) -> None:
            sweep(asked, store=store, progress=False, device="cpu", recompute=anew)

        pids = [child(work, log) for _ in range(2)]
        peaceful = chance.random() < 0.15
        victims = [] if peaceful else pids[: chance.choice((1, 2))]
        for pid in victims:
            time.sleep(chance.uniform(0.0, 0.4))
            os.kill(pid, signal.SIGKILL)
        codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
        assert set(codes) <= {0, -signal.SIGKILL}, codes
        counts["killed at work"] += codes.count(-signal.SIGKILL)
        after = kept(store)
        lost = [key for key, data in before.items() if after.get(key) != data and not anew]
        lost += [key for key in before if key not in after]
        counts["records lost"] += len(lost)
        made = [line.split()[0] for line in log.read_text().splitlines()]
        unkept = len({key for key in made if key not in after})
        counts["made and lost"] += unkept
        counts["most lost in a round"] = max(counts["most lost in a round"], unkept)
        assert unkept <= len(victims), f"round {number}: {unkept} runs were finished and not kept"
        if peaceful and not anew:
            counts["made twice"] += len(made) - len(set(made))
        assert {row["key"] for row in store.rows()} == set(after)
    everything = [run for k in range(block + 1) for run in wanted(k)]
    results = sweep(everything, store=store, progress=False, device="cpu")
    wrong = 0
    for record in results.records:
        right = execute(Run.from_asked(record.asked))
        equal = all(np.array_equal(record.arrays[n], a, equal_nan=True) for n, a in right.arrays.items())
        wrong += not (equal and record.scores == right.scores)
    places = [p.relative_to(store.local) for p in store.local.rglob("*") if p.is_file()]
    left = [p for p in places if len(p.parts[0]) > 2 and p.name != "index.sqlite"]
    print(f"{given.rounds} rounds over {len(everything)} runs: {counts}; {wrong} wrong records, left: {left}")
    shutil.rmtree(folder)
    sys.exit(bool(wrong or left or counts["records lost"] or counts["made twice"]))


if __name__ == "__main__":
    main()
