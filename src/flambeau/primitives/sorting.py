"""Primitives of order: sorting by index, ordering rows, looking up in sorted numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.dtypes import int64
from .registry import primitive
from .values import Value


def _sortable(x: Any) -> Any:
    """The array, in a dtype NumPy itself can order."""
    return x if x.dtype.kind in "biufc" else x.astype(np.float32)


def _index_shape(x: Value, *, axis: int, descending: bool) -> Any:
    return x.shape, int64


@primitive(_index_shape)
def argument_sort(x: Any, *, axis: int, descending: bool) -> Any:
    """The indices that sort along ``axis``, equal elements in their order; NaN is greatest."""
    x = _sortable(x)
    if not descending:
        return np.argsort(x, axis=axis, kind="stable").astype(np.int64, copy=False)
    turned = np.argsort(np.flip(x, axis), axis=axis, kind="stable")
    return np.ascontiguousarray(x.shape[axis] - 1 - np.flip(turned, axis)).astype(np.int64, copy=False)


def _row_shape(x: Value) -> Any:
    return x.shape[:1], int64


@primitive(_row_shape)
def row_order(x: Any) -> Any:
    """The order of a matrix's rows by their elements, the first column deciding first; equal rows in their order."""
    if not x.shape[1]:
        return np.arange(x.shape[0])
    return np.lexsort(_sortable(x).T[::-1]).astype(np.int64, copy=False)


def _search_shape(boundaries: Value, values: Value, *, right: bool) -> Any:
    return values.shape, int64


@primitive(_search_shape)
def search_sorted(boundaries: Any, values: Any, *, right: bool) -> Any:
    """How many elements of the last axis of ``boundaries``, sorted, lie before each value (``right``: or equal it)."""
    side: Any = "right" if right else "left"
    boundaries, values = _sortable(np.asarray(boundaries)), _sortable(np.asarray(values))
    if boundaries.ndim == 1:
        return np.asarray(np.searchsorted(boundaries, values, side), np.int64)
    if not values.size:
        return np.empty(values.shape, np.int64)
    rows = boundaries.reshape(int(np.prod(boundaries.shape[:-1])), boundaries.shape[-1])
    wanted = values.reshape(len(rows), -1)
    found = np.empty(wanted.shape, np.int64)
    for k, row in enumerate(rows):
        found[k] = np.searchsorted(row, wanted[k], side)
    return found.reshape(values.shape)
