"""The current accelerator by index."""

from __future__ import annotations

import warnings
from typing import Any

from .availability import MISSING, unavailable

current_device_index = unavailable("current_device_index", "The index of the current device.")
set_device_index = unavailable("set_device_index", "Select the current device.")


def current_device_idx() -> Any:
    """Deprecated: :func:`current_device_index`."""
    warnings.warn("Use `current_device_index` instead.", FutureWarning, stacklevel=2)
    return current_device_index()


def set_device_idx(device: Any, /) -> None:
    """Deprecated: :func:`set_device_index`."""
    warnings.warn("Use `set_device_index` instead.", FutureWarning, stacklevel=2)
    set_device_index(device)


class device_index:
    """Context in which a device is the current one; None changes nothing."""

    def __init__(self, device: int | None, /) -> None:
        self.idx = device

    def __enter__(self) -> None:
        if self.idx is not None:
            raise RuntimeError(MISSING)

    def __exit__(self, *exception: object) -> None:
        return None
