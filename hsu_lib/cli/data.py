"""`hsu data`: the scenes."""

from __future__ import annotations

import json
import sys

import click

from hsu_lib.cli.shared import json_option, show


@click.group()
def data() -> None:
    """List, describe, fetch and check the scenes.

    Files are looked for in HSU_DATA_DIR, then in the cache, then downloaded with their checksums.
    """


@data.command("list")
@json_option
def data_list(as_json: bool) -> None:
    """All scenes: size, materials, and whether their files are here."""
    from hsu_lib import scenes

    show(scenes.table(), as_json)


@data.command("show")
@click.argument("name")
@json_option
def data_show(name: str, as_json: bool) -> None:
    """Everything known about scene NAME: references, files, licence, cautions."""
    from dataclasses import asdict

    import yaml

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
@json_option
def data_verify(as_json: bool) -> None:
    """Check every file that is here against its checksum; exit 1 if one is damaged."""
    from hsu_lib import scenes

    table = scenes.verify()
    show(table, as_json)
    if table.astype(str).apply(lambda column: column.str.contains("damaged")).any(axis=None):
        sys.exit(1)


#: What the module adds to `hsu`.
COMMANDS = (data,)
