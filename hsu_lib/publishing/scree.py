"""The scree plot of an image: how fast its eigenvalues fall, and where estimators see them end in noise."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hsu_lib.methods.rank import Pixels
from hsu_lib.publishing import figures

_LEAST = 12  # eigenvalues that are shown, as far as there are so many


def scree(Y: NDArray, marks: Mapping[str, int], ax: Axes) -> Axes:
    r"""Eigenvalues of an image's second moment over their number, falling, with numbers of endmembers marked.

    Where there are more pixels than bands, each band is divided by the standard deviation of its noise first:
    then noise alone has eigenvalues of about 1, and of finitely many pixels up to
    :math:`(1 + \sqrt{L/N})^2`, which is drawn too.

    Parameters
    ----------
    Y
        Shape ``(bands, pixels)``, of those that count.
    marks
        Labels to numbers of endmembers; those of the same number share a line.
    """
    pixels = Pixels(Y)
    bands, count = Y.shape
    whitened = count > bands
    scale = 1 / np.sqrt(pixels.noise.variances) if whitened else np.ones(bands)
    values = np.linalg.eigvalsh(scale[:, None] * pixels.moments.second * scale)[::-1]
    shown = min(bands, max(_LEAST, 2 * max(marks.values(), default=0)))
    ax.semilogy(np.arange(1, shown + 1), values[:shown].clip(values[0] * 1e-16 or 1e-16), ".-", color="0.3")
    if whitened:
        edge = (1 + np.sqrt(bands / count)) ** 2
        ax.axhline(edge, color="0.6", linewidth=1, linestyle=":", label="most of noise alone")
    same = {
        number: [label for label in marks if marks[label] == number] for number in sorted({*marks.values()})
    }
    colours = figures.method_colours(", ".join(labels) for labels in same.values())
    for (name, colour), number in zip(colours.items(), same, strict=True):
        ax.axvline(number, color=colour, linewidth=1.5, alpha=0.8, label=f"{number}: {name}")
    ax.set(
        xlabel="number of the eigenvalue",
        ylabel="eigenvalue over that of the noise" if whitened else "eigenvalue (squared reflectance)",
    )
    if ax.get_legend_handles_labels()[0]:
        ax.legend(fontsize="small")
    return ax


def picture(Y: NDArray, marks: Mapping[str, int], title: str) -> Figure:
    """The same as a figure of its own."""
    figure, axes = figures.grid(1, 1, width=7.5, ratio=0.6)
    scree(Y, marks, axes[0, 0]).set_title(title)
    return figure
