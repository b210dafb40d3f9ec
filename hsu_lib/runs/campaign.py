"""From the questions to the runs that decide them, the most valuable first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cache
from math import prod
from typing import Any, NamedTuple

import yaml

from hsu_lib import methods, paths, scenes
from hsu_lib.claims.documents import claims as claims_of_documents
from hsu_lib.claims.questions import Condition, Place, Question, Term, View, Vocabulary
from hsu_lib.claims.questions import questions as all_questions
from hsu_lib.claims.questions import vocabulary as all_words
from hsu_lib.runs.choices import Choices, Wanted, grid, nothing_chosen
from hsu_lib.runs.question import Run, can_be_twin
from hsu_lib.runs.schedule import plan
from hsu_lib.scene import SceneSpec

#: What a further way to ask counts, beside 1 for the first, which decides.
_FURTHER = 0.25


@dataclass(frozen=True)
class Amounts:
    """How much is trained: for each method, the share of a setting of its document.

    Parameters
    ----------
    share
        The same in words.
    methods
        Factor of each setting, by method.
    documents
        The same for the claims of one document, before the others: where two methods that train unequal
        amounts elsewhere are compared.
    claims
        All amounts of single claims, in place of these.
    given
        Values of such settings, in place of all shares: a reader's own, which decide nothing.
    """

    share: str = ""
    methods: Mapping[str, Mapping[str, Fraction]] = field(default_factory=dict)
    documents: Mapping[str, Mapping[str, Mapping[str, Fraction]]] = field(default_factory=dict)
    claims: Mapping[str, Mapping[str, Mapping[str, Fraction]]] = field(default_factory=dict)
    given: Mapping[str, int] = field(default_factory=dict)

    def with_given(self, **values: int) -> Amounts:
        """The same with values of settings such as ``iterations``; a zero leaves the share."""
        given = {name: value for name, value in values.items() if value}
        share = f"As asked for: {', '.join(f'{n} {v}' for n, v in given.items())}. " if given else ""
        return replace(self, share=share + self.share, given=given)

    def for_claim(self, claim: str) -> Amounts:
        """The amounts for a claim: its own, or those of its document."""
        own = self.documents.get(claims_of_documents()["source"].get(claim, ""), {})
        found = self.claims.get(claim, {**self.methods, **own})
        return replace(self, methods=found, documents={}, claims={})

    def part(self, method: str) -> float:
        """How much of its document's training a method gets: the product of its factors."""
        factors = dict(self.methods.get(method, {}))
        usual = methods.get(method).configure()
        factors |= {n: Fraction(value, getattr(usual, n)) for n, value in self._given(method).items()}
        return float(prod(factors.values(), start=Fraction(1)))

    def widths(self) -> Amounts:
        """The same without what is trained for longer or on more: the size of networks alone."""
        return self._only(lambda setting: setting == "filters")

    def lengths(self) -> Amounts:
        """The same without the size of networks: how long, and on how much, they are trained."""
        return self._only(lambda setting: setting != "filters")

    def _only(self, kept: Callable[[str], bool]) -> Amounts:
        chosen = {m: {n: f for n, f in fs.items() if kept(n)} for m, fs in self.methods.items()}
        given = {name: value for name, value in self.given.items() if kept(name)}
        return replace(self, methods=chosen, documents={}, claims={}, given=given)

    def of(self, method: str, settings: Mapping[str, Any]) -> dict[str, Any]:
        """The settings with their share of training; what they do not name is the method's default."""
        asked = methods.get(method).configure(**settings)
        found = dict(settings)
        for name, factor in self.methods.get(method, {}).items():
            full = getattr(asked, name)
            found[name] = max(1, round(full * factor)) if full else full
        return found | self._given(method)

    def _given(self, method: str) -> dict[str, int]:
        """What is given of what says how much a method is trained: all that `quick` shortens."""
        trained = amounts("quick").methods.get(method, {}) if self.given else {}
        return {name: self.given[name] for name in trained if name in self.given}


@cache
def deciding_amounts() -> Amounts:
    """For the claims of each document the amounts of the profile that decides them."""
    decides = {name: _of_profile(profile) for profile, name in _decides()}
    documents = {name: {**how.methods, **how.documents.get(name, {})} for name, how in decides.items()}
    sources = set(claims_of_documents()["source"])
    return Amounts(
        "Each claim at the profile that decides it.",
        documents={name: methods for name, methods in documents.items() if name in sources},
        claims=_of_claims(),
    )


@cache
def decided_by(profile: str) -> tuple[str, ...]:
    """Claims that a profile decides: those that name it, and of its documents those that name no other."""
    decides = {name: by for by, name in _decides()}
    sources = claims_of_documents()["source"]
    return tuple(c for c, source in sources.items() if decides.get(c, decides.get(source)) == profile)


@cache
def amounts(profile: str) -> Amounts:
    """The amounts of ``book/reported/amounts.yaml`` under that name.

    Those that decide something ask single claims that another profile decides as that one does.

    Raises
    ------
    ValueError
        If there are none.
    """
    found = _of_profile(profile)
    return replace(found, claims=_of_claims()) if decided_by(profile) else found


def _of_profile(profile: str) -> Amounts:
    """The same without single claims."""
    known = _amounts_file()
    if profile not in known:
        raise ValueError(f"no amounts of training for {profile!r}; known: {', '.join(known)}")
    says = known[profile]
    documents = {name: _factors(methods) for name, methods in says.get("documents", {}).items()}
    return Amounts(says["share"], _factors(says["methods"]), documents)


def _of_claims() -> dict[str, Mapping[str, Mapping[str, Fraction]]]:
    """Amounts of the claims that name the profile that decides them."""
    known = claims_of_documents().index
    return {name: _of_profile(by).for_claim(name).methods for by, name in _decides() if name in known}


def _decides() -> list[tuple[str, str]]:
    """Profiles, each with a document or a claim that it decides."""
    return [(profile, name) for profile, says in _amounts_file().items() for name in says.get("decides", ())]


@cache
def _amounts_file() -> dict[str, Any]:
    return yaml.safe_load((paths.reported() / "amounts.yaml").read_text(encoding="utf-8"))


def _factors(written: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Fraction]]:
    return {
        method: {name: Fraction(str(factor)) for name, factor in factors.items()}
        for method, factors in written.items()
    }


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
        Ways that need times of a sitting (`hsu_lib.runs.timing`); some have no run, and are in no others.
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
                serves[key].setdefault(way.claim, _worth(way))
                serves[key][way.claim] = max(serves[key][way.claim], _worth(way))
    return [Need(run, tuple(serves[key]), sum(serves[key].values())) for key, run in found.runs.items()]


def _keys_by_seed(runs: Iterable[Run]) -> dict[int, tuple[str, ...]]:
    found: dict[int, tuple[str, ...]] = {}
    for run in runs:
        found[run.seed] = (*found.get(run.seed, ()), run.key)
    return found


def _worth(way: Way) -> float:
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


# --------------------------------------------------------------------------- the most valuable first


@dataclass(frozen=True)
class Block:
    """Runs that are made together, because together they decide claims.

    Parameters
    ----------
    runs
        By seed: all conditions with the first seed, then with the next.
    ways
        What can be decided when they are there, which could not before.
    seconds
        Estimate of what is missing; None where nothing is known of a method.
    missing
        Keys of those of the runs that are not there.
    chooses
        Whether these are the runs of a grid: when they are there, settings are chosen by them, and the ways
        get the runs that decide them.
    """

    runs: tuple[Run, ...]
    ways: tuple[Way, ...]
    seconds: float | None
    missing: frozenset[str]
    chooses: bool = False

    @property
    def claims(self) -> tuple[str, ...]:
        """Those decided by its first ways to ask, then those told otherwise or alike by further ones."""
        first = [way.claim for way in self.ways if way.number == 0]
        return tuple(dict.fromkeys([*first, *(way.claim for way in self.ways)]))

    @property
    def conditions(self) -> tuple[str, ...]:
        """Names of the conditions."""
        return tuple(dict.fromkeys(run.label for run in self.runs))

    @property
    def scenes(self) -> tuple[str, ...]:
        """The scenes in words."""
        return tuple(dict.fromkeys(str(run.scene) for run in self.runs))


def blocks(found: Enumeration, there: Iterable[str], seconds: Callable[[Run], float | None]) -> list[Block]:
    """Blocks by how many claims each second can decide, the best first.

    return Enumeration(runs, ways, frozenset(timed), waiting, tuple(planned))

    Parameters
    ----------
    found
        What is needed.
    there
        Keys of runs that need not be made.
    seconds
        Estimate of a run, without what it starts from; None where nothing is known.
    """
    there, also = set(there), twins(found.runs)
    given = {run.key: key for key, runs in also.items() for run in runs}
    there = {key for key in there if all(run.key in there for run in also.get(key, ()))}
    grids = _sorted(found.runs, found.waiting, {}, there, seconds, chooses=True)
    ways = {way: by_seed for way, by_seed in found.ways.items() if way not in found.timed}
    return grids + _sorted(found.runs, ways, given, there, seconds)


def _sorted(
    runs: Mapping[str, Run],
    ways: Mapping[Way, Mapping[int, tuple[str, ...]]],
    given: Mapping[str, str],
    there: set[str],
    seconds: Callable[[Run], float | None],
    *,
    chooses: bool = False,
) -> list[Block]:
    """Blocks of these ways, the best first; `given` names the run that gives another one."""
    needed = {
        way: frozenset(given.get(key, key) for keys in by_seed.values() for key in keys)
        for way, by_seed in ways.items()
    }
    costs = _Costs(runs, frozenset().union(*needed.values()), seconds)
    done, result = set(there), []
    left = {way: needs for way, needs in needed.items() if not needs <= done}
    while left:

        def gain(keys: frozenset[str]) -> float:
            ready = [way for way, needs in left.items() if needs <= done | keys]  # noqa: B023
            value = sum(1.0 if chooses else _worth(way) for way in ready)
            return value / max(costs.of(keys, done), 1e-3)  # noqa: B023

        best = max(sorted(set(left.values()), key=sorted), key=gain)
        ready = tuple(way for way, needs in left.items() if needs <= done | best)
        missing = frozenset(best - done)
        if missing:
            made = tuple(runs[key] for key in _by_seed(ready, ways, best))
            known = all(costs.known(key) for key in missing)
            result.append(Block(made, ready, costs.of(missing, done) if known else None, missing, chooses))
        done |= best | costs.firsts(best)
        left = {way: needs for way, needs in left.items() if way not in ready}
    return result


class _Costs:
    """Estimated seconds of sets of runs, what they start from included."""

    def __init__(
        self, runs: Mapping[str, Run], keys: Iterable[str], seconds: Callable[[Run], float | None]
    ) -> None:
        self._seconds = {key: seconds(runs[key]) for key in keys}
        self._first: dict[str, str] = {}
        for key in list(self._seconds):
            first = runs[key].first
            if first is not None:
                self._first[key] = first.key
                if first.key not in self._seconds:
                    self._seconds[first.key] = seconds(first)

    def known(self, key: str) -> bool:
        """Whether there is an estimate."""
        return self._seconds[key] is not None

    def firsts(self, keys: Iterable[str]) -> set[str]:
        """What runs start from."""
        return {self._first[key] for key in keys if key in self._first}

    def of(self, keys: Iterable[str], done: set[str]) -> float:
        """Sum over those that are not done; where nothing is known, 0."""
        missing = set(keys) - done
        return sum(self._seconds[key] or 0.0 for key in missing | (self.firsts(missing) - done))


def twins(runs: Mapping[str, Run]) -> dict[str, tuple[Run, ...]]:
    """By key, other runs that differ in the reference only, where the method never sees it.

    The run with the usual reference is made, and its estimate is scored by the others.
    """
    found: dict[str, tuple[Run, ...]] = {}
    for run in runs.values():
        if run.scene.reference and can_be_twin(run):
            usual = replace(run, scene=replace(run.scene, reference="")).key
            if usual in runs:
                found[usual] = (*found.get(usual, ()), run)
    return found


def _by_seed(
    ready: Sequence[Way], ways: Mapping[Way, Mapping[int, tuple[str, ...]]], keys: frozenset[str]
) -> list[str]:
    """The keys seed by seed."""
    seeds = dict.fromkeys(seed for way in ready for seed in ways[way])
    ordered = [k for seed in seeds for way in ready for k in ways[way].get(seed, ()) if k in keys]
    return list(dict.fromkeys(ordered))


def to_make(chosen: Sequence[Block], found: Enumeration, there: Callable[[Run], bool]) -> list[Run]:
    """What blocks lack, in order, what a run starts from before it.

    Parameters
    ----------
    chosen
        The blocks.
    found
        What they were made of.
    there
        Whether what others start from need not be made.
    """
    missing = {key for block in chosen for key in block.missing}
    wanted = [found.runs[key] for block in chosen for key in _ordered(block)]
    return plan(wanted, done=lambda run: run.key not in missing and there(run))


def _ordered(block: Block) -> list[str]:
    return [key for key in (run.key for run in block.runs) if key in block.missing]
