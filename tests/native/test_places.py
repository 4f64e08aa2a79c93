"""Places, refinements and the memory plan against NumPy's own strides and against the definitions."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from hypothesis import given, settings, strategies as st

from flambeau.core.dtypes import float32
from flambeau.core.specs import spec
from flambeau.native.group import Group, Load, Node, common_refinement, spread
from flambeau.native.memory_plan import ALIGNMENT, plan
from flambeau.native.places import (
    Place,
    agrees,
    broadcast,
    dense_strides,
    memory_order,
    reshaped,
    reversed_along,
    sliced,
    transposed,
    window,
)

shapes = st.lists(st.integers(1, 5), max_size=4).map(tuple)


def dense(shape: Any) -> tuple[Place, Any]:
    return Place(0, float32, tuple(shape), dense_strides(shape)), np.arange(prod(shape)).reshape(shape)


def elements(place: Place, size: int) -> Any:
    """The numbers at a place on memory that holds 0, 1, 2 …"""
    memory = np.arange(max(size, 1))
    index = np.array(place.offset)
    for n, s in zip(place.shape, place.strides):
        index = index[..., None] + np.arange(n) * s
    index = index.reshape(place.shape)
    assert not index.size or (index.min() >= 0 and index.max() < max(size, 1)), "outside of the memory"
    return memory[index]


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_views_are_numpys(data: st.DataObject) -> None:
    shape = data.draw(shapes)
    place, array = dense(shape)
    size = array.size
    for _ in range(data.draw(st.integers(1, 5))):
        d = array.ndim
        kind = data.draw(st.sampled_from(["transpose", "slice", "reverse", "broadcast", "reshape"]))
        if kind == "transpose":
            axes = tuple(data.draw(st.permutations(range(d))))
            place, array = transposed(place, axes), array.transpose(axes)
        elif kind == "slice":
            starts, stops, steps = [], [], []
            for n in array.shape:
                starts.append(data.draw(st.integers(0, n)))
                stops.append(data.draw(st.integers(starts[-1], n)))
                steps.append(data.draw(st.integers(1, 3)))
            place = sliced(place, tuple(starts), tuple(stops), tuple(steps))
            array = array[tuple(slice(*each) for each in zip(starts, stops, steps))]
        elif kind == "reverse" and d:
            axis = data.draw(st.integers(-d, d - 1))
            place, array = reversed_along(place, (axis,)), np.flip(array, axis)
        elif kind == "broadcast":
            wanted = (2, *(3 if n == 1 and data.draw(st.booleans()) else n for n in array.shape))
            place, array = broadcast(place, wanted), np.broadcast_to(array, wanted)
        elif kind == "reshape" and array.size:
            flat = data.draw(st.sampled_from([(array.size,), (1, array.size), (*array.shape, 1), array.shape[:0] + (-1, 1)]))
            wanted = array.reshape(flat).shape
            found = reshaped(place, wanted)
            try:  # NumPy's word on whether it can be a view
                view = array.view()
                view.shape = wanted
            except AttributeError:
                view = None
            if found is None:
                assert view is None or array.size <= 1
                continue
            place, array = found, array.reshape(wanted)
        assert place.shape == array.shape
        np.testing.assert_array_equal(elements(place, size), array)
        lies = agrees(array.shape, place.strides, dense_strides(array.shape))
        assert place.is_dense == lies


@given(st.data())
def test_windows(data: st.DataObject) -> None:
    shape = data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    axes = data.draw(st.permutations(range(len(shape))))
    layout = spec(tuple(shape[a] for a in axes), float32, tuple(dense_strides(shape)[a] for a in axes))
    memory, _ = dense(shape)
    place = transposed(memory, tuple(axes))
    of = spec((shape[-1],), float32, (1,))
    offset = data.draw(st.integers(0, prod(shape) - shape[-1]))
    found = window(place, layout, of, offset)
    assert found is not None
    np.testing.assert_array_equal(elements(found, prod(shape)), offset + np.arange(shape[-1]))
    order = memory_order(layout)
    strides = [layout.strides[a] for a in order]
    assert strides == sorted(strides, reverse=True)


@settings(deadline=None, max_examples=300)
@given(st.lists(st.integers(1, 4), max_size=4), st.data())
def test_the_common_refinement_splits_both(sizes: list[int], data: st.DataObject) -> None:
    def merged(parts: list[int]) -> list[int]:
        made: list[int] = []
        for n in parts:
            if made and data.draw(st.booleans()):
                made[-1] *= n
            else:
                made.append(n)
        return made

    first, second = merged(sizes), merged(sizes)
    found = common_refinement(first, second)
    assert found is not None  # both come from one shape
    assert prod(found) == prod(sizes) and 1 not in found
    for shape in (first, second):
        strides = spread(shape, dense_strides(shape), found)
        assert strides == [s for n, s in zip(found, dense_strides(found)) if n != 1]
    # Coarsest: as many parts as there are boundaries of either.
    bounds = {prod(shape[k:]) for shape in (first, second) for k in range(len(shape))} - {1}
    assert len(found) == len(bounds)


def test_refinements_that_do_not_exist() -> None:
    assert common_refinement([2, 3], [3, 2]) is None
    assert common_refinement([4, 6], [6, 4]) is None
    assert common_refinement([2], [3]) is None
    assert common_refinement([0, 3], [0, 3]) == [0, 3]
    assert common_refinement([], []) == []


def test_a_group_is_refined_with_everything_in_it() -> None:
    group = Group([6, 4])
    load = Load(7, float32, (1, 6), 0)
    group.nodes[1] = Node(1, "negative", [load], (4, 1), float32, float32, {})
    assert group.refine([0, 1], (2, 3, 4)) == [0, 1, 2]
    assert group.shape == [2, 3, 4]
    assert load.strides == (3, 1, 6) and group.nodes[1].strides == (12, 4, 1)
    assert group.level((24,)) == (False, [0, 1, 2])
    assert group.level((5,)) is None
    place = Place(1, float32, (2, 3, 4), (12, 4, 1))
    assert group.operand(place, [0, 1, 2]) == 1
    assert group.operand(place._replace(offset=1), [0, 1, 2]) is None
    assert isinstance(group.operand(place._replace(name=9), [0, 1, 2]), Load)


@settings(deadline=None, max_examples=200)
@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 20), st.integers(0, 8)), max_size=25))
def test_no_two_values_that_live_at_once_overlap(values: list[tuple[int, int, int]]) -> None:
    sizes = {k: size for k, (size, _, _) in enumerate(values)}
    first = {k: begin for k, (_, begin, _) in enumerate(values)}
    last = {k: begin + length for k, (_, begin, length) in enumerate(values)}
    offsets, total = plan(sizes, first, last)
    for a in sizes:
        assert offsets[a] % ALIGNMENT == 0 and offsets[a] + sizes[a] <= total
        for b in range(a):
            if first[a] <= last[b] and first[b] <= last[a]:
                assert offsets[a] + max(sizes[a], 1) <= offsets[b] or offsets[b] + max(sizes[b], 1) <= offsets[a]
    rounded = {k: -(-max(n, 1) // ALIGNMENT) * ALIGNMENT for k, n in sizes.items()}
    busiest = max((sum(rounded[k] for k in sizes if first[k] <= t <= last[k]) for t in range(30)), default=0)
    assert busiest <= total <= sum(rounded.values())
