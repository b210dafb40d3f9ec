"""SUnCNN: network, objective, sums, odd sizes, and what the published curve says of the first iterations."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scenes_helpers import real
from toys import pure_pixel_scene, striped_scene, toy_library

from hsu_lib import runs
from hsu_lib.learning import checkpoints
from hsu_lib.learning.networks.prior import parameters
from hsu_lib.learning.networks.two_scales import LibraryPrior, upsampled_variance
from hsu_lib.methods import get
from hsu_lib.methods.priors.suncnn import Objective
from hsu_lib.runs import Run
from hsu_lib.scene import Scene, SceneSpec, Status
from hsu_lib.scenes.library import SpectralLibrary
from hsu_lib.scenes.noise import add_noise


def unmix(scene, **given):
    given = {"library": toy_library(scene), "iterations": 4, "filters": 6, "rank": 3} | given
    return get("suncnn").unmix(scene, **given)


def normalised(x, weight=1.0):
    spread, mean = torch.var_mean(x, dim=(0, 2, 3), correction=0, keepdim=True)
    return weight * (x - mean) / (spread + 1e-5).sqrt()


@pytest.mark.parametrize("slope", [0.1, 0.0])
@pytest.mark.parametrize("size", [(8, 6), (4, 10)])
def test_the_network_is_its_layers_one_after_the_other(size, slope):
    network, Z = LibraryPrior(12, 9, filters=5, slope=slope).double(), torch.rand(1, 12, *size).double()
    got = dict(network.named_parameters())
    with torch.no_grad():
        network.scale.copy_(torch.linspace(0.5, 2, 9))

    def layer(name, x, side, stride=1):
        x = F.pad(x, [side // 2] * 4, mode="reflect") if side > 1 else x
        x = normalised(
            F.conv2d(x, got[f"{name}.0.weight"], stride=stride), got[f"{name}.1.weight"][:, None, None]
        )
        x = x + got[f"{name}.1.bias"][:, None, None]
        return x.where(x > 0, slope * x)

    with torch.no_grad():
        deep = layer("down.1", layer("down.0", Z, 3, stride=2), 3)
        deep = F.interpolate(deep, scale_factor=2, mode="bilinear", align_corners=False)
        both = normalised(torch.cat([layer("skip", Z, 1), deep], dim=1), got["scale"][:, None, None])
        both = both + torch.randn(9, 1, 1)  # whatever is added here, the next normalisation takes away
        x = layer("mix", layer("join", both, 3), 1)
        expected = F.conv2d(x, got["last.weight"], got["last.bias"]).softmax(dim=1)
        torch.testing.assert_close(network(Z), expected)


def test_the_variance_of_an_upsampling_is_known_without_it():
    x = torch.rand(2, 3, 5, 4).double()
    expected = F.interpolate(x, scale_factor=2, mode="bilinear").var(dim=(0, 2, 3), correction=0)
    torch.testing.assert_close(upsampled_variance(x), expected)


def test_parameters_are_those_published_but_for_what_normalisations_take_away():
    biases = 4 + 4 * 256 + 260  # of convolutions, and of the normalisation, that another one follows
    assert parameters(LibraryPrior(224, 240)) == 1_836_676 - biases


def test_the_loss_is_its_definition_with_its_gradient():
    rng = np.random.default_rng(0)
    Y, D, A = rng.random((12, 35)), rng.random((12, 6)), rng.dirichlet(np.ones(6), 35).T
    a = torch.tensor(A.reshape(1, 6, 7, 5), requires_grad=True)
    loss = Objective(torch.tensor(Y.reshape(1, 12, 7, 5)), torch.tensor(D), (7, 5)).loss(a)
    loss.backward()
    assert loss.item() == pytest.approx(np.mean((D @ A - Y) ** 2))
    np.testing.assert_allclose(a.grad.numpy().reshape(6, 35), 2 / Y.size * D.T @ (D @ A - Y))


@pytest.mark.parametrize("size", [(7, 5), (5, 7), (1, 5), (1, 1), (2, 2)])
def test_maps_of_any_size_come_back_in_their_size_with_all_spectra(size):
    scene = pure_pixel_scene(9, 9)
    u = unmix(scene.crop(0, 0, *size), library=toy_library(scene), iterations=2)
    assert u.A.shape == (6, *size)
    assert u.active.tolist() == list(range(6))
    np.testing.assert_allclose(u.A.sum(axis=0), 1, atol=1e-5)


def test_rows_and_columns_are_not_mixed_up():
    E = pure_pixel_scene(endmembers=2).E.astype(float)
    ramp = np.linspace(0, 1, 12)[:, None].repeat(10, axis=1)  # materials change along rows only
    scene = Scene(np.einsum("lp,phw->lhw", E, np.stack([ramp, 1 - ramp])), E)
    A = unmix(scene, filters=16, iterations=150, window=10, learning_rate=0.01, rank=2).A
    down, across = (np.abs(np.diff(A, axis=axis)).mean() for axis in (1, 2))
    assert down > 5 * across


def test_with_the_right_spectra_the_loss_falls_below_the_noise():
    scene = striped_scene()
    noisy = Scene(add_noise(scene.Y, 20, 0), scene.E, scene.A)
    library = SpectralLibrary(scene.E.astype(float), np.arange(3), ("a", "b", "c"))
    u = unmix(noisy, library=library, filters=16, iterations=300, learning_rate=0.01, window=20)
    noise = np.mean((noisy.Y - scene.Y) ** 2)
    assert u.status is Status.FINISHED
    assert u.history["loss"][-1] < noise
    assert np.sqrt(np.mean((u.A - scene.A) ** 2)) < 0.1


def test_the_image_is_projected_and_cut_off_before_anything_else():
    scene = pure_pixel_scene()
    noisy = add_noise(scene.Y, 20, 0)
    U = np.linalg.svd(noisy.reshape(12, -1).astype(float))[0][:, :3]
    projected = (U @ U.T @ noisy.reshape(12, -1)).clip(0, 1).reshape(noisy.shape)
    ours = unmix(Scene(2.5 * noisy - 0.5, scene.E), rank=0)
    cut = unmix(Scene((2.5 * noisy - 0.5).clip(0, 1), scene.E), rank=0)
    np.testing.assert_array_equal(ours.A, cut.A)
    one, other = unmix(Scene(noisy, scene.E)), unmix(Scene(projected, scene.E), rank=0)
    np.testing.assert_allclose(one.A, other.A, atol=1e-4)


def test_outputs_are_averaged_from_the_first_on():
    scene = pure_pixel_scene()
    A = np.array([unmix(scene, iterations=n, window=1).A for n in (1, 2, 3)], dtype=float)
    expected = (2 / 3) ** 2 * A[0] + 2 / 9 * A[1] + 1 / 3 * A[2]
    np.testing.assert_allclose(unmix(scene, iterations=3, window=3).A, expected, atol=1e-6)


def test_the_history_tells_how_many_spectra_are_left():
    u = unmix(pure_pixel_scene(), iterations=60, filters=16, learning_rate=0.03, window=10)
    assert set(u.history) == {"loss", "active-spectra", "active-spectra-averaged"}
    assert u.history["active-spectra"][0] == 6
    assert u.history["active-spectra-averaged"][-1] == (u.A.mean(axis=(1, 2)) > 1e-3).sum()


def test_an_interrupted_fit_goes_on_to_the_same_result(tmp_path):
    scene = pure_pixel_scene()
    whole = unmix(scene, iterations=7)
    with checkpoints.keep_in(tmp_path / "state", seconds=0) as checkpoint:
        unmix(scene, iterations=5, checkpoint=checkpoint)
        found = unmix(scene, iterations=7, checkpoint=checkpoint)
    np.testing.assert_array_equal(found.A, whole.A)
    np.testing.assert_array_equal(found.history["loss"], whole.history["loss"])


@pytest.mark.parametrize("given", [{"input": "noise"}, {"slope": 0.0}, {"rank": 2}, {"skip": 2}])
def test_readings_make_a_difference(given):
    scene = pure_pixel_scene()
    noisy = Scene(add_noise(scene.Y, 20, 0), scene.E)
    assert np.abs(unmix(noisy).A - unmix(noisy, **given).A).max() > 1e-6


@pytest.mark.real_data
@pytest.mark.slow
def test_the_first_iterations_on_dc1_are_those_of_the_public_network():
    real("dc1")
    how = {"iterations": 100, "window": 1}
    record = runs.execute(Run("suncnn", SceneSpec("dc1", snr_db=20), settings=how))
    assert record.scores["sre-abundances-plain"] == pytest.approx(0.871, abs=0.3)
    assert record.arrays["history/loss"][-1] == pytest.approx(7.46e-4, rel=0.1)
