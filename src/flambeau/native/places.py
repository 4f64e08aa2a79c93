"""``Place``: where a value's elements lie, as an affine map onto another value's memory. Views are places, never copies."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import NamedTuple

from ..core.dtypes import dtype
from ..core.specs import Spec

Ints = tuple[int, ...]


class Place(NamedTuple):
    """Element i of a value of ``shape`` is element ``offset + Σ i·strides`` of the memory of the value ``name``."""

    name: int
    dtype: dtype
    shape: Ints
    strides: Ints
    offset: int = 0

    @property
    def is_dense(self) -> bool:
        """Whether the elements lie one after the other in row-major order."""
        return agrees(self.shape, self.strides, dense_strides(self.shape))

    @property
    def numel(self) -> int:
        """The number of elements."""
        return prod(self.shape)


def dense_strides(shape: Sequence[int]) -> Ints:
    """The strides of row-major order."""
    strides, step = [], 1
    for size in reversed(shape):
        strides.append(step)
        step *= max(size, 1)
    return tuple(reversed(strides))


def agrees(shape: Ints, strides: Ints, others: Ints) -> bool:
    """Whether two strides mean the same elements: those of dimensions of one element do not count."""
    return 0 in shape or all(size == 1 or a == b for size, a, b in zip(shape, strides, others))


def reshaped(place: Place, shape: Ints) -> Place | None:
    """The place in another shape of as many elements, or None where no strides can say it."""
    if place.shape == shape:
        return place
    if 0 in shape:
        return place._replace(shape=shape, strides=dense_strides(shape))
    # Groups of old dimensions that lie evenly, each then divided anew.
    old = [(n, s) for n, s in zip(place.shape, place.strides) if n != 1]
    merged: list[list[int]] = []
    for n, s in old:
        if merged and merged[-1][1] == n * s:
            merged[-1] = [merged[-1][0] * n, s]
        else:
            merged.append([n, s])
    strides: list[int] = []
    for size in reversed(shape):
        if size == 1:
            strides.append(0)
            continue
        while merged and merged[-1][0] == 1:
            merged.pop()
        if not merged or merged[-1][0] % size:
            return None
        count, step = merged[-1]
        strides.append(step)
        merged[-1] = [count // size, step * size]
    return place._replace(shape=shape, strides=tuple(reversed(strides)))


def transposed(place: Place, axes: Ints) -> Place:
    """Dimensions in another order."""
    return place._replace(
        shape=tuple(place.shape[a] for a in axes), strides=tuple(place.strides[a] for a in axes)
    )


def broadcast(place: Place, shape: Ints) -> Place:
    """Repeated along new leading dimensions and those of size one."""
    lead = len(shape) - len(place.shape)
    strides = (0,) * lead + tuple(
        0 if n == 1 and m != 1 else s for n, m, s in zip(place.shape, shape[lead:], place.strides)
    )
    return place._replace(shape=shape, strides=strides)


def sliced(place: Place, starts: Ints, stops: Ints, steps: Ints) -> Place:
    """Every ``steps``-th element from ``starts`` up to ``stops``."""
    shape = tuple(len(range(a, b, c)) for a, b, c in zip(starts, stops, steps))
    offset = place.offset + sum(a * s for a, s in zip(starts, place.strides)) if 0 not in shape else place.offset
    return place._replace(shape=shape, strides=tuple(s * c for s, c in zip(place.strides, steps)), offset=offset)


def reversed_along(place: Place, axes: Ints) -> Place:
    """Elements in reverse order along ``axes``."""
    offset, strides = place.offset, list(place.strides)
    for axis in axes:
        axis %= len(place.shape)
        offset += (place.shape[axis] - 1) * strides[axis] if place.shape[axis] else 0
        strides[axis] = -strides[axis]
    return place._replace(strides=tuple(strides), offset=offset)


def window(place: Place, layout: Spec, of: Spec, offset: int) -> Place | None:
    """The layout ``of`` from element ``offset`` on of memory that holds the place's elements laid out as ``layout``.

    None where the place does not lie as ``layout`` says, or ``of`` reads another dtype, unless that is of complex memory's parts.
    """
    if not agrees(place.shape, place.strides, tuple(layout.strides)):
        return None
    if of.dtype is not layout.dtype:
        if not layout.dtype.is_complex or of.dtype is not layout.dtype.to_real() or of.dtype.itemsize == 2:
            return None
        return Place(place.name, of.dtype, tuple(of.shape), tuple(of.strides), 2 * place.offset + offset)
    return Place(place.name, place.dtype, tuple(of.shape), tuple(of.strides), place.offset + offset)


def memory_order(layout: Spec) -> Ints:
    """The axes of a dense layout from the one of the greatest stride to that of the least."""
    return tuple(sorted(range(len(layout.shape)), key=lambda axis: (-layout.strides[axis], axis)))

