"""Run one primitive's lowering by itself, serially or in pieces, to compare it with the reference meaning."""

from __future__ import annotations

import ctypes
import itertools
from typing import Any

import numpy as np

from flambeau.core.dtypes import dtype
from flambeau.core.specs import spec
from flambeau.native.builder import size_of
from flambeau.native.graph import Graph
from flambeau.native.kernel import Kernel, KernelBuilder, lowerings, memory_type
from flambeau.native.machine import machine
from flambeau.native.places import Place
from flambeau.primitives.registry import primitives
from flambeau.primitives.values import Value
from flambeau.tracing.program import Instruction, Name, Program

_symbols = itertools.count()
_compiled: dict[str, Any] = {}


class Failed(Exception):
    """A kernel called ``fail``."""


def compiled(kernel: Kernel) -> Any:
    """The kernel as a ctypes function."""
    found = _compiled.get(kernel.key)
    if found is None:
        builder = KernelBuilder(f"kernel_{next(_symbols)}", machine().lanes)
        kernel.write(builder)
        code = machine().object_code(builder.text(), builder.declarations.values())
        (address,) = machine().load(code, [builder.name])
        found = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p)(address)
        _compiled[kernel.key] = found
    return found


def kind_of(array: Any) -> dtype:
    """The dtype of an array."""
    from flambeau.core import dtypes

    return next(each for each in vars(dtypes).values() if isinstance(each, dtype) and each.numpy == array.dtype)


def strides_of(array: Any) -> tuple[int, ...]:
    """An array's strides in elements."""
    return tuple(step // array.itemsize for step in array.strides)


def run_primitive(name: str, *operands: Any, pieces: int = 1, **parameters: Any) -> list[Any] | None:
    """The results of the primitive called ``name`` by its lowering; None where that declines.

    Operands are arrays of any strides, None, or numbers written into the program. Each kernel's items are done in
    ``pieces`` calls, the last first, to show that they are independent. Every buffer is written between guard bytes,
    which are checked.
    """
    program, arrays = one_line(name, *operands, **parameters)
    (line,), results = program.instructions, program.outputs
    graph = Graph(program, {k: strides_of(each) for k, each in enumerate(arrays)})
    kernels = lowerings[name](line, graph)
    if kernels is None:
        return None
    buffers: dict[int, Any] = dict(enumerate(arrays))
    for copy in graph.lines:  # what the lowering wanted laid out otherwise
        (place,) = copy.operands
        buffers[copy.results[0]] = np.ascontiguousarray(view(buffers[place.name], place))
    for kernel in kernels:
        _run(kernel, graph, buffers, pieces)
    return [buffers[k] for k in results]


def run_line(name: str, *operands: Any, **parameters: Any) -> tuple[list[Any], list[str], bool]:
    """The primitive called ``name`` as a program of one line, as the native tier runs it.

    Operands are arrays or numbers written into the program.

    Returns:
        The results, what was left to NumPy, and whether the kernels failed (the results are then of no account).
    """
    from flambeau.native.execution import NativeProgram
    from flambeau.native.runtime import FAILED

    program, arrays = one_line(name, *operands, **parameters)
    native = NativeProgram(program, arrays)
    results = [np.empty(program.types[k].shape, program.types[k].dtype.numpy) for k in program.outputs]
    status = native.start(arrays, results) if native._plain else native._run_parts(arrays, results)
    return results, [step.line.primitive.name for step in native.steps if step.line is not None], status == FAILED


def one_line(name: str, *operands: Any, **parameters: Any) -> tuple[Program, list[Any]]:
    """A program that is one primitive, and its inputs."""
    arrays = [each for each in operands if isinstance(each, np.ndarray)]
    positions = iter(range(len(arrays)))
    names = tuple(Name(next(positions)) if isinstance(each, np.ndarray) else each for each in operands)
    types = {k: Value(each.shape, kind_of(each), k) for k, each in enumerate(arrays)}
    values = [types[each.index] if isinstance(each, Name) else each for each in names]
    made = primitives[name].shape(*values, **parameters)
    made = made if isinstance(made, list) else [made]
    results = tuple(range(len(arrays), len(arrays) + len(made)))
    types.update({k: Value(shape, kind, k) for k, (shape, kind) in zip(results, made)})
    program = Program.__new__(Program)
    program.inputs, program.outputs, program.types = len(arrays), results, types
    program.instructions = [Instruction(primitives[name], names, parameters, results)]
    program.updates = program.landings = ()
    program.layouts = tuple(spec(shape, kind) for shape, kind in made)
    return program, arrays


def view(array: Any, place: Place) -> Any:
    """The elements of a place on an array."""
    base = array
    while base.base is not None and isinstance(base.base, np.ndarray):
        base = base.base
    start = (array.__array_interface__["data"][0] - base.__array_interface__["data"][0]) + place.offset * array.itemsize
    return np.ndarray(place.shape, array.dtype, base, start, tuple(s * array.itemsize for s in place.strides))


_GUARD = 4096


def _run(kernel: Kernel, graph: Graph, buffers: dict[int, Any], pieces: int) -> None:
    whole: dict[int, Any] = {}
    for each in kernel.writes:
        if each.name not in buffers:
            kind = graph.types[each.name]
            bytes_ = np.full(kind.numel * size_of(memory_type(kind.dtype)) + 2 * _GUARD, 0xAA, np.uint8)
            whole[each.name] = bytes_
            inner = bytes_[_GUARD : len(bytes_) - _GUARD]
            buffers[each.name] = inner.view(kind.dtype.numpy).reshape(kind.shape)
    addresses = [buffers[each.name].ctypes.data + each.offset for each in (*kernel.reads, *kernel.writes)]
    failure = ctypes.c_int64(0)
    arguments = (ctypes.c_void_p * (len(addresses) + 1))(*addresses, ctypes.addressof(failure))
    scratch = np.full(kernel.scratch + 2 * _GUARD + 64, 0xAA, np.uint8)
    start = -(-(scratch.ctypes.data + _GUARD) // 64) * 64
    step = -(-kernel.items // pieces) if kernel.items else 1
    for begin in reversed(range(0, kernel.items, step)):
        compiled(kernel)(ctypes.addressof(arguments), begin, min(begin + step, kernel.items), start)
    for bytes_ in whole.values():
        assert (bytes_[:_GUARD] == 0xAA).all() and (bytes_[-_GUARD:] == 0xAA).all(), f"{kernel} wrote outside its buffer"
    place = start - scratch.ctypes.data
    assert (scratch[:place] == 0xAA).all() and (scratch[place + kernel.scratch :] == 0xAA).all(), f"{kernel}: scratch"
    if failure.value:
        raise Failed(kernel.name)
