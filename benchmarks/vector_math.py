"""Nanoseconds per element of the native tier's elementary functions: ``python benchmarks/vector_math.py [name ...]``."""

from __future__ import annotations

import ctypes
import sys
import time

import numpy as np

from flambeau.native.builder import Builder, vector
from flambeau.native.machine import machine
from flambeau.native.mathematics import FUNCTIONS, emit_function

TWO = ("power", "hypot", "arctan2", "floor_divide", "remainder", "truncating_remainder", "nextafter", "copysign")


def nanoseconds(name: str, kind: str) -> float:
    """Per element, one thread, arguments in the second-level cache."""
    arity = 2 if name in TWO else 1
    lanes = machine().vector_bytes // (4 if kind == "float" else 8)
    builder = Builder(f"{name}_{kind}", ("ptr",) * (arity + 1) + ("i64",))
    *arrays, result, count = builder.parameters
    with builder.loop(0, count, lanes) as i:
        operands = [builder.load(vector(kind, lanes), builder.at(array, kind, i)) for array in arrays]
        builder.store(emit_function(builder, name, *operands), builder.at(result, kind, i))
    builder.done()
    code = machine().object_code(builder.text(), builder.declarations.values())
    (address,) = machine().load(code, [builder.name])
    function = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * (arity + 1), ctypes.c_int64)(address)
    size = 65536
    generator = np.random.default_rng(0)
    inputs = [generator.uniform(0.1, 0.9, size).astype(np.float32 if kind == "float" else np.float64) for _ in range(arity)]
    output = np.empty_like(inputs[0])
    best = float("inf")
    for _ in range(100):
        start = time.perf_counter()
        function(*[each.ctypes.data for each in inputs], output.ctypes.data, size)
        best = min(best, time.perf_counter() - start)
    return best / size * 1e9


if __name__ == "__main__":
    print(f"{'function':22}{'float32':>9}{'float64':>9}  ns per element")
    for name in sys.argv[1:] or sorted(FUNCTIONS):
        print(f"{name:22}{nanoseconds(name, 'float'):9.3f}{nanoseconds(name, 'double'):9.3f}")
