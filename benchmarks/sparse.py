"""Sparse regression with a library against the products and transforms that an iteration is made of.

On a generated scene of DC1's size: an iteration of each engine as the library runs it, against two products
of its system with the abundances (`sunsal`), against the product, and for total variation the two
transforms, that it makes itself (`own`), and against the three products of the published form, and the
transforms (`published`), in arrays of the same sizes and type. The exact minimum stands beside the
published iterations until they stop.

Figures are medians; what is compared is timed in turn, so that a machine that slows down slows both.
Compare the ratios: seconds drift with the machine.

    python benchmarks/sparse.py --threads 1 --clock cpu --json sparse.json
    python benchmarks/sparse.py --scene 100 100 224 240 --device cuda
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from timing import medians, parsed, save

from hsu_lib.solvers.sparse import Products, nonnegative, products, sunsal
from hsu_lib.solvers.sparse_maps import s2wsu, sunsal_tv

Call = Callable[[], object]
#: Iterations of a call, so that what is made once counts little.
STEPS = 20


def generated(height: int, width: int, bands: int, atoms: int, device: str) -> Products:
    """Products of noisy mixtures of five of many broad spectra, and the library of these."""
    rng = np.random.default_rng(0)
    x = np.linspace(0, 1, bands)[:, None]
    bumps = [0.3 * np.exp(-(((x - rng.random(atoms)) / width) ** 2)) for width in (0.05, 0.2, 0.5)]
    D = 0.2 + sum(bumps) + 0.02 * rng.random((bands, atoms))
    X = np.zeros((atoms, height * width))
    X[:5] = rng.dirichlet(np.ones(5), height * width).T
    Y = D @ X + 0.02 * rng.standard_normal((bands, height * width))
    return products(torch.from_numpy(Y).to(device), torch.from_numpy(D).to(device))


def bare(
    given: Products, shape: tuple[int, int], bands: int, *, system: int, library: int, maps: bool
) -> Call:
    """So many products with a matrix of the system's size and of the library's; transforms and back."""
    F, X = torch.rand_like(given.G), torch.rand_like(given.B)
    D = given.G.new_ones(bands, len(F))

    def once() -> None:
        for _ in range(system):
            F @ X
        for _ in range(library):
            D @ X
        if maps:
            torch.fft.irfft2(torch.fft.rfft2(X.view(-1, *shape)), s=shape)

    return once


def synchronised(call: Call, device: str) -> Call:
    def whole() -> None:
        call()
        if device.startswith("cuda"):
            torch.cuda.synchronize()

    return whole


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--scene",
        type=int,
        nargs=4,
        default=(75, 75, 224, 240),
        metavar=("HEIGHT", "WIDTH", "BANDS", "ATOMS"),
        help="DC1's by default",
    )
    parser.add_argument("--device", default="cpu", help="of torch")
    given = parsed(parser, repeats=5)
    height, width, bands, atoms = given.scene
    double = generated(height, width, bands, atoms, given.device)
    single = double._replace(G=double.G.float(), B=double.B.float())
    rows: list[dict[str, Any]] = []
    print(f"{height} x {width} x {bands}, {atoms} atoms")
    print(f"{'engine':18} {'against':14} {'step, ms':>9} {'bare, ms':>9} {'ratio':>7}")
    shape = height, width
    of = {
        kind: partial(bare, given_, shape, bands) for kind, given_ in (("double", double), ("single", single))
    }
    cases = [
        ("sunsal", "two products", 3.0, partial(sunsal, double, 0.01, tolerance=0, iterations=STEPS),
         of["double"](system=2, library=0, maps=False)),
        ("s2wsu", "published", None, partial(s2wsu, double, shape, 0.01, rounds=STEPS // 5),
         of["double"](system=1, library=2, maps=False)),
    ]  # fmt: skip
    for kind, products_ in (("double", double), ("single", single)):
        engine = partial(sunsal_tv, products_, shape, 0.01, 0.01, iterations=STEPS)
        cases += [
            (f"sunsal-tv, {kind}", "published", 2.0, engine, of[kind](system=1, library=2, maps=True)),
            (f"sunsal-tv, {kind}", "own", None, engine, of[kind](system=1, library=0, maps=True)),
        ]
    for name, against, target, engine, alone in cases:
        calls = {"engine": synchronised(engine, given.device), "bare": synchronised(alone, given.device)}
        taken = medians(calls, given.repeats, given.timer)
        step, ratio = taken["engine"] / STEPS, taken["engine"] / STEPS / taken["bare"]
        figures = {"step": step, "bare": taken["bare"], "ratio": ratio, "target": target}
        rows.append({"engine": name, "against": against, **figures})
        met = "" if target is None else f" target {target:g}: {'met' if ratio <= target else 'MISSED'}"
        print(
            f"{name:18} {against:14} {1e3 * step:9.3g} {1e3 * taken['bare']:9.3g} {ratio:7.3g}{met}",
            flush=True,
        )
    whole = {
        "exact": synchronised(partial(nonnegative, double.G, double.B - 0.01), given.device),
        "code": synchronised(partial(sunsal, double, 0.01), given.device),
    }
    taken = medians(whole, 1, given.timer)
    ratio = taken["exact"] / taken["code"]
    rows.append({"engine": "exact", "against": "published", **taken, "ratio": ratio, "target": 1.0})
    print(
        f"exact minimum {taken['exact']:.3g} s, published iterations {taken['code']:.3g} s: ratio {ratio:.3g}"
    )
    save(given, rows)


if __name__ == "__main__":
    main()
