"""Jacobians, Hessians and products with vectors agree with PyTorch's."""

from __future__ import annotations

import numpy as np
import pytest

import flambeau

torch = pytest.importorskip("torch")

LIBRARIES = (flambeau, torch)


def numbers(library, *shape, seed=0):
    return library.tensor(np.random.default_rng(seed).standard_normal(shape))


def as_arrays(value):
    if isinstance(value, (tuple, list)):
        return [as_arrays(each) for each in value]
    return value.detach().numpy()


def same(compute):
    mine, theirs = (as_arrays(compute(library)) for library in LIBRARIES)
    compare(mine, theirs)


def compare(mine, theirs):
    if isinstance(theirs, list):
        assert isinstance(mine, list) and len(mine) == len(theirs)
        for a, b in zip(mine, theirs):
            compare(a, b)
    else:
        assert mine.shape == theirs.shape
        np.testing.assert_allclose(mine, theirs, rtol=1e-9, atol=1e-12)


def two_outputs(x, y):
    return (x * y).sum(0), x.exp() * 2


def scalar(x, y):
    return (x**3 * y).sum() + y.sin().sum()


@pytest.mark.parametrize("name", ["jacobian", "vjp", "jvp"])
def test_first_derivatives(name):
    def compute(library):
        x, y = numbers(library, 2, 3), numbers(library, 2, 3, seed=1)
        function = getattr(library.autograd.functional, name)
        if name == "jacobian":
            return function(two_outputs, (x, y))
        v = (numbers(library, 3, seed=2), numbers(library, 2, 3, seed=3)) if name == "vjp" else (y, x)
        return function(two_outputs, (x, y), v)

    same(compute)


@pytest.mark.parametrize("name", ["hessian", "vhp", "hvp"])
def test_second_derivatives(name):
    def compute(library):
        x, y = numbers(library, 2, 3), numbers(library, 2, 3, seed=1)
        function = getattr(library.autograd.functional, name)
        return function(scalar, (x, y)) if name == "hessian" else function(scalar, (x, y), (y, x))

    same(compute)


def test_results_are_differentiable_when_asked():
    def compute(library):
        x = numbers(library, 3).requires_grad_()
        result = library.autograd.functional.jacobian(lambda a: a**3, x, create_graph=True)
        result.sum().backward()
        return x.grad

    same(compute)


@pytest.mark.parametrize(
    "call",
    [
        lambda f, x: f.jacobian(lambda a: 1, x),
        lambda f, x: f.jacobian(lambda a: a, [x]),
        lambda f, x: f.hessian(lambda a: a, x),
        lambda f, x: f.vjp(lambda a: a, x),
        lambda f, x: f.vjp(lambda a: a, x, x.new_ones(3)),
        lambda f, x: f.vjp(lambda a: (a, a), x, (x,)),
        lambda f, x: f.jvp(lambda a: a, x),
        lambda f, x: f.jacobian(lambda a: x, x, strict=True),
        lambda f, x: f.jacobian(lambda a, b: a, (x, x), strict=True),
        lambda f, x: f.hessian(lambda a: a.sum(), x, strict=True),
        lambda f, x: f.hvp(lambda a: a.sum(), x, x, strict=True),
        lambda f, x: f.jvp(lambda a: x, x, x, strict=True),
    ],
)
def test_errors(call):
    messages = []
    for library in LIBRARIES:
        with pytest.raises(Exception) as caught:
            call(library.autograd.functional, library.ones(2))
        messages.append((caught.type, str(caught.value).replace("flambeau.tensor.Tensor", "torch.Tensor")))
    assert messages[0] == messages[1]


def test_forward_mode():
    import flambeau.autograd.forward_ad as forward

    x, t = numbers(flambeau, 2, 3), numbers(flambeau, 2, 3, seed=1)
    with forward.dual_level():
        dual = forward.make_dual(x, t)
        primal, tangent = forward.unpack_dual((dual * dual).sum(1).exp())
        assert forward.unpack_dual(x).tangent is None
        with pytest.raises(RuntimeError, match="Nested forward mode"):
            forward.enter_dual_level()
    expected = 2 * (x * t).sum(1) * (x * x).sum(1).exp()
    np.testing.assert_allclose(tangent.numpy(), expected.numpy(), rtol=1e-12)
    assert not primal.requires_grad and not tangent.requires_grad
    with pytest.raises(RuntimeError, match="no level exists"):
        forward.make_dual(x, t)
