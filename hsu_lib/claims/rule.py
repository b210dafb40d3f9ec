"""Rule 2: what differences over fresh seeds say of a comparison, and comparisons of a claim.

The page *How to read* has it in words. A statement that a mean difference lies above or below a bound counts
as shown if Student's t and the exact sign-flip test both say so at `LEVEL`.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

#: Two-sided level of one look, Pocock's for two looks and five percent in all; each bound is one-sided.
LOOK = 0.0294
LEVEL = LOOK / 2
#: With fewer seeds nothing is decided.
FEWEST = 9
#: Sign flips are counted out up to so many seeds, twice as many as a claim is ever judged with.
_MOST = 40


class Outcome(enum.Enum):
    """What a comparison, or a claim, comes to."""

    HOLDS = "holds"
    SMALLER = "holds, smaller"
    ABSENT = "absent"
    REVERSED = "reversed"
    OPEN = "open"


class Verdict(enum.Enum):
    """What a claim comes to."""

    REPRODUCED = "reproduced"
    SMALLER = "reproduced, smaller"
    REVERSED = "reversed"
    ABSENT = "no such effect"
    DEPENDS = "depends on the reading"
    OPEN = "open"
    NOT_TESTABLE = "not testable"
    BY_CONSTRUCTION = "true by construction"


#: Verdicts that speak for a claim, and those that speak against it.
FOR = (Verdict.REPRODUCED, Verdict.SMALLER)
AGAINST = (Verdict.REVERSED, Verdict.ABSENT)


@dataclass(frozen=True, eq=False)
class Differences:
    """One comparison: differences over seeds, and what they are held against.

    Parameters
    ----------
    differences
        One per seed, positive where it speaks for the claim, shape ``(seeds,)``. Of a threshold: the score
        less the threshold, or the other way round where the claim says "below".
    effect
        Smallest effect of interest, or the margin of "not worse" and "equal"; not needed for a threshold.
    shape
        What is asked.
    reported
        Whether `effect` is half of a reported effect, and not a default: only then is what lies between
        minus `effect` and zero not yet the reverse.
    """

    differences: ArrayLike
    effect: float = 0.0
    shape: Literal["better", "threshold", "not worse", "equal"] = "better"
    reported: bool = False

    def __post_init__(self) -> None:
        values = np.asarray(self.differences, dtype=np.float64)
        if values.ndim != 1 or not np.isfinite(values).all():
            raise ValueError("expected finite differences, one per seed")
        if self.effect < 0 or (self.effect == 0 and self.shape in ("better", "equal")):
            raise ValueError(f"expected an effect above 0, got {self.effect}")
        object.__setattr__(self, "differences", values)

    @property
    def seeds(self) -> int:
        """How many."""
        return len(np.asarray(self.differences))


def above(differences: ArrayLike, bound: float = 0.0) -> float:
    """One-sided p value for a mean difference above a bound: the larger of Student's t's and the sign flips'.

    Where Student's t alone does not show it, that p value is given: whatever the other is, it is not shown.

    Parameters
    ----------
    differences
        Shape ``(seeds,)``, two seeds at least.
    bound
        In their unit.

    Examples
    --------
    >>> above([1.0] * 9)  # all equal: it lies where it lies
    0.0
    >>> round(above([1, 2, 1, 2, 1, 2, 1, 2, 1, 2]), 6) == 1 / 1024
    False
    """
    values = np.asarray(differences, dtype=np.float64) - bound
    if np.ptp(values) == 0:
        return 0.0 if values[0] > 0 else 1.0
    t = float(np.mean(values) / (np.std(values, ddof=1) / np.sqrt(len(values))))
    by_t = float(special.stdtr(len(values) - 1, -t))
    return by_t if by_t >= LEVEL else max(by_t, sign_flips(values))


def below(differences: ArrayLike, bound: float = 0.0) -> float:
    """The same for a mean difference below a bound."""
    return above(-np.asarray(differences, dtype=np.float64), -bound)


def sign_flips(values: ArrayLike) -> float:
    """Share of all sign patterns under which the sum is as large as it is, or larger: exact.

    Parameters
    ----------
    values
        Shape ``(seeds,)``, at most 40 seeds.

    Raises
    ------
    ValueError
        For more seeds: the patterns double with each.
    """
    values = np.asarray(values, dtype=np.float64)
    if len(values) > _MOST:
        raise ValueError(f"{len(values)} seeds have too many sign patterns; expected at most {_MOST}")
    bound = values.sum() - 1e-12 * np.abs(values).sum()  # rounding must not lose a tie
    halves = [np.zeros(1), np.zeros(1)]
    for number, size in enumerate(np.abs(values)):
        sums = halves[number % 2]
        halves[number % 2] = np.concatenate([sums + size, sums - size])
    one, other = halves[0], np.sort(halves[1])
    enough = len(other) - np.searchsorted(other, bound - one)  # of the other half, to each sum of the one
    return float(enough.sum()) / (len(one) * len(other))


def interval(differences: ArrayLike) -> tuple[float, float, float]:
    """Mean and the ends of its interval of 97.1 percent, by Student's t."""
    values = np.asarray(differences, dtype=np.float64)
    mean, error = float(values.mean()), float(stats.sem(values))
    half = float(stats.t.ppf(1 - LEVEL, len(values) - 1)) * error
    return mean, mean - half, mean + half


def holm(p: Sequence[float], level: float = LEVEL) -> NDArray[np.bool_]:
    """Which of several are shown when any of them may be: Holm's method.

    References
    ----------
    Holm, Scandinavian Journal of Statistics 6, 1979, 65-70.
    """
    values = np.asarray(p, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    shown = np.zeros(len(values), dtype=bool)
    shown[order] = np.logical_and.accumulate(values[order] < level / np.arange(len(values), 0, -1))
    return shown


def holds(asked: Differences) -> bool:
    """Whether the comparison is shown as the claim says it."""
    d, effect = asked.differences, asked.effect
    if asked.seeds < FEWEST:
        return False
    if asked.shape == "equal":
        return max(above(d, -effect), below(d, effect)) < LEVEL
    return above(d, -effect if asked.shape == "not worse" else 0.0) < LEVEL


def _absent(asked: Differences) -> float:
    """P value for an effect smaller than the smallest of interest; 1 where that cannot be."""
    d, effect = asked.differences, asked.effect
    if asked.shape != "better" or asked.seeds < FEWEST:
        return 1.0
    return max(above(d, -effect), below(d, effect))


def _reversed(asked: Differences) -> float:
    """P value for the reverse."""
    d, effect = asked.differences, asked.effect
    if asked.seeds < FEWEST:
        return 1.0
    if asked.shape == "equal":
        return min(1.0, 2 * min(below(d, -effect), above(d, effect)))
    if asked.shape == "threshold":
        return below(d)
    return below(d, -effect if asked.shape == "not worse" or asked.reported else 0.0)


def outcomes(asked: Sequence[Differences]) -> list[Outcome]:
    """What each comparison of a claim comes to; absent and reversed are corrected over all of them."""
    hold = [holds(q) for q in asked]
    absent = holm([_absent(q) for q in asked]) & ~np.array(hold, dtype=bool)
    turned = holm([_reversed(q) for q in asked])
    found = []
    for q, h, a, r in zip(asked, hold, absent, turned, strict=True):
        if h:
            small = q.shape == "better" and below(q.differences, q.effect) < LEVEL
            found.append(Outcome.SMALLER if small else Outcome.HOLDS)
        elif r and not (a and not q.reported):
            found.append(Outcome.REVERSED)
        else:
            found.append(Outcome.ABSENT if a else Outcome.OPEN)
    return found


def judged(found: Sequence[Outcome], *, necessary_only: bool = False) -> Verdict:
    """What a claim comes to whose comparisons came to these.

    Parameters
    ----------
    found
        From `outcomes`.
    necessary_only
        The comparisons can refute the claim but not show it.
    """
    if Outcome.REVERSED in found:
        return Verdict.REVERSED
    if Outcome.ABSENT in found:
        return Verdict.ABSENT
    if Outcome.OPEN in found or not found or necessary_only:
        return Verdict.OPEN
    return Verdict.SMALLER if Outcome.SMALLER in found else Verdict.REPRODUCED


def over_views(verdicts: Sequence[Verdict]) -> Verdict:
    """The first way of asking decides, unless another, equally good one says the opposite."""
    first, *others = verdicts
    sides = [side for side in (FOR, AGAINST) if first in side]
    opposite = AGAINST if sides == [FOR] else FOR if sides == [AGAINST] else ()
    return Verdict.DEPENDS if any(other in opposite for other in others) else first


def power(effect: float, deviation: float, seeds: int) -> float:
    """How likely a comparison "better" comes out as holding, if the mean difference is `effect`.

    By Student's t for normal differences, which the sign flips hardly change.

    Parameters
    ----------
    effect, deviation
        Mean of the differences, and their standard deviation over seeds.
    seeds
        How many; with fewer than `FEWEST` nothing is decided.

    Examples
    --------
    >>> round(power(1, 1, 10), 2), round(power(1, 1, 20), 2), power(1, 1, 8)
    (0.71, 0.98, 0.0)
    """
    if seeds < FEWEST:
        return 0.0
    if deviation == 0:
        return float(effect > 0)
    critical = stats.t.ppf(1 - LEVEL, seeds - 1)
    return float(stats.nct.sf(critical, seeds - 1, effect / deviation * np.sqrt(seeds)))


def seeds_needed(asked: Differences, *, among: int = 1, most: int = 200) -> int | None:
    """How many seeds would decide, if mean and spread stay what they are; None if more than `most`.

    By Student's t, for whichever of the outcomes comes first, where there are enough patterns of signs.

    Parameters
    ----------
    asked
        The comparison.
    among
        How many comparisons the claim has: *absent* and *reversed* are corrected for as many.
    most
        Seeds that are tried.
    """
    d, effect = np.asarray(asked.differences), asked.effect
    mean, deviation = float(d.mean()), float(d.std(ddof=1))

    def ends(n: int, level: float) -> tuple[float, float]:
        """Of the interval at a level of one side; without any where no pattern of signs is so rare."""
        if level < LEVEL and 2.0**-n >= level:
            return -np.inf, np.inf
        half = float(special.stdtrit(n - 1, 1 - level)) * deviation / np.sqrt(n)
        return mean - half, mean + half

    for n in range(FEWEST, most + 1):
        low, high = ends(n, LEVEL)
        low_of_all, high_of_all = ends(n, LEVEL / among)
        lowest, highest = ends(n, LEVEL / among / 2)
        decided = {
            "better": low > 0
            or (low_of_all > -effect and high_of_all < effect)
            or high_of_all < (-effect if asked.reported else 0),
            "threshold": low > 0 or high_of_all < 0,
            "not worse": low > -effect or high_of_all < -effect,
            "equal": (low > -effect and high < effect) or lowest > effect or highest < -effect,
        }
        if decided[asked.shape]:
            return n
    return None
