"""Curves through the levels of brightness, applied or not."""

from __future__ import annotations

from typing import Any

from . import functional as F
from .chance import WithProbability

__all__ = ["RandomAutocontrast", "RandomEqualize", "RandomInvert", "RandomPosterize", "RandomSolarize"]


class RandomInvert(WithProbability):
    """The negative with probability ``p``."""

    def apply(self, img: Any) -> Any:
        return F.invert(img)


class RandomAutocontrast(WithProbability):
    """Each channel stretched from black to full brightness, with probability ``p``."""

    def apply(self, img: Any) -> Any:
        return F.autocontrast(img)


class RandomEqualize(WithProbability):
    """Each channel's levels made about equally frequent, with probability ``p``."""

    def apply(self, img: Any) -> Any:
        return F.equalize(img)


class RandomPosterize(WithProbability):
    """Only the highest ``bits`` of each byte, with probability ``p``."""

    def __init__(self, bits: int, p: float = 0.5) -> None:
        super().__init__(p)
        self.bits = bits

    def apply(self, img: Any) -> Any:
        return F.posterize(img, self.bits)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(bits={self.bits},p={self.p})"


class RandomSolarize(WithProbability):
    """The negative of all that is at least as bright as ``threshold``, with probability ``p``."""

    def __init__(self, threshold: float, p: float = 0.5) -> None:
        super().__init__(p)
        self.threshold = threshold

    def apply(self, img: Any) -> Any:
        return F.solarize(img, self.threshold)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(threshold={self.threshold},p={self.p})"
