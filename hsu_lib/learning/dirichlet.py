r"""Dirichlet distributions over abundances: samples through which gradients pass, and their divergence.

A Dirichlet vector is made of independent Gamma variables :math:`g_k` of shape :math:`\alpha_k` and scale 1,
divided by their sum. The LDVAE paper draws them by an approximate inverse of the Gamma distribution function
(its equation 1), and measures the divergence of the Gamma variables, not of the Dirichlet (equation 4).
Both stand here beside the exact form.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

Sampling = Literal["approximate", "implicit"]
Divergence = Literal["dirichlet", "multi-gamma"]


def approximate_gamma(u: Tensor, concentration: Tensor) -> Tensor:
    r"""Approximate inverse distribution function of a Gamma variable of scale 1.

    .. math:: F^{-1}(u; \alpha) \approx \bigl(u\,\alpha\,\Gamma(\alpha)\bigr)^{1/\alpha}

    It inverts the first term of the series of the distribution function at zero: exact as
    :math:`\alpha \to 0` or :math:`u \to 0`, too small for what is not, as its mean for large
    :math:`\alpha`, about :math:`\alpha / e`, shows.

    Parameters
    ----------
    u
        In ``(0, 1)``.
    concentration
        Positive, of a shape that broadcasts with `u`.

    References
    ----------
    LDVAE paper, equation 1; Joo, Lee, Park and Moon, Pattern Recognition 107, 2020, 107514; Knowles,
    arXiv:1509.01631, 2015.
    """
    return torch.exp(_log_approximate_gamma(u, concentration))


def _log_approximate_gamma(u: Tensor, concentration: Tensor) -> Tensor:
    return (torch.log(u) + torch.log(concentration) + torch.lgamma(concentration)) / concentration


def sample(concentration: Tensor, kind: Sampling = "approximate") -> Tensor:
    """One sample per row, from torch's global generator; gradients pass to the concentration.

    Parameters
    ----------
    concentration
        Positive, shape ``(..., endmembers)``.
    kind
        ``"approximate"``: by `approximate_gamma`; ``"implicit"``: exact, with the implicit gradients of
        torch's Dirichlet distribution.

    Returns
    -------
    Tensor
        Same shape, nonnegative, sums to one along the last axis.

    Raises
    ------
    ValueError
        For an unknown kind.

    References
    ----------
    LDVAE paper, equation 1; Figurnov, Mohamed and Mnih, NeurIPS 2018 (implicit gradients).
    """
    if kind == "implicit":
        return torch.distributions.Dirichlet(concentration, validate_args=False).rsample()
    if kind != "approximate":
        raise ValueError(f"sampling: expected approximate or implicit, got {kind!r}")
    smallest = torch.finfo(concentration.dtype).tiny
    u = torch.rand_like(concentration).clamp_min(smallest)
    # shares by way of logarithms: with tiny concentrations all variables would underflow to zero
    return torch.softmax(_log_approximate_gamma(u, concentration), dim=-1)


def divergence(estimated: Tensor, prior: Tensor, kind: Divergence = "dirichlet") -> Tensor:
    r"""Kullback-Leibler divergence of one distribution over abundances from another, in nats.

    ``"dirichlet"``, with :math:`\hat\alpha` of the estimate, :math:`\alpha` of the prior, sums
    :math:`\hat s` and :math:`s`:

    .. math:: \ln\frac{\Gamma(\hat s)}{\Gamma(s)} + \sum_k \ln\frac{\Gamma(\alpha_k)}{\Gamma(\hat\alpha_k)}
              + \sum_k (\hat\alpha_k - \alpha_k)\bigl(\psi(\hat\alpha_k) - \psi(\hat s)\bigr)

    ``"multi-gamma"`` is that of the Gamma variables before they are divided by their sum, the LDVAE paper's
    equation 4. It is never smaller, and also measures the sum, of which the abundances keep nothing:

    .. math:: \sum_k \ln\frac{\Gamma(\alpha_k)}{\Gamma(\hat\alpha_k)}
              + \sum_k (\hat\alpha_k - \alpha_k)\,\psi(\hat\alpha_k)

    Parameters
    ----------
    estimated, prior
        Concentrations, positive, shapes ``(..., endmembers)`` that broadcast.
    kind
        Which of both.

    Returns
    -------
    Tensor
        Shape ``(...)``.

    Raises
    ------
    ValueError
        For an unknown kind.
    """
    shapes = (torch.lgamma(prior) - torch.lgamma(estimated)).sum(-1)
    if kind == "multi-gamma":
        return shapes + ((estimated - prior) * torch.digamma(estimated)).sum(-1)
    if kind != "dirichlet":
        raise ValueError(f"divergence: expected dirichlet or multi-gamma, got {kind!r}")
    s_hat, s = estimated.sum(-1), prior.sum(-1)
    expected = torch.digamma(estimated) - torch.digamma(s_hat)[..., None]
    return torch.lgamma(s_hat) - torch.lgamma(s) + shapes + ((estimated - prior) * expected).sum(-1)
