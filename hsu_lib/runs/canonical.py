"""Text and hash of plain values that are the same anywhere."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def to_json(value: Any) -> str:
    """Canonical JSON: sorted keys, no spaces, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(data: bytes | str) -> str:
    """SHA-256 in hexadecimal; of a text in UTF-8."""
    return hashlib.sha256(data.encode() if isinstance(data, str) else data).hexdigest()
