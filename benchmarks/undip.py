"""An iteration of `undip` against the time that its convolutions alone need.

(a) The iteration as the library runs it, at its settings: forward, loss in low-dimensional coordinates,
    backward, Adam, average, history. Against its convolutions, forward and backward, on inputs that are
    already padded and upsampled; and against the same network written plainly: channels upsampled before
    they are mixed, loss over all bands, channels first.
(b) The convolution of the upsampled features alone: mixing channels first, or after.
(c) The share of the history; the loss; and channels last against channels first.

Figures are medians; calls that are compared are timed in turn, so that a machine that slows down slows all of
them. Compare the ratios: seconds drift with the machine.

    python benchmarks/undip.py --threads 1 --clock cpu --json undip.json
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from timing import FORMATS, medians, parsed, save, stopwatch
from torch import Tensor, nn

from hsu_lib.learning.networks.prior import DeepPrior, upsampled_convolution
from hsu_lib.methods.method import Problem
from hsu_lib.methods.priors import fitting, undip
from hsu_lib.metrics.truth import Reference, Truth
from hsu_lib.scene import Scene

SIZES = {"Samson's size": (96, 96, 156, 3), "Jasper's size": (100, 100, 198, 4)}
Call = Callable[[], object]


class Case:
    """A random scene of that size, and what `undip` makes of it before its first iteration."""

    def __init__(self, height: int, width: int, bands: int, endmembers: int) -> None:
        rng = np.random.default_rng(0)
        self.E = 0.1 + 0.8 * rng.random((bands, endmembers))
        A = rng.dirichlet(np.ones(endmembers), height * width).T
        clean = self.E @ A
        self.Y = clean + 0.01 * rng.standard_normal(clean.shape)
        self.size = (height, width)
        maps = A.reshape(endmembers, height, width).astype(np.float32)
        truth = Truth(clean.reshape(bands, height, width), {"reference": Reference(self.E, maps)})
        self.watch = undip.Watch(self.Y, self.E, self.size, truth, 1.0, torch.device("cpu"))
        self.Z = torch.randn(1, endmembers, height, width)
        self.A = torch.tensor(maps)[None]

    def network(self, layout: torch.memory_format = torch.channels_last) -> DeepPrior:
        torch.manual_seed(0)
        made = undip.UnDIPSettings().network(self.E.shape[1]).to(memory_format=layout)  # type: ignore[call-overload]
        assert isinstance(made, DeepPrior)
        return made


def iterations(
    case: Case, others: Mapping[str, Call], repeats: int, clock: Callable[[], float]
) -> dict[str, float]:
    """Seconds of an iteration of `fit`, and of the other calls, in turn; the first two do not count."""
    times: dict[str, list[float]] = {}
    network, settings = case.network(), undip.UnDIPSettings()
    target = case.watch.images["mse-reconstruction"]
    with stopwatch(fitting, "iteration", clock, others, times):
        fitting.fit_to_image(
            network,
            case.Z,
            lambda A: 0.5 * case.watch.distance(A, *target),
            torch.optim.Adam(network.parameters(), lr=settings.learning_rate),
            case.watch,
            Problem(Scene(case.Y.reshape(-1, *case.size)), case.E.shape[1]),
            iterations=repeats + 2,
            window=settings.window,
        )
    return {name: statistics.median(taken[2:]) for name, taken in times.items()}


def plain_iteration(case: Case) -> Call:
    """The same network as one would write it first: nothing shared, nothing in place, loss over all bands."""
    filters, skip, endmembers = 256, 4, case.E.shape[1]

    def layer(inputs: int, outputs: int, side: int, stride: int = 1) -> nn.Sequential:
        return nn.Sequential(
            nn.ReflectionPad2d(side // 2),
            nn.Conv2d(inputs, outputs, side, stride),
            nn.BatchNorm2d(outputs),
            nn.LeakyReLU(0.1),
        )

    class Plain(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.down = nn.Sequential(layer(endmembers, filters, 3, 2), layer(filters, filters, 3))
            self.rise = nn.Upsample(scale_factor=2, mode="bilinear")
            self.skip = layer(endmembers, skip, 1)
            self.up = nn.Sequential(
                layer(filters + skip, filters, 3),
                layer(filters, filters, 1),
                nn.Conv2d(filters, endmembers, 1),
            )

        def forward(self, Z: Tensor) -> Tensor:
            return self.up(torch.cat([self.rise(self.down(Z)), self.skip(Z)], dim=1)).softmax(dim=1)

    network = Plain()
    optimise = torch.optim.Adam(network.parameters(), lr=0.001)
    Y, E = (torch.tensor(X, dtype=torch.float32) for X in (case.Y, case.E))
    average = torch.zeros_like(case.Z)

    def once() -> None:
        nonlocal average
        optimise.zero_grad()
        A = network(case.Z)
        (0.5 * (Y - E @ A.flatten(2)[0]).square().sum()).backward()
        optimise.step()
        average = 0.99 * average + 0.01 * A.detach()

    return once


def step(case: Case, layout: torch.memory_format) -> Call:
    """Forward, loss, backward, Adam."""
    network, target = case.network(layout), case.watch.images["mse-reconstruction"]
    optimise = torch.optim.Adam(network.parameters(), lr=0.001)

    def once() -> None:
        optimise.zero_grad(set_to_none=True)
        case.watch.distance(network(case.Z), *target).backward()
        optimise.step()

    return once


def gradients(call: Callable[..., Tensor], *inputs: Tensor) -> Call:
    """Forward, and backward to every input that needs it, from a random gradient."""
    pull = torch.rand_like(call(*inputs))
    wanted = [x for x in inputs if x.requires_grad]
    return lambda: torch.autograd.grad(call(*inputs), wanted, pull)


def features(channels: int, height: int, width: int, layout: torch.memory_format) -> Tensor:
    return torch.rand(1, channels, height, width).contiguous(memory_format=layout).requires_grad_()


def convolutions(case: Case, layout: torch.memory_format, *, coarse: bool = False) -> Call:
    """The six convolutions; no gradient for the network's input. `coarse`: that after upsampling our way."""
    (height, width), network = case.size, case.network(layout)
    first, second, join, pointwise = (
        block[0].weight for block in (*network.down, network.join, network.up[0])
    )
    filters, skip = len(first), len(network.skip[0].weight)
    Z = case.Z.contiguous(memory_format=layout)
    calls = [
        gradients(lambda z, w: F.conv2d(z, w, stride=2), F.pad(Z, (1, 1, 1, 1)), first),
        gradients(F.conv2d, features(filters, height // 2 + 2, width // 2 + 2, layout), second),
        gradients(F.conv2d, Z, network.skip[0].weight),
        gradients(F.conv2d, features(filters, height, width, layout), pointwise),
        gradients(F.conv2d, features(filters, height, width, layout), *network.up[1].parameters()),
    ]
    if coarse:
        on_coarse, on_fine = join.detach().split([filters, skip], dim=1)
        x = features(filters, height // 2, width // 2, layout)
        calls.append(gradients(upsampled_convolution, x, on_coarse.clone().requires_grad_()))
        x = features(skip, height + 2, width + 2, layout)
        calls.append(gradients(F.conv2d, x, on_fine.clone().requires_grad_()))
    else:
        calls.append(gradients(F.conv2d, features(filters + skip, height + 2, width + 2, layout), join))
    return lambda: [call() for call in calls]


def upsampled(case: Case) -> dict[str, Call]:
    """The convolution of the upsampled features, as a plain one and ours."""
    filters = 256
    x = features(filters, case.size[0] // 2, case.size[1] // 2, torch.channels_last)
    weight = torch.rand(filters, filters, 3, 3).requires_grad_()

    def plain(x: Tensor, weight: Tensor) -> Tensor:
        fine = F.interpolate(x, scale_factor=2.0, mode="bilinear")
        return F.conv2d(F.pad(fine, (1, 1, 1, 1), mode="reflect"), weight)

    return {
        "upsample, convolve": gradients(plain, x, weight),
        "mix, upsample": gradients(upsampled_convolution, x, weight),
    }


def small(case: Case) -> dict[str, Call]:
    """What is not the network: the history and the two losses, with their gradients."""
    Y, E = (torch.tensor(X, dtype=torch.float32) for X in (case.Y, case.E))
    A = case.A.clone().requires_grad_()
    target = case.watch.images["mse-reconstruction"]
    record, loss = torch.zeros(1, 1 + 2 * len(case.watch.names)), torch.zeros(())

    def history() -> None:
        now, average = case.A, case.A
        record[0] = torch.cat([loss[None], case.watch.errors(now), case.watch.errors(average)])

    def direct(A: Tensor) -> Tensor:
        return 0.5 * (Y - E @ A.flatten(2)[0]).square().sum()

    return {
        "history": history,
        "low-dimensional loss": gradients(lambda A: 0.5 * case.watch.distance(A, *target), A),
        "direct loss": gradients(direct, A),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    given = parsed(parser, repeats=11)
    rows: list[dict[str, Any]] = []

    def show(part: str, what: str, value: float, unit: str = "", target: float | None = None) -> None:
        rows.append(
            {"scene": scene, "part": part, "what": what, "value": value, "unit": unit, "target": target}
        )
        met = "" if target is None else f" target {target:g}: {'met' if value <= target else 'MISSED'}"
        print(f"({part}) {what:58}{value:10.3g} {unit:5}{met}")

    for scene, sizes in SIZES.items():
        case = Case(*sizes)
        last = torch.channels_last
        others = {
            "convolutions": convolutions(case, last),
            "ours": convolutions(case, last, coarse=True),
            "plain": plain_iteration(case),
            **upsampled(case),
            **{name: step(case, layout) for name, layout in FORMATS.items()},
        }
        taken = iterations(case, others, given.repeats, given.timer)
        # short calls are timed more often
        taken |= medians(small(case), 20 * given.repeats, given.timer)
        print("\n{}: {} x {} x {}, {} endmembers".format(scene, *sizes))
        show("a", "iteration", 1e3 * taken["iteration"], "ms")
        show("a", "its convolutions, plain", 1e3 * taken["convolutions"], "ms")
        show("a", "    iteration over them", taken["iteration"] / taken["convolutions"], "", 1.25)
        show("a", "its convolutions, channels mixed before upsampling", 1e3 * taken["ours"], "ms")
        show("a", "    iteration over them", taken["iteration"] / taken["ours"], "", 1.25)
        show("a", "iteration written plainly", 1e3 * taken["plain"], "ms")
        show("a", "    over ours", taken["plain"] / taken["iteration"])
        for name in ("upsample, convolve", "mix, upsample"):
            show("b", name, 1e3 * taken[name], "ms")
        show("c", "share of the history", 100 * taken["history"] / taken["iteration"], "%", 2)
        for name in ("low-dimensional loss", "direct loss"):
            show("c", f"{name}, with its gradient", 1e3 * taken[name], "ms")
        for name in FORMATS:
            show("c", f"forward, loss, backward, Adam, {name}", 1e3 * taken[name], "ms")
    save(given, rows)


if __name__ == "__main__":
    main()
