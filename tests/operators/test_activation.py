"""Activations: values at special points, gradients against differences, and the randomised rectifier's stream."""

from __future__ import annotations

import math

import pytest

import flambeau as torch
from flambeau.operators import activation

SMOOTH = {
    "gelu": {}, "silu": {}, "mish": {}, "softplus": {"beta": 2.0}, "elu": {"alpha": 1.5}, "logsigmoid": {},
    "hardswish": {}, "hardsigmoid": {}, "leaky_relu": {"negative_slope": 0.2}, "tanhshrink": {}, "softsign": {},
    "softshrink": {"lambd": 0.3}, "hardshrink": {"lambd": 0.3}, "celu": {"alpha": 0.7}, "selu": {}, "relu6": {},
}  # fmt: skip


@pytest.mark.parametrize("name", SMOOTH)
def test_gradient(name):
    function, options = getattr(activation, name), SMOOTH[name]
    x = torch.tensor([-4.0, -1.3, -0.2, 0.1, 0.9, 5.0, 7.0], dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(function(x, **options).sum(), x)
    with torch.no_grad():
        expected = (function(x + 1e-6, **options) - function(x - 1e-6, **options)) / 2e-6
    assert torch.allclose(slope, expected, 1e-6, 1e-8)


@pytest.mark.parametrize("approximate", ["none", "tanh"])
def test_gelu_twice(approximate):
    x = torch.tensor([-2.0, 0.4, 1.5], dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(activation.gelu(x, approximate=approximate).sum(), x, create_graph=True)
    (curvature,) = torch.autograd.grad(slope.sum(), x)
    with torch.no_grad():
        values = [activation.gelu(x + step, approximate=approximate) for step in (1e-4, 0.0, -1e-4)]
    assert torch.allclose(curvature, (values[0] - 2 * values[1] + values[2]) / 1e-8, 1e-4, 1e-6)


def test_no_overflow():
    x = torch.tensor([-1e4, 0.0, 1e4])
    assert activation.logsigmoid(x).tolist() == [-1e4, pytest.approx(-math.log(2)), 0.0]
    assert torch.sigmoid(x).tolist() == [0.0, 0.5, 1.0]
    assert torch.softmax(x, 0).tolist() == [0.0, 0.0, 1.0]
    assert torch.log_softmax(x, 0).tolist() == [-2e4, -1e4, 0.0]


def test_softmax_sums_to_one_and_its_gradient_to_zero():
    x = torch.linspace(-3, 3, 24, dtype=torch.float64).reshape(2, 3, 4).requires_grad_()
    for dim in (0, 1, -1):
        y = torch.softmax(x, dim)
        assert torch.allclose(y.sum(dim), torch.ones(1, dtype=torch.float64))
        assert torch.allclose(torch.log_softmax(x, dim).exp(), y)
        (slope,) = torch.autograd.grad((y * x.detach().cos()).sum(), x)
        assert slope.sum(dim).abs().max().item() < 1e-14


def test_errors():
    with pytest.raises(RuntimeError, match="must be even"):
        activation.glu(torch.zeros(3))
    with pytest.raises(RuntimeError, match="parameter numbers = 2 and channel size = 3"):
        torch.prelu(torch.zeros(2, 3), torch.zeros(2))
    with pytest.raises(RuntimeError, match="greater or equal to 0"):
        activation.softshrink(torch.zeros(2), -1.0)
    with pytest.raises(NotImplementedError, match="Long"):
        activation.gelu(torch.tensor([1]))


def test_in_place():
    x = torch.tensor([-2.0, 3.0])
    assert activation.hardtanh_(x) is x and x.tolist() == [-1.0, 1.0]
    leaf = torch.tensor([-2.0, 3.0], requires_grad=True)
    activation.elu_(leaf * 1).sum().backward()
    assert leaf.grad.tolist() == [pytest.approx(math.exp(-2)), 1.0]


def test_random_slopes_are_those_of_pytorch():
    oracle = pytest.importorskip("torch")
    oracle.manual_seed(3)
    torch.manual_seed(3)
    values = [-1.0, 2.0, -0.5, 0.0, -3.0]
    expected = oracle.rrelu(oracle.tensor(values), 0.1, 0.4, training=True)
    assert torch.rrelu(torch.tensor(values), 0.1, 0.4, training=True).tolist() == expected.tolist()
