"""What came out of a run: a `Record`, as it lies in a file, and what of it is published."""

from __future__ import annotations

import io
import json
import os
import tempfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsu_lib.runs.canonical import digest, to_json
from hsu_lib.scene import SceneSpec, Status, Unmixing

_LONG = 300  # values of a curve


@dataclass(frozen=True)
class Record:
    """Outcome of a run: scores, arrays and provenance.

    Parameters
    ----------
    asked
        `Run.asked` of the run.
    scores
        Names of `hsu_lib.metrics.SCORES` to values.
    status
        `hsu_lib.scene.Status` by name.
    seconds
        Wall time of the method alone, without loading and scoring.
    made
        Provenance: device, versions, commit, `hsu_lib.metrics.VERSION` of the scores, fingerprint of the
        scene, date (UTC).
    arrays
        ``E`` and ``A`` in the order of the reference, ``history/NAME`` curves. A published record
        may lack ``A``.
    origin
        ``"local"``, or the profile it was published with; empty for one just computed.
    """

    asked: Mapping[str, Any]
    scores: Mapping[str, float]
    status: str
    seconds: float
    made: Mapping[str, Any]
    arrays: Mapping[str, NDArray]
    origin: str = ""

    @property
    def key(self) -> str:
        """Key of the run this answers."""
        return digest(to_json(self.asked))

    @property
    def scene(self) -> SceneSpec:
        """Which scene it was made from."""
        return SceneSpec.from_dict(self.asked["scene"])

    @property
    def unmixing(self) -> Unmixing:
        """Endmembers and abundances.

        Raises
        ------
        LookupError
            If this published record keeps no abundances.
        """
        if "A" not in self.arrays:
            raise LookupError(
                "abundances are published only where a page shows their maps; "
                "run this one again with `hsu run ... --recompute`"
            )
        curves = {
            name.removeprefix("history/"): a for name, a in self.arrays.items() if name.startswith("history/")
        }
        return Unmixing(self.arrays["E"], self.arrays["A"], Status[self.status], curves)


class DamagedRecord(ValueError):
    """A stored record that is not what was written."""


def write_atomically(path: Path, data: bytes) -> None:
    """File that is either wholly there or not at all, whenever the process or the machine stops."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".part-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def write_record(folder: Path, record: Record) -> int:
    """Write ``KEY.npz`` and then ``KEY.json`` into `folder`; the number of bytes written.

    The JSON comes last and carries the SHA-256 of the arrays and of itself: what is not complete
    does not count, and what was changed is noticed.
    """
    buffer = io.BytesIO()
    arrays: dict[str, Any] = {name.replace("/", "."): array for name, array in record.arrays.items()}
    np.savez_compressed(buffer, **arrays)
    body = {
        "asked": record.asked,
        "scores": record.scores,
        "status": record.status,
        "seconds": record.seconds,
        "made": record.made,
        "arrays_sha256": digest(buffer.getvalue()),
    }
    text = json.dumps(body | {"sha256": digest(to_json(body))}, indent=1, sort_keys=True) + "\n"
    write_atomically(folder / f"{record.key}.npz", buffer.getvalue())
    write_atomically(folder / f"{record.key}.json", text.encode())
    return len(buffer.getvalue()) + len(text)


def read_record(path: Path, origin: str) -> Record:
    """Record from its JSON file and the arrays beside it.

    Raises
    ------
    DamagedRecord
        If a byte of either file is not what was written, or the arrays are missing.
    """
    try:
        body = json.loads(path.read_bytes())
        stated = body.pop("sha256")
        data = path.with_suffix(".npz").read_bytes()
        intact = stated == digest(to_json(body)) and body["arrays_sha256"] == digest(data)
        if not intact or digest(to_json(body["asked"])) != path.stem:
            raise ValueError("checksums differ")
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            arrays = {name.replace(".", "/"): file[name] for name in file.files}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedRecord(f"{path}: {error}") from error
    for name in [name for name in arrays if name.endswith("_quantised")]:
        arrays[name.removesuffix("_quantised")] = dequantise(arrays.pop(name))
    return Record(
        body["asked"], body["scores"], body["status"], body["seconds"], body["made"], arrays, origin
    )


def rounded(curve: NDArray) -> NDArray[np.float32]:
    """Values with 12 significant bits, off by a share of 1/4096 at most; the rest compresses well."""
    bits = np.asarray(curve, dtype=np.float32).view(np.uint32)
    kept = ((bits + np.uint32(1 << 11)) & np.uint32(0xFFFFF000)).view(np.float32)
    return np.where(np.isfinite(curve), kept, curve).astype(np.float32)


def quantise(A: NDArray) -> NDArray[np.uint8]:
    """Abundances in steps of 1/255 for publication; the maps of a page need no more."""
    return np.round(np.clip(A, 0, 1) * 255).astype(np.uint8)


def dequantise(levels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Abundances ``(..., endmembers, height, width)`` from `quantise`, rescaled to sum to one (ASC).

    Each is within 1/510 of the original before that.
    """
    A = levels.astype(np.float32)
    return A / A.sum(axis=-3, keepdims=True).clip(min=1.0)


def publish(records: Sequence[Record], folder: Path, maps: Collection[str]) -> int:
    """Copy records to ``folder/records``; the bytes written.

    Scores, endmembers and curves of every run, long curves with 12 significant bits; abundances, in 255
    steps, of those with a key in `maps`.
    """
    written = 0
    for record in records:
        arrays = {
            name: rounded(array) if array.ndim == 1 and array.size > _LONG else array
            for name, array in record.arrays.items()
        }
        for name in ("A", "history/snapshots"):
            A = arrays.pop(name, None)
            if A is not None and record.key in maps:
                arrays[f"{name}_quantised"] = quantise(A)
        written += write_record(folder / "records", replace(record, arrays=arrays))
    return written


def as_row(record: Record) -> dict[str, Any]:
    """Record as one flat row: method, scene, seed, status, seconds, provenance, scores."""
    asked = record.asked
    return {
        "key": record.key,
        "method": asked["method"],
        "scene": str(record.scene),
        "seed": asked["seed"],
        "status": record.status,
        "seconds": record.seconds,
        "origin": record.origin,
        **{name: record.made.get(name, "") for name in ("date", "device", "commit")},
        **record.scores,
        "settings": settings_line(asked["settings"]),
    }


def settings_line(settings: Mapping[str, Any]) -> str:
    """Settings in one line, ``name=value`` in order."""
    return ", ".join(f"{name}={value}" for name, value in sorted(settings.items()))
