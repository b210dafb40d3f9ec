"""What people type, as values of the type that is wanted: ``1e3`` is a whole number, ``2.5`` is none."""

from __future__ import annotations

import math
from typing import Any, Literal, get_args, get_origin

_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")
_MOST_SEEDS = 100_000
_WANTED = {
    bool: "true or false (yes or no)",
    int: "a whole number",
    float: "a number",
    str: "a text",
}


def value_of(text: str, hint: Any, name: str) -> Any:
    """Value of a text.

    Parameters
    ----------
    text
        As typed.
    hint
        ``bool``, ``int``, ``float``, ``str``, a ``Literal`` of texts, or a tuple of these of any length,
        ``tuple[int, ...]``, which is typed with commas between.
    name
        What it is for, in the message.

    Raises
    ------
    ValueError
        If it is no such value: what was expected, and what came.

    Examples
    --------
    >>> value_of("1e3", int, "iterations"), value_of("yes", bool, "bias")
    (1000, True)
    >>> value_of("3", tuple[int, ...], "layers")
    (3,)
    """
    if get_origin(hint) is tuple:
        inside = text.strip().removeprefix("[").removesuffix("]").removeprefix("(").removesuffix(")")
        parts = inside.removesuffix(",").split(",")
        return tuple(value_of(part, get_args(hint)[0], name) for part in parts)
    plain = _unquoted(text.strip())
    if get_origin(hint) is Literal:
        return _choice(plain, get_args(hint), name)
    if hint is str:
        return plain
    value = {bool: _truth, int: _whole, float: _number}[hint](plain)
    if value is None:
        got = f"got {plain!r}" if plain else "got nothing"
        raise ValueError(f"{name}: expected {_WANTED[hint]}, {got}")
    return value


def _unquoted(text: str) -> str:
    """Without the quotes around it, if there are any."""
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text


def _choice(text: str, known: tuple[Any, ...], name: str) -> Any:
    found = [value for value in known if str(value).lower() == text.lower()]
    if not found:
        *others, last = map(repr, known)
        listed = f"{', '.join(others)} or {last}" if others else last
        raise ValueError(f"{name}: expected {listed}, got {text!r}")
    return found[0]


def _truth(text: str) -> bool | None:
    return True if text.lower() in _TRUE else False if text.lower() in _FALSE else None


def _number(text: str) -> float | None:
    try:
        value = math.nan if "_" in text else float(text)  # Python reads 1_0 as ten
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _whole(text: str) -> int | None:
    if text.removeprefix("-").removeprefix("+").isdecimal() and text.isascii():
        return int(text)  # exact whatever its length
    value = _number(text)
    return int(value) if value is not None and value.is_integer() else None


def pairs_of(given: tuple[str, ...], where: str) -> dict[str, str]:
    """Names and texts of ``NAME=VALUE``, the last of each name.

    Raises
    ------
    ValueError
        If one is not of that form; `where` says which option it is.
    """
    pairs = {}
    for item in given:
        name, equals, text = item.partition("=")
        if not equals or not name.strip():
            raise ValueError(f"{where}: expected NAME=VALUE, got {item!r}")
        pairs[name.strip()] = text.strip()
    return pairs


def seeds_of(text: str, name: str) -> list[int]:
    """Seeds such as ``0-9`` or ``3,5,7``, each once and in the order given.

    Raises
    ------
    ValueError
        If it is not of that form, or there is none.
    """
    found: dict[int, None] = {}
    for part in text.split(","):
        first, _, last = (end.strip() for end in part.partition("-"))
        if not all(end.isascii() and end.isdecimal() and len(end) < 10 for end in (first, last or first)):
            raise ValueError(f"{name}: expected such as 100-109 or 100,101, got {text!r}")
        low, high = int(first), int(last or first)
        if not low <= high < low + _MOST_SEEDS:
            raise ValueError(f"{name}: {part.strip()!r} are {'no' if high < low else 'too many'} seeds")
        found.update(dict.fromkeys(range(low, high + 1)))
    return list(found)
