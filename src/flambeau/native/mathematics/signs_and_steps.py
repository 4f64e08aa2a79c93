"""copysign, nextafter, and the exact remainders behind floor division."""

from __future__ import annotations

from ..builder import constant, lanes
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
    """C's fmod, exact.

    While |x/y| is below 2^p, p the bits of a number, its integer part q is at most one too great, for rounding is monotone,
    so x - q·y is a number of p bits and one fused multiplication finds it. Else, if some lane needs it, LLVM's ``frem``,
    which is the C library's function in each lane.
    """
    b = x.builder
    quotient = (x / y).truncated()
    found = (-quotient).times(y, x)
    rest = ((found < 0.0) ^ (x < 0.0)).where(found + abs(y).copysign(x), found)
    rest = found.equals(0.0).where(found, rest).copysign(x)
    usual = (abs(quotient) < (2.0**24 if x.is_float else 2.0**53)) & (abs(y) < float("inf"))
    result = b.variable(rest.operand)
    all_usual = usual.operand
    if lanes(x.type) > 1:
        all_usual = b.intrinsic("llvm.vector.reduce.and", usual.operand, returns="i1")
    with b.when(b.binary("xor", all_usual, constant("i1", 1))):
        exact = Number(b, b.binary("frem", x.operand, y.operand))
        b.set(result, usual.where(rest, exact).operand)
    return Number(b, b.get(result))


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
