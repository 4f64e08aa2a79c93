"""Other sizes."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from ....core import dtypes
from ...pillow import Image
from ..images import check_image, get_dimensions
from ..interpolation import InterpolationMode, as_interpolation, pillow_filter
from .batches import as_floating_batch, restored
from .cropping import crop

__all__ = ["resize", "resized_crop"]

_TENSOR_MODES = (
    InterpolationMode.NEAREST, InterpolationMode.NEAREST_EXACT, InterpolationMode.BILINEAR, InterpolationMode.BICUBIC,
)  # fmt: skip


def resized_size(
    height: int, width: int, size: Sequence[int] | None, max_size: int | None = None, allow_size_none: bool = False
) -> list[int]:
    """[height, width] after ``resize``.

    Raises:
        ValueError: ``max_size`` is not more than the shorter edge asked for.
    """
    short, long = sorted((height, width))
    if size is None:
        if not allow_size_none or not isinstance(max_size, int):
            raise ValueError(f"max_size must be an integer when size is None, but got {max_size} instead.")
        new_short, new_long = int(max_size * short / long), max_size
    elif len(size) == 1:
        new_short, new_long = size[0], int(size[0] * long / short)
        if max_size is not None:
            if max_size <= size[0]:
                raise ValueError(
                    f"max_size = {max_size} must be strictly greater than the requested size for the smaller edge "
                    f"size = {size}"
                )
            if new_long > max_size:
                new_short, new_long = int(max_size * new_short / new_long), max_size
    else:
        return list(size)
    return [new_long, new_short] if width <= height else [new_short, new_long]


def resize(
    img: Any,
    size: int | Sequence[int],
    interpolation: Any = InterpolationMode.BILINEAR,
    max_size: int | None = None,
    antialias: bool | None = True,
) -> Any:
    """The image in another size.

    Args:
        size: (height, width); or one number for the shorter edge, the other following.
        max_size: the longer edge may not exceed this; only where ``size`` is one number.
        antialias: of tensors: blur before shrinking. PIL images always are.

    Raises:
        TypeError: ``size`` is neither a number nor a sequence.
        ValueError: more than two numbers, or ``max_size`` where it cannot be.

    >>> import flambeau as torch
    >>> resize(torch.zeros(3, 20, 30), 10).shape
    torch.Size([3, 10, 15])
    """
    mode = as_interpolation(interpolation)
    check_image(img)
    if isinstance(size, (list, tuple)):
        if len(size) not in (1, 2):
            raise ValueError(
                f"Size must be an int or a 1 or 2 element tuple/list, not a {len(size)} element tuple/list"
            )
        if max_size is not None and len(size) != 1:
            raise ValueError("max_size should only be passed if size specifies the length of the smaller edge, "
                             "i.e. size should be an int or a sequence of length 1 in torchscript mode.")  # fmt: skip
    elif not isinstance(size, int):
        raise TypeError(f"Got inappropriate size arg: {size}")
    _, height, width = get_dimensions(img)
    wanted = resized_size(height, width, [size] if isinstance(size, int) else size, max_size)
    return resize_to(img, wanted, mode, antialias)


def resize_to(img: Any, wanted: list[int], mode: InterpolationMode, antialias: bool | None) -> Any:
    """The image in a size that is known."""
    if isinstance(img, Image.Image):
        if antialias is False and mode in (InterpolationMode.BILINEAR, InterpolationMode.BICUBIC):
            warnings.warn(
                "Anti-alias option is always applied for PIL Image input. Argument antialias is ignored.", stacklevel=3
            )
        return img if [img.height, img.width] == wanted else img.resize((wanted[1], wanted[0]), pillow_filter(mode))
    if mode not in _TENSOR_MODES:
        raise ValueError(f"The interpolation mode {mode} is unsupported with Tensor input")
    if list(img.shape[-2:]) == wanted:
        return img
    import flambeau

    smooth = mode in (InterpolationMode.BILINEAR, InterpolationMode.BICUBIC)
    batch, kind = as_floating_batch(img)
    batch = flambeau.nn.functional.interpolate(
        batch,
        size=wanted,
        mode=mode.value,
        align_corners=False if smooth else None,
        antialias=bool(antialias) and smooth,
    )
    if mode is InterpolationMode.BICUBIC and kind is dtypes.uint8:
        batch = batch.clamp(0, 255)
    return restored(batch, img, kind)


def resized_crop(
    img: Any,
    top: int,
    left: int,
    height: int,
    width: int,
    size: int | Sequence[int],
    interpolation: Any = InterpolationMode.BILINEAR,
    antialias: bool | None = True,
) -> Any:
    """``crop``, then ``resize``.

    >>> import flambeau as torch
    >>> from flambeau.vision.transforms import functional as F
    >>> F.resized_crop(torch.ones(3, 8, 8), 2, 2, 4, 4, [6, 6]).shape
    torch.Size([3, 6, 6])
    """
    return resize(crop(img, top, left, height, width), size, interpolation, antialias=antialias)
