"""Blind methods of others against the matrix products or convolutions that they are made of.

For each method of `CASES`, on a generated scene: an epoch (or iteration) as the library runs it, at its
settings, against its bare products, forward and backward, of the same sizes in the same batches. A method
joins with a line in `CASES`: where its progress bar is, what an epoch of it multiplies, and settings with
which epochs are short. One without a bar is run with few and with many iterations; the difference counts.

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
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np
import torch
from timing import medians, parsed, save, stopwatch
from torch import Tensor
from torch.nn.functional import conv2d

from hsu_lib.learning import fit as training
from hsu_lib.learning.networks.prior import upsampled_convolution
from hsu_lib.learning.networks.two_scales import pointwise
from hsu_lib.learning.networks.wide import wide_convolution
from hsu_lib.methods import METHODS
from hsu_lib.methods.method import Problem
from hsu_lib.methods.priors import fitting
from hsu_lib.scene import Scene
from hsu_lib.scenes.library import SpectralLibrary
from hsu_lib.solvers import archetypal

#: Spectra of the library that is chosen from, where one is.
LIBRARY = 240
#: Iterations between the runs with few and with many, where no bar counts them.
STEPS = 30
Call = Callable[[], object]
Convolution = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Case:
    """How a method is timed.

    Parameters
    ----------
    bar
        The module whose progress bar counts its epochs; None where none does.
    bare
        Scene and settings to a call that does nothing but the products of an epoch.
    target
        At most so many times the products, or None.
    steps
        The setting that says how many epochs.
    settings
        Those with which it is timed, where they are not its own.
    """

    bar: ModuleType | None
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


def gradients(x: Tensor, weight: Tensor, convolution: Convolution = wide_convolution) -> Call:
    """A convolution forward, and backward from a random gradient to what needs one."""
    pull = torch.rand_like(convolution(x, weight))
    wanted = [tensor for tensor in (x, weight) if tensor.requires_grad]
    return lambda: torch.autograd.grad(convolution(x, weight), wanted, pull)


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


def misicnet(scene: Scene, settings: Any) -> Call:
    """Its convolutions, forward and backward: side 3 on a reflected border, and side 1 beside the first."""
    p, filters, skip = scene.endmembers, settings.filters, settings.skip
    layers = [(scene.bands, filters, 3), (scene.bands, skip, 1), (filters, filters, 3), (skip, filters, 3)]
    calls = []
    for number, (inputs, outputs, side) in enumerate([*layers, (filters, p, 3)]):
        wide = (scene.height + side - 1, scene.width + side - 1)
        calls.append(layer(inputs, outputs, side, wide, pulled=number > 1))
    return lambda: [call() for call in calls]


def layer(
    inputs: int,
    outputs: int,
    side: int,
    size: tuple[int, int],
    convolution: Convolution = conv2d,
    *,
    pulled: bool = True,
) -> Call:
    """A convolution of an image of that size, forward and backward; `pulled`: to its input, too."""
    x, weight = (
        torch.rand(shape).contiguous(memory_format=torch.channels_last)
        for shape in ((1, inputs, *size), (outputs, inputs, side, side))
    )
    return gradients(x.requires_grad_(pulled), weight.requires_grad_(), convolution)


def suncnn(scene: Scene, settings: Any) -> Call:
    """Its convolutions as they are arranged, forward and backward, and the product with the library."""
    filters, skip, m = settings.filters, settings.skip, LIBRARY
    half, whole, wide = (
        (scene.height // k + more, scene.width // k + more) for k, more in ((2, 0), (1, 0), (1, 2))
    )
    halving = partial(conv2d, stride=2)
    calls = [
        layer(scene.bands, filters, 3, wide, halving, pulled=False),
        layer(scene.bands, skip, 1, whole, pointwise, pulled=False),
        layer(filters, filters, 3, (half[0] + 2, half[1] + 2)),
        layer(filters, filters, 3, half, upsampled_convolution),
        layer(skip, filters, 3, wide),
        layer(filters, filters, 1, whole, pointwise),
        layer(filters, m, 1, whole, pointwise),
    ]
    D, A = torch.rand(m, scene.bands), torch.rand(scene.height * scene.width, m)
    return lambda: ([call() for call in calls], (A @ D) @ D.T)


def hapke_cnn(scene: Scene, settings: Any) -> Call:
    """Its convolutions, forward and backward: two on half the size, then all channels at once, joined."""
    p, filters, skip = scene.endmembers, settings.filters, settings.skip
    size, half = (scene.height, scene.width), (-(-scene.height // 2), -(-scene.width // 2))
    layers = [
        (scene.bands, skip, 1, 1, size),
        (scene.bands, filters, 3, 2, size),
        (filters, filters, 3, 1, half),
        (skip + filters, filters, 3, 1, size),
        (filters, p, 1, 1, size),
    ]
    calls = []
    for number, (inputs, outputs, side, stride, (height, width)) in enumerate(layers):
        x, weight = (
            torch.rand(shape).contiguous(memory_format=torch.channels_last)
            for shape in ((1, inputs, height + side - 1, width + side - 1), (outputs, inputs, side, side))
        )
        convolution = partial(conv2d, stride=stride)
        calls.append(gradients(x.requires_grad_(number > 1), weight.requires_grad_(), convolution))
    return lambda: [call() for call in calls]


def edaa(scene: Scene, settings: Any) -> Call:
    """Products of a round of steps, of all starts."""
    starts, p, Y = settings.starts, scene.endmembers, torch.rand(scene.bands, scene.height * scene.width)
    A, E = torch.rand(starts, p, Y.shape[1]), torch.rand(starts, p, scene.bands)

    def once() -> None:
        gram, _ = E @ E.mT, E @ Y
        for _ in range(settings.abundance_steps):
            gram @ A
        gram, _ = A @ A.mT, A @ Y.T
        for _ in range(settings.endmember_steps):
            (gram @ E) @ Y, A @ Y.T

    return once


def quadratic(scene: Scene, settings: Any) -> Call:
    """Products of an iteration in the subspace, one for the abundances; those are found in several steps."""
    p, rng = int(scene.endmembers or 0), np.random.default_rng(0)
    X, A = rng.random((scene.height * scene.width, p - 1)), rng.random((scene.height * scene.width, p))
    M, normal = rng.random((p - 1, p)), rng.random((p, p))
    return lambda: (A.T @ A, X.T @ A, X @ M, A @ normal, A @ M.T)


CASES = {
    "misicnet": Case(fitting, misicnet, target=1.25, steps="iterations", settings={"filters": 64}),
    "suncnn": Case(fitting, suncnn, target=1.25, steps="iterations"),
    "hapke-cnn": Case(fitting, hapke_cnn, target=1.25, steps="iterations", settings={"filters": 64}),
    "edaa": Case(archetypal, edaa, steps="iterations", settings={"starts": 20}),
    "nmf-qmv": Case(None, quadratic, 2, "iterations", {"tolerance": 0.0, "weight": 1.0}),
    "conmf": Case(None, quadratic, 2, "iterations", {"tolerance": 0.0}),
    "endnet": Case(training, endnet, target=2),
    "cnnaeu": Case(training, cnnaeu, settings={"patches": 30}),
}


def measured(name: str, scene: Scene, repeats: int, clock: Callable[[], float]) -> dict[str, float]:
    """Seconds of an epoch of a method and of its products, in turn; the first two do not count."""
    case, method = CASES[name], METHODS[name]
    spectra = np.random.default_rng(0).random((scene.bands, LIBRARY))
    library = SpectralLibrary(spectra, np.arange(LIBRARY), tuple(map(str, range(LIBRARY))))
    problem = Problem(scene, int(scene.endmembers or 0), library=library if method.needs.library else None)
    if case.bar is None:
        few, many = (method.configure(**case.settings, **{case.steps: steps}) for steps in (1, 1 + STEPS))
        calls = {
            "few": lambda: method.solve(problem, few),
            "many": lambda: method.solve(problem, many),
            "products": case.bare(scene, few),
        }
        taken = medians(calls, repeats, clock)
        return {"epoch": (taken["many"] - taken["few"]) / STEPS, "products": taken["products"]}
    settings = method.configure(**case.settings, **{case.steps: repeats + 2})
    times: dict[str, list[float]] = {}
    with stopwatch(case.bar, "epoch", clock, {"products": case.bare(scene, settings)}, times):
        method.solve(problem, settings)
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
