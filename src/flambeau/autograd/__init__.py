"""Automatic differentiation: the tape, the backward pass, grad modes, custom functions."""

from .engine import backward, grad
from .function import Function, FunctionCtx
from .grad_mode import enable_grad, inference_mode, no_grad, set_grad_enabled
from .tape import Node

__all__ = ["Function", "FunctionCtx", "Node", "backward", "enable_grad", "grad", "inference_mode", "no_grad", "set_grad_enabled"]
