"""What the benchmarks share: options, calls timed in turn, and the file of figures."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from hsu_lib.runs import device_name

FORMATS = {"channels last": torch.channels_last, "channels first": torch.contiguous_format}


def medians(
    calls: Mapping[str, Callable[[], object]], repeats: int, clock: Callable[[], float]
) -> dict[str, float]:
    """Seconds of each call, taken in turn; the first two rounds do not count."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(repeats + 2):
        for name, call in calls.items():
            start = clock()
            call()
            times[name].append(clock() - start)
    return {name: statistics.median(taken[2:]) for name, taken in times.items()}


@contextmanager
def stopwatch(
    module: ModuleType,
    name: str,
    clock: Callable[[], float],
    others: Mapping[str, Callable[[], object]],
    times: dict[str, list[float]],
) -> Iterator[None]:
    """In the place of a module's progress bar: times each step as `name`, and every other call after it."""

    class Bar:
        def __init__(self, **_: Any) -> None:
            self.since = 0.0

        def __enter__(self) -> Bar:
            self.since = clock()
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def set_postfix_str(self, *_: Any, **__: Any) -> None:
            pass

        def update(self) -> None:
            times.setdefault(name, []).append(clock() - self.since)
            for other, call in others.items():
                start = clock()
                call()
                times.setdefault(other, []).append(clock() - start)
            self.since = clock()

    bar, module.tqdm = module.tqdm, Bar  # type: ignore[attr-defined]
    try:
        yield
    finally:
        module.tqdm = bar  # type: ignore[attr-defined]


def parsed(parser: argparse.ArgumentParser, repeats: int) -> argparse.Namespace:
    """Arguments, the common ones added. Torch is given its threads, and the head is printed."""
    parser.add_argument("--repeats", type=int, default=repeats, help="timed calls of each kind")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="of torch; all cores by default")
    parser.add_argument(
        "--clock",
        choices=("wall", "cpu"),
        default="wall",
        help="cpu counts the seconds that this process computes, over its threads: what to take with "
        "--threads 1 on a machine that is busy with something else",
    )
    parser.add_argument("--json", type=Path, help="also write the figures here")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    given.timer = time.perf_counter if given.clock == "wall" else time.process_time
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    print(f"{device_name('cpu')}, {given.clock} clock{load}; torch {torch.__version__}")
    return given


def save(given: argparse.Namespace, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the figures with the machine they were taken on, if a file was asked for."""
    if given.json:
        facts = {
            "processor": device_name("cpu"),
            "threads": given.threads,
            "clock": given.clock,
            "torch": torch.__version__,
        }
        given.json.write_text(json.dumps({"machine": facts, "rows": list(rows)}, indent=1) + "\n")
