"""Which runs must be made, in which order, and by whom.

A schedule is a function ``schedule(runs, make, tell)`` that calls `make` for each of the planned runs, here
or elsewhere, and yields what comes of it as it finishes. `make` gives None while another process is at work
on that run: the schedule goes on with others and asks again. A run is made after the one it starts from
(`Run.first`) if that is among them. Whoever makes runs for a schedule is a `Crew`: processes of this machine
(`hsu_lib.runs.workers`), or the workers of a cluster (`hsu_lib.runs.remote`).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from typing import NamedTuple, Protocol

from hsu_lib.runs.evidence import counts
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
    deciding
        Make again what the store has from files that differ from their commit: that does not count.
    """

    store: Store
    device: str
    progress: bool = False
    anew: bool = False
    deciding: bool = False

    def there(self, run: Run) -> Record | None:
        """Its record in the local store, if that will do."""
        record = self.store.find(run.key, local=True)
        return None if record is not None and self.deciding and not counts(record) else record

    def __call__(self, run: Run) -> Made | None:
        """The run and its record; None where another process is at work on it.

        Raises the errors of the run, with a note that names it.
        """
        with self.store.lease(run.key) as ours:
            if not ours:
                return None
            found = None if self.anew else self.there(run)
            if found is not None:
                return Made(run, found, True)
            try:
                record = execute(run, device=self.device, progress=self.progress, store=self.store)
                return Made(run, self.store.put(record), False)
            except Exception as error:
                error.add_note(f"while making {run}")
                raise

    def others(self, run: Run) -> Sequence[Run]:
        """Runs whose records are made with that of this one."""
        return ()


class SetAside(RuntimeError):
    """A run that ended the process at work on it, again and again: the others go on without it."""


class Crew(Protocol):
    """Makes runs elsewhere, several at once; what they make is in the store when they tell of it."""

    @property
    def free(self) -> bool:
        """Whether another run can be begun."""
        ...

    @property
    def busy(self) -> int:
        """How many runs are begun and not told of."""
        ...

    def begin(self, run: Run) -> None:
        """Have a run made."""
        ...

    def answers(self, seconds: float | None) -> Iterator[tuple[Run, bool | None | Exception]]:
        """Runs that are done: found in the store (True), made, at work elsewhere (None), or their error.

        Waits for one, at most so many seconds, or until more can be begun. Raises what concerns all of them.
        """
        ...


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
    """Planned runs that are not yet done; gives those that can be begun, in their order.

    Parameters
    ----------
    runs
        As `plan` orders them.
    """

    def __init__(self, runs: Sequence[Run]) -> None:
        self._runs = {run.key: (place, run) for place, run in enumerate(runs)}
        self._ready: list[tuple[int, str]] = []
        self._paused: list[tuple[float, int, str]] = []
        self._pause: dict[str, float] = {}
        self._behind: dict[str, list[str]] = {}
        for key, (place, run) in self._runs.items():
            first = None if run.first is None else run.first.key
            if first in self._runs:
                self._behind.setdefault(first, []).append(key)
            else:
                self._ready.append((place, key))

    def __bool__(self) -> bool:
        return bool(self._runs)

    def next(self, fits: Callable[[Run], bool] = lambda run: True) -> Run | None:
        """The first that can be begun now and fits, which then counts as begun; None if there is none."""
        now = time.monotonic()
        while self._paused and self._paused[0][0] <= now:
            _, place, key = heappop(self._paused)
            heappush(self._ready, (place, key))
        passed, found = [], None
        while self._ready and found is None:
            place, key = heappop(self._ready)
            run = self._runs[key][1]
            if fits(run):
                found = run
            else:
                passed.append((place, key))
        for each in passed:
            heappush(self._ready, each)
        return found

    def pause(self) -> float | None:
        """Seconds until another process is to be asked again; None if none is at work on any of them."""
        return max(0.0, self._paused[0][0] - time.monotonic()) if self._paused else None

    def finished(self, run: Run) -> None:
        """It is done; what starts from it can be begun."""
        key = run.key
        del self._runs[key]
        for behind in self._behind.pop(key, ()):
            heappush(self._ready, (self._runs[behind][0], behind))

    def failed(self, run: Run) -> None:
        """It will not be done, nor will what starts from it."""
        key = run.key
        _, run = self._runs.pop(key)
        for behind in self._behind.pop(key, ()):
            self.failed(self._runs[behind][1])

    def elsewhere(self, run: Run) -> None:
        """Another process is at work on it: it can be begun a little later, and later each time."""
        key = run.key
        self._pause[key] = min(_LATER, 2 * self._pause.get(key, _SOON / 2))
        heappush(self._paused, (time.monotonic() + self._pause[key], self._runs[key][0], key))


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


def crewed(crew: Callable[[Make, int], AbstractContextManager[Crew]]) -> Schedule:
    """By a crew, which gets how runs are made and how many there are.

    The first error ends it, and so does an interruption: only runs in progress are lost. A run that is
    `SetAside` ends it when the others are done.
    """

    def schedule(
        runs: Sequence[Run], make: Make, tell: Callable[[Run], object]
    ) -> Generator[Made, None, None]:
        waiting, aside = Waiting(runs), list[SetAside]()
        with crew(replace(make, progress=False), len(runs)) as workers:
            while waiting:
                while workers.free and (run := waiting.next()) is not None:
                    tell(run)
                    workers.begin(run)
                for run, answer in workers.answers(waiting.pause() if workers.free else None):
                    if isinstance(answer, SetAside):
                        waiting.failed(run)
                        aside.append(answer)
                    elif isinstance(answer, Exception):
                        raise answer
                    elif answer is None:
                        waiting.elsewhere(run)
                    else:
                        record = make.store.find(run.key, local=True)
                        if record is None:
                            raise RuntimeError(f"the record of {run} is gone from {make.store.local}")
                        waiting.finished(run)
                        yield Made(run, record, answer)
        if aside:
            for other in aside[1:]:
                aside[0].add_note(str(other))
            raise aside[0]

    return schedule


def processes(count: int | None = None) -> Schedule:
    """So many at once, each in a process of its own with one thread; by default one per processor.

    Records come back through the store. See `crewed` for errors and interruptions.

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
    return crewed(lambda make, runs: Pool(min(wanted, runs), make))
