"""Complex numbers: putting them together, conjugates and angles."""

from __future__ import annotations

import math
from typing import Any

from ..core import strides
from ..core.dtypes import COMPLEX, FLOATING
from ..core.names import scalar_name
from ..primitives import elementwise as p
from ..primitives.values import Value
from .declaration import POINTWISE, composite, functions, operator
from .kinds import Tensor
from .promotion import as_array, promote_floating


@operator({"input": lambda grad: grad.conj()}, layout=POINTWISE, name="conj", function=False, method=False)
def conjugated(input: Tensor) -> Value:
    """The complex conjugate of a complex tensor."""
    return p.conjugate(input)


@composite()
def conj(input: Any) -> Any:
    """The complex conjugate; a real tensor itself.

    >>> import flambeau as torch
    >>> torch.conj(torch.tensor([1 + 2j]))
    tensor([1.-2.j])
    """
    return conjugated(input) if input._spec.dtype.category == COMPLEX else input


@operator(
    {"input": lambda grad: grad.conj()},
    layout=POINTWISE, in_place=True, name="conj_physical", function=False, method=False,
)
def _conjugated_physically(input: Tensor) -> Value:
    return p.conjugate(input) if input.category == COMPLEX else input


@composite()
def conj_physical(input: Any) -> Any:
    """The complex conjugate; a real tensor itself.

    >>> import flambeau as torch
    >>> torch.conj_physical(torch.tensor([1 + 2j]))
    tensor([1.-2.j])
    """
    return _conjugated_physically(input) if input._spec.dtype.category == COMPLEX else input


@composite()
def resolve_conj(input: Any) -> Any:
    """``input`` itself: conjugates are computed, not marked."""
    return input


@composite()
def resolve_neg(input: Any) -> Any:
    """``input`` itself: negations are computed, not marked."""
    return input


@composite()
def is_conj(input: Any) -> bool:
    """Whether the tensor is marked as conjugated: never, conjugates are computed."""
    return False


@composite()
def is_neg(input: Any) -> bool:
    """Whether the tensor is marked as negated: never, negations are computed."""
    return False


def _angle_back(grad: Any, input: Any) -> Any:
    if input._spec.dtype.category != COMPLEX:
        return grad.new_zeros(grad._spec.shape)
    real, imaginary = functions["real"](input), functions["imag"](input)
    square = real * real + imaginary * imaginary
    at_zero = square == 0
    return complex_(
        (-grad * imaginary / square).masked_fill(at_zero, 0), (grad * real / square).masked_fill(at_zero, 0)
    )


def _angle_layout(result: Value, operands: Any) -> Any:
    here = operands[0]
    return None if here.dtype.category == COMPLEX else strides.like(here.shape, here.strides)


@operator({"input": _angle_back}, layout=_angle_layout)
def angle(input: Tensor) -> Value:
    """The angle of a complex number in radians; 0 or π for a real one.

    >>> import flambeau as torch
    >>> torch.angle(torch.tensor([1j, -1.0]))
    tensor([1.5708, 3.1416])
    """
    if input.category == COMPLEX:
        return p.arctan2(p.imaginary(input), p.real(input))
    (x,) = promote_floating(input)
    turned = p.select(p.less(x, 0.0), as_array(math.pi, x.dtype), as_array(0.0, x.dtype))
    return p.select(p.is_nan(x), x, turned)


def _check_parts(x: Value, y: Value) -> None:
    for each in (x, y):
        if each.category != FLOATING or each.dtype.name == "bfloat16":
            raise RuntimeError(
                f"Expected both inputs to be Half, Float or Double tensors but got {scalar_name(x.dtype)} and "
                f"{scalar_name(y.dtype)}"
            )
    if x.dtype is not y.dtype:
        raise RuntimeError(
            f"Expected object of scalar type {scalar_name(x.dtype)} but got scalar type {scalar_name(y.dtype)} "
            "for second argument"
        )


@operator(
    {"real": lambda grad: functions["real"](grad), "imag": lambda grad: functions["imag"](grad)},
    layout=POINTWISE, method=False, function=False, name="complex",
)  # fmt: skip
def _complex(real: Tensor, imag: Tensor) -> Value:
    _check_parts(real, imag)
    return p.make_complex(real, imag)


@composite(method=False, name="complex")
def complex_(real: Any, imag: Any, *, out: Any = None) -> Any:
    """real + i·imag.

    >>> import flambeau as torch
    >>> torch.complex(torch.tensor([1.0]), torch.tensor([2.0]))
    tensor([1.+2.j])
    """
    if out is None:
        return _complex(real, imag)
    wanted = real._spec.dtype.to_complex()
    if out._spec.dtype is not wanted:
        raise RuntimeError(
            f"Expected object of scalar type {scalar_name(wanted)} but got scalar type {scalar_name(out._spec.dtype)} "
            "for argument 'out'"
        )
    return _complex(real, imag, out=out)


def _polar_angle(grad: Any, result: Any) -> Any:
    return functions["real"](grad * (result * 1j).conj())


@operator(
    {
        "abs": lambda grad, angle: functions["real"](grad) * angle.cos() + functions["imag"](grad) * angle.sin(),
        "angle": _polar_angle,
    },
    layout=POINTWISE, method=False,
)  # fmt: skip
def polar(abs: Tensor, angle: Tensor) -> Value:
    """abs·(cos(angle) + i·sin(angle)).

    >>> import flambeau as torch
    >>> torch.polar(torch.tensor([2.0]), torch.tensor([0.0]))
    tensor([2.+0.j])
    """
    _check_parts(abs, angle)
    return p.make_complex(abs * p.cos(angle), abs * p.sin(angle))


