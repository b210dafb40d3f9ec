"""Long iterative methods whose errors are recorded while they run, against what is known of the scene."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from hsu_lib.methods.method import Method
from hsu_lib.metrics.truth import Truth
from hsu_lib.scene import Scene, Unmixing


@dataclass(frozen=True)
class Watched(Method):
    """A `Method` whose function also takes ``truth: Truth``, for its history."""

    solve: Callable[..., Unmixing]

    def unmix(self, scene: Scene, *, truth: Truth | None = None, **asked: Any) -> Unmixing:
        """As `Method.unmix`; `truth` is by default the scene's own reference."""
        bound = replace(self, solve=partial(self.solve, truth=truth or Truth.of(scene)))
        return Method.unmix(bound, scene, **asked)
