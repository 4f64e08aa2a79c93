"""Indexing: views and copies, assignment, errors, gradients. Values are compared with NumPy, which means the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import flambeau as torch

ARRAY = np.arange(60.0).reshape(3, 4, 5)


def fresh(requires_grad=False):
    return torch.tensor(ARRAY, requires_grad=requires_grad)


parts = st.one_of(
    st.integers(-3, 2),
    st.tuples(st.none() | st.integers(-4, 4), st.none() | st.integers(-4, 4), st.none() | st.integers(1, 3)).map(
        lambda each: slice(*each)
    ),
    st.just(None),
    st.lists(st.integers(-3, 2), min_size=2, max_size=2),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(parts, max_size=3).map(tuple))
def test_reading_and_writing_agree_with_numpy(index):
    # NumPy turns ints beside lists into index arrays, which can move dimensions; PyTorch selects first.
    if any(isinstance(each, int) for each in index) and any(isinstance(each, list) for each in index):
        index = tuple([each] * 2 if isinstance(each, int) else each for each in index)
    expected = ARRAY[index]
    x = fresh()
    found = x[index]
    assert found.shape == expected.shape
    assert np.array_equal(found.numpy(), expected)
    written = ARRAY.copy()
    written[index] = 7
    x[index] = 7
    assert np.array_equal(x.numpy(), written)


def test_ints_slices_and_none_are_views_and_index_tensors_copy():
    x = fresh()
    for view in (x[1], x[:, 1], x[1:, None], x[..., -1], x[torch.tensor(1)]):
        assert view._base is x
    copy = x[[0, 1]]
    copy.zero_()
    assert np.array_equal(x.numpy(), ARRAY)


def test_masks_read_and_write():
    x = fresh()
    mask = torch.tensor(ARRAY % 2 == 0)
    assert np.array_equal(x[mask].numpy(), ARRAY[ARRAY % 2 == 0])
    x[mask] = torch.arange(30.0, dtype=torch.float64)
    x[~mask] = -1
    assert x[mask].tolist() == list(range(30)) and set(x[~mask].tolist()) == {-1}
    rows = torch.tensor([True, False, True])
    assert x[rows, 0].shape == (2, 5)
    assert x[True].shape == (1, 3, 4, 5) and x[False].shape == (0, 3, 4, 5)


@pytest.mark.parametrize(
    "index, error, message",
    [
        (3, IndexError, "index 3 is out of bounds for dimension 0 with size 3"),
        ((0, 0, 0, 0), IndexError, "too many indices for tensor of dimension 3"),
        (1.0, IndexError, "only integers, slices"),
        ([7], IndexError, "index 7 is out of bounds for dimension 0 with size 3"),
        (slice(None, None, -1), ValueError, "step must be greater than zero"),
    ],
)
def test_errors_name_the_index(index, error, message):
    with pytest.raises(error, match=message):
        fresh()[index]


def test_mask_and_index_shapes_are_checked():
    with pytest.raises(IndexError, match=r"shape of the mask \[2\] at index 0 does not match"):
        fresh()[torch.tensor([True, False])]
    with pytest.raises(IndexError, match="could not be broadcast together with shapes"):
        fresh()[torch.tensor([0, 1]), torch.tensor([0, 1, 2])]
    with pytest.raises(IndexError, match="must be long, int, byte or bool"):
        fresh()[torch.tensor([0.5])]
    with pytest.raises(TypeError, match=r"can't assign a list to a torch.DoubleTensor"):
        fresh()[0] = [1]


def test_bounds_of_a_pending_index_are_checked_when_it_is_computed():
    index = torch.tensor([1]) + 5
    with pytest.raises(IndexError, match="index 6 is out of bounds"):
        fresh()[index].tolist()


def test_gradients_of_repeated_indices_add_up():
    x = fresh(requires_grad=True)
    x[[0, 0, 2]].sum().backward()
    assert x.grad[:, 0, 0].tolist() == [2, 0, 1]


def test_assignment_is_differentiable_on_both_sides():
    x = fresh(requires_grad=True)
    value = torch.tensor([2.0, 3.0], dtype=torch.float64, requires_grad=True)
    y = x * 1
    y[[0, 2], 1, 1] = value
    (y * y).sum().backward()
    assert value.grad.tolist() == [4, 6]
    assert x.grad[0, 1, 1] == 0 and x.grad[1, 1, 1] == 2 * ARRAY[1, 1, 1]


def test_index_put_accumulates():
    x = torch.zeros(3).index_put_((torch.tensor([1, 1]),), torch.tensor([2.0, 3.0]), accumulate=True)
    assert x.tolist() == [0, 5, 0]


@pytest.mark.parametrize(
    "call",
    [
        lambda x, i: x.index_select(0, i),
        lambda x, i: x.gather(0, i),
        lambda x, i: x.scatter(0, i, 1.0),
        lambda x, i: x.index_add(0, i, x[:1]),
        lambda x, i: x.index_copy(0, i, x[:1]),
        lambda x, i: x.index_fill(0, i, 1.0),
        lambda x, i: x.take(i),
        lambda x, i: x.put(i, x[:1]),
    ],
)
def test_indices_at_rest_are_checked_at_the_call(call):
    with pytest.raises((IndexError, RuntimeError), match=r"out of (range|bounds)"):
        call(torch.zeros(3), torch.tensor([5]))
