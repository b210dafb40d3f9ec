"""Which method to take where nobody names one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsu_lib import methods
from hsu_lib.methods import Method
from hsu_lib.scene import Scene

#: Without endmembers, the usual one first: it is taken where the other leaves as much of the image.
BLIND = ("vca-fclsu", "nfindr-fclsu")
#: With known endmembers, and with a library to choose them from.
GIVEN, CHOOSING = "fclsu", "sunsal-sure"
_SAMPLE = 20_000  # pixels by which they are compared, evenly spread


def usual(*, known: bool, library: bool) -> Method:
    """The method for known endmembers, for a library, or for neither; of `BLIND` the first."""
    return methods.get(CHOOSING if library else GIVEN if known else BLIND[0])


@dataclass(frozen=True)
class Picked:
    """A method that was picked for an image.

    Parameters
    ----------
    method
        Which.
    left
        What the linear model with each one's endmembers leaves of the image: norm over norm.
    """

    method: Method
    left: Mapping[str, float]

    @property
    def note(self) -> str:
        """What is said of it beside how the image was read."""
        told = {name: f"{100 * left:.1f} %" for name, left in self.left.items()}
        others = ", ".join(f"{name} {told[name]}" for name in told if name != self.method.name)
        best = self.method.name
        return (
            f"endmembers by {best}, which leave {told[best]} of the image unexplained ({others}); --method "
            "or method= sets another"
        )

    @property
    def about(self) -> dict[str, Any]:
        """The same, JSON-ready."""
        return {"picked_by_unexplained": {name: round(left, 4) for name, left in self.left.items()}}


def picked(pixels: NDArray, endmembers: int, *, seed: int) -> Picked:
    """VCA or N-FINDR, whichever leaves less of the image, to a tenth of a percent.

    Where the image has dark pixels and little noise, the plane onto which VCA projects magnifies these, and
    it picks them; where there is much noise, N-FINDR picks outliers.

    Parameters
    ----------
    pixels
        Those of the image that count, or enough of them, in reflectance, shape ``(bands, pixels)``.
    endmembers
        How many.
    seed
        Of both.

    Raises
    ------
    ValueError
        If the image cannot have so many endmembers.
    """
    count = pixels.shape[1]
    some = np.linspace(0, count - 1, min(_SAMPLE, count)).round().astype(int)
    sample = Scene(pixels[:, None, some], name="image")
    size, left = float(np.linalg.norm(sample.Y)) or 1.0, {}
    for name in BLIND:
        found = methods.get(name).unmix(sample, endmembers=endmembers, seed=seed)
        rest = sample.pixels - found.E @ found.A.reshape(len(found.A), -1)
        left[name] = float(np.linalg.norm(rest)) / size
    best = min(left, key=lambda name: round(left[name], 3))
    return Picked(methods.get(best), left)
