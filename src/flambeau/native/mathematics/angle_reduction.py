"""Angles reduced to [-π/4, π/4]: x = q·π/2 + r.

Up to a bound, Cody and Waite's way (1980): q = x·2/π rounded, r = x - q·π/2 with π/2 in three parts and fused multiplications.
Beyond it, Payne and Hanek's (1983), in a function of its own called when some lane needs it: with x = M·2^e, only 192 bits
of 2/π from bit e - 2 on matter to x·2/π modulo 4, and M times them is done in integers.
"""

from __future__ import annotations

from functools import lru_cache

from ..builder import Builder, Operand, constant, lanes, vector
from .exponentials import nearest
from .number import Number

FLOAT_HALF_PI = (1.5707963705062866, -4.371138828673793e-08, -1.7151245100059287e-15)
DOUBLE_HALF_PI = (1.5707963267948966, 6.123233995736766e-17, -1.4973849048591833e-33)
FLOAT_BOUND, DOUBLE_BOUND = 39000.0, 400000.0


def reduced(x: Number) -> tuple[Number, Number]:
    """r and q (an integer as wide as x, right modulo 4)."""
    b = x.builder
    one, two, three = FLOAT_HALF_PI if x.is_float else DOUBLE_HALF_PI
    rounded, q = nearest(x, 0.6366197723675814)
    r = rounded.times(-three, rounded.times(-two, rounded.times(-one, x)))
    size = abs(x)
    large = (size > (FLOAT_BOUND if x.is_float else DOUBLE_BOUND)) & (size < float("inf"))
    some = large.operand if lanes(x.type) == 1 else b.intrinsic("llvm.vector.reduce.or", large.operand, returns="i1")
    r_variable, q_variable = b.variable(r.operand), b.variable(q.operand)
    with b.when(some):
        wide = x.in_double() if x.is_float else x
        name = f"reduce_angle_{lanes(x.type)}"
        text, declarations = _large_reduction(name, lanes(x.type))
        b.declarations.update(declarations)
        b.declarations[name] = text
        kinds = wide.type, vector("i64", lanes(x.type))
        both = b.call(name, (wide.operand,), f"{{ {kinds[0]}, {kinds[1]} }}")
        exact = Number(b, b.emit(kinds[0], f"extractvalue {both}, 0")).rounded_as(x)
        quadrant = b.emit(kinds[1], f"extractvalue {both}, 1")
        if x.is_float:
            quadrant = b.convert("trunc", quadrant, q.type)
        b.set(r_variable, large.where(exact, r).operand)
        b.set(q_variable, large.where(Number(b, quadrant), q).operand)
    return Number(b, b.get(r_variable)), Number(b, b.get(q_variable))


def _two_over_pi(words: int) -> list[int]:
    """A word of zeros and then ``words`` words of 64 bits of 2/π, by Machin's π = 16·arctan(1/5) - 4·arctan(1/239)."""
    bits = 64 * (words + 2)

    def arctan_of_inverse(n: int) -> int:
        total, term, k = 0, (1 << bits) // n, 0
        while term:
            total += (-1) ** k * (term // (2 * k + 1))
            term //= n * n
            k += 1
        return total

    pi = 16 * arctan_of_inverse(5) - 4 * arctan_of_inverse(239)
    value = ((2 << (2 * bits)) // pi) >> 128
    mask = (1 << 64) - 1
    return [0, *((value >> (64 * (words - 1 - k))) & mask for k in range(words))]


@lru_cache(16)
def _large_reduction(name: str, count: int) -> tuple[str, dict[str, str]]:
    """IR of the function from ``count`` doubles to { r, q }, one lane after the other, and what it calls; for 2^-20 < |x| < ∞."""
    kinds = vector("double", count), vector("i64", count)
    b = Builder(name, (kinds[0],), f"{{ {kinds[0]}, {kinds[1]} }}")
    table = Operand("ptr", f"@{name}_bits")
    x, r, q = b.variable(b.parameters[0]), b.variable(constant(kinds[0], 0)), b.variable(constant(kinds[1], 0))
    with b.loop(0, count) as lane:
        value = Number(b, b.load("double", b.at(Operand("ptr", x.name), "double", lane)))
        bits = value.bits()
        exponent = bits.unsigned_shift(52) & 2047
        mantissa = (bits & 0xFFFFFFFFFFFFF) | (1 << 52)
        start = exponent - (1075 + 2 - 64)
        start = (start < 0).where(0, start)
        shift = start & 63
        words = [
            Number(b, b.load("i64", b.at(table, "i64", (start.unsigned_shift(6) + k).operand))) for k in range(4)
        ]
        window = [
            Number(b, b.intrinsic("llvm.fshl", words[k].operand, words[k + 1].operand, shift.operand)) for k in range(3)
        ]
        wide_mantissa = _extended(mantissa)
        low = wide_mantissa * _extended(window[2])
        middle = wide_mantissa * _extended(window[1]) + low.unsigned_shift(64)
        high = mantissa * window[0] + _low_half(middle.unsigned_shift(64))
        # Two bits of quadrant, then the fraction: rounded to the nearest quadrant, of either sign.
        quadrant = (high + (1 << 61)).unsigned_shift(62)
        fraction = (_extended(high - (quadrant << 62)) << 64) | _extended(_low_half(middle))
        negative = fraction < 0
        fraction = negative.where(fraction.of(0) - fraction, fraction)
        zeros = Number(b, b.call("llvm.ctlz.i128", (fraction.operand, Operand("i1", "false")), "i128"))
        top = _low_half((fraction << zeros).unsigned_shift(64))
        scale = ((top.of(1023 - 62 + 11) - _low_half(zeros)) << 52).as_floating()
        upper = top.unsigned_shift(11).to_floating()
        lower = (top & 2047).to_floating() * (1 / 2048)
        angle = upper.times(DOUBLE_HALF_PI[0], upper.times(DOUBLE_HALF_PI[1], lower * DOUBLE_HALF_PI[0])) * scale
        backwards = negative ^ (value < 0.0)
        b.store(backwards.where(-angle, angle).operand, b.at(Operand("ptr", r.name), "double", lane))
        turned = (value < 0.0).where(quadrant.of(0) - quadrant, quadrant)
        b.store(turned.operand, b.at(Operand("ptr", q.name), "i64", lane))
    first = b.emit(b.returns, f"insertvalue {b.returns} poison, {b.get(r)}, 0")
    b.done(b.emit(b.returns, f"insertvalue {first}, {b.get(q)}, 1"))
    words_text = ", ".join(f"i64 {word - (word >> 63 << 64)}" for word in _two_over_pi(22))
    text = b.text().replace("define ", "define internal ", 1).replace(" #0 {", " noinline #0 {", 1)
    return f"@{name}_bits = internal constant [23 x i64] [{words_text}], align 8\n{text}", b.declarations


def _extended(x: Number) -> Number:
    return Number(x.builder, x.builder.convert("zext", x.operand, "i128"))


def _low_half(x: Number) -> Number:
    return Number(x.builder, x.builder.convert("trunc", x.operand, "i64"))


