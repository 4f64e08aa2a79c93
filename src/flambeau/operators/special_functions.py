"""Special functions: error, gamma, zeta and Bessel functions, entropies, orthogonal polynomials.

What PyTorch offers as ``torch.erf`` is a function and method here; what only ``torch.special`` has is published by
:mod:`flambeau.special`. Their numbers come from :mod:`flambeau.primitives.special_functions`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ..core.dtypes import COMPLEX, FLOATING
from ..primitives import elementwise as p, special_functions as s
from ..primitives.values import Value
from .declaration import POINTWISE, functions, operator
from .exponential import log1p, logarithm_gradient, times_logarithm
from .kinds import Number, Tensor
from .missing_derivatives import no_derivative
from .promotion import as_array, needs_tensor, promote, promote_floating, reject, to, widened

ROOT_PI = math.sqrt(math.pi)


def _of_one(name: str, of: Callable[[Value], Value], input: Value) -> Value:
    """``of`` on ``input`` in a floating dtype, computed at least in single precision."""
    reject(name, input, COMPLEX)
    (x,) = promote_floating(input)
    return to(of(widened(x)), x.dtype)


def _named(which: str) -> Callable[[Value], Value]:
    return lambda x: s.special_function(x, of=which)


def _exp(x: Any) -> Any:
    return functions["exp"](x)


# -- the error function -----------------------------------------------------------------------------------------------


@operator(
    {"input": lambda grad, input: (2.0 / ROOT_PI) * _exp(-(input * input)) * grad}, layout=POINTWISE, in_place=True
)
def erf(input: Tensor) -> Value:
    """The error function (2/√π) ∫₀ˣ e^(-t²) dt.

    >>> import flambeau as torch
    >>> torch.erf(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8427])
    """
    return _of_one("erf_vml_cpu", s.erf, input)


@operator(
    {"input": lambda grad, input: (-2.0 / ROOT_PI) * _exp(-(input * input)) * grad}, layout=POINTWISE, in_place=True
)
def erfc(input: Tensor) -> Value:
    """1 - erf(input), accurate where that is small.

    >>> import flambeau as torch
    >>> torch.erfc(torch.tensor([0.0, 1.0]))
    tensor([1.0000, 0.1573])
    """
    return _of_one("erfc_vml_cpu", s.erfc, input)


@operator(
    {"input": lambda grad, result: (0.5 * ROOT_PI) * _exp(result * result) * grad}, layout=POINTWISE, in_place=True
)
def erfinv(input: Tensor) -> Value:
    """The inverse of :func:`erf`, by Halley's method from Winitzki's guess (2008).

    >>> import flambeau as torch
    >>> torch.erfinv(torch.tensor([0.0, 0.5]))
    tensor([0.0000, 0.4769])
    """
    return _of_one("erfinv_vml_cpu", _named("erf_inverse"), input)


@operator(
    {"input": lambda grad, input, result: (2.0 * input * result - 2.0 / ROOT_PI) * grad},
    layout=POINTWISE, function=False, method=False, name="special_erfcx",
)  # fmt: skip
def erfcx(input: Tensor) -> Value:
    """e^(input²)·erfc(input) (Shepherd & Laframboise 1981).

    >>> import flambeau as torch
    >>> torch.special.erfcx(torch.tensor([0.0, 10.0]))
    tensor([1.0000, 0.0561])
    """
    return _of_one("erfcx_cpu", _named("erfcx"), input)


@operator(
    {"input": lambda grad, input: grad * _exp(-0.5 * input * input) * (1.0 / math.sqrt(2.0 * math.pi))},
    layout=POINTWISE, function=False, method=False, name="special_ndtr", node="MulBackward1",
)  # fmt: skip
def ndtr(input: Tensor) -> Value:
    """The normal distribution function Φ.

    >>> import flambeau as torch
    >>> torch.special.ndtr(torch.tensor([0.0, 1.0]))
    tensor([0.5000, 0.8413])
    """
    return _of_one("ndtr_cpu", lambda x: 0.5 * s.erfc(x * -math.sqrt(0.5)), input)


@operator(
    {"input": lambda grad, result: grad * _exp(0.5 * result * result) * math.sqrt(2.0 * math.pi)},
    layout=POINTWISE, function=False, method=False, name="special_ndtri",
)  # fmt: skip
def ndtri(input: Tensor) -> Value:
    """The inverse of :func:`ndtr`.

    >>> import flambeau as torch
    >>> torch.special.ndtri(torch.tensor([0.5, 0.975]))
    tensor([0.0000, 1.9600])
    """
    return _of_one("ndtri_cpu", _named("normal_quantile"), input)


def _log_ndtr(x: Value) -> Value:
    low = p.log(s.special_function(x * -math.sqrt(0.5), of="erfcx") * 0.5) - x * x * 0.5
    return p.select(p.less(x, -1.0), low, p.log1p(s.erfc(x * math.sqrt(0.5)) * -0.5))


@operator(
    {"input": lambda grad, input: grad / erfcx(input * -math.sqrt(0.5)) * math.sqrt(2.0 / math.pi)},
    layout=POINTWISE, function=False, method=False, name="special_log_ndtr",
)  # fmt: skip
def log_ndtr(input: Tensor) -> Value:
    """log Φ(input), accurate far below zero.

    >>> import flambeau as torch
    >>> torch.special.log_ndtr(torch.tensor([-10.0, 0.0]))
    tensor([-53.2313,  -0.6931])
    """
    return _of_one("log_ndtr_cpu", _log_ndtr, input)


# -- entropies --------------------------------------------------------------------------------------------------------


def _entropy(x: Value) -> Value:
    inside = p.select(p.equal(x, 0.0), as_array(0.0, x.dtype), -x * p.log(x))
    return p.select(p.less(x, 0.0), as_array(-math.inf, x.dtype), inside)


@operator(
    {"input": lambda grad, input: grad * (-1 - functions["log"](input))},
    layout=POINTWISE, function=False, method=False, name="special_entr",
)  # fmt: skip
def entr(input: Tensor) -> Value:
    """-input·log(input); zero at zero, -∞ below.

    >>> import flambeau as torch
    >>> torch.special.entr(torch.tensor([0.0, 0.5]))
    tensor([0.0000, 0.3466])
    """
    return _of_one("entr_cpu", _entropy, input)


@operator(
    {
        "input": lambda grad, input, other: logarithm_gradient(grad, input, other, log1p, -1),
        "other": lambda grad, input, other: grad * input / (other + 1),
    },
    layout=POINTWISE, function=False, method=False, name="special_xlog1py", node="SpecialXlog1PyBackward0",
)  # fmt: skip
def xlog1py(input: Tensor | Number, other: Tensor | Number) -> Value:
    """input·log(1 + other), zero where ``input`` is; NaN where ``other`` is.

    >>> import flambeau as torch
    >>> torch.special.xlog1py(torch.tensor([0.0, 1.0]), torch.tensor([-1.0, 1.0]))
    tensor([0.0000, 0.6931])
    """
    return times_logarithm("xlog1py_cpu", input, other, p.log1p)


# -- the gamma function -----------------------------------------------------------------------------------------------


@operator({"input": lambda grad, input: grad * digamma(input)}, layout=POINTWISE, in_place=True)
def lgamma(input: Tensor) -> Value:
    """log |Γ(input)|, by Stirling's series and reflection.

    >>> import flambeau as torch
    >>> torch.lgamma(torch.tensor([1.0, 5.0]))
    tensor([0.0000, 3.1781])
    """
    return _of_one("lgamma_vml_cpu", _named("log_gamma"), input)


@operator({"input": lambda grad, input: grad * polygamma(1, input)}, layout=POINTWISE, in_place=True)
def digamma(input: Tensor) -> Value:
    """ψ = Γ'/Γ, the derivative of :func:`lgamma`.

    >>> import flambeau as torch
    >>> torch.digamma(torch.tensor([1.0, 2.0]))
    tensor([-0.5772,  0.4228])
    """
    return _of_one("digamma", _named("digamma"), input)


def _polygamma(n: int, x: Value) -> Value:
    if n == 0:
        return s.special_function(x, of="digamma")
    if n == 1:
        return s.special_function(x, of="trigamma")
    sign = 1.0 if n % 2 else -1.0
    try:
        factorial = float(math.factorial(n))
    except OverflowError:
        factorial = math.inf
    return s.hurwitz_zeta(as_array(n + 1.0, x.dtype), x) * (sign * factorial)


@operator(
    {"input": lambda grad, input, n: grad * _polygamma_of(input, n + 1)},
    layout=POINTWISE, in_place=True, function=False, name="polygamma",
)  # fmt: skip
def _polygamma_of(input: Tensor, n: int) -> Value:
    """The n-th derivative of :func:`digamma`."""
    if n < 0:
        raise RuntimeError("polygamma(n, x) does not support negative n.")
    return _of_one("polygamma", lambda x: _polygamma(n, x), input)


def polygamma(n: int, input: Any, *, out: Any = None) -> Any:
    """The n-th derivative of :func:`digamma`, (-1)^(n+1) n! ζ(n + 1, input).

    >>> import flambeau as torch
    >>> torch.polygamma(1, torch.tensor([1.0]))
    tensor([1.6449])
    """
    return _polygamma_of(input, n) if out is None else _polygamma_of(input, n, out=out)


functions["polygamma"] = polygamma


def _mvlgamma_back(grad: Any, input: Any, p: int) -> Any:
    total = digamma(input)
    for j in range(1, p):
        total = total + digamma(input - 0.5 * j)
    return grad * total


@operator({"input": _mvlgamma_back}, in_place=True)
def mvlgamma(input: Tensor, p: int) -> Value:
    """The logarithm of the p-dimensional gamma function: p(p-1)/4·log π + Σⱼ log Γ(input - j/2), j < p.

    >>> import flambeau as torch
    >>> torch.mvlgamma(torch.tensor([2.0]), 2)
    tensor([0.4516])
    """
    if p < 1:
        raise RuntimeError("p has to be greater than or equal to 1")

    def total(x: Value) -> Value:
        result = s.special_function(x, of="log_gamma") + 0.25 * p * (p - 1) * math.log(math.pi)
        for j in range(1, p):
            result = result + s.special_function(x - 0.5 * j, of="log_gamma")
        return result

    return _of_one("mvlgamma_cpu", total, input)


def _gamma_density(grad: Any, input: Any, other: Any) -> Any:
    return grad * _exp((input - 1) * functions["log"](other) - other - lgamma(input))


def _both_floating(name: str, input: Value, other: Value) -> tuple[Value, Value]:
    x, y = promote(input, other)
    if x.category != FLOATING:
        reject(name, x, x.category)
    return x, y


@operator(
    {"input": no_derivative("igamma", "input"), "other": _gamma_density}, layout=POINTWISE, in_place=True
)
def igamma(input: Tensor, other: Tensor) -> Value:
    """The regularised lower incomplete gamma function P(input, other) (series; Temme 1979 for huge parameters).

    >>> import flambeau as torch
    >>> torch.igamma(torch.tensor([4.0]), torch.tensor([3.0]))
    tensor([0.3528])
    """
    a, x = _both_floating("igamma_cpu", input, other)
    return to(s.incomplete_gamma(widened(a), widened(x), upper=False), a.dtype)


@operator(
    {
        "input": no_derivative("igammac", "input"),
        "other": lambda grad, input, other: -_gamma_density(grad, input, other),
    },
    layout=POINTWISE, in_place=True,
)  # fmt: skip
def igammac(input: Tensor, other: Tensor) -> Value:
    """The regularised upper incomplete gamma function Q(input, other) = 1 - P, by a continued fraction.

    >>> import flambeau as torch
    >>> torch.igammac(torch.tensor([4.0]), torch.tensor([3.0]))
    tensor([0.6472])
    """
    a, x = _both_floating("igammac_cpu", input, other)
    return to(s.incomplete_gamma(widened(a), widened(x), upper=True), a.dtype)


@operator(
    {
        "input": no_derivative("zeta", "self"),
        "other": lambda grad, input, other: grad * -input * zeta(input + 1, other),
    },
    layout=POINTWISE, function=False, method=False, name="special_zeta",
)  # fmt: skip
def zeta(input: Tensor | Number, other: Tensor | Number) -> Value:
    """Hurwitz's ζ(input, other) = Σ (k + other)^-input, by Euler and Maclaurin's summation.

    >>> import flambeau as torch
    >>> torch.special.zeta(torch.tensor([2.0]), torch.tensor([1.0]))
    tensor([1.6449])
    """
    x, y, kind = _two_floating("zeta", input, other)
    return to(s.hurwitz_zeta(x, y), kind)


def _two_floating(name: str, input: Any, other: Any) -> tuple[Value, Value, Any]:
    needs_tensor("special_" + name.removesuffix("_cpu"), input, other)
    x, y = promote_floating(input, other)
    kind = next(each.dtype for each in (x, y) if isinstance(each, Value) and not each.is_number)
    x, y = as_array(x, kind), as_array(y, kind)
    reject(name, x, COMPLEX)
    return widened(x), widened(y), kind


# -- Bessel functions -------------------------------------------------------------------------------------------------


def _over(x: Any, value: Any, at_zero: float) -> Any:
    """value/x, ``at_zero`` where x is zero."""
    zero = x == 0
    return functions["where"](zero, at_zero, value / functions["where"](zero, 1.0, x))


@operator({"input": lambda grad, input: grad * i1(input)}, layout=POINTWISE, in_place=True)
def i0(input: Tensor) -> Value:
    """The modified Bessel function I₀ of the first kind, by Chebyshev series (Clenshaw 1962).

    >>> import flambeau as torch
    >>> torch.i0(torch.tensor([0.0, 1.0]))
    tensor([1.0000, 1.2661])
    """
    return _of_one("i0_cpu", _named("i0"), input)


@operator(
    {"input": lambda grad, input, result: grad * (i1e(input) - functions["sgn"](input) * result)},
    layout=POINTWISE, function=False, method=False, name="special_i0e", node="SpecialI0EBackward0",
)  # fmt: skip
def i0e(input: Tensor) -> Value:
    """e^-|input|·I₀(input)."""
    return _of_one("i0e_cpu", _named("i0e"), input)


@operator(
    {"input": lambda grad, input, result: grad * (i0(input) - _over(input, result, 0.5))},
    layout=POINTWISE, function=False, method=False, name="special_i1",
)  # fmt: skip
def i1(input: Tensor) -> Value:
    """The modified Bessel function I₁ of the first kind."""
    return _of_one("i1_cpu", _named("i1"), input)


@operator(
    {
        "input": lambda grad, input, result: grad
        * (i0e(input) - functions["sgn"](input) * result - _over(input, result, 0.5))
    },
    layout=POINTWISE, function=False, method=False, name="special_i1e", node="SpecialI1EBackward0",
)  # fmt: skip
def i1e(input: Tensor) -> Value:
    """e^-|input|·I₁(input)."""
    return _of_one("i1e_cpu", _named("i1e"), input)


def _plain(name: str, which: str, text: str) -> Any:
    """A special function of one variable that PyTorch does not differentiate."""

    def meaning(input: Tensor) -> Value:
        return _of_one(name + "_cpu", _named(which), input)

    meaning.__doc__ = text
    made = operator(layout=POINTWISE, function=False, method=False, name="special_" + name)(meaning)
    made.operator.outside_autograd = True
    return made


airy_ai = _plain("airy_ai", "airy", "The Airy function Ai.")
bessel_j0 = _plain("bessel_j0", "j0", "The Bessel function J₀ of the first kind; Hankel's expansion above 8.")
bessel_j1 = _plain("bessel_j1", "j1", "The Bessel function J₁ of the first kind.")
bessel_y0 = _plain("bessel_y0", "y0", "The Bessel function Y₀ of the second kind.")
bessel_y1 = _plain("bessel_y1", "y1", "The Bessel function Y₁ of the second kind.")
modified_bessel_i0 = _plain("modified_bessel_i0", "i0", "The modified Bessel function I₀ of the first kind.")
modified_bessel_i1 = _plain("modified_bessel_i1", "i1", "The modified Bessel function I₁ of the first kind.")
modified_bessel_k0 = _plain("modified_bessel_k0", "k0", "The modified Bessel function K₀ of the second kind.")
modified_bessel_k1 = _plain("modified_bessel_k1", "k1", "The modified Bessel function K₁ of the second kind.")
scaled_modified_bessel_k0 = _plain("scaled_modified_bessel_k0", "k0e", "e^input·K₀(input).")
scaled_modified_bessel_k1 = _plain("scaled_modified_bessel_k1", "k1e", "e^input·K₁(input).")
spherical_bessel_j0 = _plain("spherical_bessel_j0", "spherical_j0", "The spherical Bessel function j₀ = sin(x)/x.")


# -- orthogonal polynomials -------------------------------------------------------------------------------------------


def _polynomial(name: str, family: str, text: str) -> Any:
    def meaning(input: Tensor | Number, n: Tensor | Number) -> Value:
        x, degree, kind = _two_floating(name + "_cpu", input, n)
        return to(s.orthogonal_polynomial(x, degree, of=family), kind)

    meaning.__doc__ = text
    made = operator(layout=POINTWISE, function=False, method=False, name="special_" + name)(meaning)
    made.operator.outside_autograd = True
    return made


chebyshev_polynomial_t = _polynomial(
    "chebyshev_polynomial_t", "chebyshev_t", "Chebyshev's polynomial of the first kind, Tₙ(cos θ) = cos nθ."
)
chebyshev_polynomial_u = _polynomial(
    "chebyshev_polynomial_u", "chebyshev_u", "Chebyshev's polynomial of the second kind, Uₙ(cos θ) = sin((n+1)θ)/sin θ."
)
chebyshev_polynomial_v = _polynomial(
    "chebyshev_polynomial_v", "chebyshev_v", "Chebyshev's polynomial of the third kind, cos((n+½)θ)/cos(θ/2)."
)
chebyshev_polynomial_w = _polynomial(
    "chebyshev_polynomial_w", "chebyshev_w", "Chebyshev's polynomial of the fourth kind, sin((n+½)θ)/sin(θ/2)."
)
shifted_chebyshev_polynomial_t = _polynomial(
    "shifted_chebyshev_polynomial_t", "shifted_chebyshev_t", "Tₙ(2·input - 1), orthogonal on [0, 1]."
)
shifted_chebyshev_polynomial_u = _polynomial(
    "shifted_chebyshev_polynomial_u", "shifted_chebyshev_u", "Uₙ(2·input - 1), orthogonal on [0, 1]."
)
shifted_chebyshev_polynomial_v = _polynomial(
    "shifted_chebyshev_polynomial_v", "shifted_chebyshev_v", "Vₙ(2·input - 1), orthogonal on [0, 1]."
)
shifted_chebyshev_polynomial_w = _polynomial(
    "shifted_chebyshev_polynomial_w", "shifted_chebyshev_w", "Wₙ(2·input - 1), orthogonal on [0, 1]."
)
hermite_polynomial_h = _polynomial("hermite_polynomial_h", "hermite_h", "The physicists' Hermite polynomial Hₙ.")
hermite_polynomial_he = _polynomial("hermite_polynomial_he", "hermite_he", "The probabilists' Hermite polynomial Heₙ.")
laguerre_polynomial_l = _polynomial("laguerre_polynomial_l", "laguerre_l", "Laguerre's polynomial Lₙ.")
legendre_polynomial_p = _polynomial("legendre_polynomial_p", "legendre_p", "Legendre's polynomial Pₙ.")
