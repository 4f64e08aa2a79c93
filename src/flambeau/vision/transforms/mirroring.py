"""Mirrored, or not."""

from __future__ import annotations

from typing import Any

from . import functional as F
from .chance import WithProbability

__all__ = ["RandomHorizontalFlip", "RandomVerticalFlip"]


class RandomHorizontalFlip(WithProbability):
    """Mirrored left to right with probability ``p``.

    >>> import flambeau as torch
    >>> torch.vision.transforms.RandomHorizontalFlip(1)(torch.tensor([[[1, 2]]]))
    tensor([[[2, 1]]])
    """

    def apply(self, img: Any) -> Any:
        return F.hflip(img)


class RandomVerticalFlip(WithProbability):
    """Upside down with probability ``p``."""

    def apply(self, img: Any) -> Any:
        return F.vflip(img)
