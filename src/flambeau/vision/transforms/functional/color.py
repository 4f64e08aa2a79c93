"""Brightness, contrast, saturation, hue, gamma; and grey."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....core import dtypes
from ...pillow import Image, ImageEnhance
from ..images import check_image, get_dimensions
from .conversion import convert_image_dtype, largest_value

__all__ = [
    "adjust_brightness", "adjust_contrast", "adjust_gamma", "adjust_hue", "adjust_saturation", "rgb_to_grayscale",
    "to_grayscale",
]  # fmt: skip

#: What each of red, green and blue adds to brightness (ITU-R recommendation BT.601).
_RED, _GREEN, _BLUE = 0.2989, 0.587, 0.114


def check_channels(img: Any, permitted: tuple[int, ...]) -> int:
    """How many channels a tensor has.

    Raises:
        TypeError: other than the permitted numbers.
    """
    channels = get_dimensions(img)[0]
    if channels not in permitted:
        raise TypeError(f"Input image tensor permitted channel values are {list(permitted)}, but found {channels}")
    return channels


def blend(first: Any, second: Any, ratio: float) -> Any:
    """ratio·first + (1 - ratio)·second, within what the dtype of ``first`` stands for."""
    mixed = (first * float(ratio) + second * (1.0 - float(ratio))).clamp(0, largest_value(first.dtype))
    return mixed if mixed.dtype is first.dtype else mixed.to(first.dtype)


def _not_negative(name: str, factor: float) -> None:
    if factor < 0:
        raise ValueError(f"{name} ({factor}) is not non-negative.")


def adjust_brightness(img: Any, brightness_factor: float) -> Any:
    """Black (0), as it is (1), or brighter (more).

    Raises:
        ValueError: a negative factor.

    >>> import flambeau as torch
    >>> adjust_brightness(torch.full((1, 1, 2), 0.25), 2)
    tensor([[[0.5000, 0.5000]]])
    """
    _not_negative("brightness_factor", brightness_factor)
    check_image(img)
    if isinstance(img, Image.Image):
        return ImageEnhance.Brightness(img).enhance(brightness_factor)
    check_channels(img, (1, 3))
    return blend(img, img * 0, brightness_factor) if img.dtype.is_floating_point else blend(img, 0, brightness_factor)


def adjust_contrast(img: Any, contrast_factor: float) -> Any:
    """All in the mean grey (0), as it is (1), or with more contrast (more).

    Raises:
        ValueError: a negative factor.

    >>> import flambeau as torch
    >>> from flambeau.vision.transforms import functional as F
    >>> x = torch.tensor([[[0.2]], [[0.4]], [[0.6]]])
    >>> F.adjust_contrast(x, 2.0).flatten()
    tensor([0.0370, 0.4370, 0.8370])
    """
    _not_negative("contrast_factor", contrast_factor)
    check_image(img)
    if isinstance(img, Image.Image):
        return ImageEnhance.Contrast(img).enhance(contrast_factor)
    gray = rgb_to_grayscale(img) if check_channels(img, (1, 3)) == 3 else img
    kind = img.dtype if img.dtype.is_floating_point else dtypes.float32
    return blend(img, gray.to(kind).mean(dim=(-3, -2, -1), keepdim=True), contrast_factor)


def adjust_saturation(img: Any, saturation_factor: float) -> Any:
    """Grey (0), as it is (1), or more colourful (more).

    Raises:
        ValueError: a negative factor.

    >>> import flambeau as torch
    >>> from flambeau.vision.transforms import functional as F
    >>> x = torch.tensor([[[0.2]], [[0.4]], [[0.6]]])
    >>> F.adjust_saturation(x, 0.0).flatten()
    tensor([0.3630, 0.3630, 0.3630])
    """
    _not_negative("saturation_factor", saturation_factor)
    check_image(img)
    if isinstance(img, Image.Image):
        return ImageEnhance.Color(img).enhance(saturation_factor)
    if check_channels(img, (1, 3)) == 1:
        return img
    return blend(img, rgb_to_grayscale(img), saturation_factor)


def adjust_hue(img: Any, hue_factor: float) -> Any:
    """All colours turned round the colour circle by ``hue_factor`` of it, from -0.5 to 0.5.

    Raises:
        ValueError: another factor.

    >>> import flambeau as torch
    >>> from flambeau.vision.transforms import functional as F
    >>> x = torch.tensor([[[0.2]], [[0.4]], [[0.6]]])
    >>> F.adjust_hue(x, 0.5).flatten()
    tensor([0.6000, 0.4000, 0.2000])
    """
    if not -0.5 <= hue_factor <= 0.5:
        raise ValueError(f"hue_factor ({hue_factor}) is not in [-0.5, 0.5].")
    check_image(img)
    if isinstance(img, Image.Image):
        return _turned(img, hue_factor)
    if check_channels(img, (1, 3)) == 1:
        return img
    kind = img.dtype
    hue, saturation, value = _to_hsv(convert_image_dtype(img, dtypes.float32) if kind is dtypes.uint8 else img)
    return convert_image_dtype(_from_hsv((hue + hue_factor) % 1.0, saturation, value), kind)


def _turned(img: Any, factor: float) -> Any:
    if img.mode in ("L", "1", "I", "F"):
        return img
    hue, saturation, value = img.convert("HSV").split()
    turned = np.asarray(hue) + np.int32(factor * 255).astype(np.uint8)
    return Image.merge("HSV", (Image.fromarray(turned), saturation, value)).convert(img.mode)


def _to_hsv(img: Any) -> tuple[Any, Any, Any]:
    """Hue, saturation and value, each from 0 to 1 (Smith, "Color gamut transform pairs", 1978)."""
    import flambeau

    red, green, blue = img.unbind(-3)
    value, low = img.amax(-3), img.amin(-3)
    spread = value - low
    gray = value == low
    ones = flambeau.ones_like(value)
    saturation = spread / flambeau.where(gray, ones, value)
    divisor = flambeau.where(gray, ones, spread)
    from_red, from_green, from_blue = ((value - each) / divisor for each in (red, green, blue))
    is_red, is_green = value == red, value == green
    zero = flambeau.zeros_like(value)
    turn = flambeau.where(
        is_red, from_blue - from_green,
        flambeau.where(is_green, 2.0 + from_red - from_blue, 4.0 + from_green - from_red),
    )  # fmt: skip
    hue = (flambeau.where(gray, zero, turn) / 6.0 + 1.0) % 1.0
    return hue, saturation, value


def _from_hsv(hue: Any, saturation: Any, value: Any) -> Any:
    """The image of these; its red, green and blue lie on trapezoids round the colour circle."""
    import flambeau

    sector = (hue * 6.0).floor()
    rest = hue * 6.0 - sector
    sector = sector.to(dtypes.int64) % 6
    low = (value * (1.0 - saturation)).clamp(0.0, 1.0)
    falling = (value * (1.0 - saturation * rest)).clamp(0.0, 1.0)
    rising = (value * (1.0 - saturation * (1.0 - rest))).clamp(0.0, 1.0)
    parts = flambeau.stack([value, falling, low, low, rising, value])
    # Green follows red by two sectors, blue by four.
    planes = [parts.gather(0, ((sector + shift) % 6).unsqueeze(0)).squeeze(0) for shift in (0, 4, 2)]
    return flambeau.stack(planes, -3)


def adjust_gamma(img: Any, gamma: float, gain: float = 1) -> Any:
    """gain · image**gamma, of an image from 0 to 1: more than 1 darkens the shadows, less lightens them.

    Raises:
        ValueError: a negative gamma.

    >>> import flambeau as torch
    >>> from flambeau.vision.transforms import functional as F
    >>> x = torch.tensor([[[0.2]], [[0.4]], [[0.6]]])
    >>> F.adjust_gamma(x, 2.0).flatten()
    tensor([0.0400, 0.1600, 0.3600])
    """
    if gamma < 0:
        raise ValueError("Gamma should be a non-negative real number")
    check_image(img)
    if isinstance(img, Image.Image):
        curve = [int((255 + 1 - 1e-3) * gain * (level / 255.0) ** gamma) for level in range(256)]
        return img.convert("RGB").point(curve * 3).convert(img.mode)
    check_channels(img, (1, 3))
    kind = img.dtype
    unit = img if kind.is_floating_point else convert_image_dtype(img, dtypes.float32)
    return convert_image_dtype((gain * unit**gamma).clamp(0, 1), kind)


def rgb_to_grayscale(img: Any, num_output_channels: int = 1) -> Any:
    """Brightness alone, in one channel or three equal ones.

    Raises:
        ValueError: another number of channels.

    >>> import flambeau as torch
    >>> from flambeau.vision.transforms import functional as F
    >>> x = torch.tensor([[[0.2]], [[0.4]], [[0.6]]])
    >>> F.rgb_to_grayscale(x)
    tensor([[[0.3630]]])
    """
    if num_output_channels not in (1, 3):
        raise ValueError("num_output_channels should be either 1 or 3")
    check_image(img)
    if isinstance(img, Image.Image):
        return to_grayscale(img, num_output_channels)
    if img.ndim < 3:
        raise TypeError(f"Input image tensor should have at least 3 dimensions, but found {img.ndim}")
    gray = img
    if check_channels(img, (1, 3)) == 3:
        red, green, blue = img.unbind(-3)
        gray = (_RED * red + _GREEN * green + _BLUE * blue).to(img.dtype).unsqueeze(-3)
    return gray.expand(*gray.shape[:-3], 3, *gray.shape[-2:]) if num_output_channels == 3 else gray


def to_grayscale(img: Any, num_output_channels: int = 1) -> Any:
    """``rgb_to_grayscale`` of a PIL image.

    Raises:
        TypeError: no PIL image.

    >>> import flambeau as torch
    >>> from flambeau.vision.transforms import functional as F
    >>> from PIL import Image
    >>> F.to_grayscale(Image.new("RGB", (2, 2))).mode
    'L'
    """
    if not isinstance(img, Image.Image):
        raise TypeError("Input should be PIL Image")
    if num_output_channels not in (1, 3):
        raise ValueError("num_output_channels should be either 1 or 3")
    gray = img.convert("L")
    return gray if num_output_channels == 1 else Image.merge("RGB", (gray, gray, gray))
