"""Labelled pixels, of the scene that is unmixed or of another one, and which of them are kept for testing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hsu_lib.scene import Scene

By = Literal["pixels", "blocks"]


@dataclass(frozen=True)
class Labels:
    """Pixels that a method may learn from.

    Parameters
    ----------
    scene
        With abundances.
    mask
        True where a pixel is for training, shape ``(height, width)``; by default everywhere.
    validation
        True where a pixel is held out to choose settings by, same shape; by default nowhere.

    Raises
    ------
    ValueError
        If the scene has no abundances, a mask is not one of its pixels, or a pixel is for both.
    """

    scene: Scene
    mask: NDArray[np.bool_] | None = None
    validation: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        if self.scene.A is None:
            raise ValueError(f"{self.scene.name} has no abundances to learn from")
        for mask in (self.mask, self.validation):
            if mask is not None and mask.shape != (self.scene.height, self.scene.width):
                raise ValueError(
                    f"mask is {mask.shape}, {self.scene.name} {(self.scene.height, self.scene.width)}"
                )
        if self.validation is not None and (self.validation & self.chosen).any():
            raise ValueError("a pixel cannot be both learnt from and held out for validation")

    @property
    def chosen(self) -> NDArray[np.bool_]:
        """The mask, written out, shape ``(height, width)``; no pixel that the scene's own mask leaves out."""
        shape = (self.scene.height, self.scene.width)
        chosen = np.ones(shape, dtype=bool) if self.mask is None else self.mask
        return chosen if self.scene.mask is None else chosen & self.scene.mask

    @property
    def spectra(self) -> NDArray[np.float32]:
        """Shape ``(pixels, bands)``."""
        return self.scene.Y[:, self.chosen].T

    @property
    def abundances(self) -> NDArray[np.float32]:
        """Shape ``(pixels, endmembers)``."""
        assert self.scene.A is not None  # checked above
        return self.scene.A[:, self.chosen].T

    def kept_for_testing(self, scene: Scene) -> NDArray[np.bool_]:
        """Pixels of `scene` that were not learnt from, shape ``(height, width)``.

        All of them where the labels are of another scene, or where all of its own were learnt from. Where
        some are held out for validation, only these: then no pixel that is kept for testing is looked at.
        """
        if self.validation is not None:
            if scene is not self.scene:
                raise ValueError("validation pixels are of the scene that is learnt from: unmix that one")
            return self.validation
        everywhere = np.ones((scene.height, scene.width), dtype=bool)
        return ~self.chosen if scene is self.scene and not self.chosen.all() else everywhere


def training_mask(
    height: int, width: int, *, share: float, by: By = "pixels", side: int = 10, seed: int = 0
) -> NDArray[np.bool_]:
    """True where a pixel is for training, False where it is for testing; shape ``(height, width)``.

    Neighbouring pixels of an image resemble each other, so pixels drawn one by one leave almost every
    test pixel with a near copy in the training set. Whole blocks leave that to the blocks' borders.

    Parameters
    ----------
    height, width
        Of the scene.
    share
        Of the pixels or blocks that is for training, in ``(0, 1]``; at least one pixel or block is.
    by
        What is drawn.
    side
        Of a block, in pixels; blocks at the right and lower edge may be smaller.
    seed
        Of the draw: the same one gives the same split.

    Raises
    ------
    ValueError
        If `share` or `side` is out of range, or `by` is unknown.
    """
    if not 0 < share <= 1:
        raise ValueError(f"share: expected above 0 and at most 1, got {share}")
    if side < 1:
        raise ValueError(f"side: expected at least 1, got {side}")
    if by not in ("pixels", "blocks"):
        raise ValueError(f"split: expected pixels or blocks, got {by!r}")
    side = 1 if by == "pixels" else side
    rows, columns = -(-height // side), -(-width // side)
    chosen = np.zeros(rows * columns, dtype=bool)
    count = max(round(share * chosen.size), 1)
    chosen[np.random.default_rng(seed).permutation(chosen.size)[:count]] = True
    grid = chosen.reshape(rows, columns).repeat(side, axis=0).repeat(side, axis=1)
    return grid[:height, :width]


def validation_mask(
    training: NDArray[np.bool_], *, share: float, by: By = "pixels", side: int = 10, seed: int = 0
) -> NDArray[np.bool_]:
    """True where a training pixel is held out for validation; shape ``(height, width)``.

    They are drawn as `training_mask` draws, pixel by pixel or in the same blocks, independently of it.

    Parameters
    ----------
    training
        What `training_mask` gave with the same `by`, `side` and `seed`.
    share
        Of the training pixels or blocks that is held out, in ``(0, 1)``; at least one pixel or block is.
    by, side, seed
        See `training_mask`.

    Raises
    ------
    ValueError
        If nothing would be left to learn from.
    """
    side = 1 if by == "pixels" else side
    cells = training[::side, ::side]  # a block is for training as a whole
    numbers = np.flatnonzero(cells)
    count = max(round(share * numbers.size), 1)
    if count >= numbers.size:
        raise ValueError(f"holdout: {count} of {numbers.size} {by} leave none to learn from")
    held = np.zeros(cells.size, dtype=bool)
    held[np.random.default_rng((seed, 1)).permutation(numbers)[:count]] = True
    grid = held.reshape(cells.shape).repeat(side, axis=0).repeat(side, axis=1)
    return grid[: training.shape[0], : training.shape[1]]
