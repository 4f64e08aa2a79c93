"""Primitives about where elements lie: joining arrays, writing through a window, reading bits as another dtype."""

from __future__ import annotations

from math import prod
from typing import Any

from ...core.dtypes import dtype
from ..builder import integer, size_of
from ..kernel import Argument, Kernel, KernelBuilder, has_memory_type, lowers, memory_type
from ..places import agrees, dense_strides
from .nests import Ints, Moving, bits_type, copy_kernel

#: Operands one kernel joins.
JOINED = 16


def _bits(kind: dtype) -> str:
    return bits_type(size_of(memory_type(kind)))


@lowers("concatenate")
def concatenate(line: Any, graph: Any) -> list[Kernel] | None:
    """Each operand is copied to its place; an item is a piece of one operand."""
    kind = graph.type(line.results[0])
    axis = line.parameters["axis"] % len(kind.shape)
    strides = dense_strides(kind.shape)
    result = graph.result(line.results[0])
    element = _bits(kind.dtype)
    moves, sources, start = [], [], 0
    for operand in line.operands:
        place = graph.place(operand)
        move = Moving(element, place.shape, place.strides, strides)
        if move.pieces:
            moves.append((move, start * strides[axis]))
            sources.append(graph.argument(place))
        start += place.shape[axis]
    if not moves:
        return [Kernel("nothing", "nothing", lambda b: b.done(), [], [result], 0)]
    return [
        _joining(moves[k : k + JOINED], sources[k : k + JOINED], result, element) for k in range(0, len(moves), JOINED)
    ]


def _joining(moves: list[tuple[Moving, int]], sources: list[Argument], result: Argument, element: str) -> Kernel:
    pieces = [move.pieces for move, _ in moves]

    def write(b: KernelBuilder) -> None:
        target = b.argument(len(moves))
        first = 0
        for k, (move, offset) in enumerate(moves):  # the items of this operand among those asked for
            start = b.intrinsic("llvm.smax", b.begin, integer(first))
            stop = b.intrinsic("llvm.smin", b.end, integer(first + move.pieces))
            source = b.argument(k)
            with b.loop(start, stop) as item:
                piece = b.subtract(item, integer(first))
                move.write(b, b.lanes, source, b.at(target, element, offset), piece)
            first += move.pieces
        b.done()

    key = repr(("concatenate", [(move.key, offset) for move, offset in moves]))
    cost = sum(move.cost * move.pieces for move, _ in moves) / sum(pieces)
    return Kernel("concatenate", key, write, sources, [result], sum(pieces), cost)


@lowers("strided_update")
def strided_update(line: Any, graph: Any) -> list[Kernel] | None:
    """The base is copied, unless the result takes its memory over, then the window is written."""
    base, update = graph.place(line.operands[0]), graph.place(line.operands[1])
    layout, of, offset = (line.parameters[name] for name in ("layout", "of", "offset"))
    if of.dtype is not layout.dtype or tuple(layout.shape) != base.shape or tuple(of.shape) != update.shape:
        return None
    found = _in_rows(tuple(layout.shape), tuple(layout.strides), tuple(of.shape), tuple(of.strides), offset)
    if found is None:
        return None
    strides, start = found
    result = graph.result(line.results[0])
    element = _bits(base.dtype)
    made = [copy_kernel(element, base.shape, base.strides, graph.argument(base), result)]
    move = Moving(element, update.shape, update.strides, strides)
    if move.pieces:

        def write(b: KernelBuilder) -> None:
            source, target = b.argument(0), b.at(b.argument(1), element, start)
            with b.loop(b.begin, b.end) as piece:
                move.write(b, b.lanes, source, target, piece)
            b.done()

        key = repr(("strided_update", move.key, start))
        made.append(Kernel("strided_update", key, write, [graph.argument(update)], [result], move.pieces, move.cost))
    return made


def _in_rows(shape: Ints, strides: Ints, size: Ints, steps: Ints, offset: int) -> tuple[Ints, int] | None:
    """A window's strides and offset in row-major memory, given those in memory of the layout; None where it has none."""
    if any(n > 1 and s <= 0 for n, s in zip(size, steps)):
        return None
    rows = dense_strides(shape)
    if agrees(shape, strides, rows):
        return steps, offset
    axes = [axis for axis in sorted(range(len(shape)), key=lambda axis: -strides[axis]) if shape[axis] > 1]
    expected = prod(shape)
    for axis in axes:  # dense, in some order
        expected //= shape[axis]
        if strides[axis] != expected:
            return None
    at, rest = {}, offset
    for axis in axes:
        at[axis], rest = divmod(rest, strides[axis])
    start = sum(at[axis] * rows[axis] for axis in axes)
    found = []
    for n, step in zip(size, steps):
        if n <= 1:
            found.append(0)
            continue
        along = next((axis for axis in axes if step >= strides[axis]), None)
        if along is None or step % strides[along]:
            return None
        apart = step // strides[along]
        at[along] += (n - 1) * apart
        found.append(apart * rows[along])
    return (tuple(found), start) if all(at[axis] < shape[axis] for axis in axes) else None


@lowers("reinterpret")
def reinterpret(line: Any, graph: Any) -> list[Kernel] | None:
    """The same bits, copied."""
    if not has_memory_type(graph.type(line.operands[0]).dtype):
        return None
    place = graph.place(line.operands[0])
    result = graph.result(line.results[0])
    made = copy_kernel(_bits(place.dtype), place.shape, place.strides, graph.argument(place), result)
    return [made]
