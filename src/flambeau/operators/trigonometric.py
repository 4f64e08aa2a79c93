"""Trigonometric and hyperbolic functions, their inverses, and angles."""

from __future__ import annotations

import math
from typing import Any

from ..core.dtypes import COMPLEX, FLOATING
from ..primitives import elementwise as p
from ..primitives.values import Value
from .arithmetic import over_conjugate, times_conjugate
from .declaration import POINTWISE, functions, operator
from .kinds import Tensor
from .promotion import as_array, promote, promote_floating, reject, to, widened


@operator({"input": lambda grad, input: times_conjugate(grad, cos(input))}, layout=POINTWISE, in_place=True)
def sin(input: Tensor) -> Value:
    """The sine.

    >>> import flambeau as torch
    >>> torch.sin(torch.tensor([0.0, torch.pi / 2]))
    tensor([0., 1.])
    """
    return p.sin(*promote_floating(input))


@operator({"input": lambda grad, input: -times_conjugate(grad, sin(input))}, layout=POINTWISE, in_place=True)
def cos(input: Tensor) -> Value:
    """The cosine.

    >>> import flambeau as torch
    >>> torch.cos(torch.tensor([0.0, torch.pi]))
    tensor([ 1., -1.])
    """
    return p.cos(*promote_floating(input))


@operator({"input": lambda grad, result: times_conjugate(grad, 1 + result * result)}, layout=POINTWISE, in_place=True)
def tan(input: Tensor) -> Value:
    """The tangent.

    >>> import flambeau as torch
    >>> torch.tan(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 1.5574])
    """
    return p.tan(*promote_floating(input))


def _root(x: Any) -> Any:
    return functions["rsqrt"](x)


@operator(
    {"input": lambda grad, input: times_conjugate(grad, _root(1 - input * input))},
    layout=POINTWISE, in_place=True, aliases=("arcsin",),
)  # fmt: skip
def asin(input: Tensor) -> Value:
    """The angle in [-π/2, π/2] with sine ``input``.

    >>> import flambeau as torch
    >>> torch.asin(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 1.5708])
    """
    return p.arcsin(*promote_floating(input))


@operator(
    {"input": lambda grad, input: -times_conjugate(grad, _root(1 - input * input))},
    layout=POINTWISE, in_place=True, aliases=("arccos",),
)  # fmt: skip
def acos(input: Tensor) -> Value:
    """The angle in [0, π] with cosine ``input``.

    >>> import flambeau as torch
    >>> torch.acos(torch.tensor([1.0, 0.0]))
    tensor([0.0000, 1.5708])
    """
    return p.arccos(*promote_floating(input))


@operator(
    {"input": lambda grad, input: over_conjugate(grad, input * input + 1)},
    layout=POINTWISE, in_place=True, aliases=("arctan",),
)  # fmt: skip
def atan(input: Tensor) -> Value:
    """The angle in (-π/2, π/2) with tangent ``input``.

    >>> import flambeau as torch
    >>> torch.atan(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7854])
    """
    return p.arctan(*promote_floating(input))


def _atan2_back(grad: Any, numerator: Any, input: Any, other: Any) -> Any:
    square = input * input + other * other
    return (grad * numerator / square).masked_fill(square == 0, 0)


@operator(
    {
        "input": lambda grad, input, other: _atan2_back(grad, other, input, other),
        "other": lambda grad, input, other: _atan2_back(grad, -input, input, other),
    },
    layout=POINTWISE, in_place=True, aliases=("arctan2",),
)  # fmt: skip
def atan2(input: Tensor, other: Tensor) -> Value:
    """The angle of the point (other, input) in (-π, π].

    >>> import flambeau as torch
    >>> torch.atan2(torch.tensor([1.0, -1.0]), torch.tensor([1.0, -1.0]))
    tensor([ 0.7854, -2.3562])
    """
    x, y = promote_floating(input, other)
    reject("atan2_cpu", x, COMPLEX)
    return p.arctan2(x, y)


@operator({"input": lambda grad, input: times_conjugate(grad, cosh(input))}, layout=POINTWISE, in_place=True)
def sinh(input: Tensor) -> Value:
    """The hyperbolic sine.

    >>> import flambeau as torch
    >>> torch.sinh(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 1.1752])
    """
    return p.sinh(*promote_floating(input))


@operator({"input": lambda grad, input: times_conjugate(grad, sinh(input))}, layout=POINTWISE, in_place=True)
def cosh(input: Tensor) -> Value:
    """The hyperbolic cosine.

    >>> import flambeau as torch
    >>> torch.cosh(torch.tensor([0.0, 1.0]))
    tensor([1.0000, 1.5431])
    """
    return p.cosh(*promote_floating(input))


@operator({"input": lambda grad, result: times_conjugate(grad, 1 - result * result)}, layout=POINTWISE, in_place=True)
def tanh(input: Tensor) -> Value:
    """The hyperbolic tangent.

    >>> import flambeau as torch
    >>> torch.tanh(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7616])
    """
    return p.tanh(*promote_floating(input))


@operator(
    {"input": lambda grad, input: times_conjugate(grad, _root(input * input + 1))},
    layout=POINTWISE, in_place=True, aliases=("arcsinh",),
)  # fmt: skip
def asinh(input: Tensor) -> Value:
    """The inverse hyperbolic sine.

    >>> import flambeau as torch
    >>> torch.asinh(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8814])
    """
    return p.arcsinh(*promote_floating(input))


def _acosh_back(grad: Any, input: Any) -> Any:
    if input._spec.dtype.category == COMPLEX:  # the product of roots keeps the branch that the root of a product loses
        return times_conjugate(grad, _root(input + 1) * _root(input - 1))
    return grad * _root(input * input - 1)


@operator({"input": _acosh_back}, layout=POINTWISE, in_place=True, aliases=("arccosh",))
def acosh(input: Tensor) -> Value:
    """The inverse hyperbolic cosine.

    >>> import flambeau as torch
    >>> torch.acosh(torch.tensor([1.0, 2.0]))
    tensor([0.0000, 1.3170])
    """
    return p.arccosh(*promote_floating(input))


@operator(
    {"input": lambda grad, input: over_conjugate(grad, 1 - input * input)},
    layout=POINTWISE, in_place=True, aliases=("arctanh",),
)  # fmt: skip
def atanh(input: Tensor) -> Value:
    """The inverse hyperbolic tangent.

    >>> import flambeau as torch
    >>> torch.atanh(torch.tensor([0.0, 0.5]))
    tensor([0.0000, 0.5493])
    """
    return p.arctanh(*promote_floating(input))


def _sinc_back(grad: Any, input: Any) -> Any:
    angle = math.pi * input
    slope = (angle * cos(angle) - sin(angle)) / (angle * input)
    return times_conjugate(grad, slope.masked_fill(input == 0, 0))


@operator({"input": _sinc_back}, layout=POINTWISE, in_place=True)
def sinc(input: Tensor) -> Value:
    """sin(π·input)/(π·input); one at zero.

    >>> import flambeau as torch
    >>> torch.sinc(torch.tensor([0.0, 0.5]))
    tensor([1.0000, 0.6366])
    """
    (kept,) = promote_floating(input)
    x = widened(kept)
    angle = x * math.pi
    zero = p.equal(x, 0.0)
    one = as_array(1.0, x.dtype)
    return to(p.select(zero, one, p.sin(angle) / p.select(zero, one, angle)), kept.dtype)


@operator(
    {
        "input": lambda grad, input, result: grad * (input / result),
        "other": lambda grad, other, result: grad * (other / result),
    },
    layout=POINTWISE, in_place=True,
)  # fmt: skip
def hypot(input: Tensor, other: Tensor) -> Value:
    """√(input² + other²), without overflow.

    >>> import flambeau as torch
    >>> torch.hypot(torch.tensor([3.0]), torch.tensor([4.0]))
    tensor([5.])
    """
    x, y = promote(input, other)
    if x.category != FLOATING:
        reject("hypot_cpu", x, x.category)
    return p.hypot(x, y)


def _scaled(input: Value, factor: float, name: str) -> Value:
    if input.category == COMPLEX:
        raise RuntimeError(f"{name} is not supported for complex tensors.")
    return p.multiply(*promote_floating(input), factor)


@operator({"input": lambda grad: rad2deg(grad)}, layout=POINTWISE, in_place=True, node="Rad2DegBackward0")
def rad2deg(input: Tensor) -> Value:
    """Radians in degrees.

    >>> import flambeau as torch
    >>> torch.rad2deg(torch.tensor([torch.pi]))
    tensor([180.])
    """
    return _scaled(input, 180.0 / math.pi, "rad2deg")


@operator({"input": lambda grad: deg2rad(grad)}, layout=POINTWISE, in_place=True, node="Deg2RadBackward0")
def deg2rad(input: Tensor) -> Value:
    """Degrees in radians.

    >>> import flambeau as torch
    >>> torch.deg2rad(torch.tensor([180.0]))
    tensor([3.1416])
    """
    return _scaled(input, math.pi / 180.0, "deg2rad")
