"""Numbers in few characters: values and gradients as they stand in a box or on a line."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..tracing.recorder import array_of

#: Tensors of so many elements are written out.
WRITTEN_OUT = 6


def number(value: Any) -> str:
    """A number with four digits."""
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value))
    if isinstance(value, complex):
        return f"{value:.4g}"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def shape(spec: Any) -> str:
    """A shape and a dtype: "[2, 3] float32"; the dtype alone for a number."""
    name = spec.dtype.name
    return f"{list(spec.shape)} {name}" if spec.ndim else name


def value(tensor: Any, length: bool = False) -> str:
    """A tensor's numbers: written out when they are few, else from the least to the largest, or their ``length``."""
    array = np.asarray(array_of(tensor._cell))
    if array.dtype.isbuiltin != 1:
        array = array.astype(np.float32)
    if array.ndim == 0:
        return number(array.item())
    if array.size <= WRITTEN_OUT:
        return _nested(array.tolist())
    if array.dtype.kind in "fc" and length:
        return f"length {number(float(np.sqrt((np.abs(array).astype(np.float64) ** 2).sum())))}"
    if array.dtype.kind == "c":
        return f"{array.size} complex numbers"
    low, high = number(array.min().item()), number(array.max().item())
    return low if low == high else f"{low} … {high}"


def _nested(value: Any) -> str:
    return "[" + ", ".join(map(_nested, value)) + "]" if isinstance(value, list) else number(value)
