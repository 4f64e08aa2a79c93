"""Elementary and special functions as straight-line LLVM IR over vectors: polynomials, reductions of range and selects.

Every function is accurate to 2 units in the last place over its whole domain, with NaN, infinities, signed zeros and
subnormal results right, and gives the same bits whatever the number of lanes.
"""

from __future__ import annotations

from ..builder import Builder, Operand
from . import (
    error_function,
    exponentials,
    hyperbolic,
    inverse_trigonometry,
    logarithms,
    powers,
    signs_and_steps,
    special_functions,
    trigonometry,
)  # fmt: skip
from .function import emitters
from .number import Number

#: The names of the primitives :func:`emit_function` knows.
FUNCTIONS = frozenset(emitters)


def emit_function(b: Builder, name: str, *x: Operand) -> Operand:
    """The primitive called ``name`` of operands of one type: float or double, scalar or vector."""
    return emitters[name](*[Number(b, each) for each in x]).operand


__all__ = [
    "FUNCTIONS", "emit_function", "error_function", "exponentials", "hyperbolic", "inverse_trigonometry", "logarithms",
    "powers", "signs_and_steps", "special_functions", "trigonometry",
]  # fmt: skip
