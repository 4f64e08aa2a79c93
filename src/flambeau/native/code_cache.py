"""Compiled kernels by key: each is compiled once in a process, and once on a computer."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from .kernel import Kernel, KernelBuilder
from .machine import machine

_addresses: dict[str, int] = {}


def symbol_of(kernel: Kernel) -> str:
    """The symbol of a kernel's function."""
    return "kernel_" + hashlib.sha256(kernel.key.encode()).hexdigest()[:24]


def address_of(kernel: Kernel) -> int:
    """Where the code of a kernel is that :func:`compile_kernels` has compiled."""
    return _addresses[kernel.key]


def compile_kernels(kernels: Sequence[Kernel]) -> None:
    """See to it that every kernel's code is in memory."""
    for kernel in kernels:
        if kernel.key in _addresses:
            continue
        symbol = symbol_of(kernel)
        builder = KernelBuilder(symbol, machine().lanes)
        kernel.write(builder)
        code = machine().object_code(builder.text(), builder.declarations.values())
        (_addresses[kernel.key],) = machine().load(code, [symbol])
