"""Loops over several operands of one shape, each with strides of its own, and moving elements by them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

from ..builder import Builder, Operand, constant, integer, size_of, vector
from ..kernel import Kernel, KernelBuilder

Ints = tuple[int, ...]

#: Bytes that are worth an item of their own.
ITEM_BYTES = 1 << 15


def collapsed(shape: Sequence[int], *strides: Sequence[int]) -> tuple[Ints, list[Ints]]:
    """The same elements in the same order with as few dimensions as every operand's strides allow; at least one."""
    made: list[list[int]] = []
    for size, *steps in zip(shape, *strides):
        if size == 1:
            continue
        if made and all(outer == size * inner for outer, inner in zip(made[-1][1:], steps)):
            made[-1] = [made[-1][0] * size, *steps]
        else:
            made.append([size, *steps])
    if not made:
        made = [[1] + [1] * len(strides)]
    return tuple(m[0] for m in made), [tuple(m[k + 1] for m in made) for k in range(len(strides))]


def moved(b: Builder, pointer: Operand, kind: str, index: Operand | int, step: int) -> Operand:
    """The address ``index`` steps further on."""
    if isinstance(index, int):
        return b.at(pointer, kind, index * step)
    if step == 0:
        return pointer
    return b.at(pointer, kind, index if step == 1 else b.emit("i64", f"mul nsw i64 {index.name}, {step}"))


def nest(
    b: Builder,
    shape: Sequence[int],
    operands: Sequence[tuple[Operand, str, Sequence[int]]],
    body: Callable[..., None],
    ranges: dict[int, tuple[Operand | int, Operand | int]] | None = None,
) -> None:
    """For each element, in row-major order: ``body`` of the operands' addresses there.

    ``operands``: (address, element type, strides) each. ``ranges``: dimensions of which only a part is gone through.
    """

    def level(depth: int, pointers: list[Operand]) -> None:
        if depth == len(shape):
            body(*pointers)
            return
        start, stop = (ranges or {}).get(depth, (0, shape[depth]))
        if start == 0 and stop == 1:
            level(depth + 1, pointers)
            return
        with b.loop(start, stop) as i:
            level(
                depth + 1,
                [moved(b, p, kind, i, steps[depth]) for p, (_, kind, steps) in zip(pointers, operands)],
            )

    level(0, [pointer for pointer, _, _ in operands])


def flat_offset(b: Builder, index: Operand, shape: Sequence[int], strides: Sequence[int]) -> Operand:
    """The offset of the element that is number ``index`` in row-major order."""
    shape, (strides,) = collapsed(shape, strides)
    total: Operand = integer(0)
    for axis in reversed(range(len(shape))):
        here = index
        if axis:
            here = b.emit("i64", f"urem i64 {index.name}, {shape[axis]}")
            index = b.emit("i64", f"udiv i64 {index.name}, {shape[axis]}")
        step = here if strides[axis] == 1 else b.multiply(here, integer(strides[axis]))
        total = step if total.name == "0" else b.add(total, step)
    return total


def least(b: Builder, x: Operand, limit: int) -> Operand:
    """The lesser of a number and a constant."""
    return b.intrinsic("llvm.smin", x, integer(limit))


def lanes_of(lanes: int, kind: str) -> int:
    """How many elements of a type fill a register that holds ``lanes`` of 32 bits."""
    return max(1, lanes * 4 // size_of(kind))


def move_line(
    b: Builder, lanes: int, kind: str, source: Operand, target: Operand, length: Operand | int, steps: tuple[int, int]
) -> None:
    """Copy ``length`` elements from one address to another, ``steps`` apart there."""
    count = lanes_of(lanes, kind)
    start: Operand | int = 0
    if steps[1] == 1 and steps[0] in (0, 1) and not (isinstance(length, int) and length < 2):
        wide = vector(kind, count)
        spread = b.splat(b.load(kind, source), count) if steps[0] == 0 else None

        def part(i: Operand | int, short: int | None = None) -> None:
            x = spread or b.load(wide, b.at(source, kind, i), short)
            b.store(x, b.at(target, kind, i), short)

        if isinstance(length, int):
            start = length - length % count
            if start:
                with b.loop(0, start, count) as i:
                    part(i)
            if start < length:
                part(start, length - start)
            return
        start = b.subtract(length, b.emit("i64", f"urem i64 {length.name}, {count}"))
        with b.loop(0, start, count) as i:
            part(i)
    with b.loop(start, length) as i:
        b.store(b.load(kind, moved(b, source, kind, i, steps[0])), moved(b, target, kind, i, steps[1]))


class Moving:
    """Copying elements between two layouts, in pieces that may be done independently.

    Attributes:
        pieces: how many there are.
        cost: nanoseconds a piece takes, about.
    """

    def __init__(self, kind: str, shape: Sequence[int], source: Sequence[int], target: Sequence[int]) -> None:
        order = sorted(range(len(shape)), key=lambda axis: (-abs(target[axis]), axis))
        self.kind = kind
        self.shape, (self.source, self.target) = collapsed(
            [shape[axis] for axis in order], [source[axis] for axis in order], [target[axis] for axis in order]
        )
        size = size_of(kind)
        inner = prod(self.shape[1:])
        self.empty = 0 in self.shape
        self.rows = max(1, ITEM_BYTES // max(inner * size, 1))
        if len(self.shape) == 1:
            self.rows = -(-self.rows // 64) * 64
        self.pieces = 0 if self.empty else -(-self.shape[0] // self.rows)
        even = self.source[-1] in (0, 1) and self.target[-1] == 1
        self.cost = min(self.rows, self.shape[0]) * inner * size / (8 if even else 2) + 5

    def write(self, b: Builder, lanes: int, source: Operand, target: Operand, piece: Operand) -> None:
        """The code of one piece."""
        if self.pieces == 1:
            start, stop = integer(0), integer(self.shape[0])
        else:
            start = b.multiply(piece, integer(self.rows))
            stop = least(b, b.add(start, integer(self.rows)), self.shape[0])
        steps = (self.source[-1], self.target[-1])
        if len(self.shape) == 1:
            length: Operand | int = self.shape[0] if self.pieces == 1 else b.subtract(stop, start)
            a = moved(b, source, self.kind, start, steps[0])
            move_line(b, lanes, self.kind, a, moved(b, target, self.kind, start, steps[1]), length, steps)
            return
        nest(
            b, self.shape[:-1], [(source, self.kind, self.source), (target, self.kind, self.target)],
            lambda p, q: move_line(b, lanes, self.kind, p, q, self.shape[-1], steps), {0: (start, stop)},
        )  # fmt: skip

    @property
    def key(self) -> tuple[Any, ...]:
        """What the code depends on."""
        return self.kind, self.shape, self.source, self.target


def copy_kernel(kind: str, shape: Sequence[int], strides: Sequence[int], source: Any, target: Any) -> Kernel:
    """A strided operand to row-major memory; nothing to do where that is the same memory."""
    from ..places import agrees, dense_strides

    plan = Moving(kind, shape, strides, dense_strides(shape))
    same = not source.offset and agrees(tuple(shape), tuple(strides), dense_strides(shape))

    def write(b: KernelBuilder) -> None:
        x, y = b.argument(0), b.argument(1)
        addresses = [b.convert("ptrtoint", each, "i64") for each in (x, y)]
        with b.when(b.compare("ne", *addresses)), b.loop(b.begin, b.end) as piece:
            plan.write(b, b.lanes, x, y, piece)
        b.done()

    return Kernel(
        "copy", repr(("copy", plan.key)), write, [source], [target], plan.pieces, plan.cost,
        pointwise=frozenset({(source.name, target.name)} if same else ()),
    )  # fmt: skip


def bits_type(itemsize: int) -> str:
    """The integer type of as many bytes."""
    return f"i{8 * itemsize}"


__all__ = ["Ints", "Moving", "bits_type", "collapsed", "constant", "copy_kernel", "flat_offset", "moved", "nest"]
