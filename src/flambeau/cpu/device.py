"""The one CPU device."""

from __future__ import annotations

from typing import Any

from ..tracing import synchronize as _synchronize


def is_available() -> bool:
    """Whether there is a CPU: yes."""
    return True


def is_initialized() -> bool:
    """Whether the CPU is ready: yes."""
    return True


def device_count() -> int:
    """How many CPU devices there are: 1, whatever the number of cores."""
    return 1


def current_device() -> str:
    """The current device: ``"cpu"``."""
    return "cpu"


def set_device(device: Any) -> None:
    """Select the current device: there is only one."""


def synchronize(device: Any = None) -> None:
    """Compute everything that has been recorded."""
    _synchronize()
