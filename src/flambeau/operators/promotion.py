"""Type promotion inside meanings: bringing operands to the dtype PyTorch computes in."""

from __future__ import annotations

from typing import Any

from ..core.dtypes import BOOL, COMPLEX, FLOATING, INTEGER, dtype, get_default_dtype, result_dtype
from ..core.names import scalar_name
from ..primitives import elementwise as p
from ..primitives.values import Value


def common_dtype(*operands: Any) -> dtype:
    """The dtype that arithmetic on the operands (Values or Python numbers) results in."""
    dimensioned: list[dtype] = []
    zero_dimensional: list[dtype] = []
    numbers: list[int] = []
    for each in operands:
        if isinstance(each, Value):
            if each.is_number:
                numbers.append(each.category)
            else:
                (dimensioned if each.ndim else zero_dimensional).append(each.dtype)
        elif each is not None:
            numbers.append((bool, int, float, complex).index(type(each)))
    return result_dtype(dimensioned, zero_dimensional, numbers)


def to(x: Any, kind: dtype) -> Any:
    """``x`` in another dtype. A Python number stays one: the primitive beside whose arrays it stands converts it."""
    if not isinstance(x, Value):
        return x
    if x.is_number:
        return x if x.category <= kind.category and kind.category >= FLOATING else p.number(x, dtype=kind)
    return x if x.dtype is kind else p.cast(x, dtype=kind)


def as_array(x: Any, kind: dtype) -> Value:
    """``x`` in another dtype, a number made a 0-dimensional array."""
    if isinstance(x, Value) and not x.is_number:
        return to(x, kind)
    return p.number(x, dtype=kind)


def promote(*operands: Any) -> tuple[Any, ...]:
    """The operands in their common dtype; at least one comes back as an array."""
    kind = common_dtype(*operands)
    return in_dtype(kind, *operands)


def in_dtype(kind: dtype, *operands: Any) -> tuple[Any, ...]:
    """The operands in the given dtype; at least one comes back as an array."""
    result = [to(each, kind) for each in operands]
    if not any(isinstance(each, Value) and not each.is_number for each in result):
        result[0] = as_array(operands[0], kind)
    return tuple(result)


def promote_floating(*operands: Any) -> tuple[Any, ...]:
    """Like :func:`promote`, with integers and booleans becoming the default floating dtype."""
    kind = common_dtype(*operands)
    return in_dtype(kind if kind.category >= FLOATING else get_default_dtype(), *operands)


def widened(x: Value) -> Value:
    """``x`` in the dtype narrow floats are computed in (float32), for meanings of several steps."""
    return to(x, x.dtype.compute)


def needs_tensor(name: str, *operands: Any) -> None:
    """Raise PyTorch's error when all operands are Python numbers.

    Raises:
        TypeError: none of them is a tensor.
    """
    if not any(isinstance(each, Value) and not each.is_number for each in operands):
        names = ", ".join({0: "bool", 1: "int", 2: "float", 3: "complex"}[each.category] for each in operands)
        raise TypeError(f"{name}() received an invalid combination of arguments - got ({names}); one must be a Tensor")


def reject(name: str, x: Value, *categories: int) -> None:
    """Raise PyTorch's error when ``x`` is of one of these categories.

    Raises:
        NotImplementedError: '"name" not implemented for 'Bool'' and the like.
    """
    if x.category in categories:
        raise NotImplementedError(f"\"{name}\" not implemented for '{scalar_name(x.dtype)}'")


__all__ = [
    "BOOL", "COMPLEX", "FLOATING", "INTEGER", "as_array", "common_dtype", "in_dtype", "needs_tensor", "promote",
    "promote_floating", "reject", "to", "widened",
]  # fmt: skip
