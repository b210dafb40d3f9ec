r"""`cycunet`: two cascaded autoencoders with one encoder, which must agree on the abundances.

The second pass unmixes what the first has rebuilt, :math:`A_2 = f(Y_1)` with :math:`Y_1 = E_1 A_1` and
:math:`A_1 = f(Y)`:

.. math:: \beta\,\mathrm{MSE}(Y_1, Y) + (1 - \beta)\,\mathrm{MSE}(Y_2, Y) + \delta\,\mathrm{MSE}(A_1, A_2)
          + \gamma \sum_{i, n} |1 - \mathbf 1^\top a_{i, n}| + \sigma (\|A_1\|_* + \|A_2\|_*)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch

from hsu_lib.learning.fit import finished, fit, seeded
from hsu_lib.learning.networks.cycle import CycleAutoencoder, cycle_loss
from hsu_lib.methods.method import Method, Problem
from hsu_lib.methods.settings import Settings, sourced
from hsu_lib.scene import Unmixing
from hsu_lib.solvers.bounded import bounded_least_squares
from hsu_lib.solvers.extraction import Draws, vca
from hsu_lib.solvers.scaling import to_sum_one

PAPER = "Gao et al., IEEE TGRS 60, 2022, 5503914"
CODE = "public code of CyCU-Net"


@dataclass(frozen=True)
class CyCUNetSettings(Settings):
    """Settings of the cycle, each with its source; `PUBLISHED` has those of another scene."""

    draws: Draws = sourced("uniform", "public codes of VCA; normal: its paper")
    epochs: int = sourced(480, f"{CODE}, Samson", at_least=1)
    learning_rate: float = sourced(2e-3, f"{CODE}, Samson; with Adam", above=0)
    decay: float = sourced(0.8, CODE, above=0, at_most=1)
    decay_every: int = sourced(15, f"{CODE}, epochs; Samson's last 300 hardly move a weight", at_least=1)
    weight_decay: float = sourced(1e-4, f"{CODE}, Samson", at_least=0)
    gradient_limit: float = sourced(10.0, f"{CODE}: largest l1 norm of all gradients", above=0)
    dropout: float = sourced(0.5, CODE, at_least=0, below=1)
    balance: float = sourced(
        0.5, f"{CODE}: weight of the first pass, the rest is the second's", at_least=0, at_most=1
    )
    cycles: float = sourced(1e-3, f"{CODE}, Samson: weight of the difference of the abundances", at_least=0)
    sums: float = sourced(1e-7, f"{CODE}: weight of sums unlike one, added over pixels", at_least=0)
    rank: float = sourced(5e-6, f"{CODE}, Samson: weight of the nuclear norms", at_least=0)
    endmembers_from: Literal["least-squares", "decoder"] = sourced(
        "least-squares", f"{CODE}: nonnegative, of the image on the abundances; decoder: weights of the first"
    )


#: Settings by scene, of the public code. For other scenes nothing is published: the defaults are Samson's.
PUBLISHED: dict[str, dict[str, Any]] = {
    "samson": {},
    "jasper": {"learning_rate": 8e-3, "epochs": 70, "cycles": 1e-2, "rank": 0.0, "weight_decay": 0.0},
}


def solve(problem: Problem, settings: CyCUNetSettings) -> Unmixing:
    """Start both decoders at VCA's endmembers, train on the whole image, and read the first pass.

    The image is divided by its maximum. Abundances are divided by their sum, and are uniform where it is
    zero. History: ``loss`` per epoch, and ``empty``, the share of pixels without abundances.
    """
    scene, where = problem.scene, torch.device(problem.device)
    scale = float(np.abs(scene.Y).max()) or 1.0
    pixels = scene.pixels.astype(np.float64) / scale
    E = vca(pixels, problem.endmembers, seed=problem.seed, draws=settings.draws).E
    Y = torch.tensor(pixels.T, dtype=torch.float32, device=where)
    shown = Y if len(Y) > 1 else Y.repeat(2, 1)  # batch normalisation needs two values
    with seeded(problem.seed, where):
        start = torch.tensor(E, dtype=torch.float32)
        network = CycleAutoencoder(start, dropout=settings.dropout).to(where)
        history = fit(
            network,
            lambda _: [shown],
            lambda batch: cycle_loss(
                batch,
                *network(batch),
                balance=settings.balance,
                cycles=settings.cycles,
                sums=settings.sums,
                rank=settings.rank,
            ),
            epochs=settings.epochs,
            learning_rate=settings.learning_rate,
            decay=settings.decay,
            decay_every=settings.decay_every,
            optimiser="adam",
            options={"weight_decay": settings.weight_decay},
            project=network.bound,
            gradient_limit=settings.gradient_limit,
            progress=problem.label,
        )
        network.eval()
        with torch.no_grad():
            A = network.encode(Y).T.double().cpu().numpy()
            E = network.decoders[0].double().cpu().numpy()
    sums = A.sum(axis=0)
    A = to_sum_one(A)
    if settings.endmembers_from == "least-squares" and np.isfinite(A).all():
        E = bounded_least_squares(A @ A.T, A @ pixels.T).T
    status = finished(history)
    history["empty"] = np.mean(sums == 0, keepdims=True)
    return Unmixing((scale * E).astype(np.float32), problem.maps(A), status, history)


CYCUNET = Method(
    name="cycunet",
    summary="cascaded autoencoders that share an encoder, started at VCA",
    kind="blind",
    solve=solve,
    settings=CyCUNetSettings,
    quick=(("epochs", 3), ("decay_every", 2)),
    source=PAPER,
)
