"""Given endmembers and an image must be in one unit: seen from how well the ones explain the other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hsu_lib.errors import InputError

_PIXELS = 200  # that are looked at
_NEAR = 8.0  # by this factor the sum of abundances may be off: shade, illumination, materials that lack


def factor_between(E: NDArray, Y: NDArray) -> float | None:
    """By what endmembers are to be multiplied so that the abundances of a typical pixel sum to one.

    Parameters
    ----------
    E
        Shape ``(bands, endmembers)``.
    Y
        Pixels, shape ``(bands, pixels)``, at least one; some of them are looked at.

    Returns
    -------
    float or None
        Median, over pixels, of the sum of abundances that are not negative and otherwise free; None where
        it is zero, so that the endmembers explain nothing.
    """
    from scipy.optimize import nnls

    E = np.asarray(E, dtype=np.float64)
    size = np.abs(E).max()
    if not np.isfinite(size) or size == 0:
        return None
    pixels = np.asarray(Y, dtype=np.float64)[:, :: max(1, Y.shape[1] // _PIXELS)]
    sums = [nnls(E / size, pixel, maxiter=100 * E.shape[1])[0].sum() for pixel in pixels.T]
    factor = float(np.median(sums)) / size
    return factor if factor > 0 else None


def in_reflectance(path: Path, E: NDArray, Y: NDArray, divisor: float) -> tuple[NDArray, str]:
    """Endmembers of a file ``(bands, endmembers)`` in reflectance, and a note where it is worth one.

    They may be in the file's unit or in reflectance already: the one that explains its image is taken.

    Raises
    ------
    InputError
        If neither does, with the factor that would.
    """
    factor = factor_between(E, Y)
    if factor is None:
        return E / divisor, ""
    ways = {divisor: "as the image", 1.0: "not divided: they are in reflectance already"}
    by = min(ways, key=lambda number: abs(np.log(factor * number)))
    if not 1 / _NEAR <= factor * by <= _NEAR:
        raise InputError(
            f"{path}: its endmembers are in another unit than its image: multiplied by {_round(factor):g} "
            "they would explain it. Bring both to one unit, or rename that array if it is no reference"
        )
    return E / by, "" if divisor == 1 else f"its endmembers {ways[by] if by == 1 else f'divided by {by:g}'}"


def _round(factor: float) -> float:
    """The power of ten where one is near, else two digits."""
    power = 10.0 ** round(np.log10(factor))
    return power if abs(np.log10(factor / power)) < 0.3 else float(f"{factor:.2g}")
