"""Computational graphs one can look at: ``flambeau.draw(loss)``."""

from __future__ import annotations

from .drawings import Drawing, draw
from .remembering import remember

__all__ = ["Drawing", "draw", "remember"]
