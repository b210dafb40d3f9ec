"""Where things lie. Every folder that the library reads or writes by itself is named here, and only here."""

from __future__ import annotations

import os
from pathlib import Path

#: The project's checkout, which holds the book and the notebooks beside the library.
ROOT = Path(__file__).resolve().parent.parent


def reported() -> Path:
    """What the documents report: ``book/reported``."""
    return ROOT / "book" / "reported"


def published() -> Path:
    """Published results, one folder per profile: ``HSU_PUBLISHED``, or ``book/results``."""
    return Path(os.environ.get("HSU_PUBLISHED") or ROOT / "book" / "results")


def built() -> Path:
    """Everything made here: ``_build``."""
    return ROOT / "_build"


def store() -> Path:
    """Local store of runs: ``HSU_STORE``, or ``_build/runs``."""
    return Path(os.environ.get("HSU_STORE") or built() / "runs")


def executed() -> Path:
    """Where executed chapters leave what they make: ``_build/chapters``."""
    return built() / "chapters"


def notebooks() -> Path:
    """The chapters, and in ``profiles/`` their parameters."""
    return ROOT / "notebooks"


def nowhere() -> Path:
    """A folder that does not exist, for a store that has no published records."""
    return built() / "nowhere"
