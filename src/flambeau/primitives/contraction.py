"""Primitives for products summed over a dimension: matrix multiplication."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.strides import broadcast
from .products import matrix_product
from .registry import primitive
from .values import Value


def _matmul_shape(x: Value, y: Value) -> Any:
    assert x.dtype is y.dtype, f"matrix_multiply: {x.dtype} and {y.dtype}"
    return (*broadcast(x.shape[:-2], y.shape[:-2]), x.shape[-2], y.shape[-1]), x.dtype


@primitive(_matmul_shape)
def matrix_multiply(x: Any, y: Any) -> Any:
    """x @ y over the last two dimensions; leading ones broadcast. Narrow floats are multiplied in float32."""
    if x.dtype.itemsize < 4 and x.dtype.kind not in "iub":
        return matrix_product(x.astype(np.float32), y.astype(np.float32)).astype(x.dtype)
    return matrix_product(x, y)
