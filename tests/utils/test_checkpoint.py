"""Gradients with and without keeping intermediate results are the same, to the last random number."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

import flambeau as torch
from flambeau.utils.checkpoint import CheckpointError, checkpoint, checkpoint_sequential


def network() -> Any:
    torch.manual_seed(0)
    nn = torch.nn
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 2))


def gradients(run: Any) -> list[Any]:
    net = network()
    x = torch.linspace(-1, 1, 12).view(3, 4).requires_grad_()
    torch.manual_seed(1)
    run(net, x).square().sum().backward()
    return [x.grad, *(each.grad for each in net.parameters()), torch.rand(2)]


@pytest.mark.parametrize("reentrant", [False, True])
def test_gradients_and_random_numbers(reentrant: bool) -> None:
    plain = gradients(lambda net, x: net(x))
    for run in (
        lambda net, x: checkpoint(net, x, use_reentrant=reentrant),
        lambda net, x: checkpoint_sequential(net, 3, x, use_reentrant=reentrant),
        lambda net, x: net[3:](checkpoint(net[:3], x, use_reentrant=reentrant)),
    ):
        for one, other in zip(gradients(run), plain):
            torch.testing.assert_close(one, other)


def test_it_runs_twice_and_keeps_nothing() -> None:
    calls = []

    def function(x: Any, *, scale: float) -> Any:
        calls.append(scale)
        return (x.exp() * scale).sin()

    x = torch.ones(3, requires_grad=True)
    result = checkpoint(function, x, scale=2.0, use_reentrant=False)
    assert calls == [2.0]
    (found,) = torch.autograd.grad(result.sum(), x)
    assert calls == [2.0, 2.0]
    torch.testing.assert_close(found, 2 * x.exp() * (2 * x.exp()).cos())


def test_second_derivatives() -> None:
    x = torch.tensor([0.3, 0.7], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: checkpoint(lambda x: (x * x).exp().sin(), x, use_reentrant=False), (x,))
    (first,) = torch.autograd.grad(checkpoint(lambda x: x.exp().sin(), x, use_reentrant=False).sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), x)
    e = x.detach().exp()
    torch.testing.assert_close(second, e * e.cos() - e * e * e.sin())


def test_autocast_is_the_same_again() -> None:
    seen = []

    def function(x: Any) -> Any:
        y = x @ x
        seen.append(y.dtype)
        return y.float().exp()

    x = torch.eye(2).requires_grad_()
    with torch.autocast("cpu"):
        result = checkpoint(function, x, use_reentrant=False)
    result.sum().backward()
    assert seen == [torch.bfloat16, torch.bfloat16]


def test_another_computation_is_an_error() -> None:
    count = []

    def function(x: Any) -> Any:
        count.append(0)
        return x.exp().sin() if len(count) == 1 else x.sin()

    result = checkpoint(function, torch.ones(2, requires_grad=True), use_reentrant=False)
    with pytest.raises(CheckpointError, match="different number of tensors"):
        result.sum().backward()


def test_arguments() -> None:
    x = torch.ones(2, requires_grad=True)
    with pytest.warns(UserWarning, match="use_reentrant"):
        checkpoint(torch.sin, x)
    with pytest.raises(ValueError, match="Unexpected keyword"):
        checkpoint(torch.sin, x, use_reentrant=True, scale=1)
    entered = []

    @contextlib.contextmanager
    def context(name: str) -> Any:
        entered.append(name)
        yield

    y = checkpoint(torch.exp, x * 2, use_reentrant=False, context_fn=lambda: (context("first"), context("again")))
    y.sum().backward()
    assert entered == ["first", "again"]
