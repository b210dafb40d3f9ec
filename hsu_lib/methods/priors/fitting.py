"""Networks that are fitted to one image: the loop that all of them share, and what ends it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from hsu_lib.learning.networks.prior import EndmemberPrior
from hsu_lib.methods.method import Problem


def padded(maps: Tensor, multiple: int) -> Tensor:
    """Maps mirrored at the right and lower edge: sides divisible by `multiple`, and at least twice that."""
    sides = maps.shape[-2:]
    missing = [max(-side % multiple, 2 * multiple - side) for side in sides]
    if not any(missing):
        return maps
    # few pixels cannot be mirrored so far
    mode = "reflect" if all(m < side for m, side in zip(missing, sides, strict=True)) else "replicate"
    return F.pad(maps, (0, missing[1], 0, missing[0]), mode=mode)


class Watching(Protocol):
    """What looks at the maps of a fit."""

    size: tuple[int, int]

    @property
    def names(self) -> Sequence[str]:
        """Names of the errors, in the order of `errors`."""

    def errors(self, A: Tensor) -> Tensor:
        """All errors of maps ``(1, endmembers, ...)``, which may be padded; shape ``(errors,)``."""


class Objective(Watching, Protocol):
    """What is minimised, and what looks at the maps."""

    def loss(self, A: Tensor) -> Tensor:
        """Of maps ``(1, endmembers, height, width)``, which may be padded; a scalar."""


def fit_to_image(
    network: nn.Module,
    Z: Tensor,
    loss_of: Callable[[Tensor], Tensor],
    optimise: torch.optim.Optimizer,
    watch: Watching,
    problem: Problem,
    *,
    iterations: int,
    window: int,
    snapshots: int = 0,
) -> tuple[Tensor, dict[str, NDArray]]:
    """Fit the network to the image; averaged maps, cut to the image's size, and the history.

    An interrupted fit goes on from its last checkpoint, if one is kept, to the result
    that it would have had.

    Parameters
    ----------
    network
        From the input `Z` to maps ``(1, endmembers, ...)``, which may be larger than the image.
    loss_of
        What is minimised, of such maps.
    optimise
        Of the network's parameters.
    watch
        Its errors, of the maps and of their average, are the history beside the loss.
    problem
        Its label and its checkpoint.
    iterations
        How many.
    window
        Iterations over which maps are averaged, with weights that decay exponentially.
    snapshots
        At most how many averaged maps are kept.
    """
    network.train()
    names, label, checkpoint = watch.names, problem.label, problem.checkpoint
    record = torch.full((iterations, 1 + 2 * len(names)), math.nan, device=Z.device)
    keep = set(snapshots_at(iterations, snapshots))
    frames: list[Tensor] = []
    average: Tensor | None = None
    saved = checkpoint.load() if checkpoint else None
    first = 0
    if saved is not None:
        network.load_state_dict(saved["network"])
        optimise.load_state_dict(saved["optimiser"])
        first, average, frames = saved["done"], saved["average"].to(Z.device), list(saved["frames"])
        record[:first] = saved["record"].to(Z.device)
    with tqdm(
        total=iterations,
        initial=first,
        desc=label,
        disable=label is None,
        unit="iteration",
        leave=False,
    ) as bar:
        for step in range(first, iterations):
            optimise.zero_grad(set_to_none=True)
            A = network(Z)
            loss = loss_of(A)
            loss.backward()
            optimise.step()
            with torch.no_grad():
                now = A.detach()
                average = now.clone() if average is None else average.lerp_(now, 1 / window)
                record[step] = torch.cat([loss.detach()[None], watch.errors(now), watch.errors(average)])
                if step in keep:
                    frames.append(average[0, :, : watch.size[0], : watch.size[1]].cpu().clone())
            bar.update()
            if checkpoint and checkpoint.due():
                checkpoint.save(
                    {
                        "network": network.state_dict(),
                        "optimiser": optimise.state_dict(),
                        "done": step + 1,
                        "average": average,
                        "record": record[: step + 1],
                        "frames": frames,
                    }
                )
    assert average is not None
    values = record.cpu().numpy()
    history = {"loss": values[:, 0]}
    history |= {name: values[:, 1 + k] for k, name in enumerate(names)}
    history |= {f"{name}-averaged": values[:, 1 + len(names) + k] for k, name in enumerate(names)}
    if frames:
        history |= {"snapshots": torch.stack(frames).numpy()}
    return average[..., : watch.size[0], : watch.size[1]], history


def by_adam(
    network: nn.Module, Z: Tensor, objective: Objective, problem: Problem, settings: Any
) -> tuple[Tensor, dict[str, NDArray]]:
    """`fit` by Adam, endmembers that are trained with the network kept between 0 and 1.

    Parameters
    ----------
    network
        On the problem's device; height and width must be divisible by its `multiple`.
    Z
        Its input, shape ``(1, channels, height, width)``, not yet padded.
    objective
        Of the padded maps.
    problem
        The device, the label, the checkpoint.
    settings
        With `iterations`, `learning_rate` and `window`.

    Returns
    -------
    Those of `fit`.
    """
    multiple = network.multiple
    assert isinstance(multiple, int)
    Z = padded(Z.to(problem.device), multiple)
    optimise = torch.optim.Adam(network.parameters(), lr=settings.learning_rate)
    if isinstance(network, EndmemberPrior):
        optimise.register_step_post_hook(network.clip)
    return fit_to_image(
        network,
        Z.contiguous(memory_format=torch.channels_last),
        objective.loss,
        optimise,
        objective,
        problem,
        iterations=settings.iterations,
        window=settings.window,
    )


def snapshots_at(iterations: int, count: int) -> Iterator[int]:
    """Iterations, from 0, at which maps are kept: more of them early, where more happens; the last always."""
    if count:
        yield from np.unique(np.geomspace(iterations, 1, count).round().astype(int) - 1).tolist()
