"""Where a record was made: commit, device, versions."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

from hsu_lib import paths


@cache
def commit() -> str:
    """Commit of the project's checkout, with ``+`` where files differ from it; empty outside git.

    ``HSU_COMMIT`` has the first word: it names the commit of a copy that was made for another machine, whose
    own git, if it has one, may know nothing of it.
    """
    if named := os.environ.get("HSU_COMMIT"):
        return named
    command = [
        "git",
        "-C",
        str(paths.ROOT),
        "describe",
        "--always",
        "--abbrev=12",
        "--dirty=+",
        "--exclude=*",
    ]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def arithmetic(device: str) -> dict[str, Any]:
    """What else decides how a device computes: threads, and on CUDA whether TF32 is allowed."""
    import torch

    found: dict[str, Any] = {"threads": torch.get_num_threads()}
    if torch.device(device).type == "cuda":
        of_matrices, of_convolutions = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
        found["tf32"] = {"matrices": of_matrices, "convolutions": of_convolutions}
    return found


@cache
def device_name(device: str) -> str:
    """The processor in words, with its number of threads or its memory."""
    import torch

    if torch.device(device).type == "cuda":
        card = torch.cuda.get_device_properties(device)
        return f"{card.name}, {card.total_memory / 2**30:.0f} GiB"
    model = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return f"{model}, {torch.get_num_threads()} threads"


def versions() -> dict[str, str]:
    """Versions of what decides a result beside our own code."""
    return {name: importlib.metadata.version(name) for name in ("numpy", "scipy", "torch")} | {
        "python": platform.python_version()
    }
