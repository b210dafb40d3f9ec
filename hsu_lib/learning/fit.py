"""The training loop over batches, and how a training ended."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, Literal, TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from hsu_lib.scene import Array, Status

Batch = TypeVar("Batch")
Optimiser = Literal["rmsprop", "adam"]
_OPTIMISERS = {"rmsprop": torch.optim.RMSprop, "adam": torch.optim.Adam}


def finished(history: Mapping[str, Array]) -> Status:
    """How a training of a planned number of steps ended, by its ``loss``."""
    return Status.FINISHED if np.isfinite(history["loss"]).all() else Status.DIVERGED


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
    options: Mapping[str, Any] = MappingProxyType({}),
    project: Callable[[], None] = lambda: None,
    gradient_limit: float = math.inf,
    progress: str | None = None,
    replay: Sequence[torch.Generator] | None = None,
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
    optimiser, options
        With torch's defaults but for the rate and these options.
    project
        Brings the parameters, in place, to where they are constrained to be: before the first step and after
        each.
    gradient_limit
        Gradients whose absolute values add up to more are scaled down to it.
    progress
        Label of a progress bar on stderr; None shows none.
    replay
        Generators that `loss` draws from. If given, batches are tensors, and `loss` never looks at a value:
        then a step on a CUDA device is recorded once and replayed (`Replayed`), which a small network needs,
        because starting its kernels one by one takes longer than they do.

    Returns
    -------
    dict
        ``"loss"``: mean loss of each epoch's steps, shape ``(epochs done,)``. Training ends early if it
        is no longer finite; the caller sees that in the last value.
    """
    network.train()
    optimise = _OPTIMISERS[optimiser](network.parameters(), lr=learning_rate, **options)
    project()

    def step(batch: Batch) -> Tensor:
        optimise.zero_grad(set_to_none=True)
        value = loss(batch)
        value.backward()
        if gradient_limit < math.inf:
            nn.utils.clip_grad_norm_(network.parameters(), gradient_limit, norm_type=1)
        optimise.step()
        project()
        return value.detach()

    replayed = replay is not None and next(network.parameters()).is_cuda
    take = Replayed(step, optimise, replay or ()) if replayed else step
    schedule = torch.optim.lr_scheduler.StepLR(optimise, step_size=decay_every, gamma=decay)
    losses: list[float] = []
    with tqdm(total=epochs, desc=progress, disable=progress is None, unit="epoch", leave=False) as bar:
        for epoch in range(epochs):
            total, steps = None, 0
            for batch in batches(epoch):
                value = take(batch)
                total = value.clone() if total is None else total + value
                steps += 1
            schedule.step()
            # one transfer from the device per epoch, not one per step
            losses.append(float("nan") if total is None else float(total) / steps)
            bar.set_postfix_str(f"loss {losses[-1]:.4g}", refresh=False)
            bar.update()
            if not np.isfinite(losses[-1]):
                break
    return {"loss": np.array(losses, dtype=np.float32)}


class Replayed:
    """A training step, recorded as a CUDA graph once it is warm, and then replayed.

    Batches are tensors; each shape has its own graph, and so has each learning rate, which is a number that a
    graph holds. The first steps are taken one by one, as on a CPU. The graphs draw the same random numbers
    as the steps would, from the global generator and from those given.

    Parameters
    ----------
    step
        Batch to loss, one update of the parameters; nothing in it may depend on the value of a tensor.
    optimiser
        Whose learning rate is watched; made fit to be recorded.
    generators
        Those that `step` draws from, beside the global one.
    """

    WARM = 3

    def __init__(
        self,
        step: Callable[[Any], Tensor],
        optimiser: torch.optim.Optimizer,
        generators: Sequence[torch.Generator],
    ) -> None:
        self.step, self.optimiser, self.generators = step, optimiser, generators
        for group in optimiser.param_groups:
            group["capturable"] = True
        self.stream = torch.cuda.Stream()
        self.taken = 0
        self.recorded: dict[tuple[int, ...], tuple[float, torch.cuda.CUDAGraph, Tensor, Tensor]] = {}

    def __call__(self, batch: Any) -> Tensor:
        """One step."""
        rate = float(self.optimiser.param_groups[0]["lr"])
        self.stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self.stream):
            if self.taken < self.WARM:
                value = self.step(batch)
            else:
                shape = tuple(batch.shape)
                if shape not in self.recorded or self.recorded[shape][0] != rate:
                    self.recorded[shape] = (rate, *self._record(batch))
                _, graph, given, value = self.recorded[shape]
                given.copy_(batch)
                graph.replay()
        torch.cuda.current_stream().wait_stream(self.stream)
        self.taken += 1
        return value

    def _record(self, batch: Tensor) -> tuple[torch.cuda.CUDAGraph, Tensor, Tensor]:
        graph, given = torch.cuda.CUDAGraph(), batch.clone()
        for generator in self.generators:
            graph.register_generator_state(generator)
        with torch.cuda.graph(graph, stream=self.stream):
            value = self.step(given)
        return graph, given, value
