"""Which two conditions the explorer begins with, of those of one image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from hsu_lib.publishing.explorer.conditions import SCORE, Condition


def opening(some: Sequence[Condition], maps: Mapping[str, NDArray]) -> list[Condition]:
    """Two methods that differ visibly: the one with the least error, and the one most unlike it.

    Before that come, in this order, those that have maps, whose seeds decide, that were given nothing beside
    the image, and that are methods as they are and no variants of a comparison.

    Parameters
    ----------
    some
        Conditions of one image, at least one.
    maps
        Abundances by the condition's slug, ``(endmembers, height, width)``, of those that have any.

    Returns
    -------
    list
        Two, or the only one.
    """

    def worth(condition: Condition) -> tuple[bool, ...]:
        return condition.slug in maps, condition.fresh, not condition.given, condition.usual

    def error(condition: Condition) -> float:
        known = [r.scores.get(SCORE, np.nan) for r in condition.records.values()]
        return float(np.nan_to_num(np.mean(known), nan=np.inf))

    def unlike(condition: Condition) -> float:
        if not {condition.slug, first.slug} <= maps.keys():
            return -error(condition)
        return float(np.nan_to_num(np.nanmean((maps[condition.slug] - maps[first.slug]) ** 2)))

    first = max(some, key=lambda c: (worth(c), -error(c)))
    others = [condition for condition in some if condition is not first]
    return [first, max(others, key=lambda c: (worth(c), unlike(c)))] if others else [first]
