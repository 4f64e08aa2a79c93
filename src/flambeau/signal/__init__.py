"""``torch.signal``: windows for signals."""

from . import windows as windows

__all__ = ["windows"]
