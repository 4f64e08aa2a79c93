"""Whether there is an accelerator: no."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

MISSING = "Cannot access accelerator device when none is available."


def unavailable(name: str, description: str) -> Callable[..., Any]:
    """A function of ``torch.accelerator`` that needs a device and says so when called."""

    def function(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(MISSING)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"{description} Raises RuntimeError: there is no accelerator."
    return function


def is_available() -> bool:
    """Whether an accelerator can be used: no."""
    return False


def device_count() -> int:
    """The number of accelerators: 0."""
    return 0


def current_accelerator(check_available: bool = False) -> None:
    """The kind of accelerator as a device: None."""
    return None
