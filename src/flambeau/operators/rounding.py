"""Rounding to whole numbers: down, up, towards zero, to the nearest, and what is left over."""

from __future__ import annotations

from typing import Any

from ..core.dtypes import BOOL, COMPLEX, FLOATING
from ..primitives import elementwise as p
from ..primitives.values import Value
from .declaration import POINTWISE, operator
from .kinds import Tensor
from .promotion import reject, to, widened


def _zero(grad: Any) -> Any:
    return grad.new_zeros(grad._spec.shape)


def _rounded(name: str, of: Any, x: Value) -> Value:
    if x.category == COMPLEX and name != "round":
        raise NotImplementedError(f"{name} is not supported for complex inputs")
    reject(f"{name}_vml_cpu", x, BOOL, COMPLEX)
    return of(x) if x.category == FLOATING else x


@operator({"input": _zero}, layout=POINTWISE, in_place=True)
def floor(input: Tensor) -> Value:
    """The greatest whole number not above ``input``.

    >>> import flambeau as torch
    >>> torch.floor(torch.tensor([1.7, -1.2]))
    tensor([ 1., -2.])
    """
    return _rounded("floor", p.floor, input)


@operator({"input": _zero}, layout=POINTWISE, in_place=True)
def ceil(input: Tensor) -> Value:
    """The least whole number not below ``input``.

    >>> import flambeau as torch
    >>> torch.ceil(torch.tensor([1.2, -1.7]))
    tensor([ 2., -1.])
    """
    return _rounded("ceil", p.ceil, input)


@operator({"input": _zero}, layout=POINTWISE, in_place=True, aliases=("fix",))
def trunc(input: Tensor) -> Value:
    """``input`` without its fraction.

    >>> import flambeau as torch
    >>> torch.trunc(torch.tensor([1.7, -1.7]))
    tensor([ 1., -1.])
    """
    return _rounded("trunc", p.truncate, input)


def _round_node(input: Any, decimals: int | None) -> str:
    return "RoundBackward1" if decimals is not None else "RoundBackward0"


@operator({"input": _zero}, layout=POINTWISE, in_place=True, node=_round_node)
def round(input: Tensor, *, decimals: int | None = None) -> Value:
    """The nearest whole number, the even one of two as near; or the nearest multiple of 10^-``decimals``.

    >>> import flambeau as torch
    >>> torch.round(torch.tensor([0.5, 1.5, 2.7]))
    tensor([0., 2., 3.])
    """
    if decimals and input.category != FLOATING:
        reject("round_cpu", input, input.category)
    if not decimals:
        return _rounded("round", p.round_half_even, input)
    scale = 10.0 ** abs(decimals)
    x = widened(input)
    result = p.round_half_even(x * scale) / scale if decimals > 0 else p.round_half_even(x / scale) * scale
    return to(result, input.dtype)


@operator({"input": lambda grad: grad}, layout=POINTWISE, in_place=True)
def frac(input: Tensor) -> Value:
    """The fraction, with the sign of ``input``.

    >>> import flambeau as torch
    >>> torch.frac(torch.tensor([1.5, -2.25]))
    tensor([ 0.5000, -0.2500])
    """
    if input.category != FLOATING:
        reject("frac_cpu", input, input.category)
    return input - p.truncate(input)
