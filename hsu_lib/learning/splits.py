"""Which pixels of a scene a method may learn from, and which are kept to test it."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

By = Literal["pixels", "blocks"]


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
