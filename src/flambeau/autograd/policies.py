"""Settings of the backward pass that PyTorch has and that change nothing here but can be set and read."""

from __future__ import annotations

from typing import Any


class _Setting:
    """A switch that is thrown when made, and thrown back at the end of a ``with``."""

    enabled = True

    def __init__(self, mode: bool) -> None:
        self.previous = type(self).enabled
        self.mode = bool(mode)
        type(self).enabled = self.mode

    def __enter__(self) -> None:
        type(self).enabled = self.mode

    def __exit__(self, *exception: Any) -> None:
        type(self).enabled = self.previous


class set_multithreading_enabled(_Setting):
    """Whether backward passes may run in threads of their own; here they run in the caller's, and kernels are threaded."""


class enforce_grad_layout_policy(_Setting):
    """Whether accumulated gradients are laid out like their parameters; here they always are."""
