"""Archetypal analysis by entropic descent: endmembers mix pixels, and pixels mix endmembers."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor
from tqdm import tqdm

from hsu_lib.scene import real

Coherence = Literal["correlation", "inner product"]

#: Values of an array (starts, endmembers, pixels) that are worked on at once, of which a handful are held: 50
#: starts of most scenes. On one core 16 starts of Sim1 take 2.1 s, in parts of two 5.3 s.
_VALUES = 2**22


class Archetypes(NamedTuple):
    r"""Where several starts ended.

    Parameters
    ----------
    A
        Abundances, shape ``(starts, endmembers, pixels)``; columns sum to one.
    B
        Shares of the pixels in each endmember, shape ``(starts, endmembers, pixels)``; rows sum to one. Of an
        image ``Y``, the endmembers are the columns of ``Y @ B[start].T``.
    """

    A: NDArray[np.float32]
    B: NDArray[np.float32]


def archetypes(
    Y: ArrayLike,
    endmembers: int,
    *,
    seed: int,
    starts: int = 50,
    iterations: int = 100,
    steps: tuple[int, int] = (5, 5),
    device: str | torch.device = "cpu",
    progress: str | None = None,
) -> Archetypes:
    r"""Entropic descent from several random starts.

    .. math:: \min_{A, B} \tfrac12\|Y - Y B A\|_F^2 \quad\text{s.t.}\quad A, B \ge 0,\
              \mathbf 1^\top A = \mathbf 1^\top,\ \mathbf 1^\top B = \mathbf 1^\top

    Start `k` has random numbers of its own, those of numpy's ``SeedSequence((seed, k))``: two seeds have no
    start in common. They make the first `B`, nearly uniform, and a factor of the rates between 1/8 and 8,
    which is part of the search: no rate suits all starts.

    All is computed in single precision on the image without its mean: that changes no step, because a
    softmax takes away what is the same for all, and leaves a hundredth of the rounding error. Starts are so
    nearly symmetric that this error still grows: with high rates another machine may end elsewhere.

    Parameters
    ----------
    Y
        Image, shape ``(bands, pixels)``.
    endmembers
        How many.
    seed
        Of all starts together.
    starts
        How many.
    iterations
        Rounds of steps; there is no stopping rule.
    steps
        For the abundances, and for the endmembers, in each round.
    device
        Torch device on which to work.
    progress
        Label of a progress bar on stderr; None shows none.

    Returns
    -------
    Archetypes

    Raises
    ------
    ValueError
        If the shape or a value of the image does not fit, or a number is below one.

    References
    ----------
    Zouaoui, Muhawenayo, Rasti, Chanussot and Mairal, "Entropic descent archetypal analysis for blind
    hyperspectral unmixing", IEEE TIP 32, 2023, 4649-4663.
    """
    Y = real(Y, "Y")
    if Y.ndim != 2 or Y.size == 0 or not np.isfinite(Y).all():
        raise ValueError(f"expected a finite image as a matrix (bands, pixels), got shape {Y.shape}")
    if min(endmembers, starts, iterations) < 1:
        raise ValueError("expected at least one endmember, start and iteration")
    pixels, where = Y.shape[1], torch.device(device)
    mean = Y.mean(axis=1, keepdims=True, dtype=np.float64)
    centred = torch.tensor(Y - mean, dtype=torch.float32, device=where)
    offset = torch.tensor(mean[:, 0], dtype=torch.float32, device=where)
    size = min(starts, max(1, _VALUES // (endmembers * pixels)))
    A = np.empty((starts, endmembers, pixels), dtype=np.float32)
    B = np.empty_like(A)
    total = iterations * -(-starts // size)
    with tqdm(total=total, desc=progress, disable=progress is None, unit="iteration", leave=False) as bar:
        for first in range(0, starts, size):
            chunk = slice(first, min(first + size, starts))
            drawn = [_drawn(seed, k, endmembers, pixels) for k in range(chunk.start, chunk.stop)]
            factors = torch.tensor([factor for _, factor in drawn], device=where)
            b = torch.from_numpy(np.stack([noise for noise, _ in drawn])).to(where).mul_(0.1).softmax(dim=2)
            a = torch.full_like(b, 1 / endmembers)
            e = b @ centred.T
            rates = step_sizes(e + offset, factors, pixels)
            for _ in range(iterations):
                a = abundance_steps(centred, a, e, rates[0], steps[0])
                b, e = endmember_steps(centred, a, b, e, rates[1], steps[1])
                bar.update()
            A[chunk], B[chunk] = a.cpu().numpy(), b.cpu().numpy()
    return Archetypes(A, B)


def _drawn(seed: int, k: int, endmembers: int, pixels: int) -> tuple[NDArray[np.float32], float]:
    """What is random in start `k`: uniform numbers ``(endmembers, pixels)``, and a power of two."""
    rng = np.random.default_rng((seed, k))
    return rng.random((endmembers, pixels), dtype=np.float32), float(2.0 ** rng.integers(-3, 4))


def step_sizes(E: Tensor, factors: Tensor, pixels: int) -> tuple[Tensor, Tensor]:
    r"""Rates :math:`\eta_A = f / \sigma_1(E)^2` and :math:`\eta_B = \eta_A \sqrt{p / N}` of several starts.

    With :math:`f \le 1` a step for the abundances cannot raise the objective as long as no singular value of
    the endmembers is larger than this one. The rate of `B` is a heuristic, some :math:`\sqrt N` times one
    that would be safe: so `B` leaves its start within a few steps.

    Parameters
    ----------
    E
        Endmembers of the starts as rows, with the mean of the image, shape ``(starts, endmembers, bands)``.
    factors
        `f`, shape ``(starts,)``.
    pixels
        `N`.
    """
    largest = torch.linalg.matrix_norm(E.double(), ord=2).square()
    for_A = factors / torch.where(largest > 0, largest, 1.0).to(E.dtype)
    return for_A, for_A * (E.shape[1] / pixels) ** 0.5


def abundance_steps(Y: Tensor, A: Tensor, E: Tensor, rate: Tensor, count: int) -> Tensor:
    r"""Entropic steps for the abundances of all starts: times :math:`\exp(-\eta\,\nabla)`, over the sum.

    Written with logarithms, so that what is zero stays zero and nothing overflows.

    Parameters
    ----------
    Y
        Image, shape ``(bands, pixels)``.
    A, E
        Shape ``(starts, endmembers, pixels)`` and, endmembers as rows, ``(starts, endmembers, bands)``.
    rate
        Of each start, shape ``(starts,)``.
    count
        How many steps.
    """
    rate = rate[:, None, None]
    gram, products = rate * (E @ E.mT), (rate * E) @ Y
    for _ in range(count):
        A = torch.baddbmm(products, gram, A, alpha=-1).add_(A.log()).softmax(dim=1)
    return A


def endmember_steps(
    Y: Tensor, A: Tensor, B: Tensor, E: Tensor, rate: Tensor, count: int
) -> tuple[Tensor, Tensor]:
    """The same for the shares `B` of the pixels in the endmembers `E`; shapes and arguments as there."""
    rate = rate[:, None, None]
    gram, products = rate * (A @ A.mT), rate * (A @ Y.T)
    for _ in range(count):
        B = ((products - gram @ E) @ Y).add_(B.log()).softmax(dim=2)
        E = B @ Y.T
    return B, E


def l1_residual(Y: NDArray, E: NDArray, A: NDArray) -> float:
    """Sum of the absolute differences of image ``(bands, pixels)`` and ``E @ A``."""
    return float(np.abs(Y - E @ A).sum(dtype=np.float64))


def coherence(E: ArrayLike, reading: Coherence = "correlation") -> float:
    """How alike the two most similar endmembers are: the lower, the better they are told apart.

    Parameters
    ----------
    E
        Shape ``(bands, endmembers)``.
    reading
        The largest correlation of two spectra over the bands, or their largest inner product.

    Returns
    -------
    float
        0 of a single endmember. A spectrum that is the same in all bands correlates with none.
    """
    E = real(E, "E").astype(np.float64)
    if reading == "correlation":
        E = E - E.mean(axis=0)
        norms = np.linalg.norm(E, axis=0)
        E = E / np.where(norms > 0, norms, 1.0)
    products = (E.T @ E)[~np.eye(E.shape[1], dtype=bool)]
    return float(products.max(initial=-np.inf)) if products.size else 0.0


def select(residuals: ArrayLike, coherences: ArrayLike, tolerance: float = 0.05) -> int:
    r"""The start whose endmembers are least coherent, among those that fit the image nearly as well as any.

    Nearly: :math:`(r - r_{\min}) / r` is at most `tolerance`. The first of equals.
    """
    residuals, coherences = np.asarray(residuals), np.asarray(coherences)
    fitting = residuals - residuals.min() <= tolerance * residuals
    return int(np.where(fitting, coherences, np.inf).argmin())
