"""Estimators of the number of endmembers against one product for a covariance, and N-FINDR against its own.

On mixtures of random spectra with noise. Each estimator is timed with all that it needs, moments and noise
included, though `hsu rank` takes those once for all; the last line is that. A sweep of N-FINDR exchanges each
of its p vertices once: beside it stand 2 p products of a vector with the (p, N) coordinates.

Figures are medians, all calls in turn. Compare the ratios: seconds drift with the machine.

    OMP_NUM_THREADS=1 python benchmarks/rank.py --threads 1 --clock cpu --json rank.json
    python benchmarks/rank.py --scene 100 100 224 9
"""

from __future__ import annotations

import argparse

import numpy as np
from timing import medians, parsed, save

from hsu_lib.methods.rank import ESTIMATORS, Pixels, estimates
from hsu_lib.solvers.pure_pixels import nfindr
from hsu_lib.solvers.simplex import exchanged
from hsu_lib.solvers.subspace import principal_subspace

_PRODUCTS = 5  # of the image with itself; an estimator may take so many


def generated(height: int, width: int, bands: int, endmembers: int) -> np.ndarray:
    """Noisy mixtures ``(bands, pixels)``, float32 as scenes are."""
    rng = np.random.default_rng(0)
    A = rng.dirichlet(np.ones(endmembers), height * width).T
    Y = (0.1 + 0.8 * rng.random((bands, endmembers))) @ A
    return (Y + 0.01 * rng.standard_normal(Y.shape)).astype(np.float32)


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
    given = parsed(parser, repeats=5)
    Y, count = generated(*given.scene), given.scene[3]
    wide = Y.astype(np.float64)
    print("{} x {} x {}, {} endmembers".format(*given.scene))
    found = {estimator.label: estimator for estimator in ESTIMATORS.values()}
    calls = {label: (lambda e=estimator: e(Pixels(Y))) for label, estimator in found.items()}
    taken = medians(
        {"product": lambda: wide @ wide.T, **calls, "all of them": lambda: estimates(Y)},
        given.repeats,
        given.timer,
    )
    rows = []
    for name, seconds in taken.items():
        ratio = seconds / taken["product"]
        rows.append({"what": name, "seconds": seconds, "ratio": ratio})
        judged = f" target {_PRODUCTS}: {'met' if ratio <= _PRODUCTS else 'MISSED'}" if name in found else ""
        print(f"{name:16} {1e3 * seconds:9.4g} ms {ratio:7.3g} products{judged}")

    X = principal_subspace(wide, count - 1).coordinates(wide)
    lifted = np.vstack([X, np.ones(X.shape[1])])
    start = np.random.default_rng(1).choice(X.shape[1], count, replace=False)
    sweeps = len(exchanged(X, start).log_volumes) - 1
    normal = np.random.default_rng(0).standard_normal(count)
    taken = medians(
        {
            "products": lambda: [normal @ lifted for _ in range(2 * count)],
            "N-FINDR, once": lambda: exchanged(X, start),
            "N-FINDR, ten starts, with reduction": lambda: nfindr(Y, count, seed=0),
        },
        given.repeats,
        given.timer,
    )
    sweep = taken["N-FINDR, once"] / sweeps
    ratio = sweep / taken["products"]
    rows += [{"what": name, "seconds": seconds} for name, seconds in taken.items()]
    rows.append({"what": "N-FINDR, a sweep", "seconds": sweep, "ratio": ratio})
    for name, seconds in taken.items():
        print(f"{name:36} {1e3 * seconds:9.4g} ms")
    met = "met" if ratio <= 1 else "MISSED"
    print(f"a sweep of {sweeps}: {1e3 * sweep:.4g} ms, {ratio:.3g} of 2 p products, target 1: {met}")
    save(given, rows)


if __name__ == "__main__":
    main()
