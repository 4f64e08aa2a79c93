"""Exponentials, logarithms, roots, and what is made of them: the logistic function, log-sums of exponentials."""

from __future__ import annotations

import math
from typing import Any

from ..core.dtypes import COMPLEX, FLOATING
from ..primitives import elementwise as p
from ..primitives.values import Value
from .arithmetic import over_conjugate, pow, times_conjugate
from .declaration import POINTWISE, composite, functions, operator
from .kinds import Number, Tensor
from .promotion import as_array, needs_tensor, promote, promote_floating, reject, to, widened

LOG_2, LOG_10 = math.log(2.0), math.log(10.0)


@operator({"input": lambda grad, result: times_conjugate(grad, result)}, layout=POINTWISE, in_place=True)
def exp(input: Tensor) -> Value:
    """e^input.

    >>> import flambeau as torch
    >>> torch.exp(torch.tensor([0.0, 1.0]))
    tensor([1.0000, 2.7183])
    """
    return p.exp(*promote_floating(input))


@operator({"input": lambda grad, result: times_conjugate(grad, result * LOG_2)}, layout=POINTWISE, in_place=True)
def exp2(input: Tensor) -> Value:
    """2^input.

    >>> import flambeau as torch
    >>> torch.exp2(torch.tensor([0.0, 3.0]))
    tensor([1., 8.])
    """
    return p.exp2(*promote_floating(input))


@operator({"input": lambda grad, result: times_conjugate(grad, result + 1)}, layout=POINTWISE, in_place=True)
def expm1(input: Tensor) -> Value:
    """e^input - 1, accurate near zero.

    >>> import flambeau as torch
    >>> torch.expm1(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 1.7183])
    """
    return p.expm1(*promote_floating(input))


@operator({"input": lambda grad, input: over_conjugate(grad, input)}, layout=POINTWISE, in_place=True)
def log(input: Tensor) -> Value:
    """The natural logarithm.

    >>> import flambeau as torch
    >>> torch.log(torch.tensor([1.0, 2.0]))
    tensor([0.0000, 0.6931])
    """
    return p.log(*promote_floating(input))


@operator({"input": lambda grad, input: over_conjugate(grad, input * LOG_2)}, layout=POINTWISE, in_place=True)
def log2(input: Tensor) -> Value:
    """The logarithm to base 2.

    >>> import flambeau as torch
    >>> torch.log2(torch.tensor([1.0, 8.0]))
    tensor([0., 3.])
    """
    return p.log2(*promote_floating(input))


@operator({"input": lambda grad, input: over_conjugate(grad, input * LOG_10)}, layout=POINTWISE, in_place=True)
def log10(input: Tensor) -> Value:
    """The logarithm to base 10.

    >>> import flambeau as torch
    >>> torch.log10(torch.tensor([1.0, 100.0]))
    tensor([0., 2.])
    """
    return p.log10(*promote_floating(input))


@operator(
    {"input": lambda grad, input: over_conjugate(grad, input + 1)},
    layout=POINTWISE, in_place=True, node="Log1PBackward0",
)
def log1p(input: Tensor) -> Value:
    """log(1 + input), accurate near zero.

    >>> import flambeau as torch
    >>> torch.log1p(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 0.6931])
    """
    return p.log1p(*promote_floating(input))


@operator({"input": lambda grad, result: over_conjugate(grad, 2 * result)}, layout=POINTWISE, in_place=True)
def sqrt(input: Tensor) -> Value:
    """The square root.

    >>> import flambeau as torch
    >>> torch.sqrt(torch.tensor([4.0, 9.0]))
    tensor([2., 3.])
    """
    return p.sqrt(*promote_floating(input))


@operator(
    {"input": lambda grad, result: times_conjugate(-0.5 * grad, pow(result, 3))}, layout=POINTWISE, in_place=True
)
def rsqrt(input: Tensor) -> Value:
    """1/√input.

    >>> import flambeau as torch
    >>> torch.rsqrt(torch.tensor([4.0, 16.0]))
    tensor([0.5000, 0.2500])
    """
    (x,) = promote_floating(input)
    return to(p.divide(1.0, p.sqrt(widened(x))), x.dtype)


@composite(in_place=True)
def square(input: Any) -> Any:
    """input².

    >>> import flambeau as torch
    >>> torch.square(torch.tensor([2.0, 3.0]))
    tensor([4., 9.])
    """
    return pow(input, 2)


@operator(
    {"input": lambda grad, result: times_conjugate(grad, (1 - result) * result)}, layout=POINTWISE, in_place=True
)
def sigmoid(input: Tensor) -> Value:
    """The logistic function 1/(1 + e^-input).

    >>> import flambeau as torch
    >>> torch.sigmoid(torch.tensor([0.0, 2.0]))
    tensor([0.5000, 0.8808])
    """
    (x,) = promote_floating(input)
    return to(logistic(widened(x)), x.dtype)


def logistic(x: Value) -> Value:
    """1/(1 + e^-x)."""
    return p.divide(1.0, 1.0 + p.exp(-x))


def _logit_back(grad: Any, input: Any, eps: Any) -> Any:
    where = functions["where"]
    slope = grad / (input * (1 - input))
    if eps is None:
        return where((input >= 0) & (input <= 1), slope, math.nan)
    return where((input >= eps) & (input <= 1 - eps), slope, 0)


@operator({"input": _logit_back}, layout=POINTWISE, in_place=True)
def logit(input: Tensor, eps: float | None = None) -> Value:
    """log(input/(1 - input)), the inverse of :func:`sigmoid`; with ``eps`` the input is first kept in [eps, 1 - eps].

    >>> import flambeau as torch
    >>> torch.logit(torch.tensor([0.5, 0.8808]))
    tensor([0.0000, 2.0000])
    """
    reject("logit_cpu", input, COMPLEX)
    (kept,) = promote_floating(input)
    x = widened(kept)
    if eps is not None:
        x = p.select(x < eps, as_array(eps, x.dtype), p.select(x > 1.0 - eps, as_array(1.0 - eps, x.dtype), x))
    return to(p.log(x / (1.0 - x)), kept.dtype)


def _log_add(x: Value, y: Value, exponential: Any, log1p_of: Any) -> Value:
    greatest = p.maximum(x, y)
    infinite = p.equal(x, y) & p.equal(p.absolute(x), math.inf)  # ∞ - ∞ has no value, the sum has
    return p.select(infinite, x, greatest + log1p_of(exponential(-p.absolute(x - y))))


@operator(
    {
        "input": lambda grad, input, other: grad / (1 + exp(other - input)).conj(),
        "other": lambda grad, input, other: grad / (1 + exp(input - other)).conj(),
    },
    layout=POINTWISE,
)
def logaddexp(input: Tensor, other: Tensor) -> Value:
    """log(e^input + e^other), without overflow.

    >>> import flambeau as torch
    >>> torch.logaddexp(torch.tensor([-100.0]), torch.tensor([-200.0]))
    tensor([-100.])
    """
    x, y = promote(input, other)
    if x.category < FLOATING:
        reject("logaddexp_cpu", x, x.category)
    kind = x.dtype
    x, y = widened(x), widened(y)
    if x.category == COMPLEX:
        first = p.real(x) >= p.real(y)
        high, low = p.select(first, x, y), p.select(first, y, x)
        same = p.equal(p.real(x), p.real(y)) & ~p.is_finite(p.real(x))
        infinite = p.select(p.real(x) < 0.0, x, p.log(p.exp(x) + p.exp(y)))
        return to(p.select(same, infinite, high + p.log1p(p.exp(low - high))), kind)
    return to(_log_add(x, y, p.exp, p.log1p), kind)


@operator(
    {
        "input": lambda grad, input, other: grad / (1 + pow(2, other - input)),
        "other": lambda grad, input, other: grad / (1 + pow(2, input - other)),
    },
    layout=POINTWISE,
)
def logaddexp2(input: Tensor, other: Tensor) -> Value:
    """log₂(2^input + 2^other), without overflow.

    >>> import flambeau as torch
    >>> torch.logaddexp2(torch.tensor([3.0]), torch.tensor([3.0]))
    tensor([4.])
    """
    x, y = promote(input, other)
    if x.category != FLOATING:
        reject("logaddexp2_cpu", x, x.category)
    kind = x.dtype
    return to(_log_add(widened(x), widened(y), p.exp2, lambda z: p.log1p(z) / LOG_2), kind)


def logarithm_gradient(grad: Any, input: Any, other: Any, logarithm: Any, bound: float) -> Any:
    """grad · log(other), zero where ``input`` is zero and ``other`` at most ``bound``."""
    if isinstance(other, (bool, int, float)):
        other = grad.new_tensor(float(other))
    flat = functions["eq"](input, 0) & (other <= bound) if hasattr(input, "_spec") else None
    value = grad * logarithm(other)
    return value if flat is None else value.masked_fill(flat, 0)


@operator(
    {
        "input": lambda grad, input, other: logarithm_gradient(grad, input, other, log, 0),
        "other": lambda grad, input, other: grad * input / other,
    },
    layout=POINTWISE, in_place=True,
)  # fmt: skip
def xlogy(input: Tensor | Number, other: Tensor | Number) -> Value:
    """input·log(other), zero where ``input`` is; NaN where ``other`` is.

    >>> import flambeau as torch
    >>> torch.xlogy(torch.tensor([0.0, 2.0]), torch.tensor([0.0, 1.0]))
    tensor([0., 0.])
    """
    return times_logarithm("xlogy_cpu", input, other, p.log)


def times_logarithm(name: str, input: Any, other: Any, logarithm: Any) -> Value:
    """input·logarithm(other), zero where the input is, NaN where the other is."""
    needs_tensor(name.removesuffix("_cpu"), input, other)
    x, y = promote_floating(input, other)
    kind = next(each.dtype for each in (x, y) if isinstance(each, Value) and not each.is_number)
    x, y = widened(as_array(x, kind)), widened(as_array(y, kind))
    reject(name, x, COMPLEX)
    zero = as_array(0.0, x.dtype)
    product = p.select(p.equal(x, 0.0), zero, x * logarithm(y))
    return to(p.select(p.is_nan(y), as_array(math.nan, x.dtype), product), kind)


