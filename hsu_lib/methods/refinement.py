"""Methods that start from the result of another: what that result is, and how it reaches them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from hsu_lib.methods.method import Method
from hsu_lib.scene import Scene, Status, Unmixing


def _nothing(settings: Any) -> tuple[Method, Mapping[str, Any]]:
    raise NotImplementedError("a refinement says what it starts from")


@dataclass(frozen=True)
class Refinement(Method):
    """A `Method` whose function also takes a first estimation, ``first: Unmixing``.

    Parameters
    ----------
    starts_from
        The settings of this method to the method that makes the first estimation, on the same scene with
        the same seed, and its settings.
    """

    solve: Callable[..., Unmixing]
    starts_from: Callable[[Any], tuple[Method, Mapping[str, Any]]] = _nothing

    def unmix(self, scene: Scene, *, start: Unmixing | None = None, **asked: Any) -> Unmixing:
        """As `Method.unmix`; `start` is the first estimation, made here if it is not given.

        From a first estimation that diverged nothing can start: the outcome is that, diverged.

        Raises
        ------
        ValueError
            As `Method.unmix`, and if `start` is not an unmixing of this scene with that many endmembers.
        """
        first = self._first(scene, **asked) if start is None else start
        endmembers = asked.get("endmembers") or scene.endmembers or first.E.shape[1]
        if first.E.shape != (scene.bands, endmembers) or first.A.shape[1:] != (scene.height, scene.width):
            raise ValueError(
                f"the first estimation, E {first.E.shape} and A {first.A.shape}, is not one of {scene.name}, "
                f"Y {scene.Y.shape}, with {endmembers} endmembers"
            )
        if not (np.isfinite(first.E).all() and np.isfinite(first.A).all()):
            return replace(first, status=Status.DIVERGED)
        bound = replace(self, solve=partial(self.solve, first=first))
        return Method.unmix(bound, scene, **asked)

    def _first(
        self,
        scene: Scene,
        *,
        endmembers: int | None = None,
        seed: int = 0,
        device: str = "cpu",
        progress: bool = False,
        **settings: Any,
    ) -> Unmixing:
        method, theirs = self.starts_from(self.configure(**settings))
        return method.unmix(
            scene, endmembers=endmembers, seed=seed, device=device, progress=progress, **theirs
        )
