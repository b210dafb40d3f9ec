"""What the worker of a cluster does for whoever has runs made there (`hsu_lib.runs.remote`).

A worker needs the project and its scenes, and no folder that others see: what a run starts from comes with
the errand, and records go back as they are kept, sealed. Scenes stay in the worker's memory from run to run.
"""

from __future__ import annotations

import asyncio
import os
import threading
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import torch
from distributed import get_worker

import hsu_lib
from hsu_lib.runs.execution import execute, twin
from hsu_lib.runs.layout import open_record, sealed
from hsu_lib.runs.provenance import commit, device_name, versions
from hsu_lib.runs.question import Run
from hsu_lib.runs.workers import portable

#: Random generators and the number of threads belong to the process.
_ONE_AT_A_TIME = threading.Lock()


class Unfit(RuntimeError):
    """A worker whose records would not be those that are made here."""


@dataclass(frozen=True)
class Errand:
    """A run to be made on a worker, with all it needs.

    Parameters
    ----------
    run
        What is asked.
    device
        Torch device.
    needs
        What must be on the worker as it is where the record is kept; see `ours`.
    topic
        Under which the scheduler hears that the run is begun.
    first
        Sealed record of what it starts from; empty where it starts from nothing.
    found
        Sealed record of the run, where only its twins are to be made.
    twins
        Runs that its estimate answers as well.
    """

    run: Run
    device: str
    needs: Mapping[str, str]
    topic: str
    first: bytes = b""
    found: bytes = b""
    twins: Sequence[Run] = ()


@cache
def ours() -> Mapping[str, str]:
    """What decides a record beside the question: the project's version and commit, libraries, threads."""
    libraries = {name: version for name, version in versions().items() if name != "python"}
    return {
        "hsu": hsu_lib.__version__,
        "commit": commit() or "unknown",
        **libraries,
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", ""),
    }


def needed() -> Mapping[str, str]:
    """What `ours` must be on a worker: the same as here, and one thread, as for processes of this machine."""
    return {**ours(), "OMP_NUM_THREADS": "1"}


def check(needs: Mapping[str, str]) -> None:
    """Refuse to work for somebody with whom this worker does not agree.

    Raises
    ------
    Unfit
        If it differs in something, or makes several runs at once in one process.
    """
    worker = get_worker()
    differing = [
        f"{name} is {ours().get(name, '')!r} there and must be {value!r}"
        for name, value in needs.items()
        if ours().get(name) != value
    ]
    if differing:
        raise Unfit(
            f"the worker {worker.address} would make other records than this machine: "
            f"{', '.join(differing)}. Start workers from the same checkout and environment, with a nanny "
            "(for a copy of the checkout, HSU_COMMIT names the commit)"
        )
    if worker.state.nthreads != 1:
        raise Unfit(
            f"the worker {worker.address} has {worker.state.nthreads} threads, and a run needs a process of "
            "its own: start it with `--nworkers N --nthreads 1`, N being the number of processors"
        )


def visit(device: str, needs: Mapping[str, str]) -> str:
    """`check`, and the name of a device in words."""
    check(needs)
    torch.set_num_threads(1)
    return device_name(device)


def do(errand: Errand) -> list[bytes]:
    """Sealed records of a run and of its twins, in this order; without the first where it was sent.

    Raises
    ------
    Unfit
        See `check`.
    Exception
        Whatever the run finds wrong, with a note that names it.
    """
    check(errand.needs)
    _tell(errand)
    with _ONE_AT_A_TIME:
        torch.set_num_threads(1)  # of this thread
        try:
            return _done(errand)
        except Exception as error:
            error.add_note(f"while making {errand.run}")
            _end_if_broken()
            raise portable(error) from None  # which may be the same
        finally:
            if torch.cuda.is_initialized():
                torch.cuda.empty_cache()  # others share the device


def _tell(errand: Errand) -> None:
    """Have the scheduler know that the run is begun, before it can end this process."""
    worker = get_worker()
    told = worker.scheduler.log_event(
        topic=errand.topic, msg={"run": errand.run.key, "worker": worker.address}
    )
    asyncio.run_coroutine_threadsafe(told, worker.loop.asyncio_loop).result()  # type: ignore[attr-defined]  # of the loop that asyncio gives


def _end_if_broken() -> None:
    """After some errors nothing runs on a device any more: a nanny starts another process instead."""
    if torch.cuda.is_initialized():
        try:
            torch.cuda.synchronize()
        except RuntimeError:
            traceback.print_exc()
            os._exit(1)


def _done(errand: Errand) -> list[bytes]:
    run, made = errand.run, []
    if errand.found:
        record = open_record(errand.found, run.key, "the record that was sent")
    else:
        first = None
        if errand.first and run.first is not None:
            first = open_record(errand.first, run.first.key, "the record that it starts from")
        record = execute(run, device=errand.device, first=first)
        made.append(sealed(record))
    for other in errand.twins:
        made.append(sealed(twin(record, other) or execute(other, device=errand.device)))
    return made
