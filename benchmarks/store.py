"""A store of many records against what a reader waits for.

(a) ``hsu runs``: a process that lists them, from start to end; also when the index must be made first.
(b) ``hsu scorecard``: the same for the verdicts, which read no record.
(c) `Store.get` of one of them, and of one that is nowhere.
(d) `Store.put`.

The records are copies of one that is executed, under other seeds.

    python benchmarks/store.py --records 20000 --json store.json
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from timing import parsed, save

from hsu_lib import paths
from hsu_lib.runs import Run, Store, execute
from hsu_lib.scene import SceneSpec

SCENE = SceneSpec("lagoon", crop=(2, 3, 7, 5))
#: Seconds that a reader waits for.
LIMITS = {"hsu runs": 2.0, "hsu scorecard": 1.0, "get": 0.005, "get, missing": 0.005}


def computed() -> float:
    """Seconds computed by this process and by those it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def median(call: Callable[[], object], repeats: int, clock: Callable[[], float]) -> float:
    times = []
    for _ in range(repeats):
        start = clock()
        call()
        times.append(clock() - start)
    return statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--records", type=int, default=20_000, help="how many")
    given = parsed(parser, 5)
    clock = time.perf_counter if given.clock == "wall" else computed
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "runs", paths.published())
        record = execute(Run("vca-fclsu", SCENE))
        start = clock()
        for seed in range(given.records):
            store.put(replace(record, asked={**record.asked, "seed": seed}))
        times = {"put": (clock() - start) / given.records}

        def hsu(*command: str) -> None:
            environment = os.environ | {"HSU_STORE": str(store.local)}
            subprocess.run(
                [sys.executable, "-m", "hsu_lib.cli", *command],
                env=environment,
                stdout=subprocess.DEVNULL,
                check=True,
            )

        def first_list() -> None:
            for index in store.local.glob("index.sqlite*"):
                with suppress(FileNotFoundError):
                    index.unlink()
            hsu("runs")

        middle, nowhere = Run("vca-fclsu", SCENE, given.records // 2), Run("vca-fclsu", SCENE, -1)
        times["hsu runs, without index"] = median(first_list, 1, clock)
        times["hsu runs"] = median(lambda: hsu("runs"), given.repeats, clock)
        times["hsu scorecard"] = median(lambda: hsu("scorecard"), given.repeats, clock)
        times["get"] = median(lambda: store.get(middle), 20 * given.repeats, clock)
        times["get, missing"] = median(lambda: store.get(nowhere), 20 * given.repeats, clock)
    rows = []
    for name, seconds in times.items():
        limit = LIMITS.get(name)
        told = "" if limit is None else f"   of {1000 * limit:6.0f} ms"
        print(f"{name:26}{1000 * seconds:10.2f} ms{told}")
        rows.append({"what": name, "records": given.records, "seconds": seconds, "limit": limit})
    save(given, rows)


if __name__ == "__main__":
    main()
