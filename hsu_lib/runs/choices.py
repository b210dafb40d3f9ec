"""Settings that a document does not print: the grid they are chosen from, as runs, and the choice itself.

The views ``omega by validation`` and ``omega nearest the figures`` of ``book/reported/conditions.yaml`` have
the rules. What they leave to us: a weight with a seed that has no score is not chosen; of two that are as
good, the smaller one is, and softplus before softmax. Cuprite's choice is made with the spectra on the bands
of the image, which decide, and serves the published ones too. SpACNN-LDVAE with softplus takes the weight of
SpACNN-LDVAE.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hsu_lib.claims import find_reported
from hsu_lib.runs.computed import score_of
from hsu_lib.runs.evidence import Find
from hsu_lib.runs.question import Run
from hsu_lib.scene import SceneSpec

if TYPE_CHECKING:
    from hsu_lib.runs.amounts import Amounts

#: The weights of the grid, in nats.
WEIGHTS = (0.1, 1.0, 10.0, 100.0, 1e3, 1e4, 1e5)
#: Of methods and splits: no deciding run has them.
SEEDS = range(200, 203)
#: Share of the training pixels that no model of the grid is trained on.
HOLDOUT = 0.2
#: Over validation pixels, mean over materials; and over materials, in radians.
RMSE, SAD = "test/rmse-abundances-averaged", "sad-endmembers"
BY_VALIDATION, NEAREST = "omega by validation", "omega nearest the figures"

#: Activations of the grid by model; the LDVAE paper prints none for LDVAE.
ACTIVATIONS: Mapping[str, tuple[str, ...]] = {
    "ldvae": ("softplus", "softmax"),
    "spacnn-ldvae": ("softmax",),
}
#: A model's own document.
_DOCUMENTS = {"ldvae": "ldvae", "spacnn-ldvae": "spacnn_ldvae"}


class Site(NamedTuple):
    """Where a choice is made.

    Parameters
    ----------
    scene
        What is learnt from, and unmixed.
    share
        Of its pixels that are for training, before a fifth of these is held out.
    printed
        Columns of the documents' figures for it, without noise.
    """

    scene: SceneSpec
    share: float
    printed: Mapping[str, str]


SITES: Mapping[str, Site] = {
    "samson": Site(SceneSpec("samson"), 0.8, {"dataset": "samson", "target": "mean", "condition": ""}),
    "ontech": Site(
        SceneSpec("ontech-syn-train"),
        1.0,
        {"dataset": "ontech-syn-21", "target": "overall", "condition": "snr=inf"},
    ),
    "cuprite": Site(
        SceneSpec("cuprite-synthetic", "aligned"),
        1.0,
        {"dataset": "cuprite", "target": "mean", "condition": ""},
    ),
}
#: By scene, the site whose choice it takes.
TAKEN_FROM: Mapping[str, str] = {
    "samson": "samson",
    "urban-semireal": "samson",
    "urban-detection-window": "samson",
    "ontech-syn": "ontech",
    "ontech-syn-bilinear": "ontech",
    "cuprite-window": "cuprite",
}


class Wanted(NamedTuple):
    """What a view is to choose settings for.

    Parameters
    ----------
    view
        Its name.
    method, scene
        What is run, and where.
    settings
        What the condition says itself: an activation that it names is kept.
    amounts
        How much is trained.
    """

    view: str
    method: str
    scene: str
    settings: Mapping[str, Any]
    amounts: Amounts

    @property
    def behind(self) -> tuple[str, ...]:
        """What tells the grid behind this choice from others."""
        named = self.settings.get("activation", "")
        return (
            self.view,
            self.method,
            TAKEN_FROM.get(self.scene, ""),
            named,
            str(self.amounts.methods.get(self.method)),
        )


#: Settings that a view chooses; None where nothing is chosen yet.
Choices = Callable[[Wanted], Mapping[str, Any] | None]


def nothing_chosen(wanted: Wanted) -> None:
    """No choice."""


class Option(NamedTuple):
    """One of those that are chosen among: the weight of the abundances (omega), and the activation."""

    weight: float
    activation: str


def grid(wanted: Wanted) -> dict[Option, tuple[Run, ...]]:
    """The runs behind a choice, by what is chosen among; none where nothing is chosen in this way."""
    site = SITES.get(TAKEN_FROM.get(wanted.scene, ""))
    if wanted.view not in (BY_VALIDATION, NEAREST) or wanted.method not in ACTIVATIONS or site is None:
        return {}
    activations = ACTIVATIONS[wanted.method]
    named = wanted.settings.get("activation")
    activations = (named,) if named in activations else activations
    return {
        option: tuple(_run(wanted.method, option, site, wanted.amounts, seed) for seed in SEEDS)
        for option in (Option(weight, activation) for weight in WEIGHTS for activation in activations)
    }


def _run(method: str, option: Option, site: Site, amounts: Amounts, seed: int) -> Run:
    asked = {"abundance_weight": option.weight, "activation": option.activation}
    asked |= {"share": site.share, "holdout": HOLDOUT}
    label = f"{method}, {option.activation}, omega {option.weight:g}"
    return Run(method, site.scene, seed, amounts.of(method, asked), label=label)


@cache
def printed(method: str, site: str) -> Mapping[str, float]:
    """What a model's own document prints for it without noise: mean RMSE of A and mean SAD of E (radians).

    Of the LDVAE paper: tables VIII and VII (Samson), III and II (OnTech, without noise), IV (Cuprite,
    SAD alone). Of the SpACNN-LDVAE paper: table 1 (Samson), 5 and 4 (OnTech), 3 (Cuprite, SAD alone).
    """
    found = {
        score: find_reported(
            _DOCUMENTS[method], method=method, metric=metric, statistic="value", **SITES[site].printed
        )
        for score, metric in ((RMSE, "rmse-abundances"), (SAD, "sad-endmembers"))
    }
    return {score: value for score, value in found.items() if value is not None}


#: For each option the scores of the grid, one per seed.
Scores = Mapping[Option, Mapping[str, Sequence[float]]]


def by_validation(scores: Scores) -> Option | None:
    """The option with the lowest mean RMSE of A over the seeds; None where none has all its scores."""
    return _least({option: float(np.mean(of[RMSE])) for option, of in scores.items()})


def nearest(scores: Scores, figures: Mapping[str, float]) -> Option | None:
    """The option with the least sum of |ln(mean of ours / reported)|; None where none has all its scores.

    Parameters
    ----------
    scores
        By option, score and seed.
    figures
        See `printed`.
    """
    return _least(
        {
            option: sum(abs(float(np.log(np.mean(of[score]) / value))) for score, value in figures.items())
            for option, of in scores.items()
        }
    )


def _least(values: Mapping[Option, float]) -> Option | None:
    finite = {option: value for option, value in values.items() if np.isfinite(value)}
    return min(finite, key=lambda option: finite[option], default=None)


def chosen_from(find: Find) -> Choices:
    """Choices by the records that are found; nothing is chosen from a part of a grid.

    Parameters
    ----------
    find
        Where records are looked up. What it has when a choice is first asked for, counts.
    """
    known: dict[tuple[str, ...], Option | None] = {}

    def choose(wanted: Wanted) -> Mapping[str, Any] | None:
        if wanted.behind not in known:
            known[wanted.behind] = _chosen(wanted, find)
        option = known[wanted.behind]
        return None if option is None else _settings(option, wanted)

    return choose


def rehearsed(wanted: Wanted) -> Mapping[str, Any]:
    """Fixed settings for a rehearsal, which has no grid: the largest weight by validation, 1 as nearest.

    Parameters
    ----------
    wanted
        Of a view of this module, for a method of `ACTIVATIONS`.
    """
    weight = WEIGHTS[-1] if wanted.view == BY_VALIDATION else 1.0
    return _settings(Option(weight, ACTIVATIONS[wanted.method][0]), wanted)


def _settings(option: Option, wanted: Wanted) -> dict[str, Any]:
    """What is chosen, but for an activation that the condition names itself."""
    named = "activation" in wanted.settings
    return {"abundance_weight": option.weight} | ({} if named else {"activation": option.activation})


def _chosen(wanted: Wanted, find: Find) -> Option | None:
    scores = scores_of(wanted, find)
    if not scores:
        return None
    if wanted.view == BY_VALIDATION:
        return by_validation(scores)
    return nearest(scores, printed(wanted.method, TAKEN_FROM[wanted.scene]))


def scores_of(wanted: Wanted, find: Find) -> Scores | None:
    """Scores of the whole grid behind a choice; None where a record is missing."""
    found: dict[Option, dict[str, list[float]]] = {}
    for option, runs in grid(wanted).items():
        records = [find(run.key) for run in runs]
        if None in records:
            return None
        found[option] = {
            score: [score_of(record, score) for record in records if record is not None]
            for score in (RMSE, SAD)
        }
    return found
