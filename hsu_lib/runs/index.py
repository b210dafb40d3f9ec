"""A list of what lies in a store, so that 20,000 records are told without opening each.

It is never the truth: a row counts only while its file has the size and the time that it was made from.
Where it is missing, damaged or of another version it is made anew, and where it cannot be kept (a read-only
store) everything works without.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import zlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, NamedTuple

from hsu_lib.runs.layout import state

VERSION = 1
#: Seconds that another process is waited for.
PATIENCE = 2.0
_KEY = re.compile(r"[0-9a-f]{64}")


class Entry(NamedTuple):
    """A row of the index: a record by folder and key, the state of its file, and what is told of it."""

    folder: str
    key: str
    state: str
    row: bytes


class Index:
    """Rows by folder and key in a file of SQLite.

    Parameters
    ----------
    path
        The file; its folder is not made for it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def note(self, entries: Iterable[Entry], gone: Iterable[tuple[str, str]] = ()) -> None:
        """Keep rows and forget others; if that cannot be done now, somebody will find the files later."""
        values = [(*entry, _checksum(entry)) for entry in entries]

        def change(base: sqlite3.Connection) -> None:
            with base:
                base.executemany("DELETE FROM rows WHERE folder = ? AND key = ?", gone)
                base.executemany("INSERT OR REPLACE INTO rows VALUES (?, ?, ?, ?, ?)", values)

        self._tried(change)

    def entries(self) -> list[Entry]:
        """Every row whose checksum holds; none where the file cannot be read."""
        found: list[tuple[Any, ...]] = []
        self._tried(lambda base: found.extend(base.execute("SELECT folder, key, state, row, sum FROM rows")))
        return [entry for *values, total in found if _checksum(entry := Entry(*values)) == total]

    def refreshed(
        self, folders: Iterable[Path], row: Callable[[Path], tuple[Mapping[str, Any], bool]]
    ) -> list[tuple[Path, dict[str, Any]]]:
        """Folder and row of every record in `folders`, as the files are now.

        Parameters
        ----------
        folders
            Each holds records; one that is missing holds none.
        row
            What is told of a record, read from its file, and whether all of that is in this one file.

        Raises
        ------
        OSError
            If a folder or a new file cannot be read.
        """
        known = {entry[:2]: entry for entry in self.entries()}
        current: list[tuple[Path, Entry]] = []
        new = []
        scanned = set()
        for folder in folders:
            name = self.name(folder)
            scanned.add(name)
            for key, whole in _listed(folder).items():
                entry = known.pop((name, key), None)
                if entry is None or entry.state != whole:
                    now = f"{whole}|{_state(folder / f'{key}.json')}"  # of a record that needs both files
                    if entry is None or entry.state != now:
                        try:
                            told, sealed = row(folder / f"{key}.npz")
                        except FileNotFoundError:
                            continue  # gone since
                        text = json.dumps(told).encode()
                        entry = Entry(name, key, whole if sealed else now, text)
                        new.append(entry)
                current.append((folder, entry))
        missing = {name for name, _ in known if not (self.path.parent / name).is_dir()}
        gone = [place for place in known if place[0] in scanned or place[0] in missing]
        if new or gone:
            self.note(new, gone)
        rows = json.loads(b"[" + b",".join(entry.row for _, entry in current) + b"]")
        return [(folder, row) for (folder, _), row in zip(current, rows, strict=True)]

    def name(self, folder: Path) -> str:
        """What a folder is called here: folders beside the index keep their names when all are moved."""
        return folder.name if folder.parent == self.path.parent else str(folder.absolute())

    def _tried(self, work: Callable[[sqlite3.Connection], object]) -> None:
        for _ in range(2):
            try:
                with closing(self._open()) as base:
                    work(base)
                return
            except (sqlite3.Error, OSError) as error:
                if not isinstance(error, sqlite3.Error) or _of_the_machine(error):
                    return
            for damaged in (f"{self.path.name}-journal", self.path.name):
                with suppress(OSError):
                    self.path.with_name(damaged).unlink(missing_ok=True)

    def _open(self) -> sqlite3.Connection:
        try:
            return _connected(self.path)
        except sqlite3.Error as error:
            if not _of_the_machine(error):
                raise
            return sqlite3.connect(f"{self.path.absolute().as_uri()}?mode=ro", uri=True, timeout=PATIENCE)


def _of_the_machine(error: sqlite3.Error) -> bool:
    """Whether the file may be whole all the same: it is busy, or not ours to write."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in (
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
    )


def _connected(path: Path) -> sqlite3.Connection:
    base = sqlite3.connect(path, timeout=PATIENCE)
    try:
        base.execute("PRAGMA synchronous = OFF")  # what a power cut damages is made anew
        if _version(base) != VERSION:
            with base:
                base.execute("BEGIN IMMEDIATE")
                if _version(base) != VERSION:  # nobody was faster
                    base.execute("DROP TABLE IF EXISTS rows")
                    base.execute(
                        "CREATE TABLE rows (folder TEXT, key TEXT, state TEXT, row BLOB, sum INTEGER,"
                        " PRIMARY KEY (folder, key)) WITHOUT ROWID"
                    )
                    base.execute(f"PRAGMA user_version = {VERSION}")
    except BaseException:
        base.close()
        raise
    return base


def _version(base: sqlite3.Connection) -> int:
    return base.execute("PRAGMA user_version").fetchone()[0]


def _checksum(entry: Entry) -> int:
    return zlib.crc32(entry.row, zlib.crc32(f"{entry.folder} {entry.key} {entry.state}".encode()))


def _listed(folder: Path) -> dict[str, str]:
    """State of the ``.npz`` of each record in a folder, by key; empty where there is only its ``.json``."""
    states: dict[str, str] = {}
    try:
        with os.scandir(folder) as files:
            for file in files:
                key, ending = file.name[:64], file.name[64:]
                if ending == ".json":
                    states.setdefault(key, "")
                elif ending == ".npz":
                    with suppress(FileNotFoundError):  # gone since
                        states[key] = state(file.stat())
    except (FileNotFoundError, NotADirectoryError):
        return {}
    return {key: told for key, told in states.items() if _KEY.fullmatch(key)}


def _state(path: Path) -> str:
    try:
        return state(path.stat())
    except FileNotFoundError:
        return ""
