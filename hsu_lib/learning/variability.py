r"""Spectral variability: endmembers times random piecewise-affine functions of the band.

A factor is given by three values :math:`\xi_1, \xi_2, \xi_3`, uniform on
:math:`[1 - c/2, 1 + c/2]`, at the first band, at a random break and at the last band; between them it is
affine. One factor per endmember and image is the simple perturbation of the report on perturbations; a second
one per endmember and pixel, on top of the first, is its pixel-wise perturbation.

Nothing here holds a list of images: patches are drawn, perturbed, mixed and noised when they are
needed, on the device where they are needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

import torch
from torch import Tensor

Outside = Literal["redraw", "clip"]


class PiecewiseAffine(NamedTuple):
    """Factors, affine between three `knots` ``(..., 3)``; the middle ones are at bands `breaks` ``(...)``."""

    knots: Tensor
    breaks: Tensor


@dataclass(frozen=True)
class Variability:
    r"""The law of the factors.

    Parameters
    ----------
    strength
        :math:`c_{var}` of the document: the factors at the three knots lie in :math:`1 \pm c_{var}/2`.
    outside
        The break :math:`\lfloor L/2\rfloor + \lfloor L U/3\rfloor` with a standard normal `U` is to lie
        in 1 to `L`, but about one draw in eight does not. ``"redraw"`` draws `U` again (from the normal
        law cut to where the break is in range); ``"clip"`` takes the nearest band, which gathers these
        draws in the first and the last band, where the factor has no break.
    spread
        Standard deviation of `U`: 1 in the document, 0.03 in its code.
    shared
        One factor for all endmembers, as in the code, instead of one each, as in the document.

    Raises
    ------
    ValueError
        For a strength outside 0 to 2 (factors would become negative), or a spread that is not positive.

    References
    ----------
    Report on perturbations, section Perturbation procedure describing; Thouvenin, Dobigeon and Tourneret,
    IEEE TSP 64(2), 2016, 525-538 (the idea of a perturbed linear mixing model).
    """

    strength: float = 0.5
    outside: Outside = "redraw"
    spread: float = 1.0
    shared: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.strength <= 2:
            raise ValueError(f"strength: expected 0 to 2, got {self.strength}")
        if self.outside not in ("redraw", "clip"):
            raise ValueError(f"outside: expected 'redraw' or 'clip', got {self.outside!r}")
        if self.spread <= 0:
            raise ValueError(f"spread: expected a positive number, got {self.spread}")

    def draw(self, shape: tuple[int, ...], bands: int, generator: torch.Generator) -> PiecewiseAffine:
        """Factors for endmembers.

        Parameters
        ----------
        shape
            ``(..., endmembers)``.
        bands
            Number of bands `L`.
        generator
            Source of all randomness; the factors are on its device.

        Returns
        -------
        PiecewiseAffine
            Of that shape.
        """
        where = generator.device
        wanted = (*shape[:-1], 1) if self.shared else shape
        knots = torch.rand((*wanted, 3), generator=generator, device=where)
        knots = 1 + self.strength * (knots - 0.5)
        half = bands // 2
        if self.outside == "redraw":
            lowest, highest = (3 * k / bands / self.spread for k in (1 - half, bands - half + 1))
            # numbers, not tensors: nothing has to reach the device
            low, high = (
                float(torch.special.ndtr(torch.tensor(k, dtype=torch.float64))) for k in (lowest, highest)
            )
            # the inverse of the distribution function, between the ends of the range
            u = torch.rand(wanted, generator=generator, device=where, dtype=torch.float64)
            U = self.spread * torch.special.ndtri(low + u * (high - low))
        else:
            U = self.spread * torch.randn(wanted, generator=generator, device=where)
        breaks = (half + torch.floor(bands * U / 3)).clamp(1, bands).long() - 1
        return PiecewiseAffine(knots.expand(*shape, 3), breaks.expand(shape))


@lru_cache(maxsize=8)
def _ramps(bands: int, device: torch.device) -> Tensor:
    """Shape ``(2, bands, bands)``, by break and band: from 1 at the first band, and at the last, to 0."""
    band = torch.arange(bands, device=device, dtype=torch.float32)
    break_ = band[:, None]
    before = (break_ - band).clamp_min(0) / break_.clamp_min(1)
    after = (band - break_).clamp_min(0) / (bands - 1 - break_).clamp_min(1)
    return torch.stack([before, after])


def evaluate(factors: PiecewiseAffine, bands: int) -> Tensor:
    """Values of the factors at every band, shape ``(..., bands)``.

    At the break the value is the second knot, at the first and last band the first and third (unless
    the break is there).
    """
    before, after = _ramps(bands, factors.knots.device)[:, factors.breaks]
    first, middle, last = (factors.knots[..., k, None] for k in range(3))
    return middle + (first - middle) * before + (last - middle) * after


def perturb(E: Tensor, factors: PiecewiseAffine) -> Tensor:
    """Endmembers times their factors.

    Parameters
    ----------
    E
        Shape ``(bands, endmembers)``.
    factors
        Of shape ``(..., endmembers)``.

    Returns
    -------
    Tensor
        Shape ``(..., bands, endmembers)``.
    """
    return E * evaluate(factors, len(E)).transpose(-1, -2)


def mix(E: Tensor, A: Tensor) -> Tensor:
    """Linear mixture ``E A`` of each image, pixels before bands.

    Parameters
    ----------
    E
        Shape ``(images, bands, endmembers)``.
    A
        Shape ``(images, endmembers, pixels)``.

    Returns
    -------
    Tensor
        Shape ``(images, pixels, bands)``: the memory order of a channels-last batch.
    """
    return A.transpose(1, 2) @ E.transpose(1, 2)


def mix_pixelwise(E: Tensor, A: Tensor, factors: PiecewiseAffine) -> tuple[Tensor, Tensor]:
    r"""Mixture in which every pixel has perturbed endmembers of its own.

    A factor is a sum of a constant and two ramps, and a ramp depends on the break alone. So a pixel is
    a weighted sum of rows of a small table (endmembers times ramps), and no array of endmembers per
    pixel is ever made.

    Parameters
    ----------
    E, A
        As in `mix`.
    factors
        Of shape ``(images, pixels, endmembers)``.

    Returns
    -------
    Y, E_mean
        The mixture, as in `mix`, and the mean over its pixels of the endmembers, shape of `E`: the
        supervised target of the report on perturbations, section Pixel-wise endmember perturbations.
    """
    images, bands, endmembers = E.shape
    pixels = A.shape[2]
    ramps = _ramps(bands, E.device)
    spectra = E.transpose(1, 2)  # (images, endmembers, bands)
    table = (spectra[:, :, None, None] * ramps).reshape(-1, bands)  # by image, endmember, side and break
    middle = factors.knots[..., 1]
    sides = factors.knots[..., ::2] - middle[..., None]  # (images, pixels, endmembers, 2)
    a = A.transpose(1, 2)
    blocks = torch.arange(images * endmembers * 2, device=E.device).view(images, 1, endmembers, 2)
    rows = blocks * bands + factors.breaks[..., None]
    Y = torch.nn.functional.embedding_bag(
        rows.reshape(images * pixels, -1),
        table,
        per_sample_weights=(a[..., None] * sides).reshape(images * pixels, -1),
        mode="sum",
    ).view(images, pixels, bands)
    Y.baddbmm_(a * middle, spectra)
    # the mean factor: how much of each ramp there is over all pixels
    share = torch.zeros(len(table), device=E.device).index_add_(0, rows.reshape(-1), sides.reshape(-1))
    share = share.view(images, endmembers, 2, bands) / pixels
    mean = middle.mean(dim=1)[..., None] + torch.einsum("ijsb,sbl->ijl", share, ramps)
    return Y, (spectra * mean).transpose(1, 2)


class Batch(NamedTuple):
    """Images with their truth: `Y` ``(images, bands, height, width)``, channels last; `E` ``(images,
    bands, endmembers)``; `A` ``(images, endmembers, height, width)``.
    """

    Y: Tensor
    E: Tensor
    A: Tensor


class Stream(NamedTuple):
    """Labelled batches that are made when they are asked for.

    `numbers` maps an epoch to the numbers of the images or patches of its batches, and `make` turns such
    numbers into a batch. All that is random in `make` comes from `generator`, and no value is looked at, so
    that a step of training can be replayed (`hsu_lib.learning.fit.fit`).
    """

    numbers: Callable[[int], Iterator[Tensor]]
    make: Callable[[Tensor], Batch]
    generator: torch.Generator

    def batches(self, epoch: int) -> Iterator[Batch]:
        """All batches of an epoch."""
        yield from map(self.make, self.numbers(epoch))


def shuffled(count: int, batch: int, generator: torch.Generator) -> Callable[[int], Iterator[Tensor]]:
    """Epoch to its batches of the numbers below `count`, in an order drawn anew; the last may be smaller."""

    def numbers(_: int) -> Iterator[Tensor]:
        yield from torch.randperm(count, generator=generator, device=generator.device).split(batch)

    return numbers


def generate(
    E: Tensor,
    A: Tensor,
    *,
    noise: float,
    generator: torch.Generator,
    pixelwise: Variability | None = None,
) -> Batch:
    """Images of the linear mixing model with noise, perturbed in every pixel if asked.

    Parameters
    ----------
    E
        Endmembers of each image (perturbed once per image by `perturb`), ``(images, bands, endmembers)``.
    A
        Abundances, shape ``(images, endmembers, height, width)``.
    noise
        Standard deviation of the added white Gaussian noise, in the unit of `E`.
    generator
        Source of all randomness, on the device of `E`.
    pixelwise
        Law of the perturbation of every pixel; None for none.

    Returns
    -------
    Batch
        Its `E` is the mean over pixels where they differ.
    """
    images, endmembers, height, width = A.shape
    flat = A.reshape(images, endmembers, height * width)
    if pixelwise is None:
        Y = mix(E, flat)
    else:
        shape = (images, height * width, endmembers)
        Y, E = mix_pixelwise(E, flat, pixelwise.draw(shape, E.shape[1], generator))
    if noise > 0:
        Y += noise * torch.randn(Y.shape, generator=generator, device=Y.device)
    return Batch(Y.view(images, height, width, -1).permute(0, 3, 1, 2), E, A)


class Positions(NamedTuple):
    """Upper left corners of patches, `tops` and `lefts`, shape ``(patches,)``, and their `size`."""

    tops: Tensor
    lefts: Tensor
    size: tuple[int, int]


def draw_positions(patches: int, image: tuple[int, int], size: int, generator: torch.Generator) -> Positions:
    """Random patches of `size` pixels a side, every position equally likely; the image's side if shorter."""
    height, width = (min(size, side) for side in image)
    where = generator.device
    tops = torch.randint(image[0] - height + 1, (patches,), generator=generator, device=where)
    lefts = torch.randint(image[1] - width + 1, (patches,), generator=generator, device=where)
    return Positions(tops, lefts, (height, width))


def cut(A: Tensor, positions: Positions) -> Tensor:
    """Patches of maps, shape ``(patches, maps, size, size)``.

    Parameters
    ----------
    A
        Maps of one image, ``(maps, height, width)``, or of one image for each patch, ``(patches, maps,
        height, width)``; on the device of the positions.
    """
    height, width = positions.size
    A = A.expand(len(positions.tops), *A.shape[-3:])
    image = torch.arange(len(A), device=A.device)[:, None, None]
    rows = positions.tops[:, None, None] + torch.arange(height, device=A.device)[:, None]
    columns = positions.lefts[:, None, None] + torch.arange(width, device=A.device)
    return A[image, :, rows, columns].permute(0, 3, 1, 2)
