"""sinh, cosh, tanh from e^r - 1, and their inverses from logarithms."""

from __future__ import annotations

from .exponentials import expm1_of_clamped, reduced, two_to_the
from .function import function, in_double
from .logarithms import log, log1p_of_sum
from .number import Number


@function("tanh")
def tanh(x: Number) -> Number:
    """tanh |x| = u/(u + 2), u = e^(2|x|) - 1; 1 from where it rounds so."""
    u, u_low = expm1_of_clamped((abs(x) * 2.0).at_most(20.0 if x.is_float else 40.0))
    below = u + 2.0
    lost = u - (below - 2.0)
    value = u / below
    # plus (u_low - value·(lost + u_low))/below, and 1/below = (1 - value)/2
    error = value.times(lost + u_low, -u_low)
    value = error.times(value.times(0.5, -0.5), value)
    return value.at_most(1.0).copysign(x)


def _halves(x: Number) -> tuple[Number, Number, Number, Number]:
    """a, p, b, q with e^|x|/16 = a·(1 + p) and e^-|x|/16 = b·(1 + q)."""
    r, polynomial, n = reduced(abs(x).at_most(712.0))
    _, other, _ = reduced(-r)
    square = r * r
    rising, falling = two_to_the(n - 4), two_to_the((n > 200).where(n.of(200), n) * n.of(-1) - 4)
    return rising, square.times(polynomial, r), falling, square.times(other, -r)


@function("sinh")
@in_double
def sinh(x: Number) -> Number:
    """(e^x - e^-x)/2."""
    a, p, b, q = _halves(x)
    value = (a.times(p, -(b * q)) + (a - b)) * 8.0
    return (abs(x) < 1e-9).where(x, value.copysign(x))


@function("cosh")
@in_double
def cosh(x: Number) -> Number:
    """(e^x + e^-x)/2."""
    a, p, b, q = _halves(x)
    return (a.times(p, b * q) + (a + b)) * 8.0


@function("arcsinh")
@in_double
def arcsinh(x: Number) -> Number:
    """log(1 + a + a²/(1 + √(a² + 1))), a = |x|."""
    a = abs(x)
    moderate = a.at_most(1e9)
    square = moderate * moderate
    more = square / ((square + 1.0).sqrt() + 1.0)
    total = moderate + more
    lost = (moderate - total) + more
    near = log1p_of_sum(total, lost)
    far = log(a) + 0.6931471805599453
    value = (a > 1e9).where(far, near)
    return (a < 1e-9).where(x, value.copysign(x))


@function("arccosh")
@in_double
def arccosh(x: Number) -> Number:
    """log(1 + t + √(2t + t²)), t = x - 1."""
    t = x.at_most(1e9) - 1.0
    double = t * 2.0
    square = t.times(t, double)
    root = square.sqrt()
    root_low = (root.times(-root, square) + t.times(t, double - square)) / (root * 2.0)
    total = root + t
    near = log1p_of_sum(total, ((root - total) + t) + (t > 0.0).where(root_low, 0.0))
    value = (x > 1e9).where(log(x) + 0.6931471805599453, near)
    return (x < 1.0).where(float("nan"), value)


@function("arctanh")
@in_double
def arctanh(x: Number) -> Number:
    """log(1 + 2a/(1 - a))/2, a = |x|."""
    a = abs(x)
    below = 1.0 - a
    ratio = a * 2.0 / below
    lost = (ratio.times(-below, a * 2.0) - ratio * ((1.0 - below) - a)) / below
    value = log1p_of_sum(ratio, (a < 1.0).where(lost, 0.0)) * 0.5
    return (a < 1e-9).where(x, value.copysign(x))
