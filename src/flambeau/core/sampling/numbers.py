"""What the samplers share: shapes, rounding to the dtype asked for, and the C library's functions."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import ml_dtypes
import numpy as np

from ..faster_sampling import faster

Array = np.ndarray[Any, Any]
Shape = int | Sequence[int]

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
_SCALAR_LOOP = 16

# Numbers handled at a time in long computations: their temporaries stay in the processor's second-level cache.
CHUNK = 1 << 14


def count_of(shape: Shape) -> int:
    """How many numbers an array of ``shape`` has."""
    return shape if isinstance(shape, int) else math.prod(shape)


def real_part(dtype: Any) -> np.dtype[Any] | None:
    """The dtype of a complex dtype's parts; None for any other."""
    wanted = np.dtype(dtype)
    return np.dtype(f"f{wanted.itemsize // 2}") if wanted.kind == "c" else None


def rounded(numbers: Array, dtype: Any, shape: Shape) -> Array:
    """float64 ``numbers`` as ``dtype`` in ``shape``: narrow floats by way of float32, integers cut off and wrapped."""
    wanted = np.dtype(dtype)
    if wanted == BFLOAT16 or (wanted.kind == "f" and wanted.itemsize < 4):
        with np.errstate(over="ignore"):
            numbers = numbers.astype(np.float32)
    elif wanted.kind in "iu" and wanted.itemsize < 8:
        numbers = numbers.astype(np.int64)
    with np.errstate(over="ignore", invalid="ignore"):
        return numbers.astype(wanted, copy=False).reshape(shape)


def in_memory_order(shape: Sequence[int], strides: Sequence[int], sample: Callable[[tuple[int, ...]], Array]) -> Array:
    """``sample`` of ``shape``, drawn in the order in which elements with those strides lie in memory."""
    order = sorted(range(len(shape)), key=lambda axis: -strides[axis])
    drawn = sample(tuple(shape[axis] for axis in order))
    return drawn.transpose([order.index(axis) for axis in range(len(shape))])


def exactly(function: Callable[[float], float], numbers: Array) -> Array:
    """``function`` from ``math`` of every number. NumPy's own differ from the C library's in a float64's last bit."""
    fast = faster.of(numbers.size)
    compiled: Array | None = None if fast is None else fast.applied(function.__name__, numbers)
    if compiled is not None:
        return compiled
    return np.fromiter(map(function, numbers.ravel().tolist()), np.float64, numbers.size).reshape(numbers.shape)


def libm(function: Callable[[float], float], numbers: Array, dtype: Any) -> Array:
    """``math``'s ``function`` where its last bit shows: in float64, or where there are few; elsewhere NumPy's."""
    if numbers.size <= _SCALAR_LOOP or np.dtype(dtype) == np.float64:
        return exactly(function, numbers)
    fast: Array = getattr(np, function.__name__)(numbers)
    return fast


def unit_circle(angles: Array) -> Array:
    """cos + i sin of each angle; through the complex exponential, which is the C library's sincos."""
    fast = faster.of(angles.size)
    if fast is not None:
        parts = np.empty((*angles.shape, 2), np.float64)
        parts[..., 0], parts[..., 1] = fast.applied("cos", angles), fast.applied("sin", angles)
        return parts.view(np.complex128)[..., 0]
    turned: Array = np.exp(1j * angles)
    return turned
