"""What decides each claim: the questions of ``claims.yaml``, in the words of ``conditions.yaml``.

The page *How to read* says what becomes of the answers, ``book/reported/README.md`` what every field means.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import product
from typing import Any, Literal, NamedTuple

import yaml

from hsu_lib import paths
from hsu_lib.claims.documents import claims
from hsu_lib.words import seeds_of

#: Seeds of the first look of rule 2: nobody had looked at them before.
SEEDS = range(100, 110)
Kind = Literal["comparison", "true by construction", "not testable"]
#: Keys of a component that say what it asks; each component has exactly one of them.
SHAPES = ("better", "best", "worst", "not_worse", "same", "alike", "steadiest", "above", "below")
_SIDES = ("better", "than", "not_worse", "best", "worst", "steadiest", "of", "same", "alike", "group")


@dataclass(frozen=True)
class Place:
    """A scene with a reference, and what methods are set to there.

    Parameters
    ----------
    scene, reference
        As in `hsu_lib.scene.SceneSpec`; empty for the usual reference.
    settings
        Of the methods that have them.
    made
        What it is, where it is no scene: nothing can be run there.
    """

    scene: str
    reference: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    made: str = ""


@dataclass(frozen=True)
class Condition:
    """A method with what differs from its defaults.

    Parameters
    ----------
    name, method, settings
        What it is called, what is run.
    tuned
        Further settings by scene and noise in dB, where a document sets them for each; none elsewhere.
    times
        Factors of defaults.
    planned
        The settings in words, where the method is still to be written.
    beside
        Only told beside an answer.
    """

    name: str
    method: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    times: Mapping[str, float] = field(default_factory=dict)
    planned: str = ""
    beside: bool = False
    tuned: Mapping[str, Mapping[float, Mapping[str, Any]]] = field(default_factory=dict)

    def at(self, scene: str, snr: float | None) -> dict[str, Any]:
        """Its settings on a scene with noise in dB, or None."""
        here = {} if snr is None else self.tuned.get(scene, {}).get(snr, {})
        return {**self.settings, **here}


@dataclass(frozen=True)
class View:
    """One of several ways to ask that are equally good; the empty one changes nothing.

    Parameters
    ----------
    name
        What it is called.
    replace
        Names of conditions or scores, old to new.
    snr
        Noise in dB for all conditions; None leaves it.
    choice, rule
        Settings that are chosen, and how.
    """

    name: str = ""
    replace: Mapping[str, str] = field(default_factory=dict)
    snr: float | None = None
    choice: Sequence[str] = ()
    rule: str = ""


class Term(NamedTuple):
    """Something that is run and scored: a condition, a place by name, a score, and noise in dB or None."""

    condition: str
    scene: str
    score: str
    snr: float | None


@dataclass(frozen=True)
class Component:
    """One of the comparisons that a question needs, as ``claims.yaml`` says it."""

    says: Mapping[str, Any]

    @property
    def shape(self) -> str:
        """What it asks, one of `SHAPES`.

        Raises
        ------
        ValueError
            If it asks nothing, or several things.
        """
        found = [shape for shape in SHAPES if shape in self.says]
        if len(found) != 1:
            raise ValueError(f"expected one of {', '.join(SHAPES)}, got {dict(self.says)}")
        return found[0]

    def sides(self) -> Iterator[Any]:
        """All sides: names, numbers or mappings; those that are subtracted too, and the group."""
        for key in _SIDES:
            for side in listed(self.says.get(key, [])):
                yield side
                if isinstance(side, dict) and "minus" in side:
                    yield side["minus"]

    def terms(self) -> list[Term]:
        """What must be scored to answer it, each once, without what a computed score needs beside."""
        found: dict[Term, None] = {}
        places = (listed(self.says["scene"]), listed(self.says["score"]), listed(self.says.get("snr")))
        for scene, score, snr in product(*places):
            for side in self.sides():
                own = side if isinstance(side, dict) else {}
                term = (own.get("scene", scene), own.get("score", score), own.get("snr", snr))
                for name in names(side):
                    found[Term(name, *term)] = None
                    if "by" in own:
                        found[Term(name, own.get("chosen_on", term[0]), own["by"], term[2])] = None
        return list(found)


@dataclass(frozen=True)
class Question:
    """What decides a claim.

    Parameters
    ----------
    claim
        Its id.
    primary
        The question, in one sentence.
    kind
        Whether runs decide.
    reading
        Which reading of the report on perturbations decides, or empty.
    views
        Names of other ways to ask; the first decides.
    settings
        Shared by all conditions.
    components
        All are needed.
    says
        All of it, as written.
    seeds
        That decide, at the first look.
    """

    claim: str
    primary: str
    kind: Kind
    reading: str
    views: Sequence[str]
    settings: Mapping[str, Any]
    components: Sequence[Component]
    says: Mapping[str, Any]
    seeds: Sequence[int] = SEEDS

    @property
    def later(self) -> tuple[int, ...]:
        """Seeds of the second look: as many again."""
        return tuple(seed + len(self.seeds) for seed in self.seeds)

    def terms(self) -> list[Term]:
        """What must be scored to answer it, each once."""
        return list(dict.fromkeys(term for part in self.components for term in part.terms()))

    def ways(self, words: Vocabulary) -> list[tuple[View, int]]:
        """Every way to ask it: a view, and which entry each place takes (its last, where it has fewer)."""
        views = [words.views[name] for name in self.views] or [View()]
        entries = max((len(words.places(term.scene)) for term in self.terms()), default=1)
        return [(view, entry) for entry in range(entries) for view in views]


@dataclass(frozen=True)
class Vocabulary:
    """The words of ``conditions.yaml``.

    Parameters
    ----------
    scenes, readings, views, conditions, scores
        By name.
    where
        A scene that stands in for every place, or empty.
    """

    scenes: Mapping[str, Sequence[Place]]
    readings: Mapping[str, Mapping[str, Any]]
    views: Mapping[str, View]
    conditions: Mapping[str, Condition]
    scores: Mapping[str, Mapping[str, Any]]
    where: str = ""

    def at(self, scene: str) -> Vocabulary:
        """The same words with a scene that stands in for every place; without one as they are."""
        return replace(self, where=scene) if scene else self

    def places(self, name: str) -> Sequence[Place]:
        """The entries of a place; a scene of that name with its usual reference, where it has none.

        What stands in for them has its usual reference and their settings, but labels of its own.
        """
        found = self.scenes.get(name) or (Place(name),)
        if not self.where:
            return found
        own = ({k: v for k, v in place.settings.items() if k != "trained_on"} for place in found)
        return tuple(Place(self.where, settings=settings) for settings in own)

    def timed(self, score: str) -> bool:
        """Whether it is a time: it means something for runs with nothing beside them only."""
        return bool(self.scores.get(base(score), {}).get("timed"))

    def needs(self, term: Term) -> list[Term]:
        """What must be run for a term: itself, or what its computed score is made of."""
        score = self.scores.get(base(term.score), {})
        levels = listed(score.get("at", []))
        if not levels or term.snr is not None:
            levels = [term.snr, *levels]
        conditions = [term.condition, *score.get("also", [])]
        found = [term._replace(condition=c, snr=snr) for c, snr in product(conditions, levels)]
        return list(dict.fromkeys(found))


def listed(value: Any) -> list[Any]:
    """A list as it is, anything else as the one entry of a list."""
    return value if isinstance(value, list) else [value]


def base(score: str) -> str:
    """Name of a score without ``test/`` before it and a material after it."""
    return score.removeprefix("test/").split("/")[0]


def names(side: Any) -> list[str]:
    """Names of the conditions of a side; none of a number.

    Raises
    ------
    ValueError
        If it is neither a name, nor a number, nor a mapping that names some.
    """
    if isinstance(side, str):
        return [side]
    if isinstance(side, dict):
        found = [n for key in ("condition", "mean_of", "best_of") for n in listed(side.get(key, []))]
        if found:
            return found
    elif isinstance(side, int | float):
        return []
    raise ValueError(f"expected a condition, a number or a mapping that names conditions, got {side!r}")


def read_words(text: str) -> Vocabulary:
    """Vocabulary from YAML.

    Raises
    ------
    ValueError, TypeError
        If a word has fields that are not known.
    """
    raw = yaml.safe_load(text)
    return Vocabulary(
        {
            name: tuple(Place(**{"scene": ""} | entry) for entry in entries)
            for name, entries in raw["scenes"].items()
        },
        raw["readings"],
        {name: View(name, **fields) for name, fields in raw["views"].items()},
        {name: Condition(name, **fields) for name, fields in raw["conditions"].items()},
        raw["scores"],
    )


def read_question(claim: str, says: Mapping[str, Any]) -> Question:
    """Question of a claim, from its field in ``claims.yaml``."""
    return Question(
        claim,
        says["primary"],
        says.get("kind", "comparison"),
        says.get("reading", ""),
        tuple(says.get("views", ())),
        says.get("settings", {}),
        tuple(Component(part) for part in says.get("components", ())),
        says,
        seeds_of(says["seeds"], f"seeds of {claim}") if "seeds" in says else SEEDS,
    )


@cache
def vocabulary() -> Vocabulary:
    """The words of ``book/reported/conditions.yaml``."""
    return read_words((paths.reported() / "conditions.yaml").read_text(encoding="utf-8"))


@cache
def questions() -> Mapping[str, Question]:
    """The question of every claim, by its id."""
    return {str(claim): read_question(str(claim), says) for claim, says in claims()["question"].items()}
