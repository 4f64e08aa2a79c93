"""Causal masks that say on which side they are aligned where there are more keys than queries."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from ...core.dtypes import bool_
from ...operators.declaration import functions

__all__ = ["CausalVariant", "causal_lower_right", "causal_upper_left"]


class CausalVariant(IntEnum):
    """Whether the first or the last query sees as many keys as its place says."""

    UPPER_LEFT = 1
    LOWER_RIGHT = 2


def _mask(queries: int, keys: int, diagonal: int) -> Any:
    return functions["ones"](queries, keys, dtype=bool_).tril(diagonal)


def causal_upper_left(*size: int) -> Any:
    """The boolean mask (queries, keys) with which query i sees keys 0 … i.

    >>> import flambeau as torch
    >>> torch.nn.attention.bias.causal_upper_left(1, 2)
    tensor([[ True, False]])
    """
    if len(size) != 2:
        raise RuntimeError("causal_upper_left only supports 2D tensors")
    return _mask(*size, 0)


def causal_lower_right(*size: int) -> Any:
    """The boolean mask (queries, keys) with which the last query sees every key, the one before all but one …

    >>> import flambeau as torch
    >>> torch.nn.attention.bias.causal_lower_right(1, 2)
    tensor([[True, True]])
    """
    if len(size) != 2:
        raise RuntimeError("causal_lower_right only supports 2D tensors")
    return _mask(*size, size[1] - size[0])
