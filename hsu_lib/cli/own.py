"""`hsu look` and `unmix`: an image of one's own."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from hsu_lib.cli.shared import device_option
from hsu_lib.words import pairs_of


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


@click.command("look")
@_reading
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="The picture; by default NAME-look.png."
)
def look_at_image(image: Path, out: Path | None, **reading: Any) -> None:
    """Print what would be read of IMAGE, and draw a composite and its mean spectrum."""
    from hsu_lib.publishing.look import show

    show(image, out, click.echo, **reading)


@click.command("unmix")
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
@click.option("--endmembers-scale", type=float, help="Divide the known spectra by this to get reflectance.")
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
      hsu unmix field.hdr --endmembers-from spectra.csv             abundances of known spectra
      hsu unmix field.hdr --endmembers-from usgs:alunite,kaolinite  spectra of minerals
      hsu unmix field.hdr -p 4 --drop-bands 104-113,148-167 --mask land.npy --crop 0 0 200 200
      hsu unmix field.hdr -p 4 --method ae-patches -s epochs=50 -s learning_rate=1e-3
      hsu unmix field.hdr -p 4 --out maps/field --format geotiff    maps for a GIS
    """
    from hsu_lib.scenes.own.reading import Reading
    from hsu_lib.scenes.own.selection import Selection
    from hsu_lib.unmixing import command

    said = {name: options.pop(name) for name in ("variable", "layout", "size", "scale", "nodata")}
    part = {name: options.pop(name) for name in ("bands", "drop_bands", "crop", "mask")}
    asked = command.Request(
        image, Reading(**said), Selection(**part), settings=pairs_of(settings, "--set"), **options
    )
    command.run(asked, click.echo, progress=sys.stderr.isatty())


#: What the module adds to `hsu`.
COMMANDS = (look_at_image, unmix_image)
