"""Fields of settings, each with where its default comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, fields
from typing import Any

import numpy as np


def sourced(default: Any, source: str, *, since: str = "") -> Any:
    """Field with its default, and the document and table that this is from, or ``"ours: ..."``.

    A setting that is added to a method which has published runs says in `since` with which version of the
    library it came. Its default must be what the method did before, and while it has it, it is no part of
    what was asked: no run changes its key.
    """
    return field(default=default, metadata={"source": source, "since": since})


def asked(settings: Any) -> Mapping[str, Any]:
    """What of these settings decides a run's key, as JSON-ready values; `sourced` tells what is left out."""
    kept = {}
    for of in fields(settings):
        value = getattr(settings, of.name)
        if not (of.metadata.get("since") and value == of.default):
            kept[of.name] = value.item() if isinstance(value, np.generic) else value
    return kept
