"""Intel's accelerators: there is none, and a program can ask."""

from __future__ import annotations

__all__ = ["device_count", "is_available"]


def is_available() -> bool:
    """Whether such a device can be used: no.

    >>> import flambeau as torch
    >>> torch.xpu.is_available()
    False
    """
    return False


def device_count() -> int:
    """The number of such devices: 0."""
    return 0
