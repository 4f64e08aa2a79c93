"""``torch.distributed`` of a build without it: it can be asked, and says no."""

from __future__ import annotations

__all__ = ["is_available"]


def is_available() -> bool:
    """False: this build has no process groups. Ask this before any other name of this module, as in PyTorch.

    >>> import flambeau as torch
    >>> torch.distributed.is_available()
    False
    """
    return False
