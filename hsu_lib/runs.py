"""One run of one method: what was asked (`Run`), what came out (`Record`), and the store that keeps it."""

from __future__ import annotations

import datetime
import hashlib
import importlib.metadata
import io
import json
import os
import platform
import subprocess
import tempfile
import time
import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsu_lib import methods, metrics, scenes
from hsu_lib.learning import checkpoints
from hsu_lib.methods.refinement import Refinement
from hsu_lib.methods.settings import asked as asked_settings
from hsu_lib.methods.trained import Trained
from hsu_lib.methods.watched import Watched
from hsu_lib.metrics.alignment import align
from hsu_lib.metrics.truth import Truth
from hsu_lib.scene import Scene, SceneSpec, Status, Unmixing

ROOT = Path(__file__).resolve().parent.parent
#: What is added to a noise seed for the scene that is learnt from, so that both have draws of their own.
_OTHER_DRAW = 1_000_003
_LONG = 300  # values of a curve
#: Scores that mean something for a set of pixels without their places.
_PIXELWISE = ("rmse-", "mse-abundances", "mae-", "cos-abundances", "sre-", "mse-reconstruction")


def local_folder() -> Path:
    """Local run store: ``HSU_STORE``, or ``_build/runs`` of the project."""
    return Path(os.environ.get("HSU_STORE") or ROOT / "_build" / "runs")


def published_folder() -> Path:
    """Published results: ``book/results`` of the project, or ``HSU_PUBLISHED``."""
    return Path(os.environ.get("HSU_PUBLISHED") or ROOT / "book" / "results")


def _json(value: Any) -> str:
    """Canonical JSON: sorted keys, no spaces, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _digest(data: bytes | str) -> str:
    return hashlib.sha256(data.encode() if isinstance(data, str) else data).hexdigest()


# --------------------------------------------------------------------------- what is asked


@dataclass(frozen=True)
class Run:
    """One unmixing to be made: method, scene, seed, settings.

    Parameters
    ----------
    method
        Name in `hsu_lib.methods.METHODS`.
    scene
        Which scene, and what is done to it.
    seed
        Seed of the method.
    settings
        Settings that differ from the method's defaults; checked here.
    endmembers
        How many; None for as many as the scene's reference has.
    label
        What a chapter calls this condition; not part of the key.
    """

    method: str
    scene: SceneSpec
    seed: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)
    endmembers: int | None = None
    label: str = ""

    def __post_init__(self) -> None:
        methods.get(self.method).configure(**self.settings)  # a typing error is told before the work

    def asked(self) -> dict[str, Any]:
        """Everything that decides the result, as JSON-ready values; all settings are spelt out."""
        method, first = methods.get(self.method), self.first
        return (
            {
                "method": self.method,
                "method_version": method.version,
                "settings": dict(asked_settings(method.configure(**self.settings))),
                "scene": self.scene.to_dict(),
                "scene_version": scenes.version(self.scene),
                "seed": self.seed,
                "endmembers": self.endmembers,
            }
            | ({} if first is None else {"first": first.asked()})
            | self._asked_training()
        )

    @classmethod
    def from_asked(cls, asked: Mapping[str, Any]) -> Run:
        """The run that a record answers, from its `Record.asked`."""
        scene = SceneSpec.from_dict(asked["scene"])
        return cls(asked["method"], scene, asked["seed"], asked["settings"], asked["endmembers"])

    @property
    def first(self) -> Run | None:
        """Run from whose result this one starts (see `hsu_lib.methods.refinement`), or None."""
        method = methods.get(self.method)
        if not isinstance(method, Refinement):
            return None
        other, settings = method.starts_from(method.configure(**self.settings))
        return Run(other.name, self.scene, self.seed, settings, self.endmembers)

    @property
    def training(self) -> SceneSpec | None:
        """Scene whose labels this learns from, if it is another one (see `hsu_lib.methods.trained`).

        It has as much noise as the scene itself, in another draw, and its reference of the same name if
        there is one.
        """
        method = methods.get(self.method)
        name = method.configure(**self.settings).trained_on if isinstance(method, Trained) else ""
        if not name:
            return None
        theirs = self.scene.reference in scenes.describe(name).references
        return SceneSpec(
            name,
            reference=self.scene.reference if theirs else "",
            snr_db=self.scene.snr_db,
            noise_seed=self.scene.noise_seed + _OTHER_DRAW,
        )

    def _asked_training(self) -> dict[str, Any]:
        spec = self.training
        return {} if spec is None else {"training": spec.to_dict() | {"version": scenes.version(spec)}}

    @property
    def key(self) -> str:
        """SHA-256 of what is asked, in canonical JSON. The same question has the same key anywhere."""
        return _digest(_json(self.asked()))

    def __str__(self) -> str:
        return f"{self.label or self.method} on {self.scene}, seed {self.seed}"


# --------------------------------------------------------------------------- where it came from


@cache
def commit() -> str:
    """Commit of the project's checkout, with ``+`` where files differ from it; empty outside git."""
    try:
        named = ["git", "-C", str(ROOT), "describe", "--always", "--abbrev=12", "--dirty=+", "--exclude=*"]
        return subprocess.run(named, capture_output=True, text=True, check=True, timeout=20).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


@cache
def device_name(device: str) -> str:
    """The processor in words, with its number of threads or its memory."""
    import torch

    if torch.device(device).type == "cuda":
        card = torch.cuda.get_device_properties(device)
        return f"{card.name}, {card.total_memory / 2**30:.0f} GiB"
    model = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return f"{model}, {torch.get_num_threads()} threads"


def _versions() -> dict[str, str]:
    return {name: importlib.metadata.version(name) for name in ("numpy", "scipy", "torch")} | {
        "python": platform.python_version()
    }


# --------------------------------------------------------------------------- what came out


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
        return _digest(_json(self.asked))

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


def execute(
    run: Run,
    *,
    device: str = "cpu",
    progress: bool = False,
    store: Store | None = None,
    fresh: set[str] | None = None,
) -> Record:
    """Make a run now.

    What it starts from (`Run.first`) is taken from `store` if it was made there, else made and kept there.
    It comes in the order of the scene's reference, as every record does.

    Parameters
    ----------
    run
        What is asked.
    device, progress
        See `hsu_lib.methods.Method.unmix`.
    store
        Where first estimations are found and kept; None makes each anew.
    fresh
        If given, only first estimations with these keys are taken from the store; keys of those made here
        are added.

    Raises
    ------
    ValueError, OSError
        What the scene or the method finds wrong.
    """
    import torch

    method, scene = methods.get(run.method), scenes.load(run.scene, progress=progress)
    given: dict[str, Any] = dict(run.settings)
    if run.first is not None:
        record = store.get(run.first) if store and (fresh is None or run.first.key in fresh) else None
        # a published one keeps its maps in 255 steps
        if record is None or record.origin != "local":
            record = execute(run.first, device=device, progress=progress, store=store, fresh=fresh)
            record = store.put(record) if store else record
            if fresh is not None:
                fresh.add(record.key)
        given["start"] = record.unmixing
    if isinstance(method, Watched):
        given["truth"] = _truth(run.scene)
    if isinstance(method, Trained) and run.scene.snr_db is not None:
        given["clean"] = scenes.load(replace(run.scene, snr_db=None), progress=progress).Y
    if run.training is not None:
        given["training"] = scenes.load(run.training, progress=progress)
    started = time.perf_counter()
    with checkpoints.keep_in(store.local / "unfinished" / run.key) if store else nullcontext():
        unmixing = method.unmix(
            scene,
            endmembers=run.endmembers,
            seed=run.seed,
            device=device,
            progress=progress,
            **given,
        )
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize()
    seconds = time.perf_counter() - started
    scores: Mapping[str, float] = {}
    if unmixing.status is not Status.DIVERGED:
        scores, unmixing = _scored(unmixing, scene, _truth(run.scene), method)
    return Record(
        asked=run.asked(),
        scores={name: value for name, value in scores.items() if np.isfinite(value)},
        status=unmixing.status.name,
        seconds=round(seconds, 3),
        made={
            "device": device_name(device),
            "versions": _versions(),
            "commit": commit(),
            "scores": metrics.VERSION,
            "scene": scene.fingerprint,
            "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        },
        arrays={"E": unmixing.E, "A": unmixing.A} | {f"history/{n}": c for n, c in unmixing.history.items()},
    )


def _scored(
    unmixing: Unmixing, scene: Scene, truth: Truth, method: methods.Method
) -> tuple[dict[str, float], Unmixing]:
    """`hsu_lib.metrics.score`; maps that the history keeps come into the order of the reference as well.

    Where the history tells the pixels kept for testing, their scores are there too, as ``test/NAME``.
    """
    ordered = isinstance(method, Trained)
    scores, aligned = metrics.score(unmixing, scene, truth, ordered=ordered)
    if "test" in unmixing.history and scene.A is not None:
        kept = unmixing.history["test"].reshape(scene.height, scene.width) > 0
        there = Scene(scene.Y[:, kept][:, None], scene.E, scene.A[:, kept][:, None], scene.materials)
        part = Unmixing(unmixing.E, unmixing.A[:, kept][:, None])
        of_part, _ = metrics.score(part, there, ordered=ordered)
        scores |= {f"test/{name}": value for name, value in of_part.items() if name.startswith(_PIXELWISE)}
    if "snapshots" not in aligned.history:
        return scores, aligned
    order = align(unmixing.E, aligned.E)
    return scores, replace(
        aligned, history={**aligned.history, "snapshots": aligned.history["snapshots"][:, order]}
    )


@lru_cache(maxsize=4)
def _truth(spec: SceneSpec) -> Truth:
    return Truth.with_fclsu(scenes.load(replace(spec, snr_db=None)), noisy=spec.snr_db is not None)


def has_old_scores(record: Record) -> bool:
    """Whether its scores are of an older `hsu_lib.metrics.VERSION` than today's."""
    made = record.made.get("scores", 1)
    return (made if isinstance(made, int) else 1) < metrics.VERSION  # version 1 left a hash of its code


def rescored(record: Record) -> Record:
    """The same record with all scores made anew from its arrays, for when a score was added or changed.

    Raises
    ------
    LookupError
        If the record keeps no abundances.
    """
    made = {**record.made, "scores": metrics.VERSION}
    if record.status == Status.DIVERGED.name:
        return replace(record, made=made)
    method = methods.get(record.asked["method"])
    scores, _ = _scored(record.unmixing, scenes.load(record.scene), _truth(record.scene), method)
    return replace(
        record, scores={name: value for name, value in scores.items() if np.isfinite(value)}, made=made
    )


# --------------------------------------------------------------------------- where it is kept


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
        "arrays_sha256": _digest(buffer.getvalue()),
    }
    text = json.dumps(body | {"sha256": _digest(_json(body))}, indent=1, sort_keys=True) + "\n"
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
        intact = stated == _digest(_json(body)) and body["arrays_sha256"] == _digest(data)
        if not intact or _digest(_json(body["asked"])) != path.stem:
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


@dataclass(frozen=True)
class Store:
    """Where records are looked up and kept: the local folder first, then the published ones, read-only.

    Parameters
    ----------
    local
        Folder written to.
    published
        Folder with one subfolder per profile; nothing is ever written there by a run.
    """

    local: Path = field(default_factory=local_folder)
    published: Path = field(default_factory=published_folder)

    def get(self, run: Run) -> Record | None:
        """Record of that run, or None where it must be computed.

        A damaged local entry is removed, with a warning, and counts as missing; a damaged published
        one is passed over with a warning.
        """
        for path, origin in self._places(run.key):
            if not path.exists():
                continue
            try:
                return read_record(path, origin)
            except DamagedRecord as damage:
                warnings.warn(f"damaged record, computed again: {damage}", RuntimeWarning, stacklevel=2)
                if origin == "local":
                    path.unlink(missing_ok=True)
                    path.with_suffix(".npz").unlink(missing_ok=True)
        return None

    def put(self, record: Record) -> Record:
        """Keep a record in the local folder; the same record, now of origin ``"local"``."""
        write_record(self.local / record.key[:2], record)
        return replace(record, origin="local")

    def records(self) -> Iterator[Record]:
        """Every intact record, local ones before published ones, each key once."""
        seen = set()
        files = [(p, "local") for p in sorted(self.local.glob("??/*.json"))]
        files += [(p, p.parent.parent.name) for p in sorted(self.published.glob("*/records/*.json"))]
        for path, origin in files:
            if path.stem not in seen:
                try:
                    yield read_record(path, origin)
                    seen.add(path.stem)
                except DamagedRecord:
                    continue

    def _places(self, key: str) -> list[tuple[Path, str]]:
        places = [(self.local / key[:2] / f"{key}.json", "local")]
        profiles = sorted(p for p in self.published.glob("*/records") if p.is_dir())
        return places + [(p / f"{key}.json", p.parent.name) for p in profiles]


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
