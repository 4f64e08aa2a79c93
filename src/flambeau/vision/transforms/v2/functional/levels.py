"""What v2 does to images beyond v1: fewer levels and equalisation of floating images, erasing in PIL images."""

from __future__ import annotations

from typing import Any

from .....core import dtypes
from .....tensor import Tensor
from ....pillow import Image as PIL
from ... import functional as F

__all__ = ["equalize", "erase", "posterize"]


def posterize(image: Any, bits: int) -> Any:
    """Only ``2**bits`` levels: the highest bits of each byte, or as many steps from 0 to 1 of a floating image."""
    if not isinstance(image, Tensor) or not image.dtype.is_floating_point:
        return F.posterize(image, bits)
    levels = 1 << bits
    return (image * levels).floor().clamp(0, levels - 1) * (1.0 / levels)


def equalize(image: Any) -> Any:
    """Each channel's levels spread so that each is about equally frequent; of floating images 256 levels."""
    if not isinstance(image, Tensor) or not image.dtype.is_floating_point:
        return F.equalize(image)
    flat = F.convert_image_dtype(image, dtypes.uint8).reshape(-1, *image.shape[-3:])
    return F.convert_image_dtype(F.equalize(flat).reshape(image.shape), image.dtype)


def erase(image: Any, i: int, j: int, h: int, w: int, v: Any, inplace: bool = False) -> Any:
    """The image with ``v`` in the rectangle of ``h`` × ``w`` whose upper left corner is at (i, j)."""
    if isinstance(image, PIL.Image):
        return F.to_pil_image(F.erase(F.pil_to_tensor(image), i, j, h, w, v, inplace=True), mode=image.mode)
    return F.erase(image, i, j, h, w, v, inplace)
