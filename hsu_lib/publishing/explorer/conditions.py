"""Which runs the explorer shows: the conditions of each scene, and the seeds of each."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hsu_lib.claims import claims
from hsu_lib.claims.questions import SEEDS, questions
from hsu_lib.publishing.explorer.names import called, given, named
from hsu_lib.publishing.standings import own_runs
from hsu_lib.runs import Record, Run
from hsu_lib.runs.amounts import amounts, deciding_amounts
from hsu_lib.runs.campaign import enumerated
from hsu_lib.runs.canonical import to_json
from hsu_lib.runs.choices import Choices, nothing_chosen
from hsu_lib.scene import SceneSpec

SCORE, ANGLE = "rmse-abundances", "sad-endmembers"
_DRAWN = ("seed", "noise_seed")


@dataclass
class Condition:
    """Runs that differ in nothing but their seeds.

    Parameters
    ----------
    scene
        Without the seed of its noise.
    name
        What it is called, different from all others of the scene.
    method
        Of `hsu_lib.methods`.
    records
        By seed.
    fresh
        Whether its seeds are those that decide.
    """

    scene: SceneSpec
    name: str
    method: str
    records: dict[int, Record] = field(default_factory=dict)
    fresh: bool = False

    @property
    def ranked(self) -> str:
        """The score by which one seed has the median: of abundances or, where unknown, of E; or none."""
        for score in (SCORE, ANGLE):
            if any(np.isfinite(record.scores.get(score, np.nan)) for record in self.records.values()):
                return score
        return ""

    @property
    def usual(self) -> bool:
        """Whether it is a method as it is, and no variant of a comparison."""
        return self.name == called(self.method)

    @property
    def given(self) -> str:
        """What it was given beside the image, in words."""
        return next((given(self.method, r.asked["settings"]) for r in self.records.values()), "")

    @property
    def settings(self) -> str:
        """The settings that are not its method's defaults, in words; empty if there are none."""
        asked: dict[str, Any] = next((r.asked["settings"] for r in self.records.values()), {})
        usual = Run(self.method, self.scene, 0).asked()["settings"]
        other = {name: value for name, value in asked.items() if value != usual.get(name)}
        return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in other.items())

    @property
    def place(self) -> str:
        """The scene as an address has it, without its noise: ``NAME`` or ``NAME:REFERENCE``."""
        return f"{self.scene.name}:{self.scene.reference}".removesuffix(":")

    @property
    def slug(self) -> str:
        """The name as an address has it.

        Examples
        --------
        >>> Condition(SceneSpec("samson"), "VCA + FCLSU, order of the labels", "vca-fclsu").slug
        'vca-fclsu-order-of-the-labels'
        """
        return slug(self.name)

    @property
    def median(self) -> int | None:
        """The seed with the median error, of an even number the better of the two; see `ranked`."""
        by = self.ranked
        errors = {seed: record.scores.get(by, np.nan) for seed, record in sorted(self.records.items())}
        known = sorted((error, seed) for seed, error in errors.items() if np.isfinite(error))
        return known[(len(known) - 1) // 2][1] if known else min(self.records, default=None)


def slug(text: str) -> str:
    """Text as part of an address or the name of a file: letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def conditions(
    records: Iterable[Record], *, choices: Choices = nothing_chosen, labelled: bool = False
) -> list[Condition]:
    """What a reader can choose between, by scene and name.

    Of whole scenes: what claims ask for, what *All methods, all scenes* shows, and what else has maps. Where
    a condition was run with the seeds that decide (100 and more), earlier ones are left out.

    Parameters
    ----------
    records
        All that there are.
    choices
        What settings were chosen, for conditions whose settings are.
    labelled
        Leave out what only has maps.
    """
    groups: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        if record.scene.crop is None:
            groups[_signature(record.asked)].append(record)
    if not groups:
        return []
    found, names, own = [], _names(choices), _own_names()
    deciding = {seed for question in questions().values() for seed in (*question.seeds, *question.later)}
    for signature, some in groups.items():
        label = names.get(signature) or own.get(_settings(some[0].asked), "")
        if not label and (labelled or not any("A" in record.arrays for record in some)):
            continue
        fresh = [record for record in some if record.asked["seed"] in deciding]
        scene = SceneSpec.from_dict({**some[0].scene.to_dict(), "noise_seed": 0})
        by_seed = {record.asked["seed"]: record for record in fresh or some}
        method = some[0].asked["method"]
        found.append(Condition(scene, named(method, label), method, by_seed, bool(fresh)))
    tell_apart(found)
    return sorted(found, key=lambda c: (c.place, c.scene.snr_db or 1000, c.name.lower()))


def _names(choices: Choices) -> dict[str, str]:
    """What conditions of claims are called, by what is asked but for the seeds."""
    asked = enumerated(deciding_amounts(), SEEDS[:1], claims().index, choices=choices).runs.values()
    return {_signature(run.asked()): run.label for run in asked if run.label}


def _own_names() -> dict[str, str]:
    """What methods of *All methods, all scenes* are called, by method and settings."""
    lagoon = SceneSpec("lagoon")
    runs = [run for profile in ("desk", "paper") for run in own_runs([lagoon], [0], amounts(profile))]
    return {_settings(run.asked()): run.label for run in runs}


def _settings(asked: Mapping[str, Any]) -> str:
    return to_json([asked["method"], asked["settings"]])


def _signature(asked: Mapping[str, Any]) -> str:
    """What is asked without anything that is drawn, as text."""

    def kept(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {name: kept(inner) for name, inner in value.items() if name not in _DRAWN}
        return value

    return to_json(kept(asked))


def tell_apart(found: list[Condition]) -> None:
    """Add to names that occur twice on a scene the settings by which they differ.

    Those whose seeds decide are told apart first, so that one alone among earlier ones keeps its name.
    """
    alike: dict[tuple[str, str], list[Condition]] = defaultdict(list)
    for condition in found:
        alike[str(condition.scene), condition.name].append(condition)
    for some in alike.values():
        fresh = [condition for condition in some if condition.fresh]
        told = _suffixes(some) | _suffixes(fresh)
        for condition in some:
            condition.name += told[id(condition)]


def _suffixes(some: list[Condition]) -> dict[int, str]:
    """By identity, the settings by which conditions of one name differ; empty of a single one."""
    settings = [next(iter(c.records.values())).asked["settings"] for c in some]
    keys = {k for s in settings for k in s if len({repr(t.get(k)) for t in settings}) > 1}
    found = {}
    for condition, theirs in zip(some, settings, strict=True):
        told = ", ".join(f"{k.replace('_', ' ')} {theirs.get(k)}" for k in sorted(keys))
        found[id(condition)] = f", {told or f'{len(condition.records)} seeds'}" if len(some) > 1 else ""
    return found
