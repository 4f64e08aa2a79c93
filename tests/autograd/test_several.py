"""What gradients are asked for may come from any iterable, as from `module.parameters()`."""

from __future__ import annotations

import pytest

import flambeau as torch


def test_any_iterable_of_tensors() -> None:
    module = torch.nn.Linear(2, 1)
    loss = module(torch.ones(3, 2)).sum()
    weights = dict(module.named_parameters())
    for inputs in (module.parameters(), weights.values(), list(weights.values())):
        weight, bias = torch.autograd.grad(loss, inputs, retain_graph=True)
        assert weight.tolist() == [[3.0, 3.0]] and bias.tolist() == [3.0]
    loss.backward(inputs=module.parameters())
    assert module.bias.grad.tolist() == [3.0]


def test_a_nodes_hook_sees_a_gradient_for_each_next_function() -> None:
    x = torch.ones(2, requires_grad=True)
    y = x * 3
    seen = []
    y.grad_fn.register_hook(lambda into, out: seen.append((into, out)))
    y.grad_fn.register_hook(lambda into, out: (into[0] * 2, None))
    y.sum().backward()
    (into, out), *_ = seen
    assert len(into) == len(y.grad_fn.next_functions) == 2 and into[1] is None and len(out) == 1
    assert x.grad.tolist() == [6.0, 6.0]


def test_gradcheck_warns_of_single_precision() -> None:
    x = torch.ones(2, requires_grad=True)
    with pytest.warns(UserWarning, match="Input #0 requires gradient and is not a double precision"):
        torch.autograd.gradcheck(lambda x: x * 2, (x,), atol=1e-1, rtol=1e-1, eps=1e-2)
