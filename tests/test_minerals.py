"""Mineral scenes: the law of the abundances, and what the scenes made by it promise."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scenes_helpers import real, real_file, save_usgs
from scipy.io import loadmat, savemat
from scipy.optimize import nnls
from scipy.stats import kstest

from hsu_lib import scenes
from hsu_lib.metrics import score
from hsu_lib.metrics.alignment import spectral_angle
from hsu_lib.scene import SceneSpec, Unmixing
from hsu_lib.scenes import catalogue
from hsu_lib.scenes.generated.minerals import CORRELATION, ONTECH_MATERIALS, SCENES, uniform_abundances
from hsu_lib.scenes.library import USGS_LIBRARY, usgs_library
from hsu_lib.scenes.public import cuprite, download
from hsu_lib.scenes.resampling import resample
from hsu_lib.solvers.fclsu import fclsu

GENERATED = [SceneSpec(info.name, reference) for info, _ in SCENES for reference in info.references]


def neighbours(A, distance=1):
    """Mean correlation of a map with itself, shifted along rows and along columns."""
    pairs = [(a[:, distance:], a[:, :-distance]) for a in A]
    pairs += [(a[distance:], a[:-distance]) for a in A]
    return np.mean([np.corrcoef(one.ravel(), two.ravel())[0, 1] for one, two in pairs])


# --------------------------------------------------------------------------- the law


@pytest.mark.parametrize("correlation", [0, 3.0])
def test_every_pixel_is_uniform_on_the_simplex(correlation):
    A = np.stack([uniform_abundances(4, 36, 24, correlation=correlation, seed=k) for k in range(100)], axis=1)
    assert A.min() >= 0
    np.testing.assert_allclose(A.sum(axis=0), 1, rtol=1e-14)
    # each abundance of Dirichlet(1) has the distribution 1 - (1 - a)^(p - 1)
    independent = A[:, :, ::12, ::12].reshape(4, -1)  # pixels far apart
    for a in independent:
        assert kstest(a, lambda t: 1 - (1 - t) ** 3).pvalue > 0.01
    covariance = (np.eye(4) - 0.25) / 4 / 5
    np.testing.assert_allclose(np.cov(A.reshape(4, -1)), covariance, atol=0.05 * covariance.max())


def test_neighbours_are_alike_only_where_it_is_asked_for():
    white = uniform_abundances(3, 90, 70, seed=1)
    smooth = uniform_abundances(3, 90, 70, correlation=8, seed=1)
    assert abs(neighbours(white)) < 0.03
    assert neighbours(smooth) > 0.95
    assert 0.15 < neighbours(smooth, 8) < 0.55  # the normal fields are at 1/e there
    assert abs(neighbours(smooth, 30)) < 0.2


def test_the_normal_fields_have_the_stated_correlation_length():
    # two endmembers: a / (1 - a) is a ratio of exponentials, monotone in each field
    many = [uniform_abundances(2, 64, 48, correlation=6, seed=seed) for seed in range(40)]
    logit = np.array([np.log(A[0] / A[1]) for A in many])
    at = {d: np.mean(logit[:, d:] * logit[:, : 64 - d]) / np.mean(logit**2) for d in (1, 6, 18)}
    assert at[1] > 0.96
    assert at[6] == pytest.approx(np.exp(-1), abs=0.05)
    assert abs(at[18]) < 0.05


def test_borders_are_like_the_rest():
    A = np.array([uniform_abundances(3, 20, 14, correlation=4, seed=seed)[0] for seed in range(1500)])
    edge = np.concatenate([A[:, 0].ravel(), A[:, -1].ravel(), A[:, :, 0].ravel(), A[:, :, -1].ravel()])
    assert edge.std() == pytest.approx(A.std(), rel=0.02)


def test_abundances_follow_their_seed():
    first = uniform_abundances(3, 7, 5, seed=4)
    np.testing.assert_array_equal(first, uniform_abundances(3, 7, 5, seed=4))
    assert np.abs(first - uniform_abundances(3, 7, 5, seed=5)).max() > 0.1
    np.testing.assert_array_equal(uniform_abundances(1, 7, 5, correlation=2, seed=0), np.ones((1, 7, 5)))


@pytest.mark.parametrize("size", [(0, 7, 5), (3, 0, 5), (3, 7, 5, -1.0), (3, 7, 5, np.nan)])
def test_sizes_that_are_none(size):
    with pytest.raises(ValueError, match="at least one endmember, row and column"):
        uniform_abundances(*size[:3], correlation=size[3] if len(size) > 3 else 0, seed=0)


# --------------------------------------------------------------------------- scenes from stand-in files


@pytest.fixture
def stand_ins(tmp_path, monkeypatch):
    """The catalogue reads files of the real form with spectra of our own."""
    rng = np.random.default_rng(0)
    names = [*ONTECH_MATERIALS, "Jarosite GDS98 K,Sy 90C", "Halite HS433.3B"]
    grid = np.linspace(0.38315, 2.5082, 224)
    order = rng.permutation(224)
    smooth = 0.5 + 0.3 * np.sin(np.outer(grid, np.arange(1, len(names) + 1)))
    usgs = save_usgs(tmp_path / "usgs.mat", names, grid[order], smooth[order])

    kept = np.setdiff1d(np.arange(1, 225), [1, 2, *range(104, 114), *range(148, 168), *range(221, 225)])
    image = 369.85 + 9.57 * np.arange(224)
    own = image + 30.0
    dip = np.array([np.exp(-0.5 * ((own - 2206) / 12) ** 2) * depth for depth in np.linspace(0.1, 0.5, 12)]).T
    cood = np.array([[f"#{k + 1} {name}"] for k, name in enumerate(cuprite.CUPRITE_MATERIALS)], dtype=object)
    truth = {
        "M": 0.8 - dip,
        "waveLength": own[None] / 1000,
        "slctBnds": kept[None].astype(np.uint8),
        "cood": cood,
    }
    savemat(tmp_path / "truth.mat", truth)
    counts = rng.integers(-5, 9000, (50, 90, 188)).astype(np.int16)
    savemat(tmp_path / "window.mat", {"Rcuprite50x90x188": counts})

    D, X = rng.random((224, 240)), {}
    savemat(tmp_path / "D.mat", {"EE": D})
    for name, side, count in (("dc1", 75, 5), ("dc2", 100, 9)):
        X[name] = np.zeros((240, side, side))
        X[name][1 : count + 1] = uniform_abundances(count, side, side, seed=3)
        savemat(tmp_path / f"{name}.mat", {"XT": X[name]})
    clean = np.einsum("lk,khw->hwl", D, X["dc1"])
    savemat(tmp_path / "clean.mat", {"Y_clean": clean})

    content = {
        USGS_LIBRARY: usgs,
        cuprite.CUPRITE_SPECTRA: (tmp_path / "truth.mat").read_bytes(),
        cuprite.CUPRITE_WAVELENGTHS: "".join(
            f"{w:.2f}\t9.6\t0.1\t0.1\t{k}   \n" for k, w in enumerate(image)
        ).encode(),
        "cuprite/Rcuprite50x90x188.mat": (tmp_path / "window.mat").read_bytes(),
        "dc1/EE.mat": (tmp_path / "D.mat").read_bytes(),
        "dc1/XT.mat": (tmp_path / "dc1.mat").read_bytes(),
        "dc1/Y_clean.mat": (tmp_path / "clean.mat").read_bytes(),
        "dc2/XT.mat": (tmp_path / "dc2.mat").read_bytes(),
    }
    monkeypatch.setattr(download, "read", lambda file, **_: content[file])
    catalogue._whole.cache_clear()
    yield counts
    catalogue._whole.cache_clear()


def check_exact(spec):
    """What every generated scene promises: size, names, ANC, ASC and E A."""
    scene, info = scenes.load(spec, download=False), scenes.describe(spec.name)
    assert scene.Y.shape == info.size
    assert scene.materials == info.materials[spec.reference]
    assert scene.A.min() >= 0
    np.testing.assert_allclose(scene.A.sum(axis=0), 1, atol=2e-6)
    expected = np.tensordot(scene.E, scene.A, 1)
    if "bilinear" in spec.name:
        pairs = combinations(range(len(scene.A)), 2)
        expected += sum(
            np.multiply.outer(scene.E[:, j] * scene.E[:, k], scene.A[j] * scene.A[k]) for j, k in pairs
        )
    np.testing.assert_allclose(scene.Y, expected, atol=1e-6)
    assert np.all(scene.wavelengths > 300)
    return scene


@pytest.mark.parametrize("spec", [*GENERATED, SceneSpec("dc1", "truth"), SceneSpec("dc2", "truth")], ids=str)
def test_generated_scenes(stand_ins, spec):
    scene = check_exact(spec)
    coherence = neighbours(scene.A)
    if spec.name.startswith("dc"):
        return
    if "coherent" in spec.name:
        assert coherence > 0.9
        assert neighbours(scene.A, int(CORRELATION)) > 0.15
    else:
        assert abs(coherence) < 0.02
    catalogue._whole.cache_clear()
    assert scenes.load(spec, download=False).fingerprint == scene.fingerprint


def test_scenes_of_a_family_differ_in_their_abundances_only(stand_ins):
    loaded = {info.name: scenes.load(info.name) for info, _ in SCENES}
    for ending in ("", "-train"):
        twins = [loaded[f"ontech-syn{kind}{ending}"] for kind in ("", "-bilinear")]
        np.testing.assert_array_equal(twins[0].A, twins[1].A)
        assert (twins[1].Y >= twins[0].Y).all()
    maps = [scene.A[:9].ravel() for name, scene in loaded.items() if "bilinear" not in name]
    links = np.corrcoef(maps)[~np.eye(len(maps), dtype=bool)]
    assert abs(links).max() < 0.1
    for family in ("ontech", "cuprite"):
        first, *rest = [scene for name, scene in loaded.items() if name.startswith(family)]
        for other in rest:
            np.testing.assert_array_equal(other.E, first.E)
    np.testing.assert_array_equal(
        loaded["cuprite-synthetic"].A, scenes.load(SceneSpec("cuprite-synthetic", "aligned")).A
    )


def test_crop_and_noise_as_for_any_scene(stand_ins):
    spec = SceneSpec("ontech-syn", crop=(3, 9, 7, 5), snr_db=20, noise_seed=2)
    scene, clean = scenes.load(spec), scenes.load("ontech-syn").crop(3, 9, 7, 5)
    assert scene.Y.shape == (224, 7, 5)
    noise = scene.Y - clean.Y
    assert 10 * np.log10(np.mean(clean.Y**2) / np.mean(noise**2)) == pytest.approx(20, abs=0.5)


def test_cuprite_window_and_its_two_readings(stand_ins):
    stored, aligned = (scenes.load(SceneSpec("cuprite-window", r)) for r in ("stored", "aligned"))
    assert stored.A is None
    assert aligned.A is None
    np.testing.assert_array_equal(stored.Y, aligned.Y)
    np.testing.assert_allclose(stored.Y[7, 31, 62], stand_ins[31, 62, 7] / 10000, rtol=1e-6)
    np.testing.assert_allclose(stored.wavelengths, aligned.wavelengths)
    # a dip at 2206 nm: where the image's axis has it once aligned, 30 nm lower as stored
    lowest = [scene.wavelengths[scene.E[:, 11].argmin()] for scene in (stored, aligned)]
    np.testing.assert_allclose(lowest, [2176, 2206], atol=6)


def test_a_scene_without_abundances_is_scored_by_its_endmembers(stand_ins):
    scene = scenes.load(SceneSpec("cuprite-window", crop=(0, 0, 7, 5)))
    A = uniform_abundances(12, 7, 5, seed=0)
    order = np.random.default_rng(0).permutation(12)
    scores, aligned = score(Unmixing(scene.E[:, order] + 0.001 * order, A), scene)
    assert scores["sad-endmembers"] < 0.01
    assert not any("rmse" in name for name in scores)
    np.testing.assert_allclose(aligned.E, scene.E, atol=0.012)


# --------------------------------------------------------------------------- the real files


@pytest.mark.real_data
@pytest.mark.parametrize("spec", GENERATED, ids=str)
def test_real_generated_scenes(spec):
    real(spec.name, spec.reference)
    scene = check_exact(spec)
    assert 0 < scene.E.min() < scene.E.max() < 1
    assert (abs(neighbours(scene.A)) < 0.02) != ("coherent" in spec.name)


@pytest.mark.real_data
def test_dc_scenes_are_made_of_the_library_spectra_they_name():
    library = usgs_library(real_file)
    for name in ("dc1", "dc2"):
        scene = real(name)
        np.testing.assert_allclose(scene.E, library.endmembers(scene.materials), atol=1e-7)
        np.testing.assert_allclose(scene.A.max(axis=(1, 2)), 1, atol=2e-3)  # an almost pure pixel of each
        transposed = np.tensordot(scene.E, scene.A.transpose(0, 2, 1), 1)
        assert np.linalg.norm(scene.Y - transposed) > 0.03 * np.linalg.norm(scene.Y)


@pytest.mark.real_data
def test_cuprite_names_are_those_of_the_file(tmp_path):
    (tmp_path / "truth.mat").write_bytes(real_file(cuprite.CUPRITE_SPECTRA))
    cells = loadmat(tmp_path / "truth.mat")["cood"].ravel()
    assert tuple(cell[0].split()[1] for cell in cells) == cuprite.CUPRITE_MATERIALS


@pytest.mark.real_data
def test_aligned_kaolinite_has_its_minimum_where_the_image_has_it():
    stored, aligned = (real("cuprite-window", r) for r in ("stored", "aligned"))
    channels = np.setdiff1d(np.arange(224), [0, 1, *range(103, 113), *range(147, 167), *range(220, 224)])
    near = (channels >= 180) & (channels <= 200)  # around the Al-OH absorption at 2.2 micrometres

    def minimum(spectrum):
        return channels[near][spectrum[near].argmin()]

    for k in (4, 5):
        assert minimum(stored.E[:, k]) == 189
        assert abs(minimum(aligned.E[:, k]) - 192) <= 1
    assert minimum(aligned.Y.mean(axis=(1, 2))) == 193
    assert aligned.wavelengths[near][channels[near] == 192] == pytest.approx(2198.6, abs=0.1)
    turned = np.degrees(spectral_angle(stored.E, aligned.E))
    assert (turned.min(), turned.max()) == pytest.approx((1.0, 3.4), abs=0.05)


@pytest.mark.real_data
@pytest.mark.parametrize(("reference", "anc", "asc"), [("stored", 0.038, 0.072), ("aligned", 0.031, 0.076)])
def test_cuprite_spectra_fit_the_window_as_well_as_documented(reference, anc, asc):
    scene = real("cuprite-window", reference)
    Y, E = scene.pixels.astype(float), scene.E.astype(float)
    size = np.linalg.norm(Y)
    assert np.linalg.norm([nnls(E, y)[1] for y in Y.T]) / size == pytest.approx(anc, abs=5e-4)
    assert np.linalg.norm(Y - E @ fclsu(Y, E)) / size == pytest.approx(asc, abs=5e-4)


@pytest.mark.real_data
def test_cuprite_spectra_are_those_of_the_library_on_their_own_wavelengths(tmp_path):
    (tmp_path / "truth.mat").write_bytes(real_file(cuprite.CUPRITE_SPECTRA))
    truth, library = loadmat(tmp_path / "truth.mat"), usgs_library(real_file)
    own = truth["waveLength"].ravel() * 1000
    inside = own <= library.wavelengths[-1]
    there = resample(library.spectra, library.wavelengths, own[inside])
    units = [E / np.linalg.norm(E, axis=0) for E in (there, truth["M"][inside])]
    best = (units[0].T @ units[1]).argmax(axis=0)
    assert np.degrees(spectral_angle(there[:, best], truth["M"][inside])).max() < 0.3
    found = [library.classes[k] for k in best]
    assert [name.split()[0].split("+")[0] for name in found[:4]] == list(cuprite.CUPRITE_MATERIALS[:4])
    assert found[4:6] == ["Kaolin/Smect KLF508 85%K", "Kaolin/Smect H89-FR-5 30K"]
