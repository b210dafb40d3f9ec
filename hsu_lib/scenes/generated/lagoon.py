"""The embedded scene: a coastal lagoon from formulas and a seed, no file needed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hsu_lib.scene import Scene
from hsu_lib.scenes.info import Get, SceneInfo
from hsu_lib.scenes.library import SpectralLibrary
from hsu_lib.scenes.noise import add_noise

LAGOON_MATERIALS = ("water", "vegetation", "sand", "soil")
_SUB = 8  # each pixel is the mean of 8 x 8 small cells of one material: abundances are areas


def absorptions(wavelengths: NDArray, features: list[tuple[float, float, float, float]]) -> NDArray:
    """What absorption features leave of a continuum, shape of `wavelengths`, 0 to 1.

    Each feature ``(centre, depth, left, right)`` multiplies by ``1 - depth exp(-x^2 / 2)``, ``x`` the
    distance from its centre in widths: `left` below the centre, `right` above it (nm; the depth a fraction).

    References
    ----------
    Depth below a continuum: Clark and Roush, J. Geophys. Res. 89 (1984) 6329-6340.
    """
    left_over = np.ones_like(wavelengths)
    for centre, depth, left, right in features:
        x = (wavelengths - centre) / np.where(wavelengths < centre, left, right)
        left_over *= 1 - depth * np.exp(-(x**2) / 2)
    return left_over


def lagoon_endmembers(wavelengths: NDArray) -> NDArray:
    """Reflectance of water, vegetation, sand and soil, shape ``(bands, 4)``.

    Positions of the features are those of the materials; depths, widths and continua are ours, chosen by eye.

    Parameters
    ----------
    wavelengths
        In nm, 400 to 2500.

    References
    ----------
    Clark, Spectroscopy of rocks and minerals, in Manual of Remote Sensing 3 (1999): clay OH at 1.4 and
    2.165/2.205 micrometres, water at 1.4 and 1.9, ferric iron at 0.53 and 0.87, leaves with chlorophyll at
    0.45 and 0.68, the red edge near 0.71, liquid water at 0.97, 1.2, 1.45 and 1.94.
    """
    w = wavelengths

    def step(centre: float, width: float) -> NDArray:
        return 1 / (1 + np.exp(-(w - centre) / width))

    # light leaves water only where the water itself does not absorb: a green maximum, nothing beyond 900 nm
    water = 0.006 + 0.075 * (1 - step(640, 45)) * absorptions(w, [(400, 0.5, 60, 70), (675, 0.25, 15, 15)])
    leaf = 0.09 + 0.42 * step(714, 13)
    vegetation = (leaf - 0.16 * step(1750, 260)) * absorptions(
        w,
        [
            (450, 0.60, 60, 45),
            (670, 0.62, 45, 18),
            (970, 0.07, 25, 35),
            (1200, 0.14, 40, 45),
            (1450, 0.62, 55, 90),
            (1940, 0.75, 60, 130),
            (2500, 0.55, 200, 200),
        ],
    )
    sand = (0.62 - 0.40 * np.exp(-(w - 400) / 330) - 0.14 * step(2050, 150)) * absorptions(
        w, [(1400, 0.13, 12, 25), (1910, 0.22, 22, 60), (2165, 0.12, 25, 18), (2208, 0.27, 22, 25)]
    )
    soil = (0.06 + 0.17 * step(680, 70) + 0.19 * (w - 400) / 2100) * absorptions(
        w,
        [
            (530, 0.30, 45, 40),
            (870, 0.30, 75, 80),
            (1410, 0.07, 20, 35),
            (1920, 0.10, 25, 60),
            (2205, 0.08, 25, 30),
        ],
    )
    return np.stack([water, vegetation, sand, soil], axis=1)


def lagoon_library(get: Get | None = None) -> SpectralLibrary:
    """The spectra of the lagoon, then 20 minerals that are not in it, drawn by a seed.

    It takes no file; `get` is there as for other libraries.
    """
    wavelengths: NDArray = np.linspace(400, 2500, LAGOON.size[0])
    rng, others = np.random.default_rng(LAGOON.definition), 20
    x = (wavelengths - 400) / 2100
    columns = []
    for _ in range(others):
        level, rise, bend = rng.uniform([0.15, -0.1, 0.0], [0.5, 0.4, 0.3])
        features = rng.uniform([450, 0.1, 15, 15], [2450, 0.6, 120, 120], size=(4, 4))
        continuum = level + rise * x - bend * np.exp(-6 * x)
        columns.append(continuum.clip(0.02) * absorptions(wavelengths, features.tolist()))
    spectra = np.column_stack([lagoon_endmembers(wavelengths), *columns])
    names = (*LAGOON_MATERIALS, *(f"mineral {k + 1}" for k in range(others)))
    return SpectralLibrary(spectra, np.arange(len(names)), names, wavelengths)


def _field(rng: np.random.Generator, height: int, width: int, correlation: float) -> NDArray:
    """Smooth Gaussian random field of zero mean and unit variance, shape ``(height, width)``."""
    from scipy.ndimage import gaussian_filter  # here: its import costs more than the scene

    field = gaussian_filter(rng.standard_normal((height, width), dtype=np.float32), correlation, truncate=3)
    return (field - field.mean()) / field.std()


def _lagoon_map(rng: np.random.Generator, height: int, width: int) -> NDArray:
    """Material of each small cell (0 to 3, as `LAGOON_MATERIALS`), shape ``(8 height, 8 width)``."""
    rows, columns = height * _SUB, width * _SUB

    def field(correlation: float) -> NDArray:  # in pixels
        return _field(rng, rows, columns, correlation * _SUB)

    y, x = np.mgrid[0:rows, 0:columns] / np.array([rows, columns]).reshape(2, 1, 1)
    # distance from the shore as a fraction of the scene, negative in the water: an open lagoon in the west
    shore = np.hypot((x - 0.18) / 1.15, y - 0.52) - 0.36 + 0.055 * field(4.0)
    # grain much finer than a pixel turns each threshold into a gradient of area fractions
    grain = [field(0.2) for _ in range(3)]
    tide = shore + 0.030 * grain[0]
    belt = shore + 0.060 * grain[1]
    # plants are dense behind the beach and thin out inland, in clumps
    cover = 1.9 * np.exp(-np.square((shore - 0.17) / 0.13)) - 1.25 + 0.8 * field(2.5) + 0.45 * grain[2]
    cells = np.where(belt < 0.13, 2, 3)
    cells[(cover > 0) & (shore > 0.05)] = 1
    cells[tide < 0] = 0
    bar = np.abs(y - 0.30 - 0.25 * x) + 0.010 * grain[0]  # a spit of sand into the water
    cells[(bar < 0.042) & (x > 0.12) & (shore < 0.05)] = 2
    return cells


def lagoon(
    height: int = 40,
    width: int = 48,
    bands: int = 64,
    *,
    snr_db: float = 35.0,
    variability: float = 1.0,
    seed: int = 7,
) -> Scene:
    """A generated coastal lagoon: water, a sandy shore and spit, a vegetation belt, soil behind.

    Each pixel is the mean of 8 x 8 cells of one material, so abundances are exact multiples of 1/64 and some
    pixels of every material are pure. The spectrum of each material varies smoothly over the scene by a
    factor ``1 + variability (0.05 b + 0.03 t g)``, with random fields b, g of unit variance and ``t`` from -1
    to 1 over the wavelengths. White noise comes last; dark bands of the water can be negative.

    Parameters
    ----------
    height, width, bands
        Size; bands spread evenly from 400 to 2500 nm.
    snr_db
        Signal-to-noise ratio in dB (`hsu_lib.scenes.noise.add_noise`); ``inf`` adds none.
    variability
        Strength of the spectral variability; 0 for none.
    seed
        Of everything random.

    Returns
    -------
    Scene
        `A` exact, `E` the spectra without variability.

    Raises
    ------
    ValueError
        If a size is below 2.
    """
    if min(height, width, bands) < 2:
        raise ValueError(f"expected at least 2 bands, rows and columns, got {(bands, height, width)}")
    rng = np.random.default_rng(seed)
    wavelengths: NDArray = np.linspace(400, 2500, bands)
    E = lagoon_endmembers(wavelengths)
    cells = _lagoon_map(rng, height, width).reshape(height, _SUB, width, _SUB)
    A = np.stack([(cells == k).mean(axis=(1, 3)) for k in range(len(LAGOON_MATERIALS))])
    tilt = np.linspace(-1, 1, bands)[:, None, None]
    Y: NDArray = np.zeros((bands, height, width))
    for k in range(len(LAGOON_MATERIALS)):
        brightness, slope = _field(rng, height, width, 5.0), _field(rng, height, width, 5.0)
        factor = 1 + variability * (0.05 * brightness + 0.03 * slope * tilt)
        Y += E[:, k, None, None] * (A[k] * factor)
    Y = add_noise(Y, snr_db, seed)
    return Scene(Y, E, A, LAGOON_MATERIALS, wavelengths, "lagoon", LAGOON.references["truth"])


LAGOON = SceneInfo(
    name="lagoon",
    title="Lagoon",
    summary=(
        "40 x 48 generated pixels, 64 bands from 400 to 2500 nm: a coastal lagoon with sand, a vegetation "
        "belt and soil. Part of the library: no file, no network."
    ),
    kind="synthetic",
    size=(64, 40, 48),
    references={
        "truth": (
            "Exact abundances; endmembers are the spectra before their smooth variation over the scene "
            "(5 % brightness, 3 % slope)"
        )
    },
    materials={"truth": LAGOON_MATERIALS},
    unit="reflectance",
    cautions="Noise of 35 dB is part of it. Each material has pure pixels, which real scenes do not promise.",
    licence="MIT, as this project",
    citation="this project",
    page="",
    definition=1,
)


def _lagoon(reference: str, get: Get) -> Scene:
    return lagoon()


SCENES = ((LAGOON, _lagoon),)
LIBRARIES = {LAGOON.name: (lagoon_library, "")}
