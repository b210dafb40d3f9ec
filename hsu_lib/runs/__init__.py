"""What is asked (`Run`), what came out (`Record`), where it is kept (`Store`), and many of them (`sweep`).

Each name is loaded when it is first used: to list a store takes no torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hsu_lib.learning import checkpoints
    from hsu_lib.runs.execution import execute, has_old_scores, rescored
    from hsu_lib.runs.layout import DamagedRecord, read_record, write_record
    from hsu_lib.runs.provenance import device_name
    from hsu_lib.runs.publication import publish
    from hsu_lib.runs.question import Run
    from hsu_lib.runs.record import Record, as_row
    from hsu_lib.runs.remote import Cluster
    from hsu_lib.runs.results import Results
    from hsu_lib.runs.schedule import here, plan, processes
    from hsu_lib.runs.store import Store
    from hsu_lib.runs.sweeps import default_device, grid, sweep

_MODULES = {
    "execution": ("execute", "has_old_scores", "rescored"),
    "layout": ("DamagedRecord", "read_record", "write_record"),
    "provenance": ("device_name",),
    "publication": ("publish",),
    "question": ("Run",),
    "record": ("Record", "as_row"),
    "remote": ("Cluster",),
    "results": ("Results",),
    "schedule": ("here", "plan", "processes"),
    "store": ("Store",),
    "sweeps": ("default_device", "grid", "sweep"),
}
_PLACES = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "Cluster",
    "DamagedRecord",
    "Record",
    "Results",
    "Run",
    "Store",
    "as_row",
    "checkpoints",
    "default_device",
    "device_name",
    "execute",
    "grid",
    "has_old_scores",
    "here",
    "plan",
    "processes",
    "publish",
    "read_record",
    "rescored",
    "sweep",
    "write_record",
]


def __getattr__(name: str) -> object:
    if name == "checkpoints":
        found: object = importlib.import_module("hsu_lib.learning.checkpoints")
    elif name in _PLACES:
        found = getattr(importlib.import_module(f"hsu_lib.runs.{_PLACES[name]}"), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
