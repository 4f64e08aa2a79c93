"""Imports every family of operators, which declares them."""

from . import (  # noqa: F401
    arithmetic,
    bitwise,
    comparison,
    complex_numbers,
    contraction,
    conversion,
    creation,
    einsum,
    exponential,
    filling,
    logical,
    magnitude,
    norms,
    random,
    random_outcomes,
    reductions,
    selection,
    views,
)
