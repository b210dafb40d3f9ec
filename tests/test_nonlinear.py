"""Bilinear and intimate mixtures: models, inverses, and least squares against a general solver."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scenes_helpers import real
from scipy.optimize import minimize
from toys import pure_pixel_scene

from hsu_lib import metrics, scenes
from hsu_lib.learning.networks.prior import parameters
from hsu_lib.learning.networks.two_scales import IntimatePrior
from hsu_lib.methods import get
from hsu_lib.methods.nonlinear.hapke_cnn import Objective
from hsu_lib.scene import Status
from hsu_lib.scenes.generated import nonlinear
from hsu_lib.scenes.generated.minerals import bilinear
from hsu_lib.scenes.noise import add_noise
from hsu_lib.solvers.bilinear import fan
from hsu_lib.solvers.fclsu import fclsu
from hsu_lib.solvers.hapke import albedo, reflectance
from hsu_lib.solvers.subspace import svd_truncation

# --------------------------------------------------------------------------- bilinear


def bilinear_scene(**size):
    scene = pure_pixel_scene(**size)
    return replace(scene, Y=bilinear(scene.E, scene.A))


def test_without_noise_the_abundances_of_the_bilinear_model_are_found():
    scene = bilinear_scene(endmembers=4, bands=20)
    found = fan(scene.pixels, scene.E, tolerance=1e-9)
    assert found.converged.all()
    np.testing.assert_allclose(found.A, scene.A.reshape(4, -1), atol=1e-5)  # Y is in single precision
    assert np.abs(fclsu(scene.pixels, scene.E) - scene.A.reshape(4, -1)).max() > 0.03


def test_least_squares_of_the_bilinear_model_are_those_of_a_general_solver():
    scene = bilinear_scene(height=3, width=4, bands=10)
    Y = add_noise(scene.pixels, 15, 0).astype(float)
    E = scene.E.astype(float)
    found = fan(Y, E, tolerance=1e-10)
    assert found.converged.all()
    np.testing.assert_allclose(found.A.sum(axis=0), 1, atol=1e-12)
    assert found.A.min() >= 0
    for y, a, first in zip(Y.T, found.A.T, fclsu(Y, E).T, strict=True):

        def half(x, y=y):
            return 0.5 * ((y - bilinear(E, x[:, None, None])[:, 0, 0]) ** 2).sum()

        other = minimize(
            half,
            first,
            bounds=[(0, 1)] * 3,
            constraints={"type": "eq", "fun": lambda x: x.sum() - 1},
            options={"ftol": 1e-15, "maxiter": 500},
        )
        assert half(a) <= other.fun + 1e-10
        np.testing.assert_allclose(a, other.x, atol=1e-4)


def test_least_squares_of_the_bilinear_model_fulfil_their_conditions():
    scene = bilinear_scene(endmembers=5, bands=30)
    Y, E = add_noise(scene.pixels, 20, 0).astype(float), scene.E.astype(float)
    found = fan(Y, E)
    assert found.converged.all()
    for a, y in zip(found.A.T, Y.T, strict=True):
        single = (E @ a)[:, None]
        slope = (E * (1 + single - E * a)).T @ (bilinear(E, a[:, None, None])[:, 0, 0] - y)
        # the slope is the same in all that are used, and not less in the others
        assert np.abs(np.minimum(a, slope - a @ slope)).max() < 1e-8


def test_of_materials_that_share_no_band_the_bilinear_model_is_linear():
    E = np.kron(np.eye(3), [[0.5], [0.9]])
    Y = np.random.default_rng(0).random((6, 40))
    np.testing.assert_allclose(fan(Y, E, tolerance=1e-10).A, fclsu(Y, E), atol=1e-8)


def test_a_limit_of_iterations_is_told_pixel_by_pixel():
    scene = bilinear_scene()
    found = fan(scene.pixels, scene.E, iterations=1)
    assert not found.converged.all()
    assert found.converged[:3].all()  # pure ones are there from the start
    assert get("fan").unmix(scene, iterations=1).status is Status.STOPPED


def test_the_method_makes_spectra_of_abundances_by_its_model():
    scene = bilinear_scene(bands=20)
    found = get("fan").unmix(scene, endmembers_from="scene")
    assert found.ordered
    np.testing.assert_allclose(found.A, scene.A, atol=1e-3)
    np.testing.assert_allclose(found.decoder(found.A.reshape(3, -1)), scene.pixels, atol=1e-4)
    with pytest.raises(ValueError, match="endmembers_from: toy has no 2 reference endmembers; take 'vca'"):
        get("fan").unmix(scene, endmembers=2, endmembers_from="scene")


# --------------------------------------------------------------------------- intimate


def test_reflectance_and_albedo_are_inverses():
    r = np.linspace(0, 1, 1001)
    np.testing.assert_allclose(reflectance(albedo(r)), r, atol=1e-14)
    np.testing.assert_allclose(albedo(np.array([0, 0.1, 0.5, 1])), [0, 0.549015, 0.962475, 1], atol=5e-7)
    for mu, mu0 in ((1.0, 0.4), (0.6, 0.8)):
        np.testing.assert_allclose(reflectance(albedo(r, mu=mu, mu0=mu0), mu=mu, mu0=mu0), r, atol=1e-14)


def test_reflectance_rises_and_is_convex():
    r = reflectance(np.linspace(0, 1, 1001))
    assert (np.diff(r) > 0).all()
    assert (np.diff(r, 2) > 0).all()


def test_tensors_have_the_same_reflectance_and_a_gradient():
    w = torch.linspace(0.05, 0.95, 7, dtype=torch.float64, requires_grad=True)
    np.testing.assert_allclose(reflectance(w).detach(), reflectance(w.detach().numpy()), rtol=1e-15)
    assert torch.autograd.gradcheck(reflectance, w)
    assert torch.autograd.gradcheck(albedo, w)


def intimate(scene):
    """Twin of a scene whose grains are mixed, not its areas."""
    E = scene.E.astype(float)
    return nonlinear.intimate(E, scene.A.astype(float)).reshape(scene.bands, -1), E


def error(A, scene):
    return 100 * np.sqrt(np.mean((A - scene.A.reshape(A.shape)) ** 2))


def test_intimate_mixtures_are_linear_in_albedo_and_not_in_reflectance():
    scene = pure_pixel_scene(bands=20)
    Y, E = intimate(scene)
    assert error(fclsu(albedo(Y), albedo(E)), scene) < 1e-3
    assert error(fclsu(Y, E), scene) > 3


def objective(seed=0):
    """That of HapkeCNN in double precision, on random endmembers and maps."""
    rng = np.random.default_rng(seed)
    Y, E = (torch.tensor(rng.uniform(0.1, 0.9, shape)) for shape in ((1, 6, 3, 4), (6, 3)))
    A = torch.softmax(torch.tensor(rng.standard_normal((1, 3, 3, 4))), dim=1)
    settings = get("hapke-cnn").configure(linear_weight=0.3, volume_weight=0.7)
    return Objective(Y, E.requires_grad_(), (3, 4), settings), A.requires_grad_()


def test_the_objective_of_hapke_cnn_is_that_of_its_terms():
    of, A = objective()
    E, Y, a = of.E.detach().numpy(), of.Y.numpy(), A.detach().numpy().reshape(3, -1)
    w = albedo(E)
    expected = 0.5 * ((reflectance(w @ a) - Y) ** 2).sum() + 0.15 * ((E @ a - Y) ** 2).sum()
    expected += 0.7 * ((w @ (np.eye(3) - 1 / 3)) ** 2).sum()
    assert of.loss(A).item() == pytest.approx(expected, rel=1e-12)


def test_the_gradient_of_hapke_cnn_is_that_of_finite_differences_and_finite_at_white():
    of, A = objective()

    def loss(E, A):
        of.E = E
        return of.loss(A)

    assert torch.autograd.gradcheck(loss, (of.E, A))
    of.E = torch.ones(6, 3, dtype=torch.float64, requires_grad=True)
    of.loss(A).backward()
    assert torch.isfinite(of.E.grad).all()
    assert torch.isfinite(A.grad).all()


@pytest.mark.parametrize("size", [(8, 6), (20, 4)])
def test_the_network_of_hapke_cnn_keeps_the_size_and_sums_to_one(size):
    network = IntimatePrior(torch.rand(7, 3), filters=5)
    A = network(torch.rand(1, 7, *size))
    assert A.shape == (1, 3, *size)
    torch.testing.assert_close(A.sum(dim=1), torch.ones(1, *size))
    # convolutions: two down, one beside, two up; then normalisations and endmembers
    count = 7 * 5 * 9 + 5 * 5 * 9 + 7 * 4 + 9 * 5 * 9 + 5 * 3 + 3 + 2 * (5 + 5 + 4 + 9 + 5) + 21
    assert parameters(network) == count


def test_hapke_cnn_approaches_an_intimate_mixture():
    scene = pure_pixel_scene(8, 6)
    Y, _ = intimate(scene)
    mixed = replace(scene, Y=Y.reshape(scene.Y.shape))
    found = get("hapke-cnn").unmix(mixed, iterations=150, filters=12, learning_rate=0.01, window=5)
    curve = found.history["mse-reconstruction"]
    assert curve[-1] < 0.2 * curve[0]
    model = found.decoder(found.A.reshape(3, -1))
    fitted = svd_truncation(mixed.pixels, 3)
    assert np.mean((model - fitted) ** 2) == pytest.approx(
        found.history["mse-reconstruction-averaged"][-1], rel=1e-4
    )
    assert 0 <= found.E.min() <= found.E.max() <= 1


@pytest.mark.real_data
def test_the_intimate_twin_of_sim1():
    scene = real("sim1")
    Y, E = intimate(scene)
    assert error(fclsu(albedo(Y), albedo(E)), scene) < 1e-4
    assert error(fclsu(Y, E), scene) == pytest.approx(14.137, abs=0.001)
    for snr_db, expected in ((20, (13.98, 6.19)), (30, (14.10, 2.06)), (40, (14.14, 0.65))):
        noisy = add_noise(Y.astype(np.float32), snr_db, 0).astype(float)
        found = error(fclsu(noisy, E), scene), error(fclsu(albedo(noisy.clip(0, 1)), albedo(E)), scene)
        np.testing.assert_allclose(found, expected, atol=0.006)


@pytest.mark.real_data
def test_bilinear_mixtures_need_the_bilinear_model():
    scene = real("ontech-syn-bilinear").crop(0, 0, 40, 40)
    found = {
        name: metrics.score(get(name).unmix(scene, **settings), scene)[0]["rmse-abundances"]
        for name, settings in (("fclsu", {}), ("fan", {"endmembers_from": "scene"}))
    }
    assert found["fan"] < 0.01 < found["fclsu"]


@pytest.mark.parametrize("law", ["bilinear", "intimate"])
def test_the_twins_of_the_lagoon_are_mixed_by_their_law(law):
    scene, clean = scenes.load(f"lagoon-{law}"), scenes.lagoon(snr_db=np.inf, variability=0)
    np.testing.assert_array_equal(scene.A, clean.A)
    np.testing.assert_array_equal(scene.E, clean.E)
    if law == "bilinear":
        found = fan(scene.pixels, scene.E).A
    else:
        found = fclsu(albedo(scene.pixels.astype(float)), albedo(scene.E.astype(float)))
    assert error(found, scene) < 0.01
    assert error(fclsu(scene.pixels, scene.E), scene) > 0.5
    pure = scene.A.max(axis=0) == 1
    np.testing.assert_allclose(scene.Y[:, pure], clean.Y[:, pure], atol=1e-6)


@pytest.mark.real_data
def test_the_intimate_twin_of_sim1_is_a_scene():
    twin, scene = real("sim1-intimate"), real("sim1")
    np.testing.assert_array_equal(twin.pixels, intimate(scene)[0].astype(np.float32))
