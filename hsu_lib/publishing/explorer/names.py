"""What the explorer calls methods and their variants, and what each was given beside the image."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from hsu_lib import scenes
from hsu_lib.claims.systems import systems
from hsu_lib.methods import METHODS
from hsu_lib.publishing.standings import OWN


@cache
def _known() -> Mapping[str, str]:
    """Names of methods: of *All methods, all scenes* or, without brackets, of the list of systems."""
    listed = {s.methods[0]: s.name.partition(" (")[0] for s in systems() if len(s.methods) == 1}
    return listed | {method: label for label, method in OWN.items()}


def called(method: str) -> str:
    """What a method is called; one without a name of its own by the first words of its summary.

    Examples
    --------
    >>> called("ldvae"), called("sivm-fclsu"), called("min-simplex")
    ('LDVAE', 'SiVM + FCLSU', 'endmembers drawn to the mean pixel: what MiSiCNet minimises')
    """
    return _known().get(method) or METHODS[method].summary.partition(",")[0]


def named(method: str, label: str) -> str:
    """What a variant of a method is called: its label, with the method before it unless it says that itself.

    Parameters
    ----------
    method
        Of `hsu_lib.methods`.
    label
        Of a claim's condition or of a page; may be empty.

    Examples
    --------
    >>> named("undip", "adam 0.001"), named("undip", "UnDIP from NMF"), named("undip", "")
    ('UnDIP, adam 0.001', 'UnDIP from NMF', 'UnDIP')
    """
    if not label or method not in _known():
        return label or called(method)
    name = called(method)
    parts = [part for part in label.split(", ") if not _words(part) <= _words(name)]
    if len(parts) == label.count(", ") + 1 and name.split()[-1].lower() in _words(label):
        return label
    return ", ".join([name, *parts])


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower()))


def given(method: str, settings: Mapping[str, Any]) -> str:
    """What a method was told of the answer or of materials beside the image, in words; empty: nothing.

    Parameters
    ----------
    method
        Of `hsu_lib.methods`.
    settings
        Those that are not its defaults, or all.

    Examples
    --------
    >>> given("ldvae", {"share": 0.5}), given("fclsu", {}), given("vca-fclsu", {})
    ('the abundances of 50 % of the pixels', 'the reference endmembers', '')
    """
    needs, usual = METHODS[method].needs, METHODS[method].configure()
    asked = {name: getattr(usual, name, "") for name in ("endmembers_from", "trained_on", "share")}
    asked |= {name: settings[name] for name in asked if name in settings}
    found = []
    if needs.endmembers or asked["endmembers_from"] == "scene":
        found.append("the reference endmembers")
    if needs.labels:
        other = asked["trained_on"] and scenes.describe(asked["trained_on"]).title
        labels = f"the abundances of {asked['share'] * 100:g} % of the pixels"
        found.append(f"the abundances of another image, {other}" if other else labels)
    if needs.library:
        found.append("a library of spectra")
    return " and ".join(found)
