"""Who is at work on what: locks on files, which end with the process that holds them, however it ends.

Where the file system knows no locks, everybody gets every lease: work is then done twice, and nothing breaks.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

with suppress(ImportError):  # Windows has none
    import fcntl
    import resource

#: Files that a process opens beside those of its leases, at most.
_OTHERS = 256

_NO_LOCKS = {
    getattr(errno, name)
    for name in ("ENOLCK", "ENOSYS", "ENOTSUP", "EOPNOTSUPP", "EINVAL", "EBADF")
    if hasattr(errno, name)
}


def _lock(handle: int) -> bool:
    """Whether the lock is ours now, or there are no locks; False where another process has it."""
    if "fcntl" not in globals():
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
    return True


def most() -> int:
    """How many leases this process can hold at once: each is an open file."""
    if "resource" not in globals():
        return 1024
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 2**20 if limit == resource.RLIM_INFINITY else max(1, limit - _OTHERS)


@contextmanager
def lease(path: Path) -> Iterator[bool]:
    """Inside, nobody else has the lease at `path` if this gives True; False where another process has it.

    The file is there only while it is held, or after its holder was killed, when it blocks nobody.

    Raises
    ------
    OSError
        If the file cannot be made.
    """
    handle = _opened(path)
    if handle is None:
        yield False
        return
    try:
        yield True
    finally:
        with suppress(OSError):
            path.unlink(missing_ok=True)  # before the lock goes, so that nobody can have locked it since
        os.close(handle)


def _opened(path: Path) -> int | None:
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            if not _lock(handle):
                os.close(handle)
                return None
            if os.path.samestat(os.fstat(handle), os.stat(path)):
                return handle
        except FileNotFoundError:
            pass  # its last holder has removed it between our opening and our lock
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def remove_free(folder: Path) -> None:
    """Remove the leases in `folder` whose holder was killed."""
    try:
        paths = list(folder.iterdir())
    except OSError:
        return
    for path in paths:
        with suppress(OSError), lease(path):
            pass


@contextmanager
def held(folder: Path, *, seconds: float = 5.0) -> Iterator[None]:
    """Inside, no other process that asks for it changes which files lie in `folder`.

    After so many seconds it goes on without: whoever holds it hangs, and this lock only keeps what people
    read beside the truth.
    """
    handle = None
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
    try:
        if handle is not None:
            until = time.monotonic() + seconds
            with suppress(OSError):
                while not _lock(handle) and time.monotonic() < until:
                    time.sleep(0.002)
        yield
    finally:
        if handle is not None:
            os.close(handle)
