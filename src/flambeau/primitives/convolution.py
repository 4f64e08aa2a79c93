"""Primitives for convolution in any number of dimensions: forward, and the gradients of input and weight.

Arrays are laid out (batch, channels, *spatial*); weights (out channels, in channels / groups, *kernel*). The reference
unfolds the windows of some samples at a time into columns that still lie in the cache when the matrix product reads
them (Chellapilla, Puri and Simard, "High performance convolutional neural networks for document processing", 2006).
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from .products import matrix_product
from .registry import primitive
from .values import Value

Ints = tuple[int, ...]

#: Columns of about this many elements are made at a time.
BLOCK = 1 << 19


def _compute(x: Any) -> Any:
    """Narrow floats are convolved in float32."""
    return x.astype(np.float32) if x.dtype.itemsize < 4 and x.dtype.kind not in "iub" else x


def output_sizes(sizes: Ints, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints) -> Ints:
    """⌊(size + 2·padding - dilation·(kernel - 1) - 1) / stride⌋ + 1 for each dimension."""
    return tuple(
        (n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in zip(sizes, kernel, stride, padding, dilation)
    )


def windows(x: Any, kernel: Ints, stride: Ints, dilation: Ints, out: Ints) -> Any:
    """A view (batch, channels, *kernel*, *out*) of the padded input's windows."""
    spatial = x.strides[-len(kernel) :]
    return np.lib.stride_tricks.as_strided(
        x,
        x.shape[: -len(kernel)] + kernel + out,
        x.strides[: -len(kernel)]
        + tuple(s * d for s, d in zip(spatial, dilation))
        + tuple(s * t for s, t in zip(spatial, stride)),
        writeable=False,
    )


class _Unfolding:
    """Makes columns (groups, channels·kernel, samples·outputs) of one block of samples after the other."""

    def __init__(
        self, x: Any, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, groups: int, out: Ints, outputs: int
    ) -> None:
        batch, channels = x.shape[:2]
        self.x, self.out = x, out
        self.rows = channels // groups * prod(kernel)
        self.block = block_size(max(self.rows * groups, outputs), batch, out)
        kind = _compute(x[:0]).dtype
        self.columns = np.empty((groups, self.rows, self.block * prod(out)), kind)
        self.view = self.columns.reshape(channels, *kernel, self.block, *out)
        self.source = x
        self.inside: Any = None
        if any(padding) or kind != x.dtype:
            spatial = x.shape[2:]
            self.source = np.zeros((self.block, channels, *(n + 2 * p for n, p in zip(spatial, padding))), kind)
            self.inside = (..., *(slice(p, p + n) for n, p in zip(spatial, padding)))
        self.windows = windows(self.source, kernel, stride, dilation, out)
        rank = len(kernel)
        self.order = (1, *range(2, 2 + rank), 0, *range(2 + rank, 2 + 2 * rank))

    def __call__(self, start: int, stop: int) -> Any:
        """The columns of samples ``start`` to ``stop``."""
        count = stop - start
        if self.inside is None:
            chosen = self.windows[start:stop]
        else:
            self.source[(slice(0, count), *self.inside)] = self.x[start:stop]
            chosen = self.windows[:count]
        if count == self.block:
            self.view[...] = chosen.transpose(self.order)
            return self.columns
        return np.ascontiguousarray(chosen.transpose(self.order)).reshape(*self.columns.shape[:2], count * prod(self.out))


def block_size(rows: int, batch: int, out: Ints) -> int:
    """How many samples' columns of ``rows`` elements are made at a time."""
    return max(1, min(batch, BLOCK // max(1, rows * prod(out))))


def _convolution_shape(x: Value, w: Value, *, stride: Ints, padding: Ints, dilation: Ints, groups: int) -> Any:
    return (x.shape[0], w.shape[0], *output_sizes(x.shape[2:], w.shape[2:], stride, padding, dilation)), x.dtype


@primitive(_convolution_shape)
def convolution(x: Any, w: Any, *, stride: Ints, padding: Ints, dilation: Ints, groups: int) -> Any:
    """The cross-correlation of x with w."""
    kernel, batch, outputs = w.shape[2:], x.shape[0], w.shape[0]
    out = output_sizes(x.shape[2:], kernel, stride, padding, dilation)
    result = np.empty((batch, outputs, *out), x.dtype)
    if not x.size or not w.size:
        result[...] = 0
        return result
    flat = result.reshape(batch, groups, outputs // groups, prod(out))
    unfold = _Unfolding(x, kernel, stride, padding, dilation, groups, out, outputs)
    matrix = _compute(w).reshape(groups, outputs // groups, -1)
    # One buffer for all products: fresh memory costs a page fault every 4096 bytes.
    buffer = np.empty((groups, outputs // groups, unfold.block * prod(out)), matrix.dtype)
    for start in range(0, batch, unfold.block):
        stop = min(start + unfold.block, batch)
        columns = unfold(start, stop)
        product = matrix_product(matrix, columns, out=buffer if columns.shape[-1] == buffer.shape[-1] else None)
        flat[start:stop] = product.reshape(*product.shape[:2], stop - start, -1).transpose(2, 0, 1, 3)
    return result


def _input_shape(grad: Value, w: Value, *, sizes: Ints, groups: int, **_: Any) -> Any:
    return (grad.shape[0], w.shape[1] * groups, *sizes), grad.dtype


@primitive(_input_shape)
def convolution_input_gradient(
    grad: Any, w: Any, *, sizes: Ints, stride: Ints, padding: Ints, dilation: Ints, groups: int
) -> Any:
    """The adjoint of convolution in its input, whose spatial sizes are ``sizes``; also the transposed convolution."""
    kernel, out = w.shape[2:], grad.shape[2:]
    batch, outputs, channels = grad.shape[0], w.shape[0], groups * w.shape[1]
    result = np.zeros((batch, channels, *sizes), grad.dtype)
    if not grad.size or not w.size:
        return result
    matrix = _compute(w).reshape(groups, outputs // groups, -1).transpose(0, 2, 1)
    block = block_size(max(channels * prod(kernel), outputs), batch, out)
    buffer = np.empty((groups, matrix.shape[1], block * prod(out)), matrix.dtype)
    wide = np.empty((block, channels, *(n + 2 * p for n, p in zip(sizes, padding))), matrix.dtype)
    inside: Any = (..., *(slice(p, p + n) for n, p in zip(sizes, padding)))
    places: list[tuple[Any, Any]] = [
        (place, tuple(slice(k * d, k * d + (n - 1) * s + 1, s) for k, d, n, s in zip(place, dilation, out, stride)))
        for place in np.ndindex(*kernel)
    ]
    for start in range(0, batch, block):
        count = min(start + block, batch) - start
        part = _compute(grad[start : start + count]).reshape(count, groups, outputs // groups, prod(out))
        part = part.transpose(1, 2, 0, 3).reshape(groups, outputs // groups, count * prod(out))
        columns = matrix_product(matrix, part, out=buffer if count == block else None).reshape(channels, *kernel, count, *out)
        target = wide[:count]
        target[...] = 0
        by_channel = target.swapaxes(0, 1)
        for place, where in places:
            by_channel[(..., *where)] += columns[(slice(None), *place)]
        result[start : start + count] = target[inside]
    return result


def _weight_shape(grad: Value, x: Value, *, kernel: Ints, groups: int, **_: Any) -> Any:
    return (grad.shape[1], x.shape[1] // groups, *kernel), grad.dtype


@primitive(_weight_shape)
def convolution_weight_gradient(
    grad: Any, x: Any, *, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, groups: int
) -> Any:
    """The adjoint of convolution in its weight, whose spatial sizes are ``kernel``."""
    out = grad.shape[2:]
    batch, outputs, channels = x.shape[0], grad.shape[1], x.shape[1] // groups
    total = np.zeros((groups, outputs // groups, channels * prod(kernel)), _compute(grad[:0]).dtype)
    if grad.size and x.size:
        unfold = _Unfolding(x, kernel, stride, padding, dilation, groups, out, outputs)
        for start in range(0, batch, unfold.block):
            stop = min(start + unfold.block, batch)
            part = _compute(grad[start:stop]).reshape(stop - start, groups, outputs // groups, prod(out))
            part = part.transpose(1, 2, 0, 3).reshape(groups, outputs // groups, -1)
            total += matrix_product(part, unfold(start, stop).transpose(0, 2, 1))
    return total.reshape(outputs, channels, *kernel).astype(grad.dtype, copy=False)
