"""The way to a Dask scheduler: which one, and what its workers offer."""

from __future__ import annotations

import os
from typing import Any

from hsu_lib.errors import InputError

EXTRA = "pip install 'hsu[cluster]'"
#: What `dask worker --resources GPU=1` offers, and a run on CUDA takes.
GPU = "GPU"
#: Seconds in which a scheduler must answer.
PATIENCE = 8.0


def scheduler() -> str:
    """``HSU_SCHEDULER``: address of the cluster that makes runs, where no other is named; empty for none."""
    return os.environ.get("HSU_SCHEDULER", "")


def connected(address: str) -> Any:
    """Client of a Dask scheduler.

    Raises
    ------
    InputError
        If `distributed` is not installed, or that is no address.
    OSError
        If no scheduler answers.
    """
    try:
        import distributed
    except ModuleNotFoundError as error:
        raise InputError(f"runs on a cluster need Dask: {EXTRA}") from error
    if "://" not in address:
        raise InputError(f"scheduler: expected an address such as tcp://node7:8786, got {address!r}")
    try:
        return distributed.Client(address, timeout=PATIENCE, set_as_default=False, name="hsu")
    except (OSError, TimeoutError) as error:
        raise OSError(
            f"no Dask scheduler answers at {address} within {PATIENCE:g} s: does it run, and does a firewall "
            "let this machine through? `hsu cluster slurm`, `pbs` or `k8s` prints how to start one"
        ) from error


def resources(device: str) -> dict[str, int] | None:
    """What a run on that device takes of what workers offer; None for nothing."""
    return {GPU: 1} if device.partition(":")[0] == "cuda" else None


def offering(client: Any, device: str) -> int:
    """How many workers have what a run on that device needs."""
    workers = client.scheduler_info(-1)["workers"].values()
    wanted = resources(device) or {}
    return sum(all(worker["resources"].get(name, 0) >= n for name, n in wanted.items()) for worker in workers)
