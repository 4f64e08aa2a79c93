"""OpenBLAS by its C symbols, single-threaded: a ceiling for matrix products.

The library is ``scipy-openblas32``, of which NumPy's own copy is no part. It is told to use one thread, and starts none.
"""

from __future__ import annotations

import ctypes
import os
from functools import lru_cache

#: CBLAS's numbers.
ROW_MAJOR, NO_TRANSPOSE = 101, 111

_VARIABLE = "OPENBLAS_NUM_THREADS"


@lru_cache(1)
def library() -> ctypes.CDLL:
    """The library, loaded once. ImportError: it is not installed."""
    import scipy_openblas32

    folder = scipy_openblas32.get_lib_dir()
    (name,) = (each for each in sorted(os.listdir(folder)) if each.split(".")[-1] in ("so", "dylib", "dll"))
    before = os.environ.get(_VARIABLE)
    os.environ[_VARIABLE] = "1"  # read while it is loaded: no threads are started that nobody uses
    try:
        loaded = ctypes.CDLL(os.path.join(folder, name))
    finally:
        if before is None:
            del os.environ[_VARIABLE]
        else:
            os.environ[_VARIABLE] = before
    loaded.scipy_openblas_set_num_threads(1)
    return loaded
