"""Whether a loss has a gradient where estimate and image agree: the corner case of the arccosine."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hsu_lib.learning.networks.autoencoder import cosine_loss


def arccosine_loss(Y_hat: Tensor, Y: Tensor) -> Tensor:
    """Spectral angle of each pixel in radians, shape ``(images, height, width)``.

    The loss of Palsson et al. (2021), which the report on perturbations replaced by `cosine_loss`, section
    Balanced Loss. Its derivative by the cosine, ``-1 / sqrt(1 - cos^2)``, is infinite where the spectra are
    parallel.
    """
    return torch.arccos(1 - cosine_loss(Y_hat, Y))


def finite_gradients(
    loss: Callable[[Tensor, Tensor], Tensor], *, bands: int = 50, pixels: int = 64, seed: int = 0
) -> NDArray[np.float64]:
    """1 for each pixel with a finite gradient where the estimate is twice the image, else 0.

    Parameters
    ----------
    loss
        Estimate and image, ``(1, bands, 1, pixels)``, to a loss per pixel.
    bands, pixels, seed
        Size and seed of the random positive spectra.

    Returns
    -------
    ndarray
        Shape ``(pixels,)``.
    """
    Y = torch.rand(1, bands, 1, pixels, generator=torch.Generator().manual_seed(seed)) + 0.1
    Y_hat = (2 * Y).requires_grad_()
    gradient = torch.autograd.grad(loss(Y_hat, Y).sum(), Y_hat)[0]
    return gradient.isfinite().all(dim=1).flatten().double().numpy()
