"""A convolution from few channels to many, faster backwards on a CPU than the stock one."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


class _WideConvolution(torch.autograd.Function):
    """Stride 1, "same" zero padding, odd square kernel; forward and weight gradient are torch's own.

    The gradient for the input is a convolution from many channels (bands) to few (endmembers), for
    which oneDNN leaves most of the vector lanes empty: 37 ms for 10 patches of 40 x 40 x 156 on two
    cores. As one matrix product and kernel^2 shifted additions it takes 14 ms.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return F.conv2d(x, weight, padding=weight.shape[-1] // 2)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        bands, channels, size, _ = weight.shape
        half = size // 2
        grad_x = grad_weight = None
        if ctx.needs_input_grad[1]:
            grad_weight = torch.nn.grad.conv2d_weight(  # type: ignore[attr-defined]
                x, weight.shape, grad, padding=half
            )
        if ctx.needs_input_grad[0]:
            images, _, height, width = grad.shape
            flat = grad.permute(0, 2, 3, 1).reshape(-1, bands)  # (images * pixels, bands)
            kernel = weight.permute(2, 3, 1, 0).reshape(-1, bands)  # (size^2 * channels, bands)
            parts = (kernel @ flat.T).view(size, size, channels, images, height, width)
            total = grad.new_zeros(channels, images, height + 2 * half, width + 2 * half)
            for row in range(size):
                for column in range(size):
                    total[:, :, row : row + height, column : column + width] += parts[row, column]
            grad_x = total[:, :, half : half + height, half : half + width].transpose(0, 1)
        return grad_x, grad_weight


def wide_convolution(x: Tensor, weight: Tensor) -> Tensor:
    """Convolution with "same" zero padding and stride 1, equal to `torch.nn.functional.conv2d`.

    Parameters
    ----------
    x
        Shape ``(images, channels, height, width)``.
    weight
        Shape ``(bands, channels, size, size)``, `size` odd.

    Returns
    -------
    Tensor
        Shape ``(images, bands, height, width)``.
    """
    if x.device.type == "cpu" and weight.shape[-1] > 1:
        return _WideConvolution.apply(x, weight)
    return F.conv2d(x, weight, padding=weight.shape[-1] // 2)
