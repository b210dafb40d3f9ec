"""How many endmembers to look for where nobody says it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hsu_lib.methods.method import Method
from hsu_lib.methods.rank import Estimate, count_by, estimates
from hsu_lib.scene import Scene


@dataclass(frozen=True)
class Counted:
    """A number of endmembers that was estimated.

    Parameters
    ----------
    number
        How many.
    why
        By what rule, a sentence without its end.
    found
        What each estimator found, by name.
    """

    number: int
    why: str
    found: dict[str, Estimate]

    @property
    def note(self) -> str:
        """What is said of it beside how the image was read."""
        return (
            f"{self.number} endmembers, an estimate: {self.why}; -p or endmembers= sets another number, "
            "hsu rank shows all estimates"
        )

    @property
    def about(self) -> dict[str, Any]:
        """The same, JSON-ready."""
        ranks = {name: estimate.rank for name, estimate in self.found.items()}
        return {"number": self.number, "why": self.why, "estimates": ranks}


def counted(scene: Scene) -> Counted:
    """Number of endmembers of an image by `hsu_lib.methods.rank.count_by`, no more than it can have."""
    found = estimates(scene.pixels if scene.mask is None else scene.Y[:, scene.mask])
    count = count_by(found)
    return Counted(min(count.number, scene.bands, scene.counting), count.why, found)


def is_asked(method: Method, endmembers: int | None, known: bool) -> bool:
    """Whether a method has to be told a number that neither the user nor a reference tells."""
    return endmembers is None and not known and not method.needs.labels and not method.needs.endmembers
