"""Checks that the constructors of several optimizers share."""

from __future__ import annotations

from typing import Any

from ..tensor import Tensor


def check_learning_rate(lr: Any, message: str = "Invalid learning rate: {}") -> None:
    """Refuse a tensor with more than one element, and whatever is not at least zero."""
    if isinstance(lr, Tensor) and lr.numel() != 1:
        raise ValueError("Tensor lr must be 1-element")
    if not 0.0 <= lr:
        raise ValueError(message.format(lr))


def check_not_negative(value: Any, message: str) -> None:
    """Refuse what is not at least zero with ``message``, in which ``{}`` stands for the value."""
    if not 0.0 <= value:
        raise ValueError(message.format(value))


def check_betas(betas: Any) -> None:
    """Refuse decay rates outside ``[0, 1)``."""
    for index in range(2):
        if not 0.0 <= betas[index] < 1.0:
            raise ValueError(f"Invalid beta parameter at index {index}: {betas[index]}")


def check_fused(fused: bool | None, foreach: bool | None, differentiable: bool) -> None:
    """Refuse combinations of implementations that exclude each other in PyTorch."""
    if fused:
        if differentiable:
            raise RuntimeError("`fused` does not support `differentiable`")
        if foreach:
            raise RuntimeError("`fused` and `foreach` cannot be `True` together.")
