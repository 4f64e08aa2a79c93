"""``Spec``: everything about a tensor but its numbers and where they lie. Specs are interned.

Two tensors with the same shape, strides, dtype and device share one ``Spec`` object, so that looking up what an
operator does to its operands is a dictionary look-up keyed by identities.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any
from weakref import WeakValueDictionary

from . import strides as _strides
from .devices import cpu, device
from .dtypes import as_dtype, dtype
from .sizes import Size


class Spec:
    """Shape, strides (in elements), dtype and device of a tensor. Make one with :func:`spec`."""

    __slots__ = ("__weakref__", "device", "dtype", "is_contiguous", "is_dense", "nbytes", "ndim", "numel", "shape", "strides")

    shape: Size
    strides: tuple[int, ...]
    dtype: dtype
    device: device
    ndim: int
    numel: int
    nbytes: int
    is_contiguous: bool
    is_dense: bool

    def __repr__(self) -> str:
        place = "" if self.is_contiguous else f", strides={list(self.strides)}"
        return f"{self.dtype.name}{list(self.shape)}{place}"


_interned: WeakValueDictionary[Any, Spec] = WeakValueDictionary()
#: Row-major ones asked for lately, which are most: their strides need not be worked out to find them.
_row_major: dict[Any, Spec] = {}
_MOST = 4096


def spec(shape: Sequence[int], dtype: dtype, strides: Sequence[int] | None = None, device: device = cpu) -> Spec:
    """The one Spec with these properties; row-major when no strides are given."""
    if strides is None:
        if device is cpu:
            short = (tuple(shape), dtype)
            found = _row_major.get(short)
            if found is None:
                found = spec(shape, dtype, _strides.contiguous(shape), device)
                if len(_row_major) >= _MOST:
                    _row_major.clear()
                _row_major[short] = found
            return found
        strides = _strides.contiguous(shape)
    key = (tuple(shape), tuple(strides), dtype, device)
    found = _interned.get(key)
    if found is None:
        if type(dtype) is type:  # float, say
            return spec(shape, as_dtype(dtype, "spec"), strides, device)
        found = Spec.__new__(Spec)
        found.shape, found.strides, found.dtype, found.device = Size(shape), key[1], dtype, device
        found.ndim, found.numel = len(key[0]), prod(key[0])
        found.nbytes = found.numel * dtype.itemsize
        found.is_contiguous = _strides.is_contiguous(shape, strides)
        found.is_dense = _strides.is_dense(shape, strides)
        _interned[key] = found
    return found


def contiguous(of: Spec) -> Spec:
    """The same shape and dtype, row-major."""
    return of if of.strides == _strides.contiguous(of.shape) else spec(of.shape, of.dtype, None, of.device)
