"""The accelerator of this machine, whatever its make: there is none. What needs one raises RuntimeError."""

from .availability import current_accelerator, device_count, is_available, unavailable
from .index import current_device_idx, current_device_index, device_index, set_device_idx, set_device_index
from .streams import Graph

get_device_capability = unavailable("get_device_capability", "What the device can do.")
current_stream = unavailable("current_stream", "The current stream.")
set_stream = unavailable("set_stream", "Make a stream the current one.")
synchronize = unavailable("synchronize", "Wait for the device to finish.")
empty_cache = unavailable("empty_cache", "Give cached device memory back.")
empty_host_cache = unavailable("empty_host_cache", "Give cached page-locked memory back.")
get_memory_info = unavailable("get_memory_info", "Free and total memory.")
memory_allocated = unavailable("memory_allocated", "Bytes that tensors use.")
max_memory_allocated = unavailable("max_memory_allocated", "The most that tensors have used.")
memory_reserved = unavailable("memory_reserved", "Bytes that the allocator holds.")
max_memory_reserved = unavailable("max_memory_reserved", "The most that the allocator has held.")
memory_stats = unavailable("memory_stats", "The allocator's statistics.")
reset_accumulated_memory_stats = unavailable("reset_accumulated_memory_stats", "Reset the sums.")
reset_peak_memory_stats = unavailable("reset_peak_memory_stats", "Reset the peaks.")

__all__ = [
    "Graph", "current_accelerator", "current_device_idx", "current_device_index", "current_stream", "device_count",
    "device_index", "empty_cache", "empty_host_cache", "get_device_capability", "get_memory_info", "is_available",
    "max_memory_allocated", "max_memory_reserved", "memory_allocated", "memory_reserved", "memory_stats",
    "reset_accumulated_memory_stats", "reset_peak_memory_stats", "set_device_idx", "set_device_index", "set_stream",
    "synchronize",
]  # fmt: skip
