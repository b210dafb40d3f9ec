"""From the questions to the runs that decide them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, NamedTuple

from hsu_lib import methods, scenes
from hsu_lib.claims.questions import Condition, Place, Question, Term, View, Vocabulary
from hsu_lib.claims.questions import questions as all_questions
from hsu_lib.claims.questions import vocabulary as all_words
from hsu_lib.runs.amounts import Amounts
from hsu_lib.runs.choices import Choices, Wanted, grid, nothing_chosen
from hsu_lib.runs.question import Run
from hsu_lib.scene import SceneSpec

#: Timed scores that records have a part in, and that part.
OF_RECORDS = {"seconds-to-common-mae": "iterations-to-common-mae"}
#: What a further way to ask counts, beside 1 for the first, which decides.
_FURTHER = 0.25


class Way(NamedTuple):
    """One way to ask a claim: its id, and the number of the way; the first (0) decides."""

    claim: str
    number: int


class Need(NamedTuple):
    """A run, the claims that it serves, and its value: how many claims, further ways counting less."""

    run: Run
    claims: tuple[str, ...]
    value: float


@dataclass(frozen=True)
class Enumeration:
    """The runs that questions need.

    Parameters
    ----------
    runs
        Each run once, by its key.
    ways
        For each way to ask, the keys it needs by seed.
    timed
        Ways that need times of a sitting (`hsu_lib.runs.timing`), beside runs or alone; the runs of a sitting
        are its own.
    waiting
        Ways that wait for a choice of settings; for each, the keys of the grid to choose from, by seed.
    planned
        Claims that need methods which are still to be written, or nothing that can be run.
    """

    runs: Mapping[str, Run]
    ways: Mapping[Way, Mapping[int, tuple[str, ...]]]
    timed: frozenset[Way]
    waiting: Mapping[Way, Mapping[int, tuple[str, ...]]]
    planned: tuple[str, ...]


def enumerated(
    amounts: Amounts,
    seeds: Iterable[int] | None = None,
    claims: Iterable[str] | None = None,
    *,
    again: bool = False,
    choices: Choices = nothing_chosen,
    questions: Mapping[str, Question] | None = None,
    words: Vocabulary | None = None,
    where: str = "",
) -> Enumeration:
    """Every run that the primary questions of claims need, in every way to ask them.

    Parameters
    ----------
    amounts
        How much is trained.
    seeds
        Of methods and noise: they go together. By default those of each question.
    claims
        Their ids; by default all.
    again
        With the seeds of the second look, where the others are those of the question.
    choices
        What views choose.
    questions, words
        By default those of the book.
    where
        A scene that stands in for every place of every question, for a rehearsal.

    Raises
    ------
    ValueError
        If a claim is not known, or a method does not take a setting.
    """
    questions, words = questions or all_questions(), (words or all_words()).at(where)
    given = None if seeds is None else tuple(seeds)
    asked = list(questions if claims is None else claims)
    unknown = [claim for claim in asked if claim not in questions]
    if unknown:
        raise ValueError(f"no such claim: {', '.join(unknown)}")
    runs: dict[str, Run] = {}
    ways: dict[Way, dict[int, tuple[str, ...]]] = {}
    waiting: dict[Way, dict[int, tuple[str, ...]]] = {}
    timed, planned = set(), []
    for question in (questions[claim] for claim in asked):
        share = amounts.for_claim(question.claim)
        looked = seeds_for(question, given)
        if again:
            looked += second_look(question, looked)
        for number, (view, entry) in enumerate(question.ways(words)):
            way = Way(question.claim, number)
            terms = terms_of(question, view, words)
            if _asks_for_times(terms, words):
                timed.add(way)
                terms = [t for t in terms if t.score in OF_RECORDS or not words.timed(t.score)]
            if not _can_run(terms, entry, words):
                planned += (
                    [question.claim] if question.components and number == 0 and way not in timed else []
                )
                continue
            made = [run_of(t, question, view, entry, words, share, choices) for t in terms]
            if None in made:
                behind = chosen_among(terms, question, view, entry, words, share)
                runs |= {run.key: run for run in behind if run.key not in runs}
                waiting[way] = _keys_by_seed(behind)
                continue
            for seed in looked:
                with_seed = [seeded(run, seed) for run in made if run is not None]
                keys = [run.key for run in with_seed]
                for key, run in zip(keys, with_seed, strict=True):
                    runs.setdefault(key, run)
                ways.setdefault(way, {})[seed] = tuple(dict.fromkeys(keys))
    return Enumeration(runs, ways, frozenset(timed), waiting, tuple(planned))


def seeds_for(question: Question, seeds: Iterable[int] | None) -> tuple[int, ...]:
    """These seeds; by default those of the question."""
    return tuple(question.seeds if seeds is None else seeds)


def second_look(question: Question, seeds: Iterable[int]) -> tuple[int, ...]:
    """Seeds of the second look of rule 2, after those that decide; none after others."""
    return question.later if set(seeds) == set(question.seeds) else ()


def deciding(
    amounts: Amounts, seeds: Iterable[int] | None = None, claims: Iterable[str] | None = None, **more: Any
) -> list[Need]:
    """Every run that the primary questions of claims need, each once; parameters as of `enumerated`."""
    found = enumerated(amounts, seeds, claims, **more)
    serves: dict[str, dict[str, float]] = {key: {} for key in found.runs}
    for way, by_seed in (*found.ways.items(), *found.waiting.items()):
        for keys in by_seed.values():
            for key in keys:
                serves[key].setdefault(way.claim, worth(way))
                serves[key][way.claim] = max(serves[key][way.claim], worth(way))
    return [Need(run, tuple(serves[key]), sum(serves[key].values())) for key, run in found.runs.items()]


def _keys_by_seed(runs: Iterable[Run]) -> dict[int, tuple[str, ...]]:
    found: dict[int, tuple[str, ...]] = {}
    for run in runs:
        found[run.seed] = (*found.get(run.seed, ()), run.key)
    return found


def worth(way: Way) -> float:
    """What a way to ask counts, beside others."""
    return _FURTHER if way.number else 1.0


def terms_of(question: Question, view: View, words: Vocabulary) -> list[Term]:
    """What is run and scored in this way to ask, with what computed scores are made of."""
    found: dict[Term, None] = {}
    for term in question.terms():
        found |= dict.fromkeys(words.needs(in_view(term, view)))
    return list(found)


def in_view(term: Term, view: View) -> Term:
    """The term as it is called in this view."""
    return term._replace(
        condition=view.replace.get(term.condition, term.condition),
        score=view.replace.get(term.score, term.score),
        snr=term.snr if view.snr is None else view.snr,
    )


def _can_run(terms: Sequence[Term], entry: int, words: Vocabulary) -> bool:
    return bool(terms) and not any(
        words.conditions[term.condition].planned or place_of(term, entry, words).made for term in terms
    )


def _asks_for_times(terms: Sequence[Term], words: Vocabulary) -> bool:
    """Whether a sitting can help: of methods that are still to be written there are no times."""
    planned = any(words.conditions[term.condition].planned for term in terms)
    return not planned and any(words.timed(term.score) for term in terms)


def place_of(term: Term, entry: int, words: Vocabulary) -> Place:
    """Where a term is run: the entry of its place; the last, where it has fewer."""
    entries = words.places(term.scene)
    return entries[min(entry, len(entries) - 1)]


def run_of(
    term: Term,
    question: Question,
    view: View,
    entry: int,
    words: Vocabulary,
    amounts: Amounts,
    choices: Choices,
) -> Run | None:
    """The run of a term without its seed; None where a choice is still to be made."""
    condition, place = words.conditions[term.condition], place_of(term, entry, words)
    settings = settings_of(condition, place, term.snr, question, words)
    wanted = _wanted(term, question, view, entry, words, amounts)
    if wanted is not None:
        chosen = choices(wanted)
        if chosen is None:
            return None
        settings = {**chosen, **settings}
    return Run(
        condition.method,
        spec_of(place, term.snr),
        settings=amounts.of(condition.method, settings),
        label=condition.name,
    )


def _wanted(
    term: Term, question: Question, view: View, entry: int, words: Vocabulary, amounts: Amounts
) -> Wanted | None:
    """What the view is to choose for a term; None where its method has no such settings."""
    condition, place = words.conditions[term.condition], place_of(term, entry, words)
    if not view.choice or not _has(condition.method, view.choice[0]):
        return None
    settings = settings_of(condition, place, term.snr, question, words)
    return Wanted(view.name, condition.method, place.scene, settings, amounts)


def chosen_among(
    terms: Iterable[Term], question: Question, view: View, entry: int, words: Vocabulary, amounts: Amounts
) -> list[Run]:
    """The runs of the grids that the view chooses from for these terms, each once; see `run_of`."""
    wanted = (_wanted(term, question, view, entry, words, amounts) for term in terms)
    grids = [grid(one) for one in {one.behind: one for one in wanted if one is not None}.values()]
    return list({run.key: run for options in grids for runs in options.values() for run in runs}.values())


def runs_of(
    conditions: Iterable[str], spec: SceneSpec, seeds: Iterable[int], amounts: Amounts, **settings: Any
) -> list[Run]:
    """Runs of conditions by name, such as a page shows beside the answers.

    Parameters
    ----------
    conditions
        Of ``conditions.yaml``.
    spec, seeds
        Where, and how often.
    amounts
        How much is trained.
    **settings
        Of every condition whose method has them, before its own.

    Raises
    ------
    KeyError
        If there is no such condition.
    """
    made = []
    for condition in (all_words().conditions[name] for name in conditions):
        theirs = {name: value for name, value in settings.items() if _has(condition.method, name)}
        asked = amounts.of(condition.method, theirs | condition.at(spec.name, spec.snr_db))
        made += [Run(condition.method, spec, settings=asked, label=condition.name)]
    return [seeded(run, seed) for run in made for seed in seeds]


def settings_of(
    condition: Condition, place: Place, snr: float | None, question: Question, words: Vocabulary
) -> dict[str, Any]:
    """The settings of a condition at a place with noise in dB, without what a view chooses.

    Trained as much as its document says.
    """
    method = condition.method
    found = {name: value for name, value in question.settings.items() if _has(method, name)}
    if question.reading and _has(method, "reading"):
        found |= words.readings[question.reading]["settings"]
    found |= {name: value for name, value in place.settings.items() if _has(method, name)}
    found |= condition.at(place.scene, snr)
    usual = methods.get(method).configure(**found)
    return found | {name: factor * getattr(usual, name) for name, factor in condition.times.items()}


@cache
def _has(method: str, setting: str) -> bool:
    return hasattr(methods.get(method).configure(), setting)


def spec_of(place: Place, snr: float | None = None, seed: int = 0) -> SceneSpec:
    """The scene of a place, noise drawn with a seed; the usual reference has no name, so that keys agree."""
    usual = scenes.describe(place.scene).usual
    return SceneSpec(
        place.scene,
        reference="" if place.reference == usual else place.reference,
        snr_db=snr,
        noise_seed=0 if snr is None else seed,
    )


def seeded(run: Run, seed: int) -> Run:
    """The run with that seed, of its noise too."""
    spec = run.scene
    return replace(run, seed=seed, scene=spec if spec.snr_db is None else replace(spec, noise_seed=seed))
