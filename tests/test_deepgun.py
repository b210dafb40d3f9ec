"""DeepGUn: generators of spectra, the codes of pixels, and known limits."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch
from rivals_fixture import fixture
from scenes_helpers import real
from scipy.optimize import minimize
from toys import pure_pixel_scene

from hsu_lib import metrics
from hsu_lib.learning.fit import seeded
from hsu_lib.learning.networks.generator import SpectrumVAE
from hsu_lib.methods import get
from hsu_lib.methods.variability.deepgun import GeneratorSettings, generators, made_by, nearest_codes
from hsu_lib.solvers.extraction import vca
from hsu_lib.solvers.fclsu import fclsu
from hsu_lib.solvers.variability import sclsu

F = fixture()
Y, A = torch.from_numpy(F.Y), torch.from_numpy(F.A)


@cache
def trained(epochs=60):
    """Generators of the fixture's endmembers, of the ten pixels nearest to each."""
    settings = GeneratorSettings(pixels=10, epochs=epochs, learning_rate=0.01, batch=5)
    spectra = (torch.from_numpy(X.T.copy()).float() for X in (F.Y.clip(0, 1), F.E0.clip(0, 1)))
    return generators(*spectra, settings, 0)


def test_sizes_are_those_of_the_public_code():
    net = SpectrumVAE(156, 2)
    sizes = [tuple(p.shape) for p in net.parameters() if p.ndim == 2]
    widths = [(193, 156), (42, 193), (16, 42), (2, 16), (2, 16), (16, 2), (42, 16), (193, 42), (156, 193)]
    assert sorted(sizes) == sorted(widths)
    made = net.decoder(torch.randn(5, 2))
    assert made.min() > 0
    assert made.max() < 1


def test_slopes_are_those_of_autograd():
    net, z = SpectrumVAE(9, 2).double(), torch.randn(4, 2, dtype=torch.float64)
    made, slopes = net.spectra(z)
    torch.testing.assert_close(made, net.decoder(z))
    for k in range(4):
        expected = torch.autograd.functional.jacobian(net.decoder, z[k])
        torch.testing.assert_close(slopes[k].T, expected)


def test_the_loss_is_cross_entropy_and_divergence():
    net, x = SpectrumVAE(9, 2), torch.rand(4, 9)
    with seeded(0, x.device):
        found = net.loss(x)
    with seeded(0, x.device), torch.no_grad():
        mean, log_variance = net.encode(x)
        made = net.decoder(mean + torch.exp(0.5 * log_variance) * torch.randn(4, 2))
    missed = -(x * made.log() + (1 - x) * (1 - made).log()).sum()
    normal = torch.distributions.Normal(mean, torch.exp(0.5 * log_variance))
    apart = torch.distributions.kl_divergence(normal, torch.distributions.Normal(0.0, 1.0)).sum()
    torch.testing.assert_close(found.detach(), (missed + apart) / 4)


def test_a_generator_learns_the_pixels_near_its_endmember():
    long, short = trained()[0], trained(epochs=1)[0]
    near = (F.E0 / np.linalg.norm(F.E0, axis=0)).T @ (F.Y / np.linalg.norm(F.Y, axis=0))
    for k in range(3):
        bundle = torch.from_numpy(F.Y.T[near[k].argsort()[-10:]].clip(0, 1))
        errors = [
            float((nets[k].decoder(nets[k].encode(bundle)[0]) - bundle).norm()) for nets in (long, short)
        ]
        assert errors[0] < 0.8 * errors[1]


def test_the_codes_of_endmembers_are_the_means_of_their_encoders():
    networks, codes = trained()
    for network, e, code in zip(networks, F.E0.clip(0, 1).T, codes, strict=True):
        torch.testing.assert_close(network.encode(torch.from_numpy(e.astype(np.float32)).double())[0], code)
    assert not any(p.requires_grad for network in networks for p in network.parameters())
    again, _ = trained.__wrapped__()
    for one, other in zip(networks, again, strict=True):
        torch.testing.assert_close(one.decoder[0].weight, other.decoder[0].weight, rtol=0, atol=0)


def test_codes_are_at_a_minimum_of_each_pixels_objective():
    networks, reference = trained()
    found = nearest_codes(
        networks, torch.zeros(3, 30, 2, dtype=Y.dtype), Y, A, reference, nearness=0.1, steps=60
    )
    for n in range(0, 30, 5):

        def objective(x, n=n):
            z = torch.from_numpy(x).view(3, 1, 2)
            left = Y[:, n] - made_by(networks, z)[:, :, 0].T @ A[:, n]
            return float(left.square().sum() + 0.1 * (z[:, 0] - reference).square().sum())

        here = found[:, n].flatten().numpy()
        best = minimize(objective, here, method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-10})
        assert objective(here) <= best.fun * (1 + 1e-4)
        assert objective(here) < objective(np.zeros(6))


def test_no_step_raises_the_objective():
    networks, reference = trained()
    start = 3 * torch.randn(3, 30, 2, dtype=Y.dtype, generator=torch.Generator().manual_seed(0))
    last = torch.full((30,), torch.inf, dtype=Y.dtype)
    for steps in (1, 2, 4, 8):
        codes = nearest_codes(networks, start, Y, A, reference, nearness=0.1, steps=steps)
        left = Y - (made_by(networks, codes) * A[:, None]).sum(dim=0)
        value = left.square().sum(dim=0) + 0.1 * (codes - reference[:, None]).square().sum(dim=(0, 2))
        assert (value <= last * (1 + 1e-12)).all()
        last = value


def test_codes_that_may_not_move_make_one_spectrum_for_all_pixels():
    networks, reference = trained()
    codes = nearest_codes(
        networks, torch.zeros(3, 30, 2, dtype=Y.dtype), Y, A, reference, nearness=1e9, steps=20
    )
    S = made_by(networks, codes)
    expected = torch.stack([net.decoder(z) for net, z in zip(networks, reference, strict=True)])
    torch.testing.assert_close(S, expected[:, :, None].expand(-1, -1, 30), atol=1e-5, rtol=0)


def test_with_one_spectrum_and_no_smoothness_abundances_are_those_of_least_squares():
    scene = pure_pixel_scene(height=9, width=8)
    given = {"variation": 0.0, "nearness": 1e9, "iterations": 6, "epochs": 200, "learning_rate": 0.01}
    u = get("deepgun").unmix(scene, seed=0, pixels=10, **given)
    # endmembers are then what the generators make of one code
    np.testing.assert_allclose(u.A.reshape(3, -1), fclsu(scene.pixels, u.E), atol=0.03)
    start = sclsu(scene.pixels, vca(scene.pixels, 3, seed=0).E).A
    assert np.abs(u.A.reshape(3, -1) - start).max() > 0.03


@pytest.mark.parametrize("nearness", [0.001, 10.0])
def test_spectra_that_may_move_rebuild_more(nearness):
    networks, reference = trained()
    codes = nearest_codes(
        networks, torch.zeros(3, 30, 2, dtype=Y.dtype), Y, A, reference, nearness=nearness, steps=30
    )
    left = float((Y - (made_by(networks, codes) * A[:, None]).sum(dim=0)).norm())
    fixed = made_by(networks, reference[:, None].expand(-1, 30, -1))
    assert left < float((Y - (fixed * A[:, None]).sum(dim=0)).norm())


@pytest.mark.slow
@pytest.mark.real_data
def test_on_samson_its_error_is_near_the_printed_one_and_its_abundances_are_not():
    # printed among errors of abundances: 0.0862; here 0.0772, and 0.2430 for the abundances
    scene = real("samson")
    u = get("deepgun").unmix(scene, seed=1)
    assert u.history["relative-error-reconstruction"][-1] == pytest.approx(0.0862, abs=0.015)
    scores, _ = metrics.score(u, scene)
    assert scores["rmse-abundances"] == pytest.approx(0.243, abs=0.02)
