"""Folders that one process fills at a time, and that are replaced whole.

A folder filled here holds a file ``.hsu``: the sign that it was made here, and a lock that ends with its
process (`held`). What is to replace a folder is made in a `workplace` beside it and put there by `replace`:
at every moment the old or the new one is whole. Whatever a killed process left is swept by the next one.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

MARK = ".hsu"
#: In a folder of pages: the names of the files that were built there.
PAGES = ".hsu-pages"
#: Holds workplaces, and a folder that waits to be put in place.
_MAKING = ".making"
_READY = "ready-"


class Busy(RuntimeError):
    """Another process is filling this folder."""


@contextmanager
def held(folder: Path, doing: str) -> Iterator[None]:
    """Keep a folder, which is made if need be, to this process for the time of a block.

    Parameters
    ----------
    folder
        What is kept.
    doing
        The command in words, for whoever else wants it meanwhile.

    Raises
    ------
    Busy
        If another process keeps it; says which, and what it does.
    OSError
        If it cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / MARK).open("a+b", buffering=0)
    except OSError as error:
        raise OSError(f"cannot write to {folder}: {error.strerror or error}") from error
    with file:
        if not _locked(file):
            file.seek(0)
            who = file.read().decode(errors="replace").strip() or "another process"
            raise Busy(f"{folder} is in use by {who}; wait, or stop it")
        since = time.strftime("%Y-%m-%d %H:%M:%S")
        with suppress(OSError):  # on a full disk it is held all the same
            file.truncate(0)
            file.write(f"process {os.getpid()} on {platform.node()}: {doing}, since {since}\n".encode())
        yield


def _locked(file: BinaryIO) -> bool:
    if sys.platform == "win32":
        return True
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:  # some network file systems know no locks: there, nobody is kept out
        if error.errno not in (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL):
            raise
    return True


@contextmanager
def workplace(parent: Path) -> Iterator[Path]:
    """Empty folder inside `parent`, which this process `held`; it goes at the end, however that comes."""
    settle(parent)
    making = parent / _MAKING
    shutil.rmtree(making, ignore_errors=True)  # of killed processes
    making.mkdir(exist_ok=True)
    place = Path(tempfile.mkdtemp(dir=making))
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)
        with suppress(OSError):
            making.rmdir()


def replace(new: Path, target: Path) -> None:
    """Put a folder made in a `workplace` where `target` is or shall be.

    Where system and file system can swap two folders in one step (Linux, macOS), there is no moment
    without either. Elsewhere there is a short one, and if the process dies in it, `recover` ends its work.

    Raises
    ------
    OSError
        If it could not be done; `target` is then as it was.
    """
    if target.exists() and not target.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "not a folder", str(target))
    if not target.exists():
        os.rename(new, target)
    elif not _exchanged(new, target):
        ready = target.parent / _MAKING / f"{_READY}{target.name}"
        os.rename(new, ready)  # from here on it counts
        try:
            _put(ready, target)
        except OSError:
            if target.exists():
                os.rename(ready, new)
            raise


def recover(parent: Path) -> None:
    """`settle`, for who only wants to read; what a living process is at is left to it."""
    if any((parent / _MAKING).glob(f"{_READY}*")):
        with suppress(Busy, OSError), held(parent, "finishing what a killed process began"):
            settle(parent)


def settle(parent: Path) -> None:
    """Finish what a killed process was putting in place in a folder, which this process `held`."""
    for ready in (parent / _MAKING).glob(f"{_READY}*"):
        _put(ready, parent / ready.name.removeprefix(_READY))


def _put(ready: Path, target: Path) -> None:
    old = Path(tempfile.mkdtemp(dir=ready.parent)) / "old"
    if target.exists():
        try:
            os.rename(target, old)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            shutil.rmtree(target)  # a lower layer of an overlay: folders there cannot be renamed
    try:
        os.rename(ready, target)
    except OSError:
        if old.exists():
            os.rename(old, target)
        raise


def _exchanged(one: Path, other: Path) -> bool:
    """Swap two folders in one step; False where that is unknown."""
    if sys.platform == "win32":
        return False
    libc, names = ctypes.CDLL(None, use_errno=True), (os.fsencode(one), os.fsencode(other))
    here, swap = -100, 2  # AT_FDCWD; RENAME_EXCHANGE of Linux, RENAME_SWAP of macOS
    try:
        if sys.platform == "darwin":
            failed = libc.renamex_np(*names, swap)
        else:
            failed = libc.renameat2(here, names[0], here, names[1], swap)
    except AttributeError:
        return False
    code = ctypes.get_errno()
    if failed and code not in (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EXDEV):
        raise OSError(code, os.strerror(code), str(other))
    return not failed
