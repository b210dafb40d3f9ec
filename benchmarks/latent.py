"""The latent Dirichlet autoencoders against what their matrix products and convolutions alone need.

(a) An epoch of `ldvae` as the library runs it, at its settings, on generated pixels of Samson's size, against
    the matrix products of its linear layers, forward and backward, for the same batches; and where the rest
    of the time goes.
(b) All pixels of an image of Urban's size by the encoder of `spacnn-ldvae`: at once, as the library does it,
    against patch by patch; and the largest difference between both.
(c) An epoch of `spacnn-ldvae` on Samson's size against its convolutions, forward and backward, on patches
    that are already cut.

Figures are medians; calls that are compared are timed in turn, so that a machine that slows down slows all of
them. Compare the ratios: seconds drift with the machine.

    python benchmarks/latent.py --threads 1 --clock cpu --json latent.json
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from timing import medians, parsed, save, stopwatch
from torch import Tensor, nn

from hsu_lib.learning import fit as training
from hsu_lib.learning.dirichlet import divergence, sample
from hsu_lib.learning.labels import Labels, training_mask
from hsu_lib.learning.networks.latent import (
    PixelEncoder,
    SpatialEncoder,
    SpectrumDecoder,
    negative_log_likelihood,
)
from hsu_lib.methods.labelled import ldvae, spacnn
from hsu_lib.methods.labelled.ldvae import LDVAESettings
from hsu_lib.methods.labelled.spacnn import SpaCNNSettings
from hsu_lib.methods.method import Problem, Solve
from hsu_lib.scene import Scene

Call = Callable[[], object]
Sizes = tuple[int, int, int, int]
PARTS = ("encoder", "sampling", "divergence", "decoder", "likelihood", "abundance error")


def generated(height: int, width: int, bands: int, endmembers: int) -> Labels:
    """Noisy mixtures of random endmembers, 80 % of the pixels for training."""
    rng = np.random.default_rng(0)
    E = 0.1 + 0.8 * rng.random((bands, endmembers))
    A = rng.dirichlet(np.ones(endmembers), height * width).T
    Y = E @ A + 0.01 * rng.standard_normal((bands, height * width))
    scene = Scene(Y.reshape(bands, height, width), E, A.reshape(endmembers, height, width))
    return Labels(scene, training_mask(height, width, share=0.8, by="pixels"))


def epochs(
    solve: Solve,
    settings: type[LDVAESettings],
    given: Labels,
    others: Mapping[str, Call],
    repeats: int,
    clock: Callable[[], float],
) -> dict[str, float]:
    """Seconds of an epoch of a method, and of the other calls, in turn; the first two do not count."""
    times: dict[str, list[float]] = {}
    assert given.scene.endmembers is not None
    with stopwatch(training, "epoch", clock, others, times):
        solve(Problem(given.scene, given.scene.endmembers, labels=given), settings(epochs=repeats + 2))
    return {name: statistics.median(taken[2:]) for name, taken in times.items()}


def tuple_of(made: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return made if isinstance(made, tuple) else (made,)


def gradients(call: Callable[..., Tensor | tuple[Tensor, ...]], *inputs: Tensor) -> Call:
    """Forward, and backward to every input that needs it, from random gradients."""
    pulls = [torch.rand_like(out) for out in tuple_of(call(*inputs))]
    wanted = [x for x in inputs if x.requires_grad]
    return lambda: torch.autograd.grad(tuple_of(call(*inputs)), wanted, pulls)


def in_order(calls: list[Call]) -> Call:
    return lambda: [call() for call in calls]


def batch_sizes(given: Labels, settings: LDVAESettings) -> list[int]:
    return [len(chosen) for chosen in torch.arange(int(given.mask.sum())).split(settings.batch)]


# --------------------------------------------------------------------------- (a) pixels


def products(count: int, networks: list[nn.Module]) -> Call:
    """The products of all linear layers, forward and backward; none for the gradient of the spectra."""
    layers = [layer for network in networks for layer in network.modules() if isinstance(layer, nn.Linear)]
    triples = [
        (torch.rand(count, m.in_features), torch.rand(count, m.out_features), m.weight.detach())
        for m in layers
    ]

    def once() -> None:
        for number, (x, pull, weight) in enumerate(triples):
            x @ weight.T
            pull.T @ x
            if number:
                pull @ weight

    return once


def pixel_parts(given: Labels, settings: LDVAESettings) -> dict[str, Call]:
    """Calls for all batches of an epoch: the products, each part with its gradients and without, Adam."""
    bands, endmembers = given.scene.bands, int(given.scene.endmembers or 0)
    torch.manual_seed(0)
    encoder = PixelEncoder(bands, endmembers, hidden=settings.hidden, activation=settings.activation)
    decoder = SpectrumDecoder(endmembers, bands, hidden=settings.hidden[::-1])
    sizes = batch_sizes(given, settings)
    spectra, labels = torch.tensor(given.spectra), torch.tensor(given.abundances)
    calls: dict[str, list[Call]] = {name: [] for part in PARTS for name in (part, f"{part}, forward")}

    def part(name: str, call: Callable[..., Tensor | tuple[Tensor, ...]], *inputs: Tensor) -> None:
        calls[name].append(gradients(call, *inputs))
        calls[f"{name}, forward"].append(lambda: call(*inputs))

    for x, z in zip(spectra.split(sizes), labels.split(sizes), strict=True):
        concentrations = encoder(x).detach().requires_grad_()
        sampled = sample(concentrations, settings.sampling).detach().requires_grad_()
        mean, deviation = (made.detach().requires_grad_() for made in decoder(sampled))
        prior = torch.full_like(concentrations, settings.prior)
        part("encoder", lambda x, *_: encoder(x), x, *encoder.parameters())
        part("sampling", lambda c: sample(c, settings.sampling), concentrations)
        part(
            "divergence",
            lambda c, prior=prior: divergence(c, prior, settings.divergence).mean(),
            concentrations,
        )
        part("decoder", lambda z, *_: decoder(z), sampled, *decoder.parameters())
        part("likelihood", lambda x, m, d: negative_log_likelihood(x, m, d).mean(), x, mean, deviation)
        part("abundance error", lambda a, z: (a - z).square().mean(), sampled, z)

    both = torch.nn.ModuleList([encoder, decoder])
    optimise = torch.optim.Adam(both.parameters(), lr=settings.learning_rate, fused=True)
    for group in optimise.param_groups:
        for parameter in group["params"]:
            parameter.grad = torch.zeros_like(parameter)  # they do not move, so all batches stay alike
    view = ldvae.pixels(torch.tensor(given.scene.Y))
    numbers = torch.tensor(np.flatnonzero(given.mask))

    def choose() -> None:
        for chosen in torch.randperm(len(numbers)).split(settings.batch):
            view(numbers[chosen]), labels[chosen]

    return {
        "products": in_order([products(count, [encoder, decoder]) for count in sizes]),
        "choosing pixels": choose,
        **{name: in_order(made) for name, made in calls.items()},
        "Adam": in_order([optimise.step] * len(sizes)),
    }


# --------------------------------------------------------------------------- (b), (c) patches


def spatial(bands: int, endmembers: int, settings: SpaCNNSettings) -> SpatialEncoder:
    torch.manual_seed(0)
    return SpatialEncoder(
        bands,
        endmembers,
        side=settings.patch,
        channels=settings.channels,
        blocks=settings.blocks,
        attention=settings.attention,
        activation=settings.activation,
    ).to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def whole_image(sizes: Sizes, settings: SpaCNNSettings) -> tuple[dict[str, Call], float]:
    """All pixels at once and patch by patch, and the largest difference of their concentrations."""
    height, width, bands, endmembers = sizes
    image = torch.tensor(generated(*sizes).scene.Y)
    cut, numbers = spacnn.patches(image, settings.patch), torch.arange(height * width)
    encoder = spatial(bands, endmembers, settings)
    with torch.no_grad():  # so that batch normalisation has something to do in evaluation mode
        for chosen in torch.randperm(len(numbers))[:2048].split(settings.batch):
            encoder(cut(chosen))
    encoder.eval()

    @torch.no_grad()
    def at_once() -> Tensor:
        return encoder.whole(image)

    @torch.no_grad()
    def by_patch() -> Tensor:
        return torch.cat([encoder(cut(chosen)) for chosen in numbers.split(4096)])

    difference = float((at_once() - by_patch()).abs().max())
    return {"at once": at_once, "by patch": by_patch}, difference


def convolutions(count: int, encoder: SpatialEncoder, bands: int) -> Call:
    """All convolutions of the encoder; no gradient for the patches."""
    calls = []
    for number, layer in enumerate(m for m in encoder.modules() if isinstance(m, nn.Conv2d)):
        x = torch.rand(count, layer.in_channels, encoder.side, encoder.side)
        x = x.contiguous(memory_format=torch.channels_last).requires_grad_(number > 0)
        weight = layer.weight.detach().requires_grad_()
        calls.append(gradients(lambda x, w: F.conv2d(x, w, padding=1), x, weight))
    return in_order(calls)


def patch_parts(given: Labels, settings: SpaCNNSettings) -> dict[str, Call]:
    """Calls for all batches of an epoch: the convolutions, the encoder, cutting patches."""
    bands = given.scene.bands
    encoder = spatial(bands, int(given.scene.endmembers or 0), settings)
    sizes = batch_sizes(given, settings)
    cut = spacnn.patches(torch.tensor(given.scene.Y), settings.patch)
    numbers = torch.tensor(np.flatnonzero(given.mask))
    # the calls of full batches share their tensors: an epoch's patches would fill half a gigabyte
    alone = {count: convolutions(count, encoder, bands) for count in set(sizes)}
    encode = {
        count: gradients(lambda x, *_: encoder(x), cut(numbers[:count]), *encoder.parameters())
        for count in set(sizes)
    }
    return {
        "convolutions": in_order([alone[count] for count in sizes]),
        "encoder": in_order([encode[count] for count in sizes]),
        "cutting patches": lambda: [cut(numbers[c]) for c in torch.randperm(len(numbers)).split(sizes)],
    }


# --------------------------------------------------------------------------- all of it


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = ("HEIGHT", "WIDTH", "BANDS", "ENDMEMBERS")
    parser.add_argument(
        "--scene",
        type=int,
        nargs=4,
        default=(95, 95, 156, 3),
        metavar=names,
        help="of (a) and (c); Samson's",
    )
    parser.add_argument(
        "--image", type=int, nargs=4, default=(307, 307, 162, 6), metavar=names, help="of (b); Urban's"
    )
    parser.add_argument("--parts", default="abc", help="which of (a), (b) and (c), for instance ac")
    given = parsed(parser, repeats=21)
    scene: Sizes = tuple(given.scene)
    image: Sizes = tuple(given.image)
    few = max(given.repeats // 7, 1)  # of calls that take seconds
    rows: list[dict[str, Any]] = []

    def show(part: str, what: str, value: float, unit: str = "", target: float | None = None) -> None:
        rows.append({"part": part, "what": what, "value": value, "unit": unit, "target": target})
        met = "" if target is None else f" target {target:g}: {'met' if value <= target else 'MISSED'}"
        print(f"({part}) {what:58}{value:10.3g} {unit:5}{met}")

    data = generated(*scene)
    if "a" in given.parts:
        settings = LDVAESettings()
        calls = pixel_parts(data, settings)
        taken = epochs(ldvae.solve, LDVAESettings, data, calls, given.repeats, given.timer)
        print("\nldvae: {} x {} x {}, {} endmembers".format(*scene))
        show("a", "epoch", 1e3 * taken["epoch"], "ms")
        show("a", "    its matrix products", 1e3 * taken["products"], "ms")
        show("a", "    epoch over them", taken["epoch"] / taken["products"], "", 2)
        for name in ("choosing pixels", *PARTS, "Adam"):
            show("a", f"    {name}", 1e3 * taken[name], "ms")
            if name in PARTS:
                show("a", "        forward alone", 1e3 * taken[f"{name}, forward"], "ms")
        accounted = sum(taken[name] for name in ("choosing pixels", *PARTS, "Adam"))
        show("a", "    share of the epoch that these make up", 100 * accounted / taken["epoch"], "%")
    if "b" in given.parts:
        calls, difference = whole_image(image, SpaCNNSettings())
        taken = medians(calls, few, given.timer)
        print("\nspacnn-ldvae, all pixels: {} x {} x {}, {} endmembers".format(*image))
        show("b", "at once", taken["at once"], "s", 2)
        show("b", "patch by patch", taken["by patch"], "s")
        show("b", "    over at once", taken["by patch"] / taken["at once"])
        show("b", "largest difference of a concentration", difference)
    if "c" in given.parts:
        calls = patch_parts(data, SpaCNNSettings())
        taken = epochs(spacnn.solve, SpaCNNSettings, data, calls, few, given.timer)
        print("\nspacnn-ldvae: {} x {} x {}, {} endmembers".format(*scene))
        show("c", "epoch", taken["epoch"], "s")
        show("c", "    its convolutions", taken["convolutions"], "s")
        show("c", "    epoch over them", taken["epoch"] / taken["convolutions"])
        for name in ("encoder", "cutting patches"):
            show("c", f"    {name}", taken[name], "s")
    save(given, rows)


if __name__ == "__main__":
    main()
