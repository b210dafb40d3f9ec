"""The contract that every method of the catalogue keeps, and known answers for some."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from toys import pure_pixel_scene

from hsu_lib import metrics
from hsu_lib.methods import METHODS, get
from hsu_lib.methods.augmentation import own_generator
from hsu_lib.methods.refinement import Refinement
from hsu_lib.scene import Scene, Status, Unmixing

every_method = pytest.mark.parametrize("name", list(METHODS))


def unmix(name, scene, **given):
    return get(name).unmix(scene, **{**dict(get(name).quick), **given})


@every_method
def test_shapes_constraints_and_finiteness(name):
    scene = pure_pixel_scene()
    before = scene.fingerprint
    u = unmix(name, scene, endmembers=3, seed=1)
    assert u.E.shape == (12, 3)
    assert u.A.shape == (3, 7, 5)
    assert np.isfinite(u.E).all()
    assert u.A.min() >= -1e-6
    np.testing.assert_allclose(u.A.sum(axis=0), 1, atol=1e-5)
    assert u.status in (Status.CONVERGED, Status.FINISHED)
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
    np.testing.assert_allclose(u.A, np.ones((1, 1, 1)), atol=1e-6)


@every_method
def test_one_endmember(name):
    scene = pure_pixel_scene()
    u = unmix(name, Scene(scene.Y, E=scene.E[:, :1], A=np.ones((1, 7, 5))), endmembers=1)
    np.testing.assert_allclose(u.A, 1, atol=1e-6)


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
    elif get(name).kind == "trained":
        with pytest.raises(ValueError, match="learns from known abundances"):
            unmix(name, Scene(scene.Y, E=scene.E))
        with pytest.raises(ValueError, match="asked for 2 endmembers"):
            unmix(name, scene, endmembers=2)
        with pytest.raises(ValueError, match="11 bands"):
            unmix(name, scene, training=Scene(scene.Y[1:], A=scene.A))
        with pytest.raises(ValueError, match="give the scene lagoon itself"):
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
    for wrong in ({"iterations": 0}, {"tolerance": -1.0}):
        with pytest.raises(ValueError, match="expected iterations >= 1"):
            get("palm").configure(**wrong)


def striped_scene():
    """Stripes of pure materials, wide against the kernel: a decoder need not borrow from neighbours."""
    scene = pure_pixel_scene()
    A = np.kron(np.eye(3), np.ones((1, 8)))[:, None, :].repeat(20, axis=1)  # 3 x 20 x 24
    return Scene(np.einsum("lp,phw->lhw", scene.E, A), scene.E, A)


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


REFINEMENTS = [name for name, method in METHODS.items() if isinstance(method, Refinement)]


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
        ({"kernel": 4}, "odd"),
        ({"epochs": 0}, "at least 1"),
        ({"dropout": 1.0}, "probability"),
        ({"learning_rate": 0.0}, "learning_rate > 0"),
        ({"patches": -1}, "whole image"),
    ],
)
def test_settings_out_of_range_are_refused(setting, message):
    with pytest.raises(ValueError, match=message):
        get("ae-patches").configure(**setting)


def test_every_setting_has_a_source():
    for method in METHODS.values():
        assert all(row["source"] for row in method.describe()), method.name
