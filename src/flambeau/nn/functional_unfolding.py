"""``unfold`` and ``fold``: images as columns of their windows, and back."""

from __future__ import annotations

from typing import Any

from ..operators import pooling as p
from ..operators.convolution import repeated


def unfold(input: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """Every window of (batch, channels, height, width) as a column: (batch, channels·kernel, windows).

    >>> import flambeau as torch
    >>> torch.nn.functional.unfold(torch.ones(1, 2, 3, 3), 2).shape
    torch.Size([1, 8, 4])
    """
    if input.dim() not in (3, 4):
        raise RuntimeError(f"Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for "
                           f"input, but got: {list(input.shape)}")  # fmt: skip
    kernel, steps = repeated(kernel_size, 2, "kernel_size"), repeated(stride, 2)
    pads, gaps = repeated(padding, 2, "padding"), repeated(dilation, 2, "dilation")
    for what, values in (("kernel size", kernel), ("dilation", gaps), ("stride", steps)):
        if min(values) < 1:
            raise RuntimeError(f"{what} should be greater than zero, but got {what.replace(' ', '_')}: {values}")
    if min(pads) < 0:
        raise RuntimeError(f"padding should be non-negative, but got padding: {pads}")
    out = tuple((n + 2 * q - d * (k - 1) - 1) // s + 1 for n, k, s, q, d in zip(input.shape[-2:], kernel, steps, pads, gaps))
    if min(out) < 1:
        raise RuntimeError(
            f"Given input with spatial size {tuple(input.shape[-2:])}, kernel_size={kernel}, dilation={gaps}, padding={pads}, "
            f"calculated shape of the array of sliding blocks as {out}, but its components must be at least one."
        )
    batched = input.dim() == 4
    columns = p.unfold_columns(input if batched else input.unsqueeze(0), kernel, steps, pads, gaps, out)
    return columns if batched else columns.squeeze(0)


def fold(input: Any, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """Columns added back into an image of ``output_size``: the adjoint of :func:`unfold`."""
    if input.dim() not in (2, 3):
        raise RuntimeError(f"Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and non-zero dimensions "
                           f"for input, but got: {list(input.shape)}")  # fmt: skip
    sizes, kernel, steps = repeated(output_size, 2, "output_size"), repeated(kernel_size, 2, "kernel_size"), repeated(stride, 2)
    pads, gaps = repeated(padding, 2, "padding"), repeated(dilation, 2, "dilation")
    for what, values in (("kernel size", kernel), ("dilation", gaps), ("stride", steps)):
        if min(values) < 1:
            raise RuntimeError(f"{what} should be greater than zero, but got {what.replace(' ', '_')}: {values}")
    out = tuple((n + 2 * q - d * (k - 1) - 1) // s + 1 for n, k, s, q, d in zip(sizes, kernel, steps, pads, gaps))
    area = kernel[0] * kernel[1]
    if input.shape[-2] % area:
        raise RuntimeError(
            f"Expected size of input's dimension 1 to be divisible by the product of kernel_size, but got "
            f"input.size(1)={input.shape[-2]} and kernel_size={kernel}."
        )
    if input.shape[-1] != out[0] * out[1]:
        raise RuntimeError(
            f"Given output_size={sizes}, kernel_size={kernel}, dilation={gaps}, padding={pads}, stride={steps}, expected size of "
            f"input's dimension 2 to match the calculated number of sliding blocks {out[0]} * {out[1]} = {out[0] * out[1]}, but "
            f"got input.size(2)={input.shape[-1]}."
        )
    batched = input.dim() == 3
    image = p.fold_columns(input if batched else input.unsqueeze(0), sizes, kernel, steps, pads, gaps, out)
    return image if batched else image.squeeze(0)
