"""sqrt and power. float32 power is 2^(y·log₂ x) in float64, which leaves bits to spare. Coefficients: tools/minimax.py."""

from __future__ import annotations

from .exponentials import nearest, scaled
from .function import function
from .logarithms import split
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


@function("sqrt")
def sqrt(x: Number) -> Number:
    """√x."""
    return x.sqrt()


@function("power")
def power(x: Number, y: Number) -> Number:
    """x^y."""
    e, m = split(abs(x))  # float32: subnormals are scaled there
    f = m.in_double() - 1.0
    logarithm = f.times(f.short_polynomial(LOG2), e.in_double())
    product = (y.in_double() * logarithm).at_least(-400.0).at_most(400.0)
    rounded, n = nearest(product, 1.0)
    magnitude = scaled((product - rounded).short_polynomial(EXP2), n).in_float()
    return special_cases(x, y, magnitude)


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
