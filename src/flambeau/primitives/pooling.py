"""Primitives for pooling: the greatest element, or the sum, of each window; and their adjoints."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ..core.dtypes import int64
from .registry import primitive
from .values import Value

Ints = tuple[int, ...]


def _targets(sizes: Ints, place: Ints, stride: Ints, padding: Ints, dilation: Ints, out: Ints) -> Any:
    """For one place of the kernel: the outputs whose element there lies inside, and where in the input it lies."""
    outputs, inputs = [], []
    for n, k, s, p, d, o in zip(sizes, place, stride, padding, dilation, out):
        start = k * d - p  # the input index of output 0
        first = max(0, -(start // s)) if start < 0 else 0
        last = min(o, (n - 1 - start) // s + 1)
        if last <= first:
            return None
        outputs.append(slice(first, last))
        inputs.append(slice(start + first * s, start + (last - 1) * s + 1, s))
    return (..., *outputs), (..., *inputs)


def _max_shape(x: Value, *, out: Ints, **_: Any) -> Any:
    shape = (*x.shape[: x.ndim - len(out)], *out)
    return [(shape, x.dtype), (shape, int64)]


@primitive(_max_shape)
def max_window(x: Any, *, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, out: Ints) -> Any:
    """The greatest element of each window and its index in the flattened spatial dimensions.

    Of equal elements the first counts; NaN is the greatest, and of several the last one.
    """
    sizes = x.shape[-len(kernel) :]
    places = list(np.ndindex(*kernel))
    targets = [_targets(sizes, place, stride, padding, dilation, out) for place in places]
    lead = x.shape[: -len(kernel)]
    floating = x.dtype.kind not in "iub"
    best = np.empty((*lead, *out), x.dtype)
    which = np.empty((*lead, *out), np.uint8 if len(places) < 256 else np.int64)
    best[...], which[...] = (-np.inf if floating else np.iinfo(x.dtype).min), 0
    _keep_greatest(x, best, which, targets, nan=False)
    if floating and np.isnan(best).any():
        best[...] = -np.inf
        _keep_greatest(x, best, which, targets, nan=True)
    steps = [prod(sizes[axis + 1 :]) for axis in range(len(sizes))]
    offsets = np.array([sum(k * d * t for k, d, t in zip(place, dilation, steps)) for place in places], np.int64)
    index = offsets.take(which)
    for axis, (o, s, p, t) in enumerate(zip(out, stride, padding, steps)):
        along = [1] * len(out)
        along[axis] = o
        index += ((np.arange(o) * s - p) * t).reshape(along)
    return best, index


def _keep_greatest(x: Any, best: Any, which: Any, targets: Any, nan: bool) -> None:
    """Go through a window's places from the last to the first, so that of equal elements the first one stays."""
    for number in reversed(range(len(targets))):
        if targets[number] is None:
            continue
        outputs, inputs = targets[number]
        candidate, held = np.ascontiguousarray(x[inputs]), best[outputs]
        better = ~(held > candidate) & (held == held) if nan else candidate >= held
        if nan:
            np.copyto(held, candidate, where=better)
        else:
            np.maximum(held, candidate, out=held)
        # which = number where better, on bits: a masked copy would branch on every element.
        place = which[outputs]
        changed = place ^ which.dtype.type(number)
        changed &= np.negative(better.astype(which.dtype))
        np.bitwise_xor(place, changed, out=place)


def _scatter_shape(grad: Value, index: Value, *, sizes: Ints, distinct: bool) -> Any:
    return (*grad.shape[: grad.ndim - len(sizes)], *sizes), grad.dtype


@primitive(_scatter_shape)
def add_at_window(grad: Any, index: Any, *, sizes: Ints, distinct: bool) -> Any:
    """Zeros of spatial ``sizes`` with each element of grad added at its flat index: the adjoint of taking them.

    ``distinct``: no two elements have the same index.
    """
    rank = len(sizes)
    lead = grad.shape[:-rank]
    planes, area = prod(lead), prod(sizes)
    places = (index.reshape(planes, prod(index.shape[-rank:])) + (np.arange(planes) * area)[:, None]).reshape(-1)
    if distinct:
        result = np.zeros(planes * area, grad.dtype)
        result[places] = grad.reshape(-1)
    elif grad.dtype.kind in "iubc":
        result = np.zeros(planes * area, grad.dtype)
        np.add.at(result, places, grad.reshape(-1))
    else:
        result = np.bincount(places, grad.reshape(-1).astype(np.float64), planes * area).astype(grad.dtype)
    return result.reshape(*lead, *sizes)


def _sum_shape(x: Value, *, out: Ints, **_: Any) -> Any:
    return (*x.shape[: x.ndim - len(out)], *out), x.dtype


@primitive(_sum_shape)
def sum_window(x: Any, *, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, out: Ints) -> Any:
    """The sum of each window, what lies outside counting as zero."""
    rank = len(kernel)
    wide = np.float32 if x.dtype.itemsize < 4 and x.dtype.kind not in "iub" else x.dtype
    result = np.zeros((*x.shape[:-rank], *out), wide)
    for place in np.ndindex(*kernel):
        target = _targets(x.shape[-rank:], place, stride, padding, dilation, out)
        if target is not None:
            result[target[0]] += x[target[1]]
    return result.astype(x.dtype, copy=False)


def _spread_shape(grad: Value, *, sizes: Ints, **_: Any) -> Any:
    return (*grad.shape[: grad.ndim - len(sizes)], *sizes), grad.dtype


@primitive(_spread_shape)
def spread_window(grad: Any, *, sizes: Ints, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints) -> Any:
    """Each element added to every place of its window in an input of spatial ``sizes``: the adjoint of sum_window."""
    rank = len(kernel)
    result = np.zeros((*grad.shape[:-rank], *sizes), grad.dtype)
    for place in np.ndindex(*kernel):
        target = _targets(sizes, place, stride, padding, dilation, grad.shape[-rank:])
        if target is not None:
            result[target[1]] += grad[target[0]]
    return result


def _unfold_shape(x: Value, *, kernel: Ints, out: Ints, **_: Any) -> Any:
    return (x.shape[0], x.shape[1] * prod(kernel), prod(out)), x.dtype


@primitive(_unfold_shape)
def unfold_windows(x: Any, *, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, out: Ints) -> Any:
    """Every window as a column: (batch, channels·kernel, windows)."""
    result = np.zeros((x.shape[0], x.shape[1], *kernel, *out), x.dtype)
    for place in np.ndindex(*kernel):
        target = _targets(x.shape[2:], place, stride, padding, dilation, out)
        if target is not None:
            result[(slice(None), slice(None), *place)][target[0]] = x[target[1]]
    return result.reshape(x.shape[0], x.shape[1] * prod(kernel), prod(out))


def _fold_shape(columns: Value, *, sizes: Ints, kernel: Ints, **_: Any) -> Any:
    return (columns.shape[0], columns.shape[1] // prod(kernel), *sizes), columns.dtype


@primitive(_fold_shape)
def fold_windows(columns: Any, *, sizes: Ints, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, out: Ints) -> Any:
    """Columns added back to where their windows lie: the adjoint of unfold_windows."""
    channels = columns.shape[1] // prod(kernel)
    columns = columns.reshape(columns.shape[0], channels, *kernel, *out)
    result = np.zeros((columns.shape[0], channels, *sizes), columns.dtype)
    for place in np.ndindex(*kernel):
        target = _targets(sizes, place, stride, padding, dilation, out)
        if target is not None:
            result[target[1]] += columns[(slice(None), slice(None), *place)][target[0]]
    return result
