"""Division, powers and common divisors of integers, on scalars and vectors alike.

A quotient of integers of up to 32 bits is found by dividing floating numbers of twice as many bits: a quotient that is no
integer is at least 1/|x| of itself away from one, which is more than the division's rounding error, so truncating gives the
right one. A zero divisor makes the kernel fail; -1, whose quotient may not be representable, is done by negation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..core.dtypes import dtype
from .builder import Builder, Operand, constant, lanes, like, size_of
from .kernel import UNSIGNED, KernelBuilder


def some(b: Builder, mask: Operand) -> Operand:
    """Whether the mask holds in some lane."""
    return mask if lanes(mask.type) == 1 else b.intrinsic("llvm.vector.reduce.or", mask, returns="i1")


@contextmanager
def while_(b: Builder, condition: Callable[[], Operand]) -> Iterator[None]:
    """A loop as long as ``condition()``, an i1, holds."""
    head, body, end = b.label(), b.label(), b.label()
    b.branch(head)
    b.place(head)
    b.branch_if(condition(), body, end)
    b.place(body)
    yield
    b.branch(head)
    b.place(end)


def _checked(b: Builder, y: Operand) -> Operand:
    """The divisor, 1 in place of 0, which is an error where the element counts."""
    zero = b.compare("eq", y, constant(y.type, 0))
    assert isinstance(b, KernelBuilder)
    b.fail_where(zero)
    return b.select(zero, constant(y.type, 1), y)


def _truncated_quotient(b: Builder, x: Operand, y: Operand, unsigned: bool) -> Operand:
    """x/y towards zero; y is not 0."""
    if unsigned:
        if size_of(x.type) == 8:
            return b.binary("udiv", x, y)
        wide = like(x.type, "float" if size_of(x.type) <= 2 else "double")
        return b.convert("fptoui", b.divide(b.convert("uitofp", x, wide), b.convert("uitofp", y, wide)), x.type)
    by_minus_one = b.compare("eq", y, constant(y.type, -1))
    divisor = b.select(by_minus_one, constant(y.type, 1), y)
    if size_of(x.type) == 8:
        quotient = b.binary("sdiv", x, divisor)
    else:
        wide = like(x.type, "float" if size_of(x.type) <= 2 else "double")
        ratio = b.divide(b.convert("sitofp", x, wide), b.convert("sitofp", divisor, wide))
        quotient = b.convert("fptosi", ratio, like(x.type, "i32"))
        quotient = quotient if quotient.type == x.type else b.convert("trunc", quotient, x.type)
    return b.select(by_minus_one, b.negate(x), quotient)


def _is_negative(b: Builder, x: Operand) -> Operand:
    return b.compare("slt", x, constant(x.type, 0))


def truncating_divide(b: Builder, kind: dtype, x: Operand, y: Operand) -> Operand:
    """x/y rounded towards zero."""
    return _truncated_quotient(b, x, _checked(b, y), kind.name in UNSIGNED)


def _rest(b: Builder, kind: dtype, x: Operand, y: Operand) -> tuple[Operand, Operand, Operand]:
    """The quotient towards zero, the remainder it leaves, and whether that has another sign than the divisor."""
    y = _checked(b, y)
    quotient = _truncated_quotient(b, x, y, kind.name in UNSIGNED)
    rest = b.subtract(x, b.multiply(quotient, y))
    if kind.name in UNSIGNED:
        return quotient, rest, constant(like(x.type, "i1"), False)
    other_sign = _is_negative(b, b.binary("xor", rest, y))
    return quotient, rest, b.binary("and", other_sign, b.compare("ne", rest, constant(x.type, 0)))


def floor_divide(b: Builder, kind: dtype, x: Operand, y: Operand) -> Operand:
    """⌊x/y⌋."""
    quotient, _, below = _rest(b, kind, x, y)
    return b.select(below, b.subtract(quotient, constant(x.type, 1)), quotient)


def remainder(b: Builder, kind: dtype, x: Operand, y: Operand) -> Operand:
    """x - y·⌊x/y⌋, of the sign of y."""
    _, rest, other_sign = _rest(b, kind, x, y)
    return b.select(other_sign, b.add(rest, y), rest)


def truncating_remainder(b: Builder, kind: dtype, x: Operand, y: Operand) -> Operand:
    """What is left of x, of its sign."""
    return _rest(b, kind, x, y)[1]


def power(b: Builder, kind: dtype, x: Operand, y: Operand) -> Operand:
    """x^y, wrapping around, by squaring; a negative power is zero but for ±1."""
    one, zero = constant(x.type, 1), constant(x.type, 0)
    below = constant(like(x.type, "i1"), False) if kind.name in UNSIGNED else _is_negative(b, y)
    square, result, left = b.variable(x), b.variable(one), b.variable(b.select(below, zero, y))
    with while_(b, lambda: some(b, b.compare("ne", b.get(left), zero))):
        odd = b.compare("ne", b.binary("and", b.get(left), one), zero)
        b.set(result, b.select(odd, b.multiply(b.get(result), b.get(square)), b.get(result)))
        b.set(square, b.multiply(b.get(square), b.get(square)))
        b.set(left, b.binary("lshr", b.get(left), one))
    if kind.name in UNSIGNED:
        return b.get(result)
    minus_one = b.compare("eq", x, constant(x.type, -1))
    even = b.compare("eq", b.binary("and", y, one), zero)
    inverse = b.select(b.compare("eq", x, one), one, b.select(minus_one, b.select(even, one, x), zero))
    return b.select(below, inverse, b.get(result))


def greatest_common_divisor(b: Builder, kind: dtype, x: Operand, y: Operand) -> Operand:
    """By Euclid's algorithm, on the magnitudes."""
    if kind.name not in UNSIGNED:
        x = b.select(_is_negative(b, x), b.negate(x), x)
        y = b.select(_is_negative(b, y), b.negate(y), y)
    zero, one = constant(x.type, 0), constant(x.type, 1)
    larger, smaller = b.variable(x), b.variable(y)
    with while_(b, lambda: some(b, b.compare("ne", b.get(smaller), zero))):
        held, divisor = b.get(larger), b.get(smaller)
        done = b.compare("eq", divisor, zero)
        safe = b.select(done, one, divisor)
        rest = b.subtract(held, b.multiply(_truncated_quotient(b, held, safe, unsigned=True), safe))
        b.set(larger, b.select(done, held, divisor))
        b.set(smaller, b.select(done, zero, rest))
    return b.get(larger)


__all__ = [
    "floor_divide", "greatest_common_divisor", "power", "remainder", "some", "truncating_divide", "truncating_remainder",
]  # fmt: skip
