"""What the machine can do at most, measured: ``python benchmarks/ceilings.py``.

- arithmetic: multiply-adds on registers alone, in as many independent chains as hide their latency;
- GEMM: OpenBLAS's sgemm, 1024×1024×1024, one call a thread;
- bandwidth: reading 128 MiB, and copying 64 MiB to 64 MiB already touched (counted twice, as STREAM does);
- fork and join: a step of the runtime with nothing to do, shared by the pool.

The loops are written with the native tier's ``Builder`` and run on Python threads, each on its own piece.
"""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import openblas

from flambeau.core.threads import get_num_threads
from flambeau.native.builder import Builder, constant, vector
from flambeau.native.machine import machine
from flambeau.native.runtime import HEADER, STEP, runtime

_CHAINS = 16
_BYTES = 128 << 20


class Ceilings(NamedTuple):
    """For one thread and for all: operations and bytes a second, and seconds to fork and join."""

    threads: int
    arithmetic: tuple[float, float]
    gemm: tuple[float, float]
    reading: tuple[float, float]
    copying: tuple[float, float]
    fork_join: float

    def text(self) -> str:
        """As a table in Markdown."""
        lines = [
            f"| ceiling | 1 thread | {self.threads} threads |",
            "| --- | ---: | ---: |",
            "| float32 multiply-adds | " + " | ".join(f"{each / 1e9:.0f} GFLOP/s" for each in self.arithmetic) + " |",
            "| GEMM 1024³ (OpenBLAS) | " + " | ".join(f"{each / 1e9:.0f} GFLOP/s" for each in self.gemm) + " |",
            "| reading memory | " + " | ".join(f"{each / 1e9:.1f} GB/s" for each in self.reading) + " |",
            "| copying memory | " + " | ".join(f"{each / 1e9:.1f} GB/s" for each in self.copying) + " |",
            f"| fork and join of the pool | | {self.fork_join * 1e6:.2f} µs |",
        ]
        return "\n".join(lines)


def _function(builder: Builder, *types: type) -> Callable[..., None]:
    code = machine().object_code(builder.text(), builder.declarations.values())
    (address,) = machine().load(code, [builder.name])
    return ctypes.CFUNCTYPE(None, *types)(address)  # which gives up the GIL


def _multiply_adds() -> Callable[..., None]:
    """``f(array, count)``: ``count`` rounds of one multiply-add on each of the chains."""
    kind = vector("float", machine().lanes)
    b = Builder("ceiling_arithmetic", ("ptr", "i64"))
    array, count = b.parameters
    factor = b.load(kind, array)
    chains = [b.variable(factor) for _ in range(_CHAINS)]
    with b.loop(0, count):
        for each in chains:
            b.set(each, b.fma(b.get(each), factor, factor))
    total = b.get(chains[0])
    for each in chains[1:]:
        total = b.add(total, b.get(each))
    b.store(total, array)
    b.done()
    return _function(b, ctypes.c_void_p, ctypes.c_int64)


def _reader() -> Callable[..., None]:
    """``f(array, count)``: add ``count`` floats up, into the first."""
    kind, lanes = vector("float", machine().lanes), machine().lanes
    b = Builder("ceiling_reading", ("ptr", "i64"))
    array, count = b.parameters
    sums = [b.variable(b.load(kind, array)) for _ in range(8)]
    with b.loop(0, count, 8 * lanes) as i:
        for k, each in enumerate(sums):
            b.set(each, b.add(b.get(each), b.load(kind, b.at(b.at(array, "float", i), "float", k * lanes))))
    total = b.get(sums[0])
    for each in sums[1:]:
        total = b.add(total, b.get(each))
    b.store(total, array)
    b.done()
    return _function(b, ctypes.c_void_p, ctypes.c_int64)


def _best(work: Callable[[int], None], threads: int, rounds: int = 7) -> float:
    """Seconds for ``work(k)`` on every thread at once; the best of some rounds."""
    best = float("inf")
    for _ in range(rounds):
        barrier = threading.Barrier(threads + 1)

        def run(k: int, barrier: threading.Barrier = barrier) -> None:
            barrier.wait()
            work(k)

        workers = [threading.Thread(target=run, args=(k,)) for k in range(threads)]
        for each in workers:
            each.start()
        barrier.wait()
        began = time.perf_counter()
        for each in workers:
            each.join()
        best = min(best, time.perf_counter() - began)
    return best


def _fork_join() -> float:
    """Seconds that a step of an item for each thread takes longer than one item alone: what sharing it costs."""
    b = Builder("ceiling_item", ("ptr", "i64", "i64", "ptr"))
    _, begin, end, _ = b.parameters
    value = b.variable(constant("float", 1.5))
    with b.loop(begin, end), b.loop(0, 4000):  # some microseconds
        b.set(value, b.fma(b.get(value), b.get(value), constant("float", 0.5)))
    with b.when(b.compare("oeq", b.get(value), constant("float", 0.25))):  # never, but that is not known
        b.call("llvm.trap", [])
    b.done()
    (address,) = machine().load(machine().object_code(b.text(), b.declarations.values()), [b.name])
    run, count = runtime(), 200
    run.settle()
    table, cells = np.zeros(2, np.int64), np.zeros(2, np.int64)
    header = np.zeros(len(HEADER) + 1, np.int64)

    def seconds(items: int) -> float:
        steps = np.zeros((count, len(STEP)), np.int64)
        steps[:] = address, items, cells.ctypes.data, 1, 0, table.ctypes.data
        header[HEADER.index("steps")], header[HEADER.index("failure")] = steps.ctypes.data, cells.ctypes.data + 8
        began = time.perf_counter()
        run.run(header.ctypes.data, 0, count)
        return (time.perf_counter() - began) / count

    seconds(get_num_threads())
    return max(min(seconds(get_num_threads()) for _ in range(15)) - min(seconds(1) for _ in range(15)), 0.0)


def measure() -> Ceilings:
    """Measure them all; takes about two seconds."""
    threads = get_num_threads()
    small = [np.full(machine().lanes, 0.5, np.float32) for _ in range(threads)]
    multiply_adds, rounds = _multiply_adds(), 2_000_000
    operations = 2.0 * rounds * _CHAINS * machine().lanes

    def arithmetic(k: int) -> None:
        multiply_adds(small[k].ctypes.data, rounds)

    n = 1024
    library = openblas.library()
    matrices = [[np.ones((n, n), np.float32) for _ in range(3)] for _ in range(threads)]
    one, pointer, word = ctypes.c_float(1), ctypes.c_void_p, ctypes.c_int32

    def gemm(k: int) -> None:
        a, b, c = (pointer(each.ctypes.data) for each in matrices[k])
        plain, size = word(openblas.NO_TRANSPOSE), word(n)
        library.scipy_cblas_sgemm(
            word(openblas.ROW_MAJOR), plain, plain, size, size, size, one, a, size, b, size, ctypes.c_float(0), c, size
        )

    reader, source, target = _reader(), np.ones(_BYTES // 4, np.float32), np.ones(_BYTES // 8, np.float32)

    def piece(array: np.ndarray, k: int, parts: int) -> np.ndarray:
        step = array.size // parts // 1024 * 1024
        return array[k * step : (k + 1) * step]

    def rate(amount: float, work: Callable[[int], None], threads: int) -> float:
        return amount / _best(work, threads)

    def reading(parts: int) -> float:
        def work(k: int) -> None:
            part = piece(source, k, parts)
            reader(part.ctypes.data, part.size)

        return rate(_BYTES, work, parts)

    def copying(parts: int) -> float:
        return rate(_BYTES, lambda k: np.copyto(piece(target, k, parts), piece(source, k, parts)[: target.size // parts]), parts)

    return Ceilings(
        threads,
        (rate(operations, arithmetic, 1), rate(threads * operations, arithmetic, threads)),
        (rate(2.0 * n**3, gemm, 1), rate(threads * 2.0 * n**3, gemm, threads)),
        (reading(1), reading(threads)),
        (copying(1), copying(threads)),
        _fork_join(),
    )


if __name__ == "__main__":
    print(measure().text())
