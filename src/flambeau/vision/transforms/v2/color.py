"""Colours, levels and sharpness: of images and videos; masks and boxes stay as they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...pillow import Image as PIL
from ...tv_tensors import Image, Video
from .. import drawing_lots
from ..arguments import spread_around, window_of
from . import functional as F
from .functional.dispatch import is_pure_tensor
from .transform import RandomApplied, Transform, query_channels

__all__ = [
    "JPEG", "RGB", "ColorJitter", "GaussianBlur", "Grayscale", "RandomAdjustSharpness", "RandomAutocontrast",
    "RandomChannelPermutation", "RandomEqualize",
    "RandomGrayscale", "RandomInvert", "RandomPosterize", "RandomSolarize",
]  # fmt: skip

_PIXELS = (Image, Video, PIL.Image, is_pure_tensor)


class Grayscale(Transform):
    """Brightness alone, in one channel or three equal ones."""

    def __init__(self, num_output_channels: int = 1) -> None:
        super().__init__()
        self.num_output_channels = num_output_channels

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.rgb_to_grayscale, inpt, num_output_channels=self.num_output_channels)


class RandomGrayscale(RandomApplied):
    """Grey with probability ``p``, in as many channels as there are."""

    def __init__(self, p: float = 0.1) -> None:
        super().__init__(p)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        return {"num_output_channels": query_channels(flat_inputs)}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.rgb_to_grayscale, inpt, **params)


class RGB(Transform):
    """Three channels, whether grey or coloured before."""

    _transformed_types = _PIXELS

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        made = F.grayscale_to_rgb(inpt)
        return made.as_subclass(type(inpt)) if isinstance(inpt, (Image, Video)) else made


_ADJUSTMENTS = (
    ("brightness_factor", F.adjust_brightness),
    ("contrast_factor", F.adjust_contrast),
    ("saturation_factor", F.adjust_saturation),
    ("hue_factor", F.adjust_hue),
)


class ColorJitter(Transform):
    """Brightness, contrast, saturation and hue changed at random, in random order; see ``transforms.ColorJitter``."""

    def __init__(self, brightness: Any = None, contrast: Any = None, saturation: Any = None, hue: Any = None) -> None:
        super().__init__()
        self.brightness = None if brightness is None else spread_around(brightness, "brightness")
        self.contrast = None if contrast is None else spread_around(contrast, "contrast")
        self.saturation = None if saturation is None else spread_around(saturation, "saturation")
        self.hue = None if hue is None else spread_around(hue, "hue", center=0, bound=(-0.5, 0.5), clip=False)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        order = drawing_lots.shuffled(4)
        ranges = (self.brightness, self.contrast, self.saturation, self.hue)
        return {"order": order, "factors": [None if each is None else drawing_lots.uniform(*each) for each in ranges]}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        for which in params["order"]:
            factor = params["factors"][which]
            if factor is not None:
                inpt = self._call_kernel(_ADJUSTMENTS[which][1], inpt, factor)
        return inpt


class GaussianBlur(Transform):
    """Convolved with a Gaussian of random width; see ``transforms.GaussianBlur``."""

    def __init__(self, kernel_size: int | Sequence[int], sigma: float | Sequence[float] = (0.1, 2.0)) -> None:
        super().__init__()
        self.kernel_size = window_of(kernel_size)
        self.sigma = [float(sigma)] * 2 if isinstance(sigma, (int, float)) else [float(each) for each in sigma]
        if len(self.sigma) == 1:
            self.sigma *= 2
        if len(self.sigma) != 2 or not 0.0 < self.sigma[0] <= self.sigma[1]:
            raise ValueError(f"sigma values should be positive and of the form (min, max). Got {self.sigma}")

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        sigma = drawing_lots.uniform(self.sigma[0], self.sigma[1])
        return {"sigma": [sigma, sigma]}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.gaussian_blur, inpt, self.kernel_size, **params)


class RandomChannelPermutation(Transform):
    """The channels in random order."""

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        return {"permutation": drawing_lots.shuffled(query_channels(flat_inputs))}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.permute_channels, inpt, **params)


class JPEG(Transform):
    """Compressed with a random quality (1 to 100), and decompressed: what photographs from the web look like.

    Args:
        quality: the quality, or from … to.
    """

    def __init__(self, quality: int | Sequence[int]) -> None:
        super().__init__()
        self.quality = [quality, quality] if isinstance(quality, int) else list(quality)
        if len(self.quality) != 2 or not 1 <= self.quality[0] <= self.quality[1] <= 100:
            raise ValueError(f"quality must be an integer from 1 to 100 or two of them, the lower first, got {quality}")

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        return {"quality": drawing_lots.integer(self.quality[0], self.quality[1] + 1)}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.jpeg, inpt, **params)


class RandomInvert(RandomApplied):
    """The negative with probability ``p``."""

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.invert, inpt)


class RandomAutocontrast(RandomApplied):
    """Each channel stretched from black to full brightness, with probability ``p``."""

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.autocontrast, inpt)


class RandomEqualize(RandomApplied):
    """Each channel's levels made about equally frequent, with probability ``p``."""

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.equalize, inpt)


class RandomPosterize(RandomApplied):
    """Only the highest ``bits`` of each byte, with probability ``p``."""

    def __init__(self, bits: int, p: float = 0.5) -> None:
        super().__init__(p)
        self.bits = bits

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.posterize, inpt, bits=self.bits)


class RandomSolarize(RandomApplied):
    """The negative of all that is at least as bright as ``threshold``, with probability ``p``."""

    def __init__(self, threshold: float, p: float = 0.5) -> None:
        super().__init__(p)
        self.threshold = threshold

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.solarize, inpt, threshold=self.threshold)


class RandomAdjustSharpness(RandomApplied):
    """Blurred (factor 0) to sharpened (more than 1), with probability ``p``."""

    def __init__(self, sharpness_factor: float, p: float = 0.5) -> None:
        super().__init__(p)
        self.sharpness_factor = sharpness_factor

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return self._call_kernel(F.adjust_sharpness, inpt, sharpness_factor=self.sharpness_factor)
