"""Primitives that read and write elements at places told by other arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.dtypes import int64
from .registry import broadcast_shape, primitive
from .values import Value

Axes = tuple[int, ...]

#: What happens where an update meets an element.
_COMBINE = {"add": np.add, "multiply": np.multiply, "minimum": np.minimum, "maximum": np.maximum}


def check_bounds(index: Any, size: int, place: int, wraps: bool = True) -> None:
    """Raise PyTorch's error when an index is out of range; negative ones count from the end if ``wraps``."""
    index = np.asarray(index)
    if not index.size:
        return
    if index.size <= 32:  # NumPy's reductions take longer to begin
        numbers = index.ravel().tolist()
        least, greatest = min(numbers), max(numbers)
    else:
        least, greatest = int(index.min()), int(index.max())
    if greatest >= size or least < (-size if wraps else 0):
        wrong = greatest if greatest >= size else least
        raise IndexError(f"index {wrong} is out of bounds for dimension {place} with size {size}")


def adjacent(axes: Axes) -> bool:
    """Whether axes follow each other without gaps."""
    return axes[-1] - axes[0] == len(axes) - 1


def indexed_shape(shape: tuple[int, ...], index_shape: tuple[int, ...], axes: Axes) -> tuple[int, ...]:
    """The shape of ``x[…]`` with index arrays on ``axes``: theirs stands where they are adjacent, else in front."""
    if adjacent(axes):
        return (*shape[: axes[0]], *index_shape, *shape[axes[-1] + 1 :])
    return (*index_shape, *(size for axis, size in enumerate(shape) if axis not in axes))


def _gather_at_shape(x: Value, *indices: Value, axes: Axes, wraps: bool = True) -> Any:
    return indexed_shape(x.shape, broadcast_shape(*indices), axes), x.dtype


def _key(x: Any, indices: Any, axes: Axes, wraps: bool) -> tuple[Any, ...]:
    key: list[Any] = [slice(None)] * axes[-1] + [None]
    for place, (axis, index) in enumerate(zip(axes, indices)):
        check_bounds(index, x.shape[axis], place, wraps)
        key[axis] = index
    return tuple(key)


@primitive(_gather_at_shape, can_fail=True)
def gather_at(x: Any, *indices: Any, axes: Axes, wraps: bool = True) -> Any:
    """``x[…, i, j, …]``: index arrays, which broadcast, on the given axes."""
    found = x[_key(x, indices, axes, wraps)]
    return found if found.base is None else found.copy()


def _put_at_shape(x: Value, *operands: Value, axes: Axes, combine: str, wraps: bool = True) -> Any:
    return x.shape, x.dtype


def _put_at(x: Any, update: Any, *indices: Any, axes: Axes, combine: str, wraps: bool = True) -> Any:
    key = _key(x, indices, axes, wraps)
    if combine == "assign":
        x[key] = update
        return x
    moved = x if axes[-1] == len(axes) - 1 else np.moveaxis(x, axes, range(len(axes)))
    if moved.flags.c_contiguous and moved is x and x.size:
        # One flat index is several times as fast as an index on one axis.
        count = len(axes)
        index = np.zeros(np.broadcast_shapes(*map(np.shape, indices)), np.int64)
        for axis, each in zip(axes, indices):
            index = index * x.shape[axis] + np.where(each < 0, each + x.shape[axis], each)
        rest = x.size // (int(np.prod(x.shape[:count])) or 1)
        update = np.broadcast_to(update, index.shape + x.shape[count:])
        places = (index.reshape(-1, 1) * rest + np.arange(rest)).reshape(-1)
        _COMBINE[combine].at(x.reshape(-1), places, update.reshape(-1))
        return x
    _COMBINE[combine].at(x, key, update)
    return x


@primitive(_put_at_shape, can_fail=True, in_place=_put_at)
def put_at(x: Any, update: Any, *indices: Any, axes: Axes, combine: str, wraps: bool = True) -> Any:
    """``x`` with ``x[…, i, j, …]`` replaced by (or combined with) ``update``; of equal places the last one stays."""
    return _put_at(np.array(x, order="C"), update, *indices, axes=axes, combine=combine, wraps=wraps)


def _along_shape(x: Value, index: Value, *, axis: int) -> Any:
    return index.shape, x.dtype


def _along_key(x: Any, index: Any, axis: int) -> tuple[Any, ...]:
    check_bounds(index, x.shape[axis], axis, wraps=False)
    rank = index.ndim
    return tuple(
        index if each == axis else np.arange(size).reshape([-1 if k == each else 1 for k in range(rank)])
        for each, size in enumerate(index.shape)
    )


@primitive(_along_shape, can_fail=True)
def gather_along(x: Any, index: Any, *, axis: int) -> Any:
    """``result[i, j, k] = x[i, index[i, j, k], k]`` for axis 1; ``index`` may be smaller than ``x`` on other axes."""
    if not index.size:
        return np.empty(index.shape, x.dtype)
    return x[_along_key(x, index, axis)]


def _put_along(x: Any, index: Any, update: Any, *, axis: int, combine: str) -> Any:
    if index.size:
        key = _along_key(x, index, axis)
        if combine == "assign":
            x[key] = update
        else:
            _COMBINE[combine].at(x, key, update)
    return x


def _put_along_shape(x: Value, index: Value, update: Value, *, axis: int, combine: str) -> Any:
    return x.shape, x.dtype


@primitive(_put_along_shape, can_fail=True, in_place=_put_along)
def put_along(x: Any, index: Any, update: Any, *, axis: int, combine: str) -> Any:
    """``x`` with ``x[i, index[i, j, k], k]`` replaced by (or combined with) ``update[i, j, k]``, for axis 1."""
    return _put_along(np.array(x, order="C"), index, update, axis=axis, combine=combine)


def _nonzero_shape(x: Value) -> Any:
    return (x.ndim, 0), int64


@primitive(_nonzero_shape, dynamic=True)
def nonzero(x: Any) -> Any:
    """The places of elements that are not zero: a row of indices for each axis."""
    x = np.asarray(x)
    if not x.ndim:
        return np.empty((0, int(bool(x))), np.int64)
    return np.array(np.nonzero(x), np.int64).reshape(x.ndim, -1)


def _compress_shape(x: Value, mask: Value) -> Any:
    return (0,), x.dtype


@primitive(_compress_shape, dynamic=True)
def compress(x: Any, mask: Any) -> Any:
    """The elements where the mask, of the same shape, holds, in row-major order."""
    return np.asarray(x)[np.asarray(mask)].reshape(-1)


def _accumulate_shape(update: Value, *, strides: Axes, offset: int, count: int) -> Any:
    return (count,), update.dtype


@primitive(_accumulate_shape)
def accumulate_strided(update: Any, *, strides: Axes, offset: int, count: int) -> Any:
    """A vector of zeros with each element of ``update`` added at the place that strides and offset give it."""
    result = np.zeros(count, update.dtype)
    places = np.full((), offset, np.int64)
    for size, step in zip(update.shape, strides):
        places = places[..., None] + np.arange(size) * step
    np.add.at(result, places.reshape(-1), update.reshape(-1))
    return result
