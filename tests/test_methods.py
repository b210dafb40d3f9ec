"""The contract that every method of the catalogue keeps, and known answers for some."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch
from toys import EXACT, asked_of, ends_well, pure_pixel_scene, striped_scene, toy_library

from hsu_lib import metrics
from hsu_lib.learning.labels import Labels
from hsu_lib.methods import METHODS, get
from hsu_lib.methods.autoencoders.augmentation import own_generator
from hsu_lib.methods.method import GIVEN, Method, Needs, Problem
from hsu_lib.scene import Scene, Status, Unmixing
from hsu_lib.scenes.library import SpectralLibrary

every_method = pytest.mark.parametrize("name", list(METHODS))


def unmix(name, scene, **given):
    return get(name).unmix(scene, **asked_of(name, scene, **given))


@every_method
def test_shapes_constraints_and_finiteness(name):
    scene = pure_pixel_scene()
    before = scene.fingerprint
    u = unmix(name, scene, endmembers=3, seed=1)
    if get(name).kind == "sparse":
        assert 1 <= len(u.active) <= 6
        np.testing.assert_array_equal(u.E, toy_library(scene).spectra[:, u.active].astype(np.float32))
    count = 3 if not get(name).needs.library else 6 if u.active is None else len(u.active)
    assert u.E.shape == (12, count)
    assert u.A.shape == (count, 7, 5)
    assert np.isfinite(u.E).all()
    assert u.A.min() >= -1e-6
    assert np.allclose(u.A.sum(axis=0), 1, atol=1e-5) == (get(name).asc or name in EXACT)
    assert u.status in ends_well(name)
    assert Scene(scene.Y, scene.E, scene.A, scene.materials).fingerprint == before


@every_method
def test_same_seed_same_result_bit_for_bit(name):
    scene = pure_pixel_scene()
    one, two = (unmix(name, scene, endmembers=3, seed=4) for _ in range(2))
    np.testing.assert_array_equal(one.E, two.E)
    np.testing.assert_array_equal(one.A, two.A)


@pytest.mark.parametrize("name", ["ae-plain", "ae-patches"])
@pytest.mark.parametrize("reading", ["document", "code"])
def test_another_seed_gives_another_result(name, reading):
    scene = pure_pixel_scene()
    one, two = (unmix(name, scene, endmembers=3, seed=s, reading=reading) for s in (0, 1))
    assert not np.array_equal(one.A, two.A)


@every_method
def test_one_pixel(name):
    scene = pure_pixel_scene()
    pixel = Scene(scene.Y[:, :1, :1], E=scene.E[:, :1], A=np.ones((1, 1, 1)))
    u = unmix(name, pixel, endmembers=1)
    np.testing.assert_allclose(u.A.sum(axis=0), 1, atol=1e-6 if get(name).asc else 0.01)


@every_method
def test_one_endmember(name):
    scene = pure_pixel_scene()
    one = Scene(scene.Y, E=scene.E[:, :1], A=np.ones((1, 7, 5)))
    u = unmix(name, one, endmembers=1)
    if get(name).asc:  # one endmember, or all that is taken of a library
        np.testing.assert_allclose(u.A.sum(axis=0), 1, atol=1e-6)
    else:
        assert np.isfinite(u.A).all()


@every_method
def test_wrong_requests_are_refused_with_the_reason(name):
    scene = pure_pixel_scene()
    with pytest.raises(ValueError, match="no setting 'epochz'"):
        get(name).unmix(scene, epochz=3)
    if get(name).kind == "supervised":
        with pytest.raises(ValueError, match="needs known endmembers"):
            unmix(name, Scene(scene.Y))
        with pytest.raises(ValueError, match="asked for 2 endmembers"):
            unmix(name, scene, endmembers=2)
    elif get(name).needs.library:
        library = toy_library(scene)
        for wrong, message in (
            ({"library": None}, "give one as `library`"),
            ({"library": library, "endmembers": 3}, "give no number of endmembers"),
            (
                {"library": replace(library, spectra=library.spectra[1:])},
                "6 spectra in 11 bands for toy with 12",
            ),
            ({"library": replace(library, spectra=np.full((12, 6), np.nan))}, "leave those bands out"),
            ({"library": library, "chosen_from": "usgs2"}, "'usgs', or nothing for the scene's own"),
        ):
            with pytest.raises(ValueError, match=message):
                get(name).unmix(scene, **wrong)
    elif get(name).needs.labels:
        with pytest.raises(ValueError, match="learns from known abundances"):
            unmix(name, Scene(scene.Y, E=scene.E))
        with pytest.raises(ValueError, match="asked for 2 endmembers"):
            unmix(name, scene, endmembers=2)
        with pytest.raises(ValueError, match="11 bands"):
            unmix(name, scene, labels=Labels(Scene(scene.Y[1:], A=scene.A)))
        with pytest.raises(ValueError, match="give the pixels of lagoon themselves"):
            unmix(name, scene, trained_on="lagoon")
    else:
        with pytest.raises(ValueError, match="say how many"):
            unmix(name, Scene(scene.Y))
        for count, message in ((0, "at least one"), (13, "12 bands"), (36, "35 pixels")):
            with pytest.raises(ValueError, match=message):
                unmix(name, scene, endmembers=count)


def test_an_unknown_method_names_the_closest():
    with pytest.raises(ValueError, match=r"Did you mean 'ae-patches'\?"):
        get("ae-patch")


@pytest.mark.parametrize("name", ["fclsu", "vca-fclsu", "sivm-fclsu", "snpa-fclsu", "palm"])
def test_noiseless_pure_pixels_are_recovered_exactly(name):
    scene = pure_pixel_scene(height=9, width=11)
    scores, _ = metrics.score(get(name).unmix(scene, endmembers=3), scene)
    assert scores["sad-endmembers"] < 1e-4
    assert scores["rmse-abundances"] < 1e-4


@pytest.mark.parametrize("name", ["palm", "nmf"])
def test_a_factorisation_fits_better_than_its_start(name):
    rng = np.random.default_rng(0)
    pure = pure_pixel_scene(height=9, width=11)
    scene = Scene(np.maximum(pure.Y + rng.normal(scale=0.03, size=pure.Y.shape), 0), pure.E, pure.A)
    error = {
        n: metrics.score(get(n).unmix(scene), scene)[0]["mse-reconstruction"] for n in (name, "sivm-fclsu")
    }
    assert error[name] < 0.9 * error["sivm-fclsu"]
    # the objective starts where SiVM and FCLSU stand, and never rises
    objective = get(name).unmix(scene).history["objective"]
    np.testing.assert_allclose(objective[0], 0.5 * scene.Y.size * error["sivm-fclsu"], rtol=0.05)
    assert (np.diff(objective) <= 1e-12 * objective[0]).all()


def test_settings_of_a_factorisation_are_checked():
    for wrong, message in (({"iterations": 0}, "at least 1"), ({"tolerance": -1.0}, "at least 0")):
        with pytest.raises(ValueError, match=message):
            get("palm").configure(**wrong)


STRIPED = {"filters": 16, "kernel": 3, "dropout": 0.0, "patch_size": 12}


@pytest.mark.slow
@pytest.mark.parametrize("reading", ["document", "code"])
def test_the_autoencoder_finds_the_endmembers_of_a_simple_scene(reading):
    stripes = striped_scene()
    u = get("ae-patches").unmix(stripes, seed=0, reading=reading, epochs=40, patches=20, **STRIPED)
    scores, _ = metrics.score(u, stripes)
    assert scores["sad-endmembers"] < np.deg2rad(10)
    assert scores["rmse-abundances"] < 0.25  # uniform maps would score 0.47
    assert u.history["loss"][-1] < 0.2 * u.history["loss"][0]


REFINEMENTS = [name for name, method in METHODS.items() if method.needs.first is not None]


@pytest.mark.parametrize(
    ("name", "reading"),
    [*product(REFINEMENTS, ["document", "code"]), ("vae-augmentation", "document")],  # its code: next test
)
def test_training_on_generated_images_finds_the_endmembers_of_a_simple_scene(name, reading):
    stripes = striped_scene()
    on_patches = dict(get(name).defaults).get("patches") != 0
    given = {"epochs": 20} | ({"images": 10, "patches": 5} if on_patches else {"images": 20})
    given |= {"start": get("snpa-fclsu").unmix(stripes)} if name in REFINEMENTS else {"repeats": 20}
    scores, _ = metrics.score(get(name).unmix(stripes, seed=0, reading=reading, **given, **STRIPED), stripes)
    assert scores["sad-endmembers"] < np.deg2rad(3)  # 0.6 to 2.3 degrees over ten seeds
    assert scores["rmse-abundances"] < 0.15  # uniform maps would score 0.47


def test_the_codes_vae_mixes_up_the_endmembers():
    # it averages VCA's runs without bringing them into one order
    stripes = striped_scene()
    given = {"seed": 0, "epochs": 20, "images": 10, "patches": 5, "repeats": 20}
    u = get("vae-augmentation").unmix(stripes, reading="code", **given, **STRIPED)
    assert metrics.score(u, stripes)[0]["sad-endmembers"] > np.deg2rad(10)


@pytest.mark.parametrize("name", REFINEMENTS)
def test_a_refinement_makes_its_first_estimation_with_the_same_seed_and_settings(name):
    scene, quick = pure_pixel_scene(), dict(get(name).quick)
    alone = get(name).unmix(scene, seed=3, dropout=0.1, **quick)
    first = get("ae-patches").unmix(scene, seed=3, dropout=0.1, **dict(get("ae-patches").quick))
    given = get(name).unmix(scene, seed=3, dropout=0.1, start=first, **quick)
    np.testing.assert_array_equal(alone.E, given.E)
    np.testing.assert_array_equal(alone.A, given.A)
    other = get("ae-patches").unmix(scene, seed=4, dropout=0.1, **dict(get("ae-patches").quick))
    assert not np.array_equal(get(name).unmix(scene, seed=3, dropout=0.1, start=other, **quick).A, given.A)


def test_the_same_seed_is_another_draw_in_the_data_and_in_the_network():
    here = torch.device("cpu")
    for seed in range(5):
        data = torch.randn(9, generator=own_generator(seed, here))
        assert not torch.equal(data, torch.randn(9, generator=torch.Generator().manual_seed(seed)))
        assert torch.equal(data, torch.randn(9, generator=own_generator(seed, here)))


@pytest.mark.parametrize("name", REFINEMENTS)
def test_a_first_estimation_of_another_scene_is_refused(name):
    scene = pure_pixel_scene()
    for wrong in (Unmixing(scene.E[1:], scene.A), Unmixing(scene.E, scene.A.transpose(0, 2, 1))):
        with pytest.raises(ValueError, match=r"first estimation, E .* is not one of toy"):
            get(name).unmix(scene, start=wrong)


def test_a_first_estimation_with_another_number_of_endmembers_is_refused():
    scene = pure_pixel_scene()
    with pytest.raises(ValueError, match="endmembers"):
        unmix("simple-perturbation-patches", scene, start=Unmixing(scene.E[:, :2], scene.A[:2]))


def test_a_refinement_can_be_told_to_start_from_snpa():
    scene = pure_pixel_scene()
    u = unmix("simple-perturbation-patches", scene, first="snpa-fclsu")
    assert u.E.shape == (12, 3)


def test_a_first_estimation_that_diverged_makes_a_refinement_that_diverged():
    scene = pure_pixel_scene()
    first = Unmixing(np.full((12, 3), np.nan), scene.A)
    assert unmix("simple-perturbation-patches", scene, start=first).status is Status.DIVERGED


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"reading": "text"}, "'document' or 'code'"),
        ({"kernel": 4}, "an odd number at least 1, got 4"),
        ({"epochs": 0}, "a whole number at least 1, got 0"),
        ({"epochs": 2.5}, "a whole number"),
        ({"epochs": True}, "a whole number"),
        ({"learning_rate": float("nan")}, "a number above 0"),
        ({"learning_rate": "fast"}, "a number above 0, got 'fast'"),
        ({"dropout": 1.0}, "at least 0 and below 1"),
        ({"learning_rate": 0.0}, "a number above 0"),
        ({"patches": -1}, "at least 0"),
    ],
)
def test_settings_out_of_range_are_refused(setting, message):
    with pytest.raises(ValueError, match=message):
        get("ae-patches").configure(**setting)


@every_method
def test_nothing_but_what_is_declared_reaches_a_method(name):
    # a reference that is nobody's business must not change an estimate
    method, scene = get(name), pure_pixel_scene()
    rng = np.random.default_rng(0)
    other = {} if method.needs.endmembers else {"E": rng.random(scene.E.shape)}
    other |= {} if method.needs.labels else {"A": rng.random(scene.A.shape)}
    given = {"library": toy_library(scene)} if method.needs.library else {}
    one, two = unmix(name, scene, **given), unmix(name, replace(scene, **other), **given)
    np.testing.assert_array_equal(one.E, two.E)
    np.testing.assert_array_equal(one.A, two.A)


@pytest.mark.parametrize("name", [n for n, m in METHODS.items() if not m.needs.spatial])
def test_a_method_that_is_not_spatial_sees_pixels_not_places(name):
    scene = pure_pixel_scene()
    row = Scene(scene.Y.reshape(12, 1, 35), scene.E, scene.A.reshape(3, 1, 35))
    np.testing.assert_allclose(unmix(name, row).A.reshape(-1, 7, 5), unmix(name, scene).A, atol=1e-6)


#: Weights of sparse methods and mixed norms are in the image's unit, squared; those of others have none, but
#: learnt ones.
IN_UNITS = ("sparse", "variability", "labelled", "nonlinear")
PROPORTIONAL = [n for n, m in METHODS.items() if m.kind not in IN_UNITS]


@pytest.mark.parametrize("name", PROPORTIONAL)
@pytest.mark.parametrize("unit", [1e-6, 1e4])
def test_results_do_not_depend_on_the_unit_of_the_image(name, unit):
    scene = pure_pixel_scene()
    one = unmix(name, scene, endmembers=3, seed=1)
    other = unmix(name, Scene(unit * scene.Y, unit * scene.E, scene.A), endmembers=3, seed=1)
    assert other.status is one.status
    np.testing.assert_allclose(other.A, one.A, atol=0.01)


@pytest.mark.parametrize("name", ["palm", "nmf"])
def test_a_factorisation_says_whether_it_converged(name):
    scene = pure_pixel_scene()
    assert get(name).unmix(scene, iterations=1, tolerance=0.0).status is Status.STOPPED
    assert get(name).unmix(scene, iterations=500, tolerance=1e-3).status is Status.CONVERGED


def test_endmembers_that_are_copies_are_told():
    scene = pure_pixel_scene()
    twice = Scene(scene.Y[:, :1].repeat(7, axis=1)[:, :, :1].repeat(5, axis=2))  # one spectrum throughout
    u = get("vca-fclsu").unmix(twice, endmembers=2)
    assert u.status is Status.DEGENERATE
    assert "ask for fewer" in u.status.value


def test_what_methods_need_combines():
    # a library and a first estimation and a watch at once, declared and not inherited
    def solve(problem: Problem, settings):
        assert problem.library is library
        assert problem.first is not None
        assert list(problem.truth.references) == ["reference"]
        return replace(problem.first, active=np.array([2, 0, 1]))

    first = Needs(library=True, truth=True, first=lambda settings: (get("vca-fclsu"), {}))
    toy = Method("toy", "three needs at once", kind="sparse", solve=solve, needs=first)
    scene, library = pure_pixel_scene(), SpectralLibrary(np.eye(12)[:, :3], np.arange(3), tuple("abc"))
    found = toy.unmix(scene, library=library)
    assert found.permuted([1, 2, 0]).active.tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match="spectral library: give one as `library`"):
        toy.unmix(scene)


@every_method
def test_no_setting_has_the_name_of_what_a_method_is_given(name):
    assert not set(GIVEN) & {row["setting"] for row in get(name).describe()}


def test_every_setting_has_a_source():
    for method in METHODS.values():
        assert all(row["source"] for row in method.describe()), method.name
