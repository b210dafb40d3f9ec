"""The untied denoising autoencoder: its denoiser, its bounded least squares, the encoder's gradient."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import scipy.optimize
import torch
from scenes_helpers import real
from toys import pure_pixel_scene

from hsu_lib import metrics
from hsu_lib.methods import get
from hsu_lib.methods.autoencoders import udas
from hsu_lib.methods.autoencoders.udas import EncoderCost, whitened_vca
from hsu_lib.scene import Scene, Status
from hsu_lib.solvers.bounded import bounded_least_squares
from hsu_lib.solvers.denoising import marginalised_denoiser

# --------------------------------------------------------------------------- the denoiser


def orthogonal_image(energies, pixels=30):
    """Bands that are orthogonal around their means, with these sums of squares; and the means."""
    rng = np.random.default_rng(0)
    centred = rng.standard_normal((pixels, len(energies)))
    basis = np.linalg.qr(centred - centred.mean(axis=0))[0].T
    mean = rng.random((len(energies), 1))
    return mean + np.sqrt(energies)[:, None] * basis, mean


def test_without_corruption_and_ridge_nothing_is_taken_away():
    Y = np.random.default_rng(1).random((5, 20))
    found = marginalised_denoiser(Y, corruption=0.0, ridge=0.0, passes=1)
    np.testing.assert_allclose(found.M, np.eye(5, 6), atol=1e-10)
    np.testing.assert_allclose(found.Y, Y, atol=1e-10)


@pytest.mark.parametrize("passes", [1, 12])
def test_a_direction_keeps_its_energy_over_itself_and_the_ridge(passes):
    energies = np.array([0.3, 2.0, 50.0])
    Y, mean = orthogonal_image(energies)
    kept, left = np.ones(3), energies.copy()
    for _ in range(passes):
        share = left / (left + 1)
        kept, left = kept * share, left * share**2
    found = marginalised_denoiser(Y, corruption=0.0, passes=passes)
    np.testing.assert_allclose(found.Y, mean + kept[:, None] * (Y - mean), atol=1e-10)


def test_the_map_is_the_best_in_expectation_over_what_is_dropped():
    Y, chance, ridge = np.random.default_rng(2).random((3, 11)), 0.3, 0.5
    S, P = np.zeros((4, 4)), np.zeros((3, 4))
    for mask in product([0, 1], repeat=3):
        weight = np.prod(np.where(mask, 1 - chance, chance))
        seen = np.vstack([np.array(mask)[:, None] * Y, np.ones(11)])
        S, P = S + weight * seen @ seen.T, P + weight * Y @ seen.T
    M = P @ np.linalg.inv(S + ridge * np.diag([1, 1, 1, 0]))
    found = marginalised_denoiser(Y, corruption=chance, ridge=ridge, passes=1)
    np.testing.assert_allclose(found.M, M, atol=1e-12)
    np.testing.assert_allclose(found.Y, (1 - chance) * M @ np.vstack([Y, np.ones(11)]), atol=1e-12)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"Y": np.ones(3)}, "as a matrix"),
        ({"Y": np.full((3, 4), np.inf)}, "finite"),
        ({"corruption": 1.0}, "below 1"),
        ({"ridge": -1.0}, "at least 0"),
        ({"passes": 0}, "one pass"),
    ],
)
def test_what_cannot_be_denoised_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        marginalised_denoiser(**{"Y": np.ones((3, 4))} | given)


# --------------------------------------------------------------------------- bounded least squares


def best_of_all_sets(M, y, low, high):
    """Two unknowns: the best of all points where each is at a bound or free."""
    best = None
    for fixed in product([low, high, None], repeat=2):
        x = np.array([0.0 if bound is None else bound for bound in fixed])
        free = [k for k, bound in enumerate(fixed) if bound is None]
        if free:
            x[free] = np.linalg.lstsq(M[:, free], y - M @ x, rcond=None)[0]
        if x.min() >= low and x.max() <= high:
            error = np.sum((y - M @ x) ** 2)
            best = min(best, (error, tuple(x))) if best else (error, tuple(x))
    return np.array(best[1])


def test_two_unknowns_between_bounds_are_those_of_brute_force():
    rng = np.random.default_rng(3)
    M = rng.random((7, 2))
    Y = M @ rng.uniform(-0.5, 1.5, (2, 60)) + 0.1 * rng.standard_normal((7, 60))
    found = bounded_least_squares(M.T @ M, M.T @ Y, high=1.0)
    expected = np.column_stack([best_of_all_sets(M, y, 0.0, 1.0) for y in Y.T])
    np.testing.assert_allclose(found, expected, atol=1e-7)
    assert {tuple(np.sign(x) + (x == 1)) for x in expected.T} >= {(0, 0), (0, 1), (1, 1), (2, 1), (2, 2)}


@pytest.mark.parametrize("condition", [1.0, 1e3])
@pytest.mark.parametrize("high", [1.0, np.inf])
def test_five_unknowns_are_those_of_scipy(high, condition):
    rng = np.random.default_rng(4)
    M = np.linalg.qr(rng.standard_normal((20, 5)))[0] * np.geomspace(1, 1 / condition, 5)
    M = M @ np.linalg.qr(rng.standard_normal((5, 5)))[0]
    Y = M @ rng.uniform(-0.5, 1.5, (5, 10))
    found = bounded_least_squares(M.T @ M, M.T @ Y, high=high)
    for x, y in zip(found.T, Y.T, strict=True):
        expected = scipy.optimize.lsq_linear(M, y, (0, high), method="bvls", tol=1e-14).x
        np.testing.assert_allclose(x, expected, atol=1e-5)


def test_what_nothing_depends_on_stays_at_its_lower_bound():
    found = bounded_least_squares([[2.0, 0.0], [0.0, 0.0]], [[1.0, -1.0, 9.0], [0.0, 0.0, 0.0]], high=2.0)
    np.testing.assert_allclose(found, [[0.5, 0, 2], [0, 0, 0]], atol=1e-9)
    with pytest.raises(ValueError, match="unknowns"):
        bounded_least_squares(np.eye(2), np.ones((3, 1)))
    with pytest.raises(ValueError, match="in order"):
        bounded_least_squares(np.eye(2), np.ones((2, 1)), low=1.0, high=0.0)


# --------------------------------------------------------------------------- the encoder


def encoder_cost(sparsity=0.7):
    rng = np.random.default_rng(5)
    X, V, E = rng.random((6, 15)), rng.random((6, 15)), rng.random((6, 3))
    cost = EncoderCost(X, 20.0, sparsity)
    cost.decoder(E, V)
    return cost, X, V, E, rng.standard_normal((3, 6))


def test_the_gradient_of_the_encoders_cost_is_that_of_autograd():
    cost, *arrays = encoder_cost()
    X, V, E, W = (torch.tensor(array) for array in arrays)
    W.requires_grad_()
    ones = torch.ones(1, 15, dtype=torch.float64)
    H = (W @ X).clamp_min(0)
    apart = torch.cat([V, 20 * ones]) - torch.cat([E, 20 * ones[:, :3]]) @ H
    direct = apart.square().sum() / 30 + 0.7 / 2 * W.norm(dim=1).sum()
    value, gradient = cost(arrays[-1].ravel())
    assert (H == 0).any()
    assert value == pytest.approx(direct.item(), rel=1e-12)
    np.testing.assert_allclose(gradient.reshape(3, 6), torch.autograd.grad(direct, W)[0], rtol=1e-9)


def test_a_row_of_zeros_has_the_subgradient_zero():
    cost, *_, W = encoder_cost()
    plain = encoder_cost(sparsity=0.0)[0]
    W[1] = 0
    value, gradient = cost(W.ravel())
    assert np.isfinite(value)
    # what its own norm adds is nothing, what those of the others add is a vector of length sparsity / 2
    added = (gradient - plain(W.ravel())[1]).reshape(3, 6)
    np.testing.assert_allclose(np.linalg.norm(added, axis=1), [0.35, 0, 0.35], atol=1e-12)


# --------------------------------------------------------------------------- the method


@pytest.mark.parametrize("draws", ["normal", "uniform"])
def test_whitened_vca_finds_the_pure_pixels(draws):
    scene = pure_pixel_scene(height=9, width=11)
    assert set(whitened_vca(scene.pixels.astype(float), 3, seed=0, draws=draws)) == {0, 1, 2}


def test_abundances_are_divided_by_their_sums_and_uniform_where_there_are_none():
    scene = pure_pixel_scene()
    Y = scene.Y.copy()
    Y[:, 2, 3] = 0
    u = get("udas").unmix(Scene(Y), endmembers=3, passes=1)
    np.testing.assert_allclose(u.A[:, 2, 3], 1 / 3)
    assert u.history["empty"] == pytest.approx(1 / 35)
    assert u.history["sums"].reshape(7, 5)[2, 3] == 0
    u = get("udas").unmix(scene, endmembers=3, passes=1)
    assert u.history["empty"] == 0
    np.testing.assert_allclose(u.history["sums"], 1, atol=0.1)
    assert 0 <= u.E.min() <= u.E.max() <= scene.Y.max()


def test_an_endmember_that_no_pixel_has_is_told(monkeypatch):
    whole = udas.first_encoder

    def with_a_dead_row(*given):
        W = whole(*given)
        W[1] = -1
        return W

    monkeypatch.setattr(udas, "first_encoder", with_a_dead_row)
    u = get("udas").unmix(pure_pixel_scene(), endmembers=3)
    assert u.status is Status.DEGENERATE
    assert np.isfinite(u.A).all()
    np.testing.assert_array_equal(u.E[:, 1], 0)
    np.testing.assert_array_equal(u.A[1], 0)


def test_the_encoders_loss_falls():
    scene = pure_pixel_scene(height=20, width=15)
    noisy = scene.Y + 0.02 * np.random.default_rng(6).standard_normal(scene.Y.shape)
    loss = get("udas").unmix(Scene(noisy), endmembers=3).history["loss"]
    assert len(loss) == 10
    assert loss[-1] < loss[0]


@pytest.mark.real_data
def test_samson_is_unmixed_as_by_the_public_code():
    # its abundances do not sum to one: 17.8, 13.1 and 22.1 percent by material, 18.05 together
    scene = real("samson", "misicnet")
    u = get("udas").unmix(scene)
    assert scene.A is not None
    raw = replace(u, A=u.A * u.history["sums"].reshape(scene.A.shape[1:]))
    for found, expected in ((raw, 18.05), (u, 18.05 - 0.7)):  # what the division is worth
        scores, _ = metrics.score(found, scene)
        assert 100 * scores["rmse-abundances"] == pytest.approx(expected, abs=0.5)
    scores, _ = metrics.score(raw, scene)
    errors = [100 * scores[f"rmse-abundances/{name}"] for name in scene.materials]
    np.testing.assert_allclose(errors, [17.8, 13.1, 22.1], atol=1)
