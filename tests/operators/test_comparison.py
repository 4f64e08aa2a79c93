"""Comparison, extremes, choosing and filling."""

from __future__ import annotations

import math

import pytest

import flambeau as torch

NAN, INF = math.nan, math.inf


def test_relations_with_nan():
    x = torch.tensor([1.0, NAN])
    assert (x == x).tolist() == [True, False]
    assert (x != x).tolist() == [False, True]
    assert (x <= x).tolist() == [True, False]
    with pytest.raises(NotImplementedError, match="ComplexFloat"):
        torch.lt(torch.tensor([1j]), 1)
    with pytest.raises(TypeError):
        torch.eq(1, torch.tensor([1]))


def test_extremes_and_nan():
    x, y = torch.tensor([1.0, NAN, 3.0]), torch.tensor([2.0, 2.0, NAN])
    assert torch.maximum(x, y).isnan().tolist() == [False, True, True]
    assert torch.fmax(x, y).tolist() == [2.0, 2.0, 3.0]
    assert torch.fmin(x, y).tolist() == [1.0, 2.0, 3.0]


def test_equal_elements_share_the_gradient():
    x, y = (torch.tensor(each, requires_grad=True) for each in ([1.0, 2.0, 3.0], [2.0, 2.0, 1.0]))
    torch.maximum(x, y).sum().backward()
    assert x.grad.tolist() == [0.0, 0.5, 1.0] and y.grad.tolist() == [1.0, 0.5, 0.0]


def test_closeness():
    assert torch.isclose(torch.tensor([INF, -INF]), torch.tensor([INF, INF])).tolist() == [True, False]
    assert torch.allclose(torch.tensor([NAN]), torch.tensor([NAN]), equal_nan=True)
    assert not torch.allclose(torch.tensor([NAN]), torch.tensor([NAN]))
    with pytest.raises(RuntimeError, match="rtol"):
        torch.isclose(torch.ones(1), torch.ones(1), rtol=-1.0)
    assert torch.equal(torch.tensor([1]), torch.tensor([1.0]))
    assert not torch.equal(torch.ones(2), torch.ones(1))


def test_isin():
    assert torch.isin(torch.tensor([1, 2, 3]), torch.tensor([3, 1]), invert=True).tolist() == [False, True, False]
    assert torch.isin(2, torch.tensor([2])).item() is True


def test_where_promotes_and_broadcasts():
    condition = torch.tensor([[True], [False]])
    assert torch.where(condition, torch.tensor([1, 2]), 0.5).tolist() == [[1.0, 2.0], [0.5, 0.5]]
    with pytest.raises(RuntimeError, match="boolean tensor"):
        torch.where(torch.tensor([1]), 1, 2)


def test_clamp():
    x = torch.tensor([-2.0, 0.5, 3.0], requires_grad=True)
    y = torch.clamp(x, -1, 1)
    y.sum().backward()
    assert y.tolist() == [-1.0, 0.5, 1.0] and x.grad.tolist() == [0.0, 1.0, 0.0]
    assert torch.clamp(torch.tensor([3]), max=torch.tensor([1.5])).tolist() == [1.5]
    with pytest.raises(RuntimeError, match="At least one"):
        torch.clamp(x)


def test_fill():
    x = torch.zeros(3, dtype=torch.int8)
    assert x.fill_(7).tolist() == [7, 7, 7]
    with pytest.raises(RuntimeError, match="without overflow"):
        x.fill_(300)
    with pytest.raises(RuntimeError, match="0-dimension"):
        x.fill_(torch.zeros(2))
    window = torch.zeros(2, 3)
    window[:, 1].fill_(1.0)
    assert window.tolist() == [[0.0, 1.0, 0.0]] * 2


def test_masked_fill():
    x = torch.ones(2, 2, requires_grad=True)
    x.masked_fill(torch.tensor([True, False]), 5.0).sum().backward()
    assert x.grad.tolist() == [[0.0, 1.0]] * 2
    with pytest.raises(RuntimeError, match="boolean masks"):
        x.masked_fill(torch.tensor([1, 0]), 5.0)


def test_nan_to_num():
    assert torch.nan_to_num(torch.tensor([NAN, INF, -INF]), 1.0, 2.0, 3.0).tolist() == [1.0, 2.0, 3.0]
