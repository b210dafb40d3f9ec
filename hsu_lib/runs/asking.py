"""Questions asked by a chapter: the runs behind them, made or looked up, and what they answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from hsu_lib.runs.amounts import Amounts
from hsu_lib.runs.answers import Answer, answers
from hsu_lib.runs.answers.seedwise import Records
from hsu_lib.runs.campaign import Enumeration, Way, enumerated
from hsu_lib.runs.choices import chosen_from, rehearsed
from hsu_lib.runs.computed import score_of
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
    seeds
        That count first; none of theirs may be missing where a page quotes a score.
    """

    answers: Mapping[str, Answer]
    found: Enumeration
    results: Results
    seeds: tuple[int, ...] = ()

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

    def runs(self, claim: str, scene: str, label: str, way: int = 0) -> Mapping[int, Run]:
        """The runs of a condition in one way to ask a claim, by seed; none where settings are not chosen."""
        keys = [key for some in self.found.ways.get(Way(claim, way), {}).values() for key in some]
        runs = [self.found.runs[key] for key in keys]
        return {run.seed: run for run in runs if run.label == label and str(run.scene) == scene}

    def scores(
        self, claim: str, scene: str, label: str, score: str, *, way: int = 0
    ) -> NDArray[np.float64] | None:
        """A score of these runs by seed, as far as they are there; None if one of the first seeds has none.

        Parameters
        ----------
        claim, way
            What is asked, and in which way.
        scene, label
            Scene in words, with its noise, and name of the condition.
        score
            One that records hold, or one that is computed from them.
        """
        records = {seed: self.find(run.key) for seed, run in self.runs(claim, scene, label, way).items()}
        values = {s: score_of(record, score) for s, record in records.items() if record is not None}
        known = {seed: value for seed, value in values.items() if np.isfinite(value)}
        if not known or not set(self.seeds) <= set(known):
            return None
        return np.array([known[seed] for seed in sorted(known)])

    def record(self, claim: str, scene: str, label: str, *, way: int = 0, median: str = "") -> Record | None:
        """The first of these runs that is there; parameters as of `scores`.

        With a score for `median`, the one that has the median of it, of an even number the lower of the two.
        """
        records = (self.find(run.key) for run in self.runs(claim, scene, label, way).values())
        found = [record for record in records if record is not None]
        if median:
            found.sort(key=lambda record: record.scores[median])
            found = found[(len(found) - 1) // 2 :]
        return found[0] if found else None


def chosen(results: Results, keys: Iterable[str]) -> Results:
    """Those results that have one of the keys, in the order of the keys."""
    places = {key: place for place, key in enumerate(results.table["key"])} if len(results.table) else {}
    kept = [places[key] for key in keys if key in places]
    return Results(results.table.iloc[kept].reset_index(drop=True), [results.records[k] for k in kept])


def ask(
    claims: Sequence[str],
    *,
    amounts: Amounts,
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
    amounts
        How much is trained.
    seeds
        That count.
    scene
        Stands in for every scene of the questions, as in a rehearsal; empty leaves them. It has no grid, so
        settings that are chosen elsewhere are `rehearsed`.
    compute
        Make the runs that are in no store, and let runs of any files count; otherwise they are missing from
        the answers, and only what decides counts.
    store
        By default the local store, then the published one.
    """
    store = store or Store()
    # what settings are chosen from: made first, and kept with what is chosen by it
    grid = {} if scene else enumerated(amounts, (), claims).runs
    if compute and grid:
        sweep(list(grid.values()), store=store)
    find = partial(store.find, deciding=not compute)
    choices = rehearsed if scene else chosen_from(Records(find, strict=not compute).get)
    found = enumerated(amounts, seeds, claims, again=not compute, where=scene, choices=choices)
    runs = {**grid, **found.runs}
    results = sweep(list(runs.values()), store=store) if compute else stored(runs, store)
    records = dict(zip(results.table["key"], results.records, strict=True)) if results.records else {}
    answered = answers(
        claims,
        amounts=amounts,
        seeds=seeds,
        again=not compute,
        find=records.get,
        choices=choices,
        where=scene,
        strict=not compute,
    )
    return Asked({answer.claim: answer for answer in answered}, found, results, tuple(seeds))


def stored(runs: Mapping[str, Run], store: Store) -> Results:
    """Those of the runs that are in a store, or published."""
    found: list[tuple[Run, Record]] = []
    for key, run in runs.items():
        record = store.find(key, deciding=True)
        if record is not None:
            found.append((run, record))
    rows = [as_row(record) | {"label": run.label or run.method, "replayed": True} for run, record in found]
    table = pd.DataFrame(rows) if rows else pd.DataFrame(columns=_FEWEST)
    return Results(table, [record for _, record in found])
