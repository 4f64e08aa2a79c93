"""Special functions: identities between them, and agreement with SciPy in double precision."""

from __future__ import annotations

import math

import numpy as np
import pytest

import flambeau as torch
from flambeau import special

POINTS = np.concatenate([np.linspace(-12.0, 12.0, 481), np.linspace(-0.2, 0.2, 41), [37.5, 250.0]])
POSITIVE = np.concatenate([np.linspace(0.01, 12.0, 241), [37.5, 250.0, 1e4]])
UNIT = np.linspace(0.001, 0.999, 333)

ONE_VARIABLE = {
    "erf": POINTS, "erfc": POINTS, "erfcx": POINTS, "erfinv": UNIT, "ndtr": POINTS, "ndtri": UNIT, "log_ndtr": POINTS,
    "gammaln": POSITIVE, "digamma": POSITIVE, "entr": POSITIVE, "i0": POINTS, "i0e": POINTS, "i1": POINTS,
    "i1e": POINTS,
}  # fmt: skip
OTHER_NAMES = {
    "bessel_j0": "j0", "bessel_j1": "j1", "bessel_y0": "y0", "bessel_y1": "y1", "modified_bessel_k0": "k0",
    "modified_bessel_k1": "k1", "scaled_modified_bessel_k0": "k0e", "scaled_modified_bessel_k1": "k1e",
}  # fmt: skip


def close(actual, expected, relative=1e-12, absolute=1e-14):
    np.testing.assert_allclose(actual.numpy(), expected, relative, absolute)


@pytest.mark.parametrize("name", [*ONE_VARIABLE, *OTHER_NAMES])
def test_one_variable(name):
    scipy_special = pytest.importorskip("scipy.special")
    x = ONE_VARIABLE.get(name, POSITIVE)
    expected = getattr(scipy_special, OTHER_NAMES.get(name, name))(x)
    finite = np.isfinite(expected)
    close(getattr(special, name)(torch.from_numpy(x[finite])), expected[finite])


@pytest.mark.parametrize("a", [0.01, 1.0, 5.0, 200.0, 1e4, 2e6])
def test_incomplete_gamma(a):
    scipy_special = pytest.importorskip("scipy.special")
    x = np.abs(np.concatenate([np.linspace(0.0, 2 * a + 2, 60), a + math.sqrt(a) * np.linspace(-3, 3, 25)]))
    shape, at = torch.full(x.shape, a, dtype=torch.float64), torch.from_numpy(x)
    close(torch.igamma(shape, at), scipy_special.gammainc(a, x), 1e-9, 1e-12)
    close(torch.igammac(shape, at), scipy_special.gammaincc(a, x), 1e-9, 1e-12)


def test_zeta_and_polygamma():
    x = torch.tensor([0.5, 1.0, 3.25, 20.0], dtype=torch.float64)
    one = torch.tensor([1.0], dtype=torch.float64)
    assert special.zeta(2.0, one).item() == pytest.approx(math.pi**2 / 6, rel=1e-15)
    for n in (1, 2, 3):  # ψₙ(x + 1) = ψₙ(x) + (-1)ⁿ n!/xⁿ⁺¹
        step = (-1) ** n * math.factorial(n) / x ** (n + 1)
        close(torch.polygamma(n, x + 1), (torch.polygamma(n, x) + step).numpy(), 1e-10)
    with pytest.raises(RuntimeError, match="negative n"):
        torch.polygamma(-1, x)


def test_airy_solves_its_equation():
    x = torch.linspace(-12.0, 6.0, 181, dtype=torch.float64)
    step = 1e-3
    second = (special.airy_ai(x + step) - 2 * special.airy_ai(x) + special.airy_ai(x - step)) / step**2
    close(second, (x * special.airy_ai(x)).numpy(), 1e-3, 1e-4)


@pytest.mark.parametrize("family", ["t", "u", "v", "w"])
def test_chebyshev_by_angle_and_recurrence_agree(family):
    of = getattr(special, f"chebyshev_polynomial_{family}")
    x = torch.linspace(-0.95, 0.95, 31, dtype=torch.float64)
    close(of(x, 12), (2 * x * of(x, 11) - of(x, 10)).numpy(), 1e-9, 1e-11)
    assert special.chebyshev_polynomial_t(x, -1).abs().max().item() == 0


def test_derivatives():
    x = torch.tensor([0.3, 1.7, 4.2], dtype=torch.float64, requires_grad=True)
    for function in (
        torch.erf, torch.erfc, special.erfcx, torch.lgamma, torch.digamma, torch.i0, special.i0e, special.i1,
        special.i1e, special.ndtr, special.log_ndtr, special.entr, torch.sinc,
    ):  # fmt: skip
        (slope,) = torch.autograd.grad(function(x).sum(), x)
        with torch.no_grad():
            expected = (function(x + 1e-6) - function(x - 1e-6)) / 2e-6
        close(slope, expected.numpy(), 1e-7, 1e-8)


def test_missing_derivative_is_an_error():
    a = torch.tensor([2.0], requires_grad=True)
    with pytest.raises(NotImplementedError, match="igamma"):
        torch.igamma(a, torch.tensor([1.0])).sum().backward()
