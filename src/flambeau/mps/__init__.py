"""Apple's Metal devices: there is none. What needs one raises RuntimeError."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = [
    "Event", "compile_shader", "current_allocated_memory", "device_count", "driver_allocated_memory", "empty_cache",
    "get_rng_state", "is_available", "load_metallib", "manual_seed", "recommended_max_memory", "seed",
    "set_per_process_memory_fraction", "set_rng_state", "synchronize",
]  # fmt: skip


def _unavailable(name: str, call: str, description: str) -> Callable[..., Any]:
    def function(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(f"Cannot execute {call}() without MPS backend.")

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"{description} Raises RuntimeError: there is no Metal device."
    return function


def is_available() -> bool:
    """Whether a Metal device can be used: no."""
    return False


def device_count() -> int:
    """The number of Metal devices: 0."""
    return 0


def manual_seed(seed: int) -> None:
    """Seed the device's generator: there is none."""
    int(seed)


def compile_shader(source: str) -> Any:
    """Compile a shader. Raises RuntimeError: there is no Metal device."""
    raise RuntimeError("MPS is not available")


def load_metallib(source: str) -> Any:
    """Load a compiled shader. Raises RuntimeError: there is no Metal device."""
    raise RuntimeError("MPS is not available")


class Event:
    """A point in a queue of work to wait for."""

    def __init__(self, enable_timing: bool = False) -> None:
        raise RuntimeError("Cannot execute acquireEvent() without MPS backend.")


seed = _unavailable("seed", "getDefaultGenerator", "Seed the device's generator anew.")
get_rng_state = _unavailable("get_rng_state", "getDefaultGenerator", "The state of the device's generator.")
set_rng_state = _unavailable("set_rng_state", "getDefaultGenerator", "Set the state of the device's generator.")
synchronize = _unavailable("synchronize", "deviceSynchronize", "Wait for the device to finish.")
empty_cache = _unavailable("empty_cache", "emptyCache", "Give cached memory back.")
set_per_process_memory_fraction = _unavailable(
    "set_per_process_memory_fraction", "setMemoryFraction", "Set the share of memory allowed."
)
current_allocated_memory = _unavailable(
    "current_allocated_memory", "getCurrentAllocatedMemory", "Bytes that tensors use."
)
driver_allocated_memory = _unavailable("driver_allocated_memory", "getDriverAllocatedMemory", "Bytes the driver holds.")
recommended_max_memory = _unavailable("recommended_max_memory", "getRecommendedMaxMemory", "Bytes it is wise to use.")
