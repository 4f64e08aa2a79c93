"""Derivatives that PyTorch declares but does not have: asking for one is an error, at backward."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def no_derivative(operator: str, argument: str) -> Callable[[Any], Any]:
    """A row of a derivative table that raises when the gradient for ``argument`` is wanted."""

    def row(grad: Any) -> Any:
        raise NotImplementedError(
            f"the derivative for '{operator}: {argument}' is not implemented; call detach() on '{argument}' if it need "
            "not be differentiated."
        )

    return row


def not_differentiable(operator: str) -> Callable[[Any], Any]:
    """A row that raises for an operator whose results require grad and have no derivative at all (``<NotImplemented>``)."""

    def row(grad: Any) -> Any:
        raise RuntimeError(f"derivative for aten::{operator} is not implemented")

    return row
