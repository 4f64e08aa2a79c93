"""Automatic differentiation: the tape, the backward pass, grad modes, custom functions."""

from __future__ import annotations

from typing import Any

from .engine import backward, grad
from .function import Function, FunctionCtx
from .grad_mode import enable_grad, inference_mode, no_grad, set_grad_enabled
from .gradcheck import GradcheckError, gradcheck, gradgradcheck
from .tape import Node

#: Modules imported on first use.
_SUBMODULES = ("anomaly_mode", "forward_ad", "function", "functional", "grad_mode", "gradcheck", "graph", "profiler", "variable")
#: Names that live in a module of their own, by module.
_LAZY = {
    "Variable": "variable", "detect_anomaly": "anomaly_mode", "set_detect_anomaly": "anomaly_mode",
    "NestedIOFunction": "nested", "set_multithreading_enabled": "policies", "enforce_grad_layout_policy": "policies",
}  # fmt: skip

__all__ = [
    "Function", "FunctionCtx", "GradcheckError", "NestedIOFunction", "Node", "Variable", "backward", "detect_anomaly",
    "enable_grad", "enforce_grad_layout_policy", "grad", "gradcheck", "gradgradcheck", "inference_mode", "no_grad",
    "set_detect_anomaly", "set_grad_enabled", "set_multithreading_enabled",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _SUBMODULES:
        return import_module(f"{__name__}.{name}")
    if name in _LAZY:
        found = globals()[name] = getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
        return found
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
