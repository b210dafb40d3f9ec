"""One run made now: its scene, what its method needs, the unmixing and its scores."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsu_lib import methods, metrics, scenes
from hsu_lib.learning import checkpoints
from hsu_lib.learning.labels import Labels
from hsu_lib.metrics.alignment import align
from hsu_lib.metrics.examine import examine
from hsu_lib.metrics.truth import Truth
from hsu_lib.runs.question import Run
from hsu_lib.runs.record import Record, arrays_of, made_record
from hsu_lib.runs.store import Store
from hsu_lib.scene import Scene, SceneSpec, Status, Unmixing
from hsu_lib.scenes.library import SpectralLibrary

#: Scores that mean something for a set of pixels without their places.
_PIXELWISE = ("rmse-", "mse-abundances", "mae-", "cos-abundances", "sre-", "mse-reconstruction")


def execute(
    run: Run,
    *,
    device: str = "cpu",
    progress: bool = False,
    store: Store | None = None,
    first: Record | None = None,
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
    first
        Record of what it starts from, where it is at hand.

    Raises
    ------
    ValueError, OSError
        What the scene or the method finds wrong.
    """
    import torch

    method, scene = methods.get(run.method), scenes.load(run.scene, progress=progress)
    given = beside_image(run, scene)
    if run.first is not None:
        first = first or _first(run.first, device=device, progress=progress, store=store)
        given["start"] = first.unmixing
    started = time.perf_counter()
    with checkpoints.keep_in(store.local / "unfinished" / run.key) if store else nullcontext() as checkpoint:
        unmixing = method.unmix(
            scene,
            endmembers=run.endmembers,
            seed=run.seed,
            device=device,
            progress=progress,
            checkpoint=checkpoint,
            **given,
            **run.settings,
        )
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize()
    seconds = time.perf_counter() - started
    scores: Mapping[str, float] = {}
    if unmixing.status is not Status.DIVERGED:
        if method.needs.labels:
            unmixing = examined(unmixing, scene, given["labels"], _clean(run.scene))
        scores, unmixing = _scored(unmixing, scene, _truth_for(run, given.get("library")))
    return made_record(run, unmixing, scores, scene=scene, seconds=seconds, device=device)


def beside_image(run: Run, scene: Scene) -> dict[str, Any]:
    """Labels, library, truth, for a method that needs them, by the names that `Method.unmix` gives them."""
    method = methods.get(run.method)
    given: dict[str, Any] = {}
    if method.needs.labels:
        other = run.training
        settings = method.configure(**run.settings)
        given["labels"] = Labels(scenes.load(other)) if other else settings.labels(scene, run.seed)
    if run.library:
        given["library"] = _library(run, scene)
    if method.needs.truth:
        given["truth"] = _truth(run.scene)
    return given


@lru_cache(maxsize=2)
def _library_of(name: str, angle: float) -> SpectralLibrary:
    return scenes.library_of(name, angle=angle)


def _library(run: Run, scene: Scene) -> SpectralLibrary:
    """What the run's method chooses from, in the bands of the scene."""
    library = _library_of(run.library, methods.get(run.method).configure(**run.settings).angle)
    if library.wavelengths is None:  # the scene's own, in its bands
        return library
    if scene.wavelengths is None:
        raise ValueError(f"{scene.name} has no wavelengths: no library can be resampled to its bands")
    theirs = library.wavelengths.astype(np.float32)
    return library if np.array_equal(theirs, scene.wavelengths) else library.resampled(scene.wavelengths)


def _first(run: Run, *, store: Store | None, **how: Any) -> Record:
    """A first estimation, from the local store or made now: others start from its maps as they were."""
    record = store.find(run.key, local=True) if store else None
    if record is None or not record.exact:
        record = execute(run, store=store, **how)
        record = store.put(record) if store else record
    return record


def examined(unmixing: Unmixing, scene: Scene, labels: Labels, clean: NDArray | None = None) -> Unmixing:
    """The same with a history of what it makes of the pixels kept for testing, or held out for validation.

    Its history holds ``test``, True for these pixels, shape ``(height * width,)``, and what
    `hsu_lib.metrics.examine.examine` finds there.
    """
    if unmixing.decoder is None:
        return unmixing
    test = labels.kept_for_testing(scene).ravel()
    if scene.mask is not None:
        test = test & scene.mask.ravel()  # never the labels themselves
    found = examine(unmixing.A, unmixing.decoder, scene, test, clean)
    return replace(unmixing, history={**unmixing.history, "test": test.astype(np.float32), **found})


def _scored(unmixing: Unmixing, scene: Scene, truth: Truth) -> tuple[dict[str, float], Unmixing]:
    """`hsu_lib.metrics.score`; maps that the history keeps come into the order of the reference as well.

    Where the history tells the pixels kept for testing, their scores are there too, as ``test/NAME``. Scores
    that are not finite are left out.
    """
    scores, aligned = metrics.score(unmixing, scene, truth)
    if "test" in unmixing.history and scene.A is not None:
        kept = unmixing.history["test"].reshape(scene.height, scene.width) > 0
        there = Scene(scene.Y[:, kept][:, None], scene.E, scene.A[:, kept][:, None], scene.materials)
        part = Unmixing(unmixing.E, unmixing.A[:, kept][:, None], ordered=unmixing.ordered)
        of_part, _ = metrics.score(part, there)
        scores |= {f"test/{name}": value for name, value in of_part.items() if name.startswith(_PIXELWISE)}
    scores = {name: value for name, value in scores.items() if np.isfinite(value)}
    if "snapshots" not in aligned.history:
        return scores, aligned
    order = align(unmixing.E, aligned.E)
    return scores, replace(
        aligned, history={**aligned.history, "snapshots": aligned.history["snapshots"][:, order]}
    )


def _clean(spec: SceneSpec) -> NDArray | None:
    """The scene's image without noise, where noise is added."""
    return None if spec.snr_db is None else scenes.load(replace(spec, snr_db=None)).Y


def _truth_for(run: Run, library: SpectralLibrary | None) -> Truth:
    """What the scores of a run compare with; a library is one thing of them, for a method that has one."""
    return replace(_truth(run.scene), library=None if library is None else library.spectra)


@lru_cache(maxsize=4)
def _truth(spec: SceneSpec) -> Truth:
    return Truth.with_fclsu(scenes.load(replace(spec, snr_db=None)), noisy=spec.snr_db is not None)


def has_old_scores(record: Record) -> bool:
    """Whether its scores are of an older `hsu_lib.metrics.VERSION` than today's."""
    made = record.made.get("scores", 1)
    return (made if isinstance(made, int) else 1) < metrics.VERSION  # version 1 left a hash of its code


def twin(record: Record, run: Run) -> Record | None:
    """Record of a run that differs from the record's in the reference only, which its method never sees.

    The estimate is the same, its order and its scores are those of the other reference. None if it cannot be
    had in this way: the maps are not kept as they were, the reference has another number of endmembers, or
    it comes with an image of its own.
    """
    if not record.exact or record.status == Status.DIVERGED.name:
        return None
    ours, theirs = scenes.load(record.scene), scenes.load(run.scene)
    if ours.endmembers != theirs.endmembers or not np.array_equal(ours.Y, theirs.Y):
        return None
    scores, unmixing = _scored(record.unmixing, theirs, _truth(run.scene))
    made = {**record.made, "scene": theirs.fingerprint, "scores": metrics.VERSION, "estimate_of": record.key}
    return replace(
        record,
        asked=run.asked(),
        scores=scores,
        made=made,
        arrays=arrays_of(unmixing),
    )


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
    run, scene = Run.from_asked(record.asked), scenes.load(record.scene)
    needs = methods.get(run.method).needs
    unmixing = replace(record.unmixing, ordered=needs.labels or needs.endmembers)
    library = _library(run, scene) if run.library else None
    scores, _ = _scored(unmixing, scene, _truth_for(run, library))
    return replace(record, scores=scores, made=made)
