"""Abundance maps that are published for the page *Explore* alone: of one seed of each condition."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from hsu_lib import paths
from hsu_lib.publishing.explorer.conditions import SCORE, Condition, conditions
from hsu_lib.publishing.published import MOST_BYTES
from hsu_lib.runs import DamagedRecord, Record, Run, Store, read_record, sweep
from hsu_lib.runs import publish as publish_records
from hsu_lib.runs.choices import chosen_from
from hsu_lib.scenes import describe

#: Maps of larger scenes, in pixels, are not published: 25 MB are all there is.
MOST_PIXELS = 12_000
#: A run that is made again has to have the published score, but for half a step of a map; where a scene has
#: no abundances, the angle of its endmembers.
_COMPARED, _OFF = (SCORE, "sad-endmembers"), 1 / 510
#: What is left of the 25 MB for chapters.
_ROOM = 10**6


def published_map(key: str) -> Record | None:
    """Record with nothing but the published abundances of a run, or None; a damaged one counts as missing."""
    for path in sorted(paths.published().glob(f"*/maps/records/{key}.npz")):
        try:
            return read_record(path, path.parts[-4])
        except DamagedRecord:
            continue
    return None


def wanted(profile: str) -> list[Condition]:
    """Conditions of a profile with seeds that decide, on scenes not too large, the quickest first."""
    store = Store(paths.nowhere(), paths.published())
    found = conditions(store.records(), choices=chosen_from(store.find), labelled=True)
    mine = [c for c in found if c.fresh and c.median is not None and _pixels(c) <= MOST_PIXELS]
    mine = [c for c in mine if _middle(c).origin == profile]
    return sorted(mine, key=lambda c: _middle(c).seconds)


def publish_maps(profile: str, seconds: float, tell: Callable[[str], Any]) -> int:
    """Publish the abundances of the median seed of each condition where they are not published yet.

    They come from the local store or, as long as time is left, from a run that is made again; only where that
    has the error that was published. What no condition asks for any more is removed.

    Parameters
    ----------
    profile
        Whose records.
    seconds
        Time for runs; none begins that took longer than what is left of it.
    tell
        Takes a line for each map that is not published, and why.

    Returns
    -------
    int
        How many maps were added.
    """
    home, store, end = paths.published(), Store(), time.monotonic() + seconds
    folder, asked, added = home / profile / "maps", wanted(profile), 0
    keys = {_middle(c).key for c in asked}
    for path in (folder / "records").glob("*.npz"):
        if path.stem not in keys:
            path.unlink()
    for condition in asked:
        record = _middle(condition)
        if "A" in record.arrays or published_map(record.key) is not None:
            continue
        words = f"{condition.name} on {condition.scene}, seed {condition.median}"
        if _size(home) > MOST_BYTES - _ROOM:
            tell(f"{words}: the published results would be too large")
            continue
        made = store.find(record.key, local=True)
        if made is None and record.seconds > end - time.monotonic():
            tell(f"{words}: takes about {record.seconds:.0f} s")
            continue
        run = Run.from_asked(record.asked)
        if run.key != record.key:
            tell(f"{words}: its method or scene has changed since")
            continue
        made = made or sweep([run], store=Store(published=paths.nowhere()), progress=False).records[0]
        told = next((score for score in _COMPARED if score in record.scores), "")
        if not told:
            tell(f"{words}: nothing published says whether they are those of the run")
            continue
        off = abs(made.scores[told] - record.scores[told])
        if off > _OFF:
            tell(f"{words}: its {told} is {off:.4f} off the published one")
            continue
        publish_records([replace(made, arrays={"A": made.arrays["A"]}, origin=profile)], folder, [record.key])
        added += 1
    return added


def _middle(condition: Condition) -> Record:
    assert condition.median is not None
    return condition.records[condition.median]


def _pixels(condition: Condition) -> int:
    _, height, width = describe(condition.scene.name).size
    return height * width


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
