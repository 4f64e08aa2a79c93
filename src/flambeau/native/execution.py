"""``NativeProgram``: a compiled program, ready to run on the arrays of a recording."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Sequence
from functools import partial
from sys import getrefcount
from typing import Any

import numpy as np

from ..core.dtypes import COMPLEX, FLOATING
from ..core.storages import empty_array, has_layout
from ..core.threads import get_num_threads
from ..tracing.program import Name, Program
from .builder import size_of
from .code_cache import address_of, compile_kernels
from .fusion import Step, fuse
from .graph import Graph, Line
from .kernel import Argument, Kernel, has_memory_type, memory_type
from .memory_plan import plan
from .places import Place, agrees, dense_strides
from .runtime import (
    ARRAY,
    COMPLEX as COMPLEX_NUMBER,
    DIFFERENT,
    DONE,
    FAILED,
    FLOAT,
    HEADER,
    INPUT,
    INTEGER,
    STEP,
    UNUSED,
    runtime,
)
from .watching import run_timed, watching

#: A step that takes less than this (in nanoseconds) is not worth waking another thread for; threads take this much at a time.
SHARE = 16000.0
#: A step is cut into so many shares at the most.
SHARES = 16
#: A program that takes longer lets other Python threads run meanwhile.
LONG = 30000.0


#: Results of so many bytes are written again where those of the last run were, once nobody holds these: fresh memory costs a
#: page fault every 4096 bytes, which for exp is as much as computing it.
LARGE = 1 << 18


class _Reused:
    """Makes an array, the one it made before when nobody else holds it any more."""

    __slots__ = ("held", "make")

    def __init__(self, make: Callable[[], Any]) -> None:
        self.make, self.held = make, None

    def __call__(self) -> Any:
        # Two references: ours and the argument's.
        if self.held is None or getrefcount(self.held) > 2:
            self.held = self.make()
        return self.held


class Workspace:
    """The memory all programs share, since they run one at a time: the arena, and each thread's scratch."""

    def __init__(self) -> None:
        self.arena = np.empty(0, np.uint8)
        self.scratch = np.empty(0, np.uint8)
        self.stride = 0
        self.threads = 0
        self.table = np.zeros(2, np.int64)
        self.generation = 0

    def reserve(self, arena: int, scratch: int) -> None:
        """Have at least so many bytes."""
        if arena + 64 > self.arena.nbytes:
            self.arena = np.empty(arena + 64, np.uint8)
            self.generation += 1
        threads = get_num_threads()
        if scratch > self.stride or threads > self.threads:
            self.stride, self.threads = max(-(-scratch // 64) * 64, self.stride, 64), max(threads, self.threads)
            self.scratch = np.empty(self.stride * self.threads + 64, np.uint8)
            self.table[:] = _start(self.scratch), self.stride

    def loosen(self) -> None:
        """Have every program bind to it, and to the threads there are, again."""
        self.generation += 1


def _start(array: Any) -> int:
    return -(-array.ctypes.data // 64) * 64


workspace = Workspace()
os.register_at_fork(after_in_child=workspace.loosen)
watching.rebind.append(workspace.loosen)


class NativeProgram:
    """A program compiled for inputs of given layouts.

    Calling it with the inputs and the storages of the results computes them and puts them to rest there.

    Attributes:
        steps: what it does, in order.
        kernels: the runtime's steps; ``parts``: ranges of these, and the lines between them that NumPy does.
        arena: bytes of memory it needs while it runs.
        cost: about how many nanoseconds it takes on one thread.
        makers: for each result, what makes an array for it.
        direct: for each result, whether it may be written where its storage lies.
    """

    def __init__(self, program: Program, inputs: Sequence[Any]) -> None:
        self.program = program
        strides = {
            k: tuple(step // each.itemsize for step in each.strides) for k, each in enumerate(inputs) if each is not None
        }
        self.steps, self.graph = fuse(program, strides)
        kernels = [kernel for step in self.steps for kernel in step.kernels]
        compile_kernels(kernels)
        self.cost = sum(kernel.items * kernel.cost for kernel in kernels)
        self._lay_out(inputs)

    # Laying out

    def _lay_out(self, inputs: Sequence[Any]) -> None:
        program, graph = self.program, self.graph
        flat = _flatten(self.steps)
        first, last, maker = _lives(flat, graph)
        self._fails = max((k for k, each in enumerate(flat) if _may_fail(each)), default=-1)
        self._into = _written_in_place(program, graph, flat, first, maker, self._fails)
        outputs: dict[int, int] = {}
        self._twice: list[tuple[int, int]] = []  # outputs that are another output or an input: (output, name)
        for position, name in enumerate(program.outputs):
            if name < program.inputs or name in outputs:
                self._twice.append((position, name))
            else:
                outputs[name] = position
        sizes = {
            name: _bytes(graph, name)
            for name in first
            if name not in outputs and name >= program.inputs
        }
        offsets, self.arena = plan(sizes, first, last)
        count = len(inputs)
        arena_slot = count + len(program.outputs)

        def where(name: int) -> tuple[int, int]:
            if name in outputs:
                return count + outputs[name], 0
            return (name, 0) if name < program.inputs else (arena_slot, offsets[name])

        self._where = where
        patches: list[tuple[int, int]] = []
        steps: list[tuple[Kernel, int, bool]] = []
        self.parts: list[tuple[int, int] | Line] = []
        begun = 0
        destructive = {program.outputs[position] for position in self._into}
        checked = False
        failure_slot = arena_slot + 1
        for each in flat:
            if isinstance(each, Line):
                if len(steps) > begun:
                    self.parts.append((begun, len(steps)))
                self.parts.append(each)
                begun = len(steps)
                continue
            check = not checked and any(a.name in destructive for a in each.writes)
            checked |= check
            steps.append((each, len(patches), check))
            for argument in (*each.reads, *each.writes):
                slot, offset = where(argument.name)
                patches.append((slot, offset + argument.offset))
            patches.append((failure_slot, 0))
        if len(steps) > begun:
            self.parts.append((begun, len(steps)))
        self._plain = all(isinstance(part, tuple) for part in self.parts)
        self.kernels = [kernel for kernel, _, _ in steps]
        self._write_tables(inputs, patches, steps, failure_slot)
        self._bind_outputs()
        self.generation, self._threads = -1, 0

    def _write_tables(
        self, inputs: Sequence[Any], patches: list[tuple[int, int]], steps: list[Any], failure_slot: int
    ) -> None:
        count = len(inputs)
        used = {slot for slot, _ in patches}
        self._bases = np.zeros(failure_slot + 1, np.int64)
        self._failure = np.zeros(1, np.int64)
        self._bases[failure_slot] = self._failure.ctypes.data
        self._arena_slot = failure_slot - 1
        self._cells = np.zeros(2 * max(count, 1), np.float64)
        self._inputs = np.zeros((max(count, 1), len(INPUT)), np.int64)
        pairs: list[int] = []
        marks: list[tuple[int, int, int]] = []
        for k, each in enumerate(inputs):
            kind = self.graph.types.get(k)
            if each is not None:
                used_here = k in used
                self._inputs[k, 0] = ARRAY if used_here else UNUSED
                begin = len(pairs)
                if used_here:
                    for d, (n, step) in enumerate(zip(each.shape, each.strides)):
                        if n != 1:
                            pairs += [d, step]
                marks.append((k, begin, (len(pairs) - begin) // 2))
            elif k in used and kind is not None:
                self._inputs[k, 0] = {FLOATING: FLOAT, COMPLEX: COMPLEX_NUMBER}.get(kind.category, INTEGER)
                self._inputs[k, 3] = self._cells.ctypes.data + 16 * k
        self._pairs = np.array(pairs or [0], np.int64)
        for k, begin, length in marks:
            self._inputs[k, 1:3] = length, self._pairs.ctypes.data + 8 * begin
        self._patches = np.array(patches or [(0, 0)], np.int64)
        self._arguments = np.zeros(max(len(patches), 1), np.int64)
        self._steps = np.zeros((max(len(steps), 1), len(STEP)), np.int64)
        for k, (kernel, begin, check) in enumerate(steps):
            # Small enough shares that a thread that comes late finds some left; where each call first packs an operand
            # for its items, one share a thread.
            shares = max(get_num_threads(), 2) if kernel.packs else SHARES
            grain = max(1, -(-kernel.items // shares), int(SHARE / 2 / kernel.cost))
            if kernel.items * kernel.cost < SHARE:
                grain = max(kernel.items, 1)
            self._steps[k] = (
                address_of(kernel), kernel.items, self._arguments.ctypes.data + 8 * begin, grain, check,
                workspace.table.ctypes.data,
            )  # fmt: skip
        self._header = np.zeros(len(HEADER) + 1, np.int64)
        self._header[:] = (
            count, self._inputs.ctypes.data, len(self.program.outputs), len(patches), self._patches.ctypes.data,
            self._steps.ctypes.data, self._arguments.ctypes.data, self._bases.ctypes.data, self._failure.ctypes.data,
            self.cost > LONG, len(steps),
        )  # fmt: skip
        self._address = self._header.ctypes.data
        self._scratch = max((kernel.scratch for kernel, _, _ in steps), default=0)
        self._threaded = any(s[3] < s[1] for s in self._steps.tolist())

    def _bind_outputs(self) -> None:
        """For each output how to make an array for it, and whether it may be written where its storage lies."""
        program = self.program
        self.makers: list[Callable[[], Any]] = []
        self.direct: list[bool] = []
        over = {position for position, place in program.landings if place < 0}
        for position, name in enumerate(program.outputs):
            kind = self.graph.types[name]
            layout = program.layouts[position]
            dense = layout is None or agrees(kind.shape, tuple(layout.strides), dense_strides(kind.shape))
            make: Callable[[], Any] = partial(np.empty, kind.shape, kind.dtype.numpy)
            large = kind.numel * kind.dtype.numpy.itemsize >= LARGE
            self.makers.append(_Reused(make) if large else make)
            self.direct.append(dense and (position in self._into or position in over))

    def _bind(self) -> None:
        workspace.reserve(self.arena, self._scratch)
        self._bases[self._arena_slot] = _start(workspace.arena)
        self.generation = workspace.generation
        self._call = runtime().call if watching.watcher is None else partial(run_timed, self)
        if self._threaded:
            runtime().settle()
            self._threads = get_num_threads()

    # Running

    def __call__(self, inputs: list[Any], storages: Sequence[Any]) -> bool:
        """Compute the results into the storages; False, and nothing done, where these inputs are not what it was made for."""
        arrays = [
            make() if storage.array is None or not direct else storage.array
            for storage, make, direct in zip(storages, self.makers, self.direct)
        ]
        if not self.compute(inputs, arrays):
            return False
        for storage, array in zip(storages, arrays):
            if storage.array is None and _fits(array, storage.spec):
                storage.array = array
            elif storage.array is not array:
                if storage.array is None:
                    storage.array = empty_array(storage.spec)
                storage.array[...] = array
        return True

    def compute(self, inputs: list[Any], arrays: list[Any]) -> bool:
        """Compute the results into ``arrays``, which are dense; False, and nothing done, for inputs it was not made for."""
        status = self.start(inputs, arrays) if self._plain else self._run_parts(inputs, arrays)
        if status == DIFFERENT:
            return False
        if status == FAILED:
            arrays[:] = self.program.run(inputs)  # which raises the error in the operator's words
        else:
            for position, name in self._twice:
                arrays[position][...] = self._array(name, inputs, arrays)
        return True

    def start(self, inputs: list[Any], arrays: list[Any]) -> int:
        """Run the kernels; the runtime's status."""
        if self.generation != workspace.generation or (self._threaded and get_num_threads() != self._threads):
            self._bind()
        return self._call(self._address, inputs, arrays)

    @property
    def is_simple(self) -> bool:
        """Whether :meth:`start` is all there is to do."""
        return self._plain and not self._twice

    def _run_parts(self, inputs: list[Any], arrays: list[Any]) -> int:
        if self.generation != workspace.generation or (self._threaded and get_num_threads() != self._threads):
            self._bind()
        if watching.watcher is not None:
            return run_timed(self, self._address, inputs, arrays)
        run = runtime()
        status = run.prepare(self._address, inputs, arrays)
        for part in self.parts:
            if status != DONE:
                return status
            if isinstance(part, Line):
                self.interpret(part, inputs, arrays)
            else:
                status = run.run(self._address, *part)
        return status

    def interpret(self, line: Line, inputs: list[Any], arrays: list[Any]) -> None:
        """Have NumPy do a line."""
        operands = []
        for operand in line.operands:
            if not isinstance(operand, Name):
                operands.append(operand)
            elif operand.index < self.program.inputs and not isinstance(inputs[operand.index], np.ndarray):
                operands.append(inputs[operand.index])
            else:
                operands.append(self._view(self.graph.where(operand), inputs, arrays))
        with np.errstate(all="ignore"):
            made = line.primitive.reference(*operands, **line.parameters)
        results = made if type(made) is tuple and (len(line.results) > 1 or len(made) == 1) else (made,)
        for name, result in zip(line.results, results):
            self._array(name, inputs, arrays)[...] = result

    def _array(self, name: int, inputs: list[Any], arrays: list[Any]) -> Any:
        """The memory of a value as an array."""
        slot, offset = self._where(name)
        if slot < len(inputs):
            return inputs[slot]
        if slot < len(inputs) + len(arrays):
            return arrays[slot - len(inputs)]
        kind = self.graph.types[name]
        start = _start(workspace.arena) - workspace.arena.ctypes.data + offset
        return np.ndarray(kind.shape, kind.dtype.numpy, workspace.arena, start)

    def _view(self, place: Place, inputs: list[Any], arrays: list[Any]) -> Any:
        base = self._array(place.name, inputs, arrays)
        kind = place.dtype.numpy  # of complex memory a place may be one part
        if place.offset == 0 and base.shape == place.shape and base.dtype == kind:
            strides = tuple(s // max(base.itemsize, 1) for s in base.strides)
            if agrees(place.shape, strides, place.strides):
                return base
        if not place.numel:
            return np.empty(place.shape, kind)
        size = kind.itemsize
        reach = [(n - 1) * s * size for n, s in zip(place.shape, place.strides)]
        low, high = sum(r for r in reach if r < 0), sum(r for r in reach if r > 0)
        start = base.__array_interface__["data"][0] + place.offset * size
        memory: Any = (ctypes.c_char * (high - low + size)).from_address(start + low)
        return np.ndarray(place.shape, kind, memory, -low, tuple(s * size for s in place.strides))

    def __str__(self) -> str:
        lines = []
        for step in self.steps:
            for kernel in step.kernels:
                lines.append(f"{kernel!r}  # {kernel.cost * kernel.items / 1000:.1f} us")
            if step.line is not None:
                lines.append(f"numpy {step.line!r}")
        return "\n".join(lines)


def _fits(array: Any, spec: Any) -> bool:

    return array.base is None and has_layout(array, spec)


def _flatten(steps: Sequence[Step]) -> list[Kernel | Line]:
    flat: list[Kernel | Line] = []
    for step in steps:
        flat.extend(kernel for kernel in step.kernels if kernel.items)
        if step.line is not None:
            flat.append(step.line)
    return flat


def _may_fail(each: Kernel | Line) -> bool:
    return each.can_fail if isinstance(each, Kernel) else each.primitive.can_fail


def _bytes(graph: Graph, name: int) -> int:
    kind = graph.types[name]
    size = size_of(memory_type(kind.dtype)) if has_memory_type(kind.dtype) else kind.dtype.numpy.itemsize
    return kind.numel * size


def _reads(each: Kernel | Line, graph: Graph) -> list[int]:
    if isinstance(each, Kernel):
        return [a.name for a in each.reads]
    return [
        graph.where(o).name for o in each.operands if isinstance(o, Name) and not graph.types[o.index].is_number
    ]


def _writes(each: Kernel | Line) -> list[int]:
    return [a.name for a in each.writes] if isinstance(each, Kernel) else list(each.results)


def _lives(flat: Sequence[Kernel | Line], graph: Graph) -> tuple[dict[int, int], dict[int, int], dict[int, Any]]:
    """For each value made: the step that writes it first, the step that touches it last, and who makes it."""
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    maker: dict[int, Any] = {}
    for k, each in enumerate(flat):
        for name in _writes(each):
            first.setdefault(name, k)
            maker.setdefault(name, each)
            last[name] = k
        for name in _reads(each, graph):
            last[name] = k
            first.setdefault(name, k)
    return first, last, maker


def _written_in_place(
    program: Program, graph: Graph, flat: Sequence[Kernel | Line], first: dict[int, int], maker: dict[int, Any], fails: int
) -> set[int]:
    """The outputs that may be written over the input they replace: nobody reads that input after, or elsewhere."""
    chosen = set()
    readers: dict[int, list[int]] = {}
    for k, each in enumerate(flat):
        for name in _reads(each, graph):
            readers.setdefault(name, []).append(k)
    for position, place in program.landings:
        name = program.outputs[position]
        if place < 0 or name < program.inputs or program.outputs.count(name) > 1 or name not in first:
            continue
        if place in program.outputs:
            continue
        strides = graph.strides.get(place)
        shape = graph.types[name].shape
        if strides is None or graph.types[place].shape != shape or not agrees(shape, strides, dense_strides(shape)):
            continue
        at = first[name]
        if at <= fails:
            continue
        later = [k for k in readers.get(place, []) if k >= at]
        if all(k == at and _pointwise(flat[at], place, name) for k in later):
            chosen.add(position)
    return chosen


def _pointwise(each: Kernel | Line, source: int, target: int) -> bool:
    """Whether a kernel reads ``source`` only where, and before, it writes ``target``."""
    return isinstance(each, Kernel) and (source, target) in each.pointwise


__all__ = ["Argument", "NativeProgram"]
