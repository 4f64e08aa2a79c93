"""Backward passes that are recorded again must give what walking the graph gives, and nothing else may be noticed."""

from __future__ import annotations

import gc
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

import flambeau as torch
from flambeau.autograd import engine, replay
from flambeau.tracing.recorder import ROUND, synchronize, trace

UNARY = ("exp", "tanh", "sigmoid", "relu", "neg", "square", "t", "sum0", "pow", "detached", "relu_", "mul_")
BINARY = ("add", "sub", "mul", "matmul", "where", "cat", "stack")


def build(program: list[tuple[str, int, int]], leaves: list[Any]) -> Any:
    """A number computed from the leaves as ``program`` says."""
    values = list(leaves)
    for name, i, j in program:
        x, y = values[i % len(values)], values[j % len(values)]
        if name in ("exp", "tanh", "sigmoid", "relu", "neg", "square", "t"):
            made = getattr(x, name)()
        elif name == "sum0":
            made = x.sum(0, keepdim=True) + y
        elif name == "pow":
            made = x**3
        elif name == "detached":
            made = x * y.detach()
        elif name == "relu_":
            made = (x * 2).relu_()
        elif name == "mul_":
            made = (x + 1).mul_(y)
        elif name == "matmul":
            made = x @ y
        elif name == "where":
            made = torch.where(x > y, x, y)
        elif name == "cat":
            made = torch.cat([x, y])[1:4]
        elif name == "stack":
            made = torch.stack([x, y]).sum(0)
        else:
            made = getattr(x, name)(y)
        values.append(made / 4)
    return sum(each.sum() for each in values[len(leaves) :]) + (leaves[0] * 1.0).sum()


def walked(loss: Any) -> None:
    """The general way."""
    engine.run(engine._seeds((loss,), None), False, False)


def learned_from(loss: Any) -> int:
    passes = loss.grad_fn.plan.passes
    return 0 if passes is None else passes.found


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.sampled_from(UNARY + BINARY), st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=7),
    st.integers(1, 3), st.lists(st.booleans(), min_size=4, max_size=4), st.booleans(),
)  # fmt: skip
def test_random_graphs(program: Any, count: int, looks: list[bool], keeps: bool) -> None:
    """Whatever is at rest or pending when the pass is learned or recorded again, and with gradients held or not."""
    generator = torch.Generator().manual_seed(len(program))
    start = [torch.randn(3, 3, generator=generator) for _ in range(count)]
    ours = [each.clone().requires_grad_() for each in start]
    theirs = [each.clone().requires_grad_() for each in start]
    for round, look in enumerate(looks + looks):
        for leaves, pass_back in ((ours, lambda loss: loss.backward()), (theirs, walked)):
            loss = build(program, leaves)
            if look:
                loss.item()
            pass_back(loss)
            with torch.no_grad():
                for leaf in leaves:
                    if leaf.grad is not None:
                        leaf -= 0.01 * leaf.grad.clamp(-1, 1)
            if not keeps:
                for leaf in leaves:
                    leaf.grad = None
            elif round == 4:
                for leaf in leaves:
                    if leaf.grad is not None:
                        leaf.grad.zero_()
        for mine, other in zip(ours, theirs):
            assert (mine.grad is None) == (other.grad is None)
            assert torch.equal(mine, other) or torch.equal(mine.isnan(), other.isnan())
            if mine.grad is not None:
                assert torch.allclose(mine.grad, other.grad, equal_nan=True)
                assert mine.grad._version == other.grad._version and mine.grad.stride() == other.grad.stride()


def recurring(rounds: int, loss_of: Any) -> list[Any]:
    """Losses built and passed back, round after round, so that the pass is known."""
    losses = []
    for _ in range(rounds):
        loss = loss_of()
        loss.backward()
        losses.append(loss)
    return losses


@pytest.fixture
def weight() -> Any:
    weight = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)

    def loss_of() -> Any:
        weight.grad = None
        return (weight.exp() * weight).sum()

    found = learned_from(recurring(3, loss_of)[-1])
    assert learned_from(recurring(1, loss_of)[-1]) == found + 1  # it is known from here on
    return weight


def loss_of(weight: Any) -> Any:
    return (weight.exp() * weight).sum()


def gradient(weight: Any) -> Any:
    w = weight.detach()
    return w.exp() * (w + 1)


def test_a_known_pass_makes_no_intermediate_tensors(weight: Any) -> None:
    synchronize()
    weight.grad = None
    loss = loss_of(weight)
    before = len(trace.storages)
    loss.backward()
    made = trace.storages[before:]
    assert len(made) > 3 and [each for each in made if each is not None] == [weight.grad._cell]


def test_hooks_run(weight: Any) -> None:
    weight.grad = None
    loss = loss_of(weight)
    seen: list[Any] = []
    handle = weight.register_hook(lambda grad: seen.append(grad) or grad * 2)
    loss.backward()
    assert len(seen) == 1 and torch.allclose(weight.grad, gradient(weight) * 2)
    handle.remove()
    weight.grad = None
    inner = weight.exp()
    inner.register_hook(lambda grad: grad * 0)
    (inner * weight).sum().backward()
    assert torch.allclose(weight.grad, weight.detach().exp())


def test_post_accumulate_hooks_run(weight: Any) -> None:
    seen = []
    handle = weight.register_post_accumulate_grad_hook(lambda leaf: seen.append(leaf.grad.clone()))
    weight.grad = None
    loss_of(weight).backward()
    handle.remove()
    assert torch.allclose(seen[0], gradient(weight))


def test_retained_gradients_are_kept(weight: Any) -> None:
    weight.grad = None
    inner = weight.exp()
    inner.retain_grad()
    (inner * weight).sum().backward()
    assert torch.allclose(inner.grad, weight.detach())


def test_a_graph_can_be_kept_and_is_freed_otherwise(weight: Any) -> None:
    weight.grad = None
    loss = loss_of(weight)
    loss.backward(retain_graph=True)
    loss.backward()
    assert torch.allclose(weight.grad, 2 * gradient(weight))
    with pytest.raises(RuntimeError, match="a second time"):
        loss.backward()


def test_writes_to_what_was_saved_are_noticed(weight: Any) -> None:
    weight.grad = None
    loss = loss_of(weight)
    with torch.no_grad():
        weight.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()
    assert weight.grad is None


def test_one_leaf_in_the_place_of_two() -> None:
    a, b = torch.tensor(2.0, requires_grad=True), torch.tensor(3.0, requires_grad=True)
    for _ in range(4):
        a.grad = b.grad = None
        (a * b).backward()
        assert (a.grad.item(), b.grad.item()) == (3.0, 2.0)
    a.grad = None
    (a * a).backward()
    assert a.grad.item() == 4.0


def test_one_tensor_saved_in_the_place_of_two() -> None:
    w = torch.tensor(2.0, requires_grad=True)
    x, y = torch.tensor(3.0), torch.tensor(5.0)
    for first, second in ((x, x), (x, x), (x, x), (x, y), (y, x), (x, y), (x, x)):
        w.grad = None
        ((w * first) * second).backward()
        assert w.grad.item() == first.item() * second.item()


def test_numbers_that_change() -> None:
    w = torch.tensor(3.0, requires_grad=True)
    for exponent in (2, 2, 2, 3, 2.0, 3, 0, 1):
        w.grad = None
        (w**exponent).backward()
        assert w.grad.item() == pytest.approx(exponent * 3.0 ** (exponent - 1))


def test_slices_that_move() -> None:
    data = torch.arange(12.0).reshape(6, 2)
    w = torch.ones(2, requires_grad=True)
    for start in (0, 2, 4, 0, 1, 3):
        w.grad = None
        (data[start : start + 2] @ w).sum().backward()
        assert w.grad.tolist() == data[start : start + 2].sum(0).tolist()
        w.grad = None
        pending = data * 2
        (pending[start : start + 2].t() @ torch.ones(2) * w).sum().backward()
        assert w.grad.tolist() == (2 * data[start : start + 2].sum(0)).tolist()


def test_gradients_seen_through_numpy() -> None:
    w = torch.ones(2, requires_grad=True)
    for _ in range(4):
        (w * 2).sum().backward()
    seen = w.grad.numpy()
    (w * 2).sum().backward()
    assert seen.tolist() == [10.0, 10.0]


def test_autocasting_is_not_forgotten() -> None:
    layer, x = torch.nn.Linear(3, 3, bias=False), torch.ones(2, 3)
    expected = []
    for lower in (True, False, True, False, True, False, True, False):
        layer.weight.grad = None
        with torch.autocast("cpu", enabled=lower):
            layer(x * 1.001).sum().backward()
        expected.append((lower, layer.weight.grad.tolist()))
    for lower in (True, False):
        assert all(grad == next(g for k, g in expected if k is lower) for k, grad in expected if k is lower)


def test_functions_of_the_user_run_every_time() -> None:
    calls = []

    class Double(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 2

        @staticmethod
        def backward(ctx: Any, grad: Any) -> Any:
            calls.append(grad)
            return grad * 2

    w = torch.ones(2, requires_grad=True)
    for _ in range(4):
        w.grad = None
        Double.apply(w).sum().backward()
    assert len(calls) == 4 and w.grad.tolist() == [2.0, 2.0]


def test_learning_stops_where_it_is_in_vain() -> None:
    for k in range(30):
        w = torch.ones(17, requires_grad=True)
        loss = (w ** (k + 2)).sum()
        loss.backward()
    passes = loss.grad_fn.plan.passes
    assert passes.found == 0 and len(passes.replays) <= replay.LESSONS and len(passes.seen) == 1


def test_a_graph_that_was_passed_back_is_freed(weight: Any) -> None:
    weight.grad = None
    inner = weight.exp()
    loss = (inner * weight).sum()
    node = inner.grad_fn
    loss.backward()
    assert node.values is None
    del inner, loss
    gc.collect()


def test_a_loop_that_looks_at_nothing_runs_in_rounds() -> None:
    """A trace ends where the same calls are pending each time, so that one program is found again and again."""
    from flambeau.tracing.cache import cache

    x, y = torch.tensor([1.0, 2, 3, 4]), torch.tensor([2.0, 4, 6, 8])
    w = torch.tensor(0.0, requires_grad=True)
    synchronize()

    def train(steps: int) -> None:
        nonlocal w
        for _ in range(steps):
            loss = ((w * x - y) ** 2).mean()
            loss.backward()
            with torch.no_grad():
                w -= 0.01 * w.grad
            w.grad.zero_()
            assert len(trace.storages) < 4 * ROUND

    train(50)
    misses = cache.misses
    train(100)
    assert cache.misses == misses
    assert w.item() == pytest.approx(2.0, abs=1e-3)
