"""Switches of the whole process: determinism, precision of products, where new tensors go, how often warnings appear."""

from __future__ import annotations

import sys
import warnings
from importlib import import_module
from typing import Any

from .core import devices

_MODES = ("default", "warn", "error")
_PRECISIONS = ("highest", "high", "medium")


class _State:
    deterministic: int = 0  # index in _MODES
    fill_uninitialized = True
    precision = "highest"
    warn_always = False


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Ask for operators that give the same numbers every time. Here all of them do, so nothing ever fails for it.

    >>> import flambeau as torch
    >>> torch.use_deterministic_algorithms(True); torch.are_deterministic_algorithms_enabled()
    True
    >>> torch.use_deterministic_algorithms(False)
    """
    if not isinstance(mode, bool):
        raise TypeError(f"use_deterministic_algorithms(): argument 'mode' must be bool, not {type(mode).__name__}")
    _State.deterministic = (1 if warn_only else 2) if mode else 0


def are_deterministic_algorithms_enabled() -> bool:
    """Whether :func:`use_deterministic_algorithms` is on."""
    return _State.deterministic != 0


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """Whether operators that are not deterministic only warn."""
    return _State.deterministic == 1


def set_deterministic_debug_mode(debug_mode: int | str) -> None:
    """0 or "default", 1 or "warn", 2 or "error": what an operator that is not deterministic does."""
    if not isinstance(debug_mode, (int, str)):
        raise TypeError(f"debug_mode must be str or int, but got {type(debug_mode)}")
    if isinstance(debug_mode, str) and debug_mode not in _MODES:
        raise RuntimeError(
            f"invalid value of debug_mode, expected one of `default`, `warn`, `error`, but got {debug_mode}"
        )
    level = _MODES.index(debug_mode) if isinstance(debug_mode, str) else debug_mode
    if not 0 <= level <= 2:
        raise RuntimeError(f"invalid value of debug_mode, expected 0, 1, or 2, but got {debug_mode}")
    _State.deterministic = level


def get_deterministic_debug_mode() -> int:
    """0, 1 or 2; see :func:`set_deterministic_debug_mode`."""
    return _State.deterministic


def get_float32_matmul_precision() -> str:
    """ "highest", "high" or "medium"; see :func:`set_float32_matmul_precision`."""
    return _State.precision


def set_float32_matmul_precision(precision: str) -> None:
    """How exact products of float32 matrices must be. The CPU always computes the "highest"."""
    if precision not in _PRECISIONS:
        warnings.warn(f"{precision} is not one of 'highest', 'high', or 'medium'; the call has no effect.", stacklevel=2)
        return
    _State.precision = precision


def set_flush_denormal(mode: bool) -> bool:
    """Ask for denormal numbers to be rounded to zero; False: not supported here, they are kept."""
    if not isinstance(mode, bool):
        raise TypeError(f"flush_denormal expects a bool, but got {type(mode).__name__}")
    return not mode


def set_warn_always(b: bool) -> None:
    """Whether warnings that are given once for a process are given every time."""
    if not isinstance(b, bool):
        raise TypeError(f"setWarnOnlyOnce expects a bool, but got {type(b).__name__}")
    _State.warn_always = b


def is_warn_always_enabled() -> bool:
    """See :func:`set_warn_always`."""
    return _State.warn_always


def get_default_device() -> devices.device:
    """The device on which new tensors are made."""
    return devices.default_device()


def set_default_device(device: Any) -> None:
    """Make new tensors on ``device`` where none is named; None: on the CPU."""
    devices.set_default_device(device)


def get_device_module(device: Any = None) -> Any:
    """The module of a device type: ``flambeau.cpu`` for "cpu".

    Raises:
        RuntimeError: there is none.
    """
    kind = (get_default_device() if device is None else devices.device(device)).type
    package = __name__.rpartition(".")[0]
    try:
        return import_module(f"{package}.{kind}")
    except ModuleNotFoundError:
        raise RuntimeError(f"Invalid device module '{kind}'. It is not registered to torch.") from None


def typename(obj: Any, /) -> str:
    """The type of an object as a string: "torch.FloatTensor" for a tensor, else the qualified name of its class.

    >>> import flambeau as torch
    >>> torch.typename(torch.ones(1))
    'torch.FloatTensor'
    """
    from .tensor import Tensor

    if isinstance(obj, Tensor):
        return str(obj.type())
    named = obj if hasattr(obj, "__qualname__") or isinstance(obj, type(sys)) else type(obj)
    module = getattr(named, "__module__", None) or ""
    name = str(getattr(named, "__qualname__", None) or getattr(named, "__name__", ""))
    return name if module in ("", "builtins", None) else f"{module}.{name}"
