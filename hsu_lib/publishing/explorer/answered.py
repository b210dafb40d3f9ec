"""Claims in the explorer: which of them runs decide, and the state that shows a claim's runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from hsu_lib.claims import claims
from hsu_lib.publishing.explorer.conditions import Condition, slug
from hsu_lib.publishing.published import manifests


def decided(some: Sequence[Condition]) -> list[dict[str, Any]]:
    """Claims that runs of these conditions decide, with where their cards are."""
    slugs = {record.key: c.slug for c in some for record in c.records.values()}
    statements = claims()["statement"]
    found = []
    for manifest in manifests():
        for answer in manifest.answers:
            used = {slugs[key] for way in answer.ways[:1] for key in way.keys if key in slugs}
            if used:
                found.append(
                    {
                        "claim": answer.claim,
                        "statement": statements[answer.claim],
                        "outcome": answer.word,
                        "chapter": manifest.chapter,
                        "conditions": sorted(used),
                    }
                )
    return found


def states(found: Sequence[Condition], told: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """The state that stands for a claim in an address.

    Parameters
    ----------
    found
        All conditions.
    told
        What the index tells of each scene.

    Returns
    -------
    dict
        Claim to the parts of a state: of the stage where most of its conditions have maps, the first two.
        A claim whose runs are not shown has none.
    """
    mapped = {
        c["file"] for place in told for stage in place["stages"] for c in stage["conditions"] if c["maps"]
    }
    of_key = {record.key: condition for condition in found for record in condition.records.values()}
    made = {}
    for answer in (answer for manifest in manifests() for answer in manifest.answers):
        stages: dict[tuple[str, float | None], dict[str, bool]] = defaultdict(dict)
        for key in (key for way in answer.ways[:1] for key in way.keys):
            if condition := of_key.get(key):
                file = f"{slug(str(condition.scene))}--{condition.slug}"
                stages[condition.place, condition.scene.snr_db][condition.slug] = file in mapped
        if stages:
            (place, snr), shown = max(stages.items(), key=lambda item: (sum(item[1].values()), len(item[1])))
            first = sorted(shown, key=lambda name: not shown[name])[:2]
            state = dict(zip(("method", "other"), first, strict=False))
            made[answer.claim] = {"scene": place, "noise": "" if snr is None else f"{snr:g}", **state}
    return made
