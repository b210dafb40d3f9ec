"""`hsu register`, `plan`, `sweep`, `time`, `merge` and `answers`: the runs that decide claims."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from hsu_lib.cli.shared import device_option, duration, json_option, scheduler_option, show
from hsu_lib.words import seeds_of


def _seeds(text: str | None) -> list[int] | None:
    return None if text is None else seeds_of(text, "--seeds")


_seeds_option = click.option(
    "--seeds", help="Seeds, such as 100,101; by default those of each claim, mostly 100-109."
)
_claims_option = click.option(
    "--claims", help="Only these claims: ids, or how they begin, with commas between."
)


@click.command("register")
@click.argument("claims", nargs=-1, metavar="[CLAIM]...")
def register_questions(claims: tuple[str, ...]) -> None:
    """Note that the questions of CLAIMs stand as they are from now on, before the runs that decide them.

    Without CLAIMs: list those whose question is not the registered one; exit 1 if there are any. A run that
    is older than its question's registration decides nothing, so registering withdraws an answer.
    """
    import datetime

    from hsu_lib.claims import registration
    from hsu_lib.runs.provenance import commit

    if claims:
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        registration.register(claims, commit=commit(), now=now)
    changed = registration.changed()
    for claim in changed:
        click.echo(f"{claim} differs from its registration")
    if changed and not claims:
        sys.exit(1)


@click.command("plan")
@click.argument("profile", default="paper")
@_claims_option
@_seeds_option
@device_option
@json_option
def show_plan(profile: str, claims: str | None, seeds: str | None, device: str | None, as_json: bool) -> None:
    """List the runs that would decide claims and are not there yet, the most valuable first.

    Where claims wait for settings that are chosen from a grid of runs, that grid comes before all; what it
    decides is listed when it is there.

    PROFILE says how much is trained: quick, desk or paper (the default). Seconds are estimated from runs of
    the same methods, on the same device where there are any.
    """
    import pandas as pd

    from hsu_lib.runs import Store
    from hsu_lib.runs.operations import planned, told

    found, blocks, _ = planned(profile, _seeds(seeds), claims, Store(), device)
    rows = [
        {
            "block": number,
            "runs": len(block.missing),
            "seconds": None if block.seconds is None else round(block.seconds),
            "decides": len(block.claims),
            "conditions": ", ".join(block.conditions) if as_json else _few(block.conditions),
            "scenes": ", ".join(block.scenes) if as_json else _few(block.scenes),
            "claims": ", ".join(block.claims) if as_json else _few(block.claims),
        }
        for number, block in enumerate(blocks, start=1)
    ]
    show(pd.DataFrame(rows), as_json)
    if not as_json:
        for line in told(profile, found, blocks):
            click.echo(line)


def _few(names: tuple[str, ...]) -> str:
    """The first of several names, and how many more."""
    return names[0] + (f" and {len(names) - 1} more" if len(names) > 1 else "")


@click.command("sweep")
@click.argument("profile", default="paper")
@click.option("--budget", default="12m", show_default=True, help="Time for it all: 90s, 12m, 1.5h.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Tar file of what is made, for hsu merge.",
)
@click.option(
    "--jobs", type=click.IntRange(min=1), help="Runs at once, in processes of this machine; by default 1."
)
@scheduler_option
@_claims_option
@_seeds_option
@device_option
def sweep_campaign(
    profile: str,
    budget: str,
    out: Path | None,
    jobs: int | None,
    scheduler: str,
    claims: str | None,
    seeds: str | None,
    device: str | None,
) -> None:
    """Make the missing runs of `hsu plan` within a time, the most valuable first.

    The grid that settings are chosen from is made before all, then the runs that wait for it join the plan.
    What does not fit is not begun, what has not ended is stopped; all that was made is kept, and packed if
    --out is given. Exit 1 if a run failed: the others are made all the same.
    """
    from hsu_lib.runs.operations import sweep

    if jobs is not None and scheduler:
        raise click.UsageError(
            f"--jobs {jobs} makes runs in processes of this machine, --scheduler {scheduler} (HSU_SCHEDULER) "
            "on a cluster, with all its workers: give one of them"
        )
    failed = sweep(
        profile,
        _seeds(seeds),
        claims,
        duration(budget),
        jobs=jobs or 1,
        scheduler=scheduler,
        device=device,
        out=out,
        tell=click.echo,
    )
    if failed:
        sys.exit(1)


@click.command("time")
@click.argument("profile", default="desk")
@_claims_option
@click.option(
    "--repetitions",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    help="How often each thing is timed, after once that does not count; they stand for the seeds.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File; by default times.json of the store, or times-2.json and so on beside it.",
)
@click.option(
    "--anyway", is_flag=True, help="Go on with something beside it: a rehearsal, which decides nothing."
)
@click.option(
    "--publish",
    "publishing",
    is_flag=True,
    help="Time nothing: copy the file, by default the latest, to the published results.",
)
@json_option
def time_things(
    profile: str,
    claims: str | None,
    repetitions: int,
    out: Path | None,
    anyway: bool,
    publishing: bool,
    as_json: bool,
) -> None:
    """Take the times that questions about time need, in one sitting of about 20 minutes.

    PROFILE says how large networks are: quick, desk (the default) or paper.

    All things in turn, again and again, on this processor, with as many threads as the process has. A run is
    timed with 1 and with 31 steps of training: from these come its set-up, the seconds of a step, and the
    document's whole training. Nothing else may run: what other processes take is watched, and if it is more
    than a fifth of a processor the sitting ends. Nothing is kept of a sitting that does not come to its end,
    and it cannot be resumed.

    It decides if it has ten repetitions, nothing beside it, and is made from files as a commit has them. One
    that does is never replaced: a later one is for what none has timed yet, and a claim is answered from the
    first that timed all it asks.

    \b
    Examples
      hsu time --anyway --repetitions 2 --out try.json        a rehearsal, on a busy machine too
      OMP_NUM_THREADS=1 hsu time                              the sitting, on a quiet one
      hsu answers --local --claims prim-samson-faster         what it says
      hsu time --publish                                      take it into the published results
    """
    import pandas as pd

    from hsu_lib import paths
    from hsu_lib.runs import times
    from hsu_lib.runs.operations import matching

    if publishing:
        there = times.sittings(paths.store())
        if not (out or there):
            raise click.ClickException("there is no sitting to publish: `hsu time` takes one")
        click.echo(times.publish(out or there[-1]))
        return
    from hsu_lib.runs import timing
    from hsu_lib.runs.amounts import amounts
    from hsu_lib.runs.provenance import commit

    path = out or times.free(paths.store())
    timing.refuse(path)
    held = () if out else times.counting(paths.published(), paths.store())
    wanted, asking = timing.subjects(claims and matching(claims), amounts=amounts(profile), held=held)
    if not wanted:
        raise click.ClickException("none of these claims asks for a time that can be, or is to be, taken")
    if not commit() or commit().endswith("+"):
        click.echo("This sitting will decide nothing: its files differ from any commit.", err=True)
    click.echo(f"{len(wanted)} things for {len(asking)} claims: {', '.join(asking)}", err=True)
    sitting = timing.sit(wanted, repetitions=repetitions, anyway=anyway, progress=True)
    timing.keep(sitting, path)
    show(pd.DataFrame(sitting.rows()), as_json)
    if not as_json:
        click.echo(f"{path}: {sitting}")
        click.echo(f"It decides nothing: {sitting.objection}." if sitting.objection else "It counts.")


@click.command("merge")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
def merge_records(files: tuple[Path, ...]) -> None:
    """Take the records of tar FILES of `hsu sweep` into the local store; exit 1 if one is damaged.

    Each is checked, and none that is there already is replaced.
    """
    from hsu_lib.runs import Store
    from hsu_lib.runs.packing import merge

    merged = merge(files, Store())
    click.echo(f"{merged.new} new, {merged.there} there already, {len(merged.damaged)} damaged")
    for damage in merged.damaged:
        click.echo(damage, err=True)
    if merged.damaged:
        sys.exit(1)


@click.command("answers")
@click.argument("profile", required=False)
@_claims_option
@_seeds_option
@click.option(
    "--local",
    is_flag=True,
    help="Also records of the local store, before the published ones.",
)
@json_option
def show_answers(
    profile: str | None, claims: str | None, seeds: str | None, local: bool, as_json: bool
) -> None:
    """What fresh seeds say of each claim, by rule 2 of the page How to read.

    PROFILE says how much was trained: quick, desk or paper; by default, for each document, the one that
    decides its claims. A row names the comparison that decides: its mean difference, positive where it speaks
    for the claim, the 97.1 % interval, the smallest effect of interest, and the number of seeds. Records
    count only if they were made from files as a commit has them. Where a claim is not answered, the reason is
    told. With --json: all comparisons, in all ways to ask.

    \b
    Examples
      hsu answers --claims prim-alpha        the claims about alpha
      hsu answers --claims prim --json       all comparisons, every seed
      hsu answers desk --claims prim         what the lesser training of desk says
      hsu answers --local --claims undip     with what `hsu sweep` has made here
    """
    from functools import partial
    from textwrap import shorten

    import pandas as pd

    from hsu_lib import paths
    from hsu_lib.runs import Store, times
    from hsu_lib.runs.amounts import amounts, deciding_amounts
    from hsu_lib.runs.answers import answers
    from hsu_lib.runs.evidence import published
    from hsu_lib.runs.operations import matching

    found = answers(
        claims and matching(claims),
        amounts=amounts(profile) if profile else deciding_amounts(),
        seeds=_seeds(seeds),
        again=True,
        find=partial(Store().find, deciding=True) if local else published(),
        times=times.counting(paths.published(), paths.store()) if local else None,
    )
    if as_json:
        click.echo(json.dumps([answer.to_dict() for answer in found], indent=1))
        return
    rows = []
    for answer in found:
        row: dict[str, Any] = {"claim": answer.claim, "verdict": answer.word}
        if (decides := answer.deciding) is not None:
            mean, low, high = decides.interval
            row |= {
                "mean": f"{mean:+.3g}",
                "interval": f"{low:+.3g} to {high:+.3g}",
                "effect": f"{decides.effect:g}" if decides.effect else "",
                "seeds": str(len(decides.seeds)),
                "decides": shorten(decides.words, 90, placeholder=" ..."),
            }
        rows.append(row | {"reason": shorten(answer.reason, 70, placeholder=" ...")})
    shown = pd.DataFrame(
        rows, columns=["claim", "verdict", "mean", "interval", "effect", "seeds", "decides", "reason"]
    )
    show(shown, False)


#: What the module adds to `hsu`.
COMMANDS = (register_questions, show_plan, sweep_campaign, time_things, merge_records, show_answers)
