"""Methods that learn from pixels with known abundances, of the scene itself or of another one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hsu_lib.methods.method import Kind, Method
from hsu_lib.methods.settings import sourced
from hsu_lib.scene import Scene, Unmixing
from hsu_lib.splits import By, training_mask


@dataclass(frozen=True)
class SplitSettings:
    """Where the labelled pixels come from."""

    trained_on: str = sourced(
        "", "document 004, section Transfer Learning: a scene's name; empty for its own"
    )
    share: float = sourced(
        0.8, "document 004, section Datasets (Samson; Urban: 0.5); of the scene's own pixels"
    )
    split: By = sourced("pixels", "document 004, section Datasets; blocks: ours")
    block: int = sourced(10, "ours: side of a block, in pixels")

    def __post_init__(self) -> None:
        training_mask(1, 1, share=self.share, by=self.split, side=self.block)


@dataclass(frozen=True)
class Training:
    """Labelled pixels: a scene, and which of its pixels may be learnt from.

    Parameters
    ----------
    scene
        With abundances.
    mask
        True where a pixel is for training, shape ``(height, width)``.
    """

    scene: Scene
    mask: NDArray[np.bool_]

    @property
    def spectra(self) -> NDArray[np.float32]:
        """Shape ``(pixels, bands)``."""
        return self.scene.Y[:, self.mask].T

    @property
    def abundances(self) -> NDArray[np.float32]:
        """Shape ``(pixels, endmembers)``."""
        assert self.scene.A is not None  # `Trained.unmix` has checked it
        return self.scene.A[:, self.mask].T


@dataclass(frozen=True)
class Trained(Method):
    """A `Method` whose function also takes ``training: Training``.

    Its settings extend `SplitSettings`. The order of its endmembers is that of the labels, so it is not
    aligned with the reference. The history holds ``test``: 1 where a pixel was kept for testing, shape
    ``(height * width,)``; and the `summary` over these pixels of what `reconstruction` says of each.
    """

    kind: Kind | Literal["trained"]  # type: ignore[assignment]
    solve: Callable[..., Unmixing]

    def unmix(
        self,
        scene: Scene,
        *,
        training: Scene | None = None,
        endmembers: int | None = None,
        seed: int = 0,
        device: str = "cpu",
        progress: bool = False,
        **settings: Any,
    ) -> Unmixing:
        """As `Method.unmix`; learns from `training`, by default from a part of the scene itself.

        Raises
        ------
        ValueError
            If a setting is wrong, if there are no abundances to learn from, or if bands or endmembers of the
            scenes differ.
        """
        configured = self.configure(**settings)
        if configured.trained_on and training is None:
            raise ValueError(f"trained_on: give the scene {configured.trained_on} itself, as `training`")
        source = training or scene
        if source.A is None:
            raise ValueError(
                f"{self.name} learns from known abundances and {source.name} has none: "
                "set trained_on to a scene that has, or take a blind method (`hsu methods` lists them)"
            )
        if source.bands != scene.bands:
            raise ValueError(f"{source.name} has {source.bands} bands, {scene.name} {scene.bands}")
        if endmembers not in (None, source.endmembers):
            raise ValueError(f"asked for {endmembers} endmembers, but {source.name} has {source.endmembers}")
        own = training is None
        mask = np.ones((source.height, source.width), dtype=bool)
        if own:
            mask = training_mask(
                scene.height,
                scene.width,
                share=configured.share,
                by=configured.split,
                side=configured.block,
                seed=seed,
            )
        found = self.solve(
            scene,
            configured,
            training=Training(source, mask),
            endmembers=source.endmembers,
            seed=int(seed),
            device=device,
            progress=progress,
        )
        test = ~mask if own and not mask.all() else np.ones((scene.height, scene.width), dtype=bool)
        history: dict[str, NDArray] = {
            name: summary(values[test.ravel()]) if name in RECONSTRUCTION else values
            for name, values in found.history.items()
        }
        return replace(found, history=history | {"test": test.ravel()})


#: Names under which a history holds what `reconstruction` says.
RECONSTRUCTION = ("reconstruction-angle", "reconstruction-mse")


def reconstruction(Y: Tensor, decoded: Tensor, scale: float) -> dict[str, np.ndarray]:
    """Spectral angle (radians) and mean squared error (unit of the scene) of each pixel's reconstruction."""
    cosine = torch.nn.functional.cosine_similarity(Y, decoded, dim=-1).clamp(-1, 1)
    error = scale**2 * (Y - decoded).square().mean(-1)
    return {
        "reconstruction-angle": cosine.double().arccos().cpu().numpy(),
        "reconstruction-mse": error.cpu().numpy(),
    }


def summary(values: NDArray) -> NDArray[np.float64]:
    """Mean, standard deviation, least value, quartiles and largest: the rows of document 004's Table I."""
    quartiles = np.quantile(values, [0, 0.25, 0.5, 0.75, 1])
    return np.concatenate([[np.mean(values), np.std(values)], quartiles])
