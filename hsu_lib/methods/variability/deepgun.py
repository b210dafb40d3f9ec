r"""`deepgun`: the spectra of a material are those that a network makes of a few numbers, pixel by pixel.

.. math:: \min \sum_n \|y_n - S(Z_n) a_n\|^2 + \lambda_Z \|Z_n - \bar Z\|^2
          + 2\lambda_A \sum_p \mathrm{TV}(A_p)
          \quad\text{s.t.}\quad A \ge 0,\ \mathbf 1^\top A = \mathbf 1^\top

with the spectra `S` that the generators make of the codes :math:`Z_n`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from hsu_lib.learning.fit import fit, seeded
from hsu_lib.learning.networks.generator import SpectrumVAE
from hsu_lib.methods.method import Method, Needs, Problem
from hsu_lib.methods.settings import Settings, sourced
from hsu_lib.methods.variability.scaled import DEMO, first_estimate, outcome
from hsu_lib.scene import Unmixing
from hsu_lib.solvers.smooth_abundances import Variation, smooth_abundances
from hsu_lib.solvers.variability import Variability, pixel_products

#: Damping of the first step for the codes.
_DAMPING = 1e-2


@dataclass(frozen=True)
class GeneratorSettings(Settings):
    """Settings of DeepGUn, each with its source; weights are for an image whose largest value is 1."""

    pixels: int = sourced(100, f"{DEMO}: nearest to an endmember, to train its generator on", at_least=1)
    latent: int = sourced(2, f"{DEMO}: numbers of a code", at_least=1)
    epochs: int = sourced(50, DEMO, at_least=1)
    batch: int = sourced(36, f"{DEMO}, for 100 pixels", at_least=1)
    learning_rate: float = sourced(0.001, f"{DEMO}, with Adam", above=0)
    nearness: float = sourced(0.1, f"{DEMO}: of codes to those of the endmembers", at_least=0)
    variation: float = sourced(0.005, f"{DEMO}: of the abundances", at_least=0)
    iterations: int = sourced(8, f"{DEMO}: rounds over codes and abundances", at_least=1)
    steps: int = sourced(10, "ours: damped Gauss-Newton steps for the codes in a round", at_least=1)
    tolerance: float = sourced(1e-3, f"{DEMO}: share by which neither changes any more", at_least=0)


def generators(
    spectra: Tensor, E: Tensor, settings: GeneratorSettings, seed: int
) -> tuple[list[SpectrumVAE], Tensor]:
    """A trained generator for each endmember, in double precision, and the endmembers' codes.

    Parameters
    ----------
    spectra, E
        Pixels and endmembers in rows, in single precision and in [0, 1].
    """
    likeness = torch.nn.functional.normalize(E, dim=1) @ torch.nn.functional.normalize(spectra, dim=1).T
    count = min(settings.pixels, len(spectra))
    found, codes = [], []
    with seeded(seed, spectra.device):
        for e, alike in zip(E, likeness, strict=True):
            bundle = spectra[alike.topk(count).indices]
            network = SpectrumVAE(spectra.shape[1], settings.latent).to(spectra.device)

            def batches(epoch: int, bundle: Tensor = bundle) -> Iterator[Tensor]:
                yield from bundle[torch.randperm(count, device=bundle.device)].split(settings.batch)

            fit(
                network,
                batches,
                network.loss,
                epochs=settings.epochs,
                learning_rate=settings.learning_rate,
                optimiser="adam",
            )
            network.double().requires_grad_(False)
            found.append(network)
            codes.append(network.encode(e.double()[None])[0][0])
    return found, torch.stack(codes)


def made_by(networks: Sequence[SpectrumVAE], codes: Tensor) -> Tensor:
    """Spectra ``(endmembers, bands, pixels)`` of codes ``(endmembers, pixels, latent)``."""
    return torch.stack([network.decoder(z).T for network, z in zip(networks, codes, strict=True)])


def nearest_codes(
    networks: Sequence[SpectrumVAE],
    codes: Tensor,
    y: Tensor,
    a: Tensor,
    reference: Tensor,
    *,
    nearness: float,
    steps: int,
) -> Tensor:
    """Codes for given abundances, by damped Gauss-Newton steps of all pixels at once, each with its damping.

    No step raises a pixel's objective.

    Parameters
    ----------
    codes
        Start, shape ``(endmembers, pixels, latent)``.
    y, a, reference
        Image, abundances, codes of the endmembers ``(endmembers, latent)``.
    """

    def linear(codes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Residuals ``(pixels, bands)``, slopes of the mixture ``(pixels, codes, bands)``, the objective."""
        left, slopes = y.T, []
        for network, z, share in zip(networks, codes, a, strict=True):
            made, slope = network.spectra(z)
            left = left - made * share[:, None]
            slopes.append(slope * share[:, None, None])
        away = (codes - reference[:, None]).square().sum(dim=(0, 2))
        return left, torch.cat(slopes, dim=1), left.square().sum(dim=1) + nearness * away

    count = codes.shape[0] * codes.shape[2]
    unit = torch.eye(count, dtype=y.dtype, device=y.device)
    left, slopes, value = linear(codes)
    damping = torch.full_like(value, _DAMPING)
    for _ in range(steps):
        away = (codes - reference[:, None]).transpose(0, 1).flatten(1)
        down = (slopes @ left[:, :, None])[:, :, 0] - nearness * away
        normal = slopes @ slopes.mT + (nearness + damping)[:, None, None] * unit
        step = torch.linalg.solve(normal, down).unflatten(1, (len(codes), -1)).transpose(0, 1)
        tried = linear(codes + step)
        good = tried[2] < value
        codes = torch.where(good[:, None], codes + step, codes)
        left, slopes = (
            torch.where(good.view(-1, *[1] * (new.ndim - 1)), new, old)
            for new, old in zip(tried[:2], (left, slopes), strict=True)
        )
        value = torch.where(good, tried[2], value)
        damping = torch.where(good, damping / 10, damping * 10)
    return codes


def solve(problem: Problem, settings: GeneratorSettings) -> Unmixing:
    """VCA and SCLSU, generators, then codes and abundances by turns. Endmembers are means of the spectra.

    History: ``relative-error-reconstruction``, that of the model with a spectrum for each pixel.
    """
    start = first_estimate(problem)
    y, e, a = (torch.tensor(X, device=problem.device) for X in (start.Y, start.E, start.A))
    shape = problem.scene.height, problem.scene.width
    networks, reference = generators(y.T.float().clamp(0, 1), e.T.float().clamp(0, 1), settings, problem.seed)
    codes = y.new_zeros((len(a), y.shape[1], settings.latent))
    errors, converged = [], False
    for _ in range(settings.iterations):
        before = codes, a
        codes = nearest_codes(
            networks, codes, y, a, reference, nearness=settings.nearness, steps=settings.steps
        )
        S = made_by(networks, codes)
        rough = Variation(settings.variation, a.unflatten(1, shape))
        a = smooth_abundances(*pixel_products(S, y), a, shape, rough, tolerance=1e-4, iterations=1000)
        left = (y - (S * a[:, None]).sum(dim=0)).norm()
        errors.append(float(left / y.norm().clamp_min(torch.finfo(y.dtype).tiny)))
        moved = [float((new - old).norm() / old.norm()) for new, old in zip((codes, a), before, strict=True)]
        if max(moved) < settings.tolerance:
            converged = True
            break
    A, spectra, base = (x.cpu().numpy() for x in (a, S, codes))
    return outcome(problem, start, Variability(A, spectra, base, np.array(errors), converged))


DEEPGUN = Method(
    name="deepgun",
    summary="VCA, then endmembers made by a network from a code in each pixel, with smooth abundances",
    kind="variability",
    solve=solve,
    settings=GeneratorSettings,
    needs=Needs(spatial=True),
    source="Borsoi, Imbiriba and Bermudez, IEEE TCI 6, 2020, 374-384",
    quick=(("epochs", 3), ("iterations", 2), ("steps", 3)),
)
