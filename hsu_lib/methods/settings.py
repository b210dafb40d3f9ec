"""Settings: fields that say where their default comes from and what values they take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any, Literal, get_args, get_origin, get_type_hints

import numpy as np

from hsu_lib.words import value_of


def sourced(
    default: Any,
    source: str,
    *,
    at_least: float | None = None,
    above: float | None = None,
    at_most: float | None = None,
    below: float | None = None,
    odd: bool = False,
    since: str = "",
) -> Any:
    """Field with its default, where this comes from, and what it may be set to.

    Parameters
    ----------
    default
        Its only home.
    source
        Document and table, paper, or ``"ours: ..."``.
    at_least, above, at_most, below, odd
        Limits of a number, or of every number of a tuple. The values of a `Literal` need none.
    since
        Version of the library with which a setting came that was added to a method with published runs.
        Its default must be what the method did before, and while it has it, it is no part of what was
        asked: no run changes its key.
    """
    limits = {"at least": at_least, "above": above, "at most": at_most, "below": below}
    limits = {words: limit for words, limit in limits.items() if limit is not None}
    return field(default=default, metadata={"source": source, "since": since, "limits": limits, "odd": odd})


@dataclass(frozen=True)
class Settings:
    """What every method's settings extend, also where there is nothing to set: they check themselves.

    Raises
    ------
    ValueError
        For a value that a field does not take: its name, what was expected, what came.
    """

    def __post_init__(self) -> None:
        hints = _hints(type(self))  # type: ignore[arg-type]
        for of in fields(self):
            value, hint = getattr(self, of.name), hints[of.name]
            several = get_origin(hint) is tuple
            if several and isinstance(value, list | tuple):
                object.__setattr__(self, of.name, tuple(value))
            one = get_args(hint)[0] if several else hint
            values = value if several and isinstance(value, list | tuple) else [value]
            if not values or not all(_takes(one, of.metadata, v) for v in values):
                raise ValueError(f"{of.name}: expected {_wanted(one, of.metadata)}, got {value!r}")


def takes(cls: type[Settings]) -> dict[str, str]:
    """What each field takes, in words, such as ``"a number above 0"``; of a tuple, what each value is."""
    hints, found = _hints(cls), {}  # type: ignore[arg-type]
    for of in fields(cls):
        hint = hints[of.name]
        several = get_origin(hint) is tuple
        found[of.name] = "each " * several + _wanted(get_args(hint)[0] if several else hint, of.metadata)
    return found


def typed(cls: type[Settings], texts: Mapping[str, str]) -> dict[str, Any]:
    """What a user typed for fields of settings, each as a value of the type that it has.

    Raises
    ------
    ValueError
        If a text is no such value. Limits, and names that are unknown, are for whoever makes the settings.
    """
    hints = _hints(cls)  # type: ignore[arg-type]
    return {
        name: value_of(text, hints[name], name) if name in hints else text for name, text in texts.items()
    }


@cache
def _hints(cls: Any) -> dict[str, Any]:
    return get_type_hints(cls)


_TYPES: dict[Any, tuple[tuple[type, ...], str]] = {
    bool: ((bool, np.bool_), "True or False"),
    int: ((int, np.integer), "a whole number"),
    float: ((int, float, np.number), "a number"),
    str: ((str,), "a text"),
}


def _wanted(hint: Any, metadata: Mapping[str, Any]) -> str:
    """What a field takes, in words."""
    if get_origin(hint) is Literal:
        *others, last = map(repr, get_args(hint))
        return f"{', '.join(others)} or {last}" if others else last
    limits = " and ".join(f"{words} {limit:g}" for words, limit in metadata.get("limits", {}).items())
    kind = "an odd number" if metadata.get("odd") else _TYPES[hint][1]
    return f"{kind} {limits}".strip()


def _takes(hint: Any, metadata: Mapping[str, Any], value: Any) -> bool:
    if get_origin(hint) is Literal:
        return value in get_args(hint)
    types, _ = _TYPES[hint]
    if not isinstance(value, types) or (hint is not bool and isinstance(value, bool)):
        return False
    limits: Mapping[str, float] = metadata.get("limits", {})
    if not limits:
        return True
    number = float(value)  # type: ignore[arg-type]
    return (
        number >= limits.get("at least", -np.inf)
        and number > limits.get("above", -np.inf)
        and number <= limits.get("at most", np.inf)
        and number < limits.get("below", np.inf)
        and (not metadata.get("odd") or number % 2 == 1)
    )


def asked(settings: Settings) -> Mapping[str, Any]:
    """What of these settings decides a run's key, as JSON-ready values; `sourced` tells what is left out."""
    kept = {}
    for of in fields(settings):
        value = getattr(settings, of.name)
        if not (of.metadata.get("since") and value == of.default):
            kept[of.name] = value.item() if isinstance(value, np.generic) else value
    return kept
