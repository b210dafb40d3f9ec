"""Where things lie. Every folder that the library reads or writes by itself is named here, and only here."""

from __future__ import annotations

import os
from pathlib import Path

#: The project's checkout, which holds the book and the notebooks beside the library.
ROOT = Path(__file__).resolve().parent.parent


def _of_project(name: str) -> Path:
    """A folder or file of the project's checkout.

    Raises
    ------
    FileNotFoundError
        With what to do, where the library is installed without the project's files.
    """
    if not (place := ROOT / name).exists():
        raise FileNotFoundError(
            f"no {name} beside the library: the book and its claims need the project's files; clone the "
            "project and install it with `pip install --editable`"
        )
    return place


def citation() -> Path:
    """How the project is to be cited: ``CITATION.cff``."""
    return _of_project("CITATION.cff")


def reported() -> Path:
    """What the documents report: ``book/reported``."""
    return _of_project("book/reported")


def published() -> Path:
    """Published results, one folder per profile: ``HSU_PUBLISHED``, or ``book/results``."""
    return Path(os.environ.get("HSU_PUBLISHED") or ROOT / "book" / "results")


def built() -> Path:
    """Everything made here: ``_build`` of the checkout; of the working folder where there is no checkout."""
    return (ROOT if (ROOT / "notebooks").is_dir() else Path.cwd()) / "_build"


def store() -> Path:
    """Local store of runs: ``HSU_STORE``, or ``_build/runs``."""
    return Path(os.environ.get("HSU_STORE") or built() / "runs")


def executed() -> Path:
    """Where executed chapters leave what they make: ``_build/chapters``."""
    return built() / "chapters"


def notebooks() -> Path:
    """The chapters, and in ``profiles/`` their parameters."""
    return _of_project("notebooks")


def nowhere() -> Path:
    """A folder that does not exist, for a store that has no published records."""
    return built() / "nowhere"
