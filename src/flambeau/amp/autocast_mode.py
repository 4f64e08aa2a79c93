"""Autocast regions, and the functions that read and set their state."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any, Literal

from ..core.dtypes import bfloat16, dtype, float16
from ..operators.autocasting import state
from .device_types import check_device_type, has_autocast


def is_autocast_available(device_type: str) -> bool:
    """Whether autocasting is defined for this type of device."""
    return has_autocast(device_type)


class autocast:
    """Inside this context, or decorated function, contractions compute in a lower precision.

    Matrix products, convolutions, linear layers and attention cast float32 operands to ``dtype``; losses and
    decompositions cast lower ones back to float32; everything else takes what comes. Parameters stay float32, and so do
    their gradients. Regions nest; ``enabled=False`` makes an exception inside one.

    Args:
        device_type: ``"cpu"``. Other types are accepted and, there being no such device, do nothing.
        dtype: ``bfloat16`` (the default) or ``float16``.
        enabled: whether to do anything.
        cache_enabled: accepted; a step is one program, in which a weight is cast once anyway.

    Example::

        >>> import flambeau as torch
        >>> x = torch.ones(2, 2)
        >>> with torch.autocast("cpu"): (x @ x).dtype, (x + x).dtype
        (torch.bfloat16, torch.float32)
    """

    def __init__(
        self,
        device_type: str,
        dtype: dtype | None = None,
        enabled: bool = True,
        cache_enabled: bool | None = None,
    ) -> None:
        if not isinstance(device_type, str):
            raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
        check_device_type(device_type)
        if not has_autocast(device_type):
            raise RuntimeError(f"User specified an unsupported autocast device_type '{device_type}'")
        self.device = device_type
        self.fast_dtype = state.dtype_of(device_type) if dtype is None else dtype
        self._cache_enabled = state.cache_enabled if cache_enabled is None else cache_enabled
        if enabled and device_type == "cuda":
            warnings.warn("CUDA is not available or torch_xla is imported. Disabling autocast.", stacklevel=2)
            enabled = False
        elif enabled and device_type == "cpu" and self.fast_dtype not in (bfloat16, float16):
            warnings.warn(
                "In CPU autocast, but the target dtype is not supported. Disabling autocast.\n"
                "CPU Autocast only supports dtypes of torch.bfloat16, torch.float16 currently.",
                stacklevel=2,
            )
            enabled = False
        self._enabled = enabled

    def __enter__(self) -> autocast:
        self._previous = state.enabled.get(self.device, False), state.dtype_of(self.device), state.cache_enabled
        state.nesting += 1
        state.set_dtype(self.device, self.fast_dtype)
        state.set_enabled(self.device, self._enabled)
        state.cache_enabled = self._cache_enabled
        return self

    def __exit__(self, *exception: Any) -> Literal[False]:
        enabled, kind, cache_enabled = self._previous
        state.nesting -= 1
        state.set_dtype(self.device, kind)
        state.set_enabled(self.device, enabled)
        state.cache_enabled = cache_enabled
        return False

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def decorated(*args: Any, **kwargs: Any) -> Any:
            with autocast(self.device, self.fast_dtype, self._enabled, self._cache_enabled):
                return function(*args, **kwargs)

        return decorated


def is_autocast_enabled(device_type: str = "cuda") -> bool:
    """Whether a region for this type of device is active in the current thread."""
    check_device_type(device_type)
    return state.enabled.get(device_type, False)


def set_autocast_enabled(device_type: str | bool, enabled: bool | None = None) -> None:
    """Switch autocasting for a type of device; with one argument, for CUDA."""
    if enabled is None:
        device_type, enabled = "cuda", bool(device_type)
    assert isinstance(device_type, str)
    check_device_type(device_type)
    state.set_enabled(device_type, enabled)


def get_autocast_dtype(device_type: str) -> dtype:
    """The lower precision of a type of device."""
    check_device_type(device_type)
    return state.dtype_of(device_type)


def set_autocast_dtype(device_type: str, dtype: dtype) -> None:
    """Set the lower precision of a type of device."""
    check_device_type(device_type)
    state.set_dtype(device_type, dtype)


def is_autocast_cache_enabled() -> bool:
    """Whether casts of weights may be kept within a region."""
    return state.cache_enabled


def set_autocast_cache_enabled(enabled: bool) -> None:
    """Set whether casts of weights may be kept within a region."""
    state.cache_enabled = enabled


def clear_autocast_cache() -> None:
    """Forget casts of weights. None are kept: within a program a cast happens once anyway."""


def autocast_increment_nesting() -> int:
    """Enter a region by hand; returns how many are entered."""
    state.nesting += 1
    return state.nesting


def autocast_decrement_nesting() -> int:
    """Leave a region by hand; returns how many are still entered."""
    state.nesting -= 1
    return state.nesting


def _deprecated(name: str, instead: str) -> None:
    warnings.warn(
        f"torch.{name} is deprecated. Please use torch.{instead} instead.", DeprecationWarning, stacklevel=3
    )


def is_autocast_cpu_enabled() -> bool:
    """Deprecated: ``is_autocast_enabled("cpu")``."""
    _deprecated("is_autocast_cpu_enabled()", "is_autocast_enabled('cpu')")
    return is_autocast_enabled("cpu")


def set_autocast_cpu_enabled(enabled: bool) -> None:
    """Deprecated: ``set_autocast_enabled("cpu", enabled)``."""
    _deprecated("set_autocast_cpu_enabled(enabled)", "set_autocast_enabled('cpu', enabled)")
    set_autocast_enabled("cpu", enabled)


def get_autocast_cpu_dtype() -> dtype:
    """Deprecated: ``get_autocast_dtype("cpu")``."""
    _deprecated("get_autocast_cpu_dtype()", "get_autocast_dtype('cpu')")
    return get_autocast_dtype("cpu")


def set_autocast_cpu_dtype(dtype: dtype) -> None:
    """Deprecated: ``set_autocast_dtype("cpu", dtype)``."""
    _deprecated("set_autocast_cpu_dtype(dtype)", "set_autocast_dtype('cpu', dtype)")
    set_autocast_dtype("cpu", dtype)


def get_autocast_gpu_dtype() -> dtype:
    """Deprecated: ``get_autocast_dtype("cuda")``."""
    _deprecated("get_autocast_gpu_dtype()", "get_autocast_dtype('cuda')")
    return get_autocast_dtype("cuda")


def set_autocast_gpu_dtype(dtype: dtype) -> None:
    """Deprecated: ``set_autocast_dtype("cuda", dtype)``."""
    _deprecated("set_autocast_gpu_dtype(dtype)", "set_autocast_dtype('cuda', dtype)")
    set_autocast_dtype("cuda", dtype)
