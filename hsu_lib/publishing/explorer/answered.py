"""Claims in the explorer: which of them use a run, and the state that shows a claim's runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hsu_lib.claims import claims
from hsu_lib.publishing.cards import plain
from hsu_lib.publishing.explorer.conditions import Condition, slug
from hsu_lib.publishing.published import manifests
from hsu_lib.runs.answers import Answer


def _answers() -> Iterator[tuple[str, Answer, list[str]]]:
    """Chapter, answer, and the keys of the runs that decide it, of each claim that uses any."""
    for manifest in manifests():
        for answer in manifest.answers:
            keys = [key for way in answer.ways[:1] for key in way.keys]
            if keys:
                yield manifest.chapter, answer, keys


def used(some: Sequence[Condition]) -> list[dict[str, Any]]:
    """Claims that use runs of these conditions, with the conditions."""
    slugs = {record.key: c.slug for c in some for record in c.records.values()}
    pairs = [(answer.claim, {slugs[key] for key in keys if key in slugs}) for _, answer, keys in _answers()]
    return [{"claim": claim, "conditions": sorted(names)} for claim, names in pairs if names]


def explained(
    found: Sequence[Condition], told: Sequence[Mapping[str, Any]], methods: Mapping[str, str]
) -> dict[str, dict[str, Any]]:
    """Each claim that uses runs: what it says, its answer, its chapter, whose runs, and where to see them.

    Parameters
    ----------
    found
        All conditions.
    told
        What the index tells of each scene.
    methods
        Method of each published run, by key.

    Returns
    -------
    dict
        Claim to its parts. ``told`` is the answer in plain words, empty where there is none. ``state`` has
        the parts of the address that stands for it: of the stage where most of its conditions have maps, the
        first two; ``where`` names that stage. A claim whose runs are not shown has neither.
    """
    statements = claims()["statement"]
    mapped = {
        c["file"] for place in told for stage in place["stages"] for c in stage["conditions"] if c["maps"]
    }
    titles = {place["place"]: place["title"] for place in told}
    of_key = {record.key: condition for condition in found for record in condition.records.values()}
    made = {}
    for chapter, answer, keys in _answers():
        made[answer.claim] = {
            "statement": statements[answer.claim],
            "outcome": answer.word,
            "told": plain(answer).answer,
            "chapter": chapter,
            "methods": sorted({methods[key] for key in keys if key in methods}),
        }
        stages: dict[tuple[str, float | None], dict[str, bool]] = defaultdict(dict)
        for condition in (of_key[key] for key in keys if key in of_key):
            file = f"{slug(str(condition.scene))}--{condition.slug}"
            stages[condition.place, condition.scene.snr_db][condition.slug] = file in mapped
        if stages:
            (place, snr), shown = max(stages.items(), key=lambda item: (sum(item[1].values()), len(item[1])))
            first = sorted(shown, key=lambda name: not shown[name])[:2]
            noise = "" if snr is None else f"{snr:g}"
            state = {"other": "none"} | dict(zip(("method", "other"), first, strict=False))
            made[answer.claim] |= {
                "where": titles[place] + f", noise of {noise} dB" * bool(noise),
                "state": {"scene": place, "noise": noise, **state},
            }
    return made
