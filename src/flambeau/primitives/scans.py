"""Primitives that run along an axis: cumulative sums, products, extremes."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.dtypes import dtype
from .registry import primitive
from .values import Value

_SCANS = {
    "add": np.add, "multiply": np.multiply, "maximum": np.maximum, "minimum": np.minimum, "logaddexp": np.logaddexp,
}  # fmt: skip


def _log_add_exp(x: Any, y: Any) -> Any:
    """log(eˣ + eʸ) of complex numbers, scaled by the one with the greater real part."""
    swap = x.real < y.real
    great, small = np.where(swap, y, x), np.where(swap, x, y)
    total = great + np.log1p(np.exp(small - great))
    return np.where(np.isneginf(great.real), -np.inf, total)


def _complex_log_scan(x: Any, axis: int) -> Any:
    result = x.copy()
    rows, sums = np.moveaxis(x, axis, 0), np.moveaxis(result, axis, 0)
    for k in range(1, len(rows)):
        sums[k] = _log_add_exp(sums[k - 1], rows[k])
    return result


def _scan_shape(x: Value, *, axis: int, combine: str, dtype: dtype) -> Any:
    return x.shape, dtype


@primitive(_scan_shape)
def scan(x: Any, *, axis: int, combine: str, dtype: dtype) -> Any:
    """Each element combined with all before it along ``axis``; narrow floats are accumulated in float32."""
    if combine == "logaddexp" and x.dtype.kind == "c":
        return _complex_log_scan(x, axis)
    return _SCANS[combine].accumulate(x, axis=axis, dtype=dtype.compute.numpy).astype(dtype.numpy, copy=False)
