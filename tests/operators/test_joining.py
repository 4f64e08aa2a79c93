"""Joining, splitting, repeating, padding: they undo each other, share memory where they should, and pass gradients."""

from __future__ import annotations

import numpy as np
import pytest

import flambeau as torch
from flambeau.operators.padding import pad


def test_split_pieces_share_memory_and_cat_puts_them_together():
    x = torch.arange(10.0)
    pieces = torch.split(x, 4)
    assert [len(each) for each in pieces] == [4, 4, 2]
    assert torch.equal(torch.cat(pieces), x)
    pieces[1].zero_()
    assert x[4:8].tolist() == [0, 0, 0, 0]


def test_one_node_gathers_the_gradients_of_all_pieces():
    x = torch.arange(6.0, requires_grad=True)
    pieces = x.view(3, 2).unbind()
    assert len({each.grad_fn for each in pieces}) == 1
    (pieces[0].sum() + 3 * pieces[2].sum()).backward()
    assert x.grad.tolist() == [1, 1, 0, 0, 3, 3]


@pytest.mark.parametrize("chunks, sizes", [(3, [4, 4, 2]), (4, [3, 3, 3, 1]), (20, [1] * 10)])
def test_chunk_sizes(chunks, sizes):
    assert [len(each) for each in torch.chunk(torch.arange(10), chunks)] == sizes


def test_empty_vectors_are_skipped_by_cat_whatever_the_rank():
    x = torch.ones(2, 3)
    assert torch.cat([torch.tensor([]), x]).shape == (2, 3)
    with pytest.raises(RuntimeError, match="Expected size 3 but got size 2 for tensor number 1"):
        torch.cat([x, torch.ones(2, 2)])


@pytest.mark.parametrize("mode, numpy_mode", [("reflect", "reflect"), ("replicate", "edge"), ("circular", "wrap")])
def test_padding_modes_are_those_of_numpy(mode, numpy_mode):
    x = np.arange(24.0).reshape(1, 2, 3, 4)
    found = pad(torch.tensor(x), (2, 1, 0, 2), mode=mode)
    assert np.array_equal(found.numpy(), np.pad(x, ((0, 0), (0, 0), (0, 2), (2, 1)), mode=numpy_mode))


@pytest.mark.parametrize("mode", ["constant", "reflect", "replicate", "circular"])
def test_padding_gradient_counts_the_copies(mode):
    x = torch.arange(6.0, requires_grad=True)
    y = pad(x.view(1, 6), (2, 3), mode=mode)
    y.sum().backward()
    expected = np.bincount(y.detach().numpy().astype(int).ravel(), minlength=6)
    if mode == "constant":
        expected[0] -= 5
    assert x.grad.tolist() == expected.tolist()


def test_negative_padding_cuts():
    assert pad(torch.arange(5), (-1, -2)).tolist() == [1, 2]


def test_repeat_interleave_with_the_size_given():
    x = torch.tensor([5, 6, 7])
    assert torch.repeat_interleave(x, torch.tensor([2, 0, 1]), output_size=3).tolist() == [5, 5, 7]
    with pytest.raises(RuntimeError, match="repeats can not be negative"):
        torch.repeat_interleave(x, torch.tensor([1, -1, 1]))


def test_roll_and_flip_are_inverted():
    x = torch.arange(12).view(3, 4)
    assert torch.equal(x.roll((1, -2), (0, 1)).roll((-1, 2), (0, 1)), x)
    assert torch.equal(x.flip(0, 1).flip((0, 1)), x)
    assert torch.equal(torch.rot90(torch.rot90(x), -1), x)


def test_resize_keeps_the_elements_and_the_aliases():
    x = torch.arange(4.0)
    view = x.view(2, 2)
    x.resize_(6)
    assert x[:4].tolist() == [0, 1, 2, 3]
    view[0, 0] = 9
    assert x[0] == 9
