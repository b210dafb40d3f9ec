"""What several commands share: how a table is shown, and options."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    import pandas as pd

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")


def show(table: pd.DataFrame, as_json: bool, *, columns: list[str] | None = None) -> None:
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


def duration(text: str) -> float:
    """Seconds of ``90s``, ``12m`` or ``1.5h``."""
    units = {"s": 1, "m": 60, "h": 3600}
    try:
        return float(text[:-1]) * units[text[-1:]]
    except (ValueError, KeyError):
        raise click.BadParameter(f"expected such as 90s, 12m or 1.5h, got {text!r}") from None


def _device(context: click.Context, parameter: click.Parameter, name: str | None) -> str | None:
    """A device that is there, refused otherwise; of a cluster's nothing is known here."""
    if name is None or context.params.get("scheduler"):
        return name
    from hsu_lib.learning import devices

    return devices.checked(name)


device_option = click.option(
    "--device", callback=_device, help="Torch device; by default CUDA where there is one."
)

scheduler_option = click.option(
    "--scheduler",
    envvar="HSU_SCHEDULER",
    default="",
    metavar="ADDRESS",
    is_eager=True,
    help="Make runs on the cluster with this Dask scheduler, such as tcp://node7:8786; by default "
    "HSU_SCHEDULER. `hsu cluster` tells how to start one.",
)


@contextmanager
def on_cluster(scheduler: str) -> Iterator[None]:
    """Inside, sweeps of this process and of chapters are made there, once a worker there was tried.

    Raises
    ------
    InputError, OSError, Unfit
        See `hsu_lib.runs.remote.Cluster.visited`.
    """
    if not scheduler:
        yield
        return
    from hsu_lib.publishing.kernels import environment
    from hsu_lib.runs.remote import Cluster
    from hsu_lib.runs.sweeps import default_device

    Cluster(scheduler).visited(default_device(elsewhere=True))
    with environment({"HSU_SCHEDULER": scheduler}):
        yield
