"""Hyperspectral unmixing, thin and importable: scenes, methods, metrics, runs and claims.

The mixing model is ``Y = E A + N`` with ``Y`` (bands, pixels), endmembers ``E``
(bands, endmembers) and abundances ``A`` (endmembers, pixels), ``A >= 0`` (ANC) and columns of
``A`` that sum to one (ASC). The library knows nothing of notebooks or of the book.

For programs: `unmix` takes an array and gives labelled ones, `read_result` reads what `hsu unmix` wrote,
`Unmixer` is the same as an estimator of scikit-learn. Each is loaded when it is first used.
"""

from __future__ import annotations

import importlib
from typing import Any

from hsu_lib import _moved

__all__ = ["Unmixer", "read_result", "unmix"]
__version__ = "0.1.0"

_moved.install()

_PLACES = {"unmix": "unmixing.api", "read_result": "unmixing.result", "Unmixer": "unmixing.estimator"}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_PLACES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_PLACES])
