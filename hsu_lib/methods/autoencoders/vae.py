r"""`vae-augmentation`: an autoencoder trained on images whose endmembers a small VAE has made up.

The VAE learns from endmembers `x` of repeated runs of VCA, all of a run as one vector; new ones are decoded
from normal numbers `z`:

.. math:: \min \sum \|\hat x - x\|^2 + \mathrm{KL}\bigl(q(z \mid x)\,\|\,\mathcal N(0, I)\bigr)

The autoencoder is trained on their mixtures as the methods with perturbations are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hsu_lib.learning.fit import fit, seeded
from hsu_lib.learning.networks.vae import EndmemberVAE, vae_loss
from hsu_lib.learning.variability import Batch, Stream, cut, draw_positions, generate, shuffled
from hsu_lib.methods.autoencoders.augmentation import (
    AugmentationSettings,
    derived_seed,
    image,
    own_generator,
    train,
)
from hsu_lib.methods.autoencoders.autoencoder import CODE, PATCHES
from hsu_lib.methods.method import Method, Needs, Problem
from hsu_lib.methods.settings import sourced
from hsu_lib.metrics.alignment import align
from hsu_lib.scene import Unmixing
from hsu_lib.solvers.extraction import vca
from hsu_lib.solvers.fclsu import fclsu

SECTION = "report on perturbations, section VAE approach"


@dataclass(frozen=True)
class VAESettings(AugmentationSettings):
    """Settings of training on images with endmembers from a VAE, each with its source.

    Besides what `AugmentationSettings` lists, `reading` decides:

    ============================  =============================  ==============================
    difference                    ``"document"``                 ``"code"``
    ============================  =============================  ==============================
    order of VCA's endmembers     that of the first run          as each run gives them
    latent numbers are drawn      with standard deviation 1      3
    FCLS is given                 the spectra                    the matrix of spectra reshaped
                                                                 instead of transposed
    ============================  =============================  ==============================
    """

    repeats: int = sourced(100, SECTION + " (runs of VCA)", at_least=1)
    normalise: Literal["endmembers", "both", "none"] = sourced(
        "endmembers",
        SECTION + " (over their l2 norm: code); both divides every pixel by its norm as well (ours)",
    )
    latent: int = sourced(2, SECTION, at_least=1)
    hidden: int = sourced(156, CODE, at_least=1)
    vae_epochs: int = sourced(100, CODE, at_least=1)
    vae_rate: float = sourced(0.01, CODE, above=0)
    images: int = sourced(100, SECTION, at_least=1)
    epochs: int = sourced(50, CODE, at_least=1)
    noise: float = sourced(0.0005, CODE + " (standard deviation, beside endmembers of norm 1)", at_least=0)


class Generated(NamedTuple):
    """VCA's endmembers and the VAE's, ``(number, bands, endmembers)`` both; what the VAE makes of VCA's
    latently, ``(repeats, latent)``; its loss per epoch.
    """

    repeated: NDArray
    made: NDArray
    latent: NDArray
    loss: NDArray


def repeated_vca(Y: NDArray, endmembers: int, *, repeats: int, seed: int, ordered: bool) -> NDArray:
    """Endmembers of repeated VCA runs, shape ``(repeats, bands, endmembers)``.

    Parameters
    ----------
    Y
        Image, shape ``(bands, pixels)``.
    ordered
        Bring every run into the order of the first, by spectral angle; no reference is used.
    """
    seeds = np.random.SeedSequence(seed).generate_state(repeats)
    found = [vca(Y, endmembers, seed=int(s)).E for s in seeds]
    if ordered:
        found = [E[:, align(E, found[0])] for E in found]
    return np.stack(found)


def unit(X: NDArray, axis: int) -> NDArray:
    """`X` over its l2 norms along an axis; zeros stay zeros."""
    norms = np.linalg.norm(X, axis=axis, keepdims=True)
    return X / np.where(norms > 0, norms, 1.0)


def generate_endmembers(
    Y: NDArray, endmembers: int, settings: VAESettings, *, seed: int, device: str = "cpu"
) -> Generated:
    """Train the VAE on repeated VCA runs of an image and draw new sets of endmembers from it.

    Parameters
    ----------
    Y
        Image, shape ``(bands, pixels)``.
    """
    as_code, where = settings.reading == "code", torch.device(device)
    repeated = repeated_vca(Y, endmembers, repeats=settings.repeats, seed=seed, ordered=not as_code)
    if settings.normalise != "none":
        repeated = unit(repeated, axis=1)
    vectors = torch.tensor(repeated.reshape(len(repeated), -1), dtype=torch.float32, device=where)
    with seeded(derived_seed(seed, 2), where):
        network = EndmemberVAE(vectors.shape[1], hidden=settings.hidden, latent=settings.latent).to(where)
        history = fit(
            network,
            lambda _: vectors[torch.randperm(len(vectors), device=where)].split(settings.batch),
            lambda x: vae_loss(network, x),
            epochs=settings.vae_epochs,
            learning_rate=settings.vae_rate,
            optimiser="adam",
        )
        with torch.no_grad():
            z = torch.randn(settings.images, settings.latent, device=where) * (3.0 if as_code else 1.0)
            made = network.decoder(z).cpu().numpy().reshape(settings.images, len(Y), endmembers)
            latent = network.encode(vectors)[0].cpu().numpy()
    if settings.normalise != "none":
        made = unit(made, axis=1)
    steps = -(-len(vectors) // settings.batch)
    return Generated(repeated, made, latent, history["loss"] * steps / len(vectors))


def abundances(Y: NDArray, E: NDArray, settings: VAESettings) -> NDArray:
    """Abundances by FCLSU, shape ``(endmembers, pixels)``, with the endmembers as this reading gives them."""
    # the code hands over (endmembers, bands) made by reshaping: what FCLS then takes for spectra is not
    given = E.reshape(E.shape[::-1]).T if settings.reading == "code" else E
    return fclsu(Y, given)


def solve(problem: Problem, settings: VAESettings) -> Unmixing:
    """Make endmembers, mix them by the abundances that fit the image, train on patches of the result."""
    Y = image(problem.scene)
    endmembers, device = problem.endmembers, problem.device
    flat = Y.reshape(len(Y), -1).astype(np.float64)
    generated = generate_endmembers(flat, endmembers, settings, seed=problem.seed, device=device)
    made = generated.made
    fitted = unit(flat, axis=0) if settings.normalise == "both" else flat
    maps = np.stack([abundances(fitted, E, settings) for E in made])
    # images of unit spectra are far darker than the real one: one factor for all gives them its brightness
    power = np.sqrt(np.mean([np.mean((E @ A) ** 2) for E, A in zip(made, maps, strict=True)]))
    scale = float(np.sqrt(np.mean(flat**2)) / max(power, np.finfo(float).tiny))
    where = torch.device(device)
    patches = stream(
        torch.tensor(scale * made, dtype=torch.float32, device=where),
        torch.tensor(maps, dtype=torch.float32, device=where).view(len(made), endmembers, *Y.shape[1:]),
        settings,
        noise=scale * settings.noise,
        generator=own_generator(problem.seed, where),
    )
    found = train(problem, settings, patches)
    # what the training data was like, for those who ask why
    of_data = {
        "vca-cosine": pairwise_cosine(generated.repeated),
        "vae-loss": generated.loss,
        "latent": generated.latent,
        "residual": residual(fitted, made, maps),
    }
    return replace(found, history={**found.history, **of_data})


def pairwise_cosine(E: NDArray) -> NDArray:
    """Cosine of every two of several estimates, mean over endmembers.

    Parameters
    ----------
    E
        Shape ``(estimates, bands, endmembers)``, all in the same order.

    Returns
    -------
    ndarray
        Shape ``(estimates * (estimates - 1) / 2,)``.
    """
    u = unit(E, axis=1)
    cosines = np.einsum("rlp,slp->rs", u, u, optimize=True) / E.shape[2]
    return cosines[np.triu_indices(len(E), k=1)]


def residual(Y: NDArray, E: NDArray, A: NDArray) -> NDArray:
    """Norm of ``Y - E A`` over that of `Y`, one for each set of endmembers, shape ``(images,)``."""
    return np.array([np.linalg.norm(Y - e @ a) / np.linalg.norm(Y) for e, a in zip(E, A, strict=True)])


def stream(
    E: Tensor, A: Tensor, settings: VAESettings, *, noise: float, generator: torch.Generator
) -> Stream:
    """Labelled patches of linear mixtures.

    Parameters
    ----------
    E, A
        Endmembers and abundances of every image, ``(images, bands, endmembers)`` and ``(images,
        endmembers, height, width)``.
    """
    count = len(E) * max(settings.patches, 1)
    corners = (
        draw_positions(count, (A.shape[2], A.shape[3]), settings.patch_size, generator)
        if settings.patches
        else None
    )

    def make(chosen: Tensor) -> Batch:
        image_of = chosen // max(settings.patches, 1)
        maps = A[image_of]
        if corners is not None:
            here = corners._replace(tops=corners.tops[chosen], lefts=corners.lefts[chosen])
            maps = cut(maps, here)
        return generate(E[image_of], maps, noise=noise, generator=generator)

    return Stream(shuffled(count, settings.batch, generator), make, generator)


VAE = Method(
    name="vae-augmentation",
    summary="autoencoder trained on patches with endmembers from a VAE of repeated VCA runs",
    kind="blind",
    solve=solve,
    settings=VAESettings,
    needs=Needs(spatial=True),
    source=SECTION + "; Kingma and Welling, ICLR 2014",
    quick=(*PATCHES.quick, ("images", 2), ("repeats", 5), ("hidden", 8), ("vae_epochs", 3)),
)
