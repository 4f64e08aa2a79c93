"""Writing one number into a tensor: everywhere (``fill_``, ``zero_``) or where a mask holds (``masked_fill``)."""

from __future__ import annotations

from typing import Any

from ..core.dtypes import COMPLEX, bool_, check_fits, overflow
from ..primitives import elementwise as p, memory
from ..primitives.values import Value
from .declaration import LIKE_FIRST, functions, methods, operator
from .kinds import Number, Tensor
from .promotion import as_array


def _zero(grad: Any) -> Any:
    return grad.new_zeros(grad._spec.shape)


def _value_back(grad: Any) -> Any:
    return grad.sum()


def _check_fits(input: Any, *arguments: Any) -> None:
    check_fits(arguments[-1], input._spec.dtype)


@operator(
    {"input": _zero, "value": _value_back}, layout=LIKE_FIRST, in_place=True, check=_check_fits,
    node=lambda input, value: "FillBackward1" if hasattr(value, "_spec") else "FillBackward0",
    node_in_place=lambda input, value: "FillBackward3" if hasattr(value, "_spec") else "FillBackward2",
)  # fmt: skip
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


functions["fill_"] = methods["fill_"]
functions["zero_"] = methods["zero_"]
methods.pop("fill")


@operator(
    {
        "input": lambda grad, mask: grad.masked_fill(mask, 0),
        "value": lambda grad, mask: functions["where"](mask, grad, 0).sum(),
    },
    in_place=True, check=_check_fits,
    node=lambda input, mask, value: "MaskedFillBackward1" if hasattr(value, "_spec") else "MaskedFillBackward0",
)  # fmt: skip
def masked_fill(input: Tensor, mask: Tensor, value: Tensor | Number) -> Value:
    """``value`` (a number or a 0-dimensional tensor) where the boolean ``mask`` holds, else ``input``.

    >>> import flambeau as torch
    >>> torch.masked_fill(torch.tensor([1, 2]), torch.tensor([True, False]), 0)
    tensor([0, 2])
    """
    if mask.dtype is not bool_:
        raise RuntimeError(f"masked_fill_ only supports boolean masks, but got mask with dtype {mask.dtype.name}")
    if not value.is_number and value.ndim:
        raise RuntimeError(
            "masked_fill only supports a 0-dimensional value tensor, but got tensor with "
            f"{value.ndim} dimension{'s' if value.ndim != 1 else ''}."
        )
    if value.category == COMPLEX != input.category:
        raise overflow(input.dtype)
    return p.select(mask, as_array(value, input.dtype), input)
