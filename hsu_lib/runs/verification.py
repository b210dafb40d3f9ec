"""Published runs made once more: how near they come, method by method."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from hsu_lib import paths
from hsu_lib.atomic import write_atomically
from hsu_lib.runs.execution import execute
from hsu_lib.runs.provenance import commit, device_name, versions
from hsu_lib.runs.question import Run
from hsu_lib.runs.record import Record
from hsu_lib.runs.store import Store

#: What two machines with the same libraries may differ by: the rounding of float32, a few steps on.
TOLERANCE = 1e-5


@dataclass(frozen=True)
class Difference:
    """How far a run made again lies from its published record.

    Parameters
    ----------
    run
        In words.
    key, method
        Of the record.
    scores
        Largest absolute difference of a score that both have, in the unit of the score.
    score
        Which one.
    endmembers
        Largest absolute difference of an entry of `E`, over the largest entry of the published one.
    """

    run: str
    key: str
    method: str
    scores: float
    score: str
    endmembers: float

    @property
    def size(self) -> float:
        """The larger of both; infinite if either is no number."""
        size = max(self.scores, self.endmembers)
        return size if np.isfinite(self.scores) and np.isfinite(self.endmembers) else float("inf")

    def __str__(self) -> str:
        score = f"{self.score} by {self.scores:.1e}" if self.score else "no score"
        return f"{self.run}: {score}, endmembers by {self.endmembers:.1e}"


def published(profile: str, store: Store | None = None) -> list[Record]:
    """All published records of a profile.

    Raises
    ------
    LookupError
        If there is none.
    """
    store = store or Store()
    found = list(Store(paths.nowhere(), store.published).records())
    found = [record for record in found if record.origin == profile]
    if not found:
        raise LookupError(f"nothing is published for profile {profile!r}")
    return found


def drawn(records: Iterable[Record], number: int, seed: int) -> list[Record]:
    """A random sample that has each method at least once, even if it then is larger than asked."""
    order = sorted(records, key=lambda record: record.key)
    shuffled = [order[k] for k in np.random.default_rng(seed).permutation(len(order))]
    first = {record.asked["method"]: record for record in reversed(shuffled)}
    rest = [record for record in shuffled if record is not first[record.asked["method"]]]
    return [*first.values(), *rest[: max(0, number - len(first))]]


def threads_of(record: Record) -> int:
    """Threads of torch with which a record was made on a CPU; 1 where it was not noted."""
    noted = record.made.get("threads") or re.search(r"(\d+) threads?$", str(record.made.get("device", "")))
    return int(noted if isinstance(noted, int) else noted[1] if noted else 1)


def made_again(record: Record, store: Store, *, device: str = "cpu", progress: bool = False) -> Record:
    """The same run by today's code, with as many threads; taken from `store` if it is there already."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(threads_of(record))
    try:
        run = Run.from_asked(record.asked)
        return store.find(run.key, local=True) or store.put(
            execute(run, device=device, progress=progress, store=store)
        )
    finally:
        torch.set_num_threads(before)


def compared(record: Record, again: Record) -> Difference:
    """How far `again` lies from `record`."""
    apart = {
        name: abs(value - again.scores.get(name, np.nan))
        for name, value in record.scores.items()
        if name in again.scores or again.status != record.status
    }
    score = max(apart, key=lambda name: (np.isnan(apart[name]), apart[name]), default="")
    E, F = (np.asarray(r.arrays["E"], dtype=np.float64) for r in (record, again))
    size = float(np.abs(E).max()) or 1.0
    endmembers = float(np.abs(E - F).max() / size) if E.shape == F.shape else float("inf")
    method = record.asked["method"]
    return Difference(
        str(Run.from_asked(record.asked)), record.key, method, apart.get(score, 0.0), score, endmembers
    )


@dataclass(frozen=True)
class Verification:
    """Outcome of a verification.

    Parameters
    ----------
    profile, seed, tolerance
        What was asked.
    date, commit, device, versions
        When and where, as in a record.
    runs
        How many runs were made again; `of`, how many are published.
    methods
        By name: how many runs, the largest difference of a score and of the endmembers.
    beyond
        The runs that differ by more than the tolerance, in words.
    """

    profile: str
    seed: int
    tolerance: float
    date: str
    commit: str
    device: str
    versions: dict[str, str]
    runs: int
    of: int
    methods: dict[str, dict[str, Any]]
    beyond: list[str] = field(default_factory=list)

    @property
    def largest(self) -> float:
        """Largest difference of all."""
        return max(max(m["scores"], m["endmembers"]) for m in self.methods.values())

    @classmethod
    def of_differences(
        cls, profile: str, seed: int, tolerance: float, found: Sequence[Difference], of: int
    ) -> Verification:
        """Summary of what was found, made here and now."""
        methods: dict[str, dict[str, Any]] = {}
        for name in sorted({d.method for d in found}):
            theirs = [d for d in found if d.method == name]
            methods[name] = {
                "runs": len(theirs),
                "scores": max(d.scores for d in theirs),
                "endmembers": max(d.endmembers for d in theirs),
            }
        return cls(
            profile,
            seed,
            tolerance,
            datetime.datetime.now(datetime.UTC).date().isoformat(),
            commit(),
            device_name("cpu"),
            versions(),
            len(found),
            of,
            methods,
            [str(difference) for difference in found if difference.size > tolerance],
        )

    def write(self, folder: Path) -> Path:
        """Into ``verified.json`` of a folder of published results, atomically."""
        path = folder / "verified.json"
        write_atomically(path, (json.dumps(asdict(self), indent=1, sort_keys=True) + "\n").encode())
        return path

    @classmethod
    def read(cls, folder: Path) -> Verification | None:
        """Inverse of `write`; None where nothing has been verified."""
        path = folder / "verified.json"
        return cls(**json.loads(path.read_text())) if path.is_file() else None

    def __str__(self) -> str:
        near = f"differs by at most {self.largest:.1g}"
        return f"re-verified on {self.date}: {self.runs} of {self.of} runs, {near}"


def verify(
    records: Sequence[Record], *, device: str = "cpu", progress: bool = True
) -> Iterator[tuple[Record, Difference]]:
    """Make runs again, each with as many threads as before, and tell how near they come.

    What was made is kept under the commit, so that a verification that was stopped goes on.
    """
    store = Store(paths.built() / "verified" / (commit() or "unknown"), paths.nowhere())
    for record in records:
        yield record, compared(record, made_again(record, store, device=device, progress=progress))
