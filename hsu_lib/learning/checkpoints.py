"""Where a long computation keeps what it needs to go on after an interruption.

`keep_in` says where; a computation that is given a checkpoint saves its state there every few minutes. The
state is tensors and plain values: it is read back without running any code in it.
"""

from __future__ import annotations

import hashlib
import io
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from hsu_lib.atomic import remove_leftovers, write_atomically

SECONDS = 120.0
#: Before the SHA-256 of what follows.
_HEAD = b"hsu checkpoint 1\n"


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
        """Replace the file by this state, whole or not at all.

        Raises
        ------
        OSError
            If it cannot be written; the state before it stays.
        """
        buffer = io.BytesIO()
        torch.save(state, buffer)
        content = buffer.getvalue()
        write_atomically(self.path, _HEAD + hashlib.sha256(content).digest() + content)
        self._last = time.monotonic()

    def load(self) -> dict[str, Any] | None:
        """Latest state; None if there is none, or its file is damaged (it is then removed, with a warning).

        Raises
        ------
        OSError, MemoryError
            If it cannot be read now; the file stays.
        """
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return None
        start = len(_HEAD) + 32
        content = memoryview(data)[start:]
        if data[:start] == _HEAD + hashlib.sha256(content).digest():
            try:
                return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
            except (OSError, MemoryError):
                raise
            except Exception:  # torch names it in many ways
                reason = "it holds more than tensors and plain values"
        else:
            reason = "its checksum differs"
        self.path.unlink(missing_ok=True)
        warnings.warn(f"damaged checkpoint, begun anew: {self.path}: {reason}", RuntimeWarning, stacklevel=2)
        return None

    def remove(self) -> None:
        """Forget the state: the computation is done."""
        self.path.unlink(missing_ok=True)


@contextmanager
def keep_in(path: Path, *, seconds: float = SECONDS) -> Iterator[Checkpoint]:
    """A checkpoint at `path`, which is removed at the end unless an error got out.

    What processes that were killed while saving left in its folder is removed.
    """
    remove_leftovers(path.parent)
    checkpoint = Checkpoint(path, seconds)
    yield checkpoint
    checkpoint.remove()
