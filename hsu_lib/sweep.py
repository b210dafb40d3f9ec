"""A grid of runs made one after the other, each kept as it arrives: a sweep resumes where it stopped."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from itertools import product
from typing import Any

import pandas as pd
from tqdm import tqdm

from hsu_lib.runs import Record, Run, Store, as_row, code_fingerprint, execute
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
) -> tuple[pd.DataFrame, list[Record]]:
    """Records of all runs: replayed where the store has them, computed where it does not.

    Each record is kept the moment it is there, so a sweep that is stopped at any point loses at
    most the run in progress and goes on from there when it is started again. The first run that
    fails ends the sweep with its error; what was finished stays in the store.

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
    table
        One row per run (see `hsu_lib.runs.as_row`), with its ``label``, whether it was ``replayed``,
        and whether the method's code has ``changed`` since it was made.
    records
        The records themselves, in the same order.
    """
    store = store or Store()
    recompute = os.environ.get("HSU_RECOMPUTE") == "1" if recompute is None else recompute
    records: list[Record] = []
    rows: list[dict[str, Any]] = []
    with tqdm(runs, disable=not progress, unit="run", mininterval=1.0) as bar:
        for run in bar:
            bar.set_postfix_str(str(run))
            record = None if recompute else store.get(run)
            replayed = record is not None
            if record is None:
                record = store.put(execute(run, device=device or default_device(), progress=progress))
            records.append(record)
            changed = record.made.get("code") != code_fingerprint(run.method)
            rows.append(
                as_row(record) | {"label": run.label or run.method, "replayed": replayed, "changed": changed}
            )
    return pd.DataFrame(rows), records


def default_device() -> str:
    """``HSU_DEVICE``, or ``"cuda"`` where torch finds one, or ``"cpu"``."""
    import torch

    return os.environ.get("HSU_DEVICE") or ("cuda" if torch.cuda.is_available() else "cpu")
