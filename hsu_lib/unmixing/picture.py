"""The picture of a result: composite, spectra, maps, residual, of bounded size whatever the image's."""

from __future__ import annotations

import io
from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hsu_lib.publishing import figures
from hsu_lib.scene import Scene
from hsu_lib.unmixing.result import MADE_BY, Result

_SIDE = 800  # pixels of a map, at most
_MOST = 11  # maps; of more endmembers those with the largest abundance
_COLUMNS = 4
_LONG = 6.0  # beyond this ratio of sides maps are stretched


def drawn(result: Result, small: Scene) -> Figure:
    """Figure of a result.

    Parameters
    ----------
    result
        What is drawn.
    small
        The image, or pixels of it that are evenly spread, for the composite.
    """
    shown = _shown(result)
    names = [figures.literal(_short(result.materials[k])) for k in shown]
    step = max(1, -(-max(result.rmse.shape) // _SIDE))
    maps, residual = result.A[shown, ::step, ::step], result.rmse[::step, ::step]
    rows = -(-(len(shown) + 1) // _COLUMNS)
    height, width = result.rmse.shape
    tall = float(np.clip(height / width, 0.35, 1.6)) if 1 / _LONG < height / width < _LONG else 0.75
    figure = plt.figure(figsize=(11, min(3.2 + rows * 2.9 * tall, 16)), layout="constrained")
    top, below = list(figure.subfigures(2, 1, squeeze=False, height_ratios=[3.2, rows * 2.9 * tall])[:, 0])
    left, right = top.subplots(1, 2, width_ratios=[1, 1.7])
    figures.rgb(small, left).set_title("composite")
    figures.spectra(result.E[:, shown], right, wavelengths=result.wavelengths, materials=names)
    right.set_title(_title(result, shown))
    right.legend(fontsize="x-small", loc="center left", bbox_to_anchor=(1, 0.5))
    axes = below.subplots(rows, _COLUMNS, squeeze=False)
    places = list(axes.flat)
    for ax, values, name in zip(places, maps, names, strict=False):
        seen = ax.imshow(values, vmin=0, vmax=1, cmap="viridis", interpolation="nearest")
        ax.set_title(name, fontsize="small")
    below.colorbar(seen, ax=list(axes[:, :-1].flat), label="abundance", shrink=0.85, pad=0.01)
    ax = places[-1]
    worst = float(np.nanpercentile(residual, 99)) or 1.0
    seen = ax.imshow(residual, vmin=0, vmax=worst, cmap="magma", interpolation="nearest")
    ax.set_title("residual (RMSE)", fontsize="small")
    below.colorbar(seen, ax=ax, shrink=0.85)
    for ax in places[len(shown) : -1]:
        ax.set_axis_off()
    for ax in (left, *places):
        _plain(ax, height / width)
    return figure


def png(result: Result, small: Scene) -> bytes:
    """The picture as a file that tells who made it."""
    figure = drawn(result, small)
    try:
        file = io.BytesIO()
        FigureCanvasAgg(figure).print_png(file, metadata={"Software": MADE_BY})
        return file.getvalue()
    finally:
        plt.close(figure)


def _shown(result: Result) -> NDArray[np.intp]:
    """Endmembers whose maps are drawn, in their order."""
    if len(result.A) <= _MOST:
        return np.arange(len(result.A))
    means = np.nanmean(result.A.reshape(len(result.A), -1), axis=1)
    return np.sort(np.argsort(-means, kind="stable")[:_MOST])


def _title(result: Result, shown: Sequence[int] | NDArray) -> str:
    every = len(result.materials)
    return "endmembers" if len(shown) == every else f"the {len(shown)} most abundant of {every} endmembers"


def _short(name: str) -> str:
    return name if len(name) <= 24 else f"{name[:22]}.."


def _plain(ax: Axes, ratio: float) -> None:
    ax.set(xticks=[], yticks=[])
    if not 1 / _LONG < ratio < _LONG:
        ax.set_aspect("auto")
