"""What the tests put on the workers of a cluster: each notes what it executes, and one run is poisonous."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from distributed import WorkerPlugin, get_worker

#: Seed of a run that ends the process at work on it.
POISON = 666


class Notes(WorkerPlugin):
    """Runs are executed as they are, and noted in a file, with the worker; the poisonous one kills it."""

    name = "notes"

    def __init__(self, file: Path) -> None:
        self.file = file

    def setup(self, worker):
        from hsu_lib.runs import errands

        execute = getattr(errands.execute, "as_it_is", errands.execute)

        def noted(run, **how):
            with self.file.open("a") as file:
                file.write(f"{run.key} {get_worker().address}\n")
            if run.seed == POISON:
                os.kill(os.getpid(), signal.SIGKILL)
            return execute(run, **how)

        noted.as_it_is = execute
        errands.execute = noted

    def teardown(self, worker):
        from hsu_lib.runs import errands

        errands.execute = getattr(errands.execute, "as_it_is", errands.execute)
