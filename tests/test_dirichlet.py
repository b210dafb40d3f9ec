"""Samples and divergences of Dirichlet distributions against closed forms, scipy and torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import integrate, special
from scipy import stats as scipy_stats
from torch.distributions import Dirichlet, Gamma, kl_divergence

from hsu_lib.learning.dirichlet import approximate_gamma, divergence, sample

PAIRS = [([0.3, 1.0, 4.0], [1.0, 1.0, 1.0]), ([2.0, 2.0], [0.5, 7.0]), ([30.0, 1.0, 0.1, 5.0], [1.0] * 4)]


def concentrations(pair):
    return [torch.tensor(c, dtype=torch.float64) for c in pair]


@pytest.mark.parametrize("pair", PAIRS)
def test_the_divergence_is_that_of_torch(pair):
    a, b = concentrations(pair)
    torch.testing.assert_close(divergence(a, b), kl_divergence(Dirichlet(a), Dirichlet(b)))


@pytest.mark.parametrize("pair", PAIRS)
def test_the_multi_gamma_form_is_the_sum_over_gammas_and_exceeds_by_the_divergence_of_the_sum(pair):
    a, b = concentrations(pair)
    gammas = kl_divergence(Gamma(a, torch.ones_like(a)), Gamma(b, torch.ones_like(b))).sum()
    torch.testing.assert_close(divergence(a, b, "multi-gamma"), gammas)
    # a vector of Gammas is its shares and its sum, which are independent
    one = torch.ones((), dtype=torch.float64)
    of_the_sum = kl_divergence(Gamma(a.sum(), one), Gamma(b.sum(), one))
    torch.testing.assert_close(gammas - divergence(a, b), of_the_sum)


def test_the_divergence_from_itself_is_zero_and_by_quadrature_for_two():
    a, b = (torch.tensor(c, dtype=torch.float64) for c in ([2.0, 3.0], [1.5, 0.8]))
    assert divergence(a, a).abs() < 1e-12
    p, q = (scipy_stats.beta(*c.tolist()) for c in (a, b))
    expected, _ = integrate.quad(lambda x: p.pdf(x) * (p.logpdf(x) - q.logpdf(x)), 0, 1)
    assert float(divergence(a, b)) == pytest.approx(expected, rel=1e-6)


def test_rows_are_independent_and_gradients_are_finite():
    a = torch.rand(5, 3, dtype=torch.float64).add(0.1).requires_grad_()
    prior = torch.ones(3, dtype=torch.float64)
    for kind in ("dirichlet", "multi-gamma"):
        whole = divergence(a, prior, kind)
        assert whole.shape == (5,)
        torch.testing.assert_close(whole[2], divergence(a[2], prior, kind))
        assert torch.autograd.gradcheck(lambda x, kind=kind: divergence(x, prior, kind), (a,))


@pytest.mark.parametrize("concentration", [1e-3, 0.01, 0.1])
def test_the_approximation_is_good_for_small_concentrations(concentration):
    u = torch.linspace(0.01, 0.6, 60, dtype=torch.float64)
    ours = approximate_gamma(u, torch.tensor(concentration, dtype=torch.float64))
    exact = special.gammaincinv(concentration, u.numpy())
    visible = exact > 1e-300
    np.testing.assert_allclose(
        ours.numpy()[visible], exact[visible], rtol=0.15 * min(10 * concentration, 1) + 1e-3
    )


def test_the_approximation_is_too_small_for_large_concentrations():
    # its mean is (alpha Gamma(alpha))^(1/alpha) alpha / (1 + alpha), by integrating u^(1/alpha)
    for alpha in (1.0, 5.0, 50.0):
        a = torch.tensor(alpha, dtype=torch.float64)
        u = (torch.arange(200000, dtype=torch.float64) + 0.5) / 200000
        mean = float(approximate_gamma(u, a).mean())
        closed = np.exp((np.log(alpha) + special.gammaln(alpha)) / alpha) * alpha / (1 + alpha)
        assert mean == pytest.approx(closed, rel=1e-3)
    assert closed / alpha < 0.42  # 1 / e in the limit; an exact Gamma variable has mean alpha


@pytest.mark.parametrize("kind", ["approximate", "implicit"])
def test_samples_fulfil_anc_and_asc_even_for_tiny_concentrations(kind):
    torch.manual_seed(0)
    for value in (1e-3, 1.0, 200.0):
        z = sample(torch.full((500, 4), value), kind)
        assert torch.isfinite(z).all()
        assert z.min() >= 0
        torch.testing.assert_close(z.sum(-1), torch.ones(500))


def moments(concentration, kind, count=200_000):
    torch.manual_seed(1)
    z = sample(torch.tensor(concentration, dtype=torch.float64).expand(count, -1), kind)
    return z.mean(0).numpy(), z.var(0).numpy()


@pytest.mark.parametrize("concentration", [[0.5, 1.0, 2.5], [8.0, 3.0, 20.0]])
def test_exact_samples_have_the_mean_and_variance_of_the_dirichlet(concentration):
    exact = scipy_stats.dirichlet(concentration)
    mean, variance = moments(concentration, "implicit")
    np.testing.assert_allclose(mean, exact.mean(), atol=3e-3)
    np.testing.assert_allclose(variance, exact.var(), rtol=0.03)


def test_approximate_samples_are_right_only_where_concentrations_are_small():
    small, large = [0.02, 0.05, 0.03], [30.0, 10.0, 5.0]
    mean, variance = moments(small, "approximate")
    np.testing.assert_allclose(mean, scipy_stats.dirichlet(small).mean(), atol=0.01)
    np.testing.assert_allclose(variance, scipy_stats.dirichlet(small).var(), rtol=0.05)
    _, variance = moments(large, "approximate")
    ratio = variance / scipy_stats.dirichlet(large).var()
    assert ((ratio < 0.5) | (ratio > 2)).any()  # the known bias: shown on the page, not hidden


def test_gradients_of_samples_have_the_right_mean():
    # d E[z_0] / d alpha_0 = s - alpha_0 over s^2, with s the sum
    a = torch.tensor([0.05, 0.1, 0.05], dtype=torch.float64)
    expected = float((a.sum() - a[0]) / a.sum() ** 2)
    for kind, tolerance in (("implicit", 0.05), ("approximate", 0.1)):
        torch.manual_seed(2)
        x = a.expand(200_000, -1).clone().requires_grad_()
        sample(x, kind)[:, 0].mean().backward()
        assert float(x.grad[:, 0].sum()) == pytest.approx(expected, rel=tolerance)


def test_unknown_kinds_are_refused():
    a = torch.ones(3)
    with pytest.raises(ValueError, match="approximate or implicit"):
        sample(a, "exact")
    with pytest.raises(ValueError, match="dirichlet or multi-gamma"):
        divergence(a, a, "gamma")
