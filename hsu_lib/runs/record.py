"""What came out of a run, as a `Record`: made here, whoever executed the run, and what it holds."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from hsu_lib.atomic import write_atomically as write_atomically  # its place before it had a module
from hsu_lib.runs.canonical import digest, to_json
from hsu_lib.runs.provenance import arithmetic, commit, device_name, versions
from hsu_lib.scene import Scene, SceneSpec, Status, Unmixing

if TYPE_CHECKING:
    from hsu_lib.runs.question import Run


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
        Provenance: device, threads, on CUDA ``tf32``, versions, commit, `hsu_lib.metrics.VERSION` of the
        scores, fingerprint of the scene, date (UTC); ``abundances`` where they were ``"left out"`` or are
        ``"in 255 steps"``, and ``estimate_of``, the key of the run whose estimate is scored here again.
    arrays
        ``E`` and ``A`` in the order of the reference, ``history/NAME`` curves; ``active``, which spectra of
        the library these are, where there is one. A published record may lack ``A``.
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
    def exact(self) -> bool:
        """Whether its abundances are as they were made: there, and not in 255 steps."""
        return "A" in self.arrays and not self.made.get("abundances") and self.origin in ("", "local")

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
        E, A, active = self.arrays["E"], self.arrays["A"], self.arrays.get("active")
        return Unmixing(E, A, Status[self.status], curves, active=active)


def arrays_of(unmixing: Unmixing) -> dict[str, NDArray]:
    """What a record keeps of an unmixing, by the names of its arrays."""
    curves = {f"history/{n}": c for n, c in unmixing.history.items()}
    active = {} if unmixing.active is None else {"active": unmixing.active}
    return {"E": unmixing.E, "A": unmixing.A} | active | curves


def made_record(
    run: Run,
    unmixing: Unmixing,
    scores: Mapping[str, float],
    *,
    scene: Scene,
    seconds: float,
    device: str,
) -> Record:
    """Record of a run that was just made on this machine, from this commit, with `device`.

    Parameters
    ----------
    run, scene
        What was asked, and the scene it was.
    unmixing, scores
        What came out.
    seconds
        Wall time of the method.
    """
    from hsu_lib import metrics  # here, because listing records takes none

    return Record(
        asked=run.asked(),
        scores=dict(scores),
        status=unmixing.status.name,
        seconds=round(seconds, 3),
        made={
            "device": device_name(device),
            **arithmetic(device),
            "versions": versions(),
            "commit": commit(),
            "scores": metrics.VERSION,
            "scene": scene.fingerprint,
            "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        },
        arrays=arrays_of(unmixing),
    )


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
