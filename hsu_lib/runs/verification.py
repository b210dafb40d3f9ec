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
from hsu_lib.runs.publication import off
from hsu_lib.runs.question import Run
from hsu_lib.runs.record import Record
from hsu_lib.runs.store import Store
from hsu_lib.scene import Status

#: Up to here two results are equal but for rounding: that of float32, a few steps on.
ROUNDING = 1e-5
#: Up to here they are two answers to one question: the smallest effects that count (page *How to read*).
COUNTS = {"rmse-abundances": 0.01, "sad-endmembers": 0.02}
#: How near a run made again comes, in words.
KINDS = ("equal", "equal within rounding", "elsewhere, by less than counts", "beyond")


@dataclass(frozen=True)
class Difference:
    """How far a run made again lies from its published record.

    Parameters
    ----------
    run
        In words.
    method
        Its name.
    scores, endmembers
        Largest absolute difference of a score that both have, in its unit; of an entry of `E`, over the
        largest entry of the published one, which is rounded: what rounding explains is none. Infinite where
        they cannot be compared.
    counts
        Absolute difference of the scores in `COUNTS`.
    commit
        Of the run made again.
    """

    run: str
    method: str
    scores: float
    endmembers: float
    counts: dict[str, float]
    commit: str

    @property
    def kind(self) -> str:
        """One of `KINDS`."""
        size = max(self.scores, self.endmembers)
        if size <= ROUNDING:
            return KINDS[size > 0]
        return KINDS[2 if all(d <= COUNTS[name] for name, d in self.counts.items()) else 3]

    def __str__(self) -> str:
        told = "".join(f", {name} by {d:.1e}" for name, d in self.counts.items())
        return f"{self.run}: {self.kind}; endmembers by {self.endmembers:.1e}{told}"


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
    both = record.scores.keys() & again.scores.keys()
    apart = {name: abs(record.scores[name] - again.scores[name]) for name in sorted(both)}
    E, F = record.arrays["E"], again.arrays["E"]
    size = float(np.abs(E).max()) or 1.0
    diverged = Status.DIVERGED.name in {record.status, again.status} and record.status != again.status
    return Difference(
        str(Run.from_asked(record.asked)),
        record.asked["method"],
        max(apart.values(), default=0.0),
        float("inf") if diverged or E.shape != F.shape else float(off(E, F).max() / size),
        {name: float("inf") if diverged else apart[name] for name in COUNTS if name in apart},
        str(again.made.get("commit", "")),
    )


@dataclass(frozen=True)
class Verification:
    """Outcome of a verification.

    Parameters
    ----------
    profile, seed
        What was asked.
    date, commits, device, versions
        When and where, as in a record.
    runs, of
        How many runs were made again, and of how many.
    kinds
        How many of each of `KINDS`.
    methods
        By name: how many runs, the largest difference of a score, of the endmembers, and of each score in
        `COUNTS`.
    beyond
        The runs that are, in words.
    """

    profile: str
    seed: int
    date: str
    commits: list[str]
    device: str
    versions: dict[str, str]
    runs: int
    of: int
    kinds: dict[str, int]
    methods: dict[str, dict[str, Any]]
    beyond: list[str] = field(default_factory=list)

    @classmethod
    def of_differences(cls, profile: str, seed: int, found: Sequence[Difference], of: int) -> Verification:
        """Summary of what was found, made here and now."""
        methods: dict[str, dict[str, Any]] = {}
        for name in sorted({d.method for d in found}):
            theirs = [d for d in found if d.method == name]
            methods[name] = {"runs": len(theirs)}
            methods[name] |= {k: max(getattr(d, k) for d in theirs) for k in ("scores", "endmembers")}
            methods[name] |= {k: max((d.counts.get(k, 0.0) for d in theirs), default=0.0) for k in COUNTS}
        return cls(
            profile,
            seed,
            datetime.datetime.now(datetime.UTC).date().isoformat(),
            sorted({d.commit for d in found}),
            device_name("cpu"),
            versions(),
            len(found),
            of,
            {kind: sum(d.kind == kind for d in found) for kind in KINDS},
            methods,
            [str(d) for d in found if d.kind == KINDS[3]],
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
        told = ", ".join(f"{count} {kind}" for kind, count in self.kinds.items() if count)
        worst = max((m["rmse-abundances"] for m in self.methods.values()), default=0.0)
        return (
            f"re-verified on {self.date}: {self.runs} of {self.of} runs, {told}; "
            f"the RMSE of abundances differs by at most {worst:.1g}"
        )


def verify(records: Iterable[Record], *, device: str = "cpu", progress: bool = True) -> Iterator[Difference]:
    """Make runs again, each with as many threads as before, and tell how near they come.

    What was made is kept under the commit, so that a verification that was stopped goes on.
    """
    store = Store(paths.built() / "verified" / (commit() or "unknown"), paths.nowhere())
    for record in records:
        yield compared(record, made_again(record, store, device=device, progress=progress))
