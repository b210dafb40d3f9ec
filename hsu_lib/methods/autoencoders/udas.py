r"""`udas`: an untied autoencoder with a denoiser in closed form, a sparse encoder and a nonnegative decoder.

The decoder's weights are the endmembers, and the encoder's one layer makes abundances of spectra:
:math:`H = \max(W X, 0)`. With the denoised image `V`,

.. math:: \min_{W, E} \tfrac1{2N} \Bigl\|\begin{pmatrix} V \\ w\mathbf 1^\top \end{pmatrix}
          - \begin{pmatrix} E \\ w\mathbf 1^\top \end{pmatrix} \max(W X, 0)\Bigr\|^2
          + \tfrac\lambda2 \sum_k \|W_k\|
          \quad\text{s.t.}\quad 0 \le E \le 1
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from hsu_lib.methods.method import Method, Problem
from hsu_lib.methods.settings import Settings, sourced
from hsu_lib.scene import Status, Unmixing
from hsu_lib.solvers.bounded import bounded_least_squares
from hsu_lib.solvers.denoising import marginalised_denoiser
from hsu_lib.solvers.extraction import Draws, extremes
from hsu_lib.solvers.fclsu import fclsu
from hsu_lib.solvers.scaling import to_sum_one
from hsu_lib.solvers.subspace import leading

CODE = "public code of uDAS"
Float = NDArray[np.float64]


@dataclass(frozen=True)
class UDASSettings(Settings):
    """Settings of the untied denoising autoencoder, each with its source."""

    normalise: Literal["max", "none"] = sourced(
        "max",
        f"ours: over its largest value, as the denoiser's strength depends on the unit; none: {CODE}",
    )
    passes: int = sourced(12, f"{CODE}: how often the image is denoised", at_least=1)
    corruption: float = sourced(1e-5, f"{CODE}: probability of a value to be dropped", at_least=0, below=1)
    draws: Draws = sourced("uniform", "public codes of VCA; normal: its paper")
    rounds: int = sourced(10, f"{CODE}: of decoder and encoder", at_least=1)
    denoising_weight: float = sourced(1e-4, f"{CODE}: gamma of the paper", at_least=0)
    sparsity: float = sourced(1e-6, f"{CODE}: lambda, over the root of thousands of pixels", at_least=0)
    sum_weight: float = sourced(20.0, f"{CODE}: value of the row that asks for sums of one", at_least=0)


def solve(problem: Problem, settings: UDASSettings) -> Unmixing:
    """Denoise, start from VCA and FCLSU, then train decoder and encoder in turn.

    The abundances of the method sum to one only nearly; they are divided by their sum, and are uniform where
    it is zero. An endmember that no pixel has is zero: degenerate. History: ``loss`` of the encoder after
    each round; ``sums`` of the abundances as the encoder made them, a value for each pixel, with which they
    can be had again; ``empty``, the share of pixels without any.
    """
    pixels = problem.scene.pixels.astype(np.float64)
    scale = (float(np.abs(pixels).max()) or 1.0) if settings.normalise == "max" else 1.0
    X = pixels / scale
    clean = marginalised_denoiser(X, corruption=settings.corruption, passes=settings.passes)
    picked = whitened_vca(clean.Y, problem.endmembers, seed=problem.seed, draws=settings.draws)
    W = first_encoder(X, clean.Y, clean.Y[:, picked], settings.sum_weight)
    H = np.maximum(W @ X, 0)
    cost = EncoderCost(X, settings.sum_weight, settings.sparsity * np.sqrt(X.shape[1] / 1000))
    mixed = clean.Y + settings.denoising_weight * (clean.M @ np.vstack([X, np.ones(X.shape[1])]))
    loss = []
    for _ in range(settings.rounds):
        gram = (1 + settings.denoising_weight) * (H @ H.T)
        E = bounded_least_squares(gram, H @ mixed.T, high=1.0).T
        cost.decoder(E, clean.Y)
        step = minimize(cost, W.ravel(), jac=True, method="CG", options={"maxiter": 1})
        W = step.x.reshape(W.shape)
        H = np.maximum(W @ X, 0)
        loss.append(step.fun)
    sums = H.sum(axis=0)
    status = Status.FINISHED if H.any(axis=1).all() else Status.DEGENERATE
    history = {"loss": np.array(loss), "sums": sums, "empty": np.mean(sums == 0, keepdims=True)}
    return Unmixing((scale * E).astype(np.float32), problem.maps(to_sum_one(H)), status, history)


def first_encoder(X: Float, V: Float, E: Float, sum_weight: float) -> Float:
    """Encoder ``(endmembers, bands)`` before training, from endmembers picked in the denoised image `V`.

    FCLSU, nonnegative least squares for the endmembers and then for the abundances, and the weights whose
    answer to the image `X` is nearest to these.
    """
    A = fclsu(V, E)
    E = bounded_least_squares(A @ A.T, A @ V.T).T
    H = bounded_least_squares(E.T @ E + sum_weight**2, E.T @ V + sum_weight**2, tolerance=1e-8)
    # directions of less than a millionth are rounding of the stored image
    return H @ X.T @ np.linalg.pinv(X @ X.T, rcond=1e-12, hermitian=True)


def whitened_vca(V: Float, endmembers: int, *, seed: int, draws: Draws) -> NDArray[np.intp]:
    """Numbers of the pixels that VCA picks in the first p - 1 principal components, each of variance one."""
    centred = V - V.mean(axis=1, keepdims=True)
    x = leading(centred @ centred.T, endmembers - 1).T @ centred if endmembers > 1 else centred[:0]
    spread = x.std(axis=1, keepdims=True)
    x = x / np.where(spread > 0, spread, 1.0)
    height = float(np.linalg.norm(x, axis=0).max()) or 1.0
    return extremes(np.vstack([x, np.full(V.shape[1], height)]), seed=seed, draws=draws)


class EncoderCost:
    r"""Cost of the encoder beside a decoder, with its gradient.

    .. math:: \tfrac1{2N} \Bigl\|\begin{pmatrix} V \\ w\mathbf 1^\top \end{pmatrix}
              - \begin{pmatrix} E \\ w\mathbf 1^\top \end{pmatrix} \max(W X, 0)\Bigr\|^2
              + \tfrac\lambda2 \sum_k \|W_k\|

    The products with `V` are made once for each decoder: an evaluation costs two products with `X`.

    Parameters
    ----------
    X
        Image, shape ``(bands, pixels)``.
    sum_weight, sparsity
        `w` and lambda.
    """

    def __init__(self, X: Float, sum_weight: float, sparsity: float) -> None:
        self.X, self.sum_weight, self.sparsity = X, sum_weight, sparsity

    def decoder(self, E: Float, V: Float) -> None:
        """Endmembers ``(bands, endmembers)`` and denoised image ``(bands, pixels)`` that it is for."""
        ones = self.sum_weight**2
        self.gram, self.products = E.T @ E + ones, E.T @ V + ones
        self.constant = np.square(V).sum() + ones * V.shape[1]

    def __call__(self, flat: Float) -> tuple[float, Float]:
        """Cost of the weights, taken as one vector, and its gradient; of a zero row the subgradient zero."""
        W = flat.reshape(len(self.gram), -1)
        Z, pixels = W @ self.X, self.X.shape[1]
        H = np.maximum(Z, 0)
        residual = self.gram @ H - self.products
        fit = (((residual - self.products) * H).sum() + self.constant) / (2 * pixels)
        norms = np.linalg.norm(W, axis=1, keepdims=True)
        gradient = (residual * (Z > 0)) @ self.X.T / pixels
        gradient += self.sparsity / 2 * W / np.where(norms > 0, norms, 1.0)
        return float(fit + self.sparsity / 2 * norms.sum()), gradient.ravel()


UDAS = Method(
    name="udas",
    summary="untied autoencoder: closed-form denoiser, sparse encoder, endmembers between 0 and 1",
    kind="blind",
    solve=solve,
    settings=UDASSettings,
    quick=(("passes", 2), ("rounds", 3)),
    source="Qu and Qi, IEEE TGRS 57(3), 2019, 1698-1712",
)
