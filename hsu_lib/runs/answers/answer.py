"""What comes out of a question: comparisons, one way to ask with its verdict, the answer with all ways."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np

from hsu_lib.claims import rule

#: A comparison that loses more than this share of its seeds is open.
MOST_LEFT_OUT = 0.1
#: What the rule calls a comparison; see `hsu_lib.claims.rule.Differences`.
Shape = Literal["better", "threshold", "not worse", "equal"]
#: What an answer without a verdict is called.
_NOT_YET = "not yet answered"


@dataclass(frozen=True)
class Comparison:
    """One comparison of a claim, with what it comes to.

    Parameters
    ----------
    words
        What is compared, by which score and where.
    shape
        As of `hsu_lib.claims.rule.Differences`.
    effect, reported
        Smallest effect of interest or margin (0 for a threshold), and whether it is half of a reported one.
    printed
        The reported difference, as ours is taken; None where none is reported.
    usual
        The effect; for a threshold the default of its score. It makes comparisons of unlike scores
        comparable, and decides nothing.
    seeds, differences
        Those that count, and one difference for each, positive where it speaks for the claim.
    left_out
        Seeds without a finite score in one of the conditions.
    outcome
        What it comes to.
    score, relative
        Name of the score whose differences these are (empty where they are shares), and whether they are of
        its logarithms.
    """

    words: str
    shape: Shape
    effect: float
    reported: bool
    usual: float
    seeds: tuple[int, ...]
    differences: tuple[float, ...]
    left_out: tuple[int, ...]
    printed: float | None = None
    outcome: rule.Outcome = rule.Outcome.OPEN
    score: str = ""
    relative: bool = False

    @cached_property
    def interval(self) -> tuple[float, float, float]:
        """Mean and the ends of its 97.1 percent interval; not a number with fewer than two seeds."""
        return rule.interval(self.differences) if len(self.seeds) > 1 else (float("nan"),) * 3

    @property
    def weight(self) -> float:
        """How well it does at worst, in units of `usual`; of equality, minus how far it may be off."""
        _, low, high = self.interval
        return (-max(abs(low), abs(high)) if self.shape == "equal" else low) / self.usual

    def needed(self, among: int = 1) -> int | None:
        """How many seeds would decide it, if mean and spread stay; None if it is decided, or 200 do not.

        Parameters
        ----------
        among
            How many comparisons there are with it.
        """
        if self.outcome is not rule.Outcome.OPEN or len(self.seeds) < 2 or self.too_few:
            return None
        return rule.seeds_needed(self.asked, among=among)

    @property
    def too_few(self) -> bool:
        """Whether more seeds are left out than may be: then it is open."""
        return len(self.left_out) > MOST_LEFT_OUT * (len(self.seeds) + len(self.left_out))

    @property
    def asked(self) -> rule.Differences:
        """The comparison as the rule takes it, without differences where seeds are `too_few`."""
        differences = () if self.too_few else self.differences
        return rule.Differences(differences, self.effect, self.shape, self.reported)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready fields."""
        told = dict(zip(("mean", "low", "high"), self.interval, strict=True))
        return {
            **vars_of(self),
            **{name: value if np.isfinite(value) else None for name, value in told.items()},
            "outcome": self.outcome.value,
            "needed": self.needed(),
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Comparison:
        """Inverse of `to_dict`, of what has been JSON too."""
        fields = {name: told[name] for name in cls.__dataclass_fields__}
        lists = {name: tuple(fields[name]) for name in ("seeds", "differences", "left_out")}
        return cls(**fields | lists | {"outcome": rule.Outcome(told["outcome"])})


@dataclass(frozen=True)
class Way:
    """One way to ask a claim, with what it comes to.

    Parameters
    ----------
    words
        View and places.
    verdict
        None where it is not answered.
    comparisons
        All of them.
    places
        The scenes.
    reason
        Why it is not answered.
    keys
        Of the records that were used, those that settings were chosen by at the end.
    """

    words: str
    verdict: rule.Verdict | None = None
    comparisons: tuple[Comparison, ...] = ()
    places: tuple[str, ...] = ()
    reason: str = ""
    keys: tuple[str, ...] = ()

    @property
    def deciding(self) -> Comparison | None:
        """The comparison that decides: of those whose outcome makes the verdict, the one that does worst."""
        wanted = {
            rule.Verdict.REVERSED: (rule.Outcome.REVERSED,),
            rule.Verdict.ABSENT: (rule.Outcome.ABSENT,),
            rule.Verdict.OPEN: (rule.Outcome.OPEN,),
            rule.Verdict.SMALLER: (rule.Outcome.SMALLER,),
        }
        outcomes = wanted.get(self.verdict, ()) if self.verdict else ()
        some = [c for c in self.comparisons if c.outcome in outcomes] or self.comparisons
        return min(some, key=lambda c: c.weight, default=None)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready fields."""
        told = {"verdict": self.verdict and self.verdict.value}
        return vars_of(self) | told | {"comparisons": [c.to_dict() for c in self.comparisons]}

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Way:
        """Inverse of `to_dict`, of what has been JSON too."""
        return cls(
            told["words"],
            told["verdict"] and rule.Verdict(told["verdict"]),
            tuple(map(Comparison.from_dict, told["comparisons"])),
            tuple(told["places"]),
            told["reason"],
            tuple(told["keys"]),
        )


@dataclass(frozen=True)
class Answer:
    """What fresh seeds say of a claim.

    Parameters
    ----------
    claim
        Its id.
    verdict
        By rule 2; None where it is not answered.
    ways
        All ways to ask it; the first decides.
    reason
        Why it is not answered, or what must be known of the answer.
    """

    claim: str
    verdict: rule.Verdict | None
    ways: tuple[Way, ...] = ()
    reason: str = ""

    @property
    def deciding(self) -> Comparison | None:
        """The comparison of the first way that decides, if runs do."""
        return self.ways[0].deciding if self.ways else None

    @property
    def places(self) -> tuple[str, ...]:
        """The scenes of the first way."""
        return self.ways[0].places if self.ways else ()

    @property
    def word(self) -> str:
        """The verdict in words."""
        return self.verdict.value if self.verdict else _NOT_YET

    @property
    def keys(self) -> tuple[str, ...]:
        """Of the records behind it, each once."""
        return tuple(dict.fromkeys(key for way in self.ways for key in way.keys))

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready fields."""
        return vars_of(self) | {"verdict": self.word, "ways": [way.to_dict() for way in self.ways]}

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Answer:
        """Inverse of `to_dict`, of what has been JSON too."""
        verdict = None if told["verdict"] == _NOT_YET else rule.Verdict(told["verdict"])
        return cls(told["claim"], verdict, tuple(map(Way.from_dict, told["ways"])), told["reason"])


def vars_of(made: Any) -> dict[str, Any]:
    """Fields of a dataclass, without what is cached."""
    return {name: getattr(made, name) for name in type(made).__dataclass_fields__}
