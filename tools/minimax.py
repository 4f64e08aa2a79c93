"""Minimax polynomials for src/flambeau/native/mathematics: Remez exchange in 60 digits, each coefficient rounded in turn.

Usage: ``python tools/minimax.py [name ...]`` prints the coefficients, lowest power first, and the largest weighted error.
After a coefficient is rounded to the target format it is kept and the others are fitted anew, so rounding costs little
(on one side of 0; around 0 all are rounded at once).
Needs mpmath. Reference: Remez 1934; Brisebarre and Chevillard 2007 on rounding coefficients.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable
from typing import Any

import mpmath
from mpmath import mpf

mpmath.mp.dps = 60
Function = Callable[[Any], Any]


def _fit(f: Function, weight: Function, low: Any, high: Any, powers: list[int]) -> tuple[list[Any], Any]:
    """The c minimising max |f(x) - Σ cₖ x^powers[k]|·weight(x) on [low, high], by exchange of extrema on a fine grid."""
    n = len(powers)
    middle, half = (low + high) / 2, (high - low) / 2
    grid = [middle - half * mpmath.cos(mpmath.pi * k / (40 * n)) for k in range(40 * n + 1)]
    values, weights = [f(x) for x in grid], [weight(x) for x in grid]
    rows = [[x**p for p in powers] for x in grid]
    chosen = [round(40 * n * k / n) for k in range(n + 1)]
    for _ in range(12):
        matrix = mpmath.matrix(n + 1, n + 1)
        right = mpmath.matrix(n + 1, 1)
        for i, k in enumerate(chosen):
            for j in range(n):
                matrix[i, j] = rows[k][j] * weights[k]
            matrix[i, n] = (-1) ** i
            right[i] = values[k] * weights[k]
        solution = mpmath.lu_solve(matrix, right)
        c = [solution[j] for j in range(n)]
        errors = [(v - mpmath.fdot(c, row)) * w for v, row, w in zip(values, rows, weights)]
        peaks: list[int] = []
        for k, error in enumerate(errors):
            if peaks and (errors[peaks[-1]] > 0) == (error > 0):
                if abs(error) > abs(errors[peaks[-1]]):
                    peaks[-1] = k
            else:
                peaks.append(k)
        while len(peaks) > n + 1:
            peaks.pop(0 if abs(errors[peaks[0]]) < abs(errors[peaks[-1]]) else -1)
        if len(peaks) < n + 1 or peaks == chosen:
            break
        chosen = peaks
    return c, max(map(abs, errors))


def minimax(f: Function, weight: Function, low: Any, high: Any, powers: list[int], kind: str) -> tuple[list[float], Any]:
    """Rounded coefficients (``kind``: "f" or "d") and the largest weighted error they leave."""
    low, high = mpf(low), mpf(high)
    fixed: list[float] = []

    def left(x: Any) -> Any:
        return f(x) - sum(mpf(c) * x**p for c, p in zip(fixed, powers))

    if low < 0 < high:  # the powers from 1 on do not span what they must around 0: round all at once
        c, _ = _fit(f, weight, low, high, powers)
        fixed = [struct.unpack(kind, struct.pack(kind, float(each)))[0] for each in c]
    for k in range(len(fixed), len(powers)):
        c, _ = _fit(left, weight, low, high, powers[k:])
        fixed.append(struct.unpack(kind, struct.pack(kind, float(c[0])))[0])
    grid = [low + (high - low) * k / 1000 for k in range(1001)]
    return fixed, max(abs(left(x) * weight(x)) for x in grid)


def _series(function: Function, order: int, terms: int = 24) -> Function:
    """``function`` by its Taylor series near 0 from ``order`` on, divided by x^order; exact formula elsewhere."""
    coefficients = mpmath.taylor(function, 0, order + terms)

    def quotient(x: Any) -> Any:
        if abs(x) < mpf("0.02"):
            return sum(c * x**k for k, c in enumerate(coefficients[order:]))
        return (function(x) - sum(c * x**k for k, c in enumerate(coefficients[:order]))) / x**order

    return quotient


def _even(function: Function, order: int) -> Function:
    """t ↦ the quotient above at √t."""
    quotient = _series(function, order, 40)
    return lambda t: quotient(mpmath.sqrt(abs(t)))


_half_log2 = mpmath.log(2) / 2 * mpf("1.0001")
_low, _high = mpmath.sqrt(0.5) - 1, mpmath.sqrt(2) - 1
_s2 = (_high / (2 + _high)) ** 2 * mpf("1.0001")
_quarter = mpmath.pi / 4 * mpf("1.0001")


def _safe(x: Any) -> Any:
    return x if x else mpf("1e-30")


def _scaled_erfc(t: Any) -> Any:
    """((x + 2)·e^(x²)·erfc(x) - 1/√π)/(1 - t) at t = (x - 2)/(x + 2)."""
    x = 2 * (1 + t) / (1 - t)
    return ((x + 2) * mpmath.exp(x * x) * mpmath.erfc(x) - 1 / mpmath.sqrt(mpmath.pi)) / (1 - t)


#: name: (function, weight, low, high, number of terms, format)
APPROXIMATIONS: dict[str, tuple[Function, Function, Any, Any, int, str]] = {
    "exp float": (_series(mpmath.exp, 2), lambda r: abs(r) + mpf("1e-3"), -_half_log2, _half_log2, 5, "f"),
    "expm1 float": (_series(mpmath.exp, 2), lambda r: abs(r) + mpf("1e-3"), -_half_log2, _half_log2, 6, "f"),
    "exp double": (_series(mpmath.exp, 2), lambda r: abs(r) + mpf("1e-3"), -_half_log2, _half_log2, 11, "d"),
    "log float": (_series(mpmath.log1p, 3), lambda f: f**2 + mpf("1e-6"), _low, _high, 9, "f"),
    "log double": (_even(lambda s: mpmath.log((1 + s) / (1 - s)), 3), lambda t: t + mpf("1e-6"), 0, _s2, 8, "d"),
    "log2 in double for float": (
        lambda f: mpmath.log1p(f) / f / mpmath.log(2) if f else 1 / mpmath.log(2), lambda f: 1, _low, _high, 16, "d",
    ),
    "exp2 in double for float": (lambda r: mpf(2) ** r, lambda r: 1, -0.5, 0.5, 8, "d"),
    "sin float": (_even(mpmath.sin, 3), lambda t: t + mpf("1e-6"), 0, _quarter**2, 3, "f"),
    "cos float": (_even(mpmath.cos, 4), lambda t: t**2 + mpf("1e-6"), 0, _quarter**2, 3, "f"),
    "sin double": (_even(mpmath.sin, 3), lambda t: t + mpf("1e-9"), 0, _quarter**2, 6, "d"),
    "cos double": (_even(mpmath.cos, 4), lambda t: t**2 + mpf("1e-9"), 0, _quarter**2, 6, "d"),
    "erf float": (_even(lambda x: mpmath.erf(x) - x, 1), lambda t: 1, 0, 1, 7, "f"),
    "erf tail float": (
        lambda x: -mpmath.log(mpmath.erfc(x)), lambda x: mpmath.erfc(x), 0.97, 4.0, 7, "f",
    ),
    "arctan double": (_even(mpmath.atan, 3), lambda t: t + mpf("1e-6"), 0, mpmath.tan(mpmath.pi / 8) ** 2, 11, "d"),
    "arcsin double": (_even(mpmath.asin, 3), lambda t: t + mpf("1e-6"), 0, 0.2501, 13, "d"),
    "erf double": (_even(lambda x: mpmath.erf(x) - x, 1), lambda t: 1, 0, 1, 15, "d"),
    "erfc double": (_scaled_erfc, lambda t: 1, mpf("-0.482"), mpf(26) / 30, 23, "d"),
    "power double": (
        _even(mpmath.atanh, 5), lambda t: t**2 + mpf("1e-9"), 0, _s2, 8, "d",
    ),
}  # fmt: skip


def main(names: list[str]) -> None:
    for name in names or APPROXIMATIONS:
        f, weight, low, high, terms, kind = APPROXIMATIONS[name]
        found, error = minimax(f, weight, low, high, list(range(terms)), kind)
        print(f"{name}: error 2^{float(mpmath.log(error, 2)):.1f}\n    {', '.join(map(repr, found))}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
