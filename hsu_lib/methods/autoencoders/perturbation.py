r"""The five methods of the report on perturbations: an autoencoder trained on perturbed estimations.

Images are made from a first estimation, whose endmembers take random factors :math:`\Xi` that are affine in
two pieces of the bands. With one minus the cosine, `d`, the autoencoder learns from

.. math:: Y = (E \odot \Xi) A + N, \qquad
          \min\ \alpha\, d(\hat Y, Y) + (1 - \alpha)\,\bigl(d(\hat E, E \odot \Xi) + d(\hat A, A)\bigr)

and then unmixes the real image.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import nnls
from torch import Tensor

from hsu_lib.learning.variability import (
    Batch,
    Positions,
    Stream,
    Variability,
    cut,
    draw_positions,
    generate,
    perturb,
    shuffled,
)
from hsu_lib.methods.autoencoders.augmentation import AugmentationSettings, image, own_generator, train
from hsu_lib.methods.autoencoders.autoencoder import CODE, PATCHES, TABLE
from hsu_lib.methods.geometric.snpa import SNPA
from hsu_lib.methods.method import Method, Needs, Problem
from hsu_lib.methods.settings import sourced
from hsu_lib.scene import Unmixing


@dataclass(frozen=True)
class PerturbationSettings(AugmentationSettings):
    """Settings of training on perturbed images, each with its source.

    Besides what `AugmentationSettings` lists, `reading` decides:

    ============================  =============================  ==============================
    difference                    ``"document"``                 ``"code"``
    ============================  =============================  ==============================
    factors                       one per endmember              one for all endmembers
    break                         `U` has standard deviation 1   0.03, mostly within two
                                                                 bands of the middle
    scale of the first            one factor per endmember, so   every endmember over its
    estimation                    that `E A` is nearest to `Y`   maximum
    ============================  =============================  ==============================
    """

    pixelwise: bool = sourced(False, "report on perturbations, section Pixel-wise endmember perturbations")
    image_step: bool = sourced(
        True,
        "report on perturbations, section Models describing: without it (model 7) patches are perturbed anew",
    )
    variability: float = sourced(0.5, CODE + " (c_var)", at_least=0, at_most=2)
    outside: Literal["redraw", "clip"] = sourced(
        "redraw", "ours: the document's formula of the break leaves its stated range in one draw of eight"
    )
    first: Literal["ae-patches", "snpa-fclsu"] = sourced(
        "ae-patches", "report on perturbations, section First Estimation; its formulas are labelled SNPA"
    )
    first_epochs: int = sourced(200, TABLE + " (of ae-patches)", at_least=1)
    first_patches: int = sourced(100, TABLE + " (of ae-patches)", at_least=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.law()

    def law(self) -> Variability:
        """Law of the factors in this reading."""
        as_code = self.reading == "code"
        spread = 0.03 if as_code else 1.0
        return Variability(self.variability, self.outside, spread=spread, shared=as_code)


def starts_from(settings: PerturbationSettings) -> tuple[Method, Mapping[str, Any]]:
    """First estimation and its settings: `ae-patches` in the same reading, or SNPA with FCLSU."""
    if settings.first == SNPA.name:
        return SNPA, {}
    same = ("reading", "patch_size", "batch", "learning_rate", "decay", "decay_every", "filters", "kernel")
    return PATCHES, {
        "epochs": settings.first_epochs,
        "patches": settings.first_patches,
        **{name: getattr(settings, name) for name in (*same, "dropout")},
    }


def solve(problem: Problem, settings: PerturbationSettings) -> Unmixing:
    """Train the autoencoder on images made from a perturbed first estimation; unmix the real one with it."""
    first = problem.first
    assert first is not None  # the contract has it made
    peak = first.E.max(axis=0)
    as_code = settings.reading == "code"
    E = first.E / np.where(peak > 0, peak, 1.0) if as_code else rescaled(first, image(problem.scene))
    where = torch.device(problem.device)
    generated = stream(
        torch.tensor(E, dtype=torch.float32, device=where),
        torch.tensor(first.A, dtype=torch.float32, device=where),
        settings,
        own_generator(problem.seed, where),
    )
    return train(problem, settings, generated)


def rescaled(first: Unmixing, Y: NDArray) -> NDArray:
    """Endmembers of the first estimation, each times one factor, so that ``E A`` is nearest to `Y`.

    The loss of `ae-patches` is blind to scale, so its endmembers have none; the noise's standard
    deviation, and the network that later sees the real image, need one. Nonnegative least squares.
    """
    E, A = first.E.astype(np.float64), first.A.reshape(len(first.A), -1).astype(np.float64)
    normal = (E.T @ E) * (A @ A.T)
    target = np.einsum("lp,pl->p", E, A @ Y.reshape(len(Y), -1).T)
    values, vectors = np.linalg.eigh(normal)
    root = np.sqrt(np.maximum(values, 1e-12 * max(values[-1], np.finfo(float).tiny)))
    scale = nnls(root[:, None] * vectors.T, vectors.T @ target / root)[0]
    held = scale > 1e-6 * max(scale.max(), np.finfo(float).tiny)  # what is smaller comes from rounding
    # an endmember that no pixel holds gets the scale of the others
    return E * np.where(held, scale, scale[held].mean() if held.any() else 1.0)


def stream(E: Tensor, A: Tensor, settings: PerturbationSettings, generator: torch.Generator) -> Stream:
    """Labelled batches, on the device of `E`.

    With the image step, the factors of each image and the corners of each patch are drawn once, as
    for images that are kept; noise and pixel-wise factors are drawn anew at every use. Without it,
    everything is.

    Parameters
    ----------
    E, A
        First estimation, ``(bands, endmembers)`` and ``(endmembers, height, width)``.
    """
    law, bands = settings.law(), len(E)
    whole, count = settings.patches == 0, settings.images * max(settings.patches, 1)

    def draw_images(number: int) -> Tensor:
        return perturb(E, law.draw((number, E.shape[1]), bands, generator))

    def positions(number: int) -> Positions:
        return draw_positions(number, (A.shape[1], A.shape[2]), settings.patch_size, generator)

    kept = draw_images(settings.images) if settings.image_step else None
    corners = None if whole or kept is None else positions(count)

    def make(chosen: Tensor) -> Batch:
        if kept is None:
            images, where = draw_images(len(chosen)), None if whole else positions(len(chosen))
        else:
            images = kept[chosen // max(settings.patches, 1)]
            where = corners and corners._replace(tops=corners.tops[chosen], lefts=corners.lefts[chosen])
        maps = A.expand(len(chosen), *A.shape) if where is None else cut(A, where)
        return generate(
            images,
            maps,
            noise=settings.noise,
            generator=generator,
            pixelwise=law if settings.pixelwise else None,
        )

    return Stream(shuffled(count, settings.batch, generator), make, generator)


_SOURCE = "report on perturbations, sections Endmember perturbations to Models describing"

_FIRST = dict(PATCHES.quick)
_QUICK = _FIRST | {
    "images": 2,
    "patches": 3,
    "first_epochs": _FIRST["epochs"],
    "first_patches": _FIRST["patches"],
}


def _method(name: str, summary: str, **defaults: Any) -> Method:
    quick = _QUICK | ({"patches": 0} if defaults.get("patches") == 0 else {})
    return Method(
        name=name,
        summary=summary,
        kind="blind",
        solve=solve,
        settings=PerturbationSettings,
        defaults=tuple(defaults.items()),
        needs=Needs(spatial=True, first=starts_from),
        source=_SOURCE,
        quick=tuple(quick.items()),
    )


PERTURBATIONS = (
    _method(
        "simple-perturbation",
        "autoencoder trained on whole images, endmembers perturbed once per image",
        epochs=50,
        patches=0,
    ),
    _method(
        "simple-perturbation-patches",
        "autoencoder trained on patches, endmembers perturbed once per image",
    ),
    _method(
        "pixelwise-perturbation",
        "autoencoder trained on whole images, endmembers perturbed in every pixel",
        pixelwise=True,
        images=50,
        patches=0,
    ),
    _method(
        "pixelwise-perturbation-patches",
        "autoencoder trained on patches, endmembers perturbed in every pixel",
        pixelwise=True,
        epochs=50,
    ),
    _method(
        "pixelwise-perturbation-random-patches",
        "the same with every patch perturbed anew, no images",
        pixelwise=True,
        image_step=False,
        images=50,
        patches=40,
    ),
)
