"""Plots of the book: data in, figures out. Nothing is shown, saved or styled globally here."""

from hsu_lib.publishing.figures.colours import material_colour, method_colours
from hsu_lib.publishing.figures.images import (
    endmember_panels,
    latent_panels,
    map_panels,
    map_row,
    material_panels,
    scene_panels,
    set_panels,
)
from hsu_lib.publishing.figures.left_over import error_panel, left_panels
from hsu_lib.publishing.figures.parts import (
    abundance_maps,
    composite,
    curves,
    grid,
    literal,
    rgb,
    seed_dots,
    spectra,
)
from hsu_lib.publishing.figures.repeats import (
    choice_panels,
    curve_panels,
    dose_panels,
    perturbation_panels,
    seed_panels,
    start_panels,
)

__all__ = [
    "abundance_maps",
    "choice_panels",
    "composite",
    "curve_panels",
    "curves",
    "dose_panels",
    "endmember_panels",
    "error_panel",
    "grid",
    "latent_panels",
    "left_panels",
    "literal",
    "map_panels",
    "map_row",
    "material_colour",
    "material_panels",
    "method_colours",
    "perturbation_panels",
    "rgb",
    "scene_panels",
    "seed_dots",
    "seed_panels",
    "set_panels",
    "spectra",
    "start_panels",
]
