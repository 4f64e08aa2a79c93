"""copysign, nextafter, and the exact remainders behind floor division."""

from __future__ import annotations

from .function import function
from .number import Number


@function("copysign")
def copysign(x: Number, y: Number) -> Number:
    """|x| with the sign of y."""
    return x.copysign(y)


@function("nextafter")
def nextafter(x: Number, y: Number) -> Number:
    """The number after x towards y: representations of one sign are ordered as the numbers are."""
    bits = x.bits()
    outwards = (x < y) ^ (bits < 0)
    stepped = bits + outwards.where(bits.of(1), bits.of(-1))
    least = bits.of(1).as_floating().copysign(y)
    value = x.equals(0.0).where(least, stepped.as_floating())
    value = x.equals(y).where(y, value)
    return (x.is_nan | y.is_nan).where(x + y, value)


@function("truncating_remainder")
def truncating_remainder(x: Number, y: Number) -> Number:
    """C's fmod: exact, by LLVM's ``frem``, which is the C library's function in each lane."""
    return Number(x.builder, x.builder.binary("frem", x.operand, y.operand))


@function("remainder")
def remainder(x: Number, y: Number) -> Number:
    """x - y·⌊x/y⌋, of the sign of y, zeros too."""
    rest = truncating_remainder(x, y)
    other_sign = (rest < 0.0) ^ (y < 0.0)
    moved = other_sign.where(rest + y, rest)
    return rest.equals(0.0).where(rest.copysign(y), moved)


@function("floor_divide")
def floor_divide(x: Number, y: Number) -> Number:
    """⌊x/y⌋ from the exact remainder; x/y for y = 0."""
    rest = truncating_remainder(x, y)
    quotient = (x - rest) / y
    other_sign = rest.differs(0.0) & ((rest < 0.0) ^ (y < 0.0))
    quotient = other_sign.where(quotient - 1.0, quotient)
    whole = quotient.floor()
    whole = (quotient - whole > 0.5).where(whole + 1.0, whole)
    whole = quotient.equals(0.0).where((x / y * 0.0).copysign(x / y), whole)
    return y.equals(0.0).where(x / y, whole)
