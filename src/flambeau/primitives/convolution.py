"""Primitives for convolution in any number of dimensions: forward, and the gradients of input and weight.

Arrays are laid out (batch, channels, *spatial*); weights (out channels, in channels / groups, *kernel*). The reference
unfolds the windows of the input into columns and multiplies matrices, one product a group.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from .registry import primitive
from .values import Value

Ints = tuple[int, ...]


def _compute(x: Any) -> Any:
    """Narrow floats are convolved in float32."""
    return x.astype(np.float32) if x.dtype.itemsize < 4 and x.dtype.kind not in "iub" else x


def output_sizes(sizes: Ints, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints) -> Ints:
    """⌊(size + 2·padding - dilation·(kernel - 1) - 1) / stride⌋ + 1 for each dimension."""
    return tuple(
        (n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in zip(sizes, kernel, stride, padding, dilation)
    )


def padded(x: Any, padding: Ints, value: Any = 0) -> Any:
    """``x`` with its spatial dimensions padded on both sides."""
    if not any(padding):
        return x
    lead = x.ndim - len(padding)
    shape = x.shape[:lead] + tuple(n + 2 * p for n, p in zip(x.shape[lead:], padding))
    result = np.full(shape, value, x.dtype)
    result[(..., *(slice(p, p + n) for n, p in zip(x.shape[lead:], padding)))] = x
    return result


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


def _columns(x: Any, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, groups: int, out: Ints) -> Any:
    view = windows(padded(_compute(x), padding), kernel, stride, dilation, out)
    return view.reshape(x.shape[0], groups, x.shape[1] // groups * prod(kernel), prod(out))


def _convolution_shape(x: Value, w: Value, *, stride: Ints, padding: Ints, dilation: Ints, groups: int) -> Any:
    return (x.shape[0], w.shape[0], *output_sizes(x.shape[2:], w.shape[2:], stride, padding, dilation)), x.dtype


@primitive(_convolution_shape)
def convolution(x: Any, w: Any, *, stride: Ints, padding: Ints, dilation: Ints, groups: int) -> Any:
    """The cross-correlation of x with w."""
    kernel = w.shape[2:]
    out = output_sizes(x.shape[2:], kernel, stride, padding, dilation)
    columns = _columns(x, kernel, stride, padding, dilation, groups, out)
    matrix = _compute(w).reshape(groups, w.shape[0] // groups, -1)
    return np.matmul(matrix, columns).reshape(x.shape[0], w.shape[0], *out).astype(x.dtype, copy=False)


def _input_shape(grad: Value, w: Value, *, sizes: Ints, groups: int, **_: Any) -> Any:
    return (grad.shape[0], w.shape[1] * groups, *sizes), grad.dtype


@primitive(_input_shape)
def convolution_input_gradient(
    grad: Any, w: Any, *, sizes: Ints, stride: Ints, padding: Ints, dilation: Ints, groups: int
) -> Any:
    """The adjoint of convolution in its input, whose spatial sizes are ``sizes``; also the transposed convolution."""
    kernel, out = w.shape[2:], grad.shape[2:]
    batch, channels = grad.shape[0], w.shape[1]
    matrix = _compute(w).reshape(groups, w.shape[0] // groups, -1).transpose(0, 2, 1)
    columns = np.matmul(matrix, _compute(grad).reshape(batch, groups, w.shape[0] // groups, prod(out)))
    columns = columns.reshape(batch, groups * channels, *kernel, *out)
    result = np.zeros((batch, groups * channels, *(n + 2 * p for n, p in zip(sizes, padding))), columns.dtype)
    for place in np.ndindex(*kernel):
        target = tuple(
            slice(k * d, k * d + (n - 1) * s + 1, s) for k, d, n, s in zip(place, dilation, out, stride)
        )
        result[(..., *target)] += columns[(slice(None), slice(None), *place)]
    inside = tuple(slice(p, p + n) for n, p in zip(sizes, padding))
    return np.ascontiguousarray(result[(..., *inside)]).astype(grad.dtype, copy=False)


def _weight_shape(grad: Value, x: Value, *, kernel: Ints, groups: int, **_: Any) -> Any:
    return (grad.shape[1], x.shape[1] // groups, *kernel), grad.dtype


@primitive(_weight_shape)
def convolution_weight_gradient(
    grad: Any, x: Any, *, kernel: Ints, stride: Ints, padding: Ints, dilation: Ints, groups: int
) -> Any:
    """The adjoint of convolution in its weight, whose spatial sizes are ``kernel``."""
    out = grad.shape[2:]
    columns = _columns(x, kernel, stride, padding, dilation, groups, out)
    flat = _compute(grad).reshape(grad.shape[0], groups, grad.shape[1] // groups, prod(out))
    parts = [np.tensordot(flat[:, g], columns[:, g], axes=([0, 2], [0, 2])) for g in range(groups)]
    return np.stack(parts).reshape(grad.shape[1], x.shape[1] // groups, *kernel).astype(grad.dtype, copy=False)
