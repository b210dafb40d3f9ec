"""The kernel that executes a chapter: where its sockets are, how it ends, what its environment is."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from jupyter_client.manager import AsyncKernelManager
from traitlets.config import Config

from hsu_lib.publishing import folders

_PREFIX = "hsu-kernel-"
#: Systems limit the whole name of a socket to some 100 bytes; what follows the place needs under 40.
_LONGEST = 60


@contextmanager
def configured() -> Iterator[Config]:
    """What papermill is to be told of its kernel, in whose folder for sockets no other process meddles."""
    place, short = _place()
    _sweep(place)
    sockets = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=place))
    # a socket is a file instead of a TCP port, about which every kernel prints a warning
    files = {"transport": "ipc", "ip": str(sockets / "kernel")} if short and sys.platform != "win32" else {}
    try:
        runtime = {"JUPYTER_RUNTIME_DIR": str(sockets)}
        with folders.held(sockets, "the sockets of a kernel"), environment(runtime):
            yield Config({"KernelManager": files, "NotebookClient": _ending()})
    finally:
        shutil.rmtree(sockets, ignore_errors=True)


def _place() -> tuple[str, bool]:
    """Folder for temporary files, and whether its name is short enough for sockets."""
    usual = tempfile.gettempdir()
    for place in (usual, "/tmp", "/var/tmp", "/dev/shm"):
        if len(os.fsencode(place)) <= _LONGEST and os.access(place, os.W_OK | os.X_OK):
            return place, True
    return usual, False


def _sweep(place: str) -> None:
    """Remove the folders of killed processes: those that nobody holds."""
    for folder in Path(place).glob(f"{_PREFIX}*"):
        with suppress(OSError, folders.Busy):
            if (folder / folders.MARK).exists():
                with folders.held(folder, "sweeping"):
                    shutil.rmtree(folder)


def _ending() -> dict[str, Any]:
    """A kernel that has nothing to do is not interrupted before it is shut down.

    Jupyter interrupts each, and one that is just about to say that it is idle prints an error then.
    """
    running: set[int] = set()

    class Manager(AsyncKernelManager):
        async def _async_interrupt_kernel(self) -> None:
            if running or not self.shutting_down:
                await super()._async_interrupt_kernel()

    return {
        "kernel_manager_class": Manager,
        "on_cell_execute": lambda cell, cell_index: running.add(cell_index),
        "on_cell_executed": lambda cell, cell_index, execute_reply: running.clear(),
    }


@contextmanager
def environment(values: Mapping[str, str | None]) -> Iterator[None]:
    """Environment variables for the time of a block; None removes one."""
    before = {name: os.environ.get(name) for name in values}
    _set(values)
    try:
        yield
    finally:
        _set(before)


def _set(values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        os.environ.pop(name, None)
        if value is not None:
            os.environ[name] = value
