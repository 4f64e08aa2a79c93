"""erf and erfc.

Up to 1, erf x = x + x·S(x²). Beyond, in float32 erf = 1 - e^-Q(x), Q = -log erfc; in float64
erfc = e^-x²·(1/√π + (1 - t)·H(t))/(x + 2), t = (x - 2)/(x + 2), after Shepherd and Laframboise (1981). Coefficients: tools/minimax.py.
"""

from __future__ import annotations

from .exponentials import reduced, scaled, two_to_the
from .function import function, in_double
from .number import Number

FLOAT_NEAR = (
    0.12837916612625122, -0.3761262893676758, 0.11283618211746216, -0.02685512602329254, 0.005190733820199966,
    -0.0008030763710848987, 7.920392090454698e-05,
)  # fmt: skip
FLOAT_TAIL = (
    0.00029304478084668517, 1.1272794008255005, 0.6378399729728699, 0.10336203873157501, -0.021955782547593117,
    0.0029759854078292847, -0.0001891568535938859,
)  # fmt: skip
DOUBLE_NEAR = (
    0.1283791670955126, -0.37612638903184237, 0.11283791670986433, -0.02686617065310643, 0.0052239777311166346,
    -0.0008548335386309254, 0.00012055760963510674, -1.4940506603604159e-05, 1.6821545372893046e-06,
    -2.2496301157370896e-07, 8.826116939377199e-08, -6.175170611746031e-08, 3.275326944390958e-08,
    -1.0399471730952985e-08, 1.4789828480667715e-09,
)  # fmt: skip
DOUBLE_TAIL = (
    0.4573931216942667, -0.22976756271954396, 0.04970452983651036, 0.013262298329643506, -0.00824836355981238,
    -0.0017691784928662699, 0.0013214335657969337, 0.000484137527251412, -0.00017893598631114053,
    -0.00014456494007249147, -9.377721408111341e-08, 3.4058723434352515e-05, 1.2356323034765529e-05,
    -3.7828007037489056e-06, -4.861526417723554e-06, -1.1800171285359578e-06, 6.31299492164786e-07,
    6.910935939207791e-07, 4.900487406968757e-07, -2.513674867969208e-07, -3.9895528269483087e-07,
    2.539866818629416e-07, -3.6510535973174936e-08,
)  # fmt: skip
#: 1/√π in two parts.
ROOT, ROOT_LOW = 0.5641895835477563, 7.66772980658294e-18


@function("erf")
def erf(x: Number) -> Number:
    """(2/√π) ∫₀ˣ e^(-t²) dt."""
    near = x.times((x * x).short_polynomial(FLOAT_NEAR if x.is_float else DOUBLE_NEAR), x)
    if x.is_float:
        size = abs(x).at_most(4.0)
        r, q, n = reduced(-size.short_polynomial(FLOAT_TAIL))
        tail = 1.0 - ((r * r).times(q, r) + 1.0) * two_to_the(n)
    else:
        tail = 1.0 - _tail(abs(x).at_least(1.0).at_most(6.0))
    return (abs(x) < 1.0).where(near, tail.copysign(x))


@function("erfc")
@in_double
def erfc(x: Number) -> Number:
    """1 - erf(x)."""
    first = 1.0 - x
    lost = (1.0 - first) - x
    near = first + x.times(-(x * x).short_polynomial(DOUBLE_NEAR), lost)
    tail = _tail(abs(x).at_least(0.7).at_most(28.0))
    far = (x < 0.0).where(2.0 - tail, tail)
    return (abs(x) < 0.7).where(near, far)


def _tail(x: Number) -> Number:
    """erfc x for x ≥ 0.7. What each step rounds away is carried to the end."""
    square = x * x
    square_low = x.times(x, -square)
    r, q, n = reduced(-square)
    grown = square_low.times((r * r).times(q, r), square_low)  # square_low·e^r
    exponential = (r * r).times(q, -grown) + r  # e^-x² = 2^n·(1 + exponential)
    below = x + 2.0
    below_low = (x > 2.0).where(2.0 - (below - x), x - (below - 2.0))
    inverse = 1.0 / below
    inverse_low = inverse * (inverse.times(-below, 1.0) - inverse * below_low)
    t = inverse.times(-4.0, 1.0)
    opposite = inverse * 4.0  # 1 - t
    # 1/√π + (1 - t)·H(t) as a sum of two numbers, and how it times 1/(x + 2) changes with the latter
    head = opposite.times(DOUBLE_TAIL[0], ROOT)
    head_low = opposite.times(DOUBLE_TAIL[0], ROOT - head) + ROOT_LOW
    rest = (opposite * t).times(t.short_polynomial(DOUBLE_TAIL[1:]), head_low)
    slope = (opposite * opposite).times(t.times(-2 * DOUBLE_TAIL[2], -DOUBLE_TAIL[1]), head * 2.0 - ROOT)
    smaller = inverse.times(rest, inverse_low * slope)
    value = inverse.times(head, smaller)
    value_low = inverse.times(head, -value) + smaller
    return scaled(value.times(exponential, value_low.times(exponential, value_low)) + value, n)
