"""Errors about what a user gave: one line, with options named as whoever called spells them."""

from __future__ import annotations

import re
import shlex
from textwrap import shorten
from typing import Any

_OPTION = re.compile("\u27e6([^\u27e6\u27e7|]*)\\|([^\u27e6\u27e7|]*)\\|([^\u27e6\u27e7]*)\u27e7")


def option(name: str, value: Any = None, *, python: str = "", command: str = "") -> str:
    """An option in the message of an `InputError`: an argument for Python, ``--name`` for the command line.

    Parameters
    ----------
    name
        As the argument is called.
    value
        What to give, or None where the message goes on to say it.
    python, command
        The same in other words, where they differ: ``size=(height, width)`` and ``--size HEIGHT WIDTH``.

    Examples
    --------
    >>> error = InputError(f"field.img: give {option('nodata', -9999)}")
    >>> str(error), error.for_command_line
    ('field.img: give nodata=-9999', 'field.img: give --nodata -9999')
    """
    if value is not None:
        python, command = repr(value), shlex.quote(str(value))
    return f"\u27e6{name}|{python}|{command}\u27e7"


class InputError(ValueError):
    """What was expected, what came and what to do about it; see `option` for options in the message."""

    def __init__(self, message: str) -> None:
        self._message = " ".join(message.split())
        super().__init__(self._message)

    def __str__(self) -> str:
        return _OPTION.sub(r"\1=\2", self._message)

    @property
    def for_command_line(self) -> str:
        """The message with options as the command line has them."""

        def spelled(found: re.Match[str]) -> str:
            return f"--{found[1].replace('_', '-')} {found[3]}".rstrip()

        return _OPTION.sub(spelled, self._message)


def brief(error: BaseException) -> str:
    """What a library says of a damaged file, in a line that is not too long; of our own errors all."""
    if isinstance(error, InputError):
        return str(error.args[0])
    return shorten(str(error) or type(error).__name__, 300, placeholder=" ...")
