"""Records on their way from one store to another: in tar files, each below a size."""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from hsu_lib.runs.layout import DamagedRecord, open_record, quantise, sealed
from hsu_lib.runs.record import Record
from hsu_lib.runs.store import Store

#: Bytes of one file.
LARGEST = 15 * 2**20
_MEMBER = re.compile(r"[0-9a-f]{64}\.npz")


class Pack:
    """Writes records to a tar file as they come; whatever stops it, those written can be read.

    When it would become larger than `largest`, it is called ``NAME-000.tar``, and the next
    ``NAME-001.tar``.

    Parameters
    ----------
    path
        The file, replaced if there is one.
    largest
        Bytes of one file.
    """

    def __init__(self, path: Path, largest: int = LARGEST) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path, self._largest = path, largest
        self.paths = [path]
        self._begin(path)

    def __enter__(self) -> Pack:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def add(self, record: Record) -> None:
        """Write a record.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        data = sealed(record)
        if self._file.offset and self._file.offset + len(data) + 4 * tarfile.BLOCKSIZE > self._largest:
            self._next()
        member = tarfile.TarInfo(f"{record.key}.npz")
        member.size = len(data)
        self._file.addfile(member, BytesIO(data))
        self._handle.flush()

    def _next(self) -> None:
        self._end()
        if self.paths == [self._path]:
            self.paths = [self._path.rename(self._numbered(0))]
        self.paths.append(self._numbered(len(self.paths)))
        self._begin(self.paths[-1])

    def _begin(self, path: Path) -> None:
        self._handle = path.open("wb")
        self._file = tarfile.open(fileobj=self._handle, mode="w", format=tarfile.USTAR_FORMAT)  # noqa: SIM115

    def _end(self) -> None:
        self._file.close()
        self._handle.close()

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.stem}-{number:03d}{self._path.suffix}")


def light(record: Record, *, maps: bool) -> Record:
    """The record with its abundances in 255 steps, or without them; it says so.

    Parameters
    ----------
    maps
        Whether to keep them.
    """
    if not record.exact:
        return record
    arrays = {name: array for name, array in record.arrays.items() if name != "A"}
    if maps:
        arrays["A_quantised"] = quantise(record.arrays["A"])
    made = {**record.made, "abundances": "in 255 steps" if maps else "left out"}
    return replace(record, arrays=arrays, made=made)


class Merged(NamedTuple):
    """How many records were new, how many there already, and what is damaged, in words."""

    new: int
    there: int
    damaged: tuple[str, ...]


def merge(paths: Iterable[Path], store: Store) -> Merged:
    """Take the records of tar files into the local store, each checked; none that is there is replaced.

    Raises
    ------
    OSError
        If a file cannot be read, or the store not be written.
    """
    new, there, damaged = 0, 0, []
    for path in paths:
        for found in _members(path):
            if isinstance(found, str):
                damaged.append(found)
            elif store.find(found.key, local=True) is not None:
                there += 1
            else:
                store.put(found)
                new += 1
    return Merged(new, there, tuple(damaged))


def _members(path: Path) -> Iterator[Record | str]:
    """Records of a tar file, or what is wrong."""
    try:
        with tarfile.open(path, "r:") as file:
            for member in file:
                where = f"{path}: {member.name}"
                data = file.extractfile(member) if member.isfile() else None
                if data is None or not _MEMBER.fullmatch(member.name):
                    yield f"{where}: it is no record"
                    continue
                try:
                    yield open_record(data.read(), member.name.removesuffix(".npz"), where)
                except (DamagedRecord, ValueError) as damage:
                    yield str(damage)
    except tarfile.TarError as error:
        yield f"{path}: {error}"
