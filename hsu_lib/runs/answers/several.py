"""Scores of ``conditions.yaml`` that are computed from several records of the same seed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from hsu_lib import methods
from hsu_lib.claims.questions import Term
from hsu_lib.runs.canonical import to_json
from hsu_lib.runs.computed import score_of
from hsu_lib.runs.curves import first_down_to
from hsu_lib.runs.record import Record

Values = NDArray[np.float64]


class Look(Protocol):
    """What is known of the records of a way to ask; `hsu_lib.runs.answers.seedwise.Scores` is one."""

    def records(self, term: Term) -> list[Record | None]:
        """One per seed."""

    def seen(self, term: Term) -> Values:
        """A score, one value per seed."""


def _over_fclsu(look: Look, needs: Sequence[Term], group: Sequence[Term]) -> Values:
    """Reconstruction error over that of SiVM + FCLSU on the same image."""
    ours, fclsu = (look.seen(term._replace(score="mse-reconstruction")) for term in needs)
    return ours / np.where(fclsu > 0, fclsu, np.nan)


def _slope(score: str) -> Several:
    """How fast the logarithm of a score grows as the SNR falls, per 10 dB: least squares over all levels."""

    def found(look: Look, needs: Sequence[Term], group: Sequence[Term]) -> Values:
        values = np.stack([look.seen(term._replace(score=score)) for term in needs])
        logs = np.log(np.where(values > 0, values, np.nan))
        falls = -np.array([term.snr for term in needs], dtype=np.float64) / 10
        falls -= falls.mean()
        return np.asarray(falls @ (logs - logs.mean(axis=0)) / (falls @ falls))

    return found


def _rise_of_mae(look: Look, needs: Sequence[Term], group: Sequence[Term]) -> Values:
    """MAE at the SNR of the component less that at the other one."""
    here, there = (look.seen(term._replace(score="mae-abundances-fclsu")) for term in (needs[0], needs[-1]))
    return here - there


def _iterations(curve: str, settled: str, factor: float) -> Several:
    """First iteration at which a curve is down to a level common to a group.

    Parameters
    ----------
    curve
        One of `hsu_lib.runs.curves.FOLLOWED`.
    settled
        Score of its last tenth; the level is the largest of the group, seed by seed, times `factor`.
    """

    def found(look: Look, needs: Sequence[Term], group: Sequence[Term]) -> Values:
        last = np.stack([look.seen(term._replace(score=settled)) for term in group])
        firsts = [
            None if record is None else first_down_to(record, curve, float(level))
            for record, level in zip(look.records(needs[0]), factor * last.max(axis=0), strict=True)
        ]
        return np.array([np.nan if first is None else first for first in firsts], dtype=np.float64)

    return found


_to_common_mae = _iterations("mae-abundances-fclsu-averaged", "mae-of-last-tenth", 1.05)


def _model_gap(look: Look, terms: Sequence[Term]) -> Values:
    """Distance between the mean MAE of the first half of the conditions and that of the second."""
    mae = np.stack([look.seen(term._replace(score="mae-abundances-fclsu")) for term in terms])
    half = len(terms) // 2
    return np.abs(mae[:half].mean(axis=0) - mae[half:].mean(axis=0))


def _size_and_convergence(look: Look, terms: Sequence[Term]) -> Values:
    """Spearman's rank correlation of the number of trained values with the iterations to a common MAE."""
    needed = np.stack([_to_common_mae(look, [term], terms) for term in terms])
    sizes = np.array([_size(look.records(term)) for term in terms])
    return rank_correlation(sizes, needed)


def _size(records: Sequence[Record | None]) -> float:
    return next((float(trained_values(record)) for record in records if record is not None), float("nan"))


def rank_correlation(sizes: Values, values: Values) -> Values:
    """Spearman's, of sizes ``(conditions,)`` with values ``(conditions, seeds)``, by seed.

    0 where all values are equal, not a number where one is not.
    """
    ranks = rankdata(values, axis=0) - (len(values) + 1) / 2
    of_sizes = rankdata(sizes) - (len(sizes) + 1) / 2
    scale = np.sqrt((of_sizes @ of_sizes) * np.square(ranks).sum(axis=0))
    found = np.where(scale > 0, of_sizes @ ranks / np.where(scale > 0, scale, 1.0), 0.0)
    return np.where(np.isfinite(values).all(axis=0) & np.isfinite(sizes).all(), found, np.nan)


def trained_values(record: Record) -> int:
    """Number of values that the network of a record's settings has."""
    return _trained(record.asked["method"], to_json(record.asked["settings"]), record.arrays["E"].shape[1])


@cache
def _trained(method: str, settings: str, endmembers: int) -> int:
    import torch

    from hsu_lib.learning.networks.prior import parameters

    made: Any = methods.get(method).configure(**json.loads(settings))
    with torch.device("meta"):  # no weights, and none drawn
        return parameters(made.network(endmembers))


#: From all that `Vocabulary.needs` names for a term, and the conditions it is compared with; one per seed.
Several = Callable[[Look, Sequence[Term], Sequence[Term]], Values]
SEVERAL: Mapping[str, Several] = {
    "re-over-fclsu": _over_fclsu,
    "slope-of-re": _slope("mse-reconstruction"),
    "slope-of-mae": _slope("mae-abundances-fclsu"),
    "rise-of-mae": _rise_of_mae,
    "iterations-to-common-mae": _to_common_mae,
    "iterations-to-common-loss": _iterations("loss", "loss-of-last-tenth", 1.05),
    "iterations-to-tenfold-loss": _iterations("loss", "loss-of-last-tenth", 10.0),
}
#: Scores that several conditions have together, one per seed.
TOGETHER: Mapping[str, Callable[[Look, Sequence[Term]], Values]] = {
    "model-gap": _model_gap,
    "size-and-convergence": _size_and_convergence,
}


def among(score: str, records: Mapping[str, Sequence[Record]]) -> dict[str, Values]:
    """A score of `SEVERAL` that compares conditions with one another, for those who show it.

    Parameters
    ----------
    score
        Its name; one that needs no other noise and no other conditions.
    records
        Condition to its records, one per seed, the same seeds in all.
    """
    terms = [Term(name, "", score, None) for name in records]
    return {term.condition: SEVERAL[score](_Given(records), [term], terms) for term in terms}


class _Given(NamedTuple):
    """A `Look` at records that are at hand."""

    by_condition: Mapping[str, Sequence[Record]]

    def records(self, term: Term) -> list[Record | None]:
        return list(self.by_condition[term.condition])

    def seen(self, term: Term) -> Values:
        return np.array([score_of(record, term.score) for record in self.by_condition[term.condition]])
