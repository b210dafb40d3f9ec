"""The endmember VAE: its loss, repeated VCA, what it generates, and both readings of its abundances."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.distributions import Normal, kl_divergence
from toys import pure_pixel_scene

from hsu_lib.learning.networks.vae import EndmemberVAE, kl_to_standard_normal, vae_loss
from hsu_lib.methods import get
from hsu_lib.methods.autoencoders import vae
from hsu_lib.methods.autoencoders.vae import (
    VAESettings,
    abundances,
    generate_endmembers,
    pairwise_cosine,
    repeated_vca,
    residual,
    unit,
)
from hsu_lib.metrics.alignment import align, spectral_angle
from hsu_lib.scenes.noise import add_noise
from hsu_lib.solvers.fclsu import fclsu

QUICK = {"images": 7, "repeats": 6, "hidden": 8, "vae_epochs": 3, "batch": 3}


def noisy_pixels():
    """Noise makes VCA's runs differ."""
    return add_noise(pure_pixel_scene(19, 23).pixels, 5, 0).astype(np.float64)


def test_the_divergence_is_torchs():
    generator = torch.Generator().manual_seed(0)
    mean, log_variance = torch.randn(2, 5, 3, generator=generator, dtype=torch.float64)
    there = Normal(mean, torch.exp(0.5 * log_variance))
    torch.testing.assert_close(
        kl_to_standard_normal(mean, log_variance), kl_divergence(there, Normal(0.0, 1.0)).sum()
    )
    assert kl_to_standard_normal(torch.zeros(5, 3), torch.zeros(5, 3)) == 0


def test_the_loss_is_squared_error_plus_divergence_summed_over_the_batch():
    network = EndmemberVAE(12, hidden=5, latent=2)
    x = torch.rand(4, 12)
    with torch.random.fork_rng():
        torch.manual_seed(3)
        x_hat, mean, log_variance = network(x)
    with torch.random.fork_rng():
        torch.manual_seed(3)
        loss = vae_loss(network, x)
    expected = sum(((x_hat[k] - x[k]) ** 2).sum() for k in range(4))
    torch.testing.assert_close(loss, expected + kl_to_standard_normal(mean, log_variance))
    assert mean.shape == log_variance.shape == (4, 2)
    assert x_hat.min() > 0
    assert x_hat.max() < 1


def test_the_latent_numbers_are_drawn_with_the_encoders_mean_and_deviation():
    network = EndmemberVAE(12, hidden=5, latent=2)
    network.decoder = torch.nn.Identity()
    x = torch.rand(1, 12)
    with torch.no_grad():
        z, mean, log_variance = network(x.expand(20_000, 12))
    deviation = torch.exp(0.5 * log_variance[0])
    torch.testing.assert_close(z.mean(dim=0), mean[0], atol=0.05, rtol=0)
    torch.testing.assert_close(z.std(dim=0), deviation, rtol=0.05, atol=0)


def test_repeated_runs_are_brought_into_the_order_of_the_first():
    Y = noisy_pixels()
    as_found, ordered = (repeated_vca(Y, 3, repeats=20, seed=0, ordered=o) for o in (False, True))
    assert as_found.shape == ordered.shape == (20, 12, 3)
    np.testing.assert_array_equal(as_found[0], ordered[0])

    def in_order(runs):
        return [list(align(E, runs[0])) == [0, 1, 2] for E in runs]

    assert all(in_order(ordered))
    assert not all(in_order(as_found))
    for E, other in zip(as_found, ordered, strict=True):  # the same spectra, only in another order
        np.testing.assert_array_equal(np.sort(E, axis=1), np.sort(other, axis=1))


def test_repeated_runs_follow_the_seed():
    Y = noisy_pixels()
    one, two, other = (repeated_vca(Y, 3, repeats=5, seed=s, ordered=True) for s in (0, 0, 1))
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, other)
    assert len({E.tobytes() for E in one}) > 1


@pytest.mark.parametrize("axis", [0, 1])
def test_unit_vectors_and_zeros_that_stay(axis):
    X = np.random.default_rng(0).normal(size=(5, 4))
    np.moveaxis(X, axis, 0)[:, 2] = 0
    found = unit(X, axis=axis)
    norms = np.linalg.norm(X, axis=axis)
    np.testing.assert_allclose(np.linalg.norm(found, axis=axis), norms > 0)
    np.testing.assert_allclose(found * np.expand_dims(norms, axis), X)


@pytest.mark.parametrize("reading", ["document", "code"])
@pytest.mark.parametrize("normalise", ["endmembers", "both", "none"])
def test_made_endmembers_are_spectra_of_the_norm_asked_for(normalise, reading):
    Y = noisy_pixels()
    settings = VAESettings(**QUICK, normalise=normalise, reading=reading)
    found = generate_endmembers(Y, 3, settings, seed=0)
    assert found.made.shape == (7, 12, 3)
    assert found.repeated.shape == (6, 12, 3)
    assert found.latent.shape == (6, 2)
    assert found.loss.shape == (3,)
    assert found.made.min() > 0  # after the sigmoid
    assert found.made.max() < 1
    for E in (found.made, found.repeated):
        norms = np.linalg.norm(E, axis=1)
        assert np.allclose(norms, 1, atol=1e-5) is (normalise != "none")
    assert len({E.tobytes() for E in found.made}) == 7
    again = generate_endmembers(Y, 3, settings, seed=0)
    np.testing.assert_array_equal(found.made, again.made)


def test_the_code_draws_farther_from_the_mean():
    # without training both readings have the same network, up to the order of VCA's spectra
    Y = pure_pixel_scene(9, 11).pixels.astype(np.float64)
    quiet = QUICK | {"images": 200, "vae_epochs": 1, "vae_rate": 1e-12, "normalise": "none"}
    spread = [
        generate_endmembers(Y, 3, VAESettings(**quiet, reading=r), seed=0).made.std(axis=0).mean()
        for r in ("document", "code")
    ]
    assert spread[1] > 2 * spread[0]


def test_the_vae_learns_the_endmembers_of_a_simple_scene():
    scene = pure_pixel_scene(9, 11)
    found = generate_endmembers(
        scene.pixels.astype(np.float64), 3, VAESettings(images=20, repeats=20), seed=0
    )
    order = align(found.repeated[0], scene.E)
    angles = np.rad2deg([spectral_angle(E[:, order], scene.E) for E in found.made])
    assert angles.max() < 5
    assert found.loss[-1] < found.loss[0]


def test_the_document_gives_fcls_the_spectra():
    scene = pure_pixel_scene(9, 11)
    Y, E = scene.pixels.astype(np.float64), scene.E.astype(np.float64)
    np.testing.assert_array_equal(abundances(Y, E, VAESettings()), fclsu(Y, E))
    np.testing.assert_allclose(abundances(Y, E, VAESettings()), scene.A.reshape(3, -1), atol=1e-4)


def test_the_code_gives_fcls_what_are_no_spectra():
    scene = pure_pixel_scene(9, 11)
    Y, E = scene.pixels.astype(np.float64), scene.E.astype(np.float64)
    found = abundances(Y, E, VAESettings(reading="code"))
    mixed = np.array([E.ravel()[12 * k : 12 * (k + 1)] for k in range(3)]).T  # values in memory order
    np.testing.assert_array_equal(found, fclsu(Y, mixed))
    assert np.abs(found - scene.A.reshape(3, -1)).max() > 0.1


@pytest.mark.parametrize("normalise", ["both", "endmembers", "none"])
def test_pixels_are_normalised_for_fcls_only_if_both_are(monkeypatch, normalise):
    given = []

    def spy(Y, E, settings):
        given.append(Y)
        return abundances(Y, E, settings)

    monkeypatch.setattr(vae, "abundances", spy)
    small = QUICK | {"patches": 2, "patch_size": 4, "epochs": 1, "filters": 4, "kernel": 3}
    get("vae-augmentation").unmix(pure_pixel_scene(), seed=0, normalise=normalise, **small)
    assert len(given) == QUICK["images"]
    assert all(np.allclose(np.linalg.norm(Y, axis=0), 1) is (normalise == "both") for Y in given)


def test_cosines_of_every_two_estimates():
    E = np.zeros((3, 2, 2))
    E[0], E[1], E[2] = np.eye(2), 3 * np.eye(2), [[1, 1], [0, 1]]
    # the second has the directions of the first; the third has one of them, and one at 45 degrees
    np.testing.assert_allclose(pairwise_cosine(E), [1, (1 + np.sqrt(0.5)) / 2, (1 + np.sqrt(0.5)) / 2])


def test_residual_is_the_share_of_the_image_that_is_not_explained():
    E, A = np.eye(3)[:, :2], np.array([[1.0, 0.5], [0.0, 0.5]])
    Y = E @ A + np.array([[0, 0], [0, 0], [1, 0]])
    found = residual(Y, np.stack([E, 0 * E]), np.stack([A, A]))
    np.testing.assert_allclose(found, [1 / np.sqrt(2.5), 1])


def test_the_record_keeps_what_the_training_data_was_like():
    scene = pure_pixel_scene()
    small = QUICK | {"patches": 2, "patch_size": 4, "epochs": 2, "filters": 4, "kernel": 3}
    history = get("vae-augmentation").unmix(scene, seed=0, **small).history
    shapes = {name: curve.shape for name, curve in history.items()}
    expected = {"loss": (2,), "vca-cosine": (15,), "vae-loss": (3,), "latent": (6, 2), "residual": (7,)}
    assert shapes == expected
    np.testing.assert_allclose(history["vca-cosine"], 1, atol=1e-6)  # without noise all runs agree
