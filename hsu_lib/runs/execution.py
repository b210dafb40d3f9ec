"""One run made now: its scene, what its method needs, the unmixing and its scores."""

from __future__ import annotations

import datetime
import time
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from hsu_lib import methods, metrics, scenes
from hsu_lib.learning import checkpoints
from hsu_lib.methods.trained import Trained
from hsu_lib.methods.watched import Watched
from hsu_lib.metrics.alignment import align
from hsu_lib.metrics.truth import Truth
from hsu_lib.runs.provenance import commit, device_name, versions
from hsu_lib.runs.question import Run
from hsu_lib.runs.record import Record
from hsu_lib.runs.store import Store
from hsu_lib.scene import Scene, SceneSpec, Status, Unmixing

#: Scores that mean something for a set of pixels without their places.
_PIXELWISE = ("rmse-", "mse-abundances", "mae-", "cos-abundances", "sre-", "mse-reconstruction")


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
            "versions": versions(),
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
