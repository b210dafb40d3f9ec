"""Questions asked by a chapter: the runs behind them, made or looked up, and what they answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from hsu_lib.runs.answers import Answer, answers
from hsu_lib.runs.campaign import LATER, SEEDS, Enumeration, Way, amounts, enumerated
from hsu_lib.runs.choices import chosen_from
from hsu_lib.runs.question import Run
from hsu_lib.runs.record import Record, as_row
from hsu_lib.runs.results import Results
from hsu_lib.runs.store import Store
from hsu_lib.runs.sweeps import sweep

#: Columns of a table without a row, by which `Results` looks conditions up.
_FEWEST = ["key", "method", "scene", "seed", "label", "replayed"]


@dataclass(frozen=True)
class Asked:
    """What claims were answered by, and what came out.

    Parameters
    ----------
    answers
        By claim, in the order asked.
    found
        The runs of the claims.
    results
        All that was made or found of them.
    """

    answers: Mapping[str, Answer]
    found: Enumeration
    results: Results

    def find(self, key: str) -> Record | None:
        """One of the records behind the answers."""
        return self.records.get(key)

    @cached_property
    def records(self) -> Mapping[str, Record]:
        """All of them by key."""
        return {record.key: record for record in self.results.records}

    def of(self, *claims: str, way: int = 0) -> Results:
        """Results of one way to ask claims, by default of all claims in the way that decides."""
        keys = dict.fromkeys(
            key
            for claim in claims or self.answers
            for by_seed in [self.found.ways.get(Way(claim, way), {})]
            for some in by_seed.values()
            for key in some
        )
        return chosen(self.results, keys)


def chosen(results: Results, keys: Iterable[str]) -> Results:
    """Those results that have one of the keys, in the order of the keys."""
    places = {key: place for place, key in enumerate(results.table["key"])} if len(results.table) else {}
    kept = [places[key] for key in keys if key in places]
    return Results(results.table.iloc[kept].reset_index(drop=True), [results.records[k] for k in kept])


def ask(
    claims: Sequence[str],
    *,
    profile: str,
    seeds: Sequence[int],
    scene: str = "",
    compute: bool = True,
    store: Store | None = None,
) -> Asked:
    """Answer the questions of claims by runs of a profile.

    Parameters
    ----------
    claims
        Their ids.
    profile
        Whose `hsu_lib.runs.campaign.amounts` are trained.
    seeds
        That count.
    scene
        Stands in for every scene of the questions, as in a rehearsal; empty leaves them.
    compute
        Make the runs that are in no store, and let runs of any files count; otherwise they are missing from
        the answers, and only what decides counts.
    store
        By default the local store, then the published one.
    """
    store = store or Store()
    how = amounts(profile)
    later = LATER if tuple(seeds) == tuple(SEEDS) and not compute else ()
    found = enumerated(how, [*seeds, *later], claims, where=scene, choices=chosen_from(store.find))
    results = sweep(list(found.runs.values()), store=store) if compute else stored(found.runs, store)
    records = dict(zip(results.table["key"], results.records, strict=True)) if results.records else {}
    answered = answers(
        claims, amounts=how, seeds=seeds, later=later, find=records.get, where=scene, strict=not compute
    )
    return Asked({answer.claim: answer for answer in answered}, found, results)


def stored(runs: Mapping[str, Run], store: Store) -> Results:
    """Those of the runs that are in a store."""
    found: list[tuple[Run, Record]] = []
    for key, run in runs.items():
        record = store.find(key)
        if record is not None:
            found.append((run, record))
    rows = [as_row(record) | {"label": run.label or run.method, "replayed": True} for run, record in found]
    table = pd.DataFrame(rows) if rows else pd.DataFrame(columns=_FEWEST)
    return Results(table, [record for _, record in found])
