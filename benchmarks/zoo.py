"""Blind methods of others against the matrix products or convolutions that they are made of.

For each method of `CASES`, on a generated scene: an epoch (or iteration) as the library runs it, at its
settings, against its bare products, forward and backward, of the same sizes in the same batches. A method
joins with a line in `CASES`: where its progress bar is, what an epoch of it multiplies, and settings with
which epochs are short.

Figures are medians; a method and its products are timed in turn, so that a machine that slows down slows
both. Compare the ratios: seconds drift with the machine.

    python benchmarks/zoo.py --threads 1 --clock cpu --json zoo.json
    python benchmarks/zoo.py endnet --scene 105 105 224 6
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np
import torch
from timing import parsed, save, stopwatch
from torch import Tensor

from hsu_lib.learning import fit as training
from hsu_lib.learning.networks.wide import wide_convolution
from hsu_lib.methods import METHODS
from hsu_lib.methods.method import Problem
from hsu_lib.scene import Scene

Call = Callable[[], object]


@dataclass(frozen=True)
class Case:
    """How a method is timed.

    Parameters
    ----------
    bar
        The module whose progress bar counts its epochs.
    bare
        Scene and settings to a call that does nothing but the products of an epoch.
    target
        At most so many times the products, or None.
    steps
        The setting that says how many epochs.
    settings
        Those with which it is timed, where they are not its own.
    """

    bar: ModuleType
    bare: Callable[[Scene, Any], Call]
    target: float | None = None
    steps: str = "epochs"
    settings: Mapping[str, Any] = field(default_factory=dict)


def generated(height: int, width: int, bands: int, endmembers: int) -> Scene:
    """Noisy mixtures of random endmembers."""
    rng = np.random.default_rng(0)
    E = 0.1 + 0.8 * rng.random((bands, endmembers))
    A = rng.dirichlet(np.ones(endmembers), height * width).T
    Y = E @ A + 0.01 * rng.standard_normal((bands, height * width))
    return Scene(Y.reshape(bands, height, width), E, A.reshape(endmembers, height, width))


def batch_sizes(count: int, batch: int) -> list[int]:
    return [len(part) for part in torch.arange(count).split(batch)]


def endnet(scene: Scene, settings: Any) -> Call:
    """Two products forward; backward one for each weight, and one for the abundances."""
    p = scene.endmembers
    W, E = torch.rand(p, scene.bands), torch.rand(scene.bands, p)
    batches = [
        (torch.rand(n, scene.bands), torch.rand(n, scene.bands), torch.rand(n, p), torch.rand(n, p))
        for n in batch_sizes(settings.pixels, settings.batch)
    ]

    def once() -> None:
        for Y, of_Y, A, of_C in batches:
            Y @ W.T, A @ E.T
            of_Y @ E, of_Y.T @ A, of_C.T @ Y

    return once


def gradients(x: Tensor, weight: Tensor) -> Call:
    """A convolution forward, and backward from a random gradient to what needs one."""
    pull = torch.rand_like(wide_convolution(x, weight))
    wanted = [tensor for tensor in (x, weight) if tensor.requires_grad]
    return lambda: torch.autograd.grad(wide_convolution(x, weight), wanted, pull)


def cnnaeu(scene: Scene, settings: Any) -> Call:
    """Three convolutions, forward and backward; no gradient for the image."""
    sides = [min(settings.patch_size, side) for side in (scene.height, scene.width)]
    p, filters = scene.endmembers, settings.filters
    layers = [(scene.bands, filters, 3), (filters, p, 1), (p, scene.bands, settings.kernel)]
    calls = []
    for n in batch_sizes(settings.patches, settings.batch):
        for number, (inputs, outputs, side) in enumerate(layers):
            x, weight = (
                torch.rand(shape).contiguous(memory_format=torch.channels_last)
                for shape in ((n, inputs, *sides), (outputs, inputs, side, side))
            )
            calls.append(gradients(x.requires_grad_(number > 0), weight.requires_grad_()))
    return lambda: [call() for call in calls]


CASES = {
    "endnet": Case(training, endnet, target=2),
    "cnnaeu": Case(training, cnnaeu, settings={"patches": 30}),
}


def measured(name: str, scene: Scene, repeats: int, clock: Callable[[], float]) -> dict[str, float]:
    """Seconds of an epoch of a method and of its products, in turn; the first two do not count."""
    case, method = CASES[name], METHODS[name]
    settings = method.configure(**case.settings, **{case.steps: repeats + 2})
    times: dict[str, list[float]] = {}
    with stopwatch(case.bar, "epoch", clock, {"products": case.bare(scene, settings)}, times):
        method.solve(Problem(scene, int(scene.endmembers or 0)), settings)
    return {what: statistics.median(taken[2:]) for what, taken in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("methods", nargs="*", default=list(CASES), metavar="METHOD", help=", ".join(CASES))
    parser.add_argument(
        "--scene",
        type=int,
        nargs=4,
        default=(95, 95, 156, 3),
        metavar=("HEIGHT", "WIDTH", "BANDS", "ENDMEMBERS"),
        help="Samson's by default",
    )
    given = parsed(parser, repeats=9)
    scene, rows = generated(*given.scene), []
    print("{} x {} x {}, {} endmembers".format(*given.scene))
    print(f"{'method':12} {'epoch, ms':>10} {'products':>10} {'ratio':>7}")
    for name in given.methods:
        taken, target = measured(name, scene, given.repeats, given.timer), CASES[name].target
        ratio = taken["epoch"] / taken["products"]
        rows.append({"method": name, **taken, "ratio": ratio, "target": target})
        met = "" if target is None else f" target {target:g}: {'met' if ratio <= target else 'MISSED'}"
        print(f"{name:12} {1e3 * taken['epoch']:10.3g} {1e3 * taken['products']:10.3g} {ratio:7.3g}{met}")
    save(given, rows)


if __name__ == "__main__":
    main()
