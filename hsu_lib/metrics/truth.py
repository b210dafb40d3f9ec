"""What scores and histories compare with: other people's estimates, and the image without its noise.

A "ground truth" is named for what it is: the references of measured scenes are somebody's estimates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hsu_lib.scene import Array, Scene
from hsu_lib.solvers.extraction import sivm
from hsu_lib.solvers.fclsu import fclsu


class Reference(NamedTuple):
    """Endmembers ``(bands, endmembers)`` and abundances ``(endmembers, height, width)`` to compare with."""

    E: Array
    A: Array


@dataclass(frozen=True)
class Truth:
    """What is known of a scene beside its image. No estimate depends on it, only scores and histories do.

    Parameters
    ----------
    clean
        Image before noise was added, shape of `Y`; None where the image is all there is.
    references
        By name.
    library
        Spectra that were chosen from, shape ``(bands, spectra)``, or None.
    """

    clean: Array | None = None
    references: Mapping[str, Reference] = field(default_factory=dict)
    library: NDArray | None = None

    @classmethod
    def of(cls, scene: Scene) -> Truth:
        """The scene's own reference, if it has one."""
        if scene.E is None or scene.A is None:
            return cls()
        return cls(references={"reference": Reference(scene.E, scene.A)})

    @classmethod
    def with_fclsu(cls, clean: Scene, *, noisy: bool) -> Truth:
        """The scene's own reference, and FCLSU on its image, the ground truth of the report on UnDIP.

        Parameters
        ----------
        clean
            The scene before noise was added.
        noisy
            Whether noise is added to it: only then is the clean image something to compare with.

        Returns
        -------
        Truth
            References ``"reference"`` and ``"fclsu"``: endmembers by SiVM from the clean image, as many as
            the scene's own reference has, and abundances by FCLSU, NaN where no pixel counts.
        """
        references = dict(cls.of(clean).references)
        if clean.endmembers is not None:
            counts = np.ones((clean.height, clean.width), bool) if clean.mask is None else clean.mask
            E = sivm(clean.Y[:, counts], clean.endmembers).E
            A = np.full((clean.endmembers, *counts.shape), np.nan, dtype=np.float32)
            A[:, counts] = fclsu(clean.Y[:, counts], E)
            references["fclsu"] = Reference(E.astype(np.float32), A)
        return cls(clean.Y if noisy else None, references)

    def fitting(self, scene: Scene, endmembers: int) -> Truth:
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
        return Truth(clean, same, self.library)

    def places(self, E: NDArray) -> NDArray[np.intp] | None:
        """Which spectra of the library endmembers ``(bands, endmembers)`` are; None if one is not in it."""
        if self.library is None or len(self.library) != len(E):
            return None
        same = (self.library.astype(np.float32)[:, :, None] == E[:, None].astype(np.float32)).all(axis=0)
        return same.argmax(axis=0) if same.any(axis=0).all() else None
