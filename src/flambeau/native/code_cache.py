"""Compiled kernels by key: each is compiled once in a process, and once on a computer."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence

from ..tracing.log import log
from .disk_cache import disk_cache
from .kernel import Kernel, KernelBuilder
from .machine import compiling, machine

_addresses: dict[str, int] = {}


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
    return _symbol(kernel.key)


def _symbol(key: str) -> str:
    return "kernel_" + hashlib.sha256(key.encode()).hexdigest()[:32]


def address_of(kernel: Kernel) -> int:
    """Where the code of a kernel is that :func:`compile_kernels` has compiled."""
    return _addresses[kernel.key]


def symbols_in_use() -> list[str]:
    """The names under which this process's kernels are kept."""
    return [_symbol(key) for key in list(_addresses)]


def compile_kernels(kernels: Sequence[Kernel]) -> None:
    """See to it that every kernel's code is in memory."""
    started = time.perf_counter()
    for kernel in kernels:
        with compiling:  # given up after each, for whoever waits
            if kernel.key not in _addresses:
                _addresses[kernel.key] = _compile(kernel)
    statistics.seconds += time.perf_counter() - started


def _compile(kernel: Kernel) -> int:
    symbol = symbol_of(kernel)
    code = disk_cache().read(symbol)
    from_disk = code is not None
    if code is None or log.kernels:
        builder = KernelBuilder(symbol, machine().lanes)
        kernel.write(builder)
        if log.kernels:
            log.say(f"; {kernel.name}\n; {kernel.key}\n{builder.text()}")
        if code is None:
            code = machine().object_code(builder.text(), builder.declarations.values())
            disk_cache().write(symbol, code)
    statistics.loaded += from_disk
    statistics.compiled += not from_disk
    if log.cache:
        log.say(f"flambeau: kernel {symbol[7:15]} {'from disk' if from_disk else 'compiled'}: {kernel.name}")
    (address,) = machine().load(code, [symbol])
    return address
