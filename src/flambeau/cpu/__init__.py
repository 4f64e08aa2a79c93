"""The CPU, seen as PyTorch sees devices. There is one, and it does everything in order."""

from .capabilities import get_capabilities
from .streams import Event, Stream, StreamContext, current_stream, stream

from .device import current_device, device_count, is_available, is_initialized, set_device, synchronize  # isort: skip

__all__ = [
    "Event",
    "Stream",
    "StreamContext",
    "current_device",
    "current_stream",
    "device_count",
    "get_capabilities",
    "is_available",
    "is_initialized",
    "set_device",
    "stream",
    "synchronize",
]
