"""exp, exp2, expm1: x = n·ln 2 + r with |r| ≤ ln 2 / 2, and e^x = 2^n·e^r with e^r a polynomial.

n comes from adding and subtracting 1.5·2^p, which rounds to an integer and leaves it in the low bits. 2^n is applied in two
halves, so that results may overflow or be subnormal, rounded once. (Cody and Waite 1980, ch. 6.) Coefficients: tools/minimax.py.
"""

from __future__ import annotations

from .function import function
from .number import Number

# e^r = 1 + r + r²·Q(r)
FLOAT = (0.5, 0.1666654348373413, 0.04166628420352936, 0.008366571739315987, 0.0013946329709142447)
#: The same to more bits, for e^r - 1.
FLOAT_FINE = (
    0.5, 0.1666666716337204, 0.04166635498404503, 0.008333273231983185, 0.0013940969947725534, 0.00019914182485081255,
)  # fmt: skip
DOUBLE = (
    0.5, 0.16666666666666677, 0.0416666666666667, 0.008333333333321646, 0.001388888888886683, 0.00019841269886087753,
    2.4801587360581113e-05, 2.7557244247126395e-06, 2.7557242734360414e-07, 2.510902379713525e-08,
    2.0924451512291807e-09,
)  # fmt: skip
LOG2_E = 1.4426950408889634
#: ln 2 in two parts.
FLOAT_LN2 = (0.6931471824645996, -1.904654323148236e-09)
DOUBLE_LN2 = (0.6931471805599453, 2.3190468138462996e-17)


def two_to_the(n: Number) -> Number:
    """2^n for integers (as bits) in the range of normal numbers."""
    if n.type.endswith("i32>") or n.type == "i32":
        return ((n << 23) + 0x3F800000).as_floating()
    return ((n << 52) + 0x3FF0000000000000).as_floating()


def scaled(x: Number, n: Number) -> Number:
    """x·2^n, n an integer of the same width; right also where 2^n overflows or is subnormal."""
    half = n >> 1
    return x * two_to_the(half) * two_to_the(n - half)


def nearest(x: Number, factor: float) -> tuple[Number, Number]:
    """The integer nearest to x·factor, as a floating number and as an integer."""
    shift = 12582912.0 if x.is_float else 6755399441055744.0
    shifted = x.times(factor, shift)
    return shifted - shift, shifted.bits() - (0x4B400000 if x.is_float else 0x4338000000000000)


def reduced(x: Number, fine: bool = False) -> tuple[Number, Number, Number]:
    """r, Q(r) and the integer n with x = n·ln 2 + r, e^r = 1 + r + r²·Q."""
    high, low = FLOAT_LN2 if x.is_float else DOUBLE_LN2
    rounded, n = nearest(x, LOG2_E)
    r = rounded.times(-low, rounded.times(-high, x))
    return r, r.short_polynomial((FLOAT_FINE if fine else FLOAT) if x.is_float else DOUBLE), n


@function("exp")
def exp(x: Number) -> Number:
    """e^x."""
    x = x.at_least(-104.0).at_most(89.0) if x.is_float else x.at_least(-746.0).at_most(710.0)
    r, q, n = reduced(x)
    return scaled((r * r).times(q, r) + 1.0, n)


@function("exp2")
def exp2(x: Number) -> Number:
    """2^x: n is x rounded, r the exact rest times ln 2."""
    x = x.at_least(-151.0).at_most(129.0) if x.is_float else x.at_least(-1076.0).at_most(1025.0)
    rounded, n = nearest(x, 1.0)
    rest = x - rounded
    high, low = FLOAT_LN2 if x.is_float else DOUBLE_LN2
    r = rest * high
    low_part = rest.times(low, rest.times(high, -r))
    q = r.short_polynomial(FLOAT if x.is_float else DOUBLE)
    return scaled(((r * r).times(q, low_part) + r) + 1.0, n)


def expm1_of_clamped(x: Number) -> tuple[Number, Number]:
    """e^x - 1, and what its rounding lost, where 2^n neither overflows nor is subnormal; but for zeros' signs."""
    r, q, n = reduced(x, fine=True)
    power = two_to_the(n)
    square = r * r
    p, whole = square.times(q, r), power - 1.0
    value = power.times(p, whole)
    return value, power.times(p, whole - value) + power * square.times(q, r - p)


@function("expm1")
def expm1(x: Number) -> Number:
    """e^x - 1 = 2^n·(e^r - 1) + (2^n - 1): accurate near 0, where n = 0 leaves r + r²·Q(r)."""
    clamped = x.at_least(-18.0).at_most(89.0) if x.is_float else x.at_least(-38.0).at_most(710.0)
    r, q, n = reduced(clamped, fine=True)
    power = two_to_the(n - 1)  # half of 2^n, which may overflow
    value = power.times((r * r).times(q, r), power - 0.5) * 2.0
    tiny = abs(x) < (1e-7 if x.is_float else 1e-16)
    return tiny.where(x, value)
