"""Which records count for the questions, and where they are."""

from __future__ import annotations

from collections.abc import Callable

from hsu_lib import paths
from hsu_lib.runs.layout import read_record
from hsu_lib.runs.record import Record

#: Where a record is looked up by its key.
Find = Callable[[str], Record | None]


def counts(record: Record) -> bool:
    """Whether a record can decide: only what was made from files as some commit has them."""
    return of_a_commit(record.made.get("commit", ""))


def of_a_commit(commit: object) -> bool:
    """Whether what a record says of its commit names one whose files were as they are in it."""
    return bool(commit) and not str(commit).endswith("+")


def published() -> Find:
    """Look-up among the published records alone, of all profiles, whatever else was run here."""
    folders = sorted(paths.published().glob("*/records"))

    def find(key: str) -> Record | None:
        for folder in folders:
            try:
                return read_record(folder / f"{key}.npz", folder.parent.name)
            except FileNotFoundError:
                continue
        return None

    return find
