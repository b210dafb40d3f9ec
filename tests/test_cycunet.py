"""CyCU-Net: its loss, one encoder for two passes, bounds, schedule, and what is read from it."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest
import scipy.optimize
import torch
from torch import nn
from toys import pure_pixel_scene

from hsu_lib import metrics
from hsu_lib.learning.fit import fit
from hsu_lib.learning.networks.cycle import (
    CycleAutoencoder,
    Dropout,
    Pass,
    cycle_loss,
    nuclear_norm,
)
from hsu_lib.methods import get
from hsu_lib.methods.autoencoders.cycunet import PUBLISHED

WEIGHTS = {"balance": 0.5, "cycles": 1e-3, "sums": 1e-7, "rank": 5e-6}


# --------------------------------------------------------------------------- the loss


def test_the_nuclear_norm_of_a_product_of_two_vectors_is_that_of_their_norms():
    u, v = torch.rand(50, 1), torch.rand(1, 3)
    A = (u @ v).requires_grad_()
    value = nuclear_norm(A)
    torch.testing.assert_close(value, u.norm() * v.norm())
    (gradient,) = torch.autograd.grad(value, A)
    torch.testing.assert_close(gradient, (u / u.norm()) @ (v / v.norm()), rtol=1e-4, atol=1e-6)


def test_the_nuclear_norm_is_that_of_the_singular_values_with_its_gradient():
    A = torch.rand(40, 4, dtype=torch.float64, requires_grad=True)
    direct = torch.linalg.svdvals(A).sum()
    torch.testing.assert_close(nuclear_norm(A), direct)
    ours, theirs = (torch.autograd.grad(value, A)[0] for value in (nuclear_norm(A), direct))
    torch.testing.assert_close(ours, theirs)
    nothing = torch.zeros(40, 4, requires_grad=True)
    (gradient,) = torch.autograd.grad(nuclear_norm(nothing), nothing)
    assert (gradient == 0).all()


def test_only_sums_and_nuclear_norms_are_left_where_both_passes_are_right():
    A, E = torch.rand(30, 3), torch.rand(8, 3)
    loss = cycle_loss(A @ E.T, Pass(A, E), Pass(A, E), balance=0.3, cycles=2.0, sums=0.7, rank=0.2)
    expected = 2 * 0.7 * np.abs(1 - A.numpy().sum(axis=1)).sum() + 2 * 0.2 * np.linalg.norm(A.numpy(), "nuc")
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_the_loss_term_by_term():
    rng = np.random.default_rng(0)
    Y, (A1, A2), (E1, E2) = rng.random((30, 8)), rng.random((2, 30, 3)), rng.random((2, 8, 3))
    errors = [np.mean((A @ E.T - Y) ** 2) for A, E in ((A1, E1), (A2, E2))]
    terms = {
        "balance": errors[0] - errors[1],
        "cycles": np.mean((A1 - A2) ** 2),
        "sums": np.abs(1 - A1.sum(axis=1)).sum() + np.abs(1 - A2.sum(axis=1)).sum(),
        "rank": np.linalg.norm(A1, "nuc") + np.linalg.norm(A2, "nuc"),
    }
    Y, A1, A2, E1, E2 = map(torch.tensor, (Y, A1, A2, E1, E2))
    none = dict.fromkeys(terms, 0.0)
    assert cycle_loss(Y, Pass(A1, E1), Pass(A2, E2), **none).item() == pytest.approx(errors[1])
    for name, expected in terms.items():
        loss = cycle_loss(Y, Pass(A1, E1), Pass(A2, E2), **none | {name: 1.0})
        assert loss.item() - errors[1] == pytest.approx(expected)


# --------------------------------------------------------------------------- the network


def network(dropout=0.5) -> CycleAutoencoder:
    return CycleAutoencoder(torch.rand(8, 3), dropout=dropout)


def test_both_passes_have_the_same_encoder_and_its_gradient_is_their_sum():
    net, Y = network(dropout=0.0), torch.rand(20, 8)
    first, second = deepcopy(net), deepcopy(net)
    A = first.encode(Y)
    again = second.encode(A @ net.decoders[0].T)
    passes = net(Y)
    torch.testing.assert_close([made.A for made in passes], [A, again])
    cycle_loss(Y, *passes, **WEIGHTS | {"cycles": 1.0}).backward()
    apart = Pass(A, net.decoders[0].detach()), Pass(again, second.decoders[1])
    cycle_loss(Y, *apart, **WEIGHTS | {"cycles": 1.0}).backward()
    for module in ("first", "rest"):
        encoders = (getattr(n, module).parameters() for n in (net, first, second))
        for shared, one, two in zip(*encoders, strict=True):
            torch.testing.assert_close(shared.grad, one.grad + two.grad, rtol=1e-4, atol=1e-6)
            assert one.grad.abs().sum() > 0
            assert two.grad.abs().sum() > 0


def test_abundances_are_cut_to_their_bounds_and_dropout_makes_passes_differ():
    net, Y = network(), torch.rand(200, 8)
    A = net.encode(Y)
    assert (A.min(), A.max()) == (0, 1)
    assert not torch.equal(A, net.encode(Y))
    net.eval()
    assert torch.equal(net.encode(Y), net.encode(Y))


def test_dropout_keeps_the_mean_and_is_off_in_evaluation():
    layer, x = Dropout(0.25), torch.ones(400, 300)
    values, counts = layer(x).unique(return_counts=True)
    torch.testing.assert_close(values, torch.tensor([0, 4 / 3]))
    assert counts[0] / 120_000 == pytest.approx(0.25, abs=0.01)
    layer.eval()
    assert layer(x) is x


def test_new_statistics_weigh_nine_tenths():
    net, Y = network(), torch.rand(200, 8)
    net.encode(Y)
    expected = 0.9 * (Y @ net.first.weight.T).mean(dim=0)
    torch.testing.assert_close(net.rest[0].running_mean, expected)


def test_endmembers_start_and_stay_between_their_bounds():
    E = torch.tensor([[-0.5, 0.2], [0.3, 1.7]])
    net = CycleAutoencoder(E)
    net.bound()
    for decoder in net.decoders:
        torch.testing.assert_close(decoder.detach(), torch.tensor([[1e-6, 0.2], [0.3, 1.0]]))
    fit(
        net,
        lambda _: [torch.rand(20, 2)],
        lambda Y: cycle_loss(Y, *net(Y), **WEIGHTS),
        epochs=3,
        learning_rate=5.0,
        optimiser="adam",
        project=net.bound,
    )
    for decoder in net.decoders:
        E_now = decoder.detach()
        assert E_now.min().item() >= np.float32(1e-6)
        assert E_now.max().item() <= 1
        assert not torch.equal(E_now, E.clamp(1e-6, 1))


# --------------------------------------------------------------------------- training


class Number(nn.Module):
    """One number, of which a loss can have any slope."""

    def __init__(self) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.tensor(10.0, dtype=torch.float64))


def test_the_rate_falls_by_a_fifth_every_fifteen_epochs():
    # Adam moves by the rate where the slope is always the same
    number, places = Number(), []
    settings = get("cycunet").configure()
    fit(
        number,
        lambda _: [None],
        lambda _: 3 * number.value,
        epochs=46,
        learning_rate=settings.learning_rate,
        decay=settings.decay,
        decay_every=settings.decay_every,
        optimiser="adam",
        project=lambda: places.append(number.value.item()),
    )
    moves = -np.diff(places)
    np.testing.assert_allclose(
        moves[[0, 14, 15, 29, 30, 45]], 2e-3 * 0.8 ** np.array([0, 0, 1, 1, 2, 3]), rtol=1e-6
    )


@pytest.mark.parametrize(("slope", "expected"), [(3.0, 3.0), (40.0, 10.0)])
def test_gradients_are_scaled_down_to_their_limit(slope, expected):
    number, seen = Number(), []
    fit(
        number,
        lambda _: [None],
        lambda _: slope * number.value,
        epochs=1,
        learning_rate=1e-3,
        gradient_limit=10.0,
        project=lambda: seen.append(number.value.grad),
    )
    assert seen[0] is None
    assert seen[1].item() == pytest.approx(expected, rel=1e-6)


# --------------------------------------------------------------------------- the method


def test_endmembers_are_the_nonnegative_least_squares_of_the_image():
    scene = pure_pixel_scene()
    u = get("cycunet").unmix(scene, epochs=5)
    A = u.A.reshape(3, -1).astype(float)
    expected = [scipy.optimize.nnls(A.T, y)[0] for y in scene.pixels.astype(float)]
    np.testing.assert_allclose(u.E, expected, atol=1e-5)
    decoder = get("cycunet").unmix(scene, epochs=5, endmembers_from="decoder")
    np.testing.assert_array_equal(decoder.A, u.A)
    assert decoder.E.min() >= 1e-6 * scene.Y.max() * 0.999
    assert decoder.E.max() <= scene.Y.max() * 1.001


def test_a_pixel_without_abundances_is_uniform_and_counted(monkeypatch):
    whole = CycleAutoencoder.encode

    def with_a_hole(self, Y):
        A = whole(self, Y).clone()
        A[7] = 0
        return A

    monkeypatch.setattr(CycleAutoencoder, "encode", with_a_hole)
    u = get("cycunet").unmix(pure_pixel_scene(), epochs=3)
    np.testing.assert_allclose(u.A[:, 1, 2], 1 / 3)
    assert u.history["empty"] >= 1 / 35
    assert len(u.history["loss"]) == 3


def test_published_settings_are_settings():
    for scene, settings in PUBLISHED.items():
        assert get("cycunet").configure(**settings).learning_rate == {"samson": 2e-3, "jasper": 8e-3}[scene]


@pytest.mark.slow
def test_it_finds_the_endmembers_of_a_simple_scene():
    scene = pure_pixel_scene(height=30, width=25)
    scores, _ = metrics.score(get("cycunet").unmix(scene, epochs=200), scene)
    assert scores["sad-endmembers"] < np.deg2rad(14)  # 9 to 12 over three seeds
    assert scores["rmse-abundances"] < 0.2  # uniform maps would score 0.24
