"""What fresh seeds answer: from the questions and the records of their runs to verdicts by rule 2.

The fields of a question are explained in ``book/reported/README.md``, what becomes of an answer on the page
*How to read*. Where a field could mean several things, or a record does not hold what is asked, the claim is
not answered, and the answer says why.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from hsu_lib import methods
from hsu_lib.claims import rule
from hsu_lib.claims.questions import Component, Question, Term, View, Vocabulary, base, listed, names
from hsu_lib.claims.questions import questions as all_questions
from hsu_lib.claims.questions import vocabulary as all_words
from hsu_lib.metrics import SCORES
from hsu_lib.runs.campaign import (
    SEEDS,
    Amounts,
    Choices,
    in_view,
    nothing_chosen,
    place_of,
    run_of,
    seeded,
    spec_of,
    terms_of,
)
from hsu_lib.runs.campaign import amounts as amounts_of
from hsu_lib.runs.evidence import COMPUTED, Find, counts, published, score_of
from hsu_lib.runs.record import Record
from hsu_lib.runs.times import Sitting, counting, subject_of
from hsu_lib.runs.times import published as published_times

#: A comparison that loses more than this share of its seeds is open.
MOST_LEFT_OUT = 0.1
#: Default smallest effects by the unit of a score, for comparisons that have none of their own.
_DEFAULTS = {"rad": 0.02, "dB": 0.5}

#: What the rule calls a comparison; see `hsu_lib.claims.rule.Question`.
Shape = Literal["better", "threshold", "not worse", "equal"]


#: Shares of training that differ by less are the same: whole numbers of epochs cannot be had in all shares.
_EQUAL_SHARE = 1.1
#: Timed scores that records have a part in, and that part.
_OF_RECORDS = {"seconds-to-common-mae": "iterations-to-common-mae"}


class Unanswered(LookupError):
    """Why a question has no answer yet."""


# --------------------------------------------------------------------------- what comes out


@dataclass(frozen=True)
class Comparison:
    """One comparison of a claim, with what it comes to.

    Parameters
    ----------
    words
        What is compared, by which score and where.
    shape
        As of `hsu_lib.claims.rule.Question`.
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

    @cached_property
    def interval(self) -> tuple[float, float, float]:
        """Mean and the ends of its 97.1 percent interval; not a number with fewer than two seeds."""
        return rule.interval(self.differences) if len(self.seeds) > 1 else (float("nan"),) * 3

    @property
    def weight(self) -> float:
        """How well it does at worst, in units of `usual`; of equality, minus how far it may be off."""
        _, low, high = self.interval
        return (-max(abs(low), abs(high)) if self.shape == "equal" else low) / self.usual

    @property
    def needed(self) -> int | None:
        """How many seeds would decide it, if mean and spread stay; None if it is decided, or 200 do not."""
        if self.outcome is not rule.Outcome.OPEN:
            return None
        return rule.seeds_needed(_ask(self)) if len(self.seeds) > 1 and not _too_few(self) else None

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready fields."""
        told = dict(zip(("mean", "low", "high"), self.interval, strict=True))
        return {
            **vars_of(self),
            **{name: value if np.isfinite(value) else None for name, value in told.items()},
            "outcome": self.outcome.value,
            "needed": self.needed,
        }


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
    reason
        Why it is not answered.
    keys
        Of the records that were used.
    """

    words: str
    verdict: rule.Verdict | None = None
    comparisons: tuple[Comparison, ...] = ()
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
    def word(self) -> str:
        """The verdict in words."""
        return self.verdict.value if self.verdict else "not yet answered"

    @property
    def keys(self) -> tuple[str, ...]:
        """Of the records behind it, each once."""
        return tuple(dict.fromkeys(key for way in self.ways for key in way.keys))

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready fields."""
        return vars_of(self) | {"verdict": self.word, "ways": [way.to_dict() for way in self.ways]}


def vars_of(made: Any) -> dict[str, Any]:
    """Fields of a dataclass, without what is cached."""
    return {name: getattr(made, name) for name in type(made).__dataclass_fields__}


# --------------------------------------------------------------------------- answers


def answers(
    claims: Iterable[str] | None = None,
    *,
    amounts: Amounts | None = None,
    seeds: Sequence[int] = SEEDS,
    find: Find | None = None,
    choices: Choices = nothing_chosen,
    times: Sitting | None = None,
    questions: Mapping[str, Question] | None = None,
    words: Vocabulary | None = None,
) -> list[Answer]:
    """Answers to the questions of claims, by rule 2.

    Parameters
    ----------
    claims
        Their ids; by default all.
    amounts
        How much was trained; by default that of the profile ``paper``.
    seeds
        The deciding ones.
    find
        Where records are looked up; by default among the published ones.
    choices
        What views choose.
    times
        The sitting that times are taken from, if it counts; by default the published one, where records
        are published ones too.
    questions, words
        By default those of the book.

    Raises
    ------
    ValueError
        If a claim is not known, or the sitting is damaged.
    """
    questions, words = questions or all_questions(), words or all_words()
    asked = list(questions if claims is None else claims)
    if unknown := [claim for claim in asked if claim not in questions]:
        raise ValueError(f"no such claim: {', '.join(unknown)}")
    if times is None and find is None:
        times = counting(published_times())
    times = None if times is None or times.objection else times
    records = _Records(find or published())
    how = _How(words, amounts or amounts_of("paper"), tuple(seeds), choices, records, times)
    return [_answer(questions[claim], how) for claim in asked]


class _Records:
    """Records that count, each read once."""

    def __init__(self, find: Find) -> None:
        self._find = find
        self._found: dict[str, Record | None] = {}

    def get(self, key: str) -> Record | None:
        if key not in self._found:
            record = self._find(key)
            self._found[key] = record if record is not None and counts(record) else None
        return self._found[key]


@dataclass(frozen=True)
class _How:
    words: Vocabulary
    amounts: Amounts
    seeds: tuple[int, ...]
    choices: Choices
    records: _Records
    times: Sitting | None = None


def _answer(question: Question, how: _How) -> Answer:
    if question.kind == "true by construction":
        return Answer(question.claim, rule.Verdict.BY_CONSTRUCTION, reason=str(question.says["check"]))
    if question.kind == "not testable":
        return Answer(question.claim, rule.Verdict.NOT_TESTABLE, reason=str(question.says["reason"]))
    ways = tuple(_way(question, view, entry, how) for view, entry in question.ways(how.words))
    first, *others = ways
    if first.verdict is None:
        return Answer(question.claim, None, ways, first.reason)
    verdict = rule.over_views([way.verdict for way in ways if way.verdict])
    waiting = [f"{way.words}: {way.reason}" for way in others if way.verdict is None]
    reasons = [f"Another way to ask is not answered yet ({'; '.join(waiting)})."] if waiting else []
    if how.times is not None and any(how.words.timed(term.score) for term in question.terms()):
        reasons.append(f"Times: {how.times}.")
    reason = " ".join(reasons)
    return Answer(question.claim, verdict, ways, reason)


def _way(question: Question, view: View, entry: int, how: _How) -> Way:
    terms = terms_of(question, view, how.words)
    places = dict.fromkeys(
        place.made or str(spec_of(place)) for place in (place_of(t, entry, how.words) for t in terms)
    )
    words = ", ".join([*([view.name] if view.name else []), " and ".join(places)])
    scores = _Scores(question, view, entry, how)
    try:
        _check(terms, view, entry, how)
        for part in question.components:
            _check_shares(part, view, how)
        made = [c for part in question.components for c in _comparisons(part, scores)]
        _complete(made, scores)
    except Unanswered as reason:
        return Way(words, reason=str(reason), keys=tuple(scores.used))
    found = rule.outcomes([_ask(c) for c in made])
    done = tuple(
        Comparison(**vars_of(c) | {"outcome": outcome}) for c, outcome in zip(made, found, strict=True)
    )
    necessary = bool(question.says.get("necessary_only", False))
    return Way(words, rule.judged(found, necessary_only=necessary), done, keys=tuple(scores.used))


def _check_shares(part: Component, view: View, how: _How) -> None:
    """Tell of a comparison whose sides get unequal shares of their document's training: the rule forbids it.

    Raises
    ------
    Unanswered
        With the shares.
    """
    terms = [term for term in part.terms() if not how.words.timed(term.score)]  # times are of all of it
    names = [view.replace.get(term.condition, term.condition) for term in terms]
    used = dict.fromkeys(how.words.conditions[name].method for name in names)
    shares = {m: how.amounts.part(m) for m in used if {"epochs", "iterations"} & _settings_of(m)}
    if shares and max(shares.values()) > _EQUAL_SHARE * min(shares.values()):
        told = ", ".join(f"{method} {share:.0%}" for method, share in shares.items())
        raise Unanswered(
            f"its two sides got unequal shares of the document's training ({told}), and the rule asks for "
            "equal ones"
        )


def _settings_of(method: str) -> set[str]:
    return {row["setting"] for row in methods.get(method).describe()}


def _check(terms: Sequence[Term], view: View, entry: int, how: _How) -> None:
    """Tell what records cannot answer, before they are looked up.

    Raises
    ------
    Unanswered
        With the reason.
    """
    conditions = [how.words.conditions[term.condition] for term in terms]
    places = [place_of(term, entry, how.words) for term in terms]
    planned = dict.fromkeys(c.method for c in conditions if c.planned)
    timed = dict.fromkeys(term.score for term in terms if how.words.timed(term.score))
    made = dict.fromkeys(
        place.made
        for place, term in zip(places, terms, strict=True)
        if place.made and term.score not in timed
    )
    scores = [_OF_RECORDS.get(term.score, term.score) for term in terms]
    unknown = dict.fromkeys(
        base(score)
        for score in scores
        if base(score) in how.words.scores and score not in {*SCORES, *COMPUTED, *timed}
    )
    if planned:
        raise Unanswered(f"needs methods that are still to be written: {', '.join(planned)}")
    if timed and how.times is None:
        raise Unanswered(f"needs times of runs with nothing beside them: {', '.join(timed)}")
    small = [c.method for term, c in zip(terms, conditions, strict=True) if term.score in _OF_RECORDS]
    if any(how.amounts.part(method) != 1 for method in small):
        raise Unanswered("needs records of the document's amount of training: its times are of that")
    if made:
        raise Unanswered(f"needs what is no scene: {', '.join(made)}")
    if unknown:
        raise Unanswered(f"needs scores that are not computed from records yet: {', '.join(unknown)}")


def _complete(made: Sequence[Comparison], scores: _Scores) -> None:
    """Refuse to judge what lacks more runs than may be left out.

    Raises
    ------
    Unanswered
        If runs are missing that would leave a comparison open.
    """
    short = [c for c in made if _too_few(c)]
    if not made:
        raise Unanswered("asks for no comparison")
    if short and any(seed in scores.incomplete for c in short for seed in c.left_out):
        total = len(scores.used) + len(scores.missing)
        raise Unanswered(f"{len(scores.missing)} of {total} runs are missing")


def _too_few(comparison: Comparison) -> bool:
    return len(comparison.left_out) > MOST_LEFT_OUT * (len(comparison.seeds) + len(comparison.left_out))


def _ask(c: Comparison) -> rule.Question:
    """The comparison as the rule takes it; with too many seeds left out it has none, so that it is open."""
    differences = () if _too_few(c) else c.differences
    return rule.Question(differences, c.effect, c.shape, c.reported)


# --------------------------------------------------------------------------- one way to ask


class _Scores:
    """Scores over the seeds of what one way to ask compares, and which runs they came from.

    Parameters
    ----------
    question, view, entry
        The way.
    how
        What all ways share.
    """

    def __init__(self, question: Question, view: View, entry: int, how: _How) -> None:
        self.how = how
        self.used: dict[str, None] = {}
        self.missing: dict[str, None] = {}
        self.incomplete: set[int] = set()
        self._way = (question, view, entry)
        self._found: dict[Term, NDArray[np.float64]] = {}

    def of(self, term: Term) -> NDArray[np.float64]:
        """One per seed; not a number where there is no record, or the record has no such score."""
        if term not in self._found:
            seen = in_view(term, self._way[1])
            if self.how.words.timed(seen.score):
                self._found[term] = self._time(term, [term.condition])
            else:
                self._found[term] = np.array([self._one(seen, s) for s in self.how.seeds])
        return self._found[term]

    def _time(self, term: Term, conditions: Sequence[str]) -> NDArray[np.float64]:
        """A time of a condition, or what several have together, one per seed; see `Sitting.answer`.

        Raises
        ------
        Unanswered
            If the sitting does not hold it.
        """
        assert self.how.times is not None  # `_check` saw to that
        question, view, entry = self._way
        terms = [in_view(term._replace(condition=name), view) for name in conditions]
        score = terms[0].score
        subjects = [subject_of(each, question, view, entry, self.how.words) for each in terms]
        other = _OF_RECORDS.get(score)
        iterations = None if other is None else self.of(term._replace(score=other))
        try:
            return self.how.times.first(len(self.how.seeds)).answer(score, subjects, iterations)
        except LookupError as reason:
            raise Unanswered(str(reason)) from None

    def _group(self, conditions: Sequence[str], at: Term) -> NDArray[np.float64]:
        """A score that several conditions have together, one per seed."""
        if not self.how.words.timed(at.score):
            raise Unanswered(f"a group that its score needs whole, of {len(conditions)} conditions")
        return self._time(at, conditions)

    def _one(self, term: Term, seed: int) -> float:
        question, view, entry = self._way
        run = run_of(term, question, view, entry, self.how.words, self.how.amounts, self.how.choices)
        if run is None:
            raise Unanswered(f"waits for settings that are chosen by validation: {view.name}")
        key = seeded(run, seed).key
        record = self.how.records.get(key)
        if record is None:
            self.missing[key] = None
            self.incomplete.add(seed)
            return float("nan")
        self.used[key] = None
        return score_of(record, term.score)

    def side(self, side: Any, at: Term, keep: NDArray[np.bool_]) -> NDArray[np.float64]:
        """What a side of a comparison is, for each of the seeds that are kept.

        Parameters
        ----------
        side
            A condition, a number or a mapping; see ``book/reported/README.md``.
        at
            Scene, score and noise of what has none of its own.
        keep
            Which seeds, shape ``(seeds,)``.
        """
        if isinstance(side, int | float):
            return np.full(int(keep.sum()), float(side))
        if isinstance(side, list):
            return self._group(side, at)[keep]
        own: Mapping[str, Any] = side if isinstance(side, dict) else {}
        term = at._replace(**{name: own[name] for name in ("scene", "score", "snr") if name in own})
        each = np.stack([self.of(term._replace(condition=name))[keep] for name in names(side)])
        if "best_of" in own:
            value = self._best(own, term, each, keep)
        elif "mean_of" in own:
            value = each.mean(axis=0)
        elif len(each) == 1:
            value = each[0]
        else:
            raise Unanswered(f"a group that its score needs whole, of {len(each)} conditions")
        return value - self.side(own["minus"], at, keep) if "minus" in own else value

    def _best(
        self, own: Mapping[str, Any], term: Term, each: NDArray[np.float64], keep: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """For each seed the condition with the best mean over all other seeds."""
        chosen_on = term._replace(scene=own.get("chosen_on", term.scene), score=own["by"])
        scores = [self.of(chosen_on._replace(condition=name))[keep] for name in names(dict(own))]
        by = self.sign(own["by"]) * np.stack(scores)
        of_others = by.sum(axis=1, keepdims=True) - by  # their number is the same for all
        return each[of_others.argmax(axis=0), np.arange(each.shape[1])]

    def sign(self, score: str) -> float:
        """1 for a score of which more is better, else -1."""
        return 1.0 if _direction(score, self._way[1], self.how.words) == "higher" else -1.0


def _direction(score: str, view: View, words: Vocabulary) -> str:
    name = base(view.replace.get(score, score))
    return SCORES[name].better if name in SCORES else str(words.scores[name]["better"])


#: Shape of a component to the shape of the rule, and how it reads.
_READS: Mapping[str, tuple[Shape, str]] = {
    "better": ("better", "better than"),
    "best": ("better", "better than"),
    "worst": ("better", "worse than"),
    "not_worse": ("not worse", "not worse than"),
    "same": ("equal", "equal to"),
    "alike": ("equal", "equal to"),
    "above": ("threshold", "above"),
    "below": ("threshold", "below"),
}


def _comparisons(part: Component, scores: _Scores) -> Iterator[Comparison]:
    """The comparisons that a component is made of.

    Raises
    ------
    Unanswered
        If it asks what is not computed, or what could mean several things.
    """
    says, shape = part.says, part.shape
    if shape not in _READS:
        raise Unanswered(f"asks which is the {shape}, which is not computed yet")
    if "group" in says:
        raise Unanswered("asks for a group of conditions, which no record can score alone")
    relative = bool(says.get("relative", False))
    if relative and any(isinstance(side, dict) and "minus" in side for side in part.sides()):
        raise Unanswered("asks for logarithms of a difference, which may have none")
    places = product(listed(says["scene"]), listed(says["score"]), listed(says.get("snr")))
    for scene, score, snr in places:
        at = Term("", scene, score, snr)
        for first, second in _pairs(says, shape):
            yield _comparison(part, at, first, second, relative, scores)


def _pairs(says: Mapping[str, Any], shape: str) -> Iterator[tuple[Any, Any]]:
    """What is compared with what."""
    if shape in ("better", "not_worse"):
        yield says[shape], says["than"]
    elif shape in ("best", "worst"):
        yield from ((says[shape], other) for other in says["of"] if other != says[shape])
    elif shape == "same":
        first, second = says["same"]
        yield first, second
    elif shape == "alike":
        yield from ((each, {"mean_of": says["alike"]}) for each in says["alike"])
    else:
        yield says["of"], says[shape]


def _comparison(
    part: Component, at: Term, first: Any, second: Any, relative: bool, scores: _Scores
) -> Comparison:
    says, asked = part.says, part.shape
    shape, reads = _READS[asked]
    place = {"scene": at.scene, "score": at.score, "snr": at.snr}
    terms = Component({"better": first, "than": second, **place}).terms()
    keep = np.logical_and.reduce([np.isfinite(scores.of(term)) for term in terms])
    sides = [scores.side(side, at, keep) for side in (first, second)]
    if relative:
        sides = [np.log(np.where(side > 0, side, np.nan)) for side in sides]
    sign = {"above": 1.0, "below": -1.0, "worst": -scores.sign(at.score)}.get(asked, scores.sign(at.score))
    differences = sign * (sides[0] - sides[1])
    finite = np.isfinite(differences)
    seeds = np.array(scores.how.seeds)
    kept = seeds[keep][finite]
    effect = float(says.get("smallest_effect", says.get("margin", 0.0)))
    leads = _reported_leads(says, asked, sign, relative)
    usual = 0.1 if relative else _DEFAULTS.get(_unit(at.score, scores.how.words), 0.01)
    return Comparison(
        _words(at, first, second, reads, relative, scores),
        shape,
        effect,
        # half of the reported effect (of a best one, of its lead), not a default
        shape == "better" and bool(leads) and bool(np.isclose(min(leads.values()) / 2, effect, rtol=2e-3)),
        effect or usual,
        tuple(int(seed) for seed in kept),
        tuple(float(d) for d in differences[finite]),
        tuple(int(seed) for seed in seeds if seed not in kept),
        leads.get(second if isinstance(second, str) and second in leads else ""),
    )


def _reported_leads(says: Mapping[str, Any], shape: str, sign: float, relative: bool) -> Mapping[str, float]:
    """The reported difference, by the other condition where there are several, else by an empty name."""
    reported = says.get("reported")
    if not reported:
        return {}
    if isinstance(reported, Mapping):
        pairs = {name: (reported[says[shape]], v) for name, v in reported.items() if name != says[shape]}
    else:
        pairs = {"": tuple(reported)}
    scale = np.log if relative else np.asarray
    return {name: float(sign * (scale(ours) - scale(other))) for name, (ours, other) in pairs.items()}


def _unit(score: str, words: Vocabulary) -> str:
    name = base(score)
    return SCORES[name].unit if name in SCORES else str(words.scores[name]["unit"])


# --------------------------------------------------------------------------- in words


def _words(at: Term, first: Any, second: Any, reads: str, relative: bool, scores: _Scores) -> str:
    view = scores._way[1]
    name = view.replace.get(at.score, at.score)
    title = SCORES[name].title if name in SCORES else name
    told = [_say(side, scores) for side in (first, second)]
    owns = any(isinstance(side, dict) and "scene" in side for side in (first, second))
    where = "" if owns else f" on {_where(at.scene, at.snr, scores)}"
    of = " (ratio, as a logarithm)" if relative else ""
    return f"{told[0]} {reads} {told[1]}{where}: {title}{of}"


def _where(scene: str, snr: float | None, scores: _Scores) -> str:
    _, view, entry = scores._way
    place = place_of(Term("", scene, "", None), entry, scores.how.words)
    if place.made:
        return scene
    return str(spec_of(place, snr if view.snr is None else view.snr))


def _say(side: Any, scores: _Scores) -> str:
    """A side in words."""
    if isinstance(side, list):
        return ", ".join(_say(name, scores) for name in side)
    if not isinstance(side, dict):
        replace = scores._way[1].replace
        return replace.get(side, side) if isinstance(side, str) else f"{side:g}"
    if "best_of" in side:
        told = f"the best of {len(side['best_of'])} by {side['by']}"
    elif "mean_of" in side:
        told = f"the mean of {len(side['mean_of'])}"
    else:
        told = ", ".join(_say(name, scores) for name in listed(side["condition"]))
    if "score" in side:
        told += f" by {side['score']}"
    if "scene" in side:
        told += f" on {_where(side['scene'], side.get('snr'), scores)}"
    elif "snr" in side:
        told += f" at {side['snr']:g} dB"
    return f"{told} less {_say(side['minus'], scores)}" if "minus" in side else told
