"""FCLSU against its limit (one product of the same arrays) and against the field's solvers.

All are timed side by side in one process; figures are medians, and the ratios are what to compare, because
seconds drift with the machine. Solvers that go pixel by pixel are timed on a part of the pixels and scaled.

    python benchmarks/fclsu.py --json fclsu.json
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from itertools import combinations
from pathlib import Path

import numpy as np
import torch
from scipy.optimize import nnls

from hsu_lib.solvers.fclsu import fclsu


def scene(height: int, width: int, bands: int, endmembers: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Image and endmembers in float32: smooth spectra, sparse mixtures, 30 dB noise, so faces are common."""
    rng = np.random.default_rng(seed)
    x = np.linspace(0, 1, bands)[:, None]
    bumps = np.exp(-(((x - rng.random((1, 4 * endmembers))) / 0.15) ** 2)) @ rng.random(
        (4 * endmembers, endmembers)
    )
    E = 0.05 + 0.5 * bumps / bumps.max()
    A = rng.dirichlet(np.full(endmembers, 0.3), height * width).T
    clean = E @ A
    noisy = clean + np.sqrt(np.mean(clean**2) * 1e-3) * rng.standard_normal(clean.shape)
    return noisy.astype(np.float32), E.astype(np.float32)


def exact(Y: np.ndarray, E: np.ndarray) -> np.ndarray:
    """Brute force over all supports, in float64."""
    Y, E = Y.astype(np.float64), E.astype(np.float64)
    A, best = np.zeros((E.shape[1], Y.shape[1])), np.full(Y.shape[1], np.inf)
    for size in range(1, E.shape[1] + 1):
        for chosen in combinations(range(E.shape[1]), size):
            S, system = E[:, chosen], np.ones((size + 1, size + 1))
            system[:size, :size], system[size, size] = S.T @ S, 0
            Z = np.linalg.solve(system, np.vstack([S.T @ Y, np.ones((1, Y.shape[1]))]))[:size]
            error = ((Y - S @ Z) ** 2).sum(axis=0)
            better = (Z >= -1e-13).all(axis=0) & (error < best)
            best[better], A[:, better] = error[better], 0
            A[np.ix_(chosen, np.flatnonzero(better))] = Z[:, better]
    return A


def by_spams(Y: np.ndarray, E: np.ndarray) -> np.ndarray:
    import spams

    Y, E = (np.asfortranarray(X, dtype=np.float64) for X in (Y, E))
    return spams.decompSimplex(Y, E, computeXtX=True, numThreads=torch.get_num_threads()).toarray()


def by_nnls(Y: np.ndarray, E: np.ndarray) -> np.ndarray:
    """ASC as a heavily weighted row, as Heinz and Chang (2001) propose."""
    weight = 1e3 * float(np.abs(E).max())
    system = np.vstack([E, np.full((1, E.shape[1]), weight)]).astype(np.float64)
    return np.stack([nnls(system, np.append(y, weight))[0] for y in Y.T.astype(np.float64)], axis=1)


def by_pysptools(Y: np.ndarray, E: np.ndarray) -> np.ndarray:
    from pysptools.abundance_maps.amaps import FCLS

    return FCLS(Y.T.astype(np.float64), E.T.astype(np.float64)).T


def seconds(call: Callable[[], object], repeats: int) -> float:
    times = []
    for _ in range(repeats + 1):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])


def processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    return next((s.split(":")[1].strip() for s in lines if s.startswith("model name")), platform.machine())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, nargs=2, default=(307, 307), metavar=("HEIGHT", "WIDTH"))
    parser.add_argument("--bands", type=int, default=162)
    parser.add_argument("--endmembers", type=int, default=6)
    parser.add_argument("--repeats", type=int, default=9, help="timed calls of each fast solver")
    parser.add_argument("--part", type=int, default=2000, help="pixels for the pixel-by-pixel solvers")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    given = parser.parse_args()

    Y, E = scene(*given.size, given.bands, given.endmembers, given.seed)
    pixels, part = Y.shape[1], min(given.part, Y.shape[1])
    tensors = torch.from_numpy(Y), torch.from_numpy(E)
    few = np.ascontiguousarray(Y[:, :part])
    truth = exact(few, E)
    product = seconds(lambda: tensors[1].T @ tensors[0], given.repeats)
    solvers: list[tuple[str, Callable[[np.ndarray, np.ndarray], np.ndarray], bool]] = [
        ("hsu_lib fclsu", fclsu, True),
        ("spams decompSimplex", by_spams, True),
        ("scipy nnls per pixel", by_nnls, False),
        ("pysptools FCLS", by_pysptools, False),
    ]
    rows = [{"solver": "one product E.T @ Y (float32)", "seconds": product, "error": None, "scaled": False}]
    for name, solve, whole in solvers:
        try:
            error = float(np.abs(solve(few, E) - truth).max())
            used = Y if whole else few
            taken = seconds(lambda s=solve, u=used: s(u, E), given.repeats if whole else 1)
        except ImportError as missing:
            print(f"{name}: left out ({missing})")
            continue
        rows.append(
            {"solver": name, "seconds": taken * pixels / used.shape[1], "error": error, "scaled": not whole}
        )
    ours = next(r["seconds"] for r in rows if r["solver"].startswith("hsu_lib"))
    print(
        f"{processor()}, {torch.get_num_threads()} threads; "
        f"{given.size[0]} x {given.size[1]} x {given.bands}, "
        f"{given.endmembers} endmembers; mean active {np.mean((truth > 0).sum(axis=0)):.1f}"
    )
    print(f"{'solver':30} {'seconds':>9} {'products':>9} {'ours':>7}   largest error against the enumeration")
    for r in rows:
        error = "" if r["error"] is None else f"{r['error']:.1e}"
        print(
            f"{r['solver']:30} {r['seconds']:9.3f} {r['seconds'] / product:9.1f} "
            f"{r['seconds'] / ours:7.2f}   {error}{'  (scaled from a part)' if r['scaled'] else ''}"
        )
    if given.json:
        names = ("numpy", "scipy", "torch", "spams-bin", "pysptools", "cvxopt")
        found = {}
        for name in names:
            try:
                found[name] = version(name)
            except PackageNotFoundError:
                found[name] = None
        facts = {"processor": processor(), "threads": torch.get_num_threads(), "versions": found}
        given.json.write_text(json.dumps({"machine": facts, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
