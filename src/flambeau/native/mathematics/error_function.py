"""erf: x + x·S(x²) up to 1; beyond, 1 - e^-Q(x) with Q = -log erfc. Coefficients: tools/minimax.py."""

from __future__ import annotations

from .exponentials import reduced, two_to_the
from .function import function
from .number import Number

FLOAT_NEAR = (
    0.12837916612625122, -0.3761262893676758, 0.11283618211746216, -0.02685512602329254, 0.005190733820199966,
    -0.0008030763710848987, 7.920392090454698e-05,
)  # fmt: skip
FLOAT_TAIL = (
    0.00029304478084668517, 1.1272794008255005, 0.6378399729728699, 0.10336203873157501, -0.021955782547593117,
    0.0029759854078292847, -0.0001891568535938859,
)  # fmt: skip


@function("erf")
def erf(x: Number) -> Number:
    """(2/√π) ∫₀ˣ e^(-t²) dt."""
    near = x.times((x * x).short_polynomial(FLOAT_NEAR), x)
    size = abs(x).at_most(4.0)
    r, q, n = reduced(-size.short_polynomial(FLOAT_TAIL))
    tail = 1.0 - ((r * r).times(q, r) + 1.0) * two_to_the(n)
    return (abs(x) < 1.0).where(near, tail.copysign(x))
