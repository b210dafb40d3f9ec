"""The API reference: a page for each family of methods, from the catalogue and the words of its modules.

Pages about the rest of the library stand in the book's sources; Sphinx fills them from docstrings. As one of
its extensions this module tells it what a name in a docstring leads to, such as that of a method.
"""

from __future__ import annotations

import inspect
import sys
from collections import Counter
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

import pandas as pd
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.nodes import make_refnode

from hsu_lib.methods import METHODS, Method
from hsu_lib.methods.settings import takes
from hsu_lib.publishing import html

#: What `Needs` declares, in words.
_GIVEN = {
    "endmembers": "the scene's endmembers",
    "library": "a spectral library",
    "labels": "pixels with known abundances",
    "truth": "what is known of the scene, for its history only",
    "spatial": "where the pixels lie",
    "first": "a first estimation by another method",
}
#: Objects of Python that a name without its module may lead to.
_KINDS = ("class", "exception", "method", "property")


def given(method: Method) -> str:
    """What a method is given beside the image, in words."""
    return "; ".join(words for name, words in _GIVEN.items() if getattr(method.needs, name)) or "nothing"


def module_of(method: Method) -> ModuleType:
    """The module that a method is written in."""
    return sys.modules[getattr(method.solve, "func", method.solve).__module__]


def page_of(method: Method) -> str:
    """Name of the page that a method is on; its section there has the name of the method."""
    return f"api_{module_of(method).__name__.split('.')[-2]}"


def pages() -> dict[str, str]:
    """Every page on a family of methods in MyST, by its name, in the order of the catalogue."""
    found: dict[str, list[Method]] = {}
    for method in METHODS.values():
        found.setdefault(page_of(method), []).append(method)
    return {name: "\n".join(_page(methods)) for name, methods in found.items()}


def _page(methods: list[Method]) -> Iterator[str]:
    family = import_module(module_of(methods[0]).__package__ or "")
    yield f"# Methods: {family.__name__.rpartition('.')[2]}\n"
    yield from _docstring(family)
    yield (
        "What all methods are called with, and what they return, is on the page [API of the methods]"
        "(api_methods). A setting is given by its name: `hsu unmix --set NAME=VALUE`, or as an argument.\n"
    )
    told: dict[ModuleType, str] = {}
    several = Counter(map(module_of, methods))
    for method in methods:
        yield f"(method-{method.name})=\n## {method.name}\n"
        module = module_of(method)
        if module in told:
            yield f"Its model stands with that of [{told[module]}](method-{told[module]}).\n"
        else:
            yield from _docstring(module)
            told[module] = method.name
        if several[module] > 1:  # else the docstring says as much
            yield f"{html.verbatim(method.summary[:1].upper() + method.summary[1:])}.\n"
        yield (
            f"Source: {html.verbatim(method.source)}. Is given beside the image: "
            f"{html.verbatim(given(method))}. Version {method.version}.\n"
        )
        if settings := method.describe():
            table = pd.DataFrame(settings, dtype=object)  # or 200 beside 1e-6 becomes 200.0
            table["default"] = table["default"].map(str)
            table.insert(2, "takes", list(takes(method.settings).values()))
            yield from _raw(html.table(table, caption=f"Settings of {method.name}", folded=True))


def _docstring(module: ModuleType) -> Iterator[str]:
    yield "````{eval-rst}"
    yield inspect.cleandoc(module.__doc__ or "")
    yield "````\n"


def _raw(markup: str) -> Iterator[str]:
    yield "````{raw} html"
    yield str(markup)
    yield "````\n"


# --------------------------------------------------------------------------- what names lead to


def setup(app: Sphinx) -> dict[str, Any]:
    """Of Sphinx: names in docstrings are looked up here where they are not the whole name of an object."""
    app.connect("missing-reference", _resolved)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _resolved(app: Sphinx, env: BuildEnvironment, node: pending_xref, shown: Any) -> Any:
    """A link to the section of a method, or to the one class of that name, or what belongs to it."""
    if node.get("refdomain") != "py":
        return None
    name, here = node["reftarget"], node["refdoc"]
    if name in METHODS:
        return make_refnode(app.builder, here, page_of(METHODS[name]), name, shown)
    last = name.split(".")[-2:]
    tail = ".".join(last if last[0][:1].isupper() else last[-1:])
    if not tail[:1].isupper():
        return None
    found = [
        entry
        for full, entry in env.get_domain("py").objects.items()  # type: ignore[attr-defined]
        if entry.objtype in _KINDS and not entry.aliased and f".{full}".endswith(f".{tail}")
    ]
    if len(found) != 1:
        return None
    return make_refnode(app.builder, here, found[0].docname, found[0].node_id, shown)
