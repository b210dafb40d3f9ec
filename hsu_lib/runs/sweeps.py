"""A grid of runs made one after the other, each kept as it arrives: a sweep resumes where it stopped."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from itertools import product
from typing import Any

import pandas as pd
from tqdm import tqdm

from hsu_lib import scenes
from hsu_lib.runs.execution import execute, has_old_scores, rescored
from hsu_lib.runs.question import Run
from hsu_lib.runs.record import Record, as_row
from hsu_lib.runs.results import Results
from hsu_lib.runs.store import Store
from hsu_lib.scene import SceneSpec


def grid(
    methods: Iterable[str], scenes: Iterable[SceneSpec | str], seeds: Iterable[int], **settings: Any
) -> list[Run]:
    """Every method on every scene with every seed, all with the same settings."""
    specs = [SceneSpec(s) if isinstance(s, str) else s for s in scenes]
    return [Run(m, s, seed, settings) for s, m, seed in product(specs, list(methods), list(seeds))]


def sweep(
    runs: Sequence[Run],
    *,
    store: Store | None = None,
    device: str | None = None,
    recompute: bool | None = None,
    progress: bool = True,
) -> Results:
    """Records of all runs: replayed where the store has them, computed where it does not.

    Each record is kept the moment it is there, so a sweep that is stopped at any point loses at
    most the run in progress and goes on from there when it is started again. The first run that
    fails ends the sweep with its error; what was finished stays in the store. Where a score was added
    or changed since a local record was made, its scores are made anew from its arrays.

    Parameters
    ----------
    runs
        What is asked; the result has the same order.
    store
        By default the local store, then the published one.
    device
        Torch device of what must be computed; by default ``HSU_DEVICE``, else CUDA where there is
        one, else the CPU.
    recompute
        Compute everything afresh, whatever is stored; by default if ``HSU_RECOMPUTE`` is ``1``.
    progress
        A progress bar on stderr.

    Returns
    -------
    Results
        The table and the records, in the order of `runs`.
    """
    store = store or Store()
    recompute = os.environ.get("HSU_RECOMPUTE") == "1" if recompute is None else recompute
    fresh: set[str] | None = set() if recompute else None
    records: list[Record] = []
    rows: list[dict[str, Any]] = []
    with tqdm(runs, disable=not progress, unit="run", mininterval=2.0) as bar:
        for run in bar:
            bar.set_postfix_str(str(run))
            record = None if recompute else store.get(run)
            replayed = record is not None
            if record is None:
                # a method's own bar only where it can be redrawn in place
                bars = progress and sys.stderr.isatty()
                where = device or default_device()
                record = store.put(execute(run, device=where, progress=bars, store=store, fresh=fresh))
                if fresh is not None:
                    fresh.add(record.key)
            elif _can_be_rescored(record):
                record = store.put(rescored(record))
            records.append(record)
            rows.append(as_row(record) | {"label": run.label or run.method, "replayed": replayed})
    return Results(pd.DataFrame(rows), records)


def _can_be_rescored(record: Record) -> bool:
    """Whether the scores are newer than the record, and its arrays and its scene are all here."""
    return has_old_scores(record) and record.origin == "local" and scenes.is_available(record.scene)


def default_device() -> str:
    """``HSU_DEVICE``, or ``"cuda"`` where torch finds one, or ``"cpu"``."""
    import torch

    return os.environ.get("HSU_DEVICE") or ("cuda" if torch.cuda.is_available() else "cpu")
