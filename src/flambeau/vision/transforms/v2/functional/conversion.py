"""To tv_tensors and between dtypes; and how large inputs are."""

from __future__ import annotations

from typing import Any

import numpy as np

from .....core import dtypes
from .....operators.creation import from_array
from .....tensor import Tensor
from ....pillow import Image as PIL
from ....tv_tensors import BoundingBoxes, Image
from ... import functional as F
from ...functional.resizing import resize_to, resized_size
from ...images import get_dimensions
from ...interpolation import InterpolationMode, as_interpolation

__all__ = [
    "get_num_channels",
    "get_size",
    "grayscale_to_rgb",
    "pil_to_tensor",
    "resize_image",
    "to_dtype_image",
    "to_image",
]


def pil_to_tensor(pic: Any) -> Any:
    """A PIL image as a tensor (channels, height, width) of the same numbers."""
    return F.pil_to_tensor(pic)


def to_image(inpt: Any) -> Any:
    """A PIL image, a tensor, or an array (height, width[, channels]) as a tv_tensors.Image.

    Raises:
        TypeError: something else.

    >>> import numpy
    >>> to_image(numpy.zeros((4, 5, 3), numpy.uint8)).shape
    torch.Size([3, 4, 5])
    """
    if isinstance(inpt, np.ndarray):
        planes = np.atleast_3d(inpt).transpose(2, 0, 1)
        made = from_array(np.array(planes, order="C"))
    elif isinstance(inpt, PIL.Image):
        made = F.pil_to_tensor(inpt)
    elif isinstance(inpt, Tensor):
        made = inpt.unsqueeze(0) if inpt.ndim == 2 else inpt
    else:
        raise TypeError(
            f"Input can either be a pure Tensor, a numpy array, or a PIL image, but got {type(inpt)} instead."
        )
    return made.as_subclass(Image)


def to_dtype_image(image: Any, dtype: Any = dtypes.float32, scale: bool = False) -> Any:
    """In another dtype; with ``scale`` so that full brightness stays full brightness.

    Raises:
        TypeError: no tensor.
    """
    if not isinstance(image, Tensor):
        raise TypeError(f"to_dtype takes a tensor, but got {type(image)}; make one with to_image")
    return F.convert_image_dtype(image, dtype) if scale else image.to(dtype)


def resize_image(
    image: Any,
    size: Any,
    interpolation: Any = InterpolationMode.BILINEAR,
    max_size: int | None = None,
    antialias: bool | None = True,
) -> Any:
    """The image in another size: (height, width); one number for the shorter edge; or None, and ``max_size`` the longer.

    >>> import flambeau as torch
    >>> resize_image(torch.zeros(3, 20, 40), None, max_size=10).shape
    torch.Size([3, 5, 10])
    """
    if size is not None:
        return F.resize(image, size, interpolation, max_size, antialias)
    _, height, width = get_dimensions(image)
    wanted = resized_size(height, width, None, max_size, allow_size_none=True)
    return resize_to(image, wanted, as_interpolation(interpolation), antialias)


def get_size(inpt: Any) -> list[int]:
    """[height, width]; of boxes that of their canvas."""
    return list(inpt.canvas_size) if isinstance(inpt, BoundingBoxes) else get_dimensions(inpt)[1:]


def get_num_channels(inpt: Any) -> int:
    """How many channels there are."""
    return get_dimensions(inpt)[0]


def grayscale_to_rgb(inpt: Any) -> Any:
    """An image of one channel in three equal ones; one of three as it is."""
    if isinstance(inpt, PIL.Image):
        return inpt.convert("RGB")
    return inpt if inpt.shape[-3] >= 3 else F.rgb_to_grayscale(inpt, 3)
