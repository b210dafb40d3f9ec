r"""`undip` and `undip-configurable`: abundances as the output of a network whose only input is noise.

With endmembers `E` picked from the image, the weights of a network `f` are fitted so that :math:`E f(Z)` is
near the image, for one fixed random `Z`. No training data and no regulariser: the network is the prior.

.. math:: \min_\theta \tfrac12\|Y - E f_\theta(Z)\|_F^2
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hsu_lib.learning.fit import finished, seeded
from hsu_lib.learning.networks.prior import ConfigurablePrior, DeepPrior
from hsu_lib.methods.method import Method, Needs, Problem
from hsu_lib.methods.priors.fitting import fit_to_image, padded
from hsu_lib.methods.settings import Settings, sourced
from hsu_lib.metrics.alignment import align
from hsu_lib.metrics.truth import Truth
from hsu_lib.scene import Scene, Unmixing
from hsu_lib.solvers.extraction import Start, sivm, vca
from hsu_lib.solvers.factorization import nmf, palm
from hsu_lib.solvers.fclsu import fclsu
from hsu_lib.solvers.subspace import svd_truncation

TABLE = "report on UnDIP, table of hyperparameters"
OPEN = "ours: the report on UnDIP does not say"
_OPTIMISERS = {"adam": torch.optim.Adam, "nadam": torch.optim.NAdam, "rmsprop": torch.optim.RMSprop}


@dataclass(frozen=True)
class UnDIPSettings(Settings):
    """Settings of the deep image prior, each with its source."""

    endmembers_from: Literal["sivm", "vca", "scene"] = sourced(
        "sivm", "report on UnDIP, section Inspiration from Deep Image Prior; scene: those of its reference"
    )
    normalise: Literal["l1", "max", "none"] = sourced(
        "l1", "report on UnDIP, section Urban dataset: the l1 norm, of the matrix (largest sum over bands)"
    )
    input: Literal["random", "palm", "nmf"] = sourced("random", "report on UnDIP, section Initialisations")
    weights_scale: float = sourced(
        1.0, "ours: factor on the initial weights, of which the text speaks too", above=0
    )
    iterations: int = sourced(3000, TABLE, at_least=1)
    optimiser: Literal["adam", "nadam", "rmsprop"] = sourced("adam", TABLE)
    learning_rate: float = sourced(0.001, TABLE, above=0)
    window: int = sourced(
        100,
        "public code of UnDIP (weight 0.99): iterations over which outputs are averaged; 1 for none",
        at_least=1,
    )
    filters: int = sourced(256, TABLE, at_least=1)
    skip: int = sourced(4, TABLE, at_least=1)
    snapshots: int = sourced(
        0, "ours: at most how many averaged maps are kept, for moving pictures", at_least=0
    )
    farthest_from: Start = sourced(
        "mean", "ours: what SiVM's first pixel is farthest from; origin: public code of UnDIP", since="0.1.0"
    )
    project: bool = sourced(
        False,
        "report on UnDIP; yes: public code of UnDIP, SiVM on the image on its first singular vectors",
        since="0.1.0",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.snapshots > self.iterations:
            raise ValueError(
                f"snapshots: expected at most {self.iterations}, one per iteration, got {self.snapshots}"
            )

    def network(self, endmembers: int) -> DeepPrior | ConfigurablePrior:
        """Network of these settings, its weights drawn from torch's global generator."""
        return DeepPrior(endmembers, filters=self.filters, skip=self.skip)


@dataclass(frozen=True)
class ConfigurableSettings(UnDIPSettings):
    """Settings of the same with the configurable network; `ARCHITECTURES` has those of the report."""

    levels: int = sourced(2, "report on UnDIP, section 7.2", at_least=1)
    skips: Literal["none", "direct", "one", "two"] = sourced("none", "report on UnDIP, section 7.2")
    scalings: int = sourced(3, "report on UnDIP, section 7.1: sides divisible by 8", at_least=0)
    filters: int = sourced(64, OPEN, at_least=1)

    def network(self, endmembers: int) -> DeepPrior | ConfigurablePrior:
        """Network of these settings, its weights drawn from torch's global generator."""
        return ConfigurablePrior(
            endmembers,
            levels=self.levels,
            skips=self.skips,
            scalings=self.scalings,
            filters=self.filters,
        )


#: The six architectures of the report on UnDIP, section 7.2, as settings of `undip-configurable`.
ARCHITECTURES: dict[int, dict[str, Any]] = {
    1: {"levels": 2, "skips": "none"},
    2: {"levels": 2, "skips": "direct"},
    3: {"levels": 2, "skips": "one"},
    4: {"levels": 4, "skips": "direct"},
    5: {"levels": 4, "skips": "one"},
    6: {"levels": 4, "skips": "two"},
}


def solve(problem: Problem, settings: UnDIPSettings) -> Unmixing:
    """Pick endmembers, then fit the network; its averaged output is the estimate.

    History, one value per iteration: ``loss``, and errors by the names of their scores:
    ``mse-reconstruction``, of :math:`E A` against the image; ``mse-spectral``, the same against the clean
    image, where it is known; ``mae-abundances`` and ``mae-abundances-NAME`` for every reference. All but the
    loss also with ``-averaged``, of the averaged output. Those of images are in the unit of the normalised
    image.
    """
    scene, endmembers, where = problem.scene, problem.endmembers, torch.device(problem.device)
    scale = 1.0 if settings.normalise == "none" else norm(scene.pixels, settings.normalise)
    Y = scene.pixels.astype(np.float64) / scale
    E = pick(scene, Y, scale, settings, endmembers, problem.seed)
    truth = problem.truth.fitting(scene, endmembers)
    with seeded(problem.seed, where):
        network = settings.network(endmembers)
        with torch.no_grad():
            for weight in network.parameters():
                if weight.ndim > 1:
                    weight.mul_(settings.weights_scale)
        network.to(where, memory_format=torch.channels_last)  # type: ignore[call-overload]
        size = (scene.height, scene.width)
        Z = padded(start(Y, E, settings, size).to(where), network.multiple)
        watch = Watch(Y, E, size, truth, scale, where)
        target = [padded(maps, network.multiple) for maps in watch.images["mse-reconstruction"]]
        A, history = fit_to_image(
            network,
            Z,
            lambda A: 0.5 * watch.distance(A, *target),
            _OPTIMISERS[settings.optimiser](network.parameters(), lr=settings.learning_rate),
            watch,
            problem,
            iterations=settings.iterations,
            window=settings.window,
            snapshots=settings.snapshots,
        )
    return Unmixing((scale * E).astype(np.float32), A[0].cpu().numpy(), finished(history), history)


def norm(Y: NDArray, kind: str) -> float:
    """The l1 norm of the matrix (its largest sum over bands), or its largest absolute value."""
    size = np.linalg.norm(Y, 1) if kind == "l1" else np.abs(Y).max()
    return float(size) or 1.0


def pick(
    scene: Scene, Y: NDArray, scale: float, settings: UnDIPSettings, endmembers: int, seed: int
) -> NDArray[np.float64]:
    """Endmembers in the unit of the normalised image, shape ``(bands, endmembers)``."""
    if settings.endmembers_from == "sivm":
        Y = svd_truncation(Y, endmembers) if settings.project else Y
        return sivm(Y, endmembers, start=settings.farthest_from).E
    if settings.endmembers_from == "vca":
        return vca(Y, endmembers, seed=seed).E
    if scene.E is None or scene.E.shape[1] != endmembers:
        raise ValueError(
            f"endmembers_from: {scene.name} has no {endmembers} reference endmembers; take 'sivm' or 'vca'"
        )
    return scene.E.astype(np.float64) / scale


def start(Y: NDArray, E: NDArray, settings: UnDIPSettings, size: tuple[int, int]) -> Tensor:
    """Input of the network, shape ``(1, endmembers, height, width)``."""
    if settings.input == "random":
        return torch.randn(1, E.shape[1], *size)
    A = fclsu(Y, E)
    if settings.input == "palm":
        A = palm(Y, E, A).A
    else:
        floor = 1e-3  # what is zero stays zero
        A = nmf(np.maximum(Y, 0), np.maximum(E, floor * E.max()), np.maximum(A, floor)).A
    return torch.tensor(A, dtype=torch.float32).view(1, -1, *size)


def _of_reference(name: str) -> str:
    """The score's name of the mean absolute error against a reference."""
    return "mae-abundances" if name == "reference" else f"mae-abundances-{name}"


class Watch:
    r"""Image, clean image and references in the low-dimensional coordinates in which errors are cheap.

    With :math:`E = QR`, :math:`\|Y - EA\|^2 = \|Q^\top Y - RA\|^2 + \|Y - QQ^\top Y\|^2`: the second term
    does not depend on `A`, and the first needs as many rows as there are endmembers, not bands. Unlike
    the expanded square, nothing cancels.

    Parameters
    ----------
    Y, E
        Image and endmembers, ``(bands, pixels)`` and ``(bands, endmembers)``.
    size
        Height and width.
    truth, scale
        What is known, in the unit of the scene; `Y` is the scene's image over `scale`.
    device
        Where the errors are computed.
    """

    def __init__(
        self,
        Y: NDArray,
        E: NDArray,
        size: tuple[int, int],
        truth: Truth,
        scale: float,
        device: torch.device,
    ) -> None:
        Q, R = np.linalg.qr(E)
        self.R = torch.tensor(R, dtype=torch.float32, device=device)
        self.size, self.count = size, Y.size

        def project(image: NDArray) -> tuple[Tensor, Tensor]:
            inside = Q.T @ image
            rest = np.maximum(np.square(image).sum(axis=0) - np.square(inside).sum(axis=0), 0)
            maps = torch.tensor(np.vstack([inside, rest]), dtype=torch.float32, device=device)
            maps = maps.view(1, -1, *size)
            return maps[:, :-1], maps[:, -1:]

        self.images = {"mse-reconstruction": project(Y)}
        if truth.clean is not None:
            clean = truth.clean.reshape(len(Y), -1).astype(np.float64) / scale
            self.images["mse-spectral"] = project(clean)
        self.references = {
            _of_reference(name): torch.tensor(
                np.asarray(A)[None, np.argsort(align(E, E_ref))], dtype=torch.float32, device=device
            )
            for name, (E_ref, A) in truth.references.items()
        }

    @property
    def names(self) -> list[str]:
        """Names of the errors, in the order of `errors`."""
        return [*self.images, *self.references]

    def distance(self, A: Tensor, inside: Tensor, rest: Tensor) -> Tensor:
        """Squared distance of ``E A`` to an image, given its coordinates and what lies outside them."""
        return (inside - torch.einsum("ij,njhw->nihw", self.R, A)).square().sum() + rest.sum()

    def errors(self, A: Tensor) -> Tensor:
        """All errors of maps ``(1, endmembers, ...)``, which may be padded; shape ``(errors,)``."""
        A = A[..., : self.size[0], : self.size[1]]
        squares = [self.distance(A, *image) / self.count for image in self.images.values()]
        return torch.stack([*squares, *((A - truth).abs().mean() for truth in self.references.values())])


_PAPER = "Rasti, Koirala, Scheunders and Ghamisi, IEEE TGRS 60, 2022"

_QUICK = (("iterations", 6), ("window", 3), ("filters", 6))

UNDIP = Method(
    name="undip",
    summary="deep image prior for the abundances, endmembers by SiVM",
    kind="blind",
    solve=solve,
    settings=UnDIPSettings,
    needs=Needs(truth=True, spatial=True),
    source=f"report on UnDIP, section Model; {_PAPER}",
    quick=_QUICK,
)

CONFIGURABLE = Method(
    name="undip-configurable",
    summary="the same with a U-Net of adjustable depth and skip connections",
    kind="blind",
    solve=solve,
    settings=ConfigurableSettings,
    needs=Needs(truth=True, spatial=True),
    source="report on UnDIP, section Configurable Model",
    quick=(*_QUICK, ("levels", 3), ("skips", "one")),
)
