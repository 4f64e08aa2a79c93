"""Compiled kernels by key: each is compiled once in a process, and once on a computer."""

from __future__ import annotations

import hashlib
import os
import sys
import threading
import time
from collections.abc import Sequence

from .blas import SYMBOLS, gemm_symbol
from .disk_cache import disk_cache
from .kernel import Kernel, KernelBuilder
from .machine import machine

_addresses: dict[str, int] = {}
_lock = threading.Lock()


class Statistics:
    """What compiling has cost so far.

    Attributes:
        compiled, loaded: how many kernels LLVM compiled, and how many came from disk.
        seconds: spent on both.
    """

    compiled = loaded = 0
    seconds = 0.0


statistics = Statistics()


def symbol_of(kernel: Kernel) -> str:
    """The symbol of a kernel's function, and the name its code is kept under."""
    return "kernel_" + hashlib.sha256(kernel.key.encode()).hexdigest()[:32]


def address_of(kernel: Kernel) -> int:
    """Where the code of a kernel is that :func:`compile_kernels` has compiled."""
    return _addresses[kernel.key]


def compile_kernels(kernels: Sequence[Kernel]) -> None:
    """See to it that every kernel's code is in memory."""
    log = os.environ.get("FLAMBEAU_LOG", "").split(",")
    started = time.perf_counter()
    with _lock:
        for kernel in kernels:
            if kernel.key not in _addresses:
                _addresses[kernel.key] = _compile(kernel, log)
    statistics.seconds += time.perf_counter() - started


def _compile(kernel: Kernel, log: Sequence[str]) -> int:
    symbol = symbol_of(kernel)
    code = disk_cache().read(symbol)
    from_disk = code is not None
    if code is None or "kernels" in log:
        builder = KernelBuilder(symbol, machine().lanes)
        kernel.write(builder)
        if "kernels" in log:
            print(f"; {kernel.name}\n; {kernel.key}\n{builder.text()}", file=sys.stderr)
        if code is None:
            code = machine().object_code(builder.text(), builder.declarations.values())
            disk_cache().write(symbol, code)
    for kind, name in SYMBOLS.items():
        if name.encode() in code:  # a kernel from disk has not asked for it
            gemm_symbol(kind)
    statistics.loaded += from_disk
    statistics.compiled += not from_disk
    if "cache" in log:
        print(f"flambeau: kernel {symbol[7:15]} {'from disk' if from_disk else 'compiled'}: {kernel.name}", file=sys.stderr)
    (address,) = machine().load(code, [symbol])
    return address
