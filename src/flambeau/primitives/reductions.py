"""Primitives that fold dimensions away: sums, products, extremes, and where the extremes are."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.dtypes import dtype, int64
from .registry import primitive
from .values import Value

Axes = tuple[int, ...]


def _reduced(x: Value, *, axes: Axes, **_: Any) -> Any:
    """Shape rule: the axes disappear."""
    return tuple(size for axis, size in enumerate(x.shape) if axis not in axes), x.dtype


def _as_dtype_reduced(x: Value, *, axes: Axes, dtype: dtype) -> Any:
    return _reduced(x, axes=axes)[0], dtype


@primitive(_as_dtype_reduced)
def reduce_sum(x: Any, *, axes: Axes, dtype: dtype) -> Any:
    """The sum over ``axes``, accumulated and returned in ``dtype``; narrow floats accumulate in float32."""
    to = dtype.numpy
    if x.dtype is to and to.itemsize >= 4:
        return np.add.reduce(x, axis=axes)  # a microsecond less than np.sum
    return np.add.reduce(x, axis=axes, dtype=dtype.compute.numpy).astype(to, copy=False)


@primitive(_as_dtype_reduced)
def reduce_product(x: Any, *, axes: Axes, dtype: dtype) -> Any:
    """The product over ``axes``."""
    return np.prod(x, axis=axes, dtype=dtype.compute.numpy).astype(dtype.numpy, copy=False)


@primitive(_reduced)
def reduce_max(x: Any, *, axes: Axes) -> Any:
    """The greatest element over ``axes``; NaN where there is one."""
    return np.max(x, axis=axes)


@primitive(_reduced)
def reduce_min(x: Any, *, axes: Axes) -> Any:
    """The least element over ``axes``; NaN where there is one."""
    return np.min(x, axis=axes)


@primitive(_reduced)
def reduce_any(x: Any, *, axes: Axes) -> Any:
    """Whether some boolean holds."""
    return np.any(x, axis=axes)


@primitive(_reduced)
def reduce_all(x: Any, *, axes: Axes) -> Any:
    """Whether every boolean holds."""
    return np.all(x, axis=axes)


def _index_shape(x: Value, *, axis: int) -> Any:
    return x.shape[:axis] + x.shape[axis + 1 :], int64


@primitive(_index_shape)
def argument_max(x: Any, *, axis: int) -> Any:
    """The index of the first greatest element along ``axis``; NaN counts as greatest."""
    return np.argmax(x, axis=axis)


@primitive(_index_shape)
def argument_min(x: Any, *, axis: int) -> Any:
    """The index of the first least element along ``axis``; NaN counts as least."""
    return np.argmin(x, axis=axis)
