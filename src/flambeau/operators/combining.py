"""Several operands in one step: interpolation, products and quotients added on."""

from __future__ import annotations

import math
from typing import Any

from ..core.dtypes import FLOATING
from ..core.names import scalar_name
from ..primitives import elementwise as p
from ..primitives.values import Value
from .arithmetic import over_conjugate, scaled, times_conjugate
from .declaration import POINTWISE, functions, operator
from .kinds import Number, Tensor
from .promotion import as_array, common_dtype, in_dtype, promote, promote_floating, to, widened


def _lerp_weight(grad: Any, input: Any, end: Any) -> Any:
    return times_conjugate(grad, end - input)


def _lerp_node(input: Any, end: Any, weight: Any) -> str:
    return "LerpBackward1" if hasattr(weight, "_spec") else "LerpBackward0"


@operator(
    {
        "input": lambda grad, weight: times_conjugate(grad, 1 - weight),
        "end": lambda grad, weight: times_conjugate(grad, weight),
        "weight": _lerp_weight,
    },
    layout=POINTWISE, in_place=True, node=_lerp_node,
)  # fmt: skip
def lerp(input: Tensor, end: Tensor, weight: Tensor | Number) -> Value:
    """input + weight·(end - input), reckoned from the nearer end so that weight 1 gives ``end`` exactly.

    >>> import flambeau as torch
    >>> torch.lerp(torch.tensor([0.0, 2.0]), torch.tensor([10.0, 4.0]), 0.5)
    tensor([5., 3.])
    """
    if input.dtype is not end.dtype:
        raise RuntimeError(f"expected dtype {input.dtype.name} for `end`, but got dtype {end.dtype.name}")
    fits = weight.is_number or weight.dtype is input.dtype or (weight.ndim == 0 and weight.category <= input.category)
    if not fits:
        raise RuntimeError(f"expected dtype {input.dtype.name} for `weight`, but got dtype {weight.dtype.name}")
    if input.category < FLOATING:
        raise NotImplementedError(f"\"lerp_kernel_scalar\" not implemented for '{scalar_name(input.dtype)}'")
    x, y = widened(input), widened(end)
    w = as_array(weight, x.dtype)
    nearer = p.less(p.absolute(w), 0.5)
    return to(p.select(nearer, x + w * (y - x), y - (y - x) * (1.0 - w)), input.dtype)


@operator(
    {
        "input": lambda grad: grad,
        "tensor1": lambda grad, tensor2, value: times_conjugate(scaled(grad, value), tensor2),
        "tensor2": lambda grad, tensor1, value: times_conjugate(scaled(grad, value), tensor1),
    },
    layout=POINTWISE, in_place=True,
)  # fmt: skip
def addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Number = 1) -> Value:
    """input + value·tensor1·tensor2.

    >>> import flambeau as torch
    >>> torch.addcmul(torch.ones(2), torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0]), value=0.5)
    tensor([2.5000, 5.0000])
    """
    kind = common_dtype(input, tensor1, tensor2)
    x, y, z = in_dtype(kind, input, tensor1, tensor2)
    _check_value("addcmul", kind, value)
    product = y * z if value is _ONE else as_array(value, y.dtype) * y * z
    return x + product


_ONE: Any = 1


def _check_value(name: str, kind: Any, value: Any) -> None:
    category = value.category if isinstance(value, Value) else int(type(value) is not bool)
    if kind.category < category and category > FLOATING:
        raise RuntimeError(f"value cannot be converted to type {kind.name} without overflow")


@operator(
    {
        "input": lambda grad: grad,
        "tensor1": lambda grad, tensor2, value: over_conjugate(scaled(grad, value), tensor2),
        "tensor2": lambda grad, tensor1, tensor2, value: -times_conjugate(
            scaled(grad, value), tensor1 / (tensor2 * tensor2)
        ),
    },
    layout=POINTWISE, in_place=True,
)  # fmt: skip
def addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Number = 1) -> Value:
    """input + value·tensor1/tensor2.

    >>> import flambeau as torch
    >>> torch.addcdiv(torch.ones(2), torch.tensor([1.0, 2.0]), torch.tensor([2.0, 4.0]))
    tensor([1.5000, 1.5000])
    """
    if tensor1.category < FLOATING and tensor2.category < FLOATING:
        raise RuntimeError(
            "Integer division with addcdiv is no longer supported, and in a future  release addcdiv will perform a "
            "true division of tensor1 and tensor2. The historic addcdiv behavior can be implemented as (input + value "
            "* torch.trunc(tensor1 / tensor2)).to(input.dtype) for integer inputs and as (input + value * tensor1 / "
            "tensor2) for float inputs. The future addcdiv behavior is just the latter implementation: (input + value "
            "* tensor1 / tensor2), for all dtypes."
        )
    kind = common_dtype(input, tensor1, tensor2)
    x, y, z = in_dtype(kind, input, tensor1, tensor2)
    _check_value("addcdiv", kind, value)
    return x + (y / z if value is _ONE else as_array(value, y.dtype) * y / z)


@operator(
    {
        "input": lambda grad, other: times_conjugate(grad, functions["pow"](2.0, other)),
        "other": lambda grad, result: times_conjugate(grad, result * math.log(2.0)),
    },
    layout=POINTWISE, in_place=True,
)  # fmt: skip
def ldexp(input: Tensor, other: Tensor) -> Value:
    """input·2^other.

    >>> import flambeau as torch
    >>> torch.ldexp(torch.tensor([1.0, 3.0]), torch.tensor([2, 0]))
    tensor([4., 3.])
    """
    power = p.power(as_array(2.0, common_dtype(2.0, other)), *promote_floating(other))
    x, y = promote(input, power)
    return x * y
