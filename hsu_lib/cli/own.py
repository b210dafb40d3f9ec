"""`hsu look`, `rank`, `unmix` and `explore`: an image of one's own."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from hsu_lib.cli.shared import device_option, json_option
from hsu_lib.words import pairs_of


def _reading(command: Callable[..., None]) -> Callable[..., None]:
    """Options that settle how an image is read: fields of `hsu_lib.scenes.own.reading.Reading`."""
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
    ):
        command = decorate(command)
    return command


def _selecting(command: Callable[..., None]) -> Callable[..., None]:
    """Options for a part of an image: fields of `hsu_lib.scenes.own.selection.Selection`."""
    for decorate in (
        click.option(
            "--mask",
            type=click.Path(path_type=Path),
            help="Map (.npy, .mat, ENVI, TIFF, .png): 0 leaves a pixel out.",
        ),
        click.option(
            "--crop",
            type=(int, int, int, int),
            metavar="TOP LEFT HEIGHT WIDTH",
            help="Only a window; from 0.",
        ),
        click.option("--drop-bands", help="Not these bands, written alike."),
        click.option("--bands", help="Only these bands, from 1: 1-100,120-180; or wavelengths: 400-900nm."),
    ):
        command = decorate(command)
    return command


def _taken_out(options: dict[str, Any], names: str) -> dict[str, Any]:
    return {name: options.pop(name) for name in names.split()}


_READING, _PART = "variable layout size scale nodata", "bands drop_bands crop mask"
_image_argument = click.argument("image", type=click.Path(path_type=Path, exists=True))


@click.command("look")
@_image_argument
@_reading
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="The picture; by default NAME-look.png."
)
def look_at_image(image: Path, out: Path | None, **reading: Any) -> None:
    """Print what would be read of IMAGE, and draw a composite and its mean spectrum."""
    from hsu_lib.publishing.look import show

    show(image, out, click.echo, **reading)


@click.command("rank")
@click.argument("image", metavar="IMAGE")
@_reading
@_selecting
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The plot, .png or .svg; by default NAME-rank.png.",
)
@json_option
def rank_image(image: str, out: Path | None, as_json: bool, **options: Any) -> None:
    """Estimate how many endmembers IMAGE has: a file as for hsu unmix, or a scene of hsu data list.

    Every estimator finds another number, because each assumes something else; the table has a line on what.
    Most count what the noise cannot explain. Where their numbers agree, the noise is as they assume, and they
    can be trusted. On measured images it is often not: lines of a sensor, light and shadow, or materials that
    vary are counted as well, and the numbers run away. HFC counts what shows in the mean spectrum: it runs
    away less, and misses what is rare.

    The plot has the eigenvalues of the image over those of its noise. Look for where they end in the dotted
    line or, on measured images, where they stop falling fast.

    The last line has the number that hsu unmix takes where none is given, and by which rule.

    \b
    Examples
      hsu rank field.hdr                                     all estimates, plot in field-rank.png
      hsu rank field.hdr --drop-bands 104-113,148-167        without bands that are mostly noise
      hsu rank samson --json --out samson.svg                a scene of the catalogue, for programs
    """
    from hsu_lib.scenes.own.reading import Reading
    from hsu_lib.scenes.own.selection import Selection
    from hsu_lib.unmixing import rank

    part, said = _taken_out(options, _PART), _taken_out(options, _READING)
    rank.run(image, Reading(**said), Selection(**part), click.echo, out=out, as_json=as_json)


@click.command("unmix")
@_image_argument
@_reading
@click.option(
    "--method",
    help="A name from `hsu methods`; by default fclsu for given endmembers, sunsal-sure for a library, else "
    "vca-fclsu or nfindr-fclsu, whichever leaves less of the image unexplained.",
)
@click.option(
    "-p",
    "--endmembers",
    type=click.IntRange(min=1),
    help="How many endmembers to look for; by default those of a reference in the file, else the estimate of "
    "hsu rank.",
)
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
    help="What sunsal-sure and others choose endmembers from: spectra as known ones, or usgs, 240 minerals.",
)
@_selecting
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
@device_option
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
      hsu unmix field.hdr                                           as many as are estimated, see hsu rank
      hsu unmix field.hdr --endmembers-from spectra.csv             abundances of known spectra
      hsu unmix field.hdr --endmembers-from usgs:alunite,kaolinite  spectra of minerals
      hsu unmix field.hdr --library usgs                            few of many minerals, each pixel its own
      hsu unmix field.hdr -p 4 --drop-bands 104-113,148-167 --mask land.npy --crop 0 0 200 200
      hsu unmix field.hdr -p 4 --method ae-patches -s epochs=50 -s learning_rate=1e-3
      hsu unmix field.hdr -p 4 --out maps/field --format geotiff    maps for a GIS
    """
    from hsu_lib.scenes.own.reading import Reading
    from hsu_lib.scenes.own.selection import Selection
    from hsu_lib.unmixing import command

    part, said = _taken_out(options, _PART), _taken_out(options, _READING)
    asked = command.Request(
        image, Reading(**said), Selection(**part), settings=pairs_of(settings, "--set"), **options
    )
    command.run(asked, click.echo, progress=sys.stderr.isatty())


@click.command("explore")
@click.argument("results", metavar="RESULT...", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the page; by default NAME-explorer.",
)
@click.option("--open/--no-open", "opens", default=True, help="Whether to open the page in the browser.")
def explore_results(results: tuple[Path, ...], out: Path | None, opens: bool) -> None:
    """Show each RESULT of hsu unmix on a page: maps, endmembers, residual, and the pixel under the cursor.

    Several results of one image stand side by side, with their differences. The page needs no server and no
    network; its folder can be moved and sent.

    \b
    Examples
      hsu explore unmixing.npz
      hsu explore vca.npz sunsal.npz --out compared --no-open
    """
    import webbrowser

    from hsu_lib.unmixing.explore import explore

    page = explore(results, out)
    click.echo(page)
    if opens:
        webbrowser.open(page.resolve().as_uri())


#: What the module adds to `hsu`.
COMMANDS = (look_at_image, rank_image, unmix_image, explore_results)
