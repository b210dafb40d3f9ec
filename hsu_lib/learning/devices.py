"""Torch devices by name: one that is not there is told before anything is computed."""

from __future__ import annotations

import torch


def checked(device: str) -> str:
    """The name of a device on which numbers can be computed here, in 64 bits too, as solvers do.

    Raises
    ------
    ValueError
        If it is no device, or not there; the message names one that is.
    """
    there = [f"cuda:{number}" for number in range(torch.cuda.device_count())]
    known = f"take {', '.join([*there[:3], 'cpu'])}" if there else "take cpu"
    try:
        kind = torch.device(device).type
    except (RuntimeError, TypeError):
        raise ValueError(
            f"device: {device!r} is none; expected such as cpu, cuda or cuda:1; {known}"
        ) from None
    if kind == "cuda" and not torch.cuda.is_available():
        why = "this torch is built without CUDA" if torch.version.cuda is None else "no card is found"
        raise ValueError(f"device: {device} is not there ({why}); {known}")
    try:
        if kind == "meta":
            raise RuntimeError
        torch.zeros(1, dtype=torch.float64, device=device).add(1).cpu()
    except (RuntimeError, TypeError, AssertionError, NotImplementedError, ImportError):
        raise ValueError(f"device: {device} is not there, or cannot compute in 64 bits; {known}") from None
    return device
