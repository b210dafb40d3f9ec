"""Large images: a method that treats each pixel by itself, some rows at a time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hsu_lib.methods.method import Method
from hsu_lib.scene import Scene, Status, Unmixing


class Blocks(Protocol):
    """An image in blocks of rows: a `hsu_lib.scenes.OwnImage`, or what has the same members."""

    @property
    def name(self) -> str:
        """How it is called."""

    @property
    def height(self) -> int:
        """Number of pixel rows."""

    @property
    def width(self) -> int:
        """Number of pixel columns."""

    @property
    def mask(self) -> NDArray[np.bool_] | None:
        """True where a pixel counts, shape ``(height, width)``; None where all do."""

    def blocks(self) -> Iterable[tuple[slice, Scene]]:
        """Rows, and the scene of them."""


def unmix_in_blocks(method: Method, image: Blocks, E: ArrayLike, **given: Any) -> Unmixing:
    """Abundances of given endmembers, in the memory that a block and the result take.

    Parameters
    ----------
    method
        One to which endmembers are given and neighbours do not matter, such as ``"fclsu"``.
    image
        Of `hsu_lib.scenes.open_image`.
    E
        Endmembers in reflectance and in the bands of the image, shape ``(bands, endmembers)``.
    **given
        For `Method.unmix`: seed, device and settings.

    Returns
    -------
    Unmixing
        As of the whole image at once; of several statuses the gravest.

    Raises
    ------
    ValueError
        If the method needs more than endmembers and the pixel, or `E` does not fit.
    """
    needs = method.needs
    if not needs.endmembers or needs.spatial or needs.labels or needs.library or needs.first is not None:
        raise ValueError(
            f"{method.name} cannot work in blocks: take one with given endmembers, such as fclsu"
        )
    endmembers = np.asarray(E, dtype=np.float32)
    A: NDArray[np.float32] | None = None
    gravest, order = Status.CONVERGED, list(Status)
    for rows, scene in image.blocks():
        part = method.unmix(replace(scene, E=endmembers, A=None, materials=()), **given)
        if A is None:
            A = np.full((part.A.shape[0], image.height, image.width), np.nan, dtype=np.float32)
        A[:, rows] = part.A
        gravest = max(gravest, part.status, key=order.index)
    if A is None:
        raise ValueError(f"{image.name}: no pixel is left that counts")
    return Unmixing(endmembers, A, gravest, ordered=True, mask=image.mask)
