"""What several commands share: how a table is shown, and options."""

from __future__ import annotations

import json
import shutil
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
    """A device that is there, refused otherwise."""
    if name is None:
        return None
    from hsu_lib.learning import devices

    return devices.checked(name)


device_option = click.option(
    "--device", callback=_device, help="Torch device; by default CUDA where there is one."
)
