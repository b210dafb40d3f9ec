"""Many runs, each kept as it arrives: a sweep resumes where it stopped."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterable, Sequence
from contextlib import closing
from itertools import product
from typing import Any

import pandas as pd
from tqdm import tqdm

from hsu_lib import scenes
from hsu_lib.runs.connection import scheduler
from hsu_lib.runs.execution import has_old_scores, rescored
from hsu_lib.runs.question import Run
from hsu_lib.runs.record import Record, as_row
from hsu_lib.runs.remote import Cluster
from hsu_lib.runs.results import Results
from hsu_lib.runs.schedule import Make, Schedule, here, plan
from hsu_lib.runs.store import Store
from hsu_lib.scene import SceneSpec, Status


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
    schedule: Schedule | None = None,
    device: str | None = None,
    recompute: bool | None = None,
    progress: bool = True,
) -> Results:
    """Records of all runs: replayed where the store has them, computed where it does not.

    Each record is kept the moment it is there, so a sweep that is stopped at any point loses at
    most the runs in progress and goes on from there when it is started again. The first run that
    fails ends the sweep with its error; what was finished stays in the store. Several sweeps over one
    store share the work: what one is making, the others do not. Where a score was added or changed since
    a local record was made, its scores are made anew from its arrays.

    Parameters
    ----------
    runs
        What is asked; the result has the same order.
    store
        By default the local store, then the published one.
    schedule
        Who makes what is missing: `here`, ``processes(n)`` or ``Cluster(address)``; by default the cluster
        that ``HSU_SCHEDULER`` names, or else `here`.
    device
        Torch device of what must be computed; by default ``HSU_DEVICE``, else CUDA where there is
        one, else the CPU. On a cluster CUDA must be named.
    recompute
        Compute everything afresh, whatever is stored; by default if ``HSU_RECOMPUTE`` is ``1``.
    progress
        A progress bar on stderr.

    Returns
    -------
    Results
        The table and the records, in the order of `runs`.

    Raises
    ------
    OSError
        If the store cannot be read or written.
    Exception
        Whatever a run finds wrong, with a note that names the run.
    """
    store = store or Store()
    if schedule is None:
        schedule = Cluster(scheduler()) if scheduler() else here
    recompute = os.environ.get("HSU_RECOMPUTE") == "1" if recompute is None else recompute
    store.tidy(finished=not recompute)
    asked = {run.key: run for run in runs}
    records: dict[str, Record] = {}
    with tqdm(total=len(asked), disable=not progress, unit="run", mininterval=2.0) as bar:

        def told(run: Run) -> None:
            bar.set_postfix_str(str(run))

        for key, run in () if recompute else asked.items():
            record = store.find(key)
            if record is not None:
                told(run)
                records[key] = _rescored(record, store)
                bar.update()
        missing = {key: run for key, run in asked.items() if key not in records}

        def local(run: Run) -> bool:
            # what others start from is needed with its maps, which a published record has in 255 steps only
            found = None if recompute or run.key in missing else store.find(run.key, local=True)
            return found is not None and found.exact

        planned = plan(missing.values(), done=local)
        computed = set()
        if planned:
            bar.reset(len(records) + len(planned))
            bar.update(len(records))
            # a method's own bar only where it can be redrawn in place
            bars = progress and sys.stderr.isatty()
            device = device or default_device(elsewhere=isinstance(schedule, Cluster))
            make = Make(store, device, progress=bars, anew=recompute)
            with closing(schedule(planned, make, told)) as finished:
                for run, record, found in finished:
                    replayed = found or run.key in records
                    records.setdefault(run.key, record)
                    if not replayed:
                        computed.add(run.key)
                    bar.update()
    rows, answers = [], []
    for run in runs:
        record = records[run.key]
        replayed = record.key not in computed
        rows.append(as_row(record) | {"label": run.label or run.method, "replayed": replayed})
        answers.append(record)
        computed.discard(record.key)  # asked twice, it was computed once
    return Results(pd.DataFrame(rows), answers)


def _rescored(record: Record, store: Store) -> Record:
    """The record with today's scores, kept so, where its arrays and its scene are all here."""
    whole = record.exact or record.status == Status.DIVERGED.name
    if not (whole and has_old_scores(record) and record.origin == "local"):
        return record
    if not scenes.is_available(record.scene):
        return record
    record = rescored(record)
    try:
        return store.put(record)
    except OSError as error:  # a store that is only read
        warnings.warn(f"scores made anew are not kept: {error}", RuntimeWarning, stacklevel=3)
        return record


def default_device(*, elsewhere: bool = False) -> str:
    """``HSU_DEVICE``, or ``"cuda"`` where torch finds one, or ``"cpu"``; the last on machines elsewhere."""
    named = os.environ.get("HSU_DEVICE")
    if named or elsewhere:
        return named or "cpu"
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
