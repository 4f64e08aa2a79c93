"""A random rectangle erased."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any

from ...nn import Module
from ...operators.creation import tensor
from . import drawing_lots, functional as F
from .cropping import random_rectangles

__all__ = ["RandomErasing"]


class RandomErasing(Module):
    """A random rectangle of a tensor erased, with probability ``p``.

    Zhong et al., "Random erasing data augmentation", 2017.

    Args:
        scale: the rectangle's area as a part of the image's, from … to.
        ratio: its height by its width, from … to.
        value: what it is filled with: a number, one for each channel, or "random" for noise.
        inplace: write into the tensor given.

    Raises:
        ValueError: a probability or a scale beyond 0 to 1.
        TypeError: an argument of another type.
    """

    def __init__(
        self, p: float = 0.5, scale: Sequence[float] = (0.02, 0.33), ratio: Sequence[float] = (0.3, 3.3), value: Any = 0,
        inplace: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        check_erasing(p, scale, ratio, value)
        self.p = p
        self.scale = scale
        self.ratio = ratio
        self.value = value
        self.inplace = inplace

    @staticmethod
    def get_params(
        img: Any, scale: Sequence[float], ratio: Sequence[float], value: list[float] | None = None
    ) -> tuple[int, int, int, int, Any]:
        """(top, left, height, width, filling) of a random rectangle; the whole image as it is if ten do not fit."""
        return random_filling(img.shape[-3:], scale, ratio, value) or (0, 0, img.shape[-2], img.shape[-1], img)

    def forward(self, img: Any) -> Any:
        if drawing_lots.fraction() >= self.p:
            return img
        value = filling_of(self.value, img.shape[-3])
        return F.erase(img, *self.get_params(img, self.scale, self.ratio, value), self.inplace)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(p={self.p}, scale={self.scale}, ratio={self.ratio}, value={self.value}, "
            f"inplace={self.inplace})"
        )


def check_erasing(p: float, scale: Any, ratio: Any, value: Any) -> None:
    """Refuse what ``RandomErasing`` cannot do."""
    if not isinstance(value, (numbers.Number, str, tuple, list)):
        raise TypeError("Argument value should be either a number or str or a sequence")
    if isinstance(value, str) and value != "random":
        raise ValueError("If value is str, it should be 'random'")
    if not isinstance(scale, Sequence):
        raise TypeError("Scale should be a sequence")
    if not isinstance(ratio, Sequence):
        raise TypeError("Ratio should be a sequence")
    if scale[0] < 0 or scale[1] > 1:
        raise ValueError("Scale should be between 0 and 1")
    if p < 0 or p > 1:
        raise ValueError("Random erasing probability should be between 0 and 1")


def filling_of(value: Any, channels: int) -> list[float] | None:
    """The numbers a rectangle is filled with; None for noise.

    Raises:
        ValueError: neither one number nor one for each channel.
    """
    if isinstance(value, (int, float)):
        return [float(value)]
    if value is None or isinstance(value, str):
        return None
    if len(value) not in (1, channels):
        raise ValueError(
            f"If value is a sequence, it should have either a single value or {channels} (number of input channels)"
        )
    return [float(each) for each in value]


def random_filling(
    size: Any, scale: Any, ratio: Any, value: list[float] | None
) -> tuple[int, int, int, int, Any] | None:
    """(top, left, height, width, filling) of a random rectangle in (channels, height, width); None if ten do not fit."""

    channels, height, width = size
    for wide, tall in random_rectangles(height * width, scale, ratio):
        if not (tall < height and wide < width):
            continue
        if value is None:
            filling = drawing_lots.gaussians((channels, tall, wide))
        else:
            filling = tensor(value)[:, None, None]
        top = drawing_lots.integer(0, height - tall + 1)
        return top, drawing_lots.integer(0, width - wide + 1), tall, wide, filling
    return None
