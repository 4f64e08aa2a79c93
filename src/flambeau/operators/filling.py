"""Writing one number into a tensor: everywhere (``fill_``, ``zero_``) or where a mask holds (``masked_fill``)."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.dtypes import INTEGER, bool_
from ..core.names import scalar_name
from ..primitives import elementwise as p
from ..primitives import memory
from ..primitives.values import Value
from .declaration import LIKE_FIRST, functions, methods, operator
from .promotion import as_array


def _zero(grad: Any) -> Any:
    return grad.new_zeros(grad._spec.shape)


def _value_back(grad: Any) -> Any:
    return grad.sum()


def _check_fits(name: str, value: Any, kind: Any) -> None:
    """Raise PyTorch's error for a number that an integer dtype cannot hold."""
    if kind.category != INTEGER or type(value) is bool:
        return
    if type(value) is complex:
        if value.imag:
            raise RuntimeError(f"value cannot be converted to type {kind.name} without overflow (in {name})")
        value = value.real
    info = np.iinfo(kind.numpy)
    least = -int(info.max) - 1 if kind.is_signed else -int(info.max)  # unsigned dtypes take wrapped negatives
    if value != value or not least <= value <= int(info.max):
        raise RuntimeError(f"value cannot be converted to type {kind.name} without overflow (in {name})")


@operator({"input": _zero, "value": _value_back}, layout=LIKE_FIRST, in_place=True)
def fill(input: Tensor, value: Tensor | Number) -> Value:
    """A tensor like ``input`` with every element equal to ``value``, a number or a 0-dimensional tensor.

    >>> import flambeau as torch
    >>> torch.fill(torch.zeros(2), 3)
    tensor([3., 3.])
    """
    if value.is_number:
        return memory.full(value, shape=input.shape, dtype=input.dtype)
    if value.ndim:
        raise RuntimeError(
            "fill_ only supports 0-dimension value tensor but got tensor with "
            f"{value.ndim} dimension{'s' if value.ndim != 1 else ''}."
        )
    return memory.broadcast(as_array(value, input.dtype), shape=input.shape)


@operator({"input": _zero}, layout=LIKE_FIRST, in_place=True, method=False, function=False)
def zero(input: Tensor) -> Value:
    """Zeros like ``input``; published as ``zero_``."""
    return memory.full(0, shape=input.shape, dtype=input.dtype)


def _checked_fill(unchecked: Any) -> Any:
    def fill_(input: Any, value: Any) -> Any:
        """Every element set to ``value``.

        Raises:
            RuntimeError: the number does not fit the dtype, or a value tensor has dimensions.

        >>> import flambeau as torch
        >>> torch.zeros(2).fill_(3)
        tensor([3., 3.])
        """
        if type(value) in (int, float, complex):
            _check_fits("fill_", value, input._spec.dtype)
        return unchecked(input, value)

    return fill_


functions["fill_"] = methods["fill_"] = _checked_fill(methods["fill_"])
functions["zero_"] = methods["zero_"]
methods.pop("fill")


def _masked_layout(result: Value, operands: Any) -> Any:
    from ..core import strides

    first = operands[0]
    return strides.like(first.shape, first.strides) if first.shape == result.shape else None


@operator(
    {
        "input": lambda grad, mask: grad.masked_fill(mask, 0),
        "value": lambda grad, mask: functions["where"](mask, grad, 0).sum(),
    },
    layout=_masked_layout, in_place=True,
)  # fmt: skip
def masked_fill(input: Tensor, mask: Tensor, value: Tensor | Number) -> Value:
    """``value`` (a number or a 0-dimensional tensor) where the boolean ``mask`` holds, else ``input``.

    >>> import flambeau as torch
    >>> torch.masked_fill(torch.tensor([1, 2]), torch.tensor([True, False]), 0)
    tensor([0, 2])
    """
    if mask.dtype is not bool_:
        raise RuntimeError(f"masked_fill only supports boolean masks, but got mask with dtype {mask.dtype}")
    if not value.is_number and value.ndim:
        raise RuntimeError(
            "masked_fill only supports a 0-dimensional value tensor, but got tensor with "
            f"{value.ndim} dimension{'s' if value.ndim != 1 else ''}."
        )
    if value.category > input.category and value.category == 3:
        raise RuntimeError(f"value cannot be converted to type {scalar_name(input.dtype)} without overflow")
    return p.select(mask, as_array(value, input.dtype), input)
