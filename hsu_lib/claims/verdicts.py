"""Rule 1, by which the chapters judge a claim.

The rule, fixed before any run and the same for every claim: a claim is turned into one or more
comparisons, each a difference per seed whose sign says whether the claim holds (positive: it does). The
95 % interval of the mean difference (Student's t over the seeds) decides. All of it above zero:
*reproduced*. All of it below zero: *contradicted*. Otherwise, or with fewer than three seeds:
*undecided*. Where a claim says that two things are the same, the value is how far their difference stays
inside the run-to-run spread. A claim of several comparisons is reproduced if all are, contradicted if
any is. Where a document's text and its code define a score differently, the claim is decided only if
both agree. What cannot be compared at all is *not testable*, with the reason.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from hsu_lib.claims.documents import claims

CONFIDENCE = 0.95
FEWEST_SEEDS = 3


class Verdict(enum.Enum):
    """Outcome for a claim; the value is the word on the page."""

    REPRODUCED = "reproduced"
    CONTRADICTED = "contradicted"
    UNDECIDED = "undecided"
    NOT_TESTABLE = "not testable"


@dataclass(frozen=True)
class Comparison:
    """One paired comparison: positive where the claim holds, or within a margin where it says "equal".

    Parameters
    ----------
    what
        What is compared, in words a reader understands, with its scene.
    scene
        Name of the scene.
    mean, low, high
        Mean difference and its 95 % interval, in the unit of the score.
    seeds
        Number of pairs.
    relative
        Mean difference over the mean of what it is compared with; None where that has no meaning.
    reported
        The same relative difference in the document, or None.
    margin
        Largest mean difference that counts as equal, for a claim of equality; else None.
    """

    what: str
    scene: str
    mean: float
    low: float
    high: float
    seeds: int
    relative: float | None = None
    reported: float | None = None
    margin: float | None = None

    @property
    def ends(self) -> tuple[float, float]:
        """Ends of the interval that decides, positive where the claim holds.

        For a claim of equality: how far the difference stays inside the margin, at worst and at best.
        """
        if self.margin is None:
            return self.low, self.high
        nearest = 0.0 if self.low <= 0 <= self.high else min(abs(self.low), abs(self.high))
        return self.margin - max(abs(self.low), abs(self.high)), self.margin - nearest

    @property
    def verdict(self) -> Verdict:
        """What the interval says."""
        low, high = self.ends
        if self.seeds < FEWEST_SEEDS:
            return Verdict.UNDECIDED
        if low > 0:
            return Verdict.REPRODUCED
        return Verdict.CONTRADICTED if high < 0 else Verdict.UNDECIDED


def interval(differences: ArrayLike) -> tuple[float, float, float]:
    """Mean and 95 % interval of the mean, by Student's t.

    Parameters
    ----------
    differences
        One value per seed, shape ``(seeds,)``.

    Returns
    -------
    mean, low, high
        With a single value the interval is infinite; with equal values it is the value itself.

    Raises
    ------
    ValueError
        If there is no value, or one is not finite.
    """
    d = np.asarray(differences, dtype=np.float64)
    if d.ndim != 1 or d.size == 0 or not np.isfinite(d).all():
        raise ValueError(f"expected finite differences, one per seed, got {d}")
    mean = float(d.mean())
    if d.size == 1:
        return mean, -np.inf, np.inf
    from scipy import stats  # here: a second that a listing of verdicts does not need

    half = float(stats.t.ppf((1 + CONFIDENCE) / 2, d.size - 1) * d.std(ddof=1) / np.sqrt(d.size))
    return mean, mean - half, mean + half


def compare(
    what: str,
    scene: str,
    ours: ArrayLike,
    against: ArrayLike,
    *,
    better: str = "higher",
    reported: tuple[float, float] | None = None,
    relative: bool = True,
) -> Comparison:
    """Does `ours` beat `against`, seed by seed?

    Parameters
    ----------
    what, scene
        See `Comparison`.
    ours, against
        Scores in the same order of seeds, shape ``(seeds,)``; `against` may be one number (a threshold).
    better
        ``"higher"`` or ``"lower"``: which way of the score the claim calls better.
    reported
        The document's pair (ours, against), for the relative difference beside ours.
    relative
        Whether the difference is told as a share of `against` too, which has no meaning for logarithms.

    Returns
    -------
    Comparison
        Its mean is positive if `ours` is better.
    """
    x = np.asarray(ours, dtype=np.float64)
    y = np.broadcast_to(np.asarray(against, dtype=np.float64), x.shape)
    sign = {"higher": 1.0, "lower": -1.0}[better]
    mean, low, high = interval(sign * (x - y))
    base = float(np.abs(y.mean())) if relative else 0.0
    theirs = None if reported is None else sign * (reported[0] - reported[1]) / abs(reported[1])
    return Comparison(what, scene, mean, low, high, x.size, mean / base if base else None, theirs)


def equivalent(what: str, scene: str, ours: ArrayLike, against: ArrayLike, *, margin: float) -> Comparison:
    """Are both scores the same to within a margin, seed by seed?

    Parameters
    ----------
    what, scene, ours, against
        As in `compare`.
    margin
        Largest mean difference that still counts as equal, in the unit of the score; often `spread`.

    Returns
    -------
    Comparison
        The difference with its interval. Reproduced if the whole interval lies inside the margin,
        contradicted if it lies outside on one side.
    """
    x = np.asarray(ours, dtype=np.float64)
    mean, low, high = interval(x - np.broadcast_to(np.asarray(against, dtype=np.float64), x.shape))
    return Comparison(what, scene, mean, low, high, x.size, margin=float(margin))


def constrained(where: str, scene: str, constraints: ArrayLike) -> list[Comparison]:
    """Do abundances keep their constraints, not negative (ANC) and sums of one (ASC), in every seed?

    Parameters
    ----------
    where
        What was unmixed, in words.
    scene
        See `Comparison`.
    constraints
        Least abundance and largest distance of a sum from one, shape ``(seeds, 2)``; see
        `hsu_lib.metrics.examine.examine`.

    Returns
    -------
    list of Comparison
        Whether no abundance is negative, as 1 or 0 per seed against a half, because it is a yes or no; and
        the distance against 1e-5.
    """
    least, distance = np.asarray(constraints, dtype=np.float64).T
    return [
        compare(
            f"{where}: seeds without a negative abundance (1 or 0), above a half", scene, least >= 0, 0.5
        ),
        compare(
            f"{where}: largest distance of a sum from 1 below 1e-5", scene, distance, 1e-5, better="lower"
        ),
    ]


def spread(*groups: ArrayLike) -> float:
    """Run-to-run spread: twice the standard deviation over seeds, pooled over conditions.

    Parameters
    ----------
    *groups
        Scores of one condition each, shape ``(seeds,)`` with at least two seeds.
    """
    return 2 * float(np.sqrt(np.mean([np.var(np.asarray(g, dtype=np.float64), ddof=1) for g in groups])))


def alike(what: str, scene: str, groups: Mapping[str, ArrayLike]) -> list[Comparison]:
    """Does every condition equal the mean over conditions to within the run-to-run `spread`?

    Parameters
    ----------
    what, scene
        As in `compare`.
    groups
        Condition to its scores in the same order of seeds, shape ``(seeds,)``.

    Returns
    -------
    list of Comparison
        One per condition.
    """
    scores = np.stack([np.asarray(g, dtype=np.float64) for g in groups.values()])
    margin, mean = spread(*scores), scores.mean(axis=0)
    return [
        equivalent(f"{what}, {name} equal to the mean of all", scene, ours, mean, margin=margin)
        for name, ours in zip(groups, scores, strict=True)
    ]


def nearer(distances: Mapping[str, float]) -> str:
    """Which of two readings comes nearer the reported figures: its name, or "neither clearly".

    Parameters
    ----------
    distances
        Reading to the mean distance of our means from the reported figures. One comes clearly nearer if
        its distance is smaller by a fifth at least.
    """
    near, far = sorted(distances, key=lambda name: distances[name])
    return near if distances[near] <= 0.8 * distances[far] else "neither clearly"


@dataclass(frozen=True)
class Judgement:
    """A claim with its verdict and what it rests on."""

    claim: str
    verdict: Verdict
    comparisons: tuple[Comparison, ...] = ()
    profile: str = ""
    reason: str = ""

    @property
    def scenes(self) -> tuple[str, ...]:
        """Scenes it was judged on, each once."""
        return tuple(dict.fromkeys(c.scene for c in self.comparisons))

    @property
    def seeds(self) -> int:
        """Fewest seeds of any comparison."""
        return min((c.seeds for c in self.comparisons), default=0)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready fields."""
        return asdict(self) | {"verdict": self.verdict.value}

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> Judgement:
        """Inverse of `to_dict`."""
        parts = tuple(Comparison(**c) for c in fields["comparisons"])
        return cls(**fields | {"verdict": Verdict(fields["verdict"]), "comparisons": parts})


def judge(
    claim: str,
    comparisons: Sequence[Comparison | tuple[Comparison, ...]],
    *,
    profile: str,
    reason: str = "",
    complete: bool = True,
    rehearsal: bool = False,
) -> Judgement:
    """Verdict on a claim from its comparisons, by the rule of this module.

    Parameters
    ----------
    claim
        Id in ``claims.yaml``.
    comparisons
        All that the claim asserts; without any it is not testable. A tuple holds readings of one and the
        same statement, of which it is not known which is meant: they decide only if they agree.
    profile
        Profile of the runs.
    reason
        What a reader must know to take the verdict for what it is; required where not testable.
    complete
        False if only a part of what the claim asserts is compared: a part can contradict a claim, but
        not reproduce it.
    rehearsal
        True if the runs are not at the settings that the claim is about: then it stays undecided.

    Raises
    ------
    ValueError
        If the claim is not known, or it is not testable and no reason is given.
    """
    if claim not in claims().index:
        raise ValueError(f"no claim {claim!r} in book/reported/claims.yaml")
    stated = [c if isinstance(c, tuple) else (c,) for c in comparisons]
    verdicts = {_agreed(readings) for readings in stated}
    if not verdicts:
        if not reason:
            raise ValueError(f"{claim}: without a comparison it is not testable; give the reason")
        verdict = Verdict.NOT_TESTABLE
    elif rehearsal:
        verdict = Verdict.UNDECIDED
    elif Verdict.CONTRADICTED in verdicts:
        verdict = Verdict.CONTRADICTED
    elif Verdict.UNDECIDED in verdicts or not complete:
        verdict = Verdict.UNDECIDED
    else:
        verdict = Verdict.REPRODUCED
    return Judgement(claim, verdict, tuple(c for readings in stated for c in readings), profile, reason)


def _agreed(readings: tuple[Comparison, ...]) -> Verdict:
    verdicts = {c.verdict for c in readings}
    return verdicts.pop() if len(verdicts) == 1 else Verdict.UNDECIDED
