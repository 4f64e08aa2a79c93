"""Several images side by side."""

from __future__ import annotations

import math
from typing import Any

from ... import operators
from ...autograd.grad_mode import no_grad

__all__ = ["make_grid", "save_image"]


@no_grad()
def make_grid(
    tensor: Any,
    nrow: int = 8,
    padding: int = 2,
    normalize: bool = False,
    value_range: tuple[float, float] | None = None,
    scale_each: bool = False,
    pad_value: float = 0.0,
) -> Any:
    """One image (C, H', W') of many, ``nrow`` in a row.

    Args:
        tensor: (N, C, H, W), or a list of images of one size; grey images become RGB. One image alone is returned as is.
        padding: pixels between images.
        normalize: shift and scale to [0, 1].
        value_range: what becomes 0 and 1; default: the smallest and the largest value.
        scale_each: find the range for each image.
        pad_value: the colour between images.

    Raises:
        TypeError: ``tensor`` is neither, or ``value_range`` is no tuple.

    >>> import flambeau as torch
    >>> torch.vision.utils.make_grid(torch.zeros(10, 1, 4, 5), nrow=4).shape
    torch.Size([3, 20, 30])
    """
    if isinstance(tensor, list):
        for each in tensor:
            if not operators.is_tensor(each):
                raise TypeError(f"tensor or list of tensors expected, got a list containing {type(each)}")
        tensor = operators.stack(tensor, dim=0)
    elif not operators.is_tensor(tensor):
        raise TypeError(f"tensor or list of tensors expected, got {type(tensor)}")
    if not 2 <= tensor.dim() <= 4:
        raise ValueError(f"make_grid: images (H, W), (C, H, W) or (N, C, H, W) expected, got {tuple(tensor.shape)}")
    if value_range is not None and not isinstance(value_range, tuple):
        raise TypeError("value_range has to be a tuple (min, max) if specified. min and max are numbers")
    images = tensor[(None,) * (4 - tensor.dim())]
    count, channels, height, width = images.shape
    if count == 0:
        raise ValueError(f"make_grid: there is no image in {tuple(tensor.shape)}")
    if channels == 1:
        images = images.expand(count, 3, height, width)
        channels = 3
    if normalize:
        images = _normalized(images, value_range, scale_each)
    if count == 1:
        return images[0].clone()
    columns = min(nrow, count)
    rows = math.ceil(count / columns)
    height, width = height + padding, width + padding
    grid = operators.full(
        (channels, height * rows + padding, width * columns + padding),
        pad_value,
        dtype=images.dtype,
        device=images.device,
    )
    for index in range(count):
        top, left = index // columns * height + padding, index % columns * width + padding
        grid[:, top : top + height - padding, left : left + width - padding] = images[index]
    return grid


def _normalized(images: Any, value_range: tuple[float, float] | None, scale_each: bool) -> Any:
    if value_range is not None:
        low, high = value_range
        return (images.clamp(min=low, max=high) - low) / max(high - low, 1e-5)
    over = (1, 2, 3) if scale_each else (0, 1, 2, 3)
    low, high = images.amin(over, keepdim=True), images.amax(over, keepdim=True)
    return (images - low) / (high - low).clamp(min=1e-5)


@no_grad()
def save_image(tensor: Any, fp: Any, format: str | None = None, **kwargs: Any) -> None:
    """Write an image, or the grid of many, with values in [0, 1].

    Args:
        fp: a file name or a file.
        format: "PNG", "JPEG" …; default: what the file name says.
        **kwargs: as for :func:`make_grid`.

    >>> import io
    >>> import flambeau as torch
    >>> file = io.BytesIO()
    >>> torch.vision.utils.save_image(torch.rand(3, 8, 8), file, format="png")
    """
    from ..pillow import Image

    grid = make_grid(tensor, **kwargs)
    levels = (grid * 255 + 0.5).clamp(0, 255).permute(1, 2, 0).to("cpu").byte()
    Image.fromarray(levels.contiguous().numpy()).save(fp, format=format)
