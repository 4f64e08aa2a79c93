"""The special functions of one variable: inverses of erf, Γ and its derivatives, Bessel's and Airy's functions.

The formulas and Chebyshev series are those of primitives/special_function_numerics.py, in float64 as there; all cases are
computed and the right one is selected.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ...primitives import special_function_tables as tables
from ...primitives.special_function_numerics import BERNOULLI, DIGAMMA, STIRLING
from .error_function import erf
from .exponentials import exp
from .function import function, in_double
from .logarithms import log, log1p
from .number import Number
from .trigonometry import cos, sin, tan

INFINITY, NAN = float("inf"), float("nan")
_ROOT_PI = math.sqrt(math.pi)
Case = tuple[Number, "Number | float"]


def series(coefficients: Sequence[float], x: Number, low: float, high: float) -> Number:
    """Σ cₖ Tₖ(t), with t running from -1 to 1 as x runs from ``low`` to ``high`` (Clenshaw 1955)."""
    t = (2.0 * x - (low + high)) / (high - low)
    twice = t + t
    later = latest = x.of(0.0)
    for c in reversed(coefficients[1:]):
        later, latest = twice.times(later, c) - latest, later
    return t.times(later, coefficients[0]) - latest


def by_cases(x: Number, *cases: Case) -> Number:
    """The value of the first case whose condition holds; NaN where none does."""
    result: Number = x.of(NAN)
    for condition, value in reversed(cases):
        result = condition.where(value, result)
    return result


# -- the error function ------------------------------------------------------------------------------------------------


def _scaled_complement(x: Number) -> Number:
    """e^(x²) erfc(x) for x ≥ 0."""
    t = x.equals(INFINITY).where(1.0, (x - 3.75) / (x + 3.75))
    return series(tables.ERFCX, t, -1.0, 1.0) / (1.0 + 2.0 * x)


def _exp_of_square(x: Number) -> Number:
    """e^(x²), the rounding error of x² made good."""
    square = x * x
    value = exp(square)
    value = value.times(x.times(x, -square), value)
    return (abs(x) > 27.0).where(INFINITY, value)


@function("erfcx")
@in_double
def erfcx(x: Number) -> Number:
    """e^(x²) erfc(x)."""
    positive = _scaled_complement(abs(x))
    return by_cases(x, (x >= 0.0, positive), (x < 0.0, 2.0 * _exp_of_square(x) - positive))


#: Lowest power first, of -log(1 - y²) - 5/2, and of its root less 3.
GILES_NEAR = (
    1.50140941, 0.246640727, -0.00417768164, -0.00125372503, 0.00021858087, -4.39150654e-06, -3.5233877e-06, 3.43273939e-07,
    2.81022636e-08,
)  # fmt: skip
GILES_TAIL = (
    2.83297682, 1.00167406, 0.00943887047, -0.0076224613, 0.00573950773, -0.00367342844, 0.00134934322, 0.000100950558,
    -0.000200214257,
)  # fmt: skip


def _inverse_guess(log_product: Number) -> Number:
    """|erf⁻¹(y)| to three digits from log(1 - y²) (Winitzki 2008)."""
    half = 2.0 / (math.pi * 0.147) + log_product * 0.5
    return ((half * half - log_product / 0.147).sqrt() - half).at_least(0.0).sqrt()


def _inverse_erfc(q: Number) -> Number:
    """x ≥ 0 with erfc(x) = q, for 0 < q ≤ 1, refined by Halley's method."""
    x = _inverse_guess(log(q) + log(2.0 - q))
    for _ in range(3):
        step = (_scaled_complement(x) - q * _exp_of_square(x)) * (_ROOT_PI / 2.0)
        x = x + step / (1.0 - x * step)
    return x


def _inverse_erf_small(y: Number) -> Number:
    x = _inverse_guess(log1p(-y * y)).copysign(y)
    for _ in range(2):
        step = (erf(x) - y) * exp(x * x) * (_ROOT_PI / 2.0)
        x = x - step / (1.0 + x * step)
    return (abs(y) < 1e-9).where(y * (_ROOT_PI / 2.0), x)


@function("erf_inverse")
def erf_inverse(y: Number) -> Number:
    """x with erf x = y; in float32 one step of Halley's method on erfc from Giles's polynomials (2012) is enough."""
    size = abs(y)
    if y.is_float:
        wide = size.in_double()
        q = 1.0 - wide
        w = -log(q * (1.0 + wide))
        tail = w.sqrt() - 3.0
        x = (w < 5.0).where((w - 2.5).short_polynomial(GILES_NEAR), tail.short_polynomial(GILES_TAIL)) * wide
        step = (_scaled_complement(x) - q * _exp_of_square(x)) * (_ROOT_PI / 2.0)
        x = x + step / (1.0 - x * step)
        series_of_small = wide.times(wide * wide * (math.pi / 12.0), wide) * (_ROOT_PI / 2.0)
        found = (wide < 1e-4).where(series_of_small, x).in_float().copysign(y)
        return by_cases(y, (size < 1.0, found), (size.equals(1.0), y * INFINITY))
    return by_cases(
        y, (size <= 0.5, _inverse_erf_small(y)), (size < 1.0, _inverse_erfc(1.0 - size).copysign(y)),
        (size.equals(1.0), y * INFINITY),
    )  # fmt: skip


@function("normal_quantile")
@in_double
def normal_quantile(q: Number) -> Number:
    """x with Φ(x) = q: -√2 erfc⁻¹(2q)."""
    root_2 = math.sqrt(2.0)
    below = q < 0.5
    tail = root_2 * _inverse_erfc(2.0 * below.where(q, 1.0 - q))
    return by_cases(
        q, (q.equals(0.0), -INFINITY), (q.equals(1.0), INFINITY),
        ((q > 0.25) & (q < 0.75), root_2 * _inverse_erf_small(2.0 * q - 1.0)),
        ((q > 0.0) & (q < 1.0), below.where(-tail, tail)),
    )  # fmt: skip


# -- the gamma function ------------------------------------------------------------------------------------------------


def _stirling(x: Number) -> Number:
    log_x = log(x)
    result = (x - 0.5) * log_x - x + 0.5 * math.log(2.0 * math.pi) + (1.0 / (x * x)).polynomial(STIRLING) / x
    return (x > 1e305).where(x.equals(INFINITY).where(INFINITY, x * (log_x - 1.0)), result)


@function("log_gamma")
@in_double
def log_gamma(x: Number) -> Number:
    """log |Γ(x)|: a series about 2, Stirling's after steps upwards from 3 on, Γ(x) Γ(1 - x) = π/sin(πx) below zero."""
    negative = x < 0.0
    z = negative.where(1.0 - x, x)
    product, high = z.of(1.0), z
    for _ in range(7):
        low = high < 10.0
        product = low.where(product * high, product)
        high = low.where(high + 1.0, high)
    first = z < 1.0
    near = first.where(z + 1.0, z)
    around_two = (near - 1.0) * (near - 2.0) * series(tables.LOG_GAMMA_NEAR_TWO, near, 1.0, 3.0) + 0.0
    small = z < 3.0
    taken = log(small.where(first.where(z, 1.0), product))
    positive = small.where(around_two, _stirling(high)) - taken + 0.0
    sine = abs(sin(math.pi * (x - x.rounded())))
    reflected = sine.equals(0.0).where(INFINITY, math.log(math.pi) - log(sine) - positive)
    return by_cases(x, (abs(x).equals(INFINITY), INFINITY), (x >= 0.0, positive), (negative, reflected))


@function("digamma")
@in_double
def digamma(x: Number) -> Number:
    """ψ(x): upwards by ψ(x) = ψ(x + 1) - 1/x, then its asymptotic series; ψ(1 - x) - ψ(x) = π cot(πx) below zero."""
    negative = x < 0.0
    high = negative.where(1.0 - x, x)
    total = x.of(0.0)
    for _ in range(10):
        low = high < 10.0
        total = low.where(total - 1.0 / high, total)
        high = low.where(high + 1.0, high)
    inverse_square = 1.0 / (high * high)
    positive = total + log(high) - 0.5 / high - inverse_square * inverse_square.polynomial(DIGAMMA)
    part = x - x.rounded()
    reflected = part.equals(0.0).where(NAN, positive - math.pi / tan(math.pi * part))
    return by_cases(
        x, (x.equals(0.0), x.of(INFINITY).copysign(-x)), (x.equals(INFINITY), x), (x > 0.0, positive),
        (x > -INFINITY, reflected),
    )  # fmt: skip


@function("trigamma")
@in_double
def trigamma(x: Number) -> Number:
    """ψ'(x) = Σ (x + k)⁻² by Euler and Maclaurin's summation; below ½ by ψ'(x) + ψ'(1 - x) = π²/sin²(πx)."""
    below = x < 0.5
    high = below.where(1.0 - x, x)
    total = x.of(0.0)
    for _ in range(10):
        low = high < 10.0
        total = low.where(total + 1.0 / (high * high), total)
        high = low.where(high + 1.0, high)
    inverse = 1.0 / high
    square = inverse * inverse
    positive = total + inverse + 0.5 * square + square * inverse * square.polynomial(BERNOULLI)
    ratio = math.pi / sin(math.pi * (x - x.rounded()))
    return by_cases(
        x, (x.equals(INFINITY), 0.0), (x >= 0.5, positive), (x > -INFINITY, ratio * ratio - positive)
    )  # fmt: skip


# -- Bessel's functions ------------------------------------------------------------------------------------------------


@function("i0e")
@in_double
def i0e(x: Number) -> Number:
    """e^-|x| I₀(x)."""
    x = abs(x)
    return (x <= 8.0).where(
        series(tables.I0_SMALL, x, 0.0, 8.0), series(tables.I0_LARGE, 8.0 / x, 0.0, 1.0) / x.sqrt()
    )  # fmt: skip


@function("i1e")
@in_double
def i1e(x: Number) -> Number:
    """e^-|x| I₁(x)."""
    size = abs(x)
    value = (size <= 8.0).where(
        size * series(tables.I1_SMALL, size, 0.0, 8.0), series(tables.I1_LARGE, 8.0 / size, 0.0, 1.0) / size.sqrt()
    )
    return x.of(1.0).copysign(x) * value


def _unscaled(value: Number, x: Number, sign: float) -> Number:
    """e^(±|x|) f(x), in two factors so that it overflows no sooner than it must."""
    half = exp(sign * 0.5 * abs(x))
    limit = x.of(INFINITY).copysign(value) if sign > 0 else x.of(0.0)
    return abs(x).equals(INFINITY).where(limit, value * half * half)


@function("i0")
@in_double
def i0(x: Number) -> Number:
    """I₀(x)."""
    return _unscaled(i0e(x), x, 1.0)


@function("i1")
@in_double
def i1(x: Number) -> Number:
    """I₁(x)."""
    return _unscaled(i1e(x), x, 1.0)


def _hankel(order: int, x: Number, second: bool) -> Number:
    """J or Y for x ≥ 8 from P and Q: √(2/πx)(P cos χ - Q sin χ), χ = x - (order + ½)π/2 (Hankel 1869)."""
    u = 64.0 / (x * x)
    p = series(tables.HANKEL_P1 if order else tables.HANKEL_P0, u, 0.0, 1.0)
    q = series(tables.HANKEL_Q1 if order else tables.HANKEL_Q0, u, 0.0, 1.0) * (8.0 / x)
    sine, cosine = sin(x), cos(x)
    along, across = (sine - cosine, -sine - cosine) if order else (cosine + sine, sine - cosine)
    wave = p * across + q * along if second else p * along - q * across
    return abs(x).equals(INFINITY).where(0.0, wave / (math.pi * x).sqrt())


@function("j0")
@in_double
def j0(x: Number) -> Number:
    """J₀(x)."""
    x = abs(x)
    return by_cases(x, (x <= 8.0, series(tables.J0_SMALL, x * x, 0.0, 64.0)), (x > 8.0, _hankel(0, x, False)))


@function("j1")
@in_double
def j1(x: Number) -> Number:
    """J₁(x)."""
    size = abs(x)
    near = size * series(tables.J1_SMALL, x * x, 0.0, 64.0)
    return x.of(1.0).copysign(x) * by_cases(x, (size <= 8.0, near), (size > 8.0, _hankel(1, size, False)))


@function("y0")
@in_double
def y0(x: Number) -> Number:
    """Y₀(x)."""
    square = x * x
    near = series(tables.Y0_SMALL, square, 0.0, 64.0) + 2.0 / math.pi * log(x) * series(tables.J0_SMALL, square, 0.0, 64.0)
    return by_cases(x, (x.equals(0.0), -INFINITY), (x < 0.0, NAN), (x <= 8.0, near), (x > 8.0, _hankel(0, x, True)))


@function("y1")
@in_double
def y1(x: Number) -> Number:
    """Y₁(x)."""
    square = x * x
    first = x * series(tables.J1_SMALL, square, 0.0, 64.0)
    near = x * series(tables.Y1_SMALL, square, 0.0, 64.0) + 2.0 / math.pi * (log(x) * first - 1.0 / x)
    return by_cases(x, (x.equals(0.0), -INFINITY), (x < 0.0, NAN), (x <= 8.0, near), (x > 8.0, _hankel(1, x, True)))


@function("k0e")
@in_double
def k0e(x: Number) -> Number:
    """e^x K₀(x)."""
    power = exp(x)
    near = (series(tables.K0_SMALL, x * x, 0.0, 4.0) - log(0.5 * x) * i0e(x) * power) * power
    far = series(tables.K0_LARGE, 2.0 / x, 0.0, 1.0) / x.sqrt()
    return by_cases(x, (x.equals(0.0), INFINITY), (x < 0.0, NAN), (x <= 2.0, near), (x > 2.0, far))


@function("k1e")
@in_double
def k1e(x: Number) -> Number:
    """e^x K₁(x)."""
    power = exp(x)
    near = (series(tables.K1_SMALL, x * x, 0.0, 4.0) / x + log(0.5 * x) * i1e(x) * power) * power
    far = series(tables.K1_LARGE, 2.0 / x, 0.0, 1.0) / x.sqrt()
    return by_cases(x, (x.equals(0.0), INFINITY), (x < 0.0, NAN), (x <= 2.0, near), (x > 2.0, far))


@function("k0")
@in_double
def k0(x: Number) -> Number:
    """K₀(x)."""
    return _unscaled(k0e(x), x, -1.0)


@function("k1")
@in_double
def k1(x: Number) -> Number:
    """K₁(x)."""
    return _unscaled(k1e(x), x, -1.0)


@function("spherical_j0")
@in_double
def spherical_j0(x: Number) -> Number:
    """sin x/x."""
    return abs(x).equals(INFINITY).where(0.0, x.equals(0.0).where(1.0, sin(x) / x))


@function("airy")
@in_double
def airy(x: Number) -> Number:
    """Ai(x)."""
    size = abs(x)
    zeta = 2.0 / 3.0 * size * size.sqrt()
    root = _ROOT_PI * size.sqrt().sqrt()
    shape = series(tables.AIRY_POSITIVE, 4.0 / 3.0 * math.sqrt(2.0) / zeta, 0.0, 1.0)
    positive = shape * exp(-zeta) / (2.0 * root)
    inverse = 2.0 / 3.0 * 6.0 * math.sqrt(6.0) / zeta
    p = series(tables.AIRY_NEGATIVE_P, inverse * inverse, 0.0, 1.0)
    q = series(tables.AIRY_NEGATIVE_Q, inverse * inverse, 0.0, 1.0) * inverse
    angle = zeta - math.pi / 4.0
    negative = (p * cos(angle) + q * sin(angle)) / root
    return by_cases(
        x, (size.equals(INFINITY), NAN), (x > 103.892, 0.0), (x > 2.0, positive),
        (x >= -6.0, series(tables.AIRY_MIDDLE, x, -6.0, 2.0)), (x < -6.0, negative),
    )  # fmt: skip
