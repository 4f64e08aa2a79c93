"""``WithProbability``: transforms that do one thing with probability ``p`` and otherwise nothing."""

from __future__ import annotations

from typing import Any

from ...nn import Module
from . import drawing_lots

__all__ = ["WithProbability"]


class WithProbability(Module):
    """``apply`` to the image with probability ``p``."""

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self.p = p

    def apply(self, img: Any) -> Any:
        """What may be done; subclasses say."""
        raise NotImplementedError(f"{type(self).__name__} must define apply(img)")

    def forward(self, img: Any) -> Any:
        return self.apply(img) if drawing_lots.fraction() < self.p else img

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p={self.p})"
