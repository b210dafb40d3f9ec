"""Whole figures of repeated runs: curves, seeds, doses, choices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from numpy.typing import ArrayLike

from hsu_lib.publishing.figures.colours import CYCLE, method_colours
from hsu_lib.publishing.figures.parts import by_decades, curves, grid, literal, seed_dots


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
        curves(conditions, ax, steps=steps, counted=counted, at=at).set_title(literal(scene))
    axes[0, 0].set_ylabel(ylabel)
    shown = axes[0, 0].get_legend_handles_labels()
    figure.legend(*shown, loc="outside lower center", ncols=3, fontsize="small")
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
            ax.set_title(f"{literal(scene)}\n{title}", fontsize="medium")
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
                starts[name], values, "os^vD"[k % 5], color=colours[label], alpha=0.75, label=literal(label)
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
    for colour, factor, copy in zip(CYCLE, np.asarray(factors), np.asarray(copies), strict=False):
        axes[0, 0].plot(band, factor, color=colour)
        axes[0, 1].plot(band, copy, color=colour)
    axes[0, 1].plot(band, spectrum, "k--", label="first estimate")
    for share, alpha in ((95, 0.2), (50, 0.4)):
        low, high = np.percentile(pixels, (50 - share / 2, 50 + share / 2), axis=0)
        label = f"{share} % of the pixels"
        axes[0, 2].fill_between(band, low, high, color=CYCLE[0], alpha=alpha, linewidth=0, label=label)
    axes[0, 2].plot(band, np.median(pixels, axis=0), color=CYCLE[0], label="median")
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
        _at_doses(ax, doses)
        if logarithmic:
            by_decades(ax)
        ax.title.set_fontsize("medium")
        ax.grid(alpha=0.3)
        if ax is axes.flat[0] or len(scores[name]) > len(scores[next(iter(titles))]):
            ax.legend(fontsize="small")
    for ax in axes.flat[len(titles) :]:
        ax.set_axis_off()
    return figure


def _at_doses(ax: Axes, doses: Sequence[float]) -> None:
    """Ticks where the doses are, if that is readable, and by decades if they span more than one."""
    if min(doses) > 0 and max(doses) >= 20 * min(doses):
        ax.set_xscale("log")
        ax.xaxis.set_minor_locator(NullLocator())
    labels = [f"{dose:g}" for dose in doses]
    if max(map(len, labels)) <= 4:
        ax.set_xticks(doses, labels)


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
            ax.plot(across.ravel(), dots.ravel(), marker, color=CYCLE[k], alpha=0.5, markersize=4)
            ax.plot(weights, dots.mean(axis=1), ("-", "--")[k % 2], color=CYCLE[k], label=literal(label))
        if reported and reported.get(scene) is not None:
            ax.axhline(reported[scene], color="black", linestyle=":", label="reported")
        for rule, (label, weight) in (chosen or {}).get(scene, {}).items():
            mean = np.mean(np.asarray(lines[label], dtype=float)[list(weights).index(weight)])
            look = ("o", "s", "D")[rules.index(rule) % 3]
            size = 11 + 4 * (rules.index(rule) % 3)  # one inside the other, where the choices agree
            ax.plot(weight, mean, look, mfc="none", mec="black", markersize=size, label=literal(rule))
        ax.set(title=scene, xlabel="weight of the abundances (omega)", xscale="log")
        by_decades(ax)
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
