"""The command `hsu`: scenes, methods, runs, chapters, the book and the scorecard from a terminal."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import yaml

import hsu_lib
from hsu_lib.errors import InputError
from hsu_lib.words import pairs_of, seeds_of

if TYPE_CHECKING:
    import pandas as pd

EXAMPLES = """\b
Examples
  hsu data list                                  the scenes, and which of them are here
  hsu methods ae-patches                         a method's settings with their sources
  hsu run patching                               a chapter on the embedded scene, in a minute
  hsu run patching --profile desk -p scene=jasper -p seeds=100-102 -p compute=True --out mine
  hsu look image.mat                             what would be read of an image of your own
  hsu unmix image.mat --method vca-fclsu -p 4    any method on an image of your own
  hsu unmix image.mat --endmembers-from E.csv    abundances of spectra that you know
  hsu scorecard                                  the judged claims with their verdicts
  hsu time                                       times that claims need, with nothing beside them
  hsu answers --claims prim                      what fresh seeds say of the first document's claims
"""


class _Commands(click.Group):
    """Turns the errors that users can mend into one line and a non-zero exit."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (ValueError, LookupError, OSError, RuntimeError) as error:
            if isinstance(error, (click.exceptions.Exit, click.Abort, BrokenPipeError)) or _traceback():
                raise
            # a KeyError shows its message in quotes
            message = error.args[0] if isinstance(error, KeyError) and error.args else error
            if isinstance(error, InputError):
                message = error.for_command_line
            raise click.ClickException(str(message)) from error
        except click.ClickException:
            raise
        except Exception as error:  # nobody thought of it: still no traceback, unless it is asked for
            if _traceback():
                raise
            raise click.ClickException(
                f"{type(error).__name__}: {' '.join(str(error).split())} (HSU_TRACEBACK=1 shows where)"
            ) from error


def _traceback() -> bool:
    """Whether errors are shown with where they come from: HSU_TRACEBACK=1."""
    return os.environ.get("HSU_TRACEBACK", "0") not in ("", "0")


@click.group(cls=_Commands, epilog=EXAMPLES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(hsu_lib.__version__, prog_name="hsu")
def main() -> None:
    """Hyperspectral unmixing, reproduced: run methods, rerun chapters, build the book.

    Tables are for reading; add --json to any listing for programs.
    """


_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")


def _show(table: pd.DataFrame, as_json: bool, *, columns: list[str] | None = None) -> None:
    """Table for people (chosen columns, cut to the terminal), or all of it as JSON records."""
    if as_json:
        rows = json.loads(table.to_json(orient="records", double_precision=15))
        click.echo(json.dumps(rows, indent=1))
        return
    if table.empty:
        click.echo("nothing there yet")
        return
    import pandas as pd

    shown = table[columns] if columns else table
    width = max(60, shutil.get_terminal_size((120, 24)).columns)
    with pd.option_context("display.width", width, "display.max_colwidth", max(16, width // 3)):
        click.echo(shown.to_string(index=False, justify="left", na_rep=""))


# --------------------------------------------------------------------------- scenes


@main.group()
def data() -> None:
    """List, describe, fetch and check the scenes.

    Files are looked for in HSU_DATA_DIR, then in the cache, then downloaded with their checksums.
    """


@data.command("list")
@_json_option
def data_list(as_json: bool) -> None:
    """All scenes: size, materials, and whether their files are here."""
    from hsu_lib import scenes

    _show(scenes.table(), as_json)


@data.command("show")
@click.argument("name")
@_json_option
def data_show(name: str, as_json: bool) -> None:
    """Everything known about scene NAME: references, files, licence, cautions."""
    from dataclasses import asdict

    from hsu_lib import scenes

    fields = asdict(scenes.describe(name))
    if as_json:
        click.echo(json.dumps(fields, indent=1, default=str))
        return
    click.echo(
        yaml.safe_dump(json.loads(json.dumps(fields, default=str)), sort_keys=False, width=100), nl=False
    )


@data.command("fetch")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
def data_fetch(names: tuple[str, ...]) -> None:
    """Download the files of scenes, with progress; what is here already is only checked."""
    from hsu_lib import scenes

    for name in names:
        scenes.fetch(name, progress=True)
        click.echo(f"{name}: here")


@data.command("verify")
@_json_option
def data_verify(as_json: bool) -> None:
    """Check every file that is here against its checksum; exit 1 if one is damaged."""
    from hsu_lib import scenes

    table = scenes.verify()
    _show(table, as_json)
    if table.astype(str).apply(lambda column: column.str.contains("damaged")).any(axis=None):
        sys.exit(1)


# --------------------------------------------------------------------------- methods and runs


@main.command("methods")
@click.argument("name", required=False)
@_json_option
def list_methods(name: str | None, as_json: bool) -> None:
    """List the methods, or the settings of method NAME with their defaults and sources."""
    import pandas as pd

    from hsu_lib import methods

    if name:
        _show(pd.DataFrame(methods.get(name).describe(), columns=["setting", "default", "source"]), as_json)
        return
    rows = [
        {"name": m.name, "kind": m.kind, "summary": m.summary, "source": m.source}
        for m in methods.METHODS.values()
    ]
    _show(pd.DataFrame(rows), as_json, columns=["name", "kind", "summary"])


@main.command("runs")
@click.option("--method", help="Only this method.")
@click.option("--scene", help="Only scenes whose name starts so.")
@_json_option
def list_runs(method: str | None, scene: str | None, as_json: bool) -> None:
    """List the stored runs, local and published, with their scores."""
    from hsu_lib.runs import Store

    rows = [row for row in Store().rows() if method in (None, row["method"])]
    rows = [row for row in rows if row["scene"].startswith(scene or "")]
    rows.sort(key=lambda row: (row["scene"], row["method"], row["settings"], row["seed"]))
    if as_json:
        columns = dict.fromkeys(name for row in rows for name in row)
        lines = (json.dumps({name: row.get(name) for name in columns}) for row in rows)
        click.echo("[" + ",\n ".join(lines) + "]")
        return
    wanted = ["scene", "method", "seed", "mse-abundances", "sad-endmembers", "seconds", "origin", "key"]
    table = [wanted] + [[_cell(row.get(name)) for name in wanted] for row in rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    form = "  ".join(f"{{:{width}}}" for width in widths)
    click.echo("\n".join(form.format(*line).rstrip() for line in table) if rows else "nothing there yet")


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    text = "" if value is None else str(value)
    return text[:12] if len(text) == 64 else text  # of a key, as much as names it


@main.command("verify")
@click.argument("profile", default="desk")
@click.option(
    "--sample", "number", default=40, show_default=True, help="How many runs; each method at least once."
)
@click.option("--seed", default=0, show_default=True, help="Seed of the sample.")
@click.option("--publish", "keep", is_flag=True, help="Write the outcome to verified.json of the profile.")
@_json_option
def verify_runs(profile: str, number: int, seed: int, keep: bool, as_json: bool) -> None:
    """Make published runs again and tell how near they come; exit 1 if one differs by as much as counts.

    Runs take the number of threads they were made with. On the same processor and libraries they are equal.
    On another one rounding differs in the last digit, and a long training makes much of that: it ends
    elsewhere, which is told, and tolerated up to an RMSE of abundances of 0.01 and an angle of endmembers of
    0.02 rad. Stop it whenever you like: at the same commit it goes on.
    """
    from dataclasses import asdict

    import pandas as pd
    from tqdm import tqdm

    from hsu_lib import paths
    from hsu_lib.runs import verification

    every = verification.published(profile)
    sample = verification.drawn(every, number, seed)
    found = []
    with tqdm(verification.verify(sample), total=len(sample), unit="run") as bar:
        for difference in bar:
            found.append(difference)
            bar.write(str(difference), file=sys.stderr)
    outcome = verification.Verification.of_differences(profile, seed, found, len(every))
    if keep:
        outcome.write(paths.published() / profile)
    if as_json:
        click.echo(json.dumps(asdict(outcome), indent=1))
    else:
        _show(pd.DataFrame([{"method": name, **row} for name, row in outcome.methods.items()]), False)
        click.echo(str(outcome))
    if outcome.beyond:
        for line in outcome.beyond:
            click.echo(line, err=True)
        sys.exit(1)


@main.command("scorecard")
@click.option(
    "--build", is_flag=True, help="Verdicts of the chapters executed last here, not the published ones."
)
@click.option("--all", "everything", is_flag=True, help="Also the claims that no chapter has judged yet.")
@_json_option
def show_scorecard(build: bool, everything: bool, as_json: bool) -> None:
    """Show the claims with their verdicts, intervals, seeds, scenes and reasons."""
    import pandas as pd

    from hsu_lib import claims, paths
    from hsu_lib.publishing import published

    table = claims.scorecard(published.manifests(paths.executed() if build else None))
    table = table.reset_index()
    if not everything:
        table = table[table["verdict"] != "not yet judged"]
    table["interval"] = [
        None if pd.isna(low) else f"{low:+.3g} to {high:+.3g}"
        for low, high in zip(table["low"], table["high"], strict=True)
    ]
    _show(table, as_json, columns=["claim", "verdict", "interval", "seeds", "scenes", "profile"])


# --------------------------------------------------------------------------- the runs that decide


def _seeds(text: str) -> list[int]:
    return seeds_of(text, "--seeds")


def _duration(text: str) -> float:
    """Seconds of ``90s``, ``12m`` or ``1.5h``."""
    units = {"s": 1, "m": 60, "h": 3600}
    try:
        return float(text[:-1]) * units[text[-1:]]
    except (ValueError, KeyError):
        raise click.BadParameter(f"expected such as 90s, 12m or 1.5h, got {text!r}") from None


_seeds_option = click.option(
    "--seeds", default="100-109", show_default=True, help="Seeds, such as 100-109 or 100,101."
)
_claims_option = click.option(
    "--claims", help="Only these claims: ids, or how they begin, with commas between."
)


def _device(context: click.Context, parameter: click.Parameter, name: str | None) -> str | None:
    """A device that is there, refused otherwise."""
    if name is None:
        return None
    from hsu_lib.learning import devices

    return devices.checked(name)


_device_option = click.option(
    "--device", callback=_device, help="Torch device; by default CUDA where there is one."
)


@main.command("register")
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


@main.command("plan")
@click.argument("profile", default="paper")
@_claims_option
@_seeds_option
@_device_option
@_json_option
def show_plan(profile: str, claims: str | None, seeds: str, device: str | None, as_json: bool) -> None:
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
    _show(pd.DataFrame(rows), as_json)
    if not as_json:
        for line in told(profile, found, blocks):
            click.echo(line)


def _few(names: tuple[str, ...]) -> str:
    """The first of several names, and how many more."""
    return names[0] + (f" and {len(names) - 1} more" if len(names) > 1 else "")


@main.command("sweep")
@click.argument("profile", default="paper")
@click.option("--budget", default="12m", show_default=True, help="Time for it all: 90s, 12m, 1.5h.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Tar file of what is made, for hsu merge.",
)
@click.option("--jobs", default=1, show_default=True, type=click.IntRange(min=1), help="Runs at once.")
@_claims_option
@_seeds_option
@_device_option
def sweep_campaign(
    profile: str,
    budget: str,
    out: Path | None,
    jobs: int,
    claims: str | None,
    seeds: str,
    device: str | None,
) -> None:
    """Make the missing runs of `hsu plan` within a time, the most valuable first.

    The grid that settings are chosen from is made before all, then the runs that wait for it join the plan.
    What does not fit is not begun, what has not ended is stopped; all that was made is kept, and packed if
    --out is given.
    """
    from hsu_lib.runs.operations import sweep

    limit = _duration(budget)
    sweep(profile, _seeds(seeds), claims, limit, jobs=jobs, device=device, out=out, tell=click.echo)


@main.command("time")
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
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="File; by default times.json of the store."
)
@click.option(
    "--anyway", is_flag=True, help="Go on with something beside it: a rehearsal, which decides nothing."
)
@click.option(
    "--publish", "publishing", is_flag=True, help="Time nothing: copy the file to the published results."
)
@_json_option
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
    that does is never replaced.

    \b
    Examples
      hsu time --anyway --repetitions 2 --out try.json        a rehearsal, on a busy machine too
      OMP_NUM_THREADS=1 hsu time                              the sitting, on a quiet one
      hsu answers --local --claims prim-samson-faster         what it says
      hsu time --publish                                      take it into the published results
    """
    import pandas as pd

    from hsu_lib.runs import times
    from hsu_lib.runs.operations import matching

    path = out or times.local()
    if publishing:
        click.echo(times.publish(path))
        return
    from hsu_lib.runs import timing
    from hsu_lib.runs.campaign import amounts
    from hsu_lib.runs.provenance import commit

    timing.refuse(path)
    wanted, asking = timing.subjects(claims and matching(claims), amounts=amounts(profile))
    if not wanted:
        raise click.ClickException("none of these claims asks for a time that can be taken")
    if not commit() or commit().endswith("+"):
        click.echo("This sitting will decide nothing: its files differ from any commit.", err=True)
    click.echo(f"{len(wanted)} things for {len(asking)} claims: {', '.join(asking)}", err=True)
    sitting = timing.sit(wanted, repetitions=repetitions, anyway=anyway, progress=True)
    timing.keep(sitting, path)
    _show(pd.DataFrame(sitting.rows()), as_json)
    if not as_json:
        click.echo(f"{path}: {sitting}")
        click.echo(f"It decides nothing: {sitting.objection}." if sitting.objection else "It counts.")


@main.command("merge")
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


@main.command("answers")
@click.argument("profile", required=False)
@_claims_option
@_seeds_option
@click.option(
    "--local",
    is_flag=True,
    help="Also records of the local store, before the published ones.",
)
@_json_option
def show_answers(profile: str | None, claims: str | None, seeds: str, local: bool, as_json: bool) -> None:
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
    from textwrap import shorten

    import pandas as pd

    from hsu_lib.runs import Store, times
    from hsu_lib.runs.answers import answers
    from hsu_lib.runs.campaign import LATER, SEEDS, amounts, deciding_amounts
    from hsu_lib.runs.evidence import published
    from hsu_lib.runs.operations import matching

    found = answers(
        claims and matching(claims),
        amounts=amounts(profile) if profile else deciding_amounts(),
        seeds=_seeds(seeds),
        later=LATER if _seeds(seeds) == list(SEEDS) else (),
        find=Store().find if local else published(),
        times=times.counting(times.local(), times.published()) if local else None,
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
    _show(shown, False)


# --------------------------------------------------------------------------- chapters and book


@main.command("run")
@click.argument("chapter")
@click.option(
    "--profile", default="quick", show_default=True, help="Named set of parameters: quick, desk, paper."
)
@click.option(
    "-p",
    "parameters",
    multiple=True,
    metavar="NAME=VALUE",
    help="Set one parameter; repeatable.",
)
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help="Folder for the executed notebook."
)
@click.option("--recompute", is_flag=True, help="Compute all runs afresh instead of replaying stored ones.")
def run_chapter(
    chapter: str, profile: str, parameters: tuple[str, ...], out: Path | None, recompute: bool
) -> None:
    """Execute CHAPTER with the parameters of a profile and your own.

    Finished runs are kept: stop it whenever you like, start it again, and it goes on.
    """
    from hsu_lib.publishing import chapters

    path = chapters.run_chapter(
        chapter, profile=profile, parameters=pairs_of(parameters, "-p"), out=out, recompute=recompute
    )
    click.echo(path)


@main.command("book")
@click.option(
    "--profile", help="Execute every chapter with this profile; by default each at its best published one."
)
@click.option("--recompute", is_flag=True, help="Compute all runs afresh instead of replaying stored ones.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Folder for everything made.")
def build_book(profile: str | None, recompute: bool, out: Path | None) -> None:
    """Execute the chapters and build the pages; print where the front page is."""
    from hsu_lib.publishing import build

    click.echo(build.build(profile, recompute=recompute, out=out))


@main.command("publish")
@click.argument("profile")
@click.argument("chapters", nargs=-1, metavar="[CHAPTER]...")
def publish_results(profile: str, chapters: tuple[str, ...]) -> None:
    """Copy the results of the chapters last executed with PROFILE into book/results.

    Scores, endmembers and curves of every run; abundance maps of those that a page shows. Only what was run
    to its end with just the profile's parameters, and only all of it: where a chapter is not complete,
    nothing is published, unless the others are named.
    """
    from hsu_lib.publishing import published

    folder, size = published.publish(profile, chapters)
    click.echo(f"{folder} ({size / 1e6:.1f} MB of published results in all)")


# --------------------------------------------------------------------------- an image of one's own


def _reading(command: Callable[..., None]) -> Callable[..., None]:
    """An image, and the options that settle how it is read: arguments of `hsu_lib.scenes.read_image`."""
    for decorate in (
        click.option(
            "--nodata",
            multiple=True,
            metavar="VALUE",
            help="Stored number that means no data, repeatable; or none, or border. By default what the file "
            "declares.",
        ),
        click.option(
            "--size", type=(int, int), metavar="HEIGHT WIDTH", help="Of an image stored as a matrix."
        ),
        click.option(
            "--layout",
            help="Order of axes: hwb (height, width, bands), bhw, or a matrix such as 'b(hw)'; see the rerun "
            "page.",
        ),
        click.option("--scale", type=float, help="Divide the image by this to get reflectance."),
        click.option(
            "--variable", help="Variable that holds the image, if a file has several; dotted: s.cube."
        ),
        click.argument("image", type=click.Path(path_type=Path, exists=True)),
    ):
        command = decorate(command)
    return command


@main.command("look")
@_reading
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="The picture; by default NAME-look.png."
)
def look_at_image(image: Path, out: Path | None, **reading: Any) -> None:
    """Print what would be read of IMAGE, and draw a composite and its mean spectrum."""
    from hsu_lib.publishing.look import show

    show(image, out, click.echo, **reading)


@main.command("unmix")
@_reading
@click.option(
    "--method", help="A name from `hsu methods`; by default vca-fclsu, or fclsu for given endmembers."
)
@click.option("-p", "--endmembers", type=click.IntRange(min=1), help="How many endmembers to look for.")
@click.option(
    "--endmembers-from",
    metavar="FILE",
    help="Known spectra: .csv, ENVI library, .npz, .mat (FILE:NAME for one of several), or "
    "usgs:alunite,kaolinite. They are resampled to the image's wavelengths.",
)
@click.option(
    "--endmembers-scale",
    type=float,
    help="Divide the known spectra, or the library, by this to get reflectance.",
)
@click.option(
    "--library",
    metavar="FILE|usgs",
    help="What methods such as sunsal choose endmembers from: spectra as known ones, or usgs, 240 minerals.",
)
@click.option("--bands", help="Only these bands, from 1: 1-100,120-180; or wavelengths: 400-900nm.")
@click.option("--drop-bands", help="Not these bands, written alike.")
@click.option(
    "--crop", type=(int, int, int, int), metavar="TOP LEFT HEIGHT WIDTH", help="Only a window; from 0."
)
@click.option(
    "--mask",
    type=click.Path(path_type=Path),
    help="Map (.npy, .mat, ENVI, TIFF, .png): 0 leaves a pixel out.",
)
@click.option(
    "-s",
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="A setting of the method; repeatable.",
)
@click.option(
    "--seed", default=0, show_default=True, type=click.IntRange(min=0), help="Seed of everything random."
)
@_device_option
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default="unmixing.npz",
    show_default=True,
    help="Name of the result; a picture lies beside it as .png.",
)
@click.option(
    "--format",
    "forms",
    type=click.Choice(["envi", "geotiff", "netcdf"]),
    multiple=True,
    help="Also maps in this format, in the image's place on the ground, and the endmembers as ENVI library.",
)
@click.option("--overwrite", is_flag=True, help="Replace files that this command did not make.")
def unmix_image(image: Path, settings: tuple[str, ...], **options: Any) -> None:
    """Unmix IMAGE (.mat, .npz, ENVI, TIFF, HDF5, NetCDF) with any method.

    The result holds endmembers E, abundances A, residual (RMSE of each pixel), wavelengths, bands and how all
    was read and made; hsu_lib.read_result reads it. Endmembers come in the order in which they are given,
    else those that reflect at short wavelengths first, whatever the seed. What is degenerate is told.

    \b
    Examples
      hsu look field.hdr                                            first: is it read right?
      hsu unmix field.hdr -p 4                                      four endmembers, found in the image
      hsu unmix field.hdr --endmembers-from spectra.csv             abundances of known spectra
      hsu unmix field.hdr --endmembers-from usgs:alunite,kaolinite  spectra of minerals
      hsu unmix field.hdr --method sunsal --library usgs            few of many minerals, each pixel its own
      hsu unmix field.hdr -p 4 --drop-bands 104-113,148-167 --mask land.npy --crop 0 0 200 200
      hsu unmix field.hdr -p 4 --method ae-patches -s epochs=50 -s learning_rate=1e-3
      hsu unmix field.hdr -p 4 --out maps/field --format geotiff    maps for a GIS
    """
    from hsu_lib.unmixing import command
    from hsu_lib.unmixing.selection import Selection

    part = {name: options.pop(name) for name in ("bands", "drop_bands", "crop", "mask")}
    reading = {name: options.pop(name) for name in ("nodata", "size", "layout", "scale", "variable")}
    asked = command.Request(
        image, reading, Selection(**part), settings=pairs_of(settings, "--set"), **options
    )
    command.run(asked, click.echo, progress=sys.stderr.isatty())


if __name__ == "__main__":
    main()
