"""MiSiCNet: network, loss and gradient, box, average, odd sizes, and the limit without the network."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from toys import pure_pixel_scene

from hsu_lib.learning import checkpoints
from hsu_lib.learning.networks.prior import MinimumSimplexPrior, parameters
from hsu_lib.methods import get
from hsu_lib.methods.factorization.min_simplex import MinSimplexSettings, start
from hsu_lib.methods.method import Problem
from hsu_lib.methods.priors.misicnet import MiSiCNetSettings, Objective
from hsu_lib.scene import Scene, Status
from hsu_lib.scenes.noise import add_noise


def unmix(scene, **given):
    return get("misicnet").unmix(scene, **{"iterations": 4, "filters": 6, "center_weight": 0.1} | given)


# --------------------------------------------------------------------------- network


@pytest.mark.parametrize("leaky", [False, True])
@pytest.mark.parametrize("filters", [1, 3, 64])
def test_the_network_is_the_one_of_the_table(filters, leaky):
    E = torch.rand(12, 3)
    network = MinimumSimplexPrior(E, filters=filters, leaky=leaky)
    # biases before a normalisation change nothing and are left out
    sides = [
        (12 * 9 + 2) * filters,
        (12 + 2) * 4,
        ((filters + 4) * 9 + 2) * filters,
        (filters * 9 + 2) * 3,
        36,
    ]
    assert parameters(network) == sum(sides)
    Z = torch.rand(1, 12, 7, 5)
    got = dict(network.named_parameters())

    def layer(name, x, side, slope=0.1):
        x = F.pad(x, [side // 2] * 4, mode="reflect") if side > 1 else x
        x = F.conv2d(x, got[f"{name}.0.weight"])
        spread, mean = torch.var_mean(x, dim=(0, 2, 3), correction=0, keepdim=True)
        x = (x - mean) / (spread + 1e-5).sqrt()
        x = x * got[f"{name}.1.weight"][:, None, None] + got[f"{name}.1.bias"][:, None, None]
        return x.where(x > 0, slope * x)

    with torch.no_grad():
        both = torch.cat([layer("first", Z, 3), layer("skip", Z, 1)], dim=1)
        expected = layer("last", layer("join", both, 3), 3, 0.1 if leaky else 1.0).softmax(dim=1)
        torch.testing.assert_close(network(Z), expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("filters", [1, 3, 64])
@pytest.mark.parametrize("size", [(7, 5), (5, 7), (1, 5), (5, 1), (1, 1), (2, 2)])
def test_maps_of_any_size_come_back_in_their_size(size, filters):
    scene = pure_pixel_scene(9, 9)
    u = unmix(scene.crop(0, 0, *size), endmembers=min(3, size[0] * size[1]), filters=filters, iterations=2)
    assert u.A.shape[1:] == size
    assert u.status in (Status.FINISHED, Status.DEGENERATE)
    np.testing.assert_allclose(u.A.sum(axis=0), 1, atol=1e-5)


def test_rows_and_columns_are_not_mixed_up():
    # materials change along rows only; so does the answer
    E = pure_pixel_scene(endmembers=2).E.astype(float)
    ramp = np.linspace(0, 1, 7)[:, None].repeat(5, axis=1)
    scene = Scene(np.einsum("lp,phw->lhw", E, np.stack([ramp, 1 - ramp])), E)
    A = unmix(scene, filters=16, iterations=150, window=10, learning_rate=0.01).A
    down, across = (np.abs(np.diff(A, axis=axis)).mean() for axis in (1, 2))
    assert down > 5 * across


# --------------------------------------------------------------------------- objective


@pytest.mark.parametrize("project", [True, False])
def test_the_loss_is_its_definition_with_its_gradient(project):
    scene = pure_pixel_scene(7, 5)
    scene = Scene(add_noise(scene.Y, 20, 0), scene.E)
    begin = start(Problem(scene, 3), MiSiCNetSettings(project=project))
    rng = np.random.default_rng(0)
    E, A = rng.random((12, 3)), rng.dirichlet(np.ones(3), 35).T
    e = torch.tensor(E, dtype=torch.float32, requires_grad=True)
    a = torch.tensor(A.reshape(1, 3, 7, 5), dtype=torch.float32, requires_grad=True)
    loss = Objective(begin, e, (7, 5), 0.3).loss(a)
    loss.backward()
    Y = scene.pixels.astype(float)
    V = np.linalg.svd(Y)[0][:, : 3 if project else 12]
    Y = V @ V.T @ Y
    apart, residual = E - Y.mean(axis=1, keepdims=True), E @ A - Y
    np.testing.assert_allclose(loss.item(), 0.5 * np.sum(residual**2) + 0.3 * np.sum(apart**2), rtol=1e-5)
    for found, expected in ((e.grad, residual @ A.T + 0.6 * apart), (a.grad, E.T @ residual)):
        size = np.abs(expected).max()
        np.testing.assert_allclose(found.numpy().reshape(expected.shape), expected, atol=1e-5 * size)


def test_nothing_cancels_where_the_fit_is_good():
    scene = pure_pixel_scene()
    begin = start(Problem(scene, 3), MiSiCNetSettings())
    E, A = torch.tensor(scene.E.copy()), torch.tensor(scene.A[None].copy())
    assert Objective(begin, E, (7, 5), 0.0).loss(A).item() < 1e-12 * np.sum(scene.Y**2)


@pytest.mark.parametrize("penalty", [0.0, 0.1, 100.0])
def test_one_endmember_is_the_mean_within_the_box(penalty):
    scene = pure_pixel_scene()
    Y = scene.Y.astype(float) - 0.3
    u = unmix(Scene(Y), endmembers=1, center_weight=penalty, filters=1, iterations=120, learning_rate=0.02)
    V = np.linalg.svd(Y.reshape(12, -1))[0][:, :1]
    projected = V @ V.T @ Y.reshape(12, -1)
    mean = projected.mean(axis=1, keepdims=True)
    assert mean.min() < 0
    np.testing.assert_array_equal(u.A, 1)
    np.testing.assert_allclose(u.E, mean.clip(0, 1), atol=2e-3)
    within = mean.clip(0, 1)
    expected = 0.5 * np.sum((projected - within) ** 2) + penalty * np.sum((within - mean) ** 2)
    np.testing.assert_allclose(u.history["loss"][-1], expected, rtol=1e-3)


def test_endmembers_stay_in_the_box_and_start_from_the_brightest_pixel():
    scene = pure_pixel_scene()
    bright = Scene(scene.Y * 3 - 0.8)
    u = unmix(bright, endmembers=3, learning_rate=0.5)
    assert u.E.min() == 0
    assert u.E.max() == 1
    begin = start(Problem(scene, 3), MinSimplexSettings())
    np.testing.assert_allclose(begin.V @ begin.G, scene.pixels, atol=1e-6)  # of rank three
    order = [np.abs(scene.pixels - e[:, None]).max(axis=0).argmin() for e in begin.E.T]
    assert set(order) == {0, 1, 2}
    assert order[0] == np.linalg.norm(scene.pixels, axis=0).argmax()
    scaled = start(Problem(Scene(7 * scene.Y), 3), MinSimplexSettings(normalise="max"))
    assert scaled.scale == pytest.approx(7 * scene.Y.max())
    np.testing.assert_allclose(scaled.E * scaled.scale, 7 * begin.E, rtol=1e-5)


# --------------------------------------------------------------------------- fit


def test_abundances_are_averaged_from_the_first_output_on_and_endmembers_are_the_last():
    scene, window = pure_pixel_scene(), 3
    last = [unmix(scene, iterations=n, window=1) for n in (1, 2, 3)]
    A = np.array([u.A for u in last], dtype=float)
    np.testing.assert_array_equal(unmix(scene, iterations=1).A, last[0].A)
    averaged = unmix(scene, iterations=3, window=window)
    expected = (2 / 3) ** 2 * A[0] + 2 / 9 * A[1] + 1 / 3 * A[2]
    np.testing.assert_allclose(averaged.A, expected, atol=1e-6)
    np.testing.assert_array_equal(averaged.E, last[2].E)


def test_the_history_ends_with_what_comes_out():
    scene = pure_pixel_scene()
    scene = Scene(3 * scene.Y)
    u = unmix(scene, endmembers=3, normalise="max", project=False)
    error = (scene.pixels - u.E @ u.A.reshape(3, -1)) / scene.Y.max()
    np.testing.assert_allclose(u.history["mse-reconstruction-averaged"][-1], np.mean(error**2), rtol=1e-4)
    assert {name: len(curve) for name, curve in u.history.items()} == dict.fromkeys(
        ["loss", "mse-reconstruction", "mse-reconstruction-averaged"], 4
    )


def test_an_interrupted_fit_goes_on_to_the_same_result(tmp_path):
    scene, path = pure_pixel_scene(), tmp_path / "state"
    whole = unmix(scene, iterations=7)
    with checkpoints.keep_in(path, seconds=0) as checkpoint:
        unmix(scene, iterations=5, checkpoint=checkpoint)
        found = unmix(scene, iterations=7, checkpoint=checkpoint)
    np.testing.assert_array_equal(found.A, whole.A)
    np.testing.assert_array_equal(found.E, whole.E)
    np.testing.assert_array_equal(found.history["loss"], whole.history["loss"])


@pytest.mark.parametrize("given", [{"input_scale": 1.0}, {"leaky": True}, {"project": False}, {"skip": 2}])
def test_readings_make_a_difference(given):
    scene = pure_pixel_scene()
    noisy = Scene(add_noise(scene.Y, 20, 0), scene.E)
    assert np.abs(unmix(noisy).A - unmix(noisy, **given).A).max() > 1e-6


@pytest.mark.slow
def test_the_network_comes_to_the_minimum_without_it():
    scene = pure_pixel_scene(10, 10, bands=20)
    noisy = Scene(add_noise(scene.Y, 40, 0), scene.E)
    limit = get("min-simplex").unmix(noisy, center_weight=0.1)
    u = unmix(noisy, filters=16, iterations=2000, learning_rate=0.003)
    assert limit.status is Status.CONVERGED
    assert limit.history["objective"][-1] <= u.history["loss"][-1] < 1.02 * limit.history["objective"][-1]
