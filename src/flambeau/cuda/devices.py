"""CUDA devices: selecting one, and asking for its properties."""

from __future__ import annotations

from typing import Any, Literal

from ..core.devices import device as Device
from .availability import require_cuda, unavailable


def _index(value: Any) -> int:
    """A device's index, -1 for none in particular or for another kind of device."""
    if value is None:
        return -1
    if isinstance(value, int):
        return value
    found = Device(value) if isinstance(value, str) else value
    if found.type != "cuda":
        raise ValueError(f"Expected a cuda device, but got: {found}")
    return 0 if found.index is None else found.index


class device:
    """Context in which a CUDA device is the current one; a negative index or None changes nothing."""

    def __init__(self, device: Any) -> None:
        self.idx = _index(device)

    def __enter__(self) -> None:
        if self.idx >= 0:
            require_cuda(f"device({self.idx})")

    def __exit__(self, type: Any, value: Any, traceback: Any) -> Literal[False]:
        return False


class device_of(device):
    """Context in which an object's CUDA device is the current one; CPU tensors change nothing."""

    def __init__(self, obj: Any) -> None:
        super().__init__(obj.get_device() if getattr(obj, "is_cuda", False) else -1)


def set_device(device: Any) -> None:
    """Select the current device; a negative index changes nothing."""
    if _index(device) >= 0:
        require_cuda("set_device()")


current_device = unavailable("current_device", "The index of the current device.")
synchronize = unavailable("synchronize", "Wait for a device to finish.")
get_device_name = unavailable("get_device_name", "A device's name.")
get_device_capability = unavailable("get_device_capability", "A device's compute capability.")
get_device_properties = unavailable("get_device_properties", "A device's properties.")
can_device_access_peer = unavailable("can_device_access_peer", "Whether one device reaches another's memory.")
ipc_collect = unavailable("ipc_collect", "Release memory that other processes shared.")
get_sync_debug_mode = unavailable("get_sync_debug_mode", "What synchronising operators do: nothing, warn or raise.")
set_sync_debug_mode = unavailable("set_sync_debug_mode", "Set what synchronising operators do.")
