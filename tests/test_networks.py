"""Networks: shapes, constraints, and the fast gradient against torch's own."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from hsu_lib.learning.networks import ConvolutionalAutoencoder
from hsu_lib.learning.networks.autoencoder import cosine_loss
from hsu_lib.learning.networks.gradients import arccosine_loss, finite_gradients
from hsu_lib.learning.networks.prior import ConfigurablePrior, DeepPrior, parameters, upsampled_convolution
from hsu_lib.learning.networks.wide import wide_convolution
from hsu_lib.methods.priors.undip import ARCHITECTURES
from hsu_lib.metrics import spectral_angle


@pytest.mark.parametrize("size", [1, 3, 5])
def test_wide_convolution_equals_torch_with_its_gradients(size):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2, 3, 7, 5, generator=generator, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(11, 3, size, size, generator=generator, dtype=torch.float64, requires_grad=True)
    pull = torch.randn(2, 11, 7, 5, generator=generator, dtype=torch.float64)
    ours, torchs = wide_convolution(x, weight), F.conv2d(x, weight, padding=size // 2)
    torch.testing.assert_close(ours, torchs)
    for a, b in zip(
        torch.autograd.grad(ours, (x, weight), pull),
        torch.autograd.grad(torchs, (x, weight), pull),
        strict=True,
    ):
        torch.testing.assert_close(a, b)


def test_wide_convolution_keeps_memory_formats_apart():
    x = torch.randn(2, 3, 7, 5).to(memory_format=torch.channels_last).requires_grad_()
    weight = torch.randn(11, 3, 5, 5).to(memory_format=torch.channels_last)
    pull = torch.randn(2, 11, 7, 5)
    ours = torch.autograd.grad(wide_convolution(x, weight), x, pull)[0]
    torchs = torch.autograd.grad(F.conv2d(x, weight, padding=2), x, pull)[0]
    torch.testing.assert_close(ours, torchs, rtol=1e-4, atol=1e-4)


def network(**changes):
    sizes = {"filters": 6, "kernel": 5, "dropout": 0.2, "softmax_factor": 1.0}
    return ConvolutionalAutoencoder(9, 3, **sizes | changes)


def test_abundances_fulfil_anc_and_asc():
    A, Y_hat = network()(torch.randn(2, 9, 7, 5))
    assert A.shape == (2, 3, 7, 5)
    assert Y_hat.shape == (2, 9, 7, 5)
    assert A.min() >= 0
    torch.testing.assert_close(A.sum(dim=1), torch.ones(2, 7, 5))


def test_endmembers_are_the_answer_to_a_uniform_patch():
    net = network()
    A = torch.zeros(1, 3, 9, 9)
    A[:, 1] = 1
    inside = wide_convolution(A, net.decoder.weight)[0, :, 4, 4]  # no border within the 5 x 5 kernel
    torch.testing.assert_close(inside, net.endmembers[:, 1])


def test_softmax_factor_sharpens():
    Y = torch.randn(1, 9, 7, 5, generator=torch.Generator().manual_seed(1))
    torch.manual_seed(0)
    soft = network(dropout=0.0)
    torch.manual_seed(0)
    sharp = network(dropout=0.0, softmax_factor=3.5)
    assert sharp(Y)[0].amax(dim=1).mean() > soft(Y)[0].amax(dim=1).mean()


def test_cosine_loss_equals_torchs_and_is_blind_to_scale():
    generator = torch.Generator().manual_seed(0)
    a, b = torch.randn(2, 9, 7, 5, generator=generator), torch.randn(2, 9, 7, 5, generator=generator)
    torch.testing.assert_close(cosine_loss(a, b), 1 - F.cosine_similarity(a, b, dim=1))
    torch.testing.assert_close(cosine_loss(3 * b, b), torch.zeros(2, 7, 5), atol=1e-6, rtol=0)
    assert torch.isfinite(cosine_loss(0 * a, b)).all()


def test_the_arccosine_has_no_gradient_where_the_cosine_has_one():
    assert finite_gradients(cosine_loss).all()
    assert not finite_gradients(arccosine_loss).all()


def test_the_arccosine_loss_is_the_angle():
    generator = torch.Generator().manual_seed(0)
    a, b = torch.rand(1, 9, 7, 5, generator=generator), torch.rand(1, 9, 7, 5, generator=generator)
    angles = spectral_angle(a.reshape(9, -1), b.reshape(9, -1))
    torch.testing.assert_close(
        arccosine_loss(a, b).flatten().double(), torch.from_numpy(angles), atol=1e-5, rtol=1e-4
    )


def reflected(x):
    return F.pad(x, (1, 1, 1, 1), mode="reflect")


def upsampled(x):
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


@pytest.mark.parametrize("size", [(2, 2), (3, 2), (9, 21), (24, 17)])
def test_upsampled_convolution_equals_upsampling_padding_and_convolution_with_their_gradients(size):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2, 3, *size, generator=generator, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(5, 3, 3, 3, generator=generator, dtype=torch.float64, requires_grad=True)
    ours, torchs = upsampled_convolution(x, weight), F.conv2d(reflected(upsampled(x)), weight)
    torch.testing.assert_close(ours, torchs)
    pull = torch.randn(ours.shape, generator=generator, dtype=torch.float64)
    gradients = [torch.autograd.grad(y, (x, weight), pull) for y in (ours, torchs)]
    torch.testing.assert_close(*gradients)


def by_the_table(network, Z):
    """UnDIP's network from the table of the report on UnDIP, with the weights of `network`."""

    def block(x, layers, stride=1):
        convolution, normalisation, _ = layers
        side = convolution.weight.shape[-1]
        x = F.conv2d(reflected(x) if side == 3 else x, convolution.weight, stride=stride)
        mean = x.mean(dim=(0, 2, 3), keepdim=True)
        variance = (x - mean).square().mean(dim=(0, 2, 3), keepdim=True)
        x = (x - mean) / (variance + 1e-5).sqrt()
        x = x * normalisation.weight[:, None, None] + normalisation.bias[:, None, None]
        return torch.where(x > 0, x, 0.1 * x)

    coarse = block(block(Z, network.down[0], stride=2), network.down[1])
    x = torch.cat([upsampled(coarse), block(Z, network.skip)], dim=1)
    x = block(block(x, network.join), network.up[0])
    x = F.conv2d(x, network.up[1].weight, network.up[1].bias).exp()
    return x / x.sum(dim=1, keepdim=True)


@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
def test_deep_prior_is_the_tables_network_with_its_gradients(layout):
    torch.manual_seed(0)
    prior = DeepPrior(3, filters=7, skip=2).double().to(memory_format=layout)
    Z, pull = torch.randn(2, 3, 10, 38).double(), torch.randn(2, 3, 10, 38).double()
    weights = list(prior.parameters())
    ours, tables = prior(Z), by_the_table(prior, Z)
    assert ours.shape == Z.shape
    torch.testing.assert_close(ours, tables)
    gradients = [torch.autograd.grad(A, weights, pull) for A in (ours, tables)]
    assert all(g.abs().max() > 1e-6 for g in gradients[1])
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize("endmembers", [1, 3, 6])
def test_deep_prior_has_as_many_parameters_as_its_table_says(endmembers):
    r = endmembers
    convolutions = r * 256 * 9 + 256 * 256 * 9 + 260 * 256 * 9 + 256 * 256 + (256 * r + r) + r * 4
    normalisations = 2 * (4 * 256 + 4)
    assert parameters(DeepPrior(r)) == convolutions + normalisations


@pytest.mark.parametrize("number", ARCHITECTURES)
def test_the_six_architectures_have_as_many_parameters_as_their_layers_say(number):
    r, f = 3, 10
    halving, ordinary, normalisation = 16 * f * f, 9 * f * f, 2 * f  # transposed kernels are 4 x 4
    two = 9 * r * f + ordinary + 2 * halving + 2 * ordinary + 6 * normalisation
    four = 9 * r * f + 3 * ordinary + (3 * halving + ordinary) + 4 * ordinary + 12 * normalisation
    last = f * r + r
    joined = {2: 9 * f * (r + f), 4: 9 * f * (r + 3 * f)}  # what mixers see of the skip connections
    convolved = {
        2: 9 * r * r + 2 * r + ordinary + normalisation,
        4: 9 * r * r + 2 * r + 3 * (ordinary + normalisation),
    }
    expected = {
        1: two,
        2: two + joined[2],
        3: two + joined[2] + convolved[2],
        4: four + joined[4],
        5: four + joined[4] + convolved[4],
        6: four + joined[4] + 2 * convolved[4],
    }
    prior = ConfigurablePrior(r, filters=f, **ARCHITECTURES[number])
    assert parameters(prior) == expected[number] + last


@pytest.mark.parametrize("number", ARCHITECTURES)
def test_every_architecture_gives_abundances_and_uses_all_its_weights(number):
    torch.manual_seed(0)
    prior = ConfigurablePrior(3, filters=5, **ARCHITECTURES[number])
    A = prior(torch.randn(1, 3, 16, 24))
    assert A.shape == (1, 3, 16, 24)
    assert A.min() >= 0
    torch.testing.assert_close(A.sum(dim=1), torch.ones(1, 16, 24))
    A.square().sum().backward()
    assert all(weight.grad.abs().max() > 0 for weight in prior.parameters())


def test_images_are_halved_at_most_as_often_as_asked():
    prior = ConfigurablePrior(2, levels=4, skips="none", scalings=1, filters=3)
    sizes = []
    for layer in prior.encoder:
        layer.register_forward_hook(lambda _, __, out: sizes.append(tuple(out.shape[-2:])))
    prior(torch.randn(1, 2, 8, 12))
    assert sizes == [(4, 6)] * 4
    assert prior.multiple == 8
