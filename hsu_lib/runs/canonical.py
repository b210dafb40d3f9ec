"""Text and hash of plain values that are the same anywhere."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

_TAIL = re.compile(r',\n "sha256": "([0-9a-f]{64})"\n}\n\Z')


def to_json(value: Any) -> str:
    """Canonical JSON: sorted keys, no spaces, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(data: bytes | str) -> str:
    """SHA-256 in hexadecimal; of a text in UTF-8."""
    return hashlib.sha256(data.encode() if isinstance(data, str) else data).hexdigest()


def sealed(text: str) -> str:
    """A JSON object, written with one space of indent, with its own SHA-256 as one more field at its end."""
    return text.removesuffix("\n}") + f',\n "sha256": "{digest(text)}"\n}}\n'


def unsealed(text: str) -> dict[str, Any]:
    """The fields of what `sealed` gave, without the checksum.

    Raises
    ------
    ValueError
        If it is not what was written.
    """
    tail = _TAIL.search(text)
    body = text[: tail.start()] + "\n}" if tail else ""
    if tail is None or tail[1] != digest(body):
        raise ValueError("its checksum differs")
    return json.loads(body)
