"""Strides arithmetic against PyTorch's, on random shapes and layouts."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given, settings, strategies as st

import flambeau
from flambeau.core import dtypes

torch = pytest.importorskip("torch")

SHAPES = st.lists(st.integers(1, 4), max_size=4)  # what strides an empty tensor has is nobody's business


@st.composite
def layouts(draw: Any) -> tuple[Any, Any]:
    """The same strided tensor in both libraries."""
    shape = draw(SHAPES)
    theirs = torch.zeros(shape)
    mine = flambeau.zeros(shape)
    for _ in range(draw(st.integers(0, 3))):
        rank = theirs.dim()
        move = draw(st.integers(0, 3))
        if move == 0 and rank > 1:
            order = draw(st.permutations(range(rank)))
            theirs, mine = theirs.permute(order), mine.permute(order)
        elif move == 1 and rank:
            axis = draw(st.integers(0, rank - 1))
            step = draw(st.integers(1, 2))
            index = (slice(None),) * axis + (slice(draw(st.integers(0, 1)), None, step),)
            theirs, mine = theirs[index], mine[index]
        elif move == 2:
            axis = draw(st.integers(0, rank))
            theirs, mine = theirs.unsqueeze(axis), mine.unsqueeze(axis)
        elif move == 3 and rank and 1 in theirs.shape:
            size = [3 if n == 1 else n for n in theirs.shape]
            theirs, mine = theirs.expand(size), mine.expand(size)
    assume(theirs.numel() > 0)
    return theirs, mine


def same_layout(mine: Any, theirs: Any) -> None:
    assert tuple(mine.shape) == tuple(theirs.shape)
    told = [axis for axis, size in enumerate(mine.shape) if size > 1]  # the stride of a single element says nothing
    assert [mine.stride(axis) for axis in told] == [theirs.stride(axis) for axis in told]
    assert mine.storage_offset() == theirs.storage_offset()
    assert mine.is_contiguous() == theirs.is_contiguous()


@settings(max_examples=150, deadline=None)
@given(layouts())
def test_views_have_pytorchs_layout(pair: tuple[Any, Any]) -> None:
    theirs, mine = pair
    same_layout(mine, theirs)
    same_layout(mine.clone(), theirs.clone())
    same_layout(mine.contiguous(), theirs.contiguous())
    same_layout(mine + 1, theirs + 1)


@settings(max_examples=100, deadline=None)
@given(layouts(), st.randoms())
def test_view_refuses_what_pytorch_refuses(pair: tuple[Any, Any], random: Any) -> None:
    theirs, mine = pair
    shapes = [[-1], [theirs.numel()], list(reversed(theirs.shape)), [1, *theirs.shape], [2, -1]]
    shape = random.choice(shapes)
    try:
        expected = theirs.view(shape)
    except RuntimeError:
        with pytest.raises(RuntimeError):
            mine.view(shape)
    else:
        same_layout(mine.view(shape), expected)
    try:
        expected = theirs.reshape(shape)
    except RuntimeError:
        return
    same_layout(mine.reshape(shape), expected)


@settings(max_examples=100, deadline=None)
@given(layouts(), layouts())
def test_pointwise_results_keep_the_operands_order(first: Any, second: Any) -> None:
    try:
        expected = first[0] * second[0]
    except RuntimeError:
        with pytest.raises(RuntimeError):
            first[1] * second[1]
    else:
        same_layout(first[1] * second[1], expected)


NAMES = "bool uint8 int8 int16 int32 int64 float16 bfloat16 float32 float64 complex64 complex128".split()


@pytest.mark.parametrize("a", NAMES)
def test_promotion(a: str) -> None:
    for b in NAMES:
        mine, theirs = dtypes.by_name(a), getattr(torch, a)
        other, their_other = dtypes.by_name(b), getattr(torch, b)
        assert str(dtypes.promote_types(mine, other)) == str(torch.promote_types(theirs, their_other))
        assert dtypes.can_cast(mine, other) == torch.can_cast(theirs, their_other)
        for x, y in (((2,), (2,)), ((2,), ()), ((), (2,)), ((), ())):
            expected = torch.result_type(torch.ones(x, dtype=theirs), torch.ones(y, dtype=their_other))
            found = flambeau.result_type(flambeau.ones(x, dtype=mine), flambeau.ones(y, dtype=other))
            assert str(found) == str(expected)
        for number in (True, 2, 2.5, 1j):
            expected = torch.result_type(torch.ones(2, dtype=theirs), number)
            assert str(flambeau.result_type(flambeau.ones(2, dtype=mine), number)) == str(expected)
