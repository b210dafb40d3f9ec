"""What `hsu plan` and `hsu sweep` do: plan the runs that decide, and make them within a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path

from hsu_lib import paths
from hsu_lib.claims.questions import questions as all_questions
from hsu_lib.runs import times, timing
from hsu_lib.runs.amounts import amounts, decided_by
from hsu_lib.runs.blocks import Block, blocks, to_make, twins
from hsu_lib.runs.budget import MakeWithTwins, exact_in, within
from hsu_lib.runs.campaign import Enumeration, enumerated
from hsu_lib.runs.choices import chosen_from
from hsu_lib.runs.estimates import Estimates
from hsu_lib.runs.evidence import of_a_commit
from hsu_lib.runs.packing import Pack, light
from hsu_lib.runs.provenance import commit, device_name
from hsu_lib.runs.remote import Cluster, Workers
from hsu_lib.runs.store import Store
from hsu_lib.runs.sweeps import default_device


def planned(
    profile: str,
    seeds: Sequence[int] | None,
    claims: str | None,
    store: Store,
    device: str | None,
    *,
    processor: str | None = None,
) -> tuple[Enumeration, list[Block], Estimates]:
    """What claims need, blocks of what is missing, and the estimates behind them.

    What waits for a choice of settings is planned once the grid behind it is there.

    Parameters
    ----------
    profile
        Whose `hsu_lib.runs.amounts.amounts`.
    seeds
        Of the runs; None for those of each question.
    claims
        Ids, or how they begin, with commas between; None for those that the profile decides, or for all where
        it decides none.
    store
        Where runs are looked up.
    device
        Torch device; None for the default one.
    processor
        What the device is in words, where it is another machine's; empty if nobody knows.

    Raises
    ------
    ValueError
        If there is no such profile or claim.
    OSError
        If the store cannot be read.
    """
    choices = chosen_from(store.find)
    chosen = matching(claims) if claims else decided_by(profile) or None
    found = enumerated(amounts(profile), seeds, chosen, choices=choices)
    rows = store.rows()
    # what does not count is made anew: of what lies here, where something that counts can be made
    enough = not of_a_commit(commit())
    there = [r["key"] for r in rows if of_a_commit(r["commit"]) or (enough and r["origin"] == "local")]
    if processor is None:
        processor = device_name(device or default_device())
    estimates = Estimates(rows, processor)
    return found, blocks(found, there, estimates.seconds), estimates


def matching(claims: str) -> list[str]:
    """Ids of the claims that are named, or that begin so; commas between.

    Raises
    ------
    ValueError
        If one begins no id.
    """
    found: dict[str, None] = {}
    for start in claims.split(","):
        names = [start] if start in all_questions() else [c for c in all_questions() if c.startswith(start)]
        if not names:
            raise ValueError(f"no claim is called {start!r}, or begins so; `hsu scorecard --all` lists them")
        found |= dict.fromkeys(names)
    return list(found)


def told(profile: str, found: Enumeration, chosen: Sequence[Block]) -> Iterator[str]:
    """A plan's totals, and what is left out of it, in lines."""
    runs, known = sum(len(b.missing) for b in chosen), [b.seconds for b in chosen if b.seconds is not None]
    unknown = len(chosen) - len(known)
    yield f"{runs} runs, {sum(known) / 3600:.1f} hours of one process" + (
        f", and {unknown} blocks of which nothing is known" if unknown else ""
    )
    yield f"Training: {amounts(profile).share}"
    if grids := sum(len(block.missing) for block in chosen if block.chooses):
        yield f"{grids} of the runs choose settings; the runs that these wait for are planned after them"
    held = times.counting(paths.published(), paths.store())
    _, untimed = timing.subjects({way.claim for way in found.timed}, amounts=amounts(profile), held=held)
    left_out = {
        "wait for settings that are chosen by validation": {way.claim for way in found.waiting},
        "need times of a sitting (`hsu time`)": untimed,
        "need methods that are still to be written": set(found.planned),
    }
    for reason, claims in left_out.items():
        if claims:
            yield f"{len(claims)} claims {reason}"


def sweep(
    profile: str,
    seeds: Sequence[int] | None,
    claims: str | None,
    seconds: float,
    *,
    jobs: int = 1,
    scheduler: str = "",
    device: str | None = None,
    out: Path | None = None,
    tell: Callable[[str], object] = print,
    store: Store | None = None,
) -> int:
    """Make what is missing within a time, the most valuable first.

    What settings are chosen by is made before all; then it plans again, with the runs that waited for them.

    Parameters
    ----------
    profile, seeds, claims, device
        See `planned`.
    seconds
        For all of it, from now.
    jobs
        How many runs at once, in processes of this machine.
    scheduler
        Address of a cluster that makes them instead.
    out
        Tar file for what is made; see `hsu_lib.runs.packing.Pack`. Abundances are kept as they were of what
        others start from, in 255 steps with a question's first seed, and else left out.
    tell
        Called with lines of text.
    store
        Where records are kept; by default the local store.

    Returns
    -------
    int
        How many runs failed.

    Raises
    ------
    ValueError, OSError
        See `planned`, `hsu_lib.runs.budget.within` and, of a cluster, `hsu_lib.runs.remote`.
    """
    end = time.monotonic() + seconds
    store, device = store or Store(), device or default_device(elsewhere=bool(scheduler))
    processor = Cluster(scheduler).visited(device) if scheduler else device_name(device)
    crew = partial(Workers, scheduler) if scheduler else None
    where = f"the cluster at {scheduler}" + (f", {processor}" if processor else "")
    where = where if scheduler else f"{processor}, {jobs} at once"
    store.tidy()
    if not commit() or commit().endswith("+"):
        tell("These records will not count: they are made from files that differ from any commit.")
    made, failed = 0, set[str]()
    with Pack(out) if out else nullcontext() as pack:
        for grids_only in (True, False):  # what the grids decide is planned when they are there
            found, chosen, estimates = planned(profile, seeds, claims, store, device, processor=processor)
            chosen = [block for block in chosen if block.chooses or not grids_only]
            if grids_only and not chosen:
                continue
            runs = to_make(chosen, found, lambda run: exact_in(store, run))
            runs = [run for run in runs if run.key not in failed]
            shown = {min(by_seed) for by_seed in found.ways.values()}
            starts = {run.first.key for run in found.runs.values() if run.first is not None}
            what = "runs that settings are chosen by" if grids_only else "runs"
            tell(f"{len(runs)} {what} to make on {where}, commit {commit() or 'unknown'}")
            make = MakeWithTwins(store, device, deciding=of_a_commit(commit()), twins=twins(found.runs))
            total, left = made + len(runs), len(runs)
            outcomes = within(end - time.monotonic(), runs, make, jobs=jobs, crew=crew, estimates=estimates)
            for outcome in outcomes:
                remaining = f"{end - time.monotonic():.0f} s left"
                left -= 1
                if outcome.error is not None:
                    failed.add(outcome.run.key)
                    tell(f"FAILED after {outcome.seconds:.1f} s: {outcome.run}: {outcome.error!r}")
                    continue
                made += 1
                tell(f"{made} of {total}, {remaining}: {outcome.run}: {outcome.seconds:.1f} s")
                for record in outcome.records:
                    if pack:
                        maps = record.asked["seed"] in shown
                        pack.add(record if record.key in starts else light(record, maps=maps))
    tell(f"{made} made, {len(failed)} failed, {left} not made")
    if pack:
        tell("packed: " + ", ".join(f"{p} ({p.stat().st_size / 1e6:.1f} MB)" for p in pack.paths))
    return len(failed)
