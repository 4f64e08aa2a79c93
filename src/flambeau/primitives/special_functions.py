"""Primitives for special functions: of the error function, Γ, ζ, Bessel, Airy, and the orthogonal polynomials.

Their numbers come from :mod:`special_function_numerics`, always computed in float64.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .registry import pointwise, primitive
from .values import Value


def _in_double(name: str, *operands: Any, **parameters: Any) -> Any:
    """The function called ``name`` of :mod:`special_function_numerics`, cast back to the dtype of the operands."""
    from . import special_function_numerics as numerics

    function = numerics.ONE_VARIABLE.get(name) or getattr(numerics, name)
    kind = np.result_type(*[each for each in operands if hasattr(each, "dtype")])
    arrays = [np.atleast_1d(np.asarray(each, np.float64)) for each in operands]
    shape = np.broadcast_shapes(*[np.shape(each) for each in operands])
    return function(*arrays, **parameters).reshape(shape).astype(kind)


@primitive(pointwise, elementwise=True)
def erf(x: Any) -> Any:
    """The error function (2/√π) ∫₀ˣ e^(-t²) dt."""
    return _in_double("erf", x)


@primitive(pointwise, elementwise=True)
def erfc(x: Any) -> Any:
    """1 - erf(x), accurate where that is small."""
    return _in_double("erfc", x)


def _same(x: Value, *, of: str) -> Any:
    return x.shape, x.dtype


@primitive(_same)
def special_function(x: Any, *, of: str) -> Any:
    """The special function of one variable called ``of``."""
    return _in_double(of, x)


@primitive(pointwise, elementwise=True)
def hurwitz_zeta(s: Any, q: Any) -> Any:
    """ζ(s, q) = Σ (q + k)^-s over k ≥ 0."""
    return _in_double("hurwitz_zeta", s, q)


@primitive(pointwise, elementwise=True)
def incomplete_gamma(a: Any, x: Any, *, upper: bool) -> Any:
    """The regularised incomplete gamma function P(a, x), or Q(a, x) = 1 - P(a, x) when ``upper``."""
    return _in_double("incomplete_gamma", a, x, upper=upper)


@primitive(pointwise, elementwise=True)
def orthogonal_polynomial(x: Any, n: Any, *, of: str) -> Any:
    """The polynomial of degree n (its fraction dropped; zero when negative) of the family ``of``."""
    return _in_double("orthogonal_polynomial", x, n, family=of)
