"""Plots of what models with a spectrum for each pixel leave of an image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from numpy.typing import ArrayLike

from hsu_lib.publishing.figures.colours import method_colours
from hsu_lib.publishing.figures.parts import grid
from hsu_lib.solvers.left_over import Left


def left_panels(cases: Mapping[str, Left], weights: Sequence[float], shown: int) -> Figure:
    """Shares of the residuals of the pixels at one of the weights, and errors over all weights."""
    figure, axes = grid(1, 2, ratio=0.8)
    colours, pixels, curve = method_colours(cases), axes[0, 0], np.linspace(0, 1, 100)
    kappa = weights[shown]
    pixels.plot(curve, kappa / (kappa + curve), color="black", linewidth=1, label="the formula")
    for k, (name, left) in enumerate(cases.items()):
        some = slice(None, None, max(1, left.power.size // 150))
        look = {"color": colours[name], "alpha": 0.5, "label": name}
        pixels.plot(left.power[some], left.shares[shown, some], "os^"[k % 3], markersize=4, **look)
        axes[0, 1].loglog(weights, 100 * left.errors, color=colours[name], label=name)
    pixels.set(
        xlabel="sum of the squared abundances",
        ylabel="share of the residual that is left",
        ylim=(0, 1),
        title=f"every dot a pixel, weight {kappa:g}",
    )
    axes[0, 1].set(
        xlabel="weight", ylabel="relative error of the reconstruction (%)", title="the whole image"
    )
    pixels.legend(fontsize="small")
    axes[0, 1].legend(fontsize="small")
    return figure


def error_panel(errors: Mapping[str, tuple[ArrayLike, ArrayLike]]) -> Figure:
    """RMSE of the abundances over the relative error of the reconstruction, both in percent, by method."""
    figure, axes = grid(1, 1, ratio=0.5)
    ax, colours = axes[0, 0], method_colours(errors)
    for k, (name, (x, y)) in enumerate(errors.items()):
        look = {"color": colours[name], "alpha": 0.75, "label": name, "markersize": 6}
        ax.plot(100 * np.asarray(x), 100 * np.asarray(y), "os^vDP*X"[k % 8], **look)
    ax.set(
        xscale="log",
        xlabel="relative error of the reconstruction (%)",
        ylabel="RMSE of the abundances (%)",
        ylim=(0, None),
    )
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.grid(alpha=0.3)
    figure.legend(loc="outside right center", fontsize="small")
    return figure
