"""log, log2, log10, log1p: x = 2^e·(1 + f) with 1 + f in [√½, √2), and log x = e·ln 2 + log(1 + f).

float32: log(1 + f) = f - f²/2 + f³·P(f). float64: with s = f/(2 + f), log(1 + f) = 2·artanh(s) = f - s·(f - s²·T(s²)).
Coefficients: tools/minimax.py.
"""

from __future__ import annotations

from .function import Emitter, function, in_double
from .number import Number

FLOAT = (
    0.3333331048488617, -0.24999986588954926, 0.20002226531505585, -0.16669252514839172, 0.14218667149543762,
    -0.12384331971406937, 0.11872904002666473, -0.11789878457784653, 0.0691559687256813,
)  # fmt: skip
DOUBLE = (
    0.6666666666666666, 0.40000000000004926, 0.2857142856940971, 0.22222222607256512, 0.18181778328006812,
    0.15386990202289913, 0.13252114387385344, 0.13235113338442403,
)  # fmt: skip
#: ln 2 as a number of few bits, whose product with an exponent is exact, and the rest.
FLOAT_LN2 = (0.693145751953125, 1.42860682030941723212e-6)
DOUBLE_LN2 = (0.6931471803691238, 1.9082149292705877e-10)


def split(x: Number) -> tuple[Number, Number]:
    """e, as a floating number, and 1 + f, for x > 0 (subnormals too)."""
    if x.is_float:
        small = x < 1.1754943508222875e-38
        bits = small.where(x * 8388608.0, x).bits() - 0x3F3504F3
        exponent = (bits >> 23) + small.where((bits & 0) - 23, 0)
        return exponent.to_floating(), ((bits & 0x7FFFFF) + 0x3F3504F3).as_floating()
    small = x < 2.2250738585072014e-308
    bits = small.where(x * 4503599627370496.0, x).bits() - 0x3FE6A09E667F3BCD
    exponent = (bits >> 52) + small.where((bits & 0) - 52, 0)
    return _small_integer(exponent), ((bits & 0xFFFFFFFFFFFFF) + 0x3FE6A09E667F3BCD).as_floating()


def _small_integer(n: Number) -> Number:
    """An i64 of few bits as a double, without the conversion AVX2 lacks."""
    return (n + 0x4338000000000000).as_floating() - 6755399441055744.0


def log_of(e: Number, f: Number, low: Number | None = None) -> Number:
    """log(2^e·(1 + f)) + low."""
    if f.is_float:
        square = f * f
        tail = square.times(-0.5, (square * f) * f.short_polynomial(FLOAT))
        high_part, low_part = FLOAT_LN2
    else:
        s = f / (f + 2.0)
        t = s * s
        tail = -(s * (f - t * t.short_polynomial(DOUBLE)))
        high_part, low_part = DOUBLE_LN2
    tail = e.times(low_part, tail) if low is None else e.times(low_part, tail + low)
    high = e * high_part
    # high + f rounded, and what the rounding lost: e ≠ 0 makes |high| the greater.
    total = high + f
    lost = f - (total - high)
    return total + (tail + lost)


def checked(x: Number, value: Number) -> Number:
    """The logarithm's value where it is a number; -inf at 0, NaN below, ∞ and NaN at themselves."""
    infinity = float("inf")
    value = (x < infinity).where(value, x)  # ∞ and NaN
    value = x.equals(0.0).where(-infinity, value)
    return (x < 0.0).where(float("nan"), value)


@function("log")
def log(x: Number) -> Number:
    """ln x."""
    e, m = split(x)
    return checked(x, log_of(e, m - 1.0))


@function("log1p")
def log1p(x: Number) -> Number:
    """ln(1 + x)."""
    return log1p_of_sum(x)


def log1p_of_sum(x: Number, low: Number | None = None) -> Number:
    """ln(1 + x + low), low far below x: the exponent e of 1 + x, and f = x·2^-e + (2^-e - 1), which loses nothing that matters."""
    bits = (x + 1.0).bits()
    if x.is_float:
        bits = bits - 0x3F3504F3
        exponent = bits >> 23
        e, power = exponent.to_floating(), ((127 - exponent) << 23).as_floating()
        mantissa = ((bits & 0x7FFFFF) + 0x3F3504F3).as_floating()
    else:
        bits = bits - 0x3FE6A09E667F3BCD
        exponent = bits >> 52
        e, power = _small_integer(exponent), ((1023 - exponent) << 52).as_floating()
        mantissa = ((bits & 0xFFFFFFFFFFFFF) + 0x3FE6A09E667F3BCD).as_floating()
    f = (x > 1e30).where(mantissa - 1.0, x.times(power, power - 1.0))  # 2^-e is subnormal at last; there 1 + x = x
    correction = None
    if low is not None:  # low·2^-e/(1 + f), with 1/(1 + f) to a few bits
        correction = low * (power * f.times(f - 1.0, 1.0))
    value = log_of(e, f, correction)
    tiny = abs(x) < (1e-10 if x.is_float else 1e-20)
    value = tiny.where(x, value)
    infinity = float("inf")
    value = (x < infinity).where(value, x)
    value = x.equals(-1.0).where(-infinity, value)
    return (x < -1.0).where(float("nan"), value)


def _logarithm_in(base: tuple[float, float], of_two: tuple[float, float]) -> Emitter:
    """The logarithm to a base: log x·(high + low), and log 2 in it, all in float64."""
    high, low = base
    two_high, two_low = of_two

    def logarithm(x: Number) -> Number:
        e, m = split(x)
        f = m - 1.0
        s = f / (f + 2.0)
        t = s * s
        tail = -(s * (f - t * t.short_polynomial(DOUBLE)))
        # (f + tail)·high as an exact product and a rest, to which all that is small is added before it counts
        scaled = f * high
        rest = f.times(high, -scaled)
        rest = tail.times(high, (f + tail).times(low, rest))
        first = e * two_high
        total = first + scaled
        lost = scaled - (total - first)
        return checked(x, total + (e.times(two_low, rest) + lost))

    return in_double(logarithm)


#: log₂ x and log₁₀ x. 1/ln b in two parts; log_b 2 as a number of few bits and a rest.
function("log2")(_logarithm_in((1.4426950408889634, 2.0355273740931033e-17), (1.0, 0.0)))
function("log10")(
    _logarithm_in((0.4342944819032518, 1.098319650216765e-17), (0.301029995663157, 8.241712586023572e-13))
)
