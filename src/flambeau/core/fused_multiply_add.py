"""``a * b + c`` with one rounding, which NumPy lacks and PyTorch's compiled sampling kernels use.

For float32 a float64 holds the product exactly; for float64 the product's error is recovered by Dekker's splitting
("A floating-point technique for extending the available precision", 1971) and the sum's by Knuth's two-sum.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

_BELOW_FLOAT32, _HALFWAY = np.int64((1 << 29) - 1), np.int64(1 << 28)
_SPLITTER = 2.0**27 + 1.0
_LARGEST_TO_SPLIT = 2.0**480


def fused_float32(factor: Array, scale: float, offset: float) -> Array:
    """``factor * scale + offset`` of float32 numbers (a float32 array, and two numbers float32 can hold)."""
    total = factor.astype(np.float64)
    total *= scale
    total += offset
    if offset:
        _avoid_double_rounding(total, factor, scale, offset)
    return total.astype(np.float32)


def _avoid_double_rounding(total: Array, factor: Array, scale: float, offset: float) -> None:
    """Move sums that float64 rounded *onto* a midpoint between two float32 numbers to the side they came from."""
    bits = total.view(np.int64) & _BELOW_FLOAT32
    suspects = np.flatnonzero(bits == _HALFWAY)
    if suspects.size:
        product = factor.reshape(-1)[suspects].astype(np.float64) * scale
        rounded = total.reshape(-1)[suspects]
        error = _sum_error(product, offset, rounded)
        total.reshape(-1)[suspects] = np.where(
            error == 0, rounded, np.nextafter(rounded, np.where(error > 0, np.inf, -np.inf))
        )


def fused_float64(factor: Array, scale: float, offset: float) -> Array:
    """``factor * scale + offset`` of float64 numbers."""
    product = factor * scale
    if offset == 0 or not abs(scale) < _LARGEST_TO_SPLIT:
        return product + offset
    if scale == 1:
        return factor + offset
    high = _high_half(factor)
    scale_high = (scale * _SPLITTER) - (scale * _SPLITTER - scale)
    scale_low = scale - scale_high
    low = factor - high
    product_error = ((high * scale_high - product) + high * scale_low + low * scale_high) + low * scale_low
    total = product + offset
    fused: Array = total + (product_error + _sum_error(product, offset, total))
    # The corrections are meaningless where something overflowed; there the plain result is right.
    return np.where(np.isfinite(fused), fused, total)


def _high_half(numbers: Array) -> Array:
    scaled = numbers * _SPLITTER
    return scaled - (scaled - numbers)


def _sum_error(left: Array, right: float, total: Array) -> Array:
    """What ``total = left + right`` lost by rounding, exactly."""
    virtual = total - left
    return (left - (total - virtual)) + (right - virtual)
