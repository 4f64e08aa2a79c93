"""Automatic differentiation: the tape, the backward pass, grad modes, custom functions."""

from .engine import backward, grad
from .function import Function, FunctionCtx
from .gradcheck import GradcheckError, gradcheck, gradgradcheck
from .grad_mode import enable_grad, inference_mode, no_grad, set_grad_enabled
from .tape import Node

__all__ = [
    "GradcheckError", "gradcheck", "gradgradcheck",  # noqa: RUF022
    "Function", "FunctionCtx", "Node", "backward", "enable_grad", "grad", "inference_mode", "no_grad", "set_grad_enabled"]
