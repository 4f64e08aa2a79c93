"""Numbers drawn into memory at once change nothing that was recorded before, and nothing else than they should."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import flambeau

torch = pytest.importorskip("torch")

Library = Any
Step = Callable[[Library, Any], list[Any]]


def _value_read_before(m: Library, x: Any) -> list[Any]:
    y = x * 2
    x.uniform_()
    return [y, x, x + y]


def _view_read_before(m: Library, x: Any) -> list[Any]:
    y = x[1:3] * 2
    x.normal_()
    return [y, x]


def _transposed_view_read_before(m: Library, x: Any) -> list[Any]:
    y = x.t() + 1
    x.uniform_(2, 3)
    return [y, x]


def _view_written_before(m: Library, x: Any) -> list[Any]:
    x[0].mul_(2)
    y = x + 1
    x.uniform_()
    return [y, x]


def _view_drawn(m: Library, x: Any) -> list[Any]:
    y = x + 1
    x[1].uniform_()
    return [y, x, x * 2]


def _pending_target(m: Library, x: Any) -> list[Any]:
    y = x + 1
    z = y * 2
    y.uniform_()
    return [y, z]


def _twice(m: Library, x: Any) -> list[Any]:
    x.uniform_()
    y = x * 3
    x.normal_()
    return [x, y]


def _few(m: Library, x: Any) -> list[Any]:
    few = [m.rand(3), m.randn(3), m.randn(2), m.randint(0, 7, (5,)), m.randint(-3, 9, (1,)), m.randperm(9), m.rand(())]
    return [*few, m.empty(1).uniform_(), m.rand(0), m.randn(15), m.rand(2, 7), m.randperm(2), m.randperm(1)]


def _channels_last(m: Library, x: Any) -> list[Any]:
    image = m.zeros(2, 3, 4, 5).to(memory_format=m.channels_last)
    return [image.uniform_(), m.zeros(3, 4).t().normal_()]


def _masks(m: Library, x: Any) -> list[Any]:
    m.nn.functional.dropout(x, 0.3)
    return [m.nn.functional.dropout(x, 0.3), m.zeros(30).bernoulli_(0.25), m.zeros(30, dtype=m.bool).bernoulli_(0.75)]


@pytest.mark.parametrize(
    "step",
    [
        _value_read_before, _view_read_before, _transposed_view_read_before, _view_written_before, _view_drawn,
        _pending_target, _twice, _few, _channels_last, _masks,
    ],
)  # fmt: skip
def test_the_same_as_in_pytorch(step: Step) -> None:
    results = []
    for m in (flambeau, torch):
        m.manual_seed(7)
        x = m.arange(24.0).reshape(4, 6)
        results.append([each.numpy().copy() for each in step(m, x)])
    for ours, theirs in zip(*results, strict=True):
        assert ours.dtype == theirs.dtype and ours.shape == theirs.shape
        assert np.array_equal(ours, theirs)


def test_memory_shared_with_numpy_shows_the_numbers() -> None:
    array = np.zeros(5, np.float32)
    x = flambeau.from_numpy(array)
    y = x + 1
    x.uniform_(3, 4)
    assert (array >= 3).all() and y.tolist() == [1.0] * 5 and np.array_equal(x.numpy(), array)


def test_a_saved_tensor_that_is_drawn_into_is_noticed() -> None:
    w = flambeau.ones(3, requires_grad=True)
    x = flambeau.ones(3)
    loss = (w * x).sum()
    x.uniform_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()
    assert x._version == 1


def test_a_leaf_that_requires_grad_is_refused_unless_under_no_grad() -> None:
    w = flambeau.zeros(3, requires_grad=True)
    with pytest.raises(RuntimeError, match="leaf Variable"):
        w.uniform_()
    with flambeau.no_grad():
        w.uniform_(1, 2)
    assert (w >= 1).all() and w.requires_grad


def test_what_is_tracked_gets_a_node() -> None:
    w = flambeau.zeros(3, requires_grad=True)
    x = w * 2
    x.uniform_()
    assert type(x.grad_fn).__name__.startswith("UniformBackward")
