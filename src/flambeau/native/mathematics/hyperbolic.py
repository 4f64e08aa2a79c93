"""tanh (and sinh, cosh) from e^x - 1."""

from __future__ import annotations

from .exponentials import expm1_of_clamped
from .function import function
from .number import Number


@function("tanh")
def tanh(x: Number) -> Number:
    """tanh |x| = u/(u + 2), u = e^(2|x|) - 1; 1 from where it rounds so."""
    u = expm1_of_clamped((abs(x) * 2.0).at_most(20.0 if x.is_float else 40.0))
    return (u / (u + 2.0)).copysign(x)
