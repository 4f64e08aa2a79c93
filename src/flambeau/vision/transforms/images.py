"""What an image is: a PIL image, or a tensor (..., channels, height, width); and how large.

A tensor that rests in memory and needs no gradient is handled as the NumPy array it is: the samples of a data set are
small, and recording an operator for a crop of a crop would take longer than cropping.
"""

from __future__ import annotations

from typing import Any, TypeGuard

from ...core.devices import cpu
from ...core.storages import View
from ...tensor import Tensor
from ...tracing.recorder import array_of, trace
from ..pillow import Image

__all__ = [
    "array_at_rest", "check_image", "get_dimensions", "get_image_num_channels", "get_image_size", "is_pil", "is_tensor",
]  # fmt: skip


def is_pil(img: Any) -> bool:
    """Whether it is a PIL image."""
    return isinstance(img, Image.Image)


def is_tensor(img: Any) -> TypeGuard[Tensor]:
    """Whether it is a tensor of at least two dimensions."""
    return isinstance(img, Tensor) and img._spec.ndim >= 2


def check_image(img: Any) -> None:
    """Refuse what is no image.

    Raises:
        TypeError: neither a PIL image nor a tensor of two dimensions or more.
    """
    if not isinstance(img, Image.Image) and not is_tensor(img):
        if isinstance(img, Tensor):
            raise TypeError(f"Tensor is not a torch image: it needs (..., height, width), got shape {tuple(img.shape)}")
        raise TypeError(f"img should be PIL Image or Tensor. Got {type(img)}")


def array_at_rest(img: Any) -> Any:
    """The array behind a tensor whose numbers are there already and need no gradient; else None."""
    cell = img._cell
    storage = cell.storage if type(cell) is View else cell
    if img._tracked or storage.array is None or img._spec.device is not cpu:
        return None
    if storage.epoch is trace.epoch and storage.position >= 0:
        return None  # a value that has been recorded, and not computed
    return array_of(cell)


def get_dimensions(img: Any) -> list[int]:
    """[channels, height, width].

    >>> import flambeau as torch
    >>> get_dimensions(torch.zeros(3, 4, 5))
    [3, 4, 5]
    """
    if isinstance(img, Image.Image):
        return [len(img.getbands()), img.height, img.width]
    check_image(img)
    shape = img.shape
    return [1 if len(shape) == 2 else shape[-3], shape[-2], shape[-1]]


def get_image_size(img: Any) -> list[int]:
    """[width, height]."""
    _, height, width = get_dimensions(img)
    return [width, height]


def get_image_num_channels(img: Any) -> int:
    """How many channels there are."""
    return get_dimensions(img)[0]
