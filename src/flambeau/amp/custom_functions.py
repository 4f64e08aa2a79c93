"""Custom autograd functions inside autocast regions."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ..core.dtypes import dtype, float64
from ..tensor import Tensor
from .autocast_mode import autocast, get_autocast_dtype, is_autocast_enabled


def _cast(value: Any, device_type: str, kind: dtype) -> Any:
    if isinstance(value, Tensor):
        eligible = value.is_floating_point() and value.device.type == device_type and value.dtype != float64
        return value.to(kind) if eligible else value
    if isinstance(value, dict):
        return {key: _cast(entry, device_type, kind) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)([_cast(entry, device_type, kind) for entry in value])
    return value


def custom_fwd(
    fwd: Callable[..., Any] | None = None, *, device_type: str, cast_inputs: dtype | None = None
) -> Callable[..., Any]:
    """Decorate the ``forward`` of an ``autograd.Function``, so that its ``backward`` finds the same autocast state.

    With ``cast_inputs``, inside an autocast region floating-point tensors are cast to it and ``forward`` runs with
    autocasting off. Outside of a region it does nothing.
    """
    if not isinstance(device_type, str):
        raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
    if fwd is None:
        return functools.partial(custom_fwd, device_type=device_type, cast_inputs=cast_inputs)
    forward = fwd

    @functools.wraps(forward)
    def decorated(*args: Any, **kwargs: Any) -> Any:
        context = args[0]
        context._dtype = get_autocast_dtype(device_type)
        enabled = is_autocast_enabled(device_type)
        if cast_inputs is None:
            context._fwd_used_autocast = enabled
            return forward(*args, **kwargs)
        context._fwd_used_autocast = False
        if not enabled:
            return forward(*args, **kwargs)
        with autocast(device_type, enabled=False):
            return forward(*_cast(args, device_type, cast_inputs), **_cast(kwargs, device_type, cast_inputs))

    return decorated


def custom_bwd(bwd: Callable[..., Any] | None = None, *, device_type: str) -> Callable[..., Any]:
    """Decorate the ``backward`` of an ``autograd.Function``: it runs in the autocast state of its ``forward``."""
    if not isinstance(device_type, str):
        raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
    if bwd is None:
        return functools.partial(custom_bwd, device_type=device_type)
    backward = bwd

    @functools.wraps(backward)
    def decorated(*args: Any, **kwargs: Any) -> Any:
        context = args[0]
        with autocast(device_type, enabled=context._fwd_used_autocast, dtype=context._dtype):
            return backward(*args, **kwargs)

    return decorated
