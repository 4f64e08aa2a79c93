"""arctan, arctan2, arcsin, arccos.

The angle of (d, n), both ≥ 0, is a multiple of π/4 plus arctan z, z being n/d, (n - d)/(n + d) or -d/n so that |z| ≤ tan π/8.
arcsin x is x + x³·P(x²) up to 1/2; beyond, arccos x = 2·arcsin √((1 - x)/2). Coefficients: tools/minimax.py.
"""

from __future__ import annotations

from .function import function, in_double
from .number import Number

ARCTAN = (
    -0.333333333333332, 0.19999999999953816, -0.1428571428022414, 0.11111110785180087, -0.09090897819194271,
    0.07692061546865006, -0.06663122048680277, 0.058480413923865465, -0.050400843622273754, 0.03808671203967444,
    -0.01793394650967989,
)  # fmt: skip
ARCSIN = (
    0.16666666666666763, 0.07499999999970118, 0.04464285717527149, 0.030381942675861456, 0.022372215891753394,
    0.017351595718375912, 0.013981016378578749, 0.01139730709779143, 0.010789254014085347, 0.0036724667594308738,
    0.02178962071073718, -0.021114281395891325, 0.03269965474149273,
)  # fmt: skip
HALF_PI, HALF_PI_LOW = 1.5707963267948966, 6.123233995736766e-17


def _angle(n: Number, d: Number) -> tuple[Number, Number]:
    """arctan(n/d) for n, d ≥ 0, as a sum of two numbers."""
    steep = n > d * 2.414213562373095
    middle = n > d * 0.41421356237309503
    above = steep.where(-d, middle.where(n - d, n))
    below = steep.where(n, middle.where(n + d, d))
    inverse = 1.0 / below
    z = above * inverse
    # What the roundings of n - d, n + d and the quotient lost
    between = middle & (n <= d * 2.414213562373095)
    larger = n > d
    greater, less = larger.where(n, d), larger.where(d, n)
    below_low = (greater - below) + less
    above_low = larger.where(n.of(1.0), n.of(-1.0)) * ((greater - abs(above)) - less)
    lost = z.times(-below, above) + between.where(above_low - z * below_low, 0.0)
    z_low = inverse.equals(0.0).where(0.0, inverse * lost)
    offset = steep.where(n.of(HALF_PI), middle.where(n.of(HALF_PI / 2), n.of(0.0)))
    low = steep.where(n.of(HALF_PI_LOW), middle.where(n.of(HALF_PI_LOW / 2), n.of(0.0)))
    t = z * z
    tail = (t * z).times(t.short_polynomial(ARCTAN), low + z_low)
    total = offset + z
    return total, ((offset - total) + z) + tail


@function("arctan")
@in_double
def arctan(x: Number) -> Number:
    """arctan x."""
    a = abs(x)
    high, low = _angle(a.at_most(1e300), a.of(1.0))
    return (a < 1e-9).where(x, (high + low).copysign(x))


@function("arctan2")
@in_double
def arctan2(y: Number, x: Number) -> Number:
    """The angle of the point (x, y)."""
    n, d = abs(y), abs(x)
    infinity = float("inf")
    both = n.equals(infinity) & d.equals(infinity)
    n, d = both.where(1.0, n), both.where(1.0, d)
    greater = (n > d).where(n, d)
    factor = (greater > 1e300).where(n.of(2.0**-60), (greater < 1e-200).where(n.of(2.0**200), n.of(1.0)))
    n, d = n * factor, d * factor
    d = (n + d).equals(0.0).where(1.0, d)
    high, low = _angle(n, d)
    left = x.bits() < 0
    opposite = (2 * HALF_PI - high) + (((2 * HALF_PI - (2 * HALF_PI - high)) - high) + (2 * HALF_PI_LOW - low))
    value = left.where(opposite, high + low)
    return (x.is_nan | y.is_nan).where(x + y, value.copysign(y))


def _arcsin_near(x: Number) -> tuple[Number, Number]:
    """x and x³·P(x²), whose sum is arcsin x for |x| ≤ 1/2."""
    t = x * x
    return x, t * x * t.short_polynomial(ARCSIN)


def _root(a: Number) -> tuple[Number, Number]:
    """s and s³·P(s²) + what the root lost, for s = √((1 - a)/2): their sum is arccos(a)/2."""
    square = (1.0 - a) * 0.5
    s = square.sqrt()
    lost = s.equals(0.0).where(0.0, s.times(-s, square) / (s * 2.0))
    return s, (square * s).times(square.short_polynomial(ARCSIN), lost)


@function("arcsin")
@in_double
def arcsin(x: Number) -> Number:
    """arcsin x; NaN beyond ±1."""
    a = abs(x)
    near, near_tail = _arcsin_near(a)
    s, tail = _root(a)
    first = HALF_PI - s * 2.0
    lost = (HALF_PI - first) - s * 2.0
    value = (a > 0.5).where(first + (lost + (HALF_PI_LOW - tail * 2.0)), near + near_tail)
    return (a < 1e-9).where(x, value.copysign(x))


@function("arccos")
@in_double
def arccos(x: Number) -> Number:
    """arccos x; NaN beyond ±1."""
    a = abs(x)
    near, near_tail = _arcsin_near(x)
    middle = HALF_PI - (near - (HALF_PI_LOW - near_tail))
    s, tail = _root(a)
    right = (s + tail) * 2.0
    left = 2 * HALF_PI - (s * 2.0 - (2 * HALF_PI_LOW - tail * 2.0))
    far = (x < 0.0).where(left, right)
    return (a > 0.5).where(far, middle)
