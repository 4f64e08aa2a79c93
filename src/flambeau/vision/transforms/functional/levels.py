"""Curves through the levels of brightness: inversion, fewer levels, stretching, equalisation."""

from __future__ import annotations

from typing import Any

from ....core import dtypes
from ...pillow import Image, ImageOps
from ..images import check_image
from .color import check_channels
from .conversion import largest_value

__all__ = ["autocontrast", "equalize", "invert", "posterize", "solarize"]


def invert(img: Any) -> Any:
    """The negative.

    >>> import flambeau as torch
    >>> invert(torch.tensor([[[0, 255]]], dtype=torch.uint8))
    tensor([[[255,   0]]], dtype=torch.uint8)
    """
    check_image(img)
    if isinstance(img, Image.Image):
        return ImageOps.invert(img)
    _at_least_three(img)
    check_channels(img, (1, 3))
    return largest_value(img.dtype) - img


def posterize(img: Any, bits: int) -> Any:
    """Only the highest ``bits`` of each byte.

    Raises:
        ValueError: not from 0 to 8.
        TypeError: a tensor of another dtype than uint8.

    >>> import flambeau as torch
    >>> from flambeau.vision.transforms import functional as F
    >>> F.posterize(torch.tensor([[[100, 200]]], dtype=torch.uint8), 2)
    tensor([[[ 64, 192]]], dtype=torch.uint8)
    """
    if not 0 <= bits <= 8:
        raise ValueError(f"The number if bits should be between 0 and 8. Got {bits}")
    check_image(img)
    if isinstance(img, Image.Image):
        return ImageOps.posterize(img, bits)
    _at_least_three(img)
    _bytes_only(img)
    check_channels(img, (1, 3))
    return img & (256 - 2 ** (8 - bits))


def solarize(img: Any, threshold: float) -> Any:
    """The negative of all that is at least as bright as ``threshold``.

    Raises:
        TypeError: the threshold exceeds full brightness.

    >>> import flambeau as torch
    >>> from flambeau.vision.transforms import functional as F
    >>> F.solarize(torch.tensor([[[100, 200]]], dtype=torch.uint8), 128)
    tensor([[[100,  55]]], dtype=torch.uint8)
    """
    check_image(img)
    if isinstance(img, Image.Image):
        return ImageOps.solarize(img, threshold)  # type: ignore[arg-type]
    import flambeau

    _at_least_three(img)
    check_channels(img, (1, 3))
    if threshold > largest_value(img.dtype):
        raise TypeError("Threshold should be less than bound of img.")
    return flambeau.where(img >= threshold, invert(img), img)


def autocontrast(img: Any) -> Any:
    """Each channel stretched so that its darkest pixel is black and its brightest has full brightness.

    >>> import flambeau as torch
    >>> from flambeau.vision.transforms import functional as F
    >>> F.autocontrast(torch.tensor([[[0.25, 0.5, 0.75]]]))
    tensor([[[0.0000, 0.5000, 1.0000]]])
    """
    check_image(img)
    if isinstance(img, Image.Image):
        return ImageOps.autocontrast(img)
    import flambeau

    _at_least_three(img)
    check_channels(img, (1, 3))
    full = largest_value(img.dtype)
    kind = img.dtype if img.dtype.is_floating_point else dtypes.float32
    low, high = (each.to(kind) for each in (img.amin((-2, -1), keepdim=True), img.amax((-2, -1), keepdim=True)))
    flat = low == high
    scale = full / (high - low)
    low = flambeau.where(flat, flambeau.zeros_like(low), low)
    scale = flambeau.where(flat, flambeau.ones_like(scale), scale)
    return ((img - low) * scale).clamp(0, full).to(img.dtype)


def equalize(img: Any) -> Any:
    """Each channel's levels spread so that each is about equally frequent.

    Raises:
        TypeError: a tensor of another dtype than uint8.

    >>> import flambeau as torch
    >>> from flambeau.vision.transforms import functional as F
    >>> x = torch.arange(64, dtype=torch.uint8).repeat(16).reshape(1, 32, 32)
    >>> x.max().item(), F.equalize(x).max().item()
    (63, 255)
    """
    check_image(img)
    if isinstance(img, Image.Image):
        return ImageOps.equalize(img)
    import flambeau

    if not 3 <= img.ndim <= 4:
        raise TypeError(f"Input image tensor should have 3 or 4 dimensions, but found {img.ndim}")
    _bytes_only(img)
    check_channels(img, (1, 3))
    planes = [_equalized(plane) for plane in img.reshape(-1, *img.shape[-2:]).unbind(0)]
    return flambeau.stack(planes).reshape(img.shape) if planes else img


def _equalized(plane: Any) -> Any:
    import flambeau

    counts = flambeau.bincount(plane.reshape(-1).to(dtypes.int64), minlength=256)
    present = counts[counts != 0]
    step = int(present[:-1].sum().item()) // 255
    if step == 0:
        return plane
    before = flambeau.nn.functional.pad(counts.cumsum(0)[:-1], [1, 0])
    curve = ((before + step // 2) // step).clamp(0, 255)
    curve[0] = 0
    return curve.to(dtypes.uint8)[plane.to(dtypes.int64)]


def _at_least_three(img: Any) -> None:
    if img.ndim < 3:
        raise TypeError(f"Input image tensor should have at least 3 dimensions, but found {img.ndim}")


def _bytes_only(img: Any) -> None:
    if img.dtype is not dtypes.uint8:
        raise TypeError(f"Only torch.uint8 image tensors are supported, but found {img.dtype}")
