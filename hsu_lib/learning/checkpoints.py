"""Where a long computation keeps what it needs to go on after an interruption.

`keep_in` says where; a computation that is given a checkpoint saves its state there every few minutes. The
state is tensors and plain values: it is read back without running any code in it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

SECONDS = 120.0


class Checkpoint:
    """A file that holds the latest state of one computation.

    Parameters
    ----------
    path
        Where; its folder is made when the first state is saved.
    seconds
        Time between two states.
    """

    def __init__(self, path: Path, seconds: float = SECONDS) -> None:
        self.path, self.seconds = path, seconds
        self._last = time.monotonic()

    def due(self) -> bool:
        """Whether it is time to save."""
        return time.monotonic() - self._last >= self.seconds

    def save(self, state: dict[str, Any]) -> None:
        """Replace the file by this state, whole or not at all."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        part = self.path.with_name(f"{self.path.name}.{os.getpid()}.part")
        try:
            torch.save(state, part)
            part.replace(self.path)
        finally:
            part.unlink(missing_ok=True)
        self._last = time.monotonic()

    def load(self) -> dict[str, Any] | None:
        """Latest state; None if there is none, or its file is damaged (which is then removed)."""
        try:
            return torch.load(self.path, map_location="cpu", weights_only=True)
        except FileNotFoundError:
            return None
        except (OSError, MemoryError):  # of the machine, not of the file
            raise
        except Exception:  # torch names many kinds of damage
            self.path.unlink(missing_ok=True)
            return None

    def remove(self) -> None:
        """Forget the state: the computation is done."""
        self.path.unlink(missing_ok=True)


@contextmanager
def keep_in(path: Path, *, seconds: float = SECONDS) -> Iterator[Checkpoint]:
    """A checkpoint at `path`, which is removed at the end unless an error got out."""
    checkpoint = Checkpoint(path, seconds)
    yield checkpoint
    checkpoint.remove()
