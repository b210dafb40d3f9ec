"""The explorer: a page that shows runs side by side, opened from a folder, without a server or a network.

`book.export` writes the data of the page *Explore*, `lay_out` puts beside it what draws it, and `address`
is how other pages link to one of its states.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from urllib.parse import quote

from markupsafe import Markup

from hsu_lib.publishing.html import fill

_ASSETS = Path(__file__).parent / "assets"
_KEYS = ("scene", "noise", "method", "other", "seed", "material", "pixel", "score", "to", "lines")


def lay_out(folder: Path) -> None:
    """Put script, style sheet and uPlot with its licence into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(_ASSETS.iterdir()):
        if path.suffix != ".md":
            shutil.copy(path, folder)


def fragment(folder: str) -> Markup:
    """The explorer as part of a page whose files are in `folder`, an address that ends in a slash."""
    return fill("explorer", folder=folder)


def page(folder: str, title: str) -> Markup:
    """The explorer as a page of its own."""
    return fill("explorer-page", title=title, explorer=fragment(folder))


def address(
    scene: str, method: str = "", other: str = "", *, page: str = "explore.html", **state: object
) -> str:
    """Address of a state of the explorer.

    Parameters
    ----------
    scene
        ``NAME`` or ``NAME:REFERENCE``.
    method, other
        Name of a condition or method, in words or as in an address; of the second also ``"none"``.
    page
        The book's, seen from the page that links.
    **state
        ``noise`` in dB, ``seed``, ``material``, ``pixel`` (row, column), ``score``, ``to``, which maps are
        subtracted, and ``lines``, ``"all"`` for the endmembers of every seed.

    Raises
    ------
    ValueError
        If there is no such part of a state.

    Examples
    --------
    >>> address("jasper", "UnDIP", "SiVM + FCLSU", pixel=(12, 40))
    'explore.html#scene=jasper&method=undip&other=sivm-fclsu&pixel=12,40'
    """
    from hsu_lib.publishing.explorer.conditions import slug

    given: dict[str, object] = {"scene": scene, "method": slug(method), "other": slug(other), **state}
    unknown = sorted(given.keys() - set(_KEYS))
    if unknown:
        raise ValueError(f"expected parts of a state, {', '.join(_KEYS)}; got {', '.join(unknown)}")
    if isinstance(place := given.get("pixel"), tuple):
        given["pixel"] = ",".join(map(str, place))
    told = [f"{key}={quote(str(given[key]), safe=':,')}" for key in _KEYS if given.get(key) not in (None, "")]
    return f"{page}#{'&'.join(told)}"
