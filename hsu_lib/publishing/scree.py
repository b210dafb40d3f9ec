"""The scree plot of an image: how fast its eigenvalues fall, and where estimators see them end in noise."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from hsu_lib.methods.rank import ESTIMATORS, Pixels
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
        Labels of estimators to numbers of endmembers; those of the same number share a line.
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
    colours = figures.method_colours(estimator.label for estimator in ESTIMATORS.values())
    for number in sorted({*marks.values()}):
        labels = [label for label in marks if marks[label] == number]
        told = f"{number}: {', '.join(labels)}"
        ax.axvline(number, color=colours[labels[0]], linewidth=1.5, alpha=0.8, label=told)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set(
        xlabel="number of the eigenvalue",
        ylabel="eigenvalue over that of the noise" if whitened else "eigenvalue (squared reflectance)",
    )
    if ax.get_legend_handles_labels()[0]:
        ax.legend(fontsize="small")
    return ax


def scree_panels(images: Mapping[str, tuple[NDArray, Mapping[str, int]]]) -> Figure:
    """A panel for each image: title to pixels and marks, as those of `scree`."""
    figure, axes = figures.grid(
        -(-len(images) // 2), min(len(images), 2), ratio=0.7 if len(images) > 1 else 0.5
    )
    for ax, (title, (Y, marks)) in zip(axes.flat, images.items(), strict=False):
        scree(Y, marks, ax).set_title(title, fontsize="medium")
    for ax in axes.flat[len(images) :]:
        ax.set_axis_off()
    return figure
