"""Regularised NMF against its matrix products, and abundances of varying endmembers against a loop of pixels.

1. A pass of `nmf` on an image of Urban's size, with each list of terms, against the two products with the
   image that every pass needs.
2. `smooth_abundances`, where each pixel has endmembers of its own, against the same splitting with a system
   that is solved pixel by pixel, as public codes have it: both without smoothness, and ours with it.

Figures are medians of what is timed in turn. Compare the ratios: seconds drift with the machine.

    python benchmarks/rivals.py --threads 1 --clock cpu --json rivals.json
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
import torch
from timing import medians, parsed, save
from torch import Tensor

from hsu_lib.solvers.factorization import nmf
from hsu_lib.solvers.nmf_terms import Graph, Neighbours, Smoothed, Sparse, SumToOne, Term, spectral_graph
from hsu_lib.solvers.smooth_abundances import Roughness, Variation, smooth_abundances

PASSES = 10


def image(height: int, width: int, bands: int, endmembers: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Noisy mixtures with the endmembers and abundances that they are of."""
    rng = np.random.default_rng(0)
    E = 0.1 + 0.8 * rng.random((bands, endmembers))
    A = rng.dirichlet(np.ones(endmembers), height * width).T
    return np.abs(E @ A + 0.01 * rng.standard_normal((bands, height * width))), E, A


def passes(given: argparse.Namespace) -> list[dict[str, object]]:
    """Seconds of a pass with each list of terms over those of its products with the image."""
    height, width = given.scene[:2]
    Y, E, A = image(*given.scene)
    y, e, a = (torch.from_numpy(X) for X in (Y, E, A))
    asc, shape = SumToOne(15), (height, width)
    lists: dict[str, list[Term]] = {
        "sum to one": [asc],
        "l1/2": [asc, Sparse(0.05, "root", 1e-4)],
        "reweighted l1": [asc, Sparse(0.01, "log")],
        "neighbours": [asc, Neighbours(0.01, shape)],
        "variation": [asc, Sparse(0.01, "log"), Smoothed(100, 0.04, shape)],
    }
    if given.graph:
        lists["graph"] = [asc, Sparse(0.05, "root", 1e-4), Graph(0.15, spectral_graph(y, 3, 1.0))]
    rows = []
    for name, terms in lists.items():

        def run(iterations: int, terms: list[Term] = terms) -> Callable[[], object]:
            return lambda: nmf(Y, E, A, terms=terms, first="endmembers", iterations=iterations, tolerance=0)

        calls = {"few": run(1), "many": run(1 + PASSES), "products": lambda: (e.T @ y, y @ a.T)}
        taken = medians(calls, given.repeats, given.timer)
        rows.append(row(name, (taken["many"] - taken["few"]) / PASSES, taken["products"]))
    return rows


def by_pixel(gram: Tensor, products: Tensor, start: Tensor, passes: int) -> Tensor:
    """The same splitting without smoothness, one pixel after the other."""
    G, B, A = gram.numpy(), products.numpy(), start.numpy().copy()
    unit, ones, step = np.eye(len(A)), np.ones(len(A)), 10.0
    for n in range(A.shape[1]):
        v = w = A[:, n]
        d, f = np.zeros_like(v), np.zeros_like(v)
        for _ in range(passes):
            inverse = np.linalg.inv(G[n] + 2 * step * unit)
            x, towards = inverse @ (B[n] + step * (v + d + w + f)), inverse @ ones
            x = x + towards * (1 - x.sum()) / towards.sum()
            v, w = x - d, np.maximum(x - f, 0)
            d, f = d + v - x, f + w - x
        A[:, n] = x
    return torch.from_numpy(A)


class Unsmoothed:
    """Maps as they are."""

    def smooth(self, near: Tensor, step: float) -> tuple[Tensor, float]:
        return near, 0.0


def abundances(given: argparse.Namespace) -> list[dict[str, object]]:
    """Seconds of three passes over all pixels, one by one and at once, without and with total variation."""
    height, width = given.scene[:2]
    Y, E, A = image(*given.scene)
    rng = np.random.default_rng(1)
    gram = torch.from_numpy((E.T @ E) * (1 + 0.1 * rng.random((height * width, 1, 1))))
    products, start = torch.from_numpy((E.T @ Y).T.copy()), torch.from_numpy(A)
    shape, stop = (height, width), {"tolerance": 0.0, "iterations": 3}

    def at_once(rough: Roughness) -> Tensor:
        return smooth_abundances(gram, products, start, shape, rough, **stop)

    calls = {
        "at once": lambda: at_once(Unsmoothed()),
        "smooth": lambda: at_once(Variation(0.005, start.reshape(-1, *shape))),
        "by pixel": lambda: by_pixel(gram, products, start, 3),
    }
    taken = medians(calls, given.repeats, given.timer)
    return [
        row("pixel by pixel, over all at once", taken["by pixel"], taken["at once"]),
        row("the same, over all and smooth", taken["by pixel"], taken["smooth"]),
    ]


def row(name: str, ours: float, other: float) -> dict[str, object]:
    print(f"{name:34} {1e3 * ours:10.4g} {1e3 * other:10.4g} {ours / other:7.3g}")
    return {"what": name, "seconds": ours, "other": other, "ratio": ours / other}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--scene",
        type=int,
        nargs=4,
        default=(307, 307, 162, 6),
        metavar=("HEIGHT", "WIDTH", "BANDS", "ENDMEMBERS"),
        help="Urban's by default",
    )
    parser.add_argument(
        "--graph", action="store_true", help="also with a graph of pixels, which takes minutes"
    )
    given = parsed(parser, repeats=3)
    print("{} x {} x {}, {} endmembers".format(*given.scene))
    print(f"{'':34} {'ms':>10} {'other':>10} {'ratio':>7}")
    save(given, passes(given) + abundances(given))


if __name__ == "__main__":
    main()
