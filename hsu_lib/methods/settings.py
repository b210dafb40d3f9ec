"""Fields of settings, each with where its default comes from."""

from __future__ import annotations

from dataclasses import field
from typing import Any


def sourced(default: Any, source: str) -> Any:
    """Field with its default, and the document and table that this is from, or ``"ours: ..."``."""
    return field(default=default, metadata={"source": source})
