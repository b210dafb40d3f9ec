"""Generated scenes: what is promised of their truth is measured."""

from __future__ import annotations

import time

import numpy as np
import pytest
from scenes_helpers import real
from scipy.io import savemat

from hsu_lib import scenes
from hsu_lib.scenes.generated.lagoon import absorptions, lagoon_endmembers
from hsu_lib.scenes.generated.semireal import mix_from_library
from hsu_lib.scenes.library import SpectralLibrary, urban_library


@pytest.fixture(scope="module")
def clean():
    """The lagoon without variability and noise."""
    return scenes.lagoon(snr_db=np.inf, variability=0)


def test_lagoon_is_the_same_every_time():
    first = scenes.lagoon()
    assert first.fingerprint == scenes.lagoon().fingerprint == scenes.load("lagoon").fingerprint
    assert first.Y.shape == scenes.describe("lagoon").size == (64, 40, 48)
    assert first.fingerprint != scenes.lagoon(seed=8).fingerprint


def test_lagoon_abundances_are_areas():
    A = scenes.load("lagoon").A
    assert A.min() == 0
    np.testing.assert_array_equal(A.sum(axis=0), 1)  # exact: counts of 64 cells
    np.testing.assert_array_equal(A * 64, np.round(A * 64))
    pure = (A == 1).sum(axis=(1, 2))
    assert (pure >= 40).all()
    assert 0.4 < (A.max(axis=0) < 1).mean() < 0.7  # about half of the pixels are mixed
    assert (A.mean(axis=(1, 2)) > 0.15).all()


def test_lagoon_maps_are_coherent_and_in_their_places():
    water, vegetation, sand, soil = scenes.load("lagoon").A
    for abundance in (water, vegetation, sand, soil):
        across = np.corrcoef(abundance[:, 1:].ravel(), abundance[:, :-1].ravel())[0, 1]
        down = np.corrcoef(abundance[1:].ravel(), abundance[:-1].ravel())[0, 1]
        assert min(across, down) > 0.6
    columns = np.arange(48)
    west_to_east = [(m.sum(axis=0) * columns).sum() / m.sum() for m in (water, sand, soil)]
    assert west_to_east == sorted(west_to_east)
    assert (water * soil).sum() < 0.02 * water.sum()  # sand lies between them


def test_lagoon_is_the_linear_mixture_when_clean(clean):
    np.testing.assert_allclose(clean.Y, np.tensordot(clean.E, clean.A, 1), atol=1e-6)
    np.testing.assert_array_equal(clean.A, scenes.load("lagoon").A)
    np.testing.assert_array_equal(clean.E, scenes.load("lagoon").E)


def test_lagoon_noise_and_variability_are_as_stated(clean):
    varied = scenes.lagoon(snr_db=np.inf)
    noise = scenes.load("lagoon").Y - varied.Y
    assert 10 * np.log10(np.mean(varied.Y**2) / np.mean(noise**2)) == pytest.approx(35, abs=0.1)
    ratio = varied.Y / clean.Y
    brightness = ratio[31:33].mean(axis=0)  # the middle of the spectrum: no slope there
    assert 0.03 < brightness.std() < 0.07
    assert abs(ratio - 1).max() < 0.35
    water = clean.A[0] == 1
    differences = abs(np.diff(brightness, axis=1))[water[:, 1:] & water[:, :-1]]
    assert differences.max() < 0.03  # smooth from pixel to pixel within a material


def test_lagoon_spectra_show_the_features_of_their_materials():
    w = np.arange(400.0, 2501.0)
    water, vegetation, sand, soil = lagoon_endmembers(w).T

    def at(spectrum, wavelength):
        return spectrum[int(wavelength) - 400]

    def depth(spectrum, left, centre, right):
        line = np.interp(centre, [left, right], [at(spectrum, left), at(spectrum, right)])
        return 1 - at(spectrum, centre) / line

    for spectrum in (water, vegetation, sand, soil):
        assert 0 < spectrum.min() < spectrum.max() < 1
    assert at(vegetation, 550) > 1.3 * at(vegetation, 670)  # green leaves
    assert at(vegetation, 860) > 8 * at(vegetation, 670)  # the red edge
    assert w[300:360][np.diff(vegetation)[300:360].argmax()] == pytest.approx(714, abs=10)
    for band in ((1350, 1450, 1650), (1800, 1940, 2150)):
        assert depth(vegetation, *band) > 0.3  # leaf water
    assert depth(sand, 2120, 2208, 2260) > 0.15  # Al-OH of clay
    assert w[1700:1900][sand[1700:1900].argmin()] == pytest.approx(2208, abs=8)
    assert min(depth(sand, 1360, 1402, 1480), depth(sand, 1840, 1910, 2060)) > 0.08
    assert depth(soil, 740, 870, 1100) > 0.15  # ferric iron
    assert depth(soil, 430, 530, 640) > 0.15
    assert water[500:].max() < 0.02 < at(water, 560)  # dark beyond 900 nm


def test_lagoon_materials_can_be_told_apart():
    E = scenes.load("lagoon").E
    unit = E / np.linalg.norm(E, axis=0)
    angles = np.degrees(np.arccos(np.clip(unit.T @ unit, -1, 1)))
    assert angles[~np.eye(4, dtype=bool)].min() > 12
    assert np.linalg.cond(E) < 150


@pytest.mark.parametrize("size", [(2, 2, 2), (9, 4, 12), (31, 57, 100)])
def test_lagoon_of_any_size(size):
    height, width, bands = size
    scene = scenes.lagoon(height, width, bands)
    assert scene.Y.shape == (bands, height, width)
    np.testing.assert_array_equal(scene.A.sum(axis=0), 1)


def test_lagoon_refuses_a_single_row():
    with pytest.raises(ValueError, match="at least 2 bands, rows and columns"):
        scenes.lagoon(1, 48)


def test_lagoon_is_quick():
    scenes.lagoon()
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        scenes.lagoon()
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.5  # 0.1 s on a free core; room for a busy machine


# --------------------------------------------------------------------------- mixing from a library


def test_absorptions_are_asymmetric_and_as_deep_as_asked():
    w = np.array([900.0, 1000.0, 1100.0])
    left_over = absorptions(w, [(1000, 0.4, 50, 100)])
    np.testing.assert_allclose(left_over, [1 - 0.4 * np.exp(-2), 0.6, 1 - 0.4 * np.exp(-0.5)])
    np.testing.assert_allclose(absorptions(w, []), 1)


@pytest.fixture
def library():
    """Five spectra in two bands: three of soil, two of tree."""
    spectra = np.array([[0.1, 0.2, 0.3, 0.8, 0.9], [0.5, 0.5, 0.5, 0.0, 0.1]])
    return SpectralLibrary(spectra, np.array([0, 0, 0, 1, 1]), ("soil", "tree"))


def test_library_classes(library):
    np.testing.assert_array_equal(library.of("tree"), [[0.8, 0.9], [0.0, 0.1]])
    np.testing.assert_array_equal(library.of("soil road")[0], [0.1, 0.2, 0.3])
    with pytest.raises(ValueError, match="no spectra of 'soils'; the library has soil, tree"):
        library.of("soils")


def test_each_pixel_draws_a_spectrum_of_the_right_class(library):
    A = np.zeros((2, 40, 30))
    A[0, :, :10], A[1, :, 10:20], A[:, :, 20:] = 1, 1, 0.5
    Y = mix_from_library(A, ("tree", "soil"), library, np.random.default_rng(0))
    drawn, counts = np.unique(Y[0, :, :10].round(4), return_counts=True)
    np.testing.assert_allclose(drawn, [0.8, 0.9], atol=1e-4)
    assert counts.min() > 150  # of 400, evenly
    drawn, counts = np.unique(Y[0, :, 10:20].round(4), return_counts=True)
    np.testing.assert_allclose(drawn, [0.1, 0.2, 0.3], atol=1e-4)
    assert counts.min() > 90
    # the mixed third holds all six pairs: the two classes are drawn independently
    assert len(np.unique(Y[:, :, 20:].reshape(2, -1).round(4), axis=1).T) == 6


def test_urban_library_reads_its_classes(tmp_path):
    names = np.array([["Asphalt"], ["Grass"]], dtype=object).T
    names[0, 0], names[0, 1] = "Asphalt", "Grass"
    savemat(
        tmp_path / "library.mat", {"lib1": np.ones((4, 3)), "lib2": np.zeros((4, 2)), "material_names": names}
    )
    library = urban_library(lambda file: (tmp_path / "library.mat").read_bytes())
    assert library.classes == ("asphalt", "grass")
    np.testing.assert_array_equal(library.labels, [0, 0, 0, 1, 1])
    assert library.of("asphalt road").shape == (4, 3)


@pytest.mark.real_data
def test_urban_semireal_is_what_it_says():
    scene = real("urban-semireal")
    from hsu_lib.scenes.public import download
    from hsu_lib.scenes.public.urban import urban_truth

    def get(file):
        return download.read(file, download=False)

    E6, A6, materials = urban_truth("end6", get)
    library = urban_library(get)
    np.testing.assert_allclose(scene.A, A6, atol=1e-6)
    np.testing.assert_allclose(
        scene.A.mean(axis=(1, 2)), [0.1756, 0.3417, 0.2353, 0.0816, 0.0321, 0.1338], atol=1e-4
    )
    means = np.stack([library.of(material).mean(axis=1) for material in materials], axis=1)
    np.testing.assert_allclose(scene.E, means, rtol=1e-5)
    # each class looks most like the reference endmember of its name
    unit = [E / np.linalg.norm(E, axis=0) for E in (means, E6)]
    np.testing.assert_array_equal((unit[0].T @ unit[1]).argmax(axis=1), range(6))
    # a pure pixel is one library spectrum of its class plus noise of 30 dB
    sigma = np.sqrt(np.mean(np.square(scene.Y, dtype=np.float64)) / (1 + 10**3))
    for k, material in enumerate(materials):
        rows, columns = np.nonzero(scene.A[k] == 1)
        spectra = library.of(material)
        for pixel in scene.Y[:, rows[:5], columns[:5]].T:
            nearest = np.sqrt(np.mean((spectra - pixel[:, None]) ** 2, axis=0)).min()
            assert nearest == pytest.approx(sigma, rel=0.25), material
    # and the pixel beside it another one
    rows, columns = np.nonzero(scene.A[1] == 1)
    grass = library.of("grass")
    nearest = (
        ((grass[:, :, None] - scene.Y[:, rows[:300], columns[:300]][:, None]) ** 2).sum(axis=0).argmin(axis=0)
    )
    assert len(np.unique(nearest)) > 80
