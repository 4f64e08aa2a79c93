"""Memory between pages that nobody may touch: reading or writing one element too far ends the process."""

from __future__ import annotations

import ctypes
import mmap
from typing import Any

import numpy as np

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long)
_libc.mprotect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
_PAGE = mmap.PAGESIZE
_SLOT = 64 * _PAGE


class Guarded:
    """So many slots of memory, each with a page before and after it that must not be touched. Used again from the first on
    after :meth:`reset`, when no array on them is in use any more."""

    def __init__(self, slots: int = 192) -> None:
        self.slots, self.used = slots, 0
        step = _SLOT + 2 * _PAGE
        base = _libc.mmap(None, slots * step, 3, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, 0)
        assert base not in (None, ctypes.c_void_p(-1).value)
        self._starts = [base + k * step + _PAGE for k in range(slots)]
        for start in self._starts:
            assert _libc.mprotect(start - _PAGE, _PAGE, 0) == 0
            assert _libc.mprotect(start + _SLOT, _PAGE, 0) == 0

    def reset(self) -> None:
        """Use all slots again."""
        self.used = 0

    def empty(self, shape: Any, dtype: Any, at_end: bool = True) -> Any:
        """An array that ends where the slot ends, or begins where it begins; an ordinary one where it does not fit."""
        dtype = np.dtype(dtype)
        shape = (shape,) if isinstance(shape, int) else tuple(shape)
        size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        if self.used == self.slots or size > _SLOT or not size:
            return np.empty(shape, dtype)
        start = self._starts[self.used]
        self.used += 1
        whole = (ctypes.c_char * _SLOT).from_address(start)
        ctypes.memset(start, 0xA5, _SLOT)
        offset = _SLOT - size if at_end else 0
        return np.ndarray(shape, dtype, whole, offset)
