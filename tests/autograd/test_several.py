"""What gradients are asked for may come from any iterable, as from `module.parameters()`."""

from __future__ import annotations

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
