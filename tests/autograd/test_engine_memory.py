"""Graphs of any depth run, and are freed at once."""

from __future__ import annotations

import gc
import weakref

import pytest

import flambeau
from flambeau.tracing import synchronize


@pytest.fixture
def without_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def test_a_chain_of_100000_nodes(without_collector):
    x = flambeau.ones(2, requires_grad=True)
    y = x
    for _ in range(100_000):
        y = y + 1
    node = weakref.ref(y.grad_fn)
    y.sum().backward()
    assert x.grad.tolist() == [1.0, 1.0]
    del y
    assert node() is None


def test_a_chain_is_freed_without_a_backward(without_collector):
    x = flambeau.ones(2, requires_grad=True)
    y = x
    nodes = []
    for step in range(100_000):
        y = y * y if step % 2 else y + 1
        if step % 10_000 == 0:
            nodes.append(weakref.ref(y.grad_fn))
            synchronize()
    del y
    synchronize()
    assert [each() for each in nodes] == [None] * len(nodes)


@pytest.mark.parametrize("keep", [False, True])
def test_saved_tensors_go_with_the_pass(without_collector, keep):
    x = flambeau.ones(4, requires_grad=True)
    inner = x * 2
    saved = weakref.ref(inner)
    loss = (inner * inner).sum()
    del inner
    assert saved() is not None
    loss.backward(retain_graph=keep)
    synchronize()
    assert (saved() is not None) is keep
    del loss
    assert saved() is None


def test_a_result_saved_by_its_own_node_is_no_cycle(without_collector):
    x = flambeau.ones(4, requires_grad=True)
    y = x.exp()
    node, tensor = weakref.ref(y.grad_fn), weakref.ref(y)
    del y
    assert tensor() is None and node() is None


def test_a_leaf_goes_with_its_accumulator(without_collector):
    x = flambeau.ones(4, requires_grad=True)
    (x * 2).sum().backward()
    leaf = weakref.ref(x)
    del x
    assert leaf() is None


def test_custom_functions_are_no_cycles(without_collector):
    class Square(flambeau.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            y = x * x
            ctx.save_for_backward(x, y)
            return y

        @staticmethod
        def backward(ctx, grad):
            return 2 * ctx.saved_tensors[0] * grad

    x = flambeau.ones(4, requires_grad=True)
    y = Square.apply(x)
    node, tensor = weakref.ref(y.grad_fn), weakref.ref(y)
    y.sum().backward()
    del y
    assert tensor() is None and node() is None


def test_views_taken_before_the_base_requires_grad_are_not_kept(without_collector):
    base = flambeau.zeros(3)
    for _ in range(1000):
        base[0:1]
    assert len(base._views) < 200
    view = base[1:]
    gone = weakref.ref(base[:1])
    assert gone() is None
    base.add_(flambeau.ones(3, requires_grad=True))
    assert view.requires_grad and view.grad_fn is not None


def test_in_place_on_views_is_no_cycle(without_collector):
    x = flambeau.ones(4, requires_grad=True)
    y = x * 1
    y[:2].mul_(3)
    y[2:].copy_(y[:2] * 2)
    node = weakref.ref(y.grad_fn)
    y.sum().backward()
    assert x.grad.tolist() == [9.0, 9.0, 0.0, 0.0]
    del y
    assert node() is None
