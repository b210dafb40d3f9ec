"""Where records are looked up and kept."""

from __future__ import annotations

import json
import os
import re
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hsu_lib import paths
from hsu_lib.atomic import remove_leftovers
from hsu_lib.runs.evidence import counts
from hsu_lib.runs.index import Entry, Index
from hsu_lib.runs.layout import DamagedRecord, from_body, read_body, read_record, write_noted
from hsu_lib.runs.leases import held, lease, remove_free
from hsu_lib.runs.record import Record, as_row

if TYPE_CHECKING:
    from hsu_lib.runs.question import Run

_SHARD = re.compile(r"[0-9a-f]{2}")
_FILE = re.compile(r"([0-9a-f]{64})\.(npz|json)")


@dataclass(frozen=True)
class Store:
    """Where records are looked up and kept: the local folder first, then the published ones, read-only.

    Several processes may use one store at once. An error of the machine while reading (no permission, no
    free file handle, a failing disk) is raised: it says nothing of a record, and changes nothing.

    Parameters
    ----------
    local
        Folder written to: records in ``KK/KEY.npz``, what was damaged in ``damaged``, states of runs in
        progress in ``unfinished``.
    published
        Folder with one subfolder per profile; nothing is ever written there by a run.
    """

    local: Path = field(default_factory=paths.store)
    published: Path = field(default_factory=paths.published)

    def get(self, run: Run) -> Record | None:
        """Record of that run, or None where it must be computed; see `find`."""
        return self.find(run.key)

    def find(self, key: str, *, local: bool = False, deciding: bool = False) -> Record | None:
        """Record under a key, or None where there is none.

        A damaged local record is moved to the folder ``damaged``, with a warning, and counts as missing; a
        damaged published one is passed over with a warning.

        Parameters
        ----------
        key
            Of the run.
        local
            Not among the published ones.
        deciding
            One that `counts` before one that does not, which would hide it: such a one is made by
            `hsu maps`, or with `--recompute`, while some file differs from its commit.

        Raises
        ------
        OSError
            If a record cannot be read now.
        ValueError
            If it was written by a newer version.
        """
        first = None
        for record in self._found(key, local):
            if not deciding or counts(record):
                return record
            first = first or record
        return first

    def _found(self, key: str, local: bool) -> Iterator[Record]:
        """Every intact record under a key, the local one first."""
        try:
            yield read_record(self._path(key), "local")
        except (FileNotFoundError, NotADirectoryError):
            pass
        except DamagedRecord:
            record = self._set_aside(key)
            if record is not None:
                yield record
        for folder in [] if local else self._profiles():
            try:
                yield read_record(folder / "records" / f"{key}.npz", folder.name)
            except (FileNotFoundError, NotADirectoryError):
                continue
            except DamagedRecord as damage:
                _warn(f"damaged record, passed over: {damage}")

    def put(self, record: Record, data: bytes | None = None) -> Record:
        """Keep a record in the local folder; the same record, now of origin ``"local"``.

        Parameters
        ----------
        record
            It replaces what is there under its key.
        data
            The record as it was sealed elsewhere (`hsu_lib.runs.layout.sealed`), to be kept byte for byte.

        Raises
        ------
        OSError
            If it cannot be written; the one that was there before still is.
        """
        folder = self._path(record.key).parent
        state = write_noted(folder, record, parts=self.local / "parts", data=data)
        index = self._index()
        with suppress(LookupError, TypeError, ValueError):  # kept, if not told; a listing says why
            row = json.dumps(as_row(record)).encode()
            index.note([Entry(index.name(folder), record.key, state, row)])
        return replace(record, origin="local")

    def records(self) -> Iterator[Record]:
        """Every intact record, local ones before published ones, each key once; damage is told and stays.

        Raises
        ------
        OSError
            If a folder or a record cannot be read.
        """
        seen = set()
        for folder, origin in self._folders():
            for key in _keys(folder):
                if key not in seen:
                    try:
                        yield read_record(folder / f"{key}.npz", origin)
                        seen.add(key)
                    except FileNotFoundError:
                        continue
                    except DamagedRecord as damage:
                        _warn(f"damaged record, passed over: {damage}")

    def rows(self) -> list[dict[str, Any]]:
        """`as_row` of every intact record, as `records` gives them, from an index beside the records.

        Raises
        ------
        OSError
            If a folder, or a record that the index does not know yet, cannot be read.
        """
        origins = dict(self._folders())
        rows, told, damaged = [], set(), []
        for folder, row in self._index().refreshed(origins, _row):
            if "damaged" in row:
                damaged.append(row["damaged"])
            elif row["key"] not in told:
                told.add(row["key"])
                rows.append(row | {"origin": origins[folder]})
        if damaged:
            _warn(f"damaged records, passed over: {len(damaged)}, such as {'; '.join(damaged[:3])}")
        return rows

    def lease(self, key: str) -> AbstractContextManager[bool]:
        """The right to make the run under a key; see `hsu_lib.runs.leases.lease`."""
        return lease(self.local / "leases" / key)

    def tidy(self, *, finished: bool = True) -> None:
        """Remove what killed processes left; never what belongs to a living one.

        Parameters
        ----------
        finished
            Also states of runs whose record is there.
        """
        for name in ("parts", "unfinished"):
            remove_leftovers(self.local / name)
        remove_free(self.local / "leases")
        if finished:
            for key in _listed(self.local / "unfinished"):
                if self._path(key).exists():
                    with suppress(OSError), self.lease(key) as ours:
                        if ours:
                            (self.local / "unfinished" / key).unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self.local / key[:2] / f"{key}.npz"

    def _set_aside(self, key: str) -> Record | None:
        """Move a damaged record away, unless it has been made anew since: then that record."""
        path, target = self._path(key), self.local / "damaged"
        with held(path.parent):
            try:
                return read_record(path, "local")
            except FileNotFoundError:
                return None
            except DamagedRecord as damage:
                reason = str(damage)
            try:
                target.mkdir(exist_ok=True)
                number = next(n for n in range(10**6) if not any(target.glob(f"{key}.{n}.*")))
                for file in (path, path.with_suffix(".json")):
                    with suppress(FileNotFoundError):
                        file.rename(target / f"{key}.{number}{file.suffix}")
                where = f"it is now in {target}"
            except OSError as error:
                where = f"it could not be moved away: {error}"
        _warn(f"damaged record, computed again: {reason}; {where}")
        return None

    def _index(self) -> Index:
        return Index(self.local / "index.sqlite")

    def _folders(self) -> list[tuple[Path, str]]:
        """Folders that hold records, with the origin of these."""
        shards = [self.local / name for name in _listed(self.local) if _SHARD.fullmatch(name)]
        return [(s, "local") for s in shards] + [(p / "records", p.name) for p in self._profiles()]

    def _profiles(self) -> list[Path]:
        try:
            with os.scandir(self.published) as entries:
                return sorted(self.published / entry.name for entry in entries if entry.is_dir())
        except (FileNotFoundError, NotADirectoryError):
            return []


def _listed(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []


def _keys(folder: Path) -> list[str]:
    return sorted({name[1] for name in map(_FILE.fullmatch, _listed(folder)) if name})


def _row(path: Path) -> tuple[dict[str, Any], bool]:
    """What the index keeps of a record, and whether it is one sealed file."""
    try:
        body, sealed = read_body(path)
        return as_row(from_body(body)), sealed
    except (OSError, MemoryError):
        raise
    except DamagedRecord as damage:
        return {"damaged": str(damage)}, False
    except Exception as error:  # whole, but written by another version
        return {"damaged": f"{path}: not understood: {error!r}"}, False


def _warn(text: str) -> None:
    warnings.warn(text, RuntimeWarning, stacklevel=3)
