"""A record as it lies on disk: one file, sealed, and a copy of its words for people.

``KEY.npz`` is the record: a zip archive with ``record.json`` and one ``.npy`` per array. Its comment, the
seal, is the SHA-256 of all bytes before it. In a local store ``KEY.json`` beside it says the same to people;
nothing is believed of it. Records of before have no seal: their JSON counts, and names the SHA-256 of the
archive and of itself.
"""

from __future__ import annotations

import io
import json
import os
import re
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsu_lib.atomic import write_together
from hsu_lib.runs.canonical import digest, to_json
from hsu_lib.runs.compact import expanded
from hsu_lib.runs.leases import held
from hsu_lib.runs.record import Record

FORMAT = 2
#: Name of an array that holds others, see `hsu_lib.runs.compact`.
COMPACT = "compact"
_SEAL = b"sha256:"
_SEALED = len(_SEAL) + 64


class DamagedRecord(ValueError):
    """A stored record that is not what was written."""


def write_record(folder: Path, record: Record) -> int:
    """Write ``KEY.npz``, and nothing beside it, into `folder`; the number of bytes written.

    Raises
    ------
    OSError
        If it cannot be written; the record that was there before still is.
    """
    data = sealed(record)
    path = folder / f"{record.key}.npz"
    write_together({path: data}, renaming=held(folder))
    path.with_suffix(".json").unlink(missing_ok=True)  # of a record of before
    return len(data)


def write_noted(folder: Path, record: Record, *, parts: Path | None = None, data: bytes | None = None) -> str:
    """Write ``KEY.npz`` and its readable copy ``KEY.json``; the `state` of the first.

    Parameters
    ----------
    parts
        Folder of the temporary files, on the same file system; by default `folder`.
    data
        The record as it was `sealed` elsewhere; by default it is sealed now.

    Raises the errors of `write_record`.
    """
    body, data = _body(record), data or sealed(record)
    body["arrays_sha256"] = digest(data)
    copy = json.dumps(body | {"sha256": digest(to_json(body))}, indent=1, sort_keys=True) + "\n"
    path = folder / f"{record.key}.npz"
    contents = {path: data, path.with_suffix(".json"): copy.encode()}
    return state(write_together(contents, parts=parts, renaming=held(folder))[path])


def sealed(record: Record) -> bytes:
    """The record as one sealed file."""
    return _packed(json.dumps(_body(record), indent=1, sort_keys=True) + "\n", record.arrays)


def _body(record: Record) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "asked": record.asked,
        "scores": record.scores,
        "status": record.status,
        "seconds": record.seconds,
        "made": record.made,
    }


def state(file: os.stat_result) -> str:
    """What tells one state of a file from another without reading it."""
    return f"{file.st_size}:{file.st_mtime_ns}"


def read_record(path: Path, origin: str) -> Record:
    """Record from its file; `path` may name either of the two.

    Raises
    ------
    DamagedRecord
        If a byte is not what was written, or there are only the words.
    FileNotFoundError
        If there is no such record.
    OSError
        If it cannot be read now; nothing is known of the record then.
    ValueError
        If it is of a newer format.
    """
    return _record(*_read(path), origin, str(path))


def open_record(data: bytes, key: str, where: str, *, arrays: bool = True) -> Record:
    """Record from the bytes of its sealed file, as of somebody else's local store.

    Parameters
    ----------
    key
        The run that it must answer.
    where
        What errors call it.
    arrays
        Whether to unpack them; every byte is checked all the same.

    Raises
    ------
    DamagedRecord
        If a byte is not what was written, or it answers another run.
    ValueError
        If it is of a newer format.
    """
    if data[-_SEALED:-64] != _SEAL:
        raise DamagedRecord(f"{where}: it has no seal")
    body = _checked(key, where, lambda: _sealed_body(data))
    return _record(body, data, True, "local", where) if arrays else from_body(body)


def _record(body: Mapping[str, Any], data: bytes, sealed: bool, origin: str, where: str) -> Record:
    try:
        return replace(from_body(body), arrays=_unpacked(data, sealed=sealed), origin=origin)
    except MemoryError:
        raise
    except Exception as error:  # the checksum held, so whoever wrote it wrote something else
        raise DamagedRecord(f"{where}: {error}") from error


def read_body(path: Path) -> tuple[dict[str, Any], bool]:
    """What a record says beside its arrays, all bytes checked; and whether it is one sealed file.

    Raises the errors of `read_record`.
    """
    body, _, sealed = _read(path)
    return body, sealed


def from_body(body: Mapping[str, Any]) -> Record:
    """Record without its arrays."""
    return Record(
        asked=body["asked"],
        scores=body["scores"],
        status=body["status"],
        seconds=body["seconds"],
        made=body["made"],
        arrays={},
    )


def _read(path: Path) -> tuple[dict[str, Any], bytes, bool]:
    path = path.with_suffix(".npz")
    data = _bytes(path)
    sealed = data[-_SEALED:-64] == _SEAL

    def read() -> dict[str, Any]:
        return _sealed_body(data) if sealed else _body_beside(path.with_suffix(".json"), data)

    return _checked(path.stem, str(path), read), data, sealed


def _checked(key: str, where: str, read: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What `read` gives, if it answers the run of that key."""
    try:
        body = read()
        known = int(body.get("format", 1))
        if known <= FORMAT and digest(to_json(body["asked"])) != key:
            raise ValueError("it answers another run than its name says")
    except (OSError, MemoryError):
        raise
    except Exception as error:  # zipfile, zlib and json name many kinds of damage
        raise DamagedRecord(f"{where}: {error}") from error
    if known > FORMAT:
        raise ValueError(
            f"{where} has format {known}, this version reads up to {FORMAT}: a newer one is needed"
        )
    return body


def _bytes(path: Path) -> bytes:
    for last in (False, True):
        try:
            return path.read_bytes()
        except IsADirectoryError:
            raise DamagedRecord(f"{path}: it is a folder") from None
        except FileNotFoundError:
            if last:
                raise DamagedRecord(f"{path}: it is missing, only its .json is there") from None
            path.with_suffix(".json").stat()  # both may have come since
    raise AssertionError("unreachable")


def _sealed_body(data: bytes) -> dict[str, Any]:
    if digest(data[:-_SEALED]) != data[-64:].decode():
        raise ValueError("checksums differ")
    # the first member, read without the list of all at the end: an index reads thousands
    size, name, extra = (int.from_bytes(data[k : k + n], "little") for k, n in ((18, 4), (26, 2), (28, 2)))
    start = 30 + name + extra
    return json.loads(zlib.decompress(data[start : start + size], wbits=-zlib.MAX_WBITS))


def _body_beside(path: Path, data: bytes) -> dict[str, Any]:
    try:
        body = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise ValueError("it has no seal, and no .json beside it") from None
    if body.pop("sha256") != digest(to_json(body)) or body["arrays_sha256"] != digest(data):
        raise ValueError("checksums differ")
    return body


#: Curves of errors had other names than the scores that they are, before format 2.
_RENAMED = re.compile(r"(?<=^history/)(re|spectral-mse|mae/(\w+))(?=$|-averaged$)")


def _score(old: re.Match[str]) -> str:
    """A curve's name today."""
    if old[2]:
        return "mae-abundances" if old[2] == "reference" else f"mae-abundances-{old[2]}"
    return {"re": "mse-reconstruction", "spectral-mse": "mse-spectral"}[old[1]]


def _packed(text: str, arrays: Mapping[str, NDArray]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(_member("record.json"), text)
        for name, array in arrays.items():
            part = io.BytesIO()
            np.lib.format.write_array(part, np.asanyarray(array), allow_pickle=False)
            file.writestr(_member(f"{name}.npy"), part.getbuffer())
        file.comment = _SEAL + b"0" * 64
    data = buffer.getvalue()
    return data[:-64] + digest(data[:-_SEALED]).encode()


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name)  # of 1980: equal records are equal files
    member.compress_type = zipfile.ZIP_DEFLATED
    return member


def _unpacked(data: bytes, *, sealed: bool) -> dict[str, NDArray]:
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files if name != "record.json"}
    if not sealed:
        arrays = {name.replace(".", "/"): array for name, array in arrays.items()}
        arrays = {_RENAMED.sub(_score, name): array for name, array in arrays.items()}
    if COMPACT in arrays:
        arrays |= expanded(arrays.pop(COMPACT))
    for name in [name for name in arrays if name.endswith("_quantised")]:
        # those of a library need not sum to one
        arrays[name.removesuffix("_quantised")] = dequantise(arrays.pop(name), asc="active" not in arrays)
    return arrays


def quantise(A: NDArray) -> NDArray[np.uint8]:
    """Abundances in steps of 1/255 for publication; the maps of a page need no more."""
    return np.round(np.clip(A, 0, 1) * 255).astype(np.uint8)


def dequantise(levels: NDArray[np.uint8], *, asc: bool) -> NDArray[np.float32]:
    """Abundances ``(..., endmembers, height, width)`` from `quantise`, with `asc` rescaled to sum to one.

    Each is within 1/510 of the original before that, if this was not above one.
    """
    A = levels.astype(np.float32)
    if not asc:
        return A / np.float32(255)
    return A / A.sum(axis=-3, keepdims=True).clip(min=1.0)
