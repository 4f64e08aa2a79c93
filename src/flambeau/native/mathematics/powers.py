"""sqrt, hypot and power.

float32 power is 2^(y·log₂ x) in float64, which leaves bits to spare. In float64, log x is found as a sum of two numbers
(Dekker 1971) with some 68 bits: log x = e·ln 2 + 2·artanh s, s = f/(2 + f). Coefficients: tools/minimax.py.
"""

from __future__ import annotations

from .exponentials import nearest, reduced, scaled
from .function import function
from .logarithms import DOUBLE_LN2, split
from .number import Number

# log₂(1 + f)/f, and 2^r
LOG2 = (
    1.442695040889038, -0.7213475204474187, 0.4808983468850497, -0.36067375914940675, 0.2885390209240751,
    -0.2404492927412434, 0.20609855101324664, -0.18033081429368497, 0.16031787395114214, -0.1444309045540949,
    0.1309869159090897, -0.11793512613042863, 0.11025802790784833, -0.11873697431866298, 0.11709454204816103,
    -0.05913498640793011,
)  # fmt: skip
EXP2 = (
    0.9999999999595348, 0.6931471805350286, 0.24022651213692373, 0.05550410976105039, 0.00961802559259364,
    0.0013333422647083518, 0.000154697347408328, 1.5316461574910607e-05,
)  # fmt: skip
# artanh(s)/s = 1 + t/3 + t²·R(t), t = s²
ARTANH = (
    0.1999999999999999, 0.1428571428572192, 0.11111111108894806, 0.09090909422014037, 0.07692279212405732,
    0.06668132345461393, 0.05837887922485145, 0.059909012294402736,
)  # fmt: skip


@function("sqrt")
def sqrt(x: Number) -> Number:
    """√x."""
    return x.sqrt()


@function("hypot")
def hypot(x: Number, y: Number) -> Number:
    """√(x² + y²) without overflow on the way."""
    infinity = float("inf")
    infinite = abs(x).equals(infinity) | abs(y).equals(infinity)
    if x.is_float:
        a, b = x.in_double(), y.in_double()
        value = a.times(a, b * b).sqrt().in_float()
        return infinite.where(infinity, value)
    a, b = abs(x), abs(y)
    a, b = (a < b).where(b, a), (a < b).where(a, b)
    huge, small = a > 1e150, a < 1e-150
    factor = huge.where(x.of(2.0**-600), small.where(x.of(2.0**600), x.of(1.0)))
    back = huge.where(x.of(2.0**600), small.where(x.of(2.0**-600), x.of(1.0)))
    a, b = a * factor, b * factor
    square = a * a
    total = square + b * b
    lost = (square - total) + b * b + a.times(a, -square)
    root = total.sqrt()
    correction = (root.times(-root, total) + lost) / (root * 2.0)
    value = total.equals(0.0).where(0.0, root + correction) * back
    value = (x.is_nan | y.is_nan).where(x + y, value)
    return infinite.where(infinity, value)


@function("power")
def power(x: Number, y: Number) -> Number:
    """x^y."""
    e, m = split(abs(x))  # float32: subnormals are scaled there
    if not x.is_float:
        return special_cases(x, y, _exp_of_product(*_precise_log(e, m), y))
    f = m.in_double() - 1.0
    logarithm = f.times(f.short_polynomial(LOG2), e.in_double())
    product = (y.in_double() * logarithm).at_least(-400.0).at_most(400.0)
    rounded, n = nearest(product, 1.0)
    magnitude = scaled((product - rounded).short_polynomial(EXP2), n).in_float()
    return special_cases(x, y, magnitude)


def _precise_log(e: Number, m: Number) -> tuple[Number, Number]:
    """e·ln 2 + log m as the sum of two numbers."""
    f = m - 1.0
    below = f + 2.0
    below_low = f - (below - 2.0)
    inverse = 1.0 / below
    s = f * inverse
    s_low = inverse * (s.times(-below, f) - s * below_low)
    t = s * s
    t_low = s.times(s, -t) + s * s_low * 2.0
    # u + u_low = t/3 + t²·R(t)
    third, third_low = 1 / 3, 1.850371707708594e-17
    product = t * third
    product_low = t.times(third, -product) + t_low.times(third, t * third_low)
    rest = t * t * t.short_polynomial(ARTANH)
    u = product + rest
    u_low = (product - u) + rest + product_low
    # artanh s = s + s·u
    su = s * u
    su_low = s.times(u, -su) + s.times(u_low, s_low * u)
    artanh = s + su
    artanh_low = (s - artanh) + su + (su_low + s_low)
    high, low = DOUBLE_LN2
    whole, fraction = e * high, artanh * 2.0
    total = whole + fraction
    total_low = (whole - total) + fraction
    total_low = e.equals(0.0).where(0.0, total_low) + e.times(low, artanh_low * 2.0)
    head = total + total_low
    return head, (total - head) + total_low


def _exp_of_product(log: Number, log_low: Number, y: Number) -> Number:
    """e^((log + log_low)·y)."""
    product = log * y
    low = log.times(y, -product) + log_low * y
    low = (abs(product) < 800.0).where(low, 0.0)
    r, q, n = reduced(product.at_least(-800.0).at_most(800.0))
    square = r * r
    grown = low.times(square.times(q, r), low)  # low·e^r
    return scaled(square.times(q, grown) + r + 1.0, n)


def special_cases(x: Number, y: Number, magnitude: Number) -> Number:
    """x^y from |x|^y where x is a positive finite number and y finite: C's annex F."""
    infinity = float("inf")
    size, exponent = abs(x), abs(y)
    zero_or_infinite = size.equals(0.0) | size.equals(infinity)
    grows = size.equals(infinity) ^ (y < 0.0)  # for those
    value = zero_or_infinite.where(grows.where(x.of(infinity), x.of(0.0)), magnitude)
    far = exponent.equals(infinity)
    value = far.where(((size > 1.0) ^ (y < 0.0)).where(x.of(infinity), x.of(0.0)), value)
    value = (far & size.equals(1.0)).where(1.0, value)
    whole = y.truncated().equals(y)
    half = y * 0.5
    odd = whole & half.truncated().differs(half)
    negative = x.bits() < 0
    value = (negative & odd).where(-value, value)
    finite_negative = (x < 0.0) & (x > -infinity)
    undefined = finite_negative & (exponent < infinity) & y.truncated().differs(y)
    value = undefined.where(float("nan"), value)
    value = (x.is_nan | y.is_nan).where(x + y, value)
    return (x.equals(1.0) | y.equals(0.0)).where(1.0, value)
