"""What the explorer says of seeds: how many, their scores, and whether the best two are sure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hsu_lib.claims import rule
from hsu_lib.publishing.explorer.conditions import SCORE, Condition

#: What the page compares seeds by, and what it calls that.
SCORES = {
    SCORE: "abundances: error, root mean square over all (%)",
    "sad-endmembers": "endmembers: angle from the reference, mean (°)",
    "mse-reconstruction": "image: what endmembers times abundances leave, mean square",
}


def note(condition: Condition) -> str:
    """How many seeds a condition has, whether they are earlier ones, and what it was given."""
    count = len(condition.records)
    seeds = f"{count} {'' if condition.fresh else 'earlier '}seed{'s' * (count != 1)}"
    return f"{seeds}, was given {condition.given}" if condition.given else seeds


def seedwise(condition: Condition, materials: Sequence[str] = ()) -> dict[str, dict[str, Any]]:
    """Each score by seed, null where a run has none, with the mean and its interval where there are two.

    Behind ``SCORE/MATERIAL`` are those of single materials, where runs have them.
    """
    found = {}
    scored = {name for record in condition.records.values() for name in record.scores}
    single = (f"{name}/{material}" for name in SCORES for material in materials)
    for name in (*SCORES, *(name for name in single if name in scored)):
        values = [record.scores.get(name, np.nan) for _, record in sorted(condition.records.items())]
        known = [value for value in values if np.isfinite(value)]
        ends = rule.interval(known) if len(known) > 1 else None
        found[name] = {
            "values": [float(f"{v:.5g}") if np.isfinite(v) else None for v in values],
            "interval": ends and [float(f"{end:.5g}") for end in ends],
        }
    return found


def sure(some: Sequence[Condition], scores: Mapping[str, Mapping[str, Any]], better: str) -> str:
    """Whether the two of the best means are in an order that other seeds would keep, in a sentence.

    Where one of them was given something beside the image, a second sentence is of those that were not.

    Parameters
    ----------
    some
        Conditions of one image; those whose seeds decide nothing are left out.
    scores
        By the condition's slug; ``interval`` has mean, lower and upper end, or is None.
    better
        ``"higher"`` or ``"lower"``.

    Returns
    -------
    str
        Empty where there are no two to compare.
    """
    sign = -1 if better == "higher" else 1
    ends = {c.slug: scores[c.slug]["interval"] for c in some}
    ranked = sorted((c for c in some if c.fresh and ends[c.slug]), key=lambda c: sign * ends[c.slug][0])
    told = _first_two("Best is", ranked, ends)
    alone = [c for c in ranked if not c.given]
    if alone[:2] != ranked[:2]:
        told += _first_two(" Of those given nothing but the image, best is", alone, ends)
    return told


def _first_two(lead: str, ranked: Sequence[Condition], ends: Mapping[str, Sequence[float]]) -> str:
    if len(ranked) < 2:
        return ""
    first, second = ranked[:2]
    (_, low, high), (_, lower, higher) = ends[first.slug], ends[second.slug]
    apart = max(low, lower) > min(high, higher)
    says = (
        "do not overlap, so other seeds would hardly change this order"
        if apart
        else "overlap, so these seeds do not tell which is better"
    )
    return f"{lead} {first.name}, then {second.name}: their intervals {says}."
