"""The training loop: a problem with a known answer, the schedule, the seed, the early end."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from hsu_lib.learning.fit import fit, seeded


def test_a_line_is_fitted():
    x = torch.linspace(-1, 1, 50)[:, None]
    network = nn.Linear(1, 1)
    history = fit(
        network,
        lambda epoch: [x[:25], x[25:]],
        lambda batch: ((network(batch) - (2 * batch + 1)) ** 2).mean(),
        epochs=300,
        learning_rate=0.05,
        decay=0.9,
        decay_every=20,
        optimiser="adam",
    )
    assert network.weight.item() == pytest.approx(2, abs=1e-3)
    assert network.bias.item() == pytest.approx(1, abs=1e-3)
    assert history["loss"].shape == (300,)
    assert history["loss"][-1] < 1e-5 < history["loss"][0]


def test_the_rate_falls_as_asked():
    parameter = nn.Parameter(torch.zeros(1))
    network = nn.ParameterList([parameter])
    steps = []

    def loss(_):
        steps.append(parameter.item())
        return parameter.sum()  # gradient 1: Adam steps by the rate itself

    fit(
        network,
        lambda epoch: [0],
        loss,
        epochs=5,
        learning_rate=1.0,
        decay=0.5,
        decay_every=2,
        optimiser="adam",
    )
    np.testing.assert_allclose(-np.diff(steps), [1, 1, 0.5, 0.5], rtol=1e-5)


def test_the_optimiser_is_given_its_options():
    parameter = nn.Parameter(torch.zeros(1))
    given = {"epochs": 1, "learning_rate": 0.1, "options": {"alpha": 0.75, "eps": 0.0}}
    fit(nn.ParameterList([parameter]), lambda epoch: [0], lambda _: 7 * parameter.sum(), **given)
    # the first step of RMSprop is the rate over the root of 1 - alpha, whatever the gradient
    assert parameter.item() == pytest.approx(-0.2)


def test_parameters_are_projected_before_the_first_step_and_after_each():
    parameter = nn.Parameter(torch.tensor([-3.0, 0.05]))
    seen = []

    def loss(_):
        seen.append(parameter.detach().clone())
        return parameter.sum()

    def project():
        parameter.data.clamp_min_(0)

    given = {"epochs": 2, "learning_rate": 0.1, "optimiser": "adam", "project": project}
    fit(nn.ParameterList([parameter]), lambda epoch: [0], loss, **given)
    torch.testing.assert_close(
        torch.stack([*seen, parameter.detach()]), torch.tensor([[0, 0.05], [0, 0], [0, 0]])
    )


def test_a_loss_that_is_not_finite_ends_the_training():
    parameter = nn.Parameter(torch.zeros(1))
    history = fit(
        nn.ParameterList([parameter]),
        lambda epoch: [epoch],
        lambda epoch: parameter.sum() / (0.0 if epoch == 2 else 1.0),
        epochs=10,
        learning_rate=0.1,
    )
    assert len(history["loss"]) == 3
    assert not np.isfinite(history["loss"][-1])


def test_seeded_leaves_the_global_generator_as_it_was():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    with seeded(1, torch.device("cpu")):
        inside = torch.rand(3)
    torch.testing.assert_close(torch.rand(3), expected)
    with seeded(1, torch.device("cpu")):
        torch.testing.assert_close(torch.rand(3), inside)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_steps_that_are_replayed_are_the_steps_taken_one_by_one():
    where = torch.device("cuda")

    def trained(replay):
        generator = torch.Generator(where).manual_seed(5)
        with seeded(3, where):
            network = nn.Sequential(nn.Linear(6, 8), nn.Dropout(0.3), nn.Linear(8, 1)).to(where)

            def loss(numbers):
                x = numbers[:, None] + torch.randn(len(numbers), 6, generator=generator, device=where)
                return network(x).square().mean()

            history = fit(
                network,
                lambda _: torch.arange(25.0, device=where).split(10),  # the last batch is smaller
                loss,
                epochs=12,
                learning_rate=0.01,
                decay=0.5,
                decay_every=5,
                replay=[generator] if replay else None,
            )
        return history["loss"], [p.detach().cpu().numpy() for p in network.parameters()]

    (losses, weights), (expected, others) = trained(True), trained(False)
    np.testing.assert_allclose(losses, expected, rtol=1e-4)
    for one, other in zip(weights, others, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
