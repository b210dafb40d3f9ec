"""Plots of the book: data and axes in, axes out. Nothing is shown, saved or styled globally here."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter
from numpy.typing import ArrayLike, NDArray

from hsu_lib.metrics import max_normalised, rmse_per_endmember
from hsu_lib.scene import Scene

#: One colour per material across the book (colour-blind safe set of Okabe and Ito, extended); the first
#: word that occurs in a material's name decides.
MATERIAL_COLOURS: Mapping[str, str] = {
    "tree": "#009E73",
    "mangrove": "#009E73",
    "veget": "#009E73",
    "grass": "#7AB800",
    "water": "#0072B2",
    "lagoon": "#0072B2",
    "asphalt": "#666666",
    "road": "#666666",
    "roof": "#D55E00",
    "metal": "#CC79A7",
    "sand": "#E69F00",
    "rock": "#E69F00",
    "soil": "#8C510A",
    "dirt": "#8C510A",
}
_CYCLE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#8C510A", "#666666")

#: One colour per method across the book, of the same set; the first phrase that occurs in the name of a
#: method or condition decides, so what is special stands before what is general.
METHOD_COLOURS: Mapping[str, str] = {
    "random": "#CC79A7",
    "pixel-wise, patches": "#D55E00",
    "pixelwise-perturbation-patches": "#D55E00",
    "pixel": "#E69F00",
    "simple, patches": "#009E73",
    "simple-perturbation-patches": "#009E73",
    "simple": "#56B4E9",
    "spacnn": "#D55E00",
    "ldvae": "#0072B2",
    "vae": "#8C510A",
    "undip": "#009E73",
    "palm": "#E69F00",
    "nmf": "#CC79A7",
    "snpa": "#56B4E9",
    "fclsu": "#222222",
    "whole image": "#666666",
    "ae-plain": "#666666",
    "patches": "#0072B2",
}

_MOST_MAPS = 6  # abundance maps in a row


def material_colour(name: str, index: int = 0) -> str:
    """Colour of a material, the same on every page; `index` chooses one for unknown names."""
    known = (colour for word, colour in MATERIAL_COLOURS.items() if word in name.lower())
    return next(known, _CYCLE[index % len(_CYCLE)])


def method_colours(names: Iterable[str]) -> dict[str, str]:
    """A colour for each method or condition of a plot: its own, or one that is free.

    Examples
    --------
    >>> method_colours(["UnDIP", "UnDIP without averaging", "SiVM + FCLSU"])
    {'UnDIP': '#009E73', 'UnDIP without averaging': '#0072B2', 'SiVM + FCLSU': '#222222'}
    """
    found: dict[str, str] = {}
    for name in dict.fromkeys(names):  # who comes first has its own colour
        own = next((colour for phrase, colour in METHOD_COLOURS.items() if phrase in name.lower()), "")
        found[name] = "" if own in found.values() else own
    free = [colour for colour in _CYCLE if colour not in found.values()]
    for k, name in enumerate(name for name, colour in found.items() if not colour):
        found[name] = (free or _CYCLE)[k % len(free or _CYCLE)]
    return found


def _words(name: str) -> str:
    """A name from data, in which dollars are dollars and not mathematics."""
    return name.replace("$", r"\$")


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
        dashes = "-" if k < len(_CYCLE) else "-."  # colours come round again
        style = {"color": material_colour(name, k), "label": _words(name), "linestyle": dashes} | line
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
            ax.set_title(_words(materials[k]))
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
        _by_decades(ax)
    return ax


def _by_decades(ax: Axes) -> None:
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


# --------------------------------------------------------------------------- whole figures


def curve_panels(
    histories: Mapping[str, Mapping[str, ArrayLike]],
    *,
    ylabel: str,
    steps: str = "epochs",
    counted: bool = False,
    at: ArrayLike | None = None,
) -> Figure:
    """One panel per scene with the `curves` of its conditions; scene to condition to ``(seeds, steps)``."""
    figure, axes = grid(1, len(histories), ratio=0.8 if len(histories) > 1 else 0.45)
    for ax, (scene, conditions) in zip(axes[0], histories.items(), strict=True):
        curves(conditions, ax, steps=steps, counted=counted, at=at).set_title(_words(scene))
    axes[0, 0].set_ylabel(ylabel)
    shown = axes[0, 0].get_legend_handles_labels()
    figure.legend(*shown, loc="outside lower center", ncols=3, fontsize="small")
    return figure


def endmember_panels(scene: Scene, estimates: Mapping[str, ArrayLike]) -> Figure:
    """One panel per estimate ``(bands, endmembers)``: solid over the dashed reference, over their maxima."""
    figure, axes = grid(-(-len(estimates) // 2), 2, ratio=0.62)
    look: dict[str, Any] = {"wavelengths": scene.wavelengths, "materials": scene.materials}
    assert scene.E is not None
    for ax, (label, E) in zip(axes.flat, estimates.items(), strict=False):
        spectra(max_normalised(scene.E), ax, **look, linestyle="--", linewidth=1, label=None)
        spectra(max_normalised(E), ax, **look)
        ax.set(title=label, ylabel="over its maximum")
    axes[0, 0].plot([], [], "--", color="grey", linewidth=1, label="reference")
    axes[0, 0].legend(fontsize="small")
    for ax in axes.flat[len(estimates) :]:
        ax.set_axis_off()
    return figure


def scene_panels(scene: Scene) -> Figure:
    """A scene's picture: composite, reference endmembers and, where it has them, reference abundances."""
    maps = 0 if scene.A is None else len(scene.A)
    rows = -(-maps // _MOST_MAPS)
    figure = plt.figure(figsize=(9, 2.7 * (1 + rows) if rows else 3.2), layout="constrained")
    parts = figure.subfigures(1 + bool(rows), 1, squeeze=False, height_ratios=[1, rows][: 1 + bool(rows)])
    wide = scene.width > 1.4 * scene.height
    left, right = parts[0, 0].subplots(1, 2, width_ratios=[1.2 if wide else 0.8, 1.5])
    rgb(scene, left)
    if scene.E is not None:
        spectra(scene.E, right, wavelengths=scene.wavelengths, materials=scene.materials)
        beside = {"loc": "center left", "bbox_to_anchor": (1, 0.5)} if len(scene.E.T) > _MOST_MAPS else {}
        right.legend(fontsize="small", **beside)
    if scene.A is not None:
        axes = list(parts[1, 0].subplots(rows, -(-maps // rows), squeeze=False).flat)
        titles = [textwrap.fill(material, 16) for material in scene.materials]
        abundance_maps(scene.A, axes[:maps], materials=titles)
        for ax in axes[maps:]:
            ax.set_axis_off()
    return figure


def map_panels(scene: Scene, estimates: Mapping[str, ArrayLike], *, top: float = 1.0) -> Figure:
    """Reference maps, then a row with its RMSE per estimate, shape ``(endmembers, height, width)``.

    A scene without reference abundances has neither a first row nor errors. Of many endmembers at most six
    stand side by side, and the next ones below all rows of these. Colours end at `top`.
    """
    shown: dict[str, ArrayLike] = {} if scene.A is None else {"reference": scene.A}
    shown |= estimates
    count = len(np.asarray(next(iter(estimates.values()))))
    blocks = np.array_split(np.arange(count), -(-count // _MOST_MAPS))
    columns, ratio = len(blocks[0]), scene.height / scene.width
    figure, axes = grid(
        len(blocks) * len(shown),
        columns,
        width=min(9.0, 2.2 * columns + 1),
        ratio=ratio * (1.25 if blocks[1:] else 1),
    )
    for row, (block, (label, A)) in enumerate(product(blocks, shown.items())):
        maps, notes = np.asarray(A)[block], []
        if scene.A is not None and A is not scene.A:
            notes = [f"RMSE {100 * error:.0f} %" for error in rmse_per_endmember(maps, scene.A[block])]
        names = [scene.materials[k] for k in block] if row % len(shown) == 0 else ()
        abundance_maps(maps, list(axes[row, : len(block)]), materials=names, notes=notes, top=top)
        axes[row, 0].set_ylabel(label.replace(", ", ",\n"))
        if len(blocks) > 1:  # small ones
            axes[row, 0].set_ylabel(textwrap.fill(label, 11), fontsize="small")
            for ax in axes[row]:
                ax.title.set_fontsize("small")
        for ax in axes[row, len(block) :]:
            ax.set_axis_off()
    return figure


def material_panels(
    estimates: Mapping[str, ArrayLike],
    reference: ArrayLike,
    materials: Sequence[str],
    *,
    wavelengths: ArrayLike | None = None,
) -> Figure:
    """One panel per material: its spectrum of each estimate over the dashed reference, over their maxima.

    Parameters
    ----------
    estimates
        Label to endmembers ``(bands, materials)``.
    reference
        Of the same shape.
    materials, wavelengths
        Titles of the panels, and nm of the bands where known.
    """
    figure, axes = grid(-(-len(materials) // 3), 3, ratio=0.6)
    colours = method_colours(estimates)
    lines = {label: (E, "-", colours[label]) for label, E in estimates.items()}
    lines["reference"] = (reference, "--", "black")
    for k, (ax, material) in enumerate(zip(axes.flat, materials, strict=False)):
        for label, (E, dashes, colour) in lines.items():
            look: dict[str, Any] = {
                "label": _words(label),
                "linestyle": dashes,
                "color": colour,
                "linewidth": 1,
            }
            spectra(max_normalised(E)[:, [k]], ax, wavelengths=wavelengths, **look)
        ax.set_title(_words(material), fontsize="small")
        ax.set(ylabel="over its maximum" if k % 3 == 0 else "")
        if k + 3 < len(materials):
            ax.set(xlabel="", xticklabels=[])
    for ax in axes.flat[len(materials) :]:
        ax.set_axis_off()
    drawn = axes[0, 0].get_legend_handles_labels()
    figure.legend(*drawn, loc="outside lower center", ncols=len(lines), fontsize="small")
    return figure


def map_row(A: ArrayLike, materials: Sequence[str], title: str) -> Figure:
    """One row of abundance maps, shape ``(endmembers, height, width)``, under a title: a frame of a movie."""
    A = np.asarray(A)
    figure, axes = grid(1, len(A), width=min(9.0, 2.2 * len(A) + 1), ratio=A.shape[1] / A.shape[2] + 0.2)
    abundance_maps(A, axes[0], materials=materials)
    figure.suptitle(title)
    return figure


def seed_panels(
    scores: Mapping[str, Mapping[str, Mapping[str, ArrayLike]]],
    titles: Mapping[str, str],
    *,
    reported: Mapping[str, Mapping[str, Mapping[str, float]]] | None = None,
) -> Figure:
    """One row of `seed_dots` per scene, one panel per score.

    Parameters
    ----------
    scores
        Scene to score to condition to values.
    titles
        Score to the title of its panel.
    reported
        Scene to score to condition to the document's figure; what is not compared with one may be missing.
    """
    most = max(len(groups) for by_score in scores.values() for groups in by_score.values())
    figure, axes = grid(len(scores), len(titles), ratio=max(0.47, 0.16 + 0.07 * most))
    for row, (scene, by_score) in zip(axes, scores.items(), strict=True):
        for ax, (name, title) in zip(row, titles.items(), strict=True):
            theirs = (reported or {}).get(scene, {}).get(name)
            seed_dots(by_score[name], ax, reported=theirs)
            ax.set_title(f"{_words(scene)}\n{title}", fontsize="medium")
        for ax in row[1:]:
            ax.set_yticklabels([])
    return figure


def start_panels(
    starts: Mapping[str, ArrayLike], ends: Mapping[str, Mapping[str, ArrayLike]], titles: Mapping[str, str]
) -> Figure:
    """What conditions end with over what they start from, a dot per seed, and the line where both are equal.

    Parameters
    ----------
    starts
        Score to the values of what they start from, one per seed.
    ends
        Score to condition to its values, by the same seeds.
    titles
        Score to the title of its panel.
    """
    figure, axes = grid(1, len(titles), ratio=0.8)
    for ax, (name, title) in zip(axes[0], titles.items(), strict=True):
        colours = method_colours(ends[name])
        for k, (label, values) in enumerate(ends[name].items()):
            ax.plot(
                starts[name], values, "os^vD"[k % 5], color=colours[label], alpha=0.75, label=_words(label)
            )
        x = np.asarray(starts[name], dtype=float)
        ax.plot([x.min(), x.max()], [x.min(), x.max()], color="black", linewidth=1, label="as it started")
        ax.set(title=title, xlabel="first estimate", ylabel="after training on images made from it")
        ax.title.set_fontsize("medium")
        ax.grid(alpha=0.3)
    shown = axes[0, 0].get_legend_handles_labels()
    figure.legend(*shown, loc="outside lower center", ncols=3, fontsize="small")
    return figure


def perturbation_panels(
    spectrum: ArrayLike, factors: ArrayLike, copies: ArrayLike, pixels: ArrayLike
) -> Figure:
    """Random functions of the band, a spectrum times each, and the spread of one of these over pixels.

    Parameters
    ----------
    spectrum
        Shape ``(bands,)``.
    factors, copies
        Shape ``(copies, bands)``.
    pixels
        Shape ``(pixels, bands)``.
    """
    figure, axes = grid(1, 3, ratio=0.8)
    pixels, band = np.asarray(pixels), np.arange(len(np.asarray(spectrum)))
    for colour, factor, copy in zip(_CYCLE, np.asarray(factors), np.asarray(copies), strict=False):
        axes[0, 0].plot(band, factor, color=colour)
        axes[0, 1].plot(band, copy, color=colour)
    axes[0, 1].plot(band, spectrum, "k--", label="first estimate")
    for share, alpha in ((95, 0.2), (50, 0.4)):
        low, high = np.percentile(pixels, (50 - share / 2, 50 + share / 2), axis=0)
        label = f"{share} % of the pixels"
        axes[0, 2].fill_between(band, low, high, color=_CYCLE[0], alpha=alpha, linewidth=0, label=label)
    axes[0, 2].plot(band, np.median(pixels, axis=0), color=_CYCLE[0], label="median")
    for ax, title in zip(axes[0], ("functions", "one per image", "one per pixel more"), strict=True):
        ax.set(title=title, xlabel="band index")
    axes[0, 0].set_ylabel("factor")
    axes[0, 1].set_ylabel("over its maximum")
    for ax in axes[0, 1:]:
        ax.set_ylim(0, None)
        ax.legend(fontsize="small")
    return figure


def dose_panels(
    doses: Sequence[float],
    scores: Mapping[str, Mapping[str, Sequence[ArrayLike | None]]],
    titles: Mapping[str, str],
    *,
    xlabel: str,
    reported: Mapping[str, Sequence[float | None]] | None = None,
    reported_as: str = "reported, one run",
    logarithmic: bool = False,
) -> Figure:
    """Scores over a parameter: every seed a dot, the mean a line, what is reported a diamond.

    Parameters
    ----------
    doses
        Values of the parameter.
    scores
        Score to condition to one array ``(seeds,)`` per dose, or None where it was not tried.
    titles
        Score to the title of its panel.
    reported
        Score to one figure per dose, or None where there is none.
    reported_as
        What the legend calls them.
    logarithmic
        Whether scores that span a decade are drawn on a logarithmic scale.
    """
    figure, axes = grid(-(-len(titles) // 2), min(len(titles), 2), ratio=0.75)
    colours = method_colours(label for name in titles for label in scores[name])
    for ax, (name, title) in zip(axes.flat, titles.items(), strict=False):
        for label, groups in scores[name].items():
            tried = [
                (dose, np.asarray(values, dtype=float))
                for dose, values in zip(doses, groups, strict=True)
                if values is not None
            ]
            for dose, dots in tried:
                ax.plot(np.full(len(dots), dose), dots, "o", color=colours[label], alpha=0.5, markersize=4)
            means = [float(dots.mean()) for _, dots in tried]
            ax.plot([dose for dose, _ in tried], means, color=colours[label], label=label)
        theirs = (reported or {}).get(name, ())
        given = [(x, y) for x, y in zip(doses, theirs, strict=False) if y is not None]
        if given:
            ax.plot(*zip(*given, strict=True), "D", mfc="none", mec="black", label=reported_as)
        ax.set(title=title, xlabel=xlabel)
        if logarithmic:
            _by_decades(ax)
        ax.title.set_fontsize("medium")
        ax.grid(alpha=0.3)
        if ax is axes.flat[0] or len(scores[name]) > len(scores[next(iter(titles))]):
            ax.legend(fontsize="small")
    for ax in axes.flat[len(titles) :]:
        ax.set_axis_off()
    return figure


def choice_panels(
    weights: Sequence[float],
    scores: Mapping[str, Mapping[str, ArrayLike]],
    *,
    ylabel: str,
    reported: Mapping[str, float | None] | None = None,
    chosen: Mapping[str, Mapping[str, tuple[str, float]]] | None = None,
) -> Figure:
    """Scores over a weight that is chosen, a panel per scene: seeds as dots, their mean as a line.

    Parameters
    ----------
    weights
        Above 0, in rising order; their axis is logarithmic.
    scores
        Scene to line to an array ``(weights, seeds)``.
    ylabel
        Name of the score, with its unit.
    reported
        Scene to what the document prints: a dashed line across.
    chosen
        Scene to rule to its choice, a line and a weight: a mark for each rule around the mean.
    """
    figure, axes = grid(1, len(scores), ratio=0.95 if len(scores) > 1 else 0.6)
    rules = list(dict.fromkeys(rule for marks in (chosen or {}).values() for rule in marks))
    for ax, (scene, lines) in zip(axes[0], scores.items(), strict=True):
        for k, (label, values) in enumerate(lines.items()):
            dots, marker = np.asarray(values, dtype=float), "o^sv"[k % 4]
            across = np.repeat(np.asarray(weights, dtype=float)[:, None], dots.shape[1], axis=1)
            ax.plot(across.ravel(), dots.ravel(), marker, color=_CYCLE[k], alpha=0.5, markersize=4)
            ax.plot(weights, dots.mean(axis=1), ("-", "--")[k % 2], color=_CYCLE[k], label=_words(label))
        if reported and reported.get(scene) is not None:
            ax.axhline(reported[scene], color="black", linestyle=":", label="reported")
        for rule, (label, weight) in (chosen or {}).get(scene, {}).items():
            mean = np.mean(np.asarray(lines[label], dtype=float)[list(weights).index(weight)])
            look = ("o", "s", "D")[rules.index(rule) % 3]
            size = 11 + 4 * (rules.index(rule) % 3)  # one inside the other, where the choices agree
            ax.plot(weight, mean, look, mfc="none", mec="black", markersize=size, label=_words(rule))
        ax.set(title=scene, xlabel="weight of the abundances (omega)", xscale="log")
        _by_decades(ax)
        ax.title.set_fontsize("medium")
        ax.grid(alpha=0.3)
    axes[0, 0].set_ylabel(ylabel)
    entries = {
        text: line for ax in axes[0] for line, text in zip(*ax.get_legend_handles_labels(), strict=True)
    }
    figure.legend(
        list(entries.values()), list(entries), loc="outside upper center", ncols=3, fontsize="small"
    )
    return figure


def set_panels(scene: Scene, sets: Mapping[str, Sequence[ArrayLike]]) -> Figure:
    """Many sets of endmembers, each ``(bands, endmembers)``, drawn over each other, a panel per title."""
    figure, axes = grid(-(-len(sets) // 2), 2, ratio=0.62)
    assert scene.E is not None
    for ax, (title, many) in zip(axes.flat, sets.items(), strict=False):
        look: dict[str, Any] = {"wavelengths": scene.wavelengths, "materials": scene.materials}
        faint = float(np.clip(15 / len(many), 0.15, 0.8))
        for E in many:
            spectra(E, ax, **look, linewidth=0.5, alpha=faint, label=None)
        spectra(max_normalised(scene.E), ax, **look, linestyle="--", linewidth=1.5)
        ax.set(title=title, ylabel="over its maximum", ylim=(0, 1.1))
    axes[0, 0].legend(fontsize="small")
    return figure


def latent_panels(latents: Mapping[str, ArrayLike], losses: Mapping[str, ArrayLike]) -> Figure:
    """Latent means, shape ``(sets, latent)`` of which the first two are drawn, and loss per epoch."""
    figure, axes = grid(1, 2, ratio=0.75)
    colours = method_colours(latents)
    for label, z in latents.items():
        z = np.asarray(z)
        second = z[:, 1] if z.shape[1] > 1 else np.zeros(len(z))
        axes[0, 0].plot(z[:, 0], second, "o", color=colours[label], alpha=0.6, markersize=4, label=label)
        axes[0, 1].plot(np.asarray(losses[label]), color=colours[label], label=label)
    axes[0, 0].set(title="latent means", xlabel="first latent number", ylabel="second latent number")
    axes[0, 1].set(title="loss of the VAE", xlabel="epoch", ylabel="loss per set", yscale="log")
    for ax in axes[0]:
        ax.legend(fontsize="small")
    return figure
