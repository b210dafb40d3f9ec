"""Perturbed images, and training on them, against targets.

(a) A whole image whose endmembers are perturbed in every pixel, noise included: seconds, by part, and memory
    beyond the image itself.
(b) Making a batch of patches while training runs, over the time of the training step that uses it.
(c) A training step with balanced loss and optimiser, over the time that its convolutions alone need.

Figures are medians; calls that are compared are timed in turn, so that a machine that slows down slows all of
them. Compare the ratios: seconds drift with the machine.

    python benchmarks/perturbations.py --threads 1 --json perturbations.json
"""

from __future__ import annotations

import argparse
import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import count
from pathlib import Path

import torch
import torch.nn.functional as F
from timing import FORMATS, medians, parsed, save
from torch import Tensor

from hsu_lib.learning.networks import ConvolutionalAutoencoder
from hsu_lib.learning.networks.wide import wide_convolution
from hsu_lib.learning.variability import Batch, Variability, generate, mix_pixelwise
from hsu_lib.methods.autoencoders.augmentation import balanced_loss
from hsu_lib.methods.autoencoders.perturbation import PerturbationSettings, stream

NOISE = 0.03


def mixture(height: int, width: int, bands: int, endmembers: int) -> tuple[Tensor, Tensor]:
    """Endmembers ``(bands, endmembers)`` and abundances ``(endmembers, height, width)``."""
    generator = torch.Generator().manual_seed(0)
    E = 0.1 + 0.8 * torch.rand(bands, endmembers, generator=generator)
    return E, torch.softmax(torch.randn(endmembers, height, width, generator=generator), dim=0)


# --------------------------------------------------------------------------- (a) a whole image


def image_parts(shape: tuple[int, int, int, int]) -> dict[str, Callable[[], object]]:
    E, A = (X[None] for X in mixture(*shape))
    height, width, bands, endmembers = shape
    law, generator = Variability(), torch.Generator().manual_seed(1)
    flat = A.flatten(2)
    factors = law.draw((1, height * width, endmembers), bands, generator)
    Y = mix_pixelwise(E, flat, factors)[0]

    def noise() -> None:
        Y.add_(NOISE * torch.randn(Y.shape, generator=generator))

    return {
        "whole": lambda: generate(E, A, noise=NOISE, generator=generator, pixelwise=law),
        "draw": lambda: law.draw((1, height * width, endmembers), bands, generator),
        "mix": lambda: mix_pixelwise(E, flat, factors),
        "noise": noise,
    }


def resident(line: str) -> float:
    """``VmRSS`` (now) or ``VmHWM`` (highest so far) of this process in MB, as Linux tells it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(s.split()[1]) for s in lines if s.startswith(line)) * 1024 / 1e6


def image_memory(shape: tuple[int, int, int, int], threads: int) -> float | None:
    """Highest memory while an image is made, beyond what there was before and the image, in MB.

    Meant for a fresh process. A small image comes first, so that code that torch loads when it is first
    used does not count; the kernel's mark of the highest memory is then reset.
    """
    torch.set_num_threads(threads)
    law, generator = Variability(), torch.Generator().manual_seed(1)
    E, A = (X[None] for X in mixture(*shape))
    generate(E, A[..., :20, :20], noise=NOISE, generator=generator, pixelwise=law)
    try:
        Path("/proc/self/clear_refs").write_text("5")
        before = resident("VmRSS")
    except OSError:
        return None
    made = generate(E, A, noise=NOISE, generator=generator, pixelwise=law)
    return resident("VmHWM") - before - sum(X.nbytes for X in (made.Y, made.E)) / 1e6


# --------------------------------------------------------------------------- (b) streaming, (c) a step


def streamed(shape: tuple[int, int, int, int], patches: int, pixelwise: bool) -> Callable[[], Batch]:
    """The next batch of patches with sides `height` and `width`, cut from an image of 95 x 95 (Samson)."""
    size, _, bands, endmembers = shape
    E, A = mixture(max(95, size), max(95, size), bands, endmembers)
    settings = PerturbationSettings(pixelwise=pixelwise, patch_size=size, batch=patches, noise=NOISE)
    epoch = stream(E, A, settings, torch.Generator().manual_seed(2)).batches
    full: Iterator[Batch] = (b for number in count() for b in epoch(number) if len(b.Y) == patches)
    return lambda: next(full)


def network_for(shape: tuple[int, int, int, int], layout: torch.memory_format) -> ConvolutionalAutoencoder:
    settings = PerturbationSettings()
    torch.manual_seed(0)
    return ConvolutionalAutoencoder(
        shape[2],
        shape[3],
        filters=settings.filters,
        kernel=settings.kernel,
        dropout=settings.dropout,
        softmax_factor=1.0,
    ).to(memory_format=layout)


def step(shape: tuple[int, int, int, int], batch: Batch, layout: torch.memory_format) -> Callable[[], object]:
    """One training step: forward, balanced loss, backward, RMSprop."""
    network, settings = network_for(shape, layout), PerturbationSettings()
    batch = batch._replace(Y=batch.Y.contiguous(memory_format=layout))
    optimise = torch.optim.RMSprop(network.parameters(), lr=settings.learning_rate)

    def once() -> None:
        optimise.zero_grad(set_to_none=True)
        A_hat, Y_hat = network(batch.Y)
        (balanced_loss(Y_hat, network.endmembers, A_hat, batch, settings) / len(batch.Y)).backward()
        optimise.step()

    return once


def convolutions(
    shape: tuple[int, int, int, int], batch: Batch, layout: torch.memory_format, *, stock: bool
) -> Callable[[], object]:
    """The step's three convolutions, forward and backward, on inputs and gradients of the step's shapes.

    As in the step, the first needs no gradient for its input. `stock` takes torch's own decoder.
    """
    network = network_for(shape, layout)
    first, second, decoder = network.encoder[0].weight, network.encoder[4].weight, network.decoder.weight

    def values(like: tuple[int, ...]) -> Tensor:
        return torch.rand(like).contiguous(memory_format=layout)

    images, _, height, width = batch.Y.shape
    Y = batch.Y.contiguous(memory_format=layout)
    hidden = values((images, len(first), height, width)).requires_grad_()
    A = values((images, len(second), height, width)).requires_grad_()
    on_hidden, on_A, on_Y = values(hidden.shape), values(A.shape), values(Y.shape)

    def once() -> None:
        torch.autograd.grad(F.conv2d(Y, first, padding=1), first, on_hidden)
        torch.autograd.grad(F.conv2d(hidden, second), (hidden, second), on_A)
        mixed = F.conv2d(A, decoder, padding="same") if stock else wide_convolution(A, decoder)
        torch.autograd.grad(mixed, (A, decoder), on_Y)

    return once


# --------------------------------------------------------------------------- all of it


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    sizes = ("HEIGHT", "WIDTH", "BANDS", "ENDMEMBERS")
    parser.add_argument(
        "--image", type=int, nargs=4, default=(307, 307, 162, 6), metavar=sizes, help="of (a); Urban's"
    )
    parser.add_argument(
        "--patch",
        type=int,
        nargs=3,
        default=(40, 156, 3),
        metavar=("SIDE", *sizes[2:]),
        help="of (b) and (c)",
    )
    parser.add_argument("--patches", type=int, default=10, help="in a batch")
    given = parsed(parser, repeats=31)
    image, patch = tuple(given.image), (given.patch[0], *given.patch)
    rows: list[dict[str, str | float | None]] = []

    def show(part: str, what: str, value: float | None, unit: str, target: float | None = None) -> None:
        rows.append({"part": part, "what": what, "value": value, "unit": unit, "target": target})
        told = "not measured" if value is None else f"{value:10.3g} {unit:5}"
        met = "" if target is None or value is None else "met" if value <= target else "MISSED"
        print(f"({part}) {what:58}{told}" + (f" target {target:g}: {met}" if target else ""))

    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as fresh:
        memory = fresh.submit(image_memory, image, given.threads).result()
    taken = medians(image_parts(image), given.repeats, given.timer)
    print("\nPixel-wise image, {} x {} x {}, {} endmembers".format(*image))
    show("a", "whole, noise included", taken["whole"], "s", 1.2)
    for name in ("draw", "mix", "noise"):
        show("a", f"    {name}", taken[name], "s")
    show("a", "peak memory above the image", memory, "MB", 200)

    sources = {way: streamed(patch, given.patches, way == "pixel-wise") for way in ("simple", "pixel-wise")}
    batch = sources["simple"]()
    calls: dict[str, Callable[[], object]] = dict(sources)
    for name, layout in FORMATS.items():
        calls[f"step, {name}"] = step(patch, batch, layout)
        calls[f"convolutions, {name}"] = convolutions(patch, batch, layout, stock=False)
        calls[f"stock, {name}"] = convolutions(patch, batch, layout, stock=True)
    taken = medians(calls, given.repeats, given.timer)
    print(f"\nBatch of {given.patches} patches, {patch[0]} x {patch[1]} x {patch[2]}, {patch[3]} endmembers")
    for way in sources:
        show("b", f"{way}: making the batch", 1e3 * taken[way], "ms")
        show("b", "    over a training step", taken[way] / taken["step, channels last"], "", 0.5)
    for name in FORMATS:
        whole, alone, stock = (taken[f"{kind}, {name}"] for kind in ("step", "convolutions", "stock"))
        show("c", f"{name}: training step", 1e3 * whole, "ms")
        show("c", "    its convolutions alone", 1e3 * alone, "ms")
        show("c", "    the same with torch's own decoder", 1e3 * stock, "ms")
        show(
            "c", "    step over its convolutions", whole / alone, "", 1.3 if name == "channels last" else None
        )
    save(given, rows)


if __name__ == "__main__":
    main()
