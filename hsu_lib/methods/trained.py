"""Methods that learn from pixels with known abundances, of the scene itself or of another one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from hsu_lib.learning.splits import By, training_mask
from hsu_lib.methods.method import Kind, Method
from hsu_lib.methods.settings import sourced
from hsu_lib.metrics.alignment import spectral_angle
from hsu_lib.scene import Scene, Unmixing


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


#: Abundances ``(endmembers, pixels)`` to the spectra ``(bands, pixels)`` that a model makes of them.
Decoder = Callable[[NDArray], NDArray]


@dataclass(frozen=True)
class Trained(Method):
    """A `Method` whose function also takes ``training: Training`` and also returns its `Decoder`.

    Its settings extend `SplitSettings`. The order of its endmembers is that of the labels, so it is not
    aligned with the reference. The history holds ``test``: True where a pixel was kept for testing, shape
    ``(height * width,)``; and what `examine` finds there.
    """

    kind: Kind | Literal["trained"]  # type: ignore[assignment]
    solve: Callable[..., tuple[Unmixing, Decoder]]  # type: ignore[assignment]

    def unmix(
        self,
        scene: Scene,
        *,
        training: Scene | None = None,
        clean: NDArray | None = None,
        endmembers: int | None = None,
        seed: int = 0,
        device: str = "cpu",
        progress: bool = False,
        **settings: Any,
    ) -> Unmixing:
        """As `Method.unmix`; learns from `training`, by default from a part of the scene itself.

        `clean` is the scene's image without noise, if it is known; only the history depends on it.

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
        found, decoder = self.solve(
            scene,
            configured,
            training=Training(source, mask),
            endmembers=source.endmembers,
            seed=int(seed),
            device=device,
            progress=progress,
        )
        test = (~mask if own and not mask.all() else np.ones((scene.height, scene.width), dtype=bool)).ravel()
        return replace(
            found, history={**found.history, "test": test, **examine(found.A, decoder, scene, test, clean)}
        )


def examine(
    A: NDArray, decoder: Decoder, scene: Scene, test: NDArray[np.bool_], clean: NDArray | None = None
) -> dict[str, NDArray]:
    """What a model makes of the test pixels, for a history.

    Parameters
    ----------
    A
        Its abundances, shape ``(endmembers, height, width)``.
    decoder
        See `Decoder`.
    scene
        What was unmixed.
    test
        Which pixels to look at, shape ``(height * width,)``.
    clean
        The image without noise, shape of ``scene.Y``.

    Returns
    -------
    dict
        ``constraints``: the least abundance, and the largest distance of a sum from one, of all pixels.
        ``reconstruction-angle`` (radians) and ``reconstruction-mse``: the `summary` of the errors of the
        decoded abundances. ``clean-angle``, ``clean-mse``: of the same, against the clean image. Where the
        scene has abundances of as many endmembers, ``generated-angle``, ``generated-mse``: of the spectra
        decoded from these; and ``dominant``: the share of pixels whose largest abundance is of the same
        endmember.
    """
    A = A.reshape(len(A), -1)
    found = {"constraints": np.array([A.min(), np.abs(A.sum(axis=0, dtype=np.float64) - 1).max()])}

    def errors(name: str, decoded: NDArray, Y: NDArray) -> dict[str, NDArray]:
        angles = spectral_angle(decoded, Y)
        squares = np.mean((np.asarray(decoded, dtype=np.float64) - Y) ** 2, axis=0)
        return {f"{name}-angle": summary(angles), f"{name}-mse": summary(squares)}

    Y, decoded = scene.pixels[:, test], decoder(A[:, test])
    found |= errors("reconstruction", decoded, Y)
    if clean is not None:
        found |= errors("clean", decoded, clean.reshape(len(clean), -1)[:, test])
    if scene.A is not None and len(scene.A) == len(A):
        truth = scene.A.reshape(len(A), -1)[:, test]
        found |= errors("generated", decoder(truth), Y)
        found["dominant"] = np.mean(truth.argmax(axis=0) == A[:, test].argmax(axis=0), keepdims=True)
    return found


def summary(values: NDArray) -> NDArray[np.float64]:
    """Mean, standard deviation, least value, quartiles and largest: the rows of document 004's Table I."""
    quartiles = np.quantile(values, [0, 0.25, 0.5, 0.75, 1])
    return np.concatenate([[np.mean(values), np.std(values)], quartiles])
