"""What is asked (`Run`), what came out (`Record`), where it is kept (`Store`), and many of them (`sweep`)."""

from hsu_lib.learning import checkpoints
from hsu_lib.runs.execution import execute, has_old_scores, rescored
from hsu_lib.runs.question import Run
from hsu_lib.runs.record import DamagedRecord, Record, as_row, publish, read_record, write_record
from hsu_lib.runs.results import Results
from hsu_lib.runs.store import Store
from hsu_lib.runs.sweeps import default_device, grid, sweep

__all__ = [
    "DamagedRecord",
    "Record",
    "Results",
    "Run",
    "Store",
    "as_row",
    "checkpoints",
    "default_device",
    "execute",
    "grid",
    "has_old_scores",
    "publish",
    "read_record",
    "rescored",
    "sweep",
    "write_record",
]
