"""Processes that make runs for another one."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import connection
from typing import TYPE_CHECKING, Any

from hsu_lib.runs.question import Run

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from hsu_lib.runs.schedule import Make

#: What numerical libraries read when they are loaded.
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class Pool:
    """Processes of one thread each that wait for runs; leaving it ends them at once.

    Parameters
    ----------
    count
        How many; each starts with its first run.
    make
        What they do with a run.
    """

    def __init__(self, count: int, make: Make) -> None:
        self._count, self._make = count, make
        self._context = multiprocessing.get_context("spawn")
        self._idle: list[Connection] = []
        self._busy: dict[Connection, Run] = {}
        self._processes: dict[Connection, Any] = {}

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        for pipe in self._idle:
            pipe.close()  # which tells the process to go
        for pipe, process in self._processes.items():
            if not pipe.closed:
                process.terminate()
        for pipe, process in self._processes.items():
            process.join(5)
            if process.is_alive():
                process.kill()
                process.join()
            pipe.close()

    @property
    def free(self) -> bool:
        """Whether another run can be begun."""
        return bool(self._idle) or len(self._processes) < self._count

    @property
    def busy(self) -> int:
        """How many runs are in progress."""
        return len(self._busy)

    def begin(self, run: Run) -> None:
        """Give a run to a process that is free."""
        pipe = self._idle.pop() if self._idle else self._started()
        self._busy[pipe] = run
        with suppress(BrokenPipeError):  # it has died; `answers` tells
            pipe.send(run)

    def answers(self, seconds: float | None) -> Iterator[tuple[Run, bool | None | Exception]]:
        """Runs that are done, with what is told of each: found, made, (None) at work elsewhere, or its error.

        Waits for one, at most so many seconds. A process that has died is an error of its run. One whose run
        failed is ended, since what it holds may be of no use any more, and another started for the next run.
        """
        if not self._busy:
            time.sleep(seconds or 0)
        ready = connection.wait(list(self._busy), seconds) if self._busy else []
        for pipe in [pipe for pipe in self._busy if pipe in ready]:
            run = self._busy.pop(pipe)
            try:
                answer = pipe.recv()
            except (EOFError, OSError):
                code = self._retired(pipe)
                yield (
                    run,
                    RuntimeError(
                        f"the process at work on {run} has died (exit code {code}); "
                        "-9 often means that memory was short"
                    ),
                )
                continue
            if isinstance(answer, tuple):
                error, text = answer
                error.__cause__ = _Elsewhere(text)
                self._retired(pipe)
                yield run, error
                continue
            self._idle.append(pipe)
            yield run, answer

    def _retired(self, pipe: Connection) -> int | None:
        """End a process; its exit code, where it had ended by itself."""
        process = self._processes.pop(pipe)
        pipe.close()
        process.join(1)
        if process.is_alive():
            process.kill()
            process.join()
        return process.exitcode

    def _started(self) -> Connection:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=_work, args=(theirs, self._make), daemon=True)
        with _quiet():
            process.start()
        theirs.close()
        self._processes[ours] = process
        return ours


class _Elsewhere(Exception):
    """Where in the other process an error came up, as text."""


@contextmanager
def _quiet() -> Iterator[None]:
    """Here a new process gets one thread for its numerical libraries, and no interruption from the keyboard.

    The process that starts it is interrupted instead, and ends it.
    """
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    masks = hasattr(signal, "pthread_sigmask")
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if masks else set()
    try:
        yield
    finally:
        if masks:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _work(pipe: Connection, make: Callable[[Run], Any]) -> None:
    import torch

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that started this one decides
    threading.Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(1)
    while True:
        try:
            run = pipe.recv()
        except EOFError:
            return
        try:
            made = make(run)
            answer: Any = None if made is None else made.found
        except Exception as error:
            answer = portable(error), "".join(traceback.format_exception(error))
        pipe.send(answer)
        if torch.cuda.is_initialized():
            torch.cuda.empty_cache()  # others share the device


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def portable(error: Exception) -> Exception:
    """The error itself if it survives the way to another process, else its words."""
    try:
        back = pickle.loads(pickle.dumps(error))
        if type(back) is type(error) and str(back) == str(error):
            return error
    except Exception:  # any class may refuse in its own way
        pass
    other = RuntimeError(f"{type(error).__name__}: {error}")
    for note in getattr(error, "__notes__", []):
        other.add_note(note)
    return other
