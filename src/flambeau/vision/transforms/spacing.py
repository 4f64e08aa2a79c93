"""Evenly spaced numbers as arrays, kept: pictures of one size ask for the same ones again and again."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ...core.dtypes import float32
from ...operators.ranges import linspace

__all__ = ["evenly_spaced"]


@lru_cache(maxsize=256)
def evenly_spaced(start: float, end: float, count: int) -> Any:
    """``count`` float32 numbers from ``start`` to ``end``, both included; a read-only array.

    >>> evenly_spaced(0.0, 1.0, 3).tolist()
    [0.0, 0.5, 1.0]
    """
    numbers = linspace(start, end, count, dtype=float32).numpy()
    numbers.flags.writeable = False
    return numbers
