"""Which runs must be made, in which order, and by whom.

A schedule is a function ``schedule(runs, make)`` that calls `make` for each of the planned runs, here or
elsewhere, and yields what comes of it as it finishes. `make` gives None while another process is at work on
that run: the schedule goes on with others and asks again. A run is made after the one it starts from
(`Run.first`) if that is among them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

from hsu_lib.runs.execution import execute
from hsu_lib.runs.question import Run
from hsu_lib.runs.record import Record
from hsu_lib.runs.store import Store

#: Seconds between two questions whether another process has finished, at first and at most.
_SOON, _LATER = 0.02, 1.0


class Made(NamedTuple):
    """A run that is done: by whom asked, its record, and whether another process had made it meanwhile."""

    run: Run
    record: Record
    found: bool


@dataclass(frozen=True)
class Make:
    """How a planned run is made, wherever that happens: it is kept in the store, under a lease.

    Parameters
    ----------
    store
        Where records are kept.
    device, progress
        See `hsu_lib.methods.Method.unmix`.
    anew
        Make it whatever the store has.
    """

    store: Store
    device: str
    progress: bool = False
    anew: bool = False

    def __call__(self, run: Run) -> Made | None:
        """The run and its record; None where another process is at work on it.

        Raises the errors of the run, with a note that names it.
        """
        with self.store.lease(run.key) as ours:
            if not ours:
                return None
            found = None if self.anew else self.store.find(run.key, local=True)
            if found is not None:
                return Made(run, found, True)
            try:
                record = execute(run, device=self.device, progress=self.progress, store=self.store)
                return Made(run, self.store.put(record), False)
            except Exception as error:
                error.add_note(f"while making {run}")
                raise


class Schedule(Protocol):
    """Makes the planned runs and yields each as it finishes."""

    def __call__(
        self, runs: Sequence[Run], make: Make, tell: Callable[[Run], object]
    ) -> Generator[Made, None, None]:
        """See the module's text; `tell` is called with a run when it is begun."""


def plan(runs: Iterable[Run], *, done: Callable[[Run], bool] = lambda run: False) -> list[Run]:
    """Each needed run once, in the order asked, what a run starts from before it.

    Parameters
    ----------
    runs
        What is asked, possibly several times.
    done
        Runs for which this is true need not be made, nor what they start from.
    """
    planned: dict[str, Run] = {}
    seen: set[str] = set()

    def add(run: Run) -> None:
        key = run.key
        if key in seen:
            return
        seen.add(key)
        if not done(run):
            if run.first is not None:
                add(run.first)
            planned[key] = run

    for run in runs:
        add(run)
    return list(planned.values())


class Waiting:
    """Planned runs that are not yet done; gives those that can be begun.

    Parameters
    ----------
    runs
        As `plan` orders them.
    """

    def __init__(self, runs: Sequence[Run]) -> None:
        self._runs = {run.key: run for run in runs}
        self._first = {key: run.first.key for key, run in self._runs.items() if run.first is not None}
        self._begun: set[str] = set()
        self._asked: dict[str, float] = {}
        self._pause: dict[str, float] = {}

    def __bool__(self) -> bool:
        return bool(self._runs)

    def next(self, fits: Callable[[Run], bool] = lambda run: True) -> Run | None:
        """The first that can be begun now and fits, which then counts as begun; None if there is none."""
        now = time.monotonic()
        for key, run in self._runs.items():
            blocked = key in self._begun or self._first.get(key) in self._runs
            if not blocked and self._asked.get(key, now) <= now and fits(run):
                self._begun.add(key)
                self._asked.pop(key, None)
                return run
        return None

    def pause(self) -> float | None:
        """Seconds until another process is to be asked again; None if none is at work on any of them."""
        return max(0.0, min(self._asked.values()) - time.monotonic()) if self._asked else None

    def finished(self, run: Run) -> None:
        """It is done."""
        del self._runs[run.key]

    def elsewhere(self, run: Run) -> None:
        """Another process is at work on it: it can be begun a little later, and later each time."""
        key = run.key
        self._begun.discard(key)
        self._pause[key] = min(_LATER, 2 * self._pause.get(key, _SOON / 2))
        self._asked[key] = time.monotonic() + self._pause[key]


def here(runs: Sequence[Run], make: Make, tell: Callable[[Run], object]) -> Generator[Made, None, None]:
    """One after the other in this process."""
    waiting = Waiting(runs)
    while waiting:
        run = waiting.next()
        if run is None:
            time.sleep(waiting.pause() or _SOON)
            continue
        tell(run)
        made = make(run)
        if made is None:
            waiting.elsewhere(run)
        else:
            waiting.finished(run)
            yield made


def processes(count: int | None = None) -> Schedule:
    """So many at once, each in a process of its own with one thread; by default one per processor.

    Records come back through the store. The first error ends all of them, and so does an interruption:
    only runs in progress are lost.

    Raises
    ------
    ValueError
        If `count` is below one.
    """
    from hsu_lib.runs.workers import Pool

    if count is not None and count < 1:
        raise ValueError(f"processes({count}): at least one is needed")
    ours = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    wanted = count or ours

    def schedule(
        runs: Sequence[Run], make: Make, tell: Callable[[Run], object]
    ) -> Generator[Made, None, None]:
        waiting = Waiting(runs)
        with Pool(min(wanted, len(runs)), replace(make, progress=False)) as pool:
            while waiting:
                while pool.free and (run := waiting.next()) is not None:
                    tell(run)
                    pool.begin(run)
                for run, found in pool.finished(waiting.pause() if pool.free else None):
                    if found is None:
                        waiting.elsewhere(run)
                        continue
                    record = make.store.find(run.key, local=True)
                    if record is None:
                        raise RuntimeError(f"the record of {run} is gone from {make.store.local}")
                    waiting.finished(run)
                    yield Made(run, record, found)

    return schedule
