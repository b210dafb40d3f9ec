r"""`ldvae`: a variational autoencoder whose latent variables are the abundances of a pixel.

The encoder turns a spectrum into the concentrations of a Dirichlet distribution over abundances; a sample
of it goes to the decoder, which turns it into a normal distribution of spectra. Training needs abundances.

.. math:: \min\ -\mathbb E_q[\log p(x \mid \hat z)] + \mathrm{KL}(q \,\|\, p)
          + \omega \operatorname{MSE}(z, \hat z)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from hsu_lib.learning.dirichlet import Divergence, Sampling, divergence, sample
from hsu_lib.learning.fit import finished, fit, seeded
from hsu_lib.learning.networks.latent import (
    Activation,
    PixelEncoder,
    SpatialEncoder,
    SpectrumDecoder,
    negative_log_likelihood,
)
from hsu_lib.methods.labelled.labels import LabelSettings
from hsu_lib.methods.method import Method, Needs, Problem
from hsu_lib.methods.settings import sourced
from hsu_lib.scene import Unmixing

OPEN = "ours: the LDVAE paper does not say"


@dataclass(frozen=True)
class LDVAESettings(LabelSettings):
    """Settings of the latent Dirichlet autoencoder, each with its source."""

    hidden: tuple[int, ...] = sourced(
        (128, 64), f"{OPEN}; of the encoder, the decoder's are reversed", at_least=1
    )
    activation: Activation = sourced("softplus", f"{OPEN}; SpACNN-LDVAE paper, equation 3: softmax")
    sampling: Sampling = sourced("approximate", "LDVAE paper, equation 1; implicit: exact")
    divergence: Divergence = sourced(
        "multi-gamma", "LDVAE paper, equation 4; dirichlet: of the abundances themselves"
    )
    prior: float = sourced(
        1.0, f"{OPEN}: concentration of the prior, every abundance vector as likely", above=0
    )
    reconstruction_weight: float = sourced(1.0, "LDVAE paper, equation 5", at_least=0)
    divergence_weight: float = sourced(1.0, "LDVAE paper, equation 5", at_least=0)
    abundance_weight: float = sourced(
        1e5,
        f"{OPEN}: omega of its equation 5; an RMSE of 0.1 then costs 1000 nats, a few per band",
        at_least=0,
    )
    balanced: bool = sourced(
        False,
        "LDVAE paper, section V-C, balances Urban by hand; here each dominant endmember is drawn as often",
    )
    epochs: int = sourced(100, OPEN, at_least=1)
    batch: int = sourced(256, f"{OPEN}; pixels", at_least=1)
    learning_rate: float = sourced(
        0.001, "SpACNN-LDVAE paper, section Experimental Settings, with Adam", above=0
    )


def solve(problem: Problem, settings: LDVAESettings) -> Unmixing:
    """Train on the labelled pixels; abundances of all pixels, endmembers decoded from pure abundances."""
    with seeded(problem.seed, torch.device(problem.device)):
        encoder = PixelEncoder(
            problem.scene.bands, problem.endmembers, hidden=settings.hidden, activation=settings.activation
        )
        return learn(problem, settings, encoder, pixels)


#: Image ``(bands, height, width)`` to a function from numbers of pixels to what an encoder is given of them.
View = Callable[[Tensor], Callable[[Tensor], Tensor]]


def pixels(Y: Tensor) -> Callable[[Tensor], Tensor]:
    """The spectra of pixels themselves, shape ``(n, bands)``."""
    spectra = Y.flatten(1).T.contiguous()
    return lambda chosen: spectra[chosen]


def learn(
    problem: Problem, settings: LDVAESettings, encoder: PixelEncoder | SpatialEncoder, view: View
) -> Unmixing:
    """Train an encoder with a decoder of its own, and unmix the scene with them.

    The abundances are the means of the Dirichlet distributions. History: ``loss`` per epoch.
    """
    scene, labels, where = problem.scene, problem.labels, torch.device(problem.device)
    assert labels is not None  # the contract has checked it
    scale = float(np.abs(labels.spectra).max()) or 1.0

    def tensor(array: np.ndarray) -> Tensor:
        return torch.tensor(array, dtype=torch.float32, device=where)

    image, Z = tensor(labels.scene.Y / scale), tensor(labels.abundances)
    given = view(image)
    numbers = torch.tensor(np.flatnonzero(labels.chosen), device=where)
    classes = Z.argmax(dim=1)
    weights = 1 / classes.bincount()[classes]
    decoder = SpectrumDecoder(Z.shape[1], scene.bands, hidden=settings.hidden[::-1]).to(where)
    encoder.to(where)

    def batches(epoch: int) -> Iterator[Tensor]:
        count = len(numbers)
        if settings.balanced:
            yield from torch.multinomial(weights, count, replacement=True).split(settings.batch)
        else:
            yield from torch.randperm(count, device=where).split(settings.batch)

    def loss(chosen: Tensor) -> Tensor:
        seen = given(numbers[chosen])
        return evidence(encoder(seen), decoder, encoder.centre(seen), Z[chosen], settings)

    history = fit(
        nn.ModuleList([encoder, decoder]),
        batches,
        loss,
        epochs=settings.epochs,
        learning_rate=settings.learning_rate,
        optimiser="adam",
        options={"fused": True},  # all parameters in one pass: for small networks many passes cost more
        progress=problem.label,
    )
    encoder.eval()
    decoder.eval()

    @torch.no_grad()
    def decode(A: np.ndarray) -> np.ndarray:
        return scale * decoder(tensor(A.T))[0].T.cpu().numpy()

    with torch.no_grad():
        concentrations = encoder.whole(tensor(scene.Y / scale))
    A = (concentrations / concentrations.sum(-1, keepdim=True)).T.cpu().numpy()
    E = decode(np.eye(len(A)))
    return Unmixing(E, problem.maps(A), finished(history), history, ordered=True, decoder=decode)


def evidence(
    concentrations: Tensor, decoder: SpectrumDecoder, X: Tensor, Z: Tensor, settings: LDVAESettings
) -> Tensor:
    r"""Loss of a batch: negative evidence lower bound and the weighted error of the sampled abundances.

    .. math:: -\mathbb E_q[\log p(x \mid \hat z)] + \mathrm{KL}(q \,\|\, p)
              + \omega \operatorname{MSE}(z, \hat z)

    Equation 5 of the LDVAE paper with the signs of its equation 3, without which it could not be minimised.
    """
    sampled = sample(concentrations, settings.sampling)
    prior = torch.full_like(concentrations, settings.prior)
    return (
        settings.reconstruction_weight * negative_log_likelihood(X, *decoder(sampled)).mean()
        + settings.divergence_weight * divergence(concentrations, prior, settings.divergence).mean()
        + settings.abundance_weight * (sampled - Z).square().mean()
    )


LDVAE = Method(
    name="ldvae",
    summary="autoencoder whose latent variables are Dirichlet abundances, pixel by pixel",
    kind="labelled",
    solve=solve,
    settings=LDVAESettings,
    needs=Needs(labels=True),
    source="LDVAE paper; Mantripragada and Qureshi, arXiv:2203.01327",
    quick=(("hidden", (8, 6)), ("epochs", 3), ("batch", 16)),
)
