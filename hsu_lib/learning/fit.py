"""The one training loop: batches in, a history out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Literal, TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from hsu_lib.scene import Array

Batch = TypeVar("Batch")
Optimiser = Literal["rmsprop", "adam"]
_OPTIMISERS = {"rmsprop": torch.optim.RMSprop, "adam": torch.optim.Adam}


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Torch's global generators set to `seed` inside, and as they were before outside.

    Initialisation and dropout draw from the global generators; everything of ours takes its own.
    """
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield


def fit(
    network: nn.Module,
    batches: Callable[[int], Iterable[Batch]],
    loss: Callable[[Batch], Tensor],
    *,
    epochs: int,
    learning_rate: float,
    decay: float = 1.0,
    decay_every: int = 1,
    optimiser: Optimiser = "rmsprop",
    progress: str | None = None,
) -> dict[str, Array]:
    """Minimise `loss` over `batches` by gradient descent.

    Parameters
    ----------
    network
        Whose parameters are trained, in place. It is left in training mode.
    batches
        Epoch number (from 0) to that epoch's batches.
    loss
        Batch to a scalar tensor.
    epochs
        Passes over the batches; each is one point of the history.
    learning_rate, decay, decay_every
        The rate is multiplied by `decay` after every `decay_every` epochs.
    optimiser
        With torch's defaults but for the rate.
    progress
        Label of a progress bar on stderr; None shows none.

    Returns
    -------
    dict
        ``"loss"``: mean loss of each epoch's steps, shape ``(epochs done,)``. Training ends early if it
        is no longer finite; the caller sees that in the last value.
    """
    network.train()
    optimise = _OPTIMISERS[optimiser](network.parameters(), lr=learning_rate)
    schedule = torch.optim.lr_scheduler.StepLR(optimise, step_size=decay_every, gamma=decay)
    losses: list[float] = []
    with tqdm(total=epochs, desc=progress, disable=progress is None, unit="epoch", leave=False) as bar:
        for epoch in range(epochs):
            total, steps = None, 0
            for batch in batches(epoch):
                optimise.zero_grad(set_to_none=True)
                value = loss(batch)
                value.backward()
                optimise.step()
                total = value.detach() if total is None else total + value.detach()
                steps += 1
            schedule.step()
            # one transfer from the device per epoch, not one per step
            losses.append(float("nan") if total is None else float(total) / steps)
            bar.set_postfix_str(f"loss {losses[-1]:.4g}", refresh=False)
            bar.update()
            if not np.isfinite(losses[-1]):
                break
    return {"loss": np.array(losses, dtype=np.float32)}
