"""Exponentials, trigonometry, rounding, bits, signs: inverses, special values, dtypes."""

from __future__ import annotations

import math

import pytest

import flambeau as torch

NAN, INF = math.nan, math.inf
PAIRS = [
    ("exp", "log"), ("expm1", "log1p"), ("exp2", "log2"), ("sinh", "asinh"), ("tanh", "atanh"), ("sin", "asin"),
    ("tan", "atan"), ("sigmoid", "logit"), ("deg2rad", "rad2deg"),
]  # fmt: skip


@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128])
@pytest.mark.parametrize(("function", "inverse"), PAIRS)
def test_inverses(function, inverse, dtype):
    if dtype is torch.complex128 and function in ("sigmoid", "deg2rad"):
        pytest.skip("real only")
    x = torch.tensor([-0.9, -0.1, 0.0, 0.3, 1.2], dtype=dtype) + (0.2j if dtype is torch.complex128 else 0)
    assert torch.allclose(getattr(torch, inverse)(getattr(torch, function)(x)), x)


def test_integers_become_the_default_dtype():
    assert torch.exp(torch.tensor([0])).dtype is torch.float32
    assert torch.sqrt(torch.tensor([4], dtype=torch.bfloat16)).dtype is torch.bfloat16
    assert torch.floor(torch.tensor([4])).dtype is torch.int64
    with pytest.raises(RuntimeError, match="can't be cast"):
        torch.tensor([1]).exp_()


def test_sums_of_exponentials():
    infinite = torch.tensor([INF, -INF, 1000.0])
    assert torch.logaddexp(infinite, infinite).tolist() == [INF, -INF, pytest.approx(1000 + math.log(2))]
    assert torch.logaddexp2(infinite, infinite).tolist() == [INF, -INF, 1001.0]


def test_xlogy():
    x, y = torch.tensor([0.0, 0.0, 1.0]), torch.tensor([0.0, NAN, 2.0])
    result = torch.xlogy(x, y).tolist()
    assert result[0] == 0 and math.isnan(result[1]) and result[2] == pytest.approx(math.log(2))


def test_rounding():
    x = torch.tensor([-2.5, -0.5, 0.5, 1.5, 2.5])
    assert torch.round(x).tolist() == [-2.0, -0.0, 0.0, 2.0, 2.0]
    assert torch.round(torch.tensor([1234.567]), decimals=-2).tolist() == [1200.0]
    assert torch.frac(torch.tensor([-2.25])).tolist() == [-0.25]
    with pytest.raises(NotImplementedError, match="Bool"):
        torch.floor(torch.tensor([True]))


def test_bits():
    assert torch.bitwise_not(torch.tensor([5], dtype=torch.uint8)).tolist() == [250]
    shift = torch.tensor([1, 7, 100], dtype=torch.uint8)
    assert torch.bitwise_right_shift(torch.tensor([255] * 3, dtype=torch.uint8), shift).tolist() == [127, 1, 0]
    assert (torch.tensor([-8]) >> 70).tolist() == [-1] and (torch.tensor([1]) << 64).tolist() == [0]
    assert torch.gcd(torch.tensor([12, 0]), torch.tensor([18, 0])).tolist() == [6, 0]
    assert torch.lcm(torch.tensor([4, 0]), torch.tensor([6, 5])).tolist() == [12, 0]
    with pytest.raises(NotImplementedError, match="Float"):
        torch.bitwise_and(torch.tensor([1.0]), 1)
    with pytest.raises(TypeError):
        torch.bitwise_and(1, 2)


def test_signs():
    assert torch.sign(torch.tensor([-3.0, 0.0, NAN])).tolist() == [-1.0, 0.0, 0.0]
    assert torch.signbit(torch.tensor([-0.0, 0.0])).tolist() == [True, False]
    assert torch.copysign(torch.tensor([1.0]), -0.0).tolist() == [-1.0]
    assert torch.abs(torch.tensor([3 + 4j])).tolist() == [5.0]
    mantissa, exponent = torch.frexp(torch.tensor([3.0, 0.0]))
    assert mantissa.tolist() == [0.75, 0.0] and exponent.tolist() == [2, 0]
    with pytest.raises(NotImplementedError, match="sgn"):
        torch.sign(torch.tensor([1j]))


def test_complex_numbers():
    z = torch.tensor([3 + 4j], dtype=torch.complex128, requires_grad=True)
    assert torch.allclose(torch.polar(z.abs(), z.angle()), z)
    assert torch.complex(torch.tensor([1.0]), torch.tensor([2.0])).tolist() == [1 + 2j]
    (slope,) = torch.autograd.grad(z.abs().sum(), z)
    assert torch.allclose(slope, torch.tensor([0.6 + 0.8j], dtype=torch.complex128))


def test_lerp_is_exact_at_both_ends():
    x, y = torch.tensor([0.1, 1e8]), torch.tensor([0.7, -3.0])
    assert torch.lerp(x, y, 0.0).tolist() == x.tolist() and torch.lerp(x, y, 1.0).tolist() == y.tolist()


def test_in_place_keeps_what_the_derivative_needs():
    x = torch.tensor([0.5, 2.0], requires_grad=True)
    y = x * 1
    y.log_()
    y.sum().backward()
    assert x.grad.tolist() == [2.0, 0.5]
