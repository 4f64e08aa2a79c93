"""Products of matrices by NumPy's BLAS, on as many threads as they are worth.

OpenBLAS takes every thread it has for a product of 65³ already. Its threads wait for each other by spinning: where other
processes want the cores, data loader workers say, a product of 25 µs then takes 40 ms.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.threads import get_num_threads

#: Up to this many multiplications OpenBLAS uses one thread of its own accord: of two matrices, of a matrix and a vector.
SMALL, SMALL_WITH_VECTOR = 1 << 18, 9216
#: From this many on (some milliseconds on one thread), threads are worth waiting for.
LARGE = 1 << 27

Setter = Callable[[int], Any]


class _Threads:
    """OpenBLAS's number of threads; ``set`` is None until looked for, and False where NumPy uses another library."""

    set: Setter | bool | None = None
    count = 1

    @classmethod
    def find(cls) -> Setter | bool:
        """Look for OpenBLAS among the libraries NumPy was linked with."""
        import ctypes

        cls.set = False
        try:
            library = ctypes.CDLL(np._core._multiarray_umath.__file__)  # type: ignore[attr-defined]
        except (AttributeError, OSError):
            return False
        for prefix, suffix in (("scipy_", "64_"), ("scipy_", ""), ("", "64_"), ("", "")):
            setter = getattr(library, f"{prefix}openblas_set_num_threads{suffix}", None)
            getter = getattr(library, f"{prefix}openblas_get_num_threads{suffix}", None)
            if setter is not None and getter is not None:
                cls.set, cls.count = setter, getter()
                break
        return cls.set


def matrix_product(x: Any, y: Any, out: Any = None) -> Any:
    """``np.matmul(x, y, out)``; a product too small for several threads takes one."""
    rows, columns = x.shape[-2], y.shape[-1]
    work = rows * columns * x.shape[-1]
    if work <= SMALL and (work <= SMALL_WITH_VECTOR or (rows > 1 and columns > 1)):
        return np.matmul(x, y, out=out)
    set_threads = _Threads.find() if _Threads.set is None else _Threads.set
    wanted = get_num_threads() if work >= LARGE else 1
    if not set_threads or wanted >= _Threads.count:
        return np.matmul(x, y, out=out)
    set_threads(wanted)  # type: ignore[operator]
    try:
        return np.matmul(x, y, out=out)
    finally:
        set_threads(_Threads.count)  # type: ignore[operator]
