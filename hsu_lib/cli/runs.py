"""`hsu methods`, `runs`, `verify` and `scorecard`: what there is to run, and what was run."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from hsu_lib.cli.shared import json_option, show


@click.command("methods")
@click.argument("name", required=False)
@json_option
def list_methods(name: str | None, as_json: bool) -> None:
    """List the methods, or the settings of method NAME with their defaults and sources."""
    import pandas as pd

    from hsu_lib import methods

    if name:
        columns = ["setting", "default", "source"]
        show(pd.DataFrame(methods.get(name).describe(), columns=columns, dtype=object), as_json)
        return
    rows = [
        {"name": m.name, "kind": m.kind, "summary": m.summary, "source": m.source}
        for m in methods.METHODS.values()
    ]
    show(pd.DataFrame(rows), as_json, columns=["name", "kind", "summary"])


@click.command("runs")
@click.option("--method", help="Only this method.")
@click.option("--scene", help="Only scenes whose name starts so.")
@json_option
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


@click.command("verify")
@click.argument("profile", default="desk")
@click.option(
    "--sample", "number", default=40, show_default=True, help="How many runs; each method at least once."
)
@click.option("--seed", default=0, show_default=True, help="Seed of the sample.")
@click.option("--publish", "keep", is_flag=True, help="Write the outcome to verified.json of the profile.")
@json_option
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
        show(pd.DataFrame([{"method": name, **row} for name, row in outcome.methods.items()]), False)
        click.echo(str(outcome))
    if outcome.beyond:
        for line in outcome.beyond:
            click.echo(line, err=True)
        sys.exit(1)


@click.command("scorecard")
@click.option(
    "--build", is_flag=True, help="Verdicts of the chapters executed last here, not the published ones."
)
@click.option("--all", "everything", is_flag=True, help="Also the claims that no chapter has judged yet.")
@json_option
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
    show(table, as_json, columns=["claim", "verdict", "interval", "seeds", "scenes", "profile"])


#: What the module adds to `hsu`.
COMMANDS = (list_methods, list_runs, verify_runs, show_scorecard)
