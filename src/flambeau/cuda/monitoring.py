"""What the driver reports of a device. Its Python package is not a dependency."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def _report(name: str, what: str) -> Callable[..., int]:
    def function(device: Any = None) -> int:
        raise ModuleNotFoundError(
            f"nvidia-ml-py does not seem to be installed or it can't be imported. (torch.cuda.{name}: there is no CUDA "
            "device either)"
        )

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"{what} Raises ModuleNotFoundError: there is no CUDA device to ask."
    return function


device_memory_used = _report("device_memory_used", "Bytes in use on a device.")
memory_usage = _report("memory_usage", "The share of time in which memory was read or written.")
utilization = _report("utilization", "The share of time in which the device computed.")
temperature = _report("temperature", "Degrees Celsius.")
power_draw = _report("power_draw", "Milliwatts.")
clock_rate = _report("clock_rate", "Hertz.")


def list_gpu_processes(device: Any = None) -> str:
    """The processes that use a device, as text."""
    return "pynvml module not found, please install nvidia-ml-py"
