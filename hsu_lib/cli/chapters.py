"""`hsu run`, `book`, `publish`, `maps` and `notebooks`: chapters and the book."""

from __future__ import annotations

from pathlib import Path

import click

from hsu_lib.cli.shared import duration, on_cluster, scheduler_option
from hsu_lib.words import pairs_of


@click.command("run")
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
@scheduler_option
def run_chapter(
    chapter: str, profile: str, parameters: tuple[str, ...], out: Path | None, recompute: bool, scheduler: str
) -> None:
    """Execute CHAPTER with the parameters of a profile and your own.

    Finished runs are kept: stop it whenever you like, start it again, and it goes on.
    """
    from hsu_lib.publishing import chapters

    given = pairs_of(parameters, "-p")
    with on_cluster(scheduler):
        path = chapters.run_chapter(chapter, profile=profile, parameters=given, out=out, recompute=recompute)
    click.echo(path)


@click.command("book")
@click.option(
    "--profile", help="Execute every chapter with this profile; by default each at its best published one."
)
@click.option("--recompute", is_flag=True, help="Compute all runs afresh instead of replaying stored ones.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Folder for everything made.")
@click.option(
    "--sphinx",
    metavar="PYTHON",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Execute nothing: build the pages of the chapters executed last by the Sphinx of this interpreter.",
)
@scheduler_option
def build_book(
    profile: str | None, recompute: bool, out: Path | None, sphinx: Path | None, scheduler: str
) -> None:
    """Execute the chapters and build the pages; print where the front page is."""
    from hsu_lib.publishing import build

    if sphinx is not None:
        if profile or recompute or out:
            raise click.UsageError("--sphinx executes nothing: it goes with no other option")
        click.echo(build.build_plainly(sphinx))
        return
    with on_cluster(scheduler):
        page = build.build(profile, recompute=recompute, out=out)
    click.echo(page)


@click.command("publish")
@click.argument("profile", required=False)
@click.argument("chapters", nargs=-1, metavar="[CHAPTER]...")
@click.option(
    "--crate",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Then pack all that is published, of every profile, into this zip file, as an RO-Crate.",
)
def publish_results(profile: str | None, chapters: tuple[str, ...], crate: Path | None) -> None:
    """Copy the results of the chapters last executed with PROFILE into book/results.

    Scores, endmembers and curves of every run; abundance maps of those that a page shows. Only what was run
    to its end with just the profile's parameters, and only all of it: where a chapter is not complete,
    nothing is published, unless the others are named. Without PROFILE, --crate packs what is there.
    """
    if profile is None and crate is None:
        raise click.UsageError("which PROFILE? quick, desk or paper; or --crate, to pack what is published")
    if profile is not None:
        from hsu_lib.publishing import published

        folder, size = published.publish(profile, chapters)
        click.echo(f"{folder} ({size / 1e6:.1f} MB of published results in all)")
    if crate is not None:
        from hsu_lib.publishing.crate import pack

        click.echo(f"{crate} ({pack(crate) / 1e6:.1f} MB)")


@click.command("notebooks")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
def write_notebooks(folder: Path) -> None:
    """Write the chapters into FOLDER as notebooks; the first cell of each installs the project on Colab.

    The address that it installs from is HSU_REPOSITORY, or repository-code in CITATION.cff.
    """
    from hsu_lib.publishing import launch

    click.echo(f"{len(launch.write_notebooks(folder))} notebooks in {folder}")


@click.command("maps")
@click.argument("profile")
@click.option("--budget", default="12m", show_default=True, help="Time for runs: 90s, 12m, 1.5h, or 0s.")
def publish_maps(profile: str, budget: str) -> None:
    """Publish the abundance maps that the page Explore shows beside those of the chapters.

    Of each condition that published runs of PROFILE were made for, those of the seed with the median error;
    from the local store, or from a run that is made again. Maps of large scenes are left out.
    """
    from hsu_lib.publishing.explorer import maps

    click.echo(f"{maps.publish_maps(profile, duration(budget), click.echo)} maps added")


#: What the module adds to `hsu`.
COMMANDS = (run_chapter, build_book, publish_results, publish_maps, write_notebooks)
