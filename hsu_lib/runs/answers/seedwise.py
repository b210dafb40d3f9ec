"""Scores over the seeds of what one way to ask compares, and the sides of its comparisons made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsu_lib.claims.questions import Question, Term, View, Vocabulary, base, names
from hsu_lib.claims.registration import Registration
from hsu_lib.metrics import SCORES
from hsu_lib.runs.amounts import Amounts
from hsu_lib.runs.answers.several import SEVERAL, TOGETHER
from hsu_lib.runs.campaign import OF_RECORDS, in_view, run_of, seeded
from hsu_lib.runs.choices import Choices
from hsu_lib.runs.computed import COMPUTED, score_of
from hsu_lib.runs.evidence import Find, counts
from hsu_lib.runs.record import Record
from hsu_lib.runs.times import Sitting, subject_of

Values = NDArray[np.float64]


class Unanswered(LookupError):
    """Why a question has no answer yet."""


class Records:
    """Records that count, each read once.

    Parameters
    ----------
    find
        Where they are looked up.
    strict
        Only what was made from files as some commit has them.
    """

    def __init__(self, find: Find, strict: bool = True) -> None:
        self._find, self._strict = find, strict
        self._found: dict[str, Record | None] = {}

    def get(self, key: str) -> Record | None:
        """The record of a run; None where there is none that counts."""
        if key not in self._found:
            record = self._find(key)
            found = record is not None and (counts(record) or not self._strict)
            self._found[key] = record if found else None
        return self._found[key]


@dataclass(frozen=True)
class How:
    """What all ways to ask share; see `hsu_lib.runs.answers.answers`."""

    words: Vocabulary
    amounts: Amounts
    seeds: tuple[int, ...]
    choices: Choices
    records: Records
    times: Sitting | None = None
    since: Registration | None = None


def is_known(score: str) -> bool:
    """Whether a score is in records, or computed from them."""
    return base(score) in SCORES or score in {*COMPUTED, *SEVERAL, *TOGETHER}


class Scores:
    """Scores over the seeds of what one way to ask compares, and which runs they came from.

    Parameters
    ----------
    question, view, entry
        The way.
    how
        What all ways share.
    """

    def __init__(self, question: Question, view: View, entry: int, how: How) -> None:
        self.how, self.view, self.entry = how, view, entry
        self.used: dict[str, None] = {}
        self.missing: dict[str, None] = {}
        self.incomplete: set[int] = set()
        self._question = question
        self._records: dict[Term, list[Record | None]] = {}
        self._seen: dict[tuple[Term, tuple[Term, ...]], Values] = {}

    def records(self, term: Term) -> list[Record | None]:
        """One per seed, whatever the score; `term` is as this view has it.

        Raises
        ------
        Unanswered
            If settings are still to be chosen.
        """
        term = term._replace(score="")
        if term not in self._records:
            how = self.how
            run = run_of(term, self._question, self.view, self.entry, how.words, how.amounts, how.choices)
            if run is None:
                raise Unanswered(f"waits for settings that are chosen by validation: {self.view.name}")
            keys = [seeded(run, seed).key for seed in how.seeds]
            found = [how.records.get(key) for key in keys]
            for seed, key, record in zip(how.seeds, keys, found, strict=True):
                (self.missing if record is None else self.used)[key] = None
                if record is None:
                    self.incomplete.add(seed)
            self._records[term] = found
        return self._records[term]

    def seen(self, term: Term, group: Sequence[Term] = ()) -> Values:
        """One value per seed, not a number where a record or its score is missing.

        Parameters
        ----------
        term, group
            What is scored, and beside which others, as this view has them.

        Raises
        ------
        Unanswered
            If the score is one of several conditions together.
        """
        if self.how.words.timed(term.score):
            return self._time([term], group)
        if term.score in TOGETHER:
            raise Unanswered(f"asks for {term.score} of one condition, which only a group has")
        asked = (term, tuple(group) if term.score in SEVERAL else ())
        if asked not in self._seen:
            if term.score in SEVERAL:
                value = SEVERAL[term.score](self, self.how.words.needs(term), group)
            else:
                found = self.records(term)
                value = np.array([np.nan if r is None else score_of(r, term.score) for r in found])
            self._seen[asked] = value
        return self._seen[asked]

    def of(self, term: Term, group: Sequence[str] = ()) -> Values:
        """The same of what a question names: a term, and the conditions it is compared with."""
        beside = [in_view(term._replace(condition=name), self.view) for name in group]
        return self.seen(in_view(term, self.view), beside)

    def together(self, conditions: Sequence[str], term: Term) -> Values:
        """A score that several conditions have together, one value per seed.

        Raises
        ------
        Unanswered
            If each has its own.
        """
        terms = [in_view(term._replace(condition=name), self.view) for name in conditions]
        score = terms[0].score
        if self.how.words.timed(score):
            return self._time(terms)
        if score not in TOGETHER:
            raise Unanswered(
                f"asks for {score} of a group of {len(terms)} conditions, of which each has its own"
            )
        return TOGETHER[score](self, terms)

    def _time(self, terms: Sequence[Term], group: Sequence[Term] = ()) -> Values:
        """A time of a condition, or what several have together, one per seed; see `Sitting.answer`.

        Raises
        ------
        Unanswered
            If the sitting does not hold it.
        """
        how = self.how
        assert how.times is not None  # it was seen to before
        score = terms[0].score
        subjects = [
            subject_of(term, self._question, self.view, self.entry, how.words, how.amounts) for term in terms
        ]
        other = OF_RECORDS.get(score)
        iterations = None if other is None else self.seen(terms[0]._replace(score=other), _of(group, other))
        try:
            return how.times.first(len(how.seeds)).answer(score, subjects, iterations)
        except LookupError as reason:
            raise Unanswered(str(reason)) from None

    def name(self, score: str) -> str:
        """The score by which this way asks."""
        return self.view.replace.get(score, score)

    def sign(self, score: str) -> float:
        """1 for a score of which more is better, else -1."""
        name = base(self.name(score))
        better = SCORES[name].better if name in SCORES else self.how.words.scores[name]["better"]
        return 1.0 if better == "higher" else -1.0


def _of(group: Sequence[Term], score: str) -> list[Term]:
    return [term._replace(score=score) for term in group]


@dataclass(frozen=True)
class Sides:
    """The sides of the comparisons of a component.

    Parameters
    ----------
    scores
        Of the way to ask.
    group
        The conditions that a score may compare a run with.
    """

    scores: Scores
    group: tuple[str, ...]

    def parts(self, side: Any, at: Term) -> list[Values]:
        """All that a side is made of, one value per seed each: a seed without one of them is left out.

        Parameters
        ----------
        side
            A condition, several, a number or a mapping; see ``book/reported/README.md``.
        at
            Scene, score and noise of what has none of its own.
        """
        if isinstance(side, int | float):
            return []
        own, term = _own(side), _term(side, at)
        found = self._each(own, term)
        if "best_of" in own:
            found += self._by(own, term)
        return found + (self.parts(own["minus"], at) if "minus" in own else [])

    def value(self, side: Any, at: Term, keep: NDArray[np.bool_]) -> Values:
        """What a side is for each of the seeds that are kept, ``keep`` of shape ``(seeds,)``."""
        if isinstance(side, int | float):
            return np.full(int(keep.sum()), float(side))
        own, term = _own(side), _term(side, at)
        each = np.stack([values[keep] for values in self._each(own, term)])
        if "best_of" in own:
            value = self._best(own, term, each, keep)
        else:
            value = each.mean(axis=0) if "mean_of" in own else each[0]
        return value - self.value(own["minus"], at, keep) if "minus" in own else value

    def _each(self, own: Mapping[str, Any], term: Term) -> list[Values]:
        """Scores of the side's conditions, or the one they have together."""
        if isinstance(own.get("condition"), list):
            return [self.scores.together(own["condition"], term)]
        several = names(dict(own))
        terms = [_term(one, term)._replace(condition=str(_own(one)["condition"])) for one in several]
        return [self.scores.of(each, self.group) for each in terms]

    def _by(self, own: Mapping[str, Any], term: Term) -> list[Values]:
        """Scores by which the best of several is chosen."""
        by = term._replace(scene=own.get("chosen_on", term.scene), score=own["by"])
        return [self.scores.of(by._replace(condition=name), self.group) for name in names(dict(own))]

    def _best(self, own: Mapping[str, Any], term: Term, each: Values, keep: NDArray[np.bool_]) -> Values:
        """For each seed the condition with the best mean over all other seeds."""
        by = self.scores.sign(own["by"]) * np.stack([values[keep] for values in self._by(own, term)])
        of_others = by.sum(axis=1, keepdims=True) - by  # their number is the same for all
        return each[of_others.argmax(axis=0), np.arange(each.shape[1])]


def _own(side: Any) -> Mapping[str, Any]:
    return side if isinstance(side, dict) else {"condition": side}


def _term(side: Any, at: Term) -> Term:
    return at._replace(**{name: _own(side)[name] for name in ("scene", "score", "snr") if name in _own(side)})
