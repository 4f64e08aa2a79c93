"""Tensors within what a module takes and returns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..tensor import Tensor

__all__ = ["tensors_in"]


def tensors_in(value: Any) -> Iterator[Any]:
    """The tensors in lists, tuples and dicts of them, in order.

    >>> import flambeau as torch
    >>> [each.item() for each in tensors_in([torch.tensor(1), {"a": (torch.tensor(2), 3)}])]
    [1, 2]
    """
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from tensors_in(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from tensors_in(each)
