"""The command `hsu look`: a table and a picture of an image of one's own."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from hsu_lib.atomic import write_atomically
from hsu_lib.errors import InputError, option
from hsu_lib.publishing import figures
from hsu_lib.scene import Scene
from hsu_lib.scenes.own.look import look

_MADE_BY = "hsu look"


def show(path: Path, out: Path | None, tell: Callable[[str], Any], **reading: Any) -> None:
    """Tell what a file holds and how it would be read, and draw it.

    Parameters
    ----------
    path
        Of the image.
    out
        Where the picture goes; by default ``NAME-look.png`` in the current folder.
    tell
        Takes a line.
    **reading
        Arguments of `hsu_lib.scenes.read_image`.

    Raises
    ------
    InputError
        If the numbers of the image cannot be found, or `out` is there and no picture of this command.
    """
    out = Path(f"{path.stem}-look.png") if out is None else out
    if out.exists() and _MADE_BY.encode() not in out.read_bytes()[:1000]:
        raise InputError(
            f"{out}: is there already, and no picture of {_MADE_BY}; give another {option('out')}"
        )
    found = look(path, **reading)
    width = max(map(len, found.facts))
    for name, value in found.facts.items():
        tell(f"{name:{width}}  {value}")
    for note in found.notes:
        tell(f"- {note}")
    if found.refusal is not None:
        tell(f"hsu unmix would refuse it: {found.refusal.for_command_line}")
    figure = picture(found.small, "reflectance" if found.refusal is None else "stored number")
    file = io.BytesIO()
    FigureCanvasAgg(figure).print_png(file, metadata={"Software": _MADE_BY})
    write_atomically(out, file.getvalue())
    tell(str(out))


def picture(scene: Scene, quantity: str) -> Figure:
    """Composite, and mean spectrum with the range of most pixels; of bounded size whatever the image's."""
    figure, axes = figures.grid(1, 2, ratio=0.75)
    figures.rgb(scene, axes[0, 0]).set_title("composite")
    if not 0.1 < scene.height / scene.width < 10:
        axes[0, 0].set_aspect("auto")
    pixels = scene.pixels if scene.mask is None else scene.Y[:, scene.mask]
    low, middle, high = np.percentile(pixels, (5, 50, 95), axis=1)
    spectra = np.stack([pixels.mean(axis=1), middle, low, high], axis=1)
    names = ("mean", "median", "5th percentile", "95th percentile")
    ax = figures.spectra(spectra, axes[0, 1], wavelengths=scene.wavelengths, materials=names)
    ax.set(ylabel=quantity, title=f"spectra of {pixels.shape[1]} pixels")
    ax.legend(fontsize="small")
    return figure
