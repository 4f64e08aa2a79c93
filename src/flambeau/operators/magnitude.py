"""Size and sign: ``abs``, ``sign`` and their kin, and floating numbers taken apart and stepped through."""

from __future__ import annotations

from typing import Any

from ..core.dtypes import BOOL, COMPLEX, FLOATING, bool_
from ..primitives import elementwise as p
from ..primitives.values import Value
from .declaration import POINTWISE, functions, methods, operator
from .kinds import Number, Tensor
from .missing_derivatives import not_differentiable
from .promotion import as_array, promote, promote_floating, reject


def _zero(grad: Any) -> Any:
    return grad.new_zeros(grad._spec.shape)


@operator(
    {"input": lambda grad, input: grad * functions["sgn"](input)},
    layout=POINTWISE, in_place=True, aliases=("absolute",),
)
def abs(input: Tensor) -> Value:
    """|input|; the modulus of complex numbers.

    >>> import flambeau as torch
    >>> torch.abs(torch.tensor([-1.5, 2.0]))
    tensor([1.5000, 2.0000])
    """
    reject("abs_cpu", input, BOOL)
    return p.absolute(input)


def _abs_in_place(unchecked: Any) -> Any:
    def abs_(input: Any) -> Any:
        """In-place version of :meth:`abs`; not for complex tensors, whose modulus is real."""
        if input._spec.dtype.category == COMPLEX:
            raise RuntimeError("In-place abs is not supported for complex tensors.")
        return unchecked(input)

    return abs_


methods["abs_"] = methods["absolute_"] = _abs_in_place(methods["abs_"])


def _sgn_back(grad: Any, result: Any, input: Any) -> Any:
    if input._spec.dtype.category != COMPLEX:
        return _zero(grad)
    length = abs(input)
    across = grad - functions["real"](grad * result.conj()) * result
    return (across / length).masked_fill(length == 0, 0)


def _sign_of(x: Value) -> Value:
    if x.dtype is bool_:
        return x
    kind = x.dtype
    positive = p.cast(p.greater(x, as_array(0, kind)), dtype=kind)
    return positive if not kind.is_signed else positive - p.cast(p.less(x, as_array(0, kind)), dtype=kind)


@operator({"input": _zero}, layout=POINTWISE, in_place=True)
def sign(input: Tensor) -> Value:
    """-1, 0 or 1; zero for NaN.

    >>> import flambeau as torch
    >>> torch.sign(torch.tensor([-0.5, 0.0, 3.0]))
    tensor([-1.,  0.,  1.])
    """
    if input.category == COMPLEX:
        raise NotImplementedError(
            "Unlike NumPy, torch.sign is not intended to support complex numbers. Please use torch.sgn instead."
        )
    return _sign_of(input)


@operator({"input": _sgn_back}, layout=POINTWISE, in_place=True)
def sgn(input: Tensor) -> Value:
    """The sign; input/|input| for complex numbers, zero at zero.

    >>> import flambeau as torch
    >>> torch.sgn(torch.tensor([3 + 4j, 0]))
    tensor([0.6000+0.8000j, 0.0000+0.0000j])
    """
    if input.category != COMPLEX:
        return _sign_of(input)
    length = p.absolute(input)
    safe = p.select(p.equal(length, 0.0), as_array(1.0, length.dtype), length)
    return p.make_complex(p.real(input) / safe, p.imaginary(input) / safe)


@operator(layout=POINTWISE)
def signbit(input: Tensor) -> Value:
    """Whether the sign bit is set; true for -0.0.

    >>> import flambeau as torch
    >>> torch.signbit(torch.tensor([-0.0, 1.0]))
    tensor([ True, False])
    """
    if input.category == COMPLEX:
        raise NotImplementedError("signbit is not implemented for complex tensors.")
    if input.category == FLOATING:
        return p.sign_bit(input)
    from .comparison import all_of

    return p.less(input, as_array(0, input.dtype)) if input.dtype is not bool_ else all_of(input, False)


def _copysign_back(grad: Any, input: Any, result: Any) -> Any:
    return grad * (result / input).masked_fill(input == 0, 0)


@operator(
    {"input": _copysign_back, "other": _zero}, layout=POINTWISE, in_place=True,
    node=lambda input, other: "CopysignBackward0" if hasattr(other, "_spec") else "CopysignBackward1",
)  # fmt: skip
def copysign(input: Tensor, other: Tensor | Number) -> Value:
    """|input| with the sign of ``other``.

    >>> import flambeau as torch
    >>> torch.copysign(torch.tensor([1.0, 2.0]), -0.0)
    tensor([-1., -2.])
    """
    x, y = promote_floating(input, other)
    reject("copysign_cpu", as_array(x, x.dtype), COMPLEX)
    return p.copysign(x, y)


@operator(
    {"input": not_differentiable("heaviside"), "values": not_differentiable("heaviside")}, node="NotImplemented",
    layout=POINTWISE, in_place=True,
)  # fmt: skip
def heaviside(input: Tensor, values: Tensor) -> Value:
    """The step function: 0 below zero, ``values`` at zero, 1 above.

    >>> import flambeau as torch
    >>> torch.heaviside(torch.tensor([-1.0, 0.0, 2.0]), torch.tensor(0.5))
    tensor([0.0000, 0.5000, 1.0000])
    """
    if COMPLEX in (input.category, values.category):
        raise RuntimeError("heaviside is not yet implemented for complex tensors.")
    if input.dtype is not values.dtype:
        raise RuntimeError("heaviside is not yet implemented for tensors with different dtypes.")
    zero = as_array(0, input.dtype)
    return p.select(p.equal(input, zero), values, p.cast(p.greater(input, zero), dtype=input.dtype))


@operator(
    {
        "input": lambda grad, input, other: grad.masked_fill(input == other, 0),
        "other": lambda grad: _zero(grad),
    },
    layout=POINTWISE, in_place=True,
)  # fmt: skip
def nextafter(input: Tensor, other: Tensor) -> Value:
    """The next representable number after ``input`` towards ``other``.

    >>> import flambeau as torch
    >>> bool(torch.nextafter(torch.tensor(1.0), torch.tensor(2.0)) > 1)
    True
    """
    x, y = promote(input, other)
    if x.category != FLOATING:
            reject("nextafter_cpu", x, x.category)
    return p.nextafter(x, y)


def _frexp_pair(results: Any) -> Any:
    from .. import return_types

    return return_types.frexp(results)


@operator(
    {"input": lambda grad, result1: grad / 2**result1}, layout=POINTWISE, returns=_frexp_pair
)
def frexp(input: Tensor) -> tuple[Value, Value]:
    """The mantissa in ±[0.5, 1) and the exponent (int32): input = mantissa·2^exponent.

    >>> import flambeau as torch
    >>> torch.frexp(torch.tensor([3.0])).exponent
    tensor([2], dtype=torch.int32)
    """
    if input.category != FLOATING:
        raise RuntimeError("torch.frexp() only supports floating-point dtypes")
    return p.mantissa_and_exponent(input)
