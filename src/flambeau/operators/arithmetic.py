"""Addition, subtraction, multiplication, division, negation and powers."""

from __future__ import annotations

from typing import Any

from ..core.dtypes import bool_, get_default_dtype
from ..core.names import scalar_name
from ..primitives import elementwise as p
from ..primitives.values import Value
from ..tracing.handles import Handle
from .declaration import POINTWISE, composite, methods, operator
from .indexing import known
from .kinds import Number, Tensor
from .missing_derivatives import not_differentiable
from .promotion import BOOL, COMPLEX, FLOATING, common_dtype, in_dtype, promote, promote_floating, reject, to


def _check_alpha(name: str, kind: Any, alpha: Any) -> None:
    category = alpha.category if isinstance(alpha, Value) else (bool, int, float, complex).index(type(alpha))
    if category == BOOL and kind is not bool_:
        raise RuntimeError("Boolean alpha only supported for Boolean results.")
    if category >= FLOATING and kind.category < FLOATING:
        raise RuntimeError("For integral input tensors, argument alpha must not be a floating point number.")
    if category == COMPLEX and kind.category != COMPLEX:
        raise RuntimeError("For non-complex input tensors, argument alpha must not be a complex number.")


@operator(
    {"input": lambda grad: grad, "other": lambda grad, alpha: scaled(grad, alpha)},
    layout=POINTWISE, in_place=True,
)  # fmt: skip
def add(input: Tensor | Number, other: Tensor | Number, *, alpha: Number = 1) -> Value:
    """input + alpha·other, with broadcasting and type promotion.

    >>> import flambeau as torch
    >>> torch.add(torch.tensor([1, 2]), torch.tensor([0.5, 0.5]), alpha=2)
    tensor([2., 3.])
    """
    kind = common_dtype(input, other)
    x, y = in_dtype(kind, input, other)
    _check_alpha("add", kind, alpha)
    return x + y if alpha is _ONE else x + _scaled(y, alpha, kind)


_ONE: Any = 1


def _scaled(y: Any, alpha: Any, kind: Any) -> Any:
    if isinstance(y, Value) and not y.is_number:
        return y * alpha
    y, alpha = in_dtype(kind, y, alpha)
    return y * alpha


def scaled(grad: Any, alpha: Any) -> Any:
    """grad·conj(alpha) for a Python number, nothing done for one."""
    if type(alpha) is complex:
        alpha = alpha.conjugate()
    return grad if alpha == 1 else grad * alpha


@operator(
    {"input": lambda grad: grad, "other": lambda grad, alpha: -scaled(grad, alpha)},
    layout=POINTWISE, in_place=True, aliases=("subtract",),
)  # fmt: skip
def sub(input: Tensor | Number, other: Tensor | Number, *, alpha: Number = 1) -> Value:
    """input - alpha·other, with broadcasting and type promotion.

    >>> import flambeau as torch
    >>> torch.sub(torch.tensor([3, 2]), 1)
    tensor([2, 1])
    """
    return _difference("sub", input, other, alpha)


def _difference(name: str, input: Any, other: Any, alpha: Any) -> Value:
    kind = common_dtype(input, other)
    booleans = [each.dtype is bool_ for each in (input, other)]
    if all(booleans):
        raise RuntimeError(
            "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or `logical_xor()` operator "
            "instead."
        )
    if any(booleans):
        raise RuntimeError(
            "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to invert a mask, use the "
            "`~` or `logical_not()` operator instead."
        )
    _check_alpha(name, kind, alpha)
    x, y = in_dtype(kind, input, other)
    return x - y if alpha is _ONE else x - _scaled(y, alpha, kind)


def _is_number(x: Any) -> bool:
    return isinstance(x, (bool, int, float, complex))


@operator(
    {"input": lambda grad, alpha: -scaled(grad, alpha), "other": lambda grad: grad}, layout=POINTWISE, method=False,
    node=lambda input, other, alpha=1: f"RsubBackward{int(_is_number(other))}",
)  # fmt: skip
def rsub(input: Tensor, other: Tensor | Number, *, alpha: Number = 1) -> Value:
    """other - alpha·input."""
    return _difference("rsub", other, input, alpha)


@operator(
    {"input": lambda grad, other: times_conjugate(grad, other), "other": lambda grad, input: times_conjugate(grad, input)},
    layout=POINTWISE, in_place=True, aliases=("multiply",),
)  # fmt: skip
def mul(input: Tensor | Number, other: Tensor | Number) -> Value:
    """input·other, with broadcasting and type promotion.

    >>> import flambeau as torch
    >>> torch.mul(torch.tensor([1.5, 2.0]), 2)
    tensor([3., 4.])
    """
    kind = common_dtype(input, other)
    x, y = in_dtype(_beside_scalar(kind, input, other), input, other)
    return to(x * y, kind)


def _beside_scalar(kind: Any, *operands: Any) -> Any:
    """The dtype to compute in: a narrow float is multiplied and divided by a scalar that is not rounded to it first."""
    scalar = any(not isinstance(each, Value) or each.is_number or not each.ndim for each in operands)
    return kind.compute if scalar else kind


def times_conjugate(grad: Any, factor: Any) -> Any:
    """grad·conj(factor)."""
    if isinstance(factor, complex):
        return grad * factor.conjugate()
    if isinstance(factor, (int, float)) or factor._spec.dtype.category != COMPLEX:
        return grad * factor
    return grad * factor.conj()


def over_conjugate(grad: Any, divisor: Any) -> Any:
    """grad/conj(divisor)."""
    if isinstance(divisor, complex):
        return grad / divisor.conjugate()
    if isinstance(divisor, (int, float)) or divisor._spec.dtype.category != COMPLEX:
        return grad / divisor
    return grad / divisor.conj()


def _divide_input(grad: Any, other: Any, rounding_mode: Any) -> Any:
    return over_conjugate(grad, other) if rounding_mode is None else grad.new_zeros(grad.shape)


def _divide_other(grad: Any, input: Any, other: Any, rounding_mode: Any) -> Any:
    if rounding_mode is not None:
        return grad.new_zeros(grad.shape)
    return -times_conjugate(grad, (input / other) / other)


def _divide_node(input: Any, other: Any, rounding_mode: Any = None) -> str:
    return "DivBackward2" if rounding_mode else "DivBackward0"


@operator(
    {"input": _divide_input, "other": _divide_other},
    layout=POINTWISE, in_place=True, aliases=("divide",), node=_divide_node,
)  # fmt: skip
def div(input: Tensor | Number, other: Tensor | Number, *, rounding_mode: str | None = None) -> Value:
    """input/other; ``rounding_mode`` is None (true division), "trunc" or "floor".

    >>> import flambeau as torch
    >>> torch.div(torch.tensor([7, -7]), 2, rounding_mode="floor")
    tensor([ 3, -4])
    """
    if rounding_mode is None:
        kind = common_dtype(input, other)
        kind = kind if kind.category >= FLOATING else get_default_dtype()
        x, y = in_dtype(_beside_scalar(kind, other), input, other)
        return to(x / y, kind)
    x, y = promote(input, other)
    if rounding_mode == "floor":
        return _floor_divide(x, y)
    if rounding_mode == "trunc":
        return _truncating_divide(x, y)
    raise RuntimeError(
        f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '{rounding_mode}'"
    )


def _check_divisor(input: Any, other: Any, *structure: Any) -> None:
    """Raise PyTorch's error for integers divided by zeros that are known already."""
    zero = not other if not isinstance(other, Handle) else (array := known(other)) is not None and not array.all()
    if zero and (not isinstance(input, Handle) or input._spec.numel):
        raise RuntimeError("ZeroDivisionError")


def _check_exponent(input: Any, exponent: Any) -> None:
    if type(exponent) is int and exponent < 0:
        raise RuntimeError("Integers to negative integer powers are not allowed.")


def _reject_remainder(name: str, x: Any, y: Any) -> None:
    reject(name, x if isinstance(x, Value) and not x.is_number else y, BOOL, COMPLEX)


def _is_integral(x: Any, y: Any) -> bool:
    array = x if isinstance(x, Value) and not x.is_number else y
    return array.category < FLOATING


def _floor_divide(x: Any, y: Any) -> Value:
    if _is_integral(x, y):
        return p.floor_divide_exact(x, y)
    return p.floor_divide(x, y)


def _truncating_divide(x: Any, y: Any) -> Value:
    if _is_integral(x, y):
        return p.truncating_divide(x, y)
    return p.truncate(x / y)


@composite(in_place=True)
def true_divide(input: Any, other: Any) -> Any:
    """input/other, never rounded."""
    return div(input, other)


@operator(
    {name: not_differentiable("floor_divide") for name in ("input", "other")}, layout=POINTWISE, in_place=True,
    check_integers=_check_divisor, node="NotImplemented",
)  # fmt: skip
def floor_divide(input: Tensor | Number, other: Tensor | Number) -> Value:
    """⌊input/other⌋.

    >>> import flambeau as torch
    >>> torch.floor_divide(torch.tensor([4.0, -3.0]), 2.0)
    tensor([ 2., -2.])
    """
    x, y = promote(input, other)
    _reject_remainder("floor_divide", x, y)
    kind = common_dtype(input, other)
    return to(_floor_divide(*in_dtype(_beside_scalar(kind, other), input, other)), kind)


@operator({"input": lambda grad: -grad}, layout=POINTWISE, in_place=True, aliases=("negative",))
def neg(input: Tensor) -> Value:
    """-input.

    >>> import flambeau as torch
    >>> torch.neg(torch.tensor([1, -2]))
    tensor([-1,  2])
    """
    if input.dtype is bool_:
        raise RuntimeError(
            "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, use the `~` "
            "or `logical_not()` operator instead."
        )
    return -input


@composite()
def positive(input: Any) -> Any:
    """input itself; an error for booleans."""
    if input.dtype is bool_:
        raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
    return input


def _power_input(grad: Any, input: Any, exponent: Any) -> Any:
    if isinstance(exponent, (bool, int, float, complex)):
        if exponent == 0:
            return grad.new_zeros(grad.shape)
        if exponent == 1:
            return grad
        if exponent == 2:
            return times_conjugate(grad, input * 2)
        return times_conjugate(grad, exponent * input ** (exponent - 1))
    zero = exponent == 0.0
    return (grad * (exponent * input ** (exponent - 1)).conj()).masked_fill(zero, 0)


def _power_exponent(grad: Any, input: Any, exponent: Any, result: Any) -> Any:
    from .exponential import log

    if isinstance(input, (bool, int, float, complex)):
        base = grad.new_tensor(input, dtype=result.dtype)
    else:
        base = input
    # 0 ** 0 and 0 ** positive do not change with the exponent
    flat = (base == 0) & ((exponent.real if exponent._spec.dtype.category == COMPLEX else exponent) >= 0)
    return (grad * (result * log(base)).conj()).masked_fill(flat, 0)


def _power_node(input: Any, exponent: Any) -> str:
    return "PowBackward0" if _is_number(exponent) else "PowBackward2" if _is_number(input) else "PowBackward1"


@operator(
    {"input": _power_input, "exponent": _power_exponent}, layout=POINTWISE, in_place=True, node=_power_node,
    check_integers=_check_exponent,
)  # fmt: skip
def pow(input: Tensor | Number, exponent: Tensor | Number) -> Value:
    """input to the power of ``exponent``.

    >>> import flambeau as torch
    >>> torch.pow(torch.tensor([1.0, 2.0, 3.0]), 2)
    tensor([1., 4., 9.])
    """
    kind = common_dtype(input, exponent)
    if kind is bool_:
        raise NotImplementedError("\"pow\" not implemented for 'Bool'")
    x, y = in_dtype(kind, input, exponent)
    return p.integer_power(x, y) if kind.category < FLOATING else p.power(x, y)


@composite()
def float_power(input: Any, exponent: Any) -> Any:
    """The power computed in double precision.

    >>> import flambeau as torch
    >>> torch.float_power(torch.tensor([2]), 0.5)
    tensor([1.4142], dtype=torch.float64)
    """
    from ..core.dtypes import complex128, float64

    def is_complex(x: Any) -> bool:
        return isinstance(x, complex) or (hasattr(x, "_spec") and x._spec.dtype.category == COMPLEX)

    kind = complex128 if is_complex(input) or is_complex(exponent) else float64
    convert = complex if kind is complex128 else float
    x = input.to(kind) if hasattr(input, "_spec") else convert(input)
    y = exponent.to(kind) if hasattr(exponent, "_spec") else convert(exponent)
    return pow(x, y)


def _float_power_in_place(input: Any, exponent: Any) -> Any:
    """In-place version of :func:`float_power`; for tensors of double precision only."""
    result = float_power(input, exponent)
    if result.dtype is not input.dtype:
        raise RuntimeError(
            f"the base given to float_power_ has dtype {scalar_name(input.dtype)} but the operation's result requires "
            f"dtype {scalar_name(result.dtype)}"
        )
    return input.pow_(exponent)


methods["float_power_"] = _float_power_in_place


@operator(
    {"input": lambda grad: grad, "other": lambda grad, input, other: -grad * div(input, other, rounding_mode="floor")},
    layout=POINTWISE, in_place=True, node=lambda input, other: f"RemainderBackward{int(not _is_number(other))}",
    check_integers=_check_divisor,
)  # fmt: skip
def remainder(input: Tensor | Number, other: Tensor | Number) -> Value:
    """input - other·⌊input/other⌋: the remainder with the sign of the divisor.

    >>> import flambeau as torch
    >>> torch.remainder(torch.tensor([-3.0, 3.0]), 2)
    tensor([1., 1.])
    """
    x, y = promote(input, other)
    _reject_remainder("remainder_cpu", x, y)
    return p.remainder(x, y)


@operator(
    {"input": lambda grad: grad, "other": lambda grad, input, other: -grad * div(input, other, rounding_mode="trunc")},
    layout=POINTWISE, in_place=True, node=lambda input, other: f"FmodBackward{int(not _is_number(other))}",
    check_integers=_check_divisor,
)  # fmt: skip
def fmod(input: Tensor, other: Tensor | Number) -> Value:
    """The remainder with the sign of the dividend.

    >>> import flambeau as torch
    >>> torch.fmod(torch.tensor([-3.0, 3.0]), 2)
    tensor([-1.,  1.])
    """
    x, y = promote(input, other)
    _reject_remainder("fmod_cpu", x, y)
    return p.truncating_remainder(x, y)


@operator(
    {"input": lambda grad, result: -times_conjugate(grad, result * result)}, layout=POINTWISE, in_place=True
)
def reciprocal(input: Tensor) -> Value:
    """1/input.

    >>> import flambeau as torch
    >>> torch.reciprocal(torch.tensor([2.0, 4.0]))
    tensor([0.5000, 0.2500])
    """
    (x,) = promote_floating(input)
    return p.divide(to(1, x.dtype), x)
