"""Evenly spaced float32 numbers, as PyTorch's kernels compute them: from both ends, with one rounding each."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

__all__ = ["evenly_spaced"]


@lru_cache(maxsize=256)
def evenly_spaced(start: float, end: float, count: int) -> Any:
    """``count`` numbers from ``start`` to ``end``, both included; a read-only array.

    >>> evenly_spaced(0.0, 1.0, 3).tolist()
    [0.0, 0.5, 1.0]
    """
    low, high = np.float32(start), np.float32(end)
    if count < 2:
        return np.full(count, low)
    step = np.float64(np.float32((high - low) / np.float32(count - 1)))
    places = np.arange(count, dtype=np.float64)
    rising, falling = np.float64(low) + places * step, np.float64(high) - places[::-1] * step
    numbers = np.where(places < count // 2, rising, falling).astype(np.float32)
    numbers.flags.writeable = False
    return numbers
