"""Files that are there whole or not at all, and what killed processes leave of them.

A file is written under a temporary name that tells whose it is, and renamed when it is complete. A process
that is killed in between leaves that name behind; a later one removes it with `remove_leftovers`, but never
while its owner lives.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import secrets
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import cache
from pathlib import Path

#: Seconds after which a temporary file of another machine counts as left behind.
ABANDONED = 24 * 3600.0
_OURS = re.compile(r"\.(?P<place>[0-9a-f]{12})-(?P<pid>\d+)-[0-9a-f]{8}\.part")
#: Names that told nothing of their owner.
_OLD = re.compile(r"\.part-\w{8}|[0-9a-f]{64}\.\d+\.part")


@cache
def _place() -> str:
    """Where process ids mean what they mean here: this machine, this container."""
    try:
        space = os.readlink("/proc/self/ns/pid")
    except OSError:
        space = ""
    return hashlib.sha256(f"{platform.node()} {space}".encode()).hexdigest()[:12]


def temporary(folder: Path) -> Path:
    """A new name in `folder` that tells which process it belongs to."""
    return folder / f".{_place()}-{os.getpid()}-{secrets.token_hex(4)}.part"


def write_atomically(path: Path, data: bytes) -> None:
    """File that is either wholly there or not at all, whenever the process or the machine stops.

    Raises
    ------
    OSError
        If it cannot be written; what was there before still is.
    """
    write_together({path: data})


def write_together(
    contents: Mapping[Path, bytes],
    *,
    parts: Path | None = None,
    renaming: AbstractContextManager[object] | None = None,
) -> dict[Path, os.stat_result]:
    """Files that are all complete on the disk before the first takes its place, in the order given.

    Parameters
    ----------
    contents
        What goes where.
    parts
        Folder of the temporary files, on the same file system; by default each lies beside its target.
    renaming
        Entered while the files take their places.

    Returns
    -------
    dict
        What the file system says of each.

    Raises
    ------
    OSError
        If one cannot be written; all that were there before still are.
    """
    made: dict[Path, tuple[Path, os.stat_result]] = {}
    try:
        for path, data in contents.items():
            for folder in {path.parent, parts or path.parent}:
                folder.mkdir(parents=True, exist_ok=True)
            part = temporary(parts or path.parent)
            try:
                made[path] = part, _written(part, data)
            except OSError as error:  # of a full disk, for instance, which names no file
                raise OSError(error.errno, error.strerror, str(path)) from error
        with renaming or nullcontext():
            for path, (part, _) in made.items():
                os.replace(part, path)
    except BaseException:
        for part, _ in made.values():
            with suppress(OSError):
                part.unlink(missing_ok=True)
        raise
    return {path: stat for path, (_, stat) in made.items()}


def _written(part: Path, data: bytes) -> os.stat_result:
    try:
        with part.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            return os.fstat(file.fileno())
    except BaseException:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise


def remove_leftovers(folder: Path, *, old: re.Pattern[str] = _OLD) -> int:
    """Remove temporary files in `folder` whose process is no more; how many.

    Of processes on other machines nothing is known: their files go when nothing was written to them for a
    day, and so do files named like `old`, as earlier versions did. A folder that is missing or cannot be
    changed has none.
    """
    removed = 0
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            ours = _OURS.fullmatch(entry.name)
            if ours is None and not old.fullmatch(entry.name):
                continue
            with suppress(OSError):  # somebody else was faster
                dead = ours is not None and ours["place"] == _place() and not _lives(int(ours["pid"]))
                if dead or time.time() - entry.stat(follow_symlinks=False).st_mtime > ABANDONED:
                    os.unlink(entry.path)
                    removed += 1
    return removed


def _lives(pid: int) -> bool:
    if os.name == "nt":  # asking would interrupt it
        return True
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # somebody else's
        return True
    return True
