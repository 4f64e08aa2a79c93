"""``Variable``: the old name of a tensor that takes part in autograd."""

from __future__ import annotations

from typing import Any

from ..tracing.handles import Classes, Handle

__all__ = ["Variable"]


class _VariableClass(type):
    def __instancecheck__(cls, other: Any) -> bool:
        return isinstance(other, Handle)


class Variable(metaclass=_VariableClass):
    """``Variable(data)`` is a tensor onto the same memory; every tensor is a Variable.

    >>> import flambeau as torch
    >>> torch.autograd.Variable(torch.ones(1), requires_grad=True)
    tensor([1.], requires_grad=True)
    """

    def __new__(cls, data: Any = None, requires_grad: bool = False, volatile: Any = None) -> Any:
        if data is None:
            return Classes.tensor()
        made = data.detach()
        return made.requires_grad_() if requires_grad else made
