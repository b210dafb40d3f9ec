"""One colour per material and per method across the book: of the set of Okabe and Ito, extended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

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

CYCLE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#8C510A", "#666666")

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


def material_colour(name: str, index: int = 0) -> str:
    """Colour of a material, the same on every page; `index` chooses one for unknown names."""
    known = (colour for word, colour in MATERIAL_COLOURS.items() if word in name.lower())
    return next(known, CYCLE[index % len(CYCLE)])


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
    free = [colour for colour in CYCLE if colour not in found.values()]
    for k, name in enumerate(name for name, colour in found.items() if not colour):
        found[name] = (free or CYCLE)[k % len(free or CYCLE)]
    return found
