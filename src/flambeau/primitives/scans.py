"""Primitives that run along an axis: cumulative sums, products, extremes."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.dtypes import dtype
from .registry import primitive
from .values import Value

_SCANS = {"add": np.add, "multiply": np.multiply, "maximum": np.maximum, "minimum": np.minimum, "logaddexp": np.logaddexp}


def _scan_shape(x: Value, *, axis: int, combine: str, dtype: dtype) -> Any:
    return x.shape, dtype


@primitive(_scan_shape)
def scan(x: Any, *, axis: int, combine: str, dtype: dtype) -> Any:
    """Each element combined with all before it along ``axis``; narrow floats are accumulated in float32."""
    return _SCANS[combine].accumulate(x, axis=axis, dtype=dtype.compute.numpy).astype(dtype.numpy, copy=False)
