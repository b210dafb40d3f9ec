"""Whole figures of one image: the scene, its endmembers, its maps."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from hsu_lib.metrics import max_normalised, rmse_per_endmember
from hsu_lib.publishing.figures.colours import method_colours
from hsu_lib.publishing.figures.parts import abundance_maps, grid, literal, rgb, spectra
from hsu_lib.scene import Scene

_MOST_MAPS = 6  # abundance maps in a row


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
                "label": literal(label),
                "linestyle": dashes,
                "color": colour,
                "linewidth": 1,
            }
            spectra(max_normalised(E)[:, [k]], ax, wavelengths=wavelengths, **look)
        ax.set_title(literal(material), fontsize="small")
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
