"""Special functions in double precision: the error function, Γ, Bessel and Airy, the orthogonal polynomials.

Imported when one is first computed. Smooth pieces are Chebyshev series
(:mod:`special_function_tables`) summed by Clenshaw's recurrence; the rest are the formulas their comments name.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import special_function_tables as tables

Array = Any
_ROOT_PI = math.sqrt(math.pi)


def _series(coefficients: Sequence[float], x: Array, low: float, high: float) -> Array:
    """Σ cₖ Tₖ(t), with t running from -1 to 1 as x runs from ``low`` to ``high`` (Clenshaw 1955)."""
    t = (2.0 * x - (low + high)) / (high - low)
    later = latest = np.zeros_like(t)
    for c in reversed(coefficients[1:]):
        later, latest = c + 2.0 * t * later - latest, later
    return coefficients[0] + t * later - latest


def _by_cases(x: Array, *cases: tuple[Array, Callable[[Array], Array]]) -> Array:
    """Each case's function where its condition is the first to hold; NaN where none does."""
    result = np.full(x.shape, np.nan)
    left = ~np.isnan(x)
    for condition, function in cases:
        here = left & condition
        if here.any():
            result[here] = function(x[here])
            left &= ~here
    return result


# -- the error function -----------------------------------------------------------------------------------------------


def _scaled_complement(x: Array) -> Array:
    """e^(x²) erfc(x) for x ≥ 0, after Shepherd & Laframboise 1981."""
    t = np.where(np.isinf(x), 1.0, (x - 3.75) / (x + 3.75))
    return _series(tables.ERFCX, t, -1.0, 1.0) / (1.0 + 2.0 * x)


def _exp_of_square(x: Array, sign: float) -> Array:
    """e^(±x²), the rounding error of x² made good."""
    head = x.astype(np.float32).astype(np.float64)
    result = np.exp(sign * head * head) * np.exp(sign * (x - head) * (x + head))
    return np.where(np.abs(x) > 40.0, 0.0 if sign < 0 else np.inf, result)


def erf(x: Array) -> Array:
    """2/√π ∫₀ˣ exp(−t²) dt."""
    return _by_cases(
        x,
        (np.abs(x) <= 1.0, lambda x: x * _series(tables.ERF_SMALL, x * x, 0.0, 1.0)),
        (np.abs(x) > 6.0, np.sign),
        (x == x, lambda x: np.sign(x) * (1.0 - _scaled_complement(np.abs(x)) * _exp_of_square(x, -1.0))),
    )


def erfc(x: Array) -> Array:
    """1 − erf(x), without cancellation."""
    return _by_cases(
        x,
        (np.abs(x) <= 0.5, lambda x: 1.0 - x * _series(tables.ERF_SMALL, x * x, 0.0, 1.0)),
        (x > 0.0, lambda x: _scaled_complement(x) * _exp_of_square(x, -1.0)),
        (x == x, lambda x: 2.0 - _scaled_complement(-x) * _exp_of_square(x, -1.0)),
    )


def _erfcx(x: Array) -> Array:
    return _by_cases(
        x,
        (x >= 0.0, _scaled_complement),
        (x == x, lambda x: 2.0 * _exp_of_square(x, 1.0) - _scaled_complement(-x)),
    )


def _inverse_guess(log_product: Array) -> Array:
    """|erf⁻¹(y)| to three digits from log(1 - y²) (Winitzki 2008)."""
    half = 2.0 / (math.pi * 0.147) + log_product / 2.0
    return np.sqrt(np.maximum(np.sqrt(half * half - log_product / 0.147) - half, 0.0))


def _inverse_erfc(q: Array) -> Array:
    """x ≥ 0 with erfc(x) = q, for 0 < q ≤ 1, refined by Halley's method."""
    x = _inverse_guess(np.log(q) + np.log(2.0 - q))
    for _ in range(3):
        step = (_scaled_complement(x) - q * _exp_of_square(x, 1.0)) * (_ROOT_PI / 2.0)
        x = x + step / (1.0 - x * step)
    return x


def _inverse_erf_small(y: Array) -> Array:
    x = np.sign(y) * _inverse_guess(np.log1p(-y * y))
    for _ in range(2):
        step = (erf(x) - y) * np.exp(x * x) * (_ROOT_PI / 2.0)
        x = x - step / (1.0 + x * step)
    return np.where(np.abs(y) < 1e-9, y * (_ROOT_PI / 2.0), x)


def _erf_inverse(y: Array) -> Array:
    return _by_cases(
        y,
        (np.abs(y) <= 0.5, _inverse_erf_small),
        (np.abs(y) < 1.0, lambda y: np.sign(y) * _inverse_erfc(1.0 - np.abs(y))),
        (np.abs(y) == 1.0, lambda y: y * np.inf),
    )


def _normal_quantile(q: Array) -> Array:
    """x with Φ(x) = q: -√2 erfc⁻¹(2q)."""
    root_2 = math.sqrt(2.0)
    return _by_cases(
        q,
        (q == 0.0, lambda q: np.full(q.shape, -np.inf)),
        (q == 1.0, lambda q: np.full(q.shape, np.inf)),
        ((q > 0.25) & (q < 0.75), lambda q: root_2 * _inverse_erf_small(2.0 * q - 1.0)),
        ((q > 0.0) & (q < 0.5), lambda q: -root_2 * _inverse_erfc(2.0 * q)),
        ((q > 0.0) & (q < 1.0), lambda q: root_2 * _inverse_erfc(2.0 * (1.0 - q))),
    )


# -- the gamma function -----------------------------------------------------------------------------------------------

#: B₂ₖ/(2k(2k - 1)), the coefficients of Stirling's series.
STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156, -3617 / 122400)
#: B₂ₖ/(2k), those of its derivative.
DIGAMMA = (1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12, -3617 / 8160)
#: B₂ₖ
BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798, -174611 / 330)


def _polynomial(coefficients: Sequence[float], x: Array) -> Array:
    result = np.full_like(x, coefficients[-1])
    for c in reversed(coefficients[:-1]):
        result = result * x + c
    return result


def _stirling_rest(x: Array) -> Array:
    """log Γ(x) - (x - ½) log x + x - ½ log 2π, for x ≥ 10."""
    return _polynomial(STIRLING, 1.0 / (x * x)) / x


def _stirling(x: Array) -> Array:
    huge = x > 1e305
    result = (x - 0.5) * np.log(x) - x + 0.5 * math.log(2.0 * math.pi) + _stirling_rest(x)
    return np.where(huge, np.where(np.isinf(x), np.inf, x * (np.log(x) - 1.0)), result)


def _log_gamma_shifted(x: Array) -> Array:
    """By log Γ(x) = log Γ(x + n) - log(x(x + 1)…(x + n - 1)), for 3 ≤ x ≤ 10."""
    product, high = np.ones_like(x), x.copy()
    for _ in range(7):
        low = high < 10.0
        product = np.where(low, product * high, product)
        high = np.where(low, high + 1.0, high)
    return _stirling(high) - np.log(product)


def _log_gamma_near_two(x: Array) -> Array:
    return (x - 1.0) * (x - 2.0) * _series(tables.LOG_GAMMA_NEAR_TWO, x, 1.0, 3.0) + 0.0  # no -0.0


def _log_gamma_reflected(x: Array) -> Array:
    """By Γ(x) Γ(1 - x) = π/sin(πx), for x < 0."""
    sine = np.abs(np.sin(math.pi * (x - np.round(x))))
    return np.where(sine == 0.0, np.inf, math.log(math.pi) - np.log(sine) - _log_gamma(1.0 - x))


def _log_gamma(x: Array) -> Array:
    return _by_cases(
        x,
        (np.isinf(x), np.abs),
        (x >= 10.0, _stirling),
        (x >= 3.0, _log_gamma_shifted),
        (x >= 1.0, _log_gamma_near_two),
        (x >= 0.0, lambda x: _log_gamma_near_two(x + 1.0) - np.log(x)),
        (x < 0.0, _log_gamma_reflected),
    )


def _digamma_positive(x: Array) -> Array:
    """Upwards by ψ(x) = ψ(x + 1) - 1/x, then the asymptotic series."""
    total, high = np.zeros_like(x), x.copy()
    for _ in range(10):
        low = high < 10.0
        total = np.where(low, total - 1.0 / high, total)
        high = np.where(low, high + 1.0, high)
    inverse_square = 1.0 / (high * high)
    return total + np.log(high) - 0.5 / high - inverse_square * _polynomial(DIGAMMA, inverse_square)


def _digamma_reflected(x: Array) -> Array:
    """By ψ(1 - x) - ψ(x) = π cot(πx)."""
    part = x - np.round(x)
    cotangent = math.pi / np.tan(math.pi * part)
    return np.where(part == 0.0, np.nan, _digamma_positive(1.0 - x) - cotangent)


def _digamma(x: Array) -> Array:
    return _by_cases(
        x,
        (x == 0.0, lambda x: np.copysign(np.inf, -x)),
        (x == np.inf, lambda x: x),
        (x > 0.0, _digamma_positive),
        (x > -np.inf, _digamma_reflected),
    )


def _trigamma(x: Array) -> Array:
    """ψ'(x) = ζ(2, x); below ½ by ψ'(x) + ψ'(1 - x) = π²/sin²(πx)."""

    def reflected(x: Array) -> Array:
        sine = np.sin(math.pi * (x - np.round(x)))
        return (math.pi / sine) ** 2 - hurwitz_zeta(np.full_like(x, 2.0), 1.0 - x)

    return _by_cases(
        x, (x == np.inf, lambda x: 0.0 * np.ones_like(x)), (x >= 0.5, lambda x: hurwitz_zeta(np.full_like(x, 2.0), x)),
        (x > -np.inf, reflected),
    )  # fmt: skip


def hurwitz_zeta(s: Array, q: Array) -> Array:
    """Hurwitz's ζ(s, q) = Σ (q + k)^-s by Euler and Maclaurin's summation."""
    s, q = np.broadcast_arrays(s, q)
    total, at = np.zeros(s.shape), q.astype(np.float64)
    whole = np.floor(s) == s
    wrong = np.isnan(s) | np.isnan(q) | (s < 1.0) | ((q < 0.0) & (q != np.floor(q)) & ~whole)
    infinite = (s == 1.0) | ((q <= 0.0) & (q == np.floor(q)))
    good = ~wrong & ~infinite & ~np.isinf(q)
    at = np.where(good, at, 1.0)
    power = np.where(good, s, 2.0)
    steps = 0
    while steps < 12 or (steps < 100_000 and np.any(at < 9.0)):
        more = (at < 9.0) if steps >= 12 else np.ones(at.shape, bool)
        total = np.where(more, total + at**-power, total)
        at = np.where(more, at + 1.0, at)
        steps += 1
    last = at**-power
    total = total + last * at / (power - 1.0) + 0.5 * last
    factor, factorial = power / at * last, 2.0
    for k, bernoulli in enumerate(BERNOULLI):
        total = total + bernoulli / factorial * factor
        factor = factor * ((power + (2 * k + 1)) / at) * ((power + (2 * k + 2)) / at)
        factorial *= (2 * k + 3) * (2 * k + 4)
    return np.where(wrong, np.nan, np.where(infinite, np.inf, np.where(np.isinf(q), 0.0, total)))


def _power_over_gamma(a: Array, x: Array) -> Array:
    """x^a e^-x/Γ(a + 1), without the cancellation of large exponents."""
    near = (a >= 10.0) & (np.abs(x - a) < 0.4 * a)
    safe = np.where(a > 0.0, a, 1.0)
    away = np.exp(a * np.log(x) - x - _log_gamma(a + 1.0))
    mu = np.where(near, (x - a) / safe, 0.0)
    shape = np.where(np.abs(mu) < 0.02, _mu_minus_log(mu), mu - np.log1p(mu))
    close = np.exp(-a * shape - _stirling_rest(np.maximum(a, 10.0))) / np.sqrt(2.0 * math.pi * safe)
    return np.where(near, close, away)


def _mu_minus_log(mu: Array) -> Array:
    """μ - log(1 + μ) for small μ, by its series."""
    return mu * mu * _polynomial([(-1.0) ** k / (k + 2) for k in range(10)], mu)


def _lower_series(a: Array, x: Array) -> Array:
    """P(a, x) = x^a e^-x/Γ(a + 1) Σ xⁿ/((a + 1)…(a + n))."""
    total, term, at = np.ones_like(x), np.ones_like(x), a.copy()
    for _ in range(20_000):
        at = at + 1.0
        term = term * (x / at)
        total = total + term
        if not np.any(term > 1e-17 * total):
            break
    return total * _power_over_gamma(a, x)


def _upper_fraction(a: Array, x: Array) -> Array:
    """Q(a, x) by Legendre's continued fraction, evaluated by Lentz's method as Thompson & Barnett 1986 modified it."""
    b = x + 1.0 - a
    tiny = 1e-300
    c = np.full_like(x, 1.0 / tiny)
    d = 1.0 / np.where(b == 0.0, tiny, b)
    h = d
    for k in range(1, 20_000):
        numerator = -k * (k - a)
        b = b + 2.0
        d = numerator * d + b
        d = 1.0 / np.where(np.abs(d) < tiny, tiny, d)
        c = b + numerator / c
        c = np.where(np.abs(c) < tiny, tiny, c)
        change = d * c
        h = h * change
        if not np.any(np.abs(change - 1.0) > 4e-16):
            break
    return h * _power_over_gamma(a, x) * a


def _upper_small(a: Array, x: Array) -> Array:
    """Q(a, x) for small x, where 1 - P would cancel."""
    total, term = np.zeros_like(x), np.ones_like(x)
    for k in range(1, 60):
        term = term * (-x / k)
        total = total + term / (a + k)
    head = -np.expm1(a * np.log(x) - _log_gamma(a + 1.0))
    return head - a * np.exp(a * np.log(x) - _log_gamma(a + 1.0)) * total


def _large_parameter(a: Array, x: Array, sign: float) -> Array:
    """P (sign -1) or Q (sign 1) for a > 10⁶ by Temme's uniform expansion (1979)."""
    mu = (x - a) / a
    eta = np.sign(mu) * np.sqrt(2.0 * np.where(np.abs(mu) < 0.02, _mu_minus_log(mu), mu - np.log1p(mu)))
    c0 = _polynomial((-1 / 3, 1 / 12, -2 / 135, 1 / 864), eta)
    c1 = _polynomial((-1 / 540, -1 / 288), eta)
    rest = np.exp(-0.5 * a * eta * eta) / np.sqrt(2.0 * math.pi * a) * (c0 + c1 / a)
    return np.clip(0.5 * erfc(sign * eta * np.sqrt(a / 2.0)) + sign * rest, 0.0, 1.0)


def incomplete_gamma(a: Array, x: Array, upper: bool) -> Array:
    """The regularized incomplete gamma function P(a, x), or Q(a, x) when ``upper``."""
    a, x = (np.ascontiguousarray(each) for each in np.broadcast_arrays(a, x))
    result = np.full(a.shape, np.nan)
    left = ~(np.isnan(a) | np.isnan(x) | (a < 0.0) | (x < 0.0))

    def settle(condition: Array, function: Callable[[Array, Array], Any]) -> None:
        here = left & condition
        if here.any():
            result[here] = function(a[here], x[here])
            left[here] = False

    zero, one = (1.0, 0.0) if upper else (0.0, 1.0)  # the values at x = 0 and x = ∞
    settle((a == 0.0) & (x == 0.0), lambda a, x: np.nan)
    settle(a == 0.0, lambda a, x: one)
    settle(x == 0.0, lambda a, x: zero)
    settle(np.isinf(a) & np.isinf(x), lambda a, x: np.nan)
    settle(np.isinf(a), lambda a, x: zero)
    settle(np.isinf(x), lambda a, x: one)
    settle(a > 1e6, lambda a, x: _large_parameter(a, x, 1.0 if upper else -1.0))
    if upper:
        settle((x <= 1.1) & (a <= x + 0.5), _upper_small)
    settle((x > 1.0) & (x > a), lambda a, x: _upper_fraction(a, x) if upper else 1.0 - _upper_fraction(a, x))
    settle(left, lambda a, x: 1.0 - _lower_series(a, x) if upper else _lower_series(a, x))
    return result


# -- Bessel functions -------------------------------------------------------------------------------------------------


def _i0e(x: Array) -> Array:
    x = np.abs(x)
    return _by_cases(
        x,
        (x <= 8.0, lambda x: _series(tables.I0_SMALL, x, 0.0, 8.0)),
        (x > 8.0, lambda x: _series(tables.I0_LARGE, 8.0 / x, 0.0, 1.0) / np.sqrt(x)),
    )


def _i1e(x: Array) -> Array:
    size = np.abs(x)
    return np.copysign(1.0, x) * _by_cases(
        size,
        (size <= 8.0, lambda x: x * _series(tables.I1_SMALL, x, 0.0, 8.0)),
        (size > 8.0, lambda x: _series(tables.I1_LARGE, 8.0 / x, 0.0, 1.0) / np.sqrt(x)),
    )


def _unscaled(scaled: Callable[[Array], Array], sign: float) -> Callable[[Array], Array]:
    """e^(±|x|) f(x), in two factors so that it overflows no sooner than it must."""

    def function(x: Array) -> Array:
        half = np.exp(sign * 0.5 * np.abs(x))
        return np.where(np.isinf(x), np.where(sign > 0, np.copysign(np.inf, scaled(x)), 0.0), scaled(x) * half * half)

    return function


def _hankel(order: int, x: Array, second: bool) -> Array:
    """J or Y for x ≥ 8 from P and Q: √(2/πx)(P cos χ - Q sin χ), χ = x - (order + ½)π/2 (Hankel 1869)."""
    u = 64.0 / (x * x)
    p = _series(tables.HANKEL_P1 if order else tables.HANKEL_P0, u, 0.0, 1.0)
    q = _series(tables.HANKEL_Q1 if order else tables.HANKEL_Q0, u, 0.0, 1.0) * (8.0 / x)
    sine, cosine = np.sin(x), np.cos(x)
    along, across = (sine - cosine, -sine - cosine) if order else (cosine + sine, sine - cosine)
    wave = p * across + q * along if second else p * along - q * across
    return np.where(np.isinf(x), 0.0, wave / np.sqrt(math.pi * x))


def _j0(x: Array) -> Array:
    x = np.abs(x)
    return _by_cases(
        x, (x <= 8.0, lambda x: _series(tables.J0_SMALL, x * x, 0.0, 64.0)), (x > 8.0, lambda x: _hankel(0, x, False))
    )


def _j1(x: Array) -> Array:
    size = np.abs(x)
    return np.copysign(1.0, x) * _by_cases(
        size,
        (size <= 8.0, lambda x: x * _series(tables.J1_SMALL, x * x, 0.0, 64.0)),
        (size > 8.0, lambda x: _hankel(1, x, False)),
    )


def _y0(x: Array) -> Array:
    def small(x: Array) -> Array:
        return _series(tables.Y0_SMALL, x * x, 0.0, 64.0) + 2.0 / math.pi * np.log(x) * _j0(x)

    return _by_cases(
        x, (x == 0.0, lambda x: np.full(x.shape, -np.inf)), (x < 0.0, lambda x: np.full(x.shape, np.nan)),
        (x <= 8.0, small), (x > 8.0, lambda x: _hankel(0, x, True)),
    )  # fmt: skip


def _y1(x: Array) -> Array:
    def small(x: Array) -> Array:
        return x * _series(tables.Y1_SMALL, x * x, 0.0, 64.0) + 2.0 / math.pi * (np.log(x) * _j1(x) - 1.0 / x)

    return _by_cases(
        x, (x == 0.0, lambda x: np.full(x.shape, -np.inf)), (x < 0.0, lambda x: np.full(x.shape, np.nan)),
        (x <= 8.0, small), (x > 8.0, lambda x: _hankel(1, x, True)),
    )  # fmt: skip


def _k0e(x: Array) -> Array:
    def small(x: Array) -> Array:
        plain = _series(tables.K0_SMALL, x * x, 0.0, 4.0) - np.log(0.5 * x) * _i0e(x) * np.exp(x)
        return plain * np.exp(x)

    return _by_cases(
        x, (x == 0.0, lambda x: np.full(x.shape, np.inf)), (x < 0.0, lambda x: np.full(x.shape, np.nan)),
        (x <= 2.0, small), (x > 2.0, lambda x: _series(tables.K0_LARGE, 2.0 / x, 0.0, 1.0) / np.sqrt(x)),
    )  # fmt: skip


def _k1e(x: Array) -> Array:
    def small(x: Array) -> Array:
        plain = _series(tables.K1_SMALL, x * x, 0.0, 4.0) / x + np.log(0.5 * x) * _i1e(x) * np.exp(x)
        return plain * np.exp(x)

    return _by_cases(
        x, (x == 0.0, lambda x: np.full(x.shape, np.inf)), (x < 0.0, lambda x: np.full(x.shape, np.nan)),
        (x <= 2.0, small), (x > 2.0, lambda x: _series(tables.K1_LARGE, 2.0 / x, 0.0, 1.0) / np.sqrt(x)),
    )  # fmt: skip


def _spherical_j0(x: Array) -> Array:
    safe = np.where(x == 0.0, 1.0, x)
    return np.where(np.isinf(x), 0.0, np.where(x == 0.0, 1.0, np.sin(x) / safe))


def _airy(x: Array) -> Array:
    def positive(x: Array) -> Array:
        zeta = 2.0 / 3.0 * x * np.sqrt(x)
        shape = _series(tables.AIRY_POSITIVE, 4.0 / 3.0 * math.sqrt(2.0) / zeta, 0.0, 1.0)
        return shape * np.exp(-zeta) / (2.0 * _ROOT_PI * np.sqrt(np.sqrt(x)))

    def negative(x: Array) -> Array:
        x = -x
        zeta = 2.0 / 3.0 * x * np.sqrt(x)
        inverse = 2.0 / 3.0 * 6.0 * math.sqrt(6.0) / zeta
        p = _series(tables.AIRY_NEGATIVE_P, inverse * inverse, 0.0, 1.0)
        q = _series(tables.AIRY_NEGATIVE_Q, inverse * inverse, 0.0, 1.0) * inverse
        angle = zeta - math.pi / 4.0
        return (p * np.cos(angle) + q * np.sin(angle)) / (_ROOT_PI * np.sqrt(np.sqrt(x)))

    return _by_cases(
        x, (np.isinf(x), lambda x: np.full(x.shape, np.nan)), (x > 103.892, lambda x: np.zeros(x.shape)),
        (x > 2.0, positive), (x >= -6.0, lambda x: _series(tables.AIRY_MIDDLE, x, -6.0, 2.0)), (x < -6.0, negative),
    )  # fmt: skip


# -- orthogonal polynomials -------------------------------------------------------------------------------------------

#: family: (the polynomial of degree 1, the next from (degree k, x, this, previous)).
_RECURRENCES: dict[str, tuple[Callable[..., Array], Callable[..., Array]]] = {
    "chebyshev_t": (lambda x: x, lambda k, x, p, q: 2.0 * x * p - q),
    "chebyshev_u": (lambda x: 2.0 * x, lambda k, x, p, q: 2.0 * x * p - q),
    "chebyshev_v": (lambda x: 2.0 * x - 1.0, lambda k, x, p, q: 2.0 * x * p - q),
    "chebyshev_w": (lambda x: 2.0 * x + 1.0, lambda k, x, p, q: 2.0 * x * p - q),
    "hermite_h": (lambda x: 2.0 * x, lambda k, x, p, q: 2.0 * x * p - 2.0 * k * q),
    "hermite_he": (lambda x: x, lambda k, x, p, q: x * p - k * q),
    "laguerre_l": (lambda x: 1.0 - x, lambda k, x, p, q: ((2 * k + 1 - x) * p - k * q) / (k + 1)),
    "legendre_p": (lambda x: x, lambda k, x, p, q: ((2 * k + 1) * x * p - k * q) / (k + 1)),
}

#: family: the polynomial of degree n at x = cos θ.
_BY_ANGLE: dict[str, Callable[[Array, Array], Array]] = {
    "chebyshev_t": lambda n, t: np.cos(n * t),
    "chebyshev_u": lambda n, t: np.sin((n + 1) * t) / np.sin(t),
    "chebyshev_v": lambda n, t: np.cos((n + 0.5) * t) / np.cos(0.5 * t),
    "chebyshev_w": lambda n, t: np.sin((n + 0.5) * t) / np.sin(0.5 * t),
}
_DEGREES_BY_RECURRENCE = 100_000


def orthogonal_polynomial(x: Array, n: Array, family: str) -> Array:
    """The polynomial of degree ⌊n⌋ of a family, at x."""
    x, n = np.broadcast_arrays(x, n)
    if family.startswith("shifted_"):
        return orthogonal_polynomial(2.0 * x - 1.0, n, family.removeprefix("shifted_"))
    degrees = np.trunc(np.where(np.isnan(n), -1.0, n))
    first, following = _RECURRENCES[family]
    result = np.where(degrees == 0, 1.0, np.where(degrees == 1, first(x), 0.0))
    by_angle = np.zeros(x.shape, bool)
    if family in _BY_ANGLE:
        by_angle = (degrees > 6) & (np.abs(x) < 1.0)
        if by_angle.any():
            result[by_angle] = _BY_ANGLE[family](degrees[by_angle], np.arccos(x[by_angle]))
    wanted = degrees[~by_angle & (degrees > 1)]
    previous, this = np.ones(x.shape), first(x)
    for k in range(1, int(min(wanted.max(initial=0), _DEGREES_BY_RECURRENCE))):
        previous, this = this, following(k, x, this, previous)
        result = np.where((degrees == k + 1) & ~by_angle, this, result)
    return result


#: Functions of one variable, by the names the primitive `special_function` takes.
ONE_VARIABLE: dict[str, Callable[[Array], Array]] = {
    "erfcx": _erfcx, "erf_inverse": _erf_inverse, "normal_quantile": _normal_quantile,
    "log_gamma": _log_gamma, "digamma": _digamma, "trigamma": _trigamma,
    "i0": _unscaled(_i0e, 1.0), "i0e": _i0e, "i1": _unscaled(_i1e, 1.0), "i1e": _i1e,
    "j0": _j0, "j1": _j1, "y0": _y0, "y1": _y1,
    "k0": _unscaled(_k0e, -1.0), "k0e": _k0e, "k1": _unscaled(_k1e, -1.0), "k1e": _k1e,
    "spherical_j0": _spherical_j0, "airy": _airy,
}  # fmt: skip
