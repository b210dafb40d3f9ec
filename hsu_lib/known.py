"""What is known of a scene beside its image: other people's estimates, and the image without noise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from hsu_lib.scene import Array, Scene


class Reference(NamedTuple):
    """Endmembers ``(bands, endmembers)`` and abundances ``(endmembers, height, width)`` to compare with."""

    E: Array
    A: Array


@dataclass(frozen=True)
class Known:
    """What is known of a scene beside its image. No estimate depends on it, only the history does.

    Parameters
    ----------
    clean
        Image before noise was added, shape of `Y`; None where the image is all there is.
    references
        By name.
    """

    clean: Array | None = None
    references: Mapping[str, Reference] = field(default_factory=dict)

    @classmethod
    def of(cls, scene: Scene) -> Known:
        """The scene's own reference, if it has one."""
        if scene.E is None or scene.A is None:
            return cls()
        return cls(references={"reference": Reference(scene.E, scene.A)})

    def fitting(self, scene: Scene, endmembers: int) -> Known:
        """Only what has the scene's size and that number of endmembers."""
        shape = (scene.height, scene.width)
        same = {
            name: reference
            for name, reference in self.references.items()
            if reference.E.shape == (scene.bands, endmembers)
            and reference.A.shape == (endmembers, *shape)
            and np.isfinite(reference.E).all()
        }
        clean = self.clean if self.clean is not None and self.clean.shape == scene.Y.shape else None
        return Known(clean, same)
