"""sin, cos, tan: the angle reduced to r in [-π/4, π/4] and the quadrant, then sin r = r + r³·S(r²) or cos r = 1 - r²/2 + r⁴·C(r²).

Coefficients: tools/minimax.py.
"""

from __future__ import annotations

from .angle_reduction import reduced
from .function import function, in_double
from .number import Number

FLOAT_SINE = (-0.16666655242443085, 0.008332191966474056, -0.0001951878221007064)
FLOAT_COSINE = (0.04166664555668831, -0.00138873013202101, 2.443067387503106e-05)
DOUBLE_SINE = (
    -0.16666666666666632, 0.008333333333322486, -0.00019841269829853295, 2.7557313705001317e-06,
    -2.5050759875491196e-08, 1.5896885559485196e-10,
)  # fmt: skip
DOUBLE_COSINE = (
    0.0416666666666666, -0.0013888888888874472, 2.4801587289669077e-05, -2.755731440003642e-07, 2.087572911004632e-09,
    -1.1359923600634727e-11,
)  # fmt: skip


def sine_and_cosine(r: Number) -> tuple[Number, Number]:
    """sin r and cos r for |r| ≤ π/4."""
    return _sine_and_cosine_in_parts(r)[:2]


def _sine_and_cosine_in_parts(r: Number) -> tuple[Number, Number, Number, Number]:
    """sin r, cos r, and what the last rounding of each lost."""
    t = r * r
    sine_polynomial = (t * r) * t.polynomial(FLOAT_SINE if r.is_float else DOUBLE_SINE)
    sine = r + sine_polynomial
    half = t * 0.5
    first = 1.0 - half
    lost = (1.0 - first) - half
    rest = (t * t).times(t.polynomial(FLOAT_COSINE if r.is_float else DOUBLE_COSINE), lost)
    cosine = first + rest
    return sine, cosine, (r - sine) + sine_polynomial, (first - cosine) + rest


def _signed(value: Number, quadrant: Number) -> Number:
    """Negative in the quadrants 2 and 3."""
    return (value.bits() ^ ((quadrant & 2) << (30 if value.is_float else 62))).as_floating()


@function("sin")
def sin(x: Number) -> Number:
    """sin x."""
    r, q = reduced(x)
    sine, cosine = sine_and_cosine(r)
    value = _signed((q & 1).equals(0).where(sine, cosine), q)
    return (abs(x) < 1e-9).where(x, value)


@function("cos")
def cos(x: Number) -> Number:
    """cos x."""
    r, q = reduced(x)
    sine, cosine = sine_and_cosine(r)
    return _signed((q & 1).equals(0).where(cosine, sine), q + 1)


@function("tan")
@in_double
def tan(x: Number) -> Number:
    """tan x = sin r / cos r, or -cos r / sin r in odd quadrants."""
    r, q = reduced(x)
    sine, cosine, sine_low, cosine_low = _sine_and_cosine_in_parts(r)
    even = (q & 1).equals(0)
    above, above_low = even.where(sine, -cosine), even.where(sine_low, -cosine_low)
    below, below_low = even.where(cosine, sine), even.where(cosine_low, sine_low)
    inverse = 1.0 / below
    value = above * inverse
    value = inverse.times(value.times(-below, above) + (above_low - value * below_low), value)
    return (abs(x) < 1e-9).where(x, value)
