"""What a step asks of the machine, counted from the shapes in its programs."""

from __future__ import annotations

import time
from collections.abc import Callable
from math import prod
from typing import Any, NamedTuple

from ceilings import Ceilings

from flambeau.native.execution import NativeProgram
from flambeau.tracing import synchronize
from flambeau.tracing.cache import cache
from flambeau.tracing.program import Program


class Work(NamedTuple):
    """Of one call.

    Attributes:
        products: operations in matrix products, convolutions and recurrences, a multiply-add being two. Convolutions
            count as by their definition, so that Winograd's saving shows as speed.
        others: results of every other line, one operation each.
        traffic: bytes that the kernels read and write, each value once for each kernel that touches it.
        seconds: how long the programs took; the rest of a step is Python.
        kernels: how many are run.
        interpreted: programs that were run without being compiled.
    """

    products: float = 0.0
    others: float = 0.0
    traffic: float = 0.0
    seconds: float = 0.0
    kernels: float = 0.0
    interpreted: float = 0.0

    def bound(self, ceilings: Ceilings) -> float:
        """The least seconds it can take: everything computed at the speed of multiply-adds, or moved at that of reading."""
        return max((self.products + self.others) / ceilings.arithmetic[1], self.traffic / ceilings.reading[1])


def _products(instruction: Any, types: Any) -> float:
    """Operations of a contraction; 0 for any other line."""
    shapes: list[tuple[int, ...]] = [types[each.index].shape if hasattr(each, "index") else () for each in instruction.operands]
    result = types[instruction.results[0]].shape
    name = instruction.primitive.name
    if name == "matrix_multiply":
        return 2.0 * prod(result) * shapes[0][-1]
    if name == "convolution":
        return 2.0 * prod(result) * prod(shapes[1][1:])
    if name == "convolution_input_gradient":
        return 2.0 * prod(shapes[0]) * prod(shapes[1][1:])
    if name == "convolution_weight_gradient":
        return 2.0 * prod(shapes[0]) * prod(result[1:])
    if name == "recurrence":
        return 2.0 * shapes[0][0] * prod(shapes[3])
    if name == "recurrence_gradient":
        return 4.0 * shapes[9][0] * prod(shapes[5])
    return 0.0


def count(program: Program, native: NativeProgram) -> Work:
    """The work of one run of a program."""
    products = others = traffic = 0.0
    for each in program.instructions:
        here = _products(each, program.types)
        products += here
        if not here and not each.primitive.aliases:
            others += sum(program.types[name].numel for name in each.results)
    types = native.graph.types
    kernels = [kernel for step in native.steps for kernel in step.kernels]
    for kernel in kernels:
        for name in {each.name for each in kernel.reads} | {each.name for each in kernel.writes}:
            if not types[name].is_number:
                traffic += types[name].numel * types[name].dtype.itemsize
    return Work(products, others, traffic, 0.0, len(kernels), 0)


class _Watched:
    """Stands in for a native program and notes its runs."""

    def __init__(self, program: Program, runs: list[tuple[Program, Any, float]]) -> None:
        self.program, self.native, self.runs = program, program.native, runs

    def __call__(self, inputs: Any, storages: Any) -> bool:
        began = time.perf_counter()
        done = self.native(inputs, storages)  # type: ignore[misc]
        self.runs.append((self.program, self.native, time.perf_counter() - began))
        return done


def observe(call: Callable[[], Any], turn: int = 5) -> Work:
    """The work of a call whose programs are compiled.

    Calls of small steps stay pending and run together, some steps to a program, so turns of many calls are looked at, and the
    mean taken.
    """
    synchronize()
    turns = max(1, round(5 / turn))
    calls = turns * turn
    runs: list[tuple[Program, Any, float]] = []
    programs = cache.programs
    interpreted = sum(each.runs for each in programs)
    watched = [each for each in programs if each.native is not None]
    for each in watched:
        each.native = _Watched(each, runs)
    try:
        for _ in range(turns):
            for _ in range(turn):
                call()
            synchronize()
    finally:
        for each in watched:
            each.native = each.native.native  # type: ignore[union-attr]
    interpreted = sum(each.runs for each in cache.programs) - interpreted
    works = [count(program, native) for program, native, _ in runs]
    best: dict[int, float] = {}
    for program, _, seconds in runs:
        best[id(program)] = min(seconds, best.get(id(program), seconds))
    total = [sum(column) / calls for column in zip(*works)] if works else [0.0] * len(Work._fields)
    total[3] = sum(best[id(program)] for program, _, _ in runs) / calls
    return Work(total[0], total[1], total[2], total[3], total[4], interpreted / calls)
