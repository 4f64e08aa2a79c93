"""Resampling along dimensions: every output is a weighted sum of a few inputs, the same ones for each row.

Interpolation of every mode and adaptive averaging are of this kind; they differ in which inputs and which weights. A
dimension is described by a tuple (axis from the end, mode, size, new size, step, align_corners), ``step`` being how far
the inputs move for one output.

Bicubic: Keys, "Cubic convolution interpolation for digital image processing", 1981. Antialiasing widens the filter by
the step, as Pillow does.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Any

from ..core import strides as _strides
from ..core.dtypes import FLOATING, dtype, float32, int64
from ..primitives import elementwise as p, indexing, memory, reductions as r
from ..primitives.contraction import matrix_multiply
from ..primitives.values import Value
from .declaration import operator
from .kinds import Tensor
from .promotion import to

Axis = tuple[int, str, int, int, float, bool]


def _layout(result: Value, operands: Sequence[Any], values: Sequence[Any]) -> Any:
    first = operands[0]
    nearest = values[1][0][1].startswith("nearest")  # PyTorch keeps the layout of volumes in this mode only
    if first.ndim == len(result.shape) and (first.ndim == 4 or (first.ndim == 5 and nearest)):
        if _strides.suggests_channels_last(first.shape, first.strides):
            return _strides.channels_last(result.shape)
    return None


# -- which inputs, which weights ----------------------------------------------------------------------------------------


def _row(count: int, kind: dtype, axis: int = 0) -> Value:
    return memory.iota(shape=(count, 1) if axis == 0 else (1, count), axis=axis, dtype=kind)


def _between(x: Value, low: int, high: int) -> Value:
    return p.minimum(p.maximum(x, low), high)


def _cubic(distance: Value, a: float) -> Value:
    """Keys' kernel at a distance, zero from 2 on."""
    d = p.absolute(distance)
    near = (d * (a + 2.0) - (a + 3.0)) * d * d + 1.0
    far = ((d * a - 5.0 * a) * d + 8.0 * a) * d - 4.0 * a
    return p.select(d <= 1.0, near, p.select(d < 2.0, far, d * 0.0))


def _triangle(distance: Value) -> Value:
    return p.maximum(1.0 - p.absolute(distance), 0.0)


def _averaged(kind: dtype, size: int, count: int) -> tuple[Value, Value]:
    """Regions from ⌊i·size/count⌋ to ⌈(i + 1)·size/count⌉."""
    longest = max(-(-(i + 1) * size // count) - i * size // count for i in range(count))
    first = _row(count, int64) * size
    start = p.floor_divide_exact(first, count)
    end = p.floor_divide_exact(first + (size + count - 1), count)
    place = start + _row(longest, int64, 1)
    length = to(end - start, kind)
    return _between(place, 0, size - 1), p.select(p.less(place, end), 1.0 / length, length * 0.0)


def _smoothed(kind: dtype, mode: str, size: int, count: int, step: float) -> tuple[Value, Value]:
    """A filter as wide as the step, its weights made to sum to one."""
    radius = 2.0 if mode == "cubic-smooth" else 1.0
    support = radius * max(step, 1.0)
    centre = (_row(count, kind) + 0.5) * step
    first = to(p.maximum(p.truncate(centre - support + 0.5), 0.0), int64)
    past = to(p.minimum(p.truncate(centre + support + 0.5), float(size)), int64)
    place = first + _row(ceil(support) * 2 + 1, int64, 1)
    distance = (to(place, kind) - centre + 0.5) * (1.0 / step if step >= 1.0 else 1.0)
    weight = _cubic(distance, -0.5) if mode == "cubic-smooth" else _triangle(distance)
    weight = p.select(p.less(place, past), weight, weight * 0.0)
    total = memory.reshape(r.reduce_sum(weight, axes=(1,), dtype=kind), shape=(count, 1))
    return _between(place, 0, size - 1), weight / p.select(p.equal(total, 0.0), total + 1.0, total)


def taps(kind: dtype, along: Axis) -> tuple[Value, Value | None]:
    """The inputs of each output and their weights (None: one input, taken as it is), both (new size, taps)."""
    _, mode, size, count, step, align_corners = along
    if mode == "area":
        return _averaged(kind, size, count)
    if mode.endswith("smooth"):
        return _smoothed(kind, mode, size, count, step)
    here = _row(count, kind)
    if mode == "nearest":
        return _between(to(p.floor(here * step), int64), 0, size - 1), None
    if mode == "nearest-exact":
        return _between(to(p.floor((here + 0.5) * step), int64), 0, size - 1), None
    source = here * step if align_corners else (here + 0.5) * step - 0.5
    if mode == "linear":
        source = p.maximum(source, 0.0)
    first = p.floor(source)
    if mode == "linear":
        first = p.minimum(first, float(size - 1))
        past = _row(2, kind, 1)
        place = p.minimum(first + past, float(size - 1))
        second = source - first
        weight = p.select(p.equal(past, 0.0), 1.0 - second, second)
    else:
        place = first + (_row(4, kind, 1) - 1.0)
        weight = _cubic(source - place, -0.75)
    return _between(to(place, int64), 0, size - 1), weight


# -- forward and back ---------------------------------------------------------------------------------------------------


def _resample(x: Value, along: Axis) -> Value:
    axis, mode, size, count = x.ndim - along[0], along[1], along[2], along[3]
    lead, tail = x.shape[:axis], x.shape[axis + 1 :]
    if mode == "area" and size % count == 0:
        parts = memory.reshape(x, shape=(*lead, count, size // count, *tail))
        return r.reduce_sum(parts, axes=(axis + 1,), dtype=x.dtype) / float(size // count)
    place, weight = taps(x.dtype, along)
    if weight is None:
        return indexing.gather_at(x, memory.reshape(place, shape=(count,)), axes=(axis,))
    weight = memory.reshape(weight, shape=(*weight.shape, *(1 for _ in tail)))
    return r.reduce_sum(indexing.gather_at(x, place, axes=(axis,)) * weight, axes=(axis + 1,), dtype=x.dtype)


def _resample_back(grad: Value, along: Axis) -> Value:
    axis, mode, size, count = grad.ndim - along[0], along[1], along[2], along[3]
    lead, tail = grad.shape[:axis], grad.shape[axis + 1 :]
    if mode == "area" and size % count == 0:
        share = memory.reshape(grad / float(size // count), shape=(*lead, count, 1, *tail))
        share = memory.broadcast(share, shape=(*lead, count, size // count, *tail))
        return memory.reshape(share, shape=(*lead, size, *tail))
    place, weight = taps(grad.dtype, along)
    if weight is None:
        weight = memory.full(1, shape=place.shape, dtype=grad.dtype)
    matrix = memory.full(0, shape=(count, size), dtype=grad.dtype)
    matrix = indexing.put_at(matrix, weight, _row(count, int64), place, axes=(0, 1), combine="add")
    order = (*range(axis), *range(axis + 1, grad.ndim), axis)
    back = (*range(axis), grad.ndim - 1, *range(axis, grad.ndim - 1))
    rows = memory.reshape(memory.transpose(grad, axes=order), shape=(grad.numel // count if count else 0, count))
    spread = memory.reshape(matrix_multiply(rows, matrix), shape=(*lead, *tail, size))
    return memory.transpose(spread, axes=back)


def _computing_dtype(x: Value) -> dtype:
    return x.dtype.compute if x.category >= FLOATING else float32


def _rounded(x: Value, kind: dtype) -> Value:
    """Whole numbers (of images) are rounded, and kept in range."""
    return to(x, kind) if kind.category >= FLOATING else to(_between(p.round_half_even(x), 0, 255), kind)


@operator(
    {"input": lambda grad, axes, node: resample_backward(grad, axes, node)},
    layout=_layout, function=False, method=False, node=lambda input, axes, node: node,
)  # fmt: skip
def resample(input: Tensor, axes: tuple, node: str) -> Value:
    """Resamples the dimensions described by ``axes``."""
    if all(along[1].startswith("nearest") for along in axes):
        x = input
        for along in axes:
            place, _ = taps(_computing_dtype(input), along)
            x = indexing.gather_at(x, memory.reshape(place, shape=(along[3],)), axes=(x.ndim - along[0],))
        return x
    x = to(input, _computing_dtype(input))
    for along in axes:
        x = _resample(x, along)
    return _rounded(x, input.dtype)


@operator(
    {"grad_output": lambda grad, axes, node: resample(grad, axes, node)},
    layout=_layout, function=False, method=False,
)  # fmt: skip
def resample_backward(grad_output: Tensor, axes: tuple, node: str) -> Value:
    """The adjoint of :func:`resample`."""
    x = to(grad_output, _computing_dtype(grad_output))
    for along in reversed(axes):
        x = _resample_back(x, along)
    return to(x, grad_output.dtype)
