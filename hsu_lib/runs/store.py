"""Where records are looked up and kept."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from hsu_lib import paths
from hsu_lib.runs.question import Run
from hsu_lib.runs.record import DamagedRecord, Record, read_record, write_record


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

    local: Path = field(default_factory=paths.store)
    published: Path = field(default_factory=paths.published)

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
