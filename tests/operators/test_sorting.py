"""Sorting, searching, counting, scans: properties, NaN, ties, named results."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import flambeau as torch

NAN = float("nan")
vectors = st.lists(st.integers(-3, 3), min_size=1, max_size=12)


@settings(max_examples=40, deadline=None)
@given(vectors, st.booleans())
def test_sorting_is_stable_both_ways(numbers, descending):
    values, indices = torch.sort(torch.tensor(numbers), descending=descending, stable=True)
    expected = sorted(range(len(numbers)), key=lambda k: numbers[k] * (-1 if descending else 1))
    assert indices.tolist() == expected
    assert values.tolist() == [numbers[k] for k in expected]


@settings(max_examples=40, deadline=None)
@given(vectors)
def test_unique_gives_back_the_input_and_counts_it(numbers):
    x = torch.tensor(numbers)
    values, inverse, counts = torch.unique(x, return_inverse=True, return_counts=True)
    assert values.tolist() == sorted(set(numbers))
    assert torch.equal(values[inverse], x)
    assert counts.tolist() == [numbers.count(each) for each in values.tolist()]


@settings(max_examples=40, deadline=None)
@given(vectors)
def test_mode_is_the_least_of_the_most_frequent(numbers):
    value, index = torch.mode(torch.tensor(numbers))
    most = max(numbers.count(each) for each in numbers)
    assert value == min(each for each in numbers if numbers.count(each) == most)
    assert numbers[int(index)] == value


@settings(max_examples=40, deadline=None)
@given(vectors)
def test_cumulative_extremes_say_where(numbers):
    values, indices = torch.cummax(torch.tensor(numbers), 0)
    assert values.tolist() == np.maximum.accumulate(numbers).tolist()
    assert [numbers[k] for k in indices.tolist()] == values.tolist()


def test_nan_is_the_greatest():
    x = torch.tensor([1.0, NAN, 3.0])
    assert x.sort().indices.tolist() == [0, 2, 1]
    assert x.topk(1).indices.tolist() == [1]
    assert x.median().isnan() and x.nanmedian() == 1
    assert x.cummax(0).indices.tolist() == [0, 1, 1]


def test_named_results_print_as_in_pytorch():
    found = torch.sort(torch.tensor([2, 1]))
    assert repr(found) == "torch.return_types.sort(\nvalues=tensor([1, 2]),\nindices=tensor([1, 0]))"
    assert found.values is found[0] and isinstance(found, tuple)


def test_product_gradient_where_factors_are_zero():
    x = torch.tensor([2.0, 0.0, 3.0, 0.0], dtype=torch.float64, requires_grad=True)
    grad = torch.ones(4, dtype=torch.float64)
    (first,) = torch.autograd.grad(x.cumprod(0), x, grad)
    (second,) = torch.autograd.grad(x.cumprod(0), x, grad, create_graph=True)
    assert first.tolist() == second.tolist() == [1, 2 + 6, 0, 0]


@pytest.mark.parametrize("right", [False, True])
def test_searchsorted_by_rows(right):
    rows = np.sort(np.random.default_rng(0).integers(0, 9, (3, 6)))
    values = np.arange(9).reshape(1, 9).repeat(3, 0)
    found = torch.searchsorted(torch.tensor(rows), torch.tensor(values), right=right).numpy()
    for row, wanted, places in zip(rows, values, found):
        assert np.array_equal(places, np.searchsorted(row, wanted, "right" if right else "left"))


def test_quantile_is_that_of_numpy():
    x = np.random.default_rng(1).normal(size=(4, 7))
    for how in ("linear", "lower", "higher", "midpoint", "nearest"):
        found = torch.quantile(torch.tensor(x), torch.tensor([0.1, 0.6], dtype=torch.float64), dim=1, interpolation=how)
        assert np.allclose(found.numpy(), np.quantile(x, [0.1, 0.6], axis=1, method=how))


def test_histogram_has_the_total_weight():
    x = torch.linspace(0, 1, 11)
    counts, edges = torch.histogram(x, 5, range=(0.0, 1.0))
    assert counts.sum() == 11 and len(edges) == 6
    assert torch.histc(x, 5, 0, 1).sum() == 11
    assert torch.bincount(torch.tensor([1, 1, 3]), minlength=5).tolist() == [0, 2, 0, 1, 0]
