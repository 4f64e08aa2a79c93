"""Memory of CUDA devices: none is in use."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .availability import MISSING, unavailable


def empty_cache() -> None:
    """Give cached memory back: there is none."""


def memory_allocated(device: Any = None) -> int:
    """Bytes of device memory that tensors use: 0."""
    return 0


def max_memory_allocated(device: Any = None) -> int:
    """The most that tensors have used: 0."""
    return 0


def memory_reserved(device: Any = None) -> int:
    """Bytes of device memory the allocator holds: 0."""
    return 0


def max_memory_reserved(device: Any = None) -> int:
    """The most that the allocator has held: 0."""
    return 0


def memory_cached(device: Any = None) -> int:
    """Deprecated: :func:`memory_reserved`."""
    _renamed("memory_cached", "memory_reserved")
    return 0


def max_memory_cached(device: Any = None) -> int:
    """Deprecated: :func:`max_memory_reserved`."""
    _renamed("max_memory_cached", "max_memory_reserved")
    return 0


def _renamed(name: str, instead: str) -> None:
    warnings.warn(f"`torch.cuda.{name}` has been renamed to `torch.cuda.{instead}`", FutureWarning, stacklevel=3)


def memory_stats(device: Any = None) -> dict[str, Any]:
    """The allocator's statistics: none."""
    return OrderedDict()


def memory_stats_as_nested_dict(device: Any = None) -> dict[str, Any]:
    """The allocator's statistics: none."""
    return {}


def host_memory_stats() -> dict[str, Any]:
    """The statistics of page-locked memory: none."""
    return OrderedDict()


def host_memory_stats_as_nested_dict() -> dict[str, Any]:
    """The statistics of page-locked memory: none."""
    return {}


@contextmanager
def caching_allocator_disabled() -> Iterator[None]:
    """Context without caching of device memory: there is none to cache."""
    yield


def caching_allocator_enable(value: bool = True) -> None:
    """Switch caching of device memory: there is none to cache."""


class MemPool:
    """A pool of device memory of its own."""

    def __init__(self, allocator: Any = None, use_on_oom: bool = False, no_split: bool = False) -> None:
        raise RuntimeError(f"Tried to instantiate MemPool. {MISSING}")


class CUDAPluggableAllocator:
    """An allocator from a shared library."""

    def __init__(self, path_to_so_file: str, alloc_fn_name: str, free_fn_name: str) -> None:
        raise RuntimeError(f"Tried to load an allocator from {path_to_so_file}. {MISSING}")


use_mem_pool = unavailable("use_mem_pool", "Context that takes memory from a pool.")
caching_allocator_alloc = unavailable("caching_allocator_alloc", "Take memory from the allocator.")
caching_allocator_delete = unavailable("caching_allocator_delete", "Give memory back to the allocator.")
change_current_allocator = unavailable("change_current_allocator", "Use another allocator.")
get_allocator_backend = unavailable("get_allocator_backend", "The allocator's name.")
get_per_process_memory_fraction = unavailable("get_per_process_memory_fraction", "The share of memory allowed.")
set_per_process_memory_fraction = unavailable("set_per_process_memory_fraction", "Set the share of memory allowed.")
mem_get_info = unavailable("mem_get_info", "Free and total memory of a device.")
memory_snapshot = unavailable("memory_snapshot", "What the allocator holds.")
memory_summary = unavailable("memory_summary", "A table of the allocator's statistics.")
reset_accumulated_memory_stats = unavailable("reset_accumulated_memory_stats", "Reset the sums.")
reset_accumulated_host_memory_stats = unavailable("reset_accumulated_host_memory_stats", "Reset the sums.")
reset_peak_memory_stats = unavailable("reset_peak_memory_stats", "Reset the peaks.")
reset_peak_host_memory_stats = unavailable("reset_peak_host_memory_stats", "Reset the peaks.")
reset_max_memory_allocated = unavailable("reset_max_memory_allocated", "Reset the peaks.")
reset_max_memory_cached = unavailable("reset_max_memory_cached", "Reset the peaks.")
