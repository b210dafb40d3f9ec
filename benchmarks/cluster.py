"""What a cluster costs beside the work: runs that take no time, made by workers of this machine.

(a) Wall time of a run, from the first submitted to the last kept; and seconds of processors that client,
    scheduler and workers compute for it, which other work on the machine changes less.
(b) Memory of client and scheduler while a long sweep goes on, at each tenth of it.
(c) Bytes that travel: an errand, a sealed record, and the errand of a run that starts from another.

Scheduler and workers are processes of their own, as on a cluster. The store lies in --folder: writing it
safely to the disk is part of (a).

    python benchmarks/cluster.py --workers 4 --runs 2000 --many 100000 --json cluster.json
"""

from __future__ import annotations

import argparse
import os
import pickle
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from distributed import Client, WorkerPlugin
from timing import parsed, save

from hsu_lib.runs import Cluster, Run, Store, execute
from hsu_lib.runs.layout import sealed
from hsu_lib.runs.schedule import Make
from hsu_lib.scene import SceneSpec

SCENE = SceneSpec("lagoon", crop=(2, 3, 7, 5))
#: Milliseconds of a run that are not its own.
LIMIT = 10.0


class AtOnce(WorkerPlugin):
    """On a worker, each run is answered at once, by a record that is there."""

    name = "at once"

    def __init__(self, record) -> None:
        self.record = record

    def setup(self, worker):
        from dataclasses import replace

        from hsu_lib.runs import errands

        errands.execute = lambda run, **_: replace(self.record, asked=run.asked())


class Use(NamedTuple):
    """Seconds that processes have computed, and their memory in MB."""

    seconds: float
    megabytes: float


def use(*pids: int) -> Use:
    seconds, pages = 0.0, 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        seconds += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        pages += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return Use(seconds, pages * os.sysconf("SC_PAGE_SIZE") / 1e6)


@contextmanager
def cluster(folder: Path, workers: int) -> Iterator[tuple[str, int, list[int]]]:
    """Address and process of a scheduler, and processes of its workers."""
    file = folder / "scheduler.json"
    common = ["--scheduler-file", str(file), "--no-dashboard"]
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--port", "0", *common]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": os.environ}
    with subprocess.Popen(command, **quiet) as scheduler:
        command = [sys.executable, "-m", "distributed.cli.dask_worker", *common, "--nthreads", "1"]
        command += ["--nworkers", str(workers), "--local-directory", str(folder)]
        with subprocess.Popen(command, **quiet) as nannies:
            try:
                with Client(scheduler_file=str(file), timeout=120, set_as_default=False) as client:
                    client.wait_for_workers(workers)
                    client.register_plugin(AtOnce(execute(Run("vca-fclsu", SCENE))))
                    pids = list(client.run(os.getpid).values())
                    address = client.scheduler.address
                yield address, scheduler.pid, pids
            finally:
                nannies.terminate()
                scheduler.terminate()


def swept(address: str, store: Store, seeds: range) -> Iterator[int]:
    """How many are made, after each."""
    runs = [Run("vca-fclsu", SCENE, seed) for seed in seeds]
    for number, _ in enumerate(Cluster(address)(runs, Make(store, "cpu"), lambda run: None), start=1):
        yield number


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--runs", type=int, default=2000, help="of (a)")
    parser.add_argument("--many", type=int, default=100_000, help="runs of (b); 0 leaves it out")
    parser.add_argument("--folder", type=Path, help="of the store; by default a temporary one")
    given = parsed(parser, 1)
    rows = []
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        folder = Path(name)
        store = Store(folder / "runs", folder / "published")
        with cluster(folder, given.workers) as (address, scheduler, workers):
            groups = {"client": [os.getpid()], "scheduler": [scheduler], "workers": workers}
            for _ in swept(address, store, range(100)):
                pass  # nothing is loaded for the first time after these
            before = {group: use(*pids).seconds for group, pids in groups.items()}
            start = time.perf_counter()
            for _ in swept(address, store, range(100, 100 + given.runs)):
                pass
            wall = 1000 * (time.perf_counter() - start) / given.runs
            print(f"{'a run, wall':32}{wall:8.2f} ms   of {LIMIT:4.1f} ms")
            rows.append({"what": "wall", "milliseconds": wall, "limit": LIMIT})
            for group, pids in groups.items():
                took = 1000 * (use(*pids).seconds - before[group]) / given.runs
                print(f"{f'a run, computed by {group}':32}{took:8.2f} ms")
                rows.append({"what": f"computed by {group}", "milliseconds": took})
            begin = 100 + given.runs
            start = time.perf_counter()
            for number in swept(address, store, range(begin, begin + given.many)):
                if number == 1 or number % max(1, given.many // 10) == 0:
                    memory = {
                        group: round(use(*groups[group]).megabytes) for group in ("client", "scheduler")
                    }
                    passed = time.perf_counter() - start
                    told = ", ".join(f"{group} {mb} MB" for group, mb in memory.items())
                    print(f"{f'after {number} runs, {passed:.0f} s':32}{told}", flush=True)
                    rows.append({"what": "memory", "runs": number, "seconds": passed, **memory})
    for what, size in sizes().items():
        print(f"{what:32}{size / 1e3:8.1f} kB")
        rows.append({"what": what, "bytes": size})
    save(given, rows)


def sizes() -> dict[str, int]:
    """Bytes of what travels."""
    from hsu_lib.runs import errands

    run = Run("vca-fclsu", SCENE)
    errand = errands.Errand(run, "cpu", errands.needed(), "a topic of some forty characters, as they are")
    whole = sealed(execute(Run("vca-fclsu", SceneSpec("lagoon"))))
    return {
        "an errand": len(pickle.dumps(errand)),
        "a record of 35 pixels": len(sealed(execute(run))),
        "a record of the whole lagoon": len(whole),
        "an errand that starts from it": len(pickle.dumps(replace(errand, first=whole))),
    }


if __name__ == "__main__":
    main()
