"""A leaf takes a gradient over only when nobody else can see it."""

from __future__ import annotations

from typing import Any

import flambeau as torch


def independent(*tensors: Any) -> bool:
    """Whether writing to each tensor leaves the others as they were."""
    before = [each.tolist() for each in tensors]
    for k, each in enumerate(tensors):
        each.add_(100)
        if any(other.tolist() != before[j] for j, other in enumerate(tensors) if j > k):
            return False
    return True


def test_two_leaves_of_one_sum() -> None:
    a, b = torch.ones(3, requires_grad=True), torch.ones(3, requires_grad=True)
    (a + b).sum().backward()
    assert independent(a.grad, b.grad)


def test_a_gradient_the_user_gave() -> None:
    a = torch.ones(3, requires_grad=True)
    given = torch.ones(3) * 2
    a.backward(given)
    assert independent(a.grad, given)


def test_a_gradient_a_hook_kept() -> None:
    a = torch.ones(3, requires_grad=True)
    kept = []
    a.register_hook(kept.append)
    (a * 2).sum().backward()
    assert independent(a.grad, kept[0])
    kept.clear()
    b = torch.ones(3, requires_grad=True)
    b.register_hook(lambda grad: kept.append(grad.detach()))
    (b * 2).sum().backward()
    assert independent(b.grad, kept[0])


def test_a_gradient_a_hook_has_looked_at() -> None:
    a = torch.ones(3, requires_grad=True)
    kept = []
    a.register_hook(lambda grad: (grad.sum().item(), kept.append(grad.view(3)))[0] and None)
    (a * 2).sum().backward()
    assert independent(a.grad, kept[0])


def test_a_retained_gradient() -> None:
    a = torch.ones(3, requires_grad=True)
    b = a.view(3)
    b.retain_grad()
    (b * 2).sum().backward()
    assert independent(a.grad, b.grad)


def test_one_tensor_twice() -> None:
    a = torch.ones(3, requires_grad=True)
    (a + a).sum().backward()
    assert a.grad.tolist() == [2, 2, 2]
    first = a.grad
    (a * 3).sum().backward()
    assert a.grad is first and first.tolist() == [5, 5, 5]


def test_a_saved_result_is_not_taken() -> None:
    a = torch.ones(3, requires_grad=True)
    y = (a.exp() * 1.0).sum()
    y.backward(retain_graph=True)
    a.grad.zero_()
    y.backward()
    assert torch.allclose(a.grad, a.exp())
