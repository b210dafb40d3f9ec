"""Runs within a time: begun in their order while they can still end in it, stopped where they do not."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import NamedTuple

from hsu_lib.runs.estimates import Estimates
from hsu_lib.runs.execution import execute, twin
from hsu_lib.runs.question import Run
from hsu_lib.runs.record import Record
from hsu_lib.runs.schedule import Crew, Made, Make, Waiting
from hsu_lib.runs.store import Store
from hsu_lib.runs.workers import Pool


@dataclass(frozen=True)
class MakeWithTwins(Make):
    """As `Make`; of what is made, the records that another reference gives are made and kept as well.

    Parameters
    ----------
    twins
        See `hsu_lib.runs.blocks.twins`.
    """

    twins: Mapping[str, Sequence[Run]] = field(default_factory=dict)

    def __call__(self, run: Run) -> Made | None:
        """See `Make`."""
        made = super().__call__(run)
        for other in () if made is None else self.others(run):
            if self.there(other) is None:
                assert made is not None
                record = twin(made.record, other)
                self.store.put(record or execute(other, device=self.device, store=self.store))
        return made

    def others(self, run: Run) -> Sequence[Run]:
        """Its twins."""
        return self.twins.get(run.key, ())


class Outcome(NamedTuple):
    """What came of a run: its record and those of its twins, or an error; and the seconds it took in all."""

    run: Run
    records: tuple[Record, ...]
    error: Exception | None
    seconds: float


def within(
    seconds: float,
    runs: Sequence[Run],
    make: MakeWithTwins,
    *,
    jobs: int = 1,
    crew: Callable[[Make], AbstractContextManager[Crew]] | None = None,
    estimates: Estimates,
    tell: Callable[[Run], object] = lambda run: None,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Outcome]:
    """Make runs for so many seconds, each in one of so many processes of one thread, or by a crew.

    A run is begun if its estimate, once one is measured on this device, says that it will end in time;
    what has not ended then is stopped. One that fails is told, and the others go on, but for those that
    start from it.

    Parameters
    ----------
    seconds
        From now.
    runs
        As `hsu_lib.runs.schedule.plan` orders them.
    make
        What is done with each.
    jobs
        How many processes of this machine.
    crew
        Makes the runs in place of these processes.
    estimates
        Told of every run that ends.
    tell
        Called with a run that is begun.
    clock
        Seconds of a clock.

    Raises
    ------
    ValueError
        If `jobs` is below one.
    OSError
        If the store cannot be read.
    """
    if jobs < 1:
        raise ValueError(f"{jobs} processes: at least one is needed")
    end, waiting = clock() + seconds, Waiting(runs)
    begun: dict[str, float] = {}

    def fits(run: Run) -> bool:
        estimate = estimates.of(run)
        return estimate is None or not estimate.measured or estimate.seconds <= end - clock()

    with crew(make) if crew else Pool(jobs, make) as pool:
        while waiting and (left := end - clock()) > 0:
            while pool.free and (run := waiting.next(fits)) is not None:
                tell(run)
                begun[run.key] = clock()
                pool.begin(run)
            pause = waiting.pause()
            if not pool.busy and pause is None:
                return  # nothing that is left fits
            for run, answer in pool.answers(min(left, 1.0 if pause is None else pause)):
                if answer is None:
                    waiting.elsewhere(run)
                    continue
                took = clock() - begun.pop(run.key)
                if isinstance(answer, Exception):
                    waiting.failed(run)
                    yield Outcome(run, (), answer, took)
                    continue
                waiting.finished(run)
                if not answer:
                    estimates.observe(run, took)
                yield Outcome(run, _records(run, make), None, took)


def _records(run: Run, make: MakeWithTwins) -> tuple[Record, ...]:
    wanted = [run, *make.twins.get(run.key, ())]
    found = [make.store.find(each.key, local=True) for each in wanted]
    return tuple(record for record in found if record is not None)


def exact_in(store: Store, run: Run) -> bool:
    """Whether others can start from the record of a run in the local store."""
    record = store.find(run.key, local=True)
    return record is not None and record.exact
