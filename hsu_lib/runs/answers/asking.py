"""From questions to answers: what can be asked of records is compared, and judged by rule 2."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from hsu_lib import methods
from hsu_lib.claims import rule
from hsu_lib.claims.questions import Component, Question, Term, View, Vocabulary, base
from hsu_lib.claims.questions import questions as all_questions
from hsu_lib.claims.questions import vocabulary as all_words
from hsu_lib.claims.registration import fingerprint, registrations
from hsu_lib.runs import timing
from hsu_lib.runs.amounts import Amounts
from hsu_lib.runs.amounts import amounts as amounts_of
from hsu_lib.runs.answers.answer import Answer, Comparison, Way
from hsu_lib.runs.answers.comparisons import comparisons
from hsu_lib.runs.answers.seedwise import How, Records, Scores, Unanswered, is_known
from hsu_lib.runs.campaign import (
    OF_RECORDS,
    chosen_among,
    place_of,
    second_look,
    seeds_for,
    spec_of,
    terms_of,
)
from hsu_lib.runs.choices import Choices, chosen_from
from hsu_lib.runs.evidence import Find, published
from hsu_lib.runs.times import Sitting, counting

#: Shares of training that differ by less are the same: whole numbers of epochs cannot be had in all shares.
_EQUAL_SHARE = 1.1


def answers(
    claims: Iterable[str] | None = None,
    *,
    amounts: Amounts | None = None,
    seeds: Sequence[int] | None = None,
    again: bool = False,
    find: Find | None = None,
    choices: Choices | None = None,
    times: Sequence[Sitting] | None = None,
    questions: Mapping[str, Question] | None = None,
    words: Vocabulary | None = None,
    where: str = "",
    strict: bool = True,
) -> list[Answer]:
    """Answers to the questions of claims, by rule 2.

    Parameters
    ----------
    claims
        Their ids; by default all.
    amounts
        How much was trained; by default that of the profile ``paper``.
    seeds
        The deciding ones; by default those of each question.
    again
        Whether there is a second look: what is open by the seeds of its question, and has all runs of as many
        further ones, is judged once more by both together.
    find
        Where records are looked up; by default among the published ones.
    choices
        What views choose; by default what the records of the grid say.
    times
        The sittings that times are taken from, of each question from the first that timed all it asks; by
        default the published ones. Those that do not count are left out.
    questions, words
        By default those of the book.
    where
        A scene that stands in for every place of every question, for a rehearsal.
    strict
        Only runs count that were made from files of a commit, and after the question was registered.

    Raises
    ------
    ValueError
        If a claim is not known, or a sitting is damaged.
    """
    registered = registrations() if strict and questions is None else {}
    questions, words = questions or all_questions(), (words or all_words()).at(where)
    asked = list(questions if claims is None else claims)
    if unknown := [claim for claim in asked if claim not in questions]:
        raise ValueError(f"no such claim: {', '.join(unknown)}")
    records = Records(find or published(), strict)
    choices = choices or chosen_from(records.get)
    times = [sitting for sitting in (counting() if times is None else times) if not sitting.objection]
    how = How(words, amounts or amounts_of("paper"), (), choices, records)

    def judged(claim: str) -> Answer:
        question = questions[claim]
        looked = seeds_for(question, seeds)
        first = replace(how, since=registered.get(claim), seeds=looked)
        answer = _timed(question, first, times)
        later = second_look(question, looked) if again else ()
        if later and answer.verdict is rule.Verdict.OPEN:
            second = _timed(question, replace(first, seeds=(*looked, *later)), times)
            return second if second.verdict else answer
        return answer

    return [judged(claim) for claim in asked]


def _timed(question: Question, how: How, times: Sequence[Sitting]) -> Answer:
    """The answer by the first sitting that timed all it asks, for a question about time."""
    if not times or not any(how.words.timed(term.score) for term in question.terms()):
        return _answer(question, how)
    claim, amounts = question.claim, how.amounts.for_claim(question.claim)

    def whole(sitting: Sitting) -> bool:
        asked = {claim: question}
        _, lacking = timing.subjects(amounts=amounts, held=[sitting], questions=asked, words=how.words)
        return not lacking

    return _answer(question, replace(how, times=next(filter(whole, times), times[0])))


def _answer(question: Question, how: How) -> Answer:
    if question.kind == "true by construction":
        return Answer(question.claim, rule.Verdict.BY_CONSTRUCTION, reason=str(question.says["check"]))
    if question.kind == "not testable":
        return Answer(question.claim, rule.Verdict.NOT_TESTABLE, reason=str(question.says["reason"]))
    if how.since and how.since.sha256 != fingerprint(question, all_words()):
        return Answer(question.claim, None, reason="its question is not the one that is registered")
    how = replace(how, amounts=how.amounts.for_claim(question.claim))
    ways = tuple(_way(question, view, entry, how) for view, entry in question.ways(how.words))
    first, *others = ways
    if first.verdict is None:
        return Answer(question.claim, None, ways, first.reason)
    verdict = rule.over_views([way.verdict for way in ways if way.verdict])
    waiting = [f"{way.words}: {way.reason}" for way in others if way.verdict is None]
    reasons = [f"Another way to ask is not answered yet ({'; '.join(waiting)})."] if waiting else []
    if how.times is not None and any(how.words.timed(term.score) for term in question.terms()):
        reasons.append(f"Times: {how.times}.")
    return Answer(question.claim, verdict, ways, " ".join(reasons))


def _way(question: Question, view: View, entry: int, how: How) -> Way:
    terms = terms_of(question, view, how.words)
    places = dict.fromkeys(
        place.made or str(spec_of(place)) for place in (place_of(t, entry, how.words) for t in terms)
    )
    words = ", ".join([*([view.name] if view.name else []), " and ".join(places)])
    scores = Scores(question, view, entry, how)
    try:
        _check(terms, view, entry, how)
        for part in question.components:
            _check_shares(part, view, how)
        made = [c for part in question.components for c in comparisons(part, scores)]
        _complete(made, scores)
        _younger(scores.used, how)
    except Unanswered as reason:
        return Way(words, places=tuple(places), reason=str(reason), keys=tuple(scores.used))
    found = rule.outcomes([c.asked for c in made])
    done = tuple(replace(c, outcome=outcome) for c, outcome in zip(made, found, strict=True))
    necessary = bool(question.says.get("necessary_only", False))
    behind = [run.key for run in chosen_among(terms, question, view, entry, how.words, how.amounts)]
    keys = dict.fromkeys([*scores.used, *(key for key in behind if how.records.get(key))])
    return Way(words, rule.judged(found, necessary_only=necessary), done, tuple(places), keys=tuple(keys))


def _younger(keys: Iterable[str], how: How) -> None:
    """Refuse runs that are older than their question.

    Raises
    ------
    Unanswered
        With the time of the registration.
    """
    made = [record.made["date"] for key in keys if (record := how.records.get(key))] if how.since else []
    if how.since and not all(how.since.precedes(date) for date in made):
        raise Unanswered(f"its question was registered at {how.since.since}, after some of its runs")


def _check_shares(part: Component, view: View, how: How) -> None:
    """Tell of a comparison whose sides get unequal shares of their document's training: the rule forbids it.

    Raises
    ------
    Unanswered
        With the shares.
    """
    terms = [term for term in part.terms() if not how.words.timed(term.score)]  # times are of all of it
    names = [view.replace.get(term.condition, term.condition) for term in terms]
    used = dict.fromkeys(how.words.conditions[name].method for name in names)
    shares = {m: how.amounts.lengths().part(m) for m in used if {"epochs", "iterations"} & _settings_of(m)}
    if shares and max(shares.values()) > _EQUAL_SHARE * min(shares.values()):
        told = ", ".join(f"{method} {share:.0%}" for method, share in shares.items())
        raise Unanswered(
            f"its two sides got unequal shares of the document's training ({told}), and the rule asks for "
            "equal ones"
        )


def _settings_of(method: str) -> set[str]:
    return {row["setting"] for row in methods.get(method).describe()}


def _check(terms: Sequence[Term], view: View, entry: int, how: How) -> None:
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
    scores = [OF_RECORDS.get(term.score, term.score) for term in terms]
    unknown = dict.fromkeys(
        score
        for score in scores
        if base(score) in how.words.scores and not is_known(score) and score not in timed
    )
    if planned:
        raise Unanswered(f"needs methods that are still to be written: {', '.join(planned)}")
    if timed and how.times is None:
        raise Unanswered(f"needs times of runs with nothing beside them: {', '.join(timed)}")
    if made:
        raise Unanswered(f"needs what is no scene: {', '.join(made)}")
    if unknown:
        raise Unanswered(f"needs scores that are not computed from records yet: {', '.join(unknown)}")


def _complete(made: Sequence[Comparison], scores: Scores) -> None:
    """Refuse to judge what lacks more runs than may be left out.

    Raises
    ------
    Unanswered
        If runs are missing that would leave a comparison open.
    """
    short = [c for c in made if c.too_few]
    if not made:
        raise Unanswered("asks for no comparison")
    if short and any(seed in scores.incomplete for c in short for seed in c.left_out):
        total = len(scores.used) + len(scores.missing)
        raise Unanswered(f"{len(scores.missing)} of {total} runs are missing")
