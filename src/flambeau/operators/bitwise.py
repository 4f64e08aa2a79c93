"""Bits of integers and booleans, shifts, and the greatest common divisor."""

from __future__ import annotations

from typing import Any

from ..core.dtypes import FLOATING, INTEGER, bool_
from ..primitives import elementwise as p
from ..primitives.values import Value
from .declaration import POINTWISE, functions, operator
from .kinds import Number, Tensor
from .promotion import as_array, common_dtype, needs_tensor, reject


def _integers(name: str, *operands: Any) -> tuple[Value, ...]:
    """The operands as arrays of their common dtype, which must hold whole numbers."""
    needs_tensor(name.removesuffix("_cpu"), *operands)
    kind = common_dtype(*operands)
    arrays = tuple(as_array(each, kind) for each in operands)
    if kind.category >= FLOATING:
        reject(name, arrays[0], kind.category)
    return arrays


@operator(layout=POINTWISE, in_place=True)
def bitwise_not(input: Tensor) -> Value:
    """Every bit turned; the logical negation of booleans.

    >>> import flambeau as torch
    >>> torch.bitwise_not(torch.tensor([0, 5]))
    tensor([-1, -6])
    """
    return p.bitwise_not(*_integers("bitwise_not_cpu", input))


@operator(layout=POINTWISE, in_place=True)
def bitwise_and(input: Tensor | Number, other: Tensor | Number) -> Value:
    """Bits set in both.

    >>> import flambeau as torch
    >>> torch.bitwise_and(torch.tensor([6, 5]), 3)
    tensor([2, 1])
    """
    return p.bitwise_and(*_integers("bitwise_and_cpu", input, other))


@operator(layout=POINTWISE, in_place=True)
def bitwise_or(input: Tensor | Number, other: Tensor | Number) -> Value:
    """Bits set in one or both.

    >>> import flambeau as torch
    >>> torch.bitwise_or(torch.tensor([6, 5]), 3)
    tensor([7, 7])
    """
    return p.bitwise_or(*_integers("bitwise_or_cpu", input, other))


@operator(layout=POINTWISE, in_place=True)
def bitwise_xor(input: Tensor | Number, other: Tensor | Number) -> Value:
    """Bits set in exactly one.

    >>> import flambeau as torch
    >>> torch.bitwise_xor(torch.tensor([6, 5]), 3)
    tensor([5, 6])
    """
    return p.bitwise_xor(*_integers("bitwise_xor_cpu", input, other))


def _shift(name: str, of: Any, x: Any, y: Any) -> Value:
    x, y = _integers(name, x, y)
    if x.dtype is bool_:
        reject(name, x, x.category)
    return of(x, y)


@operator(layout=POINTWISE, in_place=True)
def bitwise_left_shift(input: Tensor | Number, other: Tensor | Number) -> Value:
    """input·2^other, bits beyond the dtype lost.

    >>> import flambeau as torch
    >>> torch.bitwise_left_shift(torch.tensor([1, 3]), 2)
    tensor([ 4, 12])
    """
    return _shift("lshift_cpu", p.shift_left, input, other)


@operator(layout=POINTWISE, in_place=True)
def bitwise_right_shift(input: Tensor | Number, other: Tensor | Number) -> Value:
    """⌊input/2^other⌋.

    >>> import flambeau as torch
    >>> torch.bitwise_right_shift(torch.tensor([4, -12]), 2)
    tensor([ 1, -3])
    """
    return _shift("rshift_cpu", p.shift_right, input, other)


@operator(layout=POINTWISE, in_place=True)
def gcd(input: Tensor, other: Tensor) -> Value:
    """The greatest common divisor; that of zero and zero is zero.

    >>> import flambeau as torch
    >>> torch.gcd(torch.tensor([12, 7]), torch.tensor([18, 0]))
    tensor([6, 7])
    """
    x, y = _integers("gcd_cpu", input, other)
    reject("gcd_cpu", x, *(() if x.category == INTEGER else (x.category,)))
    return p.greatest_common_divisor(x, y)


@operator(layout=POINTWISE, in_place=True)
def lcm(input: Tensor, other: Tensor) -> Value:
    """The least common multiple; zero when one is zero.

    >>> import flambeau as torch
    >>> torch.lcm(torch.tensor([4, 7]), torch.tensor([6, 0]))
    tensor([12,  0])
    """
    x, y = _integers("lcm_cpu", input, other)
    reject("lcm_cpu", x, *(() if x.category == INTEGER else (x.category,)))
    divisor = p.greatest_common_divisor(x, y)
    divisor = p.select(p.equal(divisor, as_array(0, x.dtype)), as_array(1, x.dtype), divisor)
    return p.absolute(p.floor_divide_exact(x, divisor)) * p.absolute(y)


for _symbol, _name in {"and": "bitwise_and", "or": "bitwise_or", "xor": "bitwise_xor"}.items():
    functions[f"__{_symbol}__"] = functions[_name]

