"""Scores of ``conditions.yaml`` that are computed from one record, beside those it holds.

A score is None where the record does not have what it needs. The estimate of UnDIP is its averaged output, so
the MAE is that of the average; with a window of 1 the average is the output. Curves are counted from
iteration 1, their second half begins after half of the iterations, and one with a value that is not finite
has no score.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from hsu_lib import scenes
from hsu_lib.runs.curves import finite, last_tenth, whole
from hsu_lib.runs.record import Record
from hsu_lib.scene import Scene, SceneSpec

Compute = Callable[[Record], float | None]
_MAE = "mae-abundances-fclsu-averaged"
#: Iterations that "within 50" looks ahead.
_SPAN = 50

# --------------------------------------------------------------------------- curves of UnDIP


def _re_falls_mae_rises(record: Record) -> float | None:
    """1 if the error of the output falls while the MAE rises by more than 5 percent, at most 50 apart."""
    error, mae = finite(record, "mse-reconstruction"), finite(record, _MAE)
    if error is None or mae is None:
        return None
    lags = range(1, min(_SPAN, len(mae) - 1) + 1)
    return float(any(np.any((error[k:] < error[:-k]) & (mae[k:] > 1.05 * mae[:-k])) for k in lags))


def _largest_rise(record: Record) -> float | None:
    """Largest rise of the MAE within 50 iterations of the second half, over its last value; 0 without one."""
    mae = finite(record, _MAE)
    if mae is None:
        return None
    late = mae[len(mae) // 2 :]
    rises = [np.max(late[k:] - late[:-k]) for k in range(1, min(_SPAN, len(late) - 1) + 1)]
    return float(max([0.0, *rises]) / mae[-1])


def _roughness(record: Record) -> float | None:
    """Standard deviation (over their number) of the changes of the MAE inside the second half."""
    mae = finite(record, _MAE)
    return None if mae is None or len(mae) < 4 else float(np.std(np.diff(mae[len(mae) // 2 :])))


def _range(record: Record) -> float | None:
    """Largest less smallest MAE over the iterations 2001 to 3000."""
    mae = finite(record, _MAE)
    return None if mae is None or len(mae) < 3000 else float(np.ptp(mae[2000:3000]))


def _mae_at(iteration: int) -> Compute:
    def found(record: Record) -> float | None:
        mae = finite(record, _MAE)
        return None if mae is None or len(mae) < iteration else float(mae[iteration - 1])

    return found


def _early_rise(record: Record) -> float | None:
    """1 if the loss of the first 150 iterations is anywhere more than 10 percent above the least so far."""
    loss = finite(record, "loss")
    if loss is None:
        return None
    early = loss[:150]
    return float(np.any(early > 1.1 * np.minimum.accumulate(early)))


# --------------------------------------------------------------------------- repeats of the VAE


def _misfit(record: Record) -> float | None:
    """How far FCLSU with the VAE's endmembers is from the image, mean over its sets."""
    misfits = record.arrays.get("history/residual")
    return None if misfits is None else float(np.mean(misfits))


def _repeats(record: Record) -> NDArray | None:
    """Cosines of all pairs of VCA's repeats, where they are in one order and of length 1."""
    settings = record.asked["settings"]
    if settings.get("reading") == "code" or settings.get("normalise") == "none":
        return None
    return record.arrays.get("history/vca-cosine")


def _cosine_of_repeats(record: Record) -> float | None:
    """Its mean over the pairs."""
    cosines = _repeats(record)
    return None if cosines is None else float(np.mean(cosines, dtype=np.float64))


def _repeats_that_differ(record: Record) -> float | None:
    """Share of the pairs whose cosine is below 1 - 1e-6."""
    cosines = _repeats(record)
    return None if cosines is None else float(np.mean(cosines < 1 - 1e-6))


# --------------------------------------------------------------------------- models with labels


def _told(name: str, place: int) -> Compute:
    """A number that `hsu_lib.metrics.examine` left in the history."""

    def found(record: Record) -> float | None:
        told = whole(record, name)
        return None if told is None else float(told[place])

    return found


_MEAN, _MEDIAN = 0, 4  # in a `hsu_lib.metrics.examine.summary`


def _smallest_entry(record: Record) -> float | None:
    """Least entry of the estimated endmembers."""
    return float(record.arrays["E"].min()) if "E" in record.arrays else None


def _over_uniform(record: Record) -> float | None:
    """RMSE of A over test pixels, mean over materials, over that of equal abundances everywhere."""
    ours, test = record.scores.get("test/rmse-abundances-averaged"), whole(record, "test")
    truth = None if ours is None or test is None else _scene(record).A
    if ours is None or test is None or truth is None:
        return None
    A = truth.reshape(len(truth), -1)[:, test > 0].astype(np.float64)
    return float(ours / np.mean(np.sqrt(np.mean((A - 1 / len(A)) ** 2, axis=1))))


def _rough_tree(late: bool) -> Compute:
    def found(record: Record) -> float | None:
        tree = _tree(record)
        return None if tree is None else _bent(record.arrays["E"][:, tree], late)

    return found


def _rough_reference(record: Record) -> float | None:
    """Roughness of the reference's spectrum of tree over the bands 100 to 150."""
    tree = _tree(record)
    if tree is None or "history/test" not in record.arrays:  # asked of models with labels only
        return None
    E = _scene(record).E
    return None if E is None else _bent(E[:, tree], True)


def _bent(spectrum: NDArray, late: bool) -> float | None:
    """Root mean square second difference of a spectrum over its maximum, in the bands 100 to 150 or outside.

    Bands are counted from 0, and a second difference belongs to the band in its middle, as in the chapter on
    LDVAE.
    """
    values = np.asarray(spectrum, dtype=np.float64)
    bent = np.diff(values / values.max(), n=2)
    middle = np.arange(len(bent)) + 1
    chosen = (middle >= 100) & (middle <= 150)
    bent = bent[chosen if late else ~chosen]
    return float(np.sqrt(np.mean(bent**2))) if chosen.any() else None


def _tree(record: Record) -> int | None:
    """Which endmember is tree; None where none is, or they are not as many as the reference's."""
    spec = record.scene
    if spec.name not in scenes.names():
        return None
    info = scenes.describe(spec.name)
    materials = info.materials.get(spec.reference or info.usual, ())
    as_many = "E" in record.arrays and record.arrays["E"].shape[1] == len(materials)
    return materials.index("tree") if as_many and "tree" in materials else None


def _scene(record: Record) -> Scene:
    """The record's scene, whose reference no noise changes."""
    return _loaded(replace(record.scene, snr_db=None, noise_seed=0))


@lru_cache(maxsize=4)
def _loaded(spec: SceneSpec) -> Scene:
    return scenes.load(spec)


# --------------------------------------------------------------------------- all of them

#: From the history as a published record keeps it, or from the endmembers, which it keeps rounded.
_FROM_ARRAYS: Mapping[str, Compute] = {
    "fcls-misfit": _misfit,
    "reconstruction-angle": _told("reconstruction-angle", _MEAN),
    "reconstruction-angle-median": _told("reconstruction-angle", _MEDIAN),
    "reconstruction-mse": _told("reconstruction-mse", _MEAN),
    "clean-mse": _told("clean-mse", _MEAN),
    "generated-angle": _told("generated-angle", _MEAN),
    "generated-mse": _told("generated-mse", _MEAN),
    "dominant": _told("dominant", 0),
    "roughness-100-150": _rough_tree(late=True),
    "roughness-elsewhere": _rough_tree(late=False),
    "smallest-endmember-entry": _smallest_entry,
}
#: From what a published record keeps thinned or rounded where it is long. The two of last tenths are what
#: common levels are made of.
_FROM_CURVES: Mapping[str, Compute] = {
    "vca-cosine": _cosine_of_repeats,
    "vca-pairs-that-differ": _repeats_that_differ,
    "re-falls-mae-rises": _re_falls_mae_rises,
    "largest-rise-of-mae": _largest_rise,
    "roughness-of-mae": _roughness,
    "range-of-mae": _range,
    "mae-at-1000": _mae_at(1000),
    "mae-at-2000": _mae_at(2000),
    "early-rise-of-loss": _early_rise,
    "mae-of-last-tenth": lambda record: last_tenth(record, _MAE),
    "loss-of-last-tenth": lambda record: last_tenth(record, "loss"),
}
#: From the scene, whose data may not be where a published record is.
_FROM_SCENE: Mapping[str, Compute] = {
    "rmse-over-uniform": _over_uniform,
    "roughness-100-150-reference": _rough_reference,
}
#: Scores that are computed from one record.
COMPUTED: Mapping[str, Compute] = {**_FROM_ARRAYS, **_FROM_CURVES, **_FROM_SCENE}


def score_of(record: Record, score: str) -> float:
    """A score of a record: one it holds, else one that is computed; not a number where it has none."""
    value = record.scores.get(score)
    if value is None and score in COMPUTED:
        value = COMPUTED[score](record)
    return float("nan") if value is None else float(value)


def with_computed(record: Record, arrays: Mapping[str, NDArray]) -> Record:
    """The record with other arrays, and with the scores that could not be computed from these alike."""
    found = replace(record, arrays=arrays)
    values = {name: score_of(record, name) for name in COMPUTED}
    lost = {
        name: value
        for name, value in values.items()
        if np.isfinite(value) and (name in _FROM_SCENE or score_of(found, name) != value)
    }
    return replace(found, scores={**record.scores, **lost})


def without_computed(scores: Mapping[str, float]) -> dict[str, float]:
    """Scores of a record as they were made with it, published or not."""
    return {name: value for name, value in scores.items() if name not in COMPUTED}
