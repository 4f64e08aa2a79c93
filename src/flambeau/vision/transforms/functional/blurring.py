"""Softer and sharper."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np

from ....operators.creation import from_array
from ...pillow import Image, ImageEnhance
from ..images import check_image
from ..spacing import evenly_spaced
from .batches import as_floating_batch, restored
from .color import blend
from .conversion import pil_to_tensor, to_pil_image

__all__ = ["adjust_sharpness", "gaussian_blur"]


def _bell(size: int, sigma: float) -> Any:
    """Weights of a Gaussian at ``size`` places around its middle, in sum 1 (float32)."""
    half = (size - 1) * 0.5
    places = evenly_spaced(-half, half, size)
    weights = np.exp(np.float32(-0.5) * (places / np.float32(sigma)) ** 2)
    return weights / weights.sum()


def _pair(value: Any, name: str, kind: type) -> list[Any]:
    if isinstance(value, numbers.Number):
        return [kind(value)] * 2
    if not isinstance(value, (list, tuple)):
        raise TypeError(
            f"{name} should be {'int' if kind is int else 'either float'} or a sequence of two. Got {type(value)}"
        )
    if len(value) == 1:
        return [kind(value[0])] * 2
    if len(value) != 2:
        raise ValueError(f"If {name} is a sequence its length should be 2. Got {len(value)}")
    return list(value)


def gaussian_blur(img: Any, kernel_size: int | Sequence[int], sigma: float | Sequence[float] | None = None) -> Any:
    """The image convolved with a Gaussian; beyond the border it is mirrored.

    Args:
        kernel_size: (width, height) of the window, odd; one number for both.
        sigma: the Gaussian's deviation along x and y; by default 0.15·kernel_size + 0.35.

    Raises:
        ValueError: an even or non-positive window, or a deviation that is not positive.

    >>> import flambeau as torch
    >>> from flambeau.vision.transforms import functional as F
    >>> F.gaussian_blur(torch.eye(3).unsqueeze(0), 3, 1.0).shape
    torch.Size([1, 3, 3])
    """
    check_image(img)
    sizes = _pair(kernel_size, "kernel_size", int)
    for size in sizes:
        if size % 2 == 0 or size < 0:
            raise ValueError(f"kernel_size should have odd and positive integers. Got {sizes}")
    sigmas = [size * 0.15 + 0.35 for size in sizes] if sigma is None else _pair(sigma, "sigma", float)
    for each in sigmas:
        if each <= 0.0:
            raise ValueError(f"sigma should have positive values. Got {sigmas}")
    if isinstance(img, Image.Image):
        return to_pil_image(gaussian_blur(pil_to_tensor(img), sizes, sigmas), mode=img.mode)
    import flambeau

    batch, kind = as_floating_batch(img)
    window = np.outer(_bell(sizes[1], sigmas[1]), _bell(sizes[0], sigmas[0]))
    across, down = sizes[0] // 2, sizes[1] // 2
    padded = flambeau.nn.functional.pad(batch, [across, across, down, down], mode="reflect")
    return restored(_convolved(padded, window), img, kind)


def _convolved(batch: Any, window: Any) -> Any:
    """Each channel of a batch convolved with ``window``, without a border."""
    import flambeau

    channels = batch.shape[1]
    kernel = from_array(window.astype(np.float32)).to(device=batch.device, dtype=batch.dtype)
    return flambeau.nn.functional.conv2d(batch, kernel.expand(channels, 1, *window.shape), groups=channels)


def adjust_sharpness(img: Any, sharpness_factor: float) -> Any:
    """Blurred (0), as it is (1), or sharpened (more).

    Raises:
        ValueError: a negative factor.

    >>> import flambeau as torch
    >>> from flambeau.vision.transforms import functional as F
    >>> F.adjust_sharpness(torch.eye(4).unsqueeze(0), 0.0)[0, 1]
    tensor([0.0000, 0.5385, 0.1538, 0.0000])
    """
    if sharpness_factor < 0:
        raise ValueError(f"sharpness_factor ({sharpness_factor}) is not non-negative.")
    check_image(img)
    if isinstance(img, Image.Image):
        return ImageEnhance.Sharpness(img).enhance(sharpness_factor)
    if min(img.shape[-2:]) <= 2:
        return img
    window = np.ones((3, 3), np.float32)
    window[1, 1] = 5.0
    batch, kind = as_floating_batch(img)
    inside = _convolved(batch, window / window.sum())
    soft = img.clone()  # the outermost pixels stay as they are
    soft[..., 1:-1, 1:-1] = restored(inside, img, kind)
    return blend(img, soft, sharpness_factor)
