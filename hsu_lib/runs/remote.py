"""Runs made by the workers of a cluster: Dask `distributed`, behind the schedule protocol.

A run is submitted by its key, one for each worker (of quick ones two) and never all of them. Its record
comes back sealed and is kept in the store of this machine, byte for byte, while others are made; the workers
need no folder that others see. A run is made again where its worker was lost. One that ended three workers is
set aside.
"""

from __future__ import annotations

import math
import queue
import sys
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from tqdm import tqdm

from hsu_lib.runs import connection
from hsu_lib.runs.layout import open_record, sealed
from hsu_lib.runs.leases import most
from hsu_lib.runs.question import Run
from hsu_lib.runs.record import Record
from hsu_lib.runs.schedule import Made, Make, SetAside, crewed

#: Processes that a run may end before it is set aside.
DEATHS = 3
#: Seconds in which workers that are at work for nobody must be back. A nanny lets them finish for 4 s, then
#: kills; one that is given less time than that is itself taken for dead, and never starts another.
_ENDING = 20.0
#: Seconds between two looks at who works.
_LOOK = 2.0
#: Seconds of a run below which another one waits behind it: a worker would idle while its record travels.
_QUICK = 1.0
#: Records that are written at once: each waits for the disk.
_KEEPERS = 8


@dataclass(frozen=True)
class Cluster:
    """The workers of the cluster whose Dask scheduler has that address, as a schedule.

    Parameters
    ----------
    address
        Such as ``tcp://node7:8786``.
    """

    address: str

    def __call__(
        self, runs: Sequence[Run], make: Make, tell: Callable[[Run], object]
    ) -> Generator[Made, None, None]:
        """See `hsu_lib.runs.schedule.Schedule`, and `hsu_lib.runs.connection.connected` for errors."""
        return crewed(lambda how, _: Workers(self.address, how))(runs, make, tell)

    def visited(self, device: str) -> str:
        """Try a worker, and tell what `device` is there, in words; empty while there is no worker.

        Raises
        ------
        Unfit
            If the worker would make other records than this machine.
        InputError, OSError
            See `hsu_lib.runs.connection.connected`; also if workers lack the project.
        """
        with connection.connected(self.address) as client:
            if not connection.offering(client, device):
                return ""
            from hsu_lib.runs import errands

            future = client.submit(
                errands.visit, device, errands.needed(), pure=False, resources=connection.resources(device)
            )
            try:
                return str(future.result())
            except ModuleNotFoundError as error:
                raise OSError(
                    f"the workers of {self.address} lack {error.name}: they need this project"
                ) from error


@dataclass
class _Begun:
    """A run that was submitted."""

    run: Run
    lease: ExitStack
    since: float
    future: Any = None
    #: How often it was submitted, and which workers began it.
    times: int = 0
    workers: list[str] = field(default_factory=list)


class Workers:
    """Workers of a cluster, as a `hsu_lib.runs.schedule.Crew`; leaving it takes back what is not done.

    Parameters
    ----------
    address
        Of the scheduler.
    make
        Which store keeps the records, and on what device they are made.
    """

    def __init__(self, address: str, make: Make) -> None:
        self._address, self._make = address, make
        self._begun: dict[str, _Begun] = {}
        self._told: queue.SimpleQueue[tuple[Run, bool | None | Exception]] = queue.SimpleQueue()
        self._name = f"hsu-{uuid4().hex}"
        self._looked, self._workers, self._waiting = -math.inf, 0, False
        self._took = math.inf
        self._broken: Exception | None = None

    def __enter__(self) -> Workers:
        self._client = connection.connected(self._address)
        from hsu_lib.runs import errands  # which needs the optional part

        self._errands, self._needs = errands, errands.needed()
        self._client.subscribe_topic(self._name, self._note)
        self._keepers = ThreadPoolExecutor(_KEEPERS)
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._take_back()
        finally:
            self._client.close(timeout=connection.PATIENCE)
            self._keepers.shutdown()
            for begun in self._begun.values():
                begun.lease.close()

    @property
    def free(self) -> bool:
        """Whether another run can be begun: at once, or within a second where runs are quick."""
        self._look()
        window = (2 if self._took < _QUICK else 1) * max(1, self._workers)
        return len(self._begun) < min(window, most())

    @property
    def busy(self) -> int:
        """How many runs are begun and not told of."""
        return len(self._begun)

    def begin(self, run: Run) -> None:
        """Submit a run, unless it is in the store by now, or another process is at work on it."""
        store, key, lease = self._make.store, run.key, ExitStack()
        self._begun[key] = begun = _Begun(run, lease, time.monotonic())
        if not lease.enter_context(store.lease(key)):
            self._told.put((run, None))
            return
        found = None if self._make.anew else self._make.there(run)
        twins = [other for other in self._make.others(run) if self._make.there(other) is None]
        if found is not None and not twins:
            self._told.put((run, True))
            return
        self._submit(begun, found, twins)

    def answers(self, seconds: float | None) -> Iterator[tuple[Run, bool | None | Exception]]:
        """See `hsu_lib.runs.schedule.Crew`; none, before the time, when there are more workers than before.

        Raises
        ------
        Unfit
            If a worker would make other records than this machine.
        OSError
            If the scheduler is gone, or a record cannot be kept.
        """
        until = math.inf if seconds is None else time.monotonic() + seconds
        while True:
            before = self._workers
            self._look()
            if self._workers > before > 0:
                return  # others can be begun
            try:
                told = [self._told.get(timeout=max(0.0, min(_LOOK, until - time.monotonic())))]
                break
            except queue.Empty:
                if time.monotonic() >= until:
                    return
        with suppress(queue.Empty):
            while True:
                told.append(self._told.get_nowait())
        for run, answer in told:
            if self._broken is not None:
                raise self._broken
            begun = self._begun.pop(run.key)
            begun.lease.close()
            if begun.future is not None:
                self._took = time.monotonic() - begun.since
            yield run, answer

    def _look(self) -> None:
        """How many can work now; says so while there is none."""
        if time.monotonic() - self._looked < _LOOK or self._client.status != "running":
            return
        with suppress(OSError):  # the scheduler goes: the runs in progress will tell
            self._workers = connection.offering(self._client, self._make.device)
        self._looked = time.monotonic()
        if not self._workers and not self._waiting:
            which = (
                ""
                if connection.resources(self._make.device) is None
                else f" with --resources {connection.GPU}=1"
            )
            tqdm.write(
                f"waiting for a worker{which} at {self._address}: "
                f"dask worker {self._address} --nworkers N --nthreads 1{which.removeprefix(' with')}",
                file=sys.stderr,
            )
        self._waiting = not self._workers

    def _submit(self, begun: _Begun, found: Record | None, twins: Sequence[Run]) -> None:
        run, device = begun.run, self._make.device
        first = None
        if run.first is not None and found is None:
            first = self._make.store.find(run.first.key, local=True)
        errand = self._errands.Errand(
            run,
            device,
            self._needs,
            self._name,
            first=sealed(first) if first is not None and first.exact else b"",
            found=b"" if found is None else sealed(found),
            twins=tuple(twins),
        )
        # two sweeps on one cluster share a run that both ask for, but for one that is to be made anew
        what = self._name if self._make.anew else f"{len(twins)}{device}" if found else device
        begun.times += 1
        begun.future = self._client.submit(
            self._errands.do,
            errand,
            key=(run.method, run.key, what, begun.times),
            resources=connection.resources(device),
        )
        self._client.loop.add_callback(self._follow, begun, found, twins)

    async def _follow(self, begun: _Begun, found: Record | None, twins: Sequence[Run]) -> None:
        """Wait for a run, in the client's own thread, and have its records kept."""
        from distributed import KilledWorker

        answer: bool | Exception = found is not None
        try:
            made = await begun.future
        except KilledWorker as error:
            # a run that only waited behind the one that ended them is not to blame
            if max(len(begun.workers), begun.times) < DEATHS:
                self._submit(begun, found, twins)
                return
            answer = SetAside(
                f"set aside, because it ended the process at work on it {DEATHS} times or more: {begun.run} "
                f"(short memory? the log of {error.last_worker.address} may say more)"
            )
        except Exception as error:
            answer = error
            if isinstance(error, self._errands.Unfit):
                self._broken = error
        except BaseException as error:  # cancelled, by ourselves in the end or with all else
            self._broken = OSError(
                f"the scheduler at {self._address} is gone, or has dropped a run ({error}): what came is "
                "kept, and the same command goes on from there"
            )
        else:
            wanted = [*([] if found is not None else [begun.run]), *twins]
            try:
                await self._client.loop.run_in_executor(self._keepers, self._keep, wanted, made)
            except Exception as error:  # of the store, which the next would meet as well
                self._broken = error
        self._told.put((begun.run, answer))

    def _keep(self, runs: Sequence[Run], made: Sequence[bytes]) -> None:
        """Keep records as they came, each checked."""
        for run, data in zip(runs, made, strict=True):
            where = f"the record of {run} from the cluster"
            self._make.store.put(open_record(data, run.key, where, arrays=False), data)

    def _note(self, event: tuple[float, dict[str, str]]) -> None:
        """A worker has begun a run."""
        _, told = event
        begun = self._begun.get(told["run"])
        if begun is not None:
            begun.workers.append(told["worker"])

    def _take_back(self) -> None:
        """Drop what is not done, and start anew the workers that are at work on it: nobody waits for them."""
        left = [begun for begun in self._begun.values() if begun.future is not None]
        if not left or self._client.status != "running":
            return
        at_work = {begun.workers[-1] for begun in left if begun.workers and not begun.future.done()}
        self._client.cancel([begun.future for begun in left])
        with suppress(Exception):  # one without a nanny comes to the end of its run, then takes the next
            self._client.restart_workers(list(at_work), timeout=_ENDING, raise_for_error=False)
