"""Choosing between numbers: ``where`` by a condition, ``clamp`` by bounds, ``nan_to_num`` by kind."""

from __future__ import annotations

from typing import Any

from ..core.dtypes import COMPLEX, FLOATING, bool_, finfo, uint8
from ..core.names import scalar_name
from ..primitives import elementwise as p
from ..primitives.values import Value
from .declaration import POINTWISE, composite, functions, methods, operator
from .kinds import Number, Tensor
from .promotion import as_array, common_dtype, in_dtype


@operator(
    {
        "input": lambda grad, condition: choose(condition, grad, 0),
        "other": lambda grad, condition: choose(condition, 0, grad),
    },
    layout=POINTWISE, method=False, function=False, name="where",
)  # fmt: skip
def choose(condition: Tensor, input: Tensor | Number, other: Tensor | Number) -> Value:
    """``input`` where ``condition`` holds, else ``other``."""
    if condition.dtype is uint8:
        condition = p.cast(condition, dtype=bool_)
    if condition.dtype is not bool_:
        raise RuntimeError(
            "where expected condition to be a boolean tensor, but got a tensor with dtype "
            f"{scalar_name(condition.dtype)}"
        )
    kind = common_dtype(input, other)
    return p.select(condition, as_array(input, kind), as_array(other, kind))


@composite(method=False)
def where(condition: Any, input: Any = None, other: Any = None) -> Any:
    """``input`` where ``condition`` holds, else ``other``; with the condition alone, the indices where it holds.

    >>> import flambeau as torch
    >>> torch.where(torch.tensor([True, False]), torch.tensor([1.0, 2.0]), 0)
    tensor([1., 0.])
    """
    if input is None and other is None:
        return functions["nonzero"](condition, as_tuple=True)
    if input is None or other is None:
        raise TypeError("where() takes either the condition alone or a condition, input and other; one of them is missing")
    return choose(condition, input, other)


def _where_method(input: Any, condition: Any, other: Any) -> Any:
    """``input`` where ``condition`` holds, else ``other``."""
    return choose(condition, input, other)


methods["where"] = _where_method


# -- clamp ------------------------------------------------------------------------------------------------------------


def _clamp_input(grad: Any, input: Any, min: Any, max: Any) -> Any:
    if min is None:
        inside = input <= max
    elif max is None:
        inside = input >= min
    else:
        inside = (input >= min) & (input <= max)
    return choose(inside, grad, 0)


def _clamp_min(grad: Any, input: Any, min: Any, max: Any) -> Any:
    below = input < min
    return choose(below if max is None else below & (min < max), grad, 0)


def _clamp_max(grad: Any, input: Any, min: Any, max: Any) -> Any:
    above = input > max
    return choose(above if min is None else above | (max < min), grad, 0)


@operator(
    {"input": _clamp_input, "min": _clamp_min, "max": _clamp_max}, layout=POINTWISE, in_place=True, aliases=("clip",),
    node=lambda input, min, max: f"ClampBackward{int(not (hasattr(min, '_spec') or hasattr(max, '_spec')))}",
)  # fmt: skip
def clamp(input: Tensor, min: Tensor | Number | None = None, max: Tensor | Number | None = None) -> Value:
    """min(max(input, ``min``), ``max``): kept within bounds, which are numbers or tensors; either may be absent.

    >>> import flambeau as torch
    >>> torch.clamp(torch.tensor([-2.0, 0.5, 3.0]), -1, 1)
    tensor([-1.0000,  0.5000,  1.0000])
    """
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    kind = common_dtype(input, min, max)
    if kind.category == COMPLEX:
        raise NotImplementedError("clamp is not supported for complex types")
    if kind is bool_ and any(each is not None and each.is_number for each in (min, max)):
        raise NotImplementedError("\"clamp_min_scalar_cpu\" not implemented for 'Bool'")
    (x,) = in_dtype(kind, input)
    if min is not None:
        x = p.maximum(x, as_array(min, kind))
    if max is not None:
        x = p.minimum(x, as_array(max, kind))
    return x


@operator(
    {"input": lambda grad, input, min: _clamp_input(grad, input, min, None),
     "min": lambda grad, input, min: _clamp_min(grad, input, min, None)},
    layout=POINTWISE, in_place=True,
    node=lambda input, min: "ClampMinBackward1" if hasattr(min, "_spec") else "ClampMinBackward0",
)  # fmt: skip
def clamp_min(input: Tensor, min: Tensor | Number) -> Value:
    """max(input, ``min``).

    >>> import flambeau as torch
    >>> torch.clamp_min(torch.tensor([-2.0, 0.5]), 0)
    tensor([0.0000, 0.5000])
    """
    kind = common_dtype(input, min)
    if kind.category == COMPLEX:
        raise NotImplementedError("clamp is not supported for complex types")
    if kind is bool_ and min.is_number:
        raise NotImplementedError("\"clamp_min_scalar_cpu\" not implemented for 'Bool'")
    return p.maximum(as_array(input, kind), as_array(min, kind))


@operator(
    {"input": lambda grad, input, max: _clamp_input(grad, input, None, max),
     "max": lambda grad, input, max: _clamp_max(grad, input, None, max)},
    layout=POINTWISE, in_place=True,
    node=lambda input, max: "ClampMaxBackward1" if hasattr(max, "_spec") else "ClampMaxBackward0",
)  # fmt: skip
def clamp_max(input: Tensor, max: Tensor | Number) -> Value:
    """min(input, ``max``).

    >>> import flambeau as torch
    >>> torch.clamp_max(torch.tensor([-2.0, 0.5]), 0)
    tensor([-2.,  0.])
    """
    kind = common_dtype(input, max)
    if kind.category == COMPLEX:
        raise NotImplementedError("clamp is not supported for complex types")
    if kind is bool_ and max.is_number:
        raise NotImplementedError("\"clamp_max_scalar_cpu\" not implemented for 'Bool'")
    return p.minimum(as_array(input, kind), as_array(max, kind))


# -- nan_to_num -------------------------------------------------------------------------------------------------------


@operator(
    {"input": lambda grad, input: grad * functions["isfinite"](input)}, layout=POINTWISE, in_place=True
)
def nan_to_num(
    input: Tensor, nan: Number | None = None, posinf: Number | None = None, neginf: Number | None = None
) -> Value:
    """NaN replaced by ``nan`` (0), +∞ and -∞ by ``posinf`` and ``neginf`` (the greatest and least finite number).

    >>> import flambeau as torch
    >>> torch.nan_to_num(torch.tensor([float("nan"), 1.0]))
    tensor([0., 1.])
    """
    if input.category < FLOATING:
        return input
    if input.category == COMPLEX:
        return p.make_complex(*(_finite(part(input), nan, posinf, neginf) for part in (p.real, p.imaginary)))
    return _finite(input, nan, posinf, neginf)


def _finite(x: Value, nan: Any, posinf: Any, neginf: Any) -> Value:
    limits = finfo(x.dtype)
    nan = as_array(0.0 if nan is None else nan, x.dtype)
    posinf = as_array(limits.max if posinf is None else posinf, x.dtype)
    neginf = as_array(limits.min if neginf is None else neginf, x.dtype)
    x_ = p.select(p.equal(x, float("inf")), posinf, p.select(p.equal(x, float("-inf")), neginf, x))
    return p.select(p.is_nan(x), nan, x_)


__all__ = ["choose", "clamp", "clamp_max", "clamp_min", "nan_to_num", "where"]
