"""Networks: shapes, constraints, and the fast gradient against torch's own."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from hsu_lib.metrics import spectral_angle
from hsu_lib.networks import ConvolutionalAutoencoder
from hsu_lib.networks.autoencoder import cosine_loss
from hsu_lib.networks.gradients import arccosine_loss, finite_gradients
from hsu_lib.networks.wide import wide_convolution


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
