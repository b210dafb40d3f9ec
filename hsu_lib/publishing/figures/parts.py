"""What figures are put together from: data and axes in, axes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter
from numpy.typing import ArrayLike, NDArray

from hsu_lib.publishing.figures.colours import CYCLE, material_colour, method_colours
from hsu_lib.scene import Scene


def grid(rows: int, columns: int, *, width: float = 9.0, ratio: float = 1.0) -> tuple[Figure, NDArray]:
    """Figure with ``rows x columns`` axes, always a 2-D array; `ratio` is height over width of one."""
    size = (width, width / columns * ratio * rows)
    return plt.subplots(rows, columns, figsize=size, squeeze=False, layout="constrained")


def composite(scene: Scene) -> NDArray[np.float64]:
    """Three bands, stretched to the 2nd and 98th percentile, shape ``(height, width, 3)``, 0 to 1.

    Near 650, 550 and 450 nm where the wavelengths are known and visible; else at 5/8, 3/8 and 1/8 of the
    bands. Pixels that do not count are white.
    """
    if scene.wavelengths is not None:
        bands = [int(np.abs(scene.wavelengths - nm).argmin()) for nm in (650, 550, 450)]
    if scene.wavelengths is None or len(set(bands)) == 1:
        bands = [scene.bands * k // 8 for k in (5, 3, 1)]
    image = scene.Y[bands].transpose(1, 2, 0)
    low, high = np.nanpercentile(image, (2, 98))  # of all three at once, which keeps the hue
    shown = np.clip((image - low) / np.maximum(high - low, 1e-9), 0, 1)
    return np.where(np.isnan(shown), 1.0, shown)


def rgb(scene: Scene, ax: Axes) -> Axes:
    """The `composite` of a scene."""
    ax.imshow(composite(scene), interpolation="nearest")
    ax.set(xticks=[], yticks=[])
    return ax


def spectra(
    E: ArrayLike,
    ax: Axes,
    *,
    wavelengths: ArrayLike | None = None,
    materials: Sequence[str] = (),
    **line: Any,
) -> Axes:
    """One line per endmember, over wavelength in nm where known, else over the band's index.

    Parameters
    ----------
    E
        Shape ``(bands, endmembers)``.
    materials
        Names, for the colours and (unless ``label`` is given) the legend.
    **line
        For ``Axes.plot``.
    """
    E = np.asarray(E)
    x = np.arange(len(E)) if wavelengths is None else np.asarray(wavelengths)
    x, E = _along(np.asarray(x, dtype=float), E)
    steps = np.abs(np.diff(x))
    usual = np.median(steps[steps > 0]) if steps.any() else np.inf
    gaps = np.flatnonzero(steps > 5 * usual) + 1 if len(x) > 2 else np.array([], dtype=int)
    for k, spectrum in enumerate(E.T):
        name = materials[k] if k < len(materials) else f"endmember {k + 1}"
        dashes = "-" if k < len(CYCLE) else "-."  # colours come round again
        style = {"color": material_colour(name, k), "label": literal(name), "linestyle": dashes} | line
        # removed bands leave a gap, not a straight line
        ax.plot(np.insert(x, gaps, np.nan), np.insert(spectrum, gaps, np.nan), **style)
    ax.set(xlabel="band index" if wavelengths is None else "wavelength (nm)", ylabel="reflectance")
    return ax


def _along(x: NDArray, E: NDArray) -> tuple[NDArray, NDArray]:
    """Bands in the order of their wavelengths, unless they rise or fall already: detectors may overlap."""
    steps = np.diff(x)
    if (steps >= 0).all() or (steps <= 0).all():
        return x, E
    order = np.argsort(x, kind="stable")
    return x[order], E[order]


def abundance_maps(
    A: ArrayLike,
    axes: Sequence[Axes],
    *,
    materials: Sequence[str] = (),
    notes: Sequence[str] = (),
    top: float = 1.0,
) -> Sequence[Axes]:
    """One map per endmember, all on the scale 0 to `top`, with one colour bar at the right.

    Parameters
    ----------
    A
        Shape ``(endmembers, height, width)``.
    axes
        One per endmember.
    materials, notes
        Title above each map, and a short text (its score) under it.
    top
        Abundance at the upper end of the colours; what is above has the same colour.
    """
    A = np.asarray(A)
    drawn = None
    for k, ax in enumerate(axes):
        drawn = ax.imshow(A[k], vmin=0, vmax=top, cmap="viridis", interpolation="nearest")
        ax.set(xticks=[], yticks=[])
        if k < len(materials):
            ax.set_title(literal(materials[k]))
        if k < len(notes):
            ax.set_xlabel(notes[k])
    if drawn is not None:
        figure = axes[0].figure
        figure.colorbar(
            drawn, ax=list(axes), label="abundance", ticks=(0, top / 2, top), shrink=0.85, pad=0.01
        )
    return axes


def curves(
    histories: Mapping[str, ArrayLike],
    ax: Axes,
    *,
    steps: str = "epochs",
    counted: bool = False,
    at: ArrayLike | None = None,
) -> Axes:
    """Median curve of each condition over its seeds with the range of all seeds behind it.

    Parameters
    ----------
    histories
        Condition to an array of shape ``(seeds, steps)``.
    steps
        What the steps are called.
    counted
        Draw over the number of steps, on a logarithmic scale that shows the first ones, and not over the
        share of the training, which suits conditions of unequal length.
    at
        With `counted`, the numbers of the steps, where they are not all steps from 1; within a decade, their
        scale is not logarithmic.
    """
    colours = method_colours(histories)
    for name, runs in histories.items():
        values = np.atleast_2d(np.asarray(runs))
        count = values.shape[1]
        every = np.arange(1, count + 1) if at is None else np.asarray(at)
        x = every if counted else np.linspace(0, 1, count) * 100
        ax.fill_between(
            x, values.min(axis=0), values.max(axis=0), color=colours[name], alpha=0.2, linewidth=0
        )
        label = name if counted else f"{name} ({count} {steps})"
        ax.plot(x, np.median(values, axis=0), color=colours[name], label=label)
    ax.set(xlabel=steps if counted else "training done (%)", yscale="log")
    if counted:
        ax.set_xscale("log" if at is None or np.max(at) >= 10 * np.min(at) else "linear")
        by_decades(ax)
    return ax


def by_decades(ax: Axes) -> None:
    """A logarithmic scale of the values, unless they span less than a decade."""
    values = np.concatenate([np.asarray(line.get_ydata(), dtype=float) for line in ax.lines])
    values = values[np.isfinite(values) & (values > 0)]
    wide = values.size > 0 and values.max() >= 10 * values.min()
    ax.set_yscale("log" if wide else "linear")
    if wide and values.max() < 200 * values.min():  # few decades are read as plain numbers
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))
        ax.yaxis.set_minor_formatter(NullFormatter())


def seed_dots(
    groups: Mapping[str, ArrayLike], ax: Axes, *, reported: Mapping[str, float] | None = None
) -> Axes:
    """Every seed as a dot, the mean as a bar and, where there is one, the reported figure as a diamond.

    Parameters
    ----------
    groups
        Condition to its scores, one per seed.
    reported
        Condition to the document's figure.
    """
    colours = method_colours(groups)
    for k, (name, values) in enumerate(groups.items()):
        values = np.asarray(values, dtype=float)
        spread = np.linspace(-0.12, 0.12, len(values)) if len(values) > 1 else np.zeros(1)
        ax.plot(values, k + spread, "o", color=colours[name], alpha=0.75, markersize=5)
        ax.plot([values.mean()] * 2, [k - 0.28, k + 0.28], color=colours[name], linewidth=2.5)
        if reported and name in reported:
            ax.plot(reported[name], k, "D", markerfacecolor="none", markeredgecolor="black", markersize=8)
    ax.set_yticks(range(len(groups)), list(groups))
    ax.set_ylim(len(groups) - 0.5, -0.5)
    ax.xaxis.set_major_locator(MaxNLocator(5))
    ax.grid(axis="x", alpha=0.3)
    return ax


def literal(name: str) -> str:
    """A name from data, in which dollars are dollars and not mathematics."""
    return name.replace("$", r"\$")
