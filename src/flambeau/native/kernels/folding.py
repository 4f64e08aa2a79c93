"""Windows as columns and back: an item is one plane of the image, gone through by the kernel's places.

For each place the outputs whose element there lies inside the image are a box, known when the loops are written but for the
place itself; what lies outside is zero.
"""

from __future__ import annotations

from math import prod
from typing import Any

from ..builder import Operand, constant, integer, vector
from ..elementwise import RULES, from_memory, to_memory
from ..kernel import Kernel, KernelBuilder, has_memory_type, lowers, memory_type
from ..places import dense_strides
from .nests import lanes_of, moved

Ints = tuple[int, ...]


class _Boxes:
    """The loops over a kernel's places, and over the outputs whose element there lies inside."""

    def __init__(self, sizes: Ints, p: dict[str, Any]) -> None:
        self.sizes, self.kernel, self.out = sizes, tuple(p["kernel"]), tuple(p["out"])
        self.stride, self.padding, self.dilation = tuple(p["stride"]), tuple(p["padding"]), tuple(p["dilation"])
        self.key = sizes, self.kernel, self.out, self.stride, self.padding, self.dilation

    def bounds(self, b: KernelBuilder, axis: int, place: Operand) -> tuple[Operand, Operand, Operand]:
        """The first such output along an axis, the one after the last, and where output 0's element lies in the image."""
        step, size, count = self.stride[axis], self.sizes[axis], self.out[axis]
        start = b.subtract(b.multiply(place, integer(self.dilation[axis])), integer(self.padding[axis]))
        before = b.intrinsic("llvm.smax", b.subtract(integer(step - 1), start), integer(0))
        first = b.binary("udiv", before, integer(step))
        room = b.intrinsic("llvm.smax", b.add(b.subtract(integer(size - 1), start), integer(step)), integer(0))
        end = b.intrinsic("llvm.smin", b.binary("udiv", room, integer(step)), integer(count))
        return first, end, start

    def walk(self, b: KernelBuilder, element: str, column: Operand, line: Any) -> None:
        """``line(column, place, first, end, step)`` for every row of every box.

        For its output 0, which may not be in the box: the address in the columns, and the place in the image.
        """
        rank, area = len(self.sizes), prod(self.out)
        rows, planes = dense_strides(self.out), dense_strides(self.sizes)

        def along(axis: int, column: Operand, place: Operand) -> None:
            """The kernel's places along an axis and those after it."""
            if axis == rank:
                inside(0, column, place)
                return
            with b.loop(0, self.kernel[axis]) as k:
                bounds[axis] = self.bounds(b, axis, k)
                steps = area * prod(self.kernel[axis + 1 :])
                here = b.add(place, b.multiply(bounds[axis][2], integer(planes[axis])))
                along(axis + 1, moved(b, column, element, k, steps), here)

        def inside(axis: int, column: Operand, place: Operand) -> None:
            first, end, _ = bounds[axis]
            if axis == rank - 1:
                line(column, place, first, end, self.stride[axis])
                return
            with b.loop(first, end) as j:
                here = b.add(place, b.multiply(j, integer(self.stride[axis] * planes[axis])))
                inside(axis + 1, moved(b, column, element, j, rows[axis]), here)

        bounds: dict[int, tuple[Operand, Operand, Operand]] = {}
        along(0, column, integer(0))


def _each_element(b: KernelBuilder, element: str, first: Operand, end: Operand, step: int, do: Any) -> None:
    """``do(j, lanes)`` for the elements of a row: vectors where they lie one after the other, then one at a time."""
    lanes, start = lanes_of(b.lanes, element), first
    if step == 1:
        count = b.binary("and", b.intrinsic("llvm.smax", b.subtract(end, first), integer(0)), integer(-lanes))
        start = b.add(first, count)
        with b.loop(first, start, lanes) as j:
            do(j, lanes)
    with b.loop(start, end) as j:
        do(j, 1)


def _clear(b: KernelBuilder, element: str, target: Operand, count: int) -> None:
    lanes = lanes_of(b.lanes, element)
    zero = constant(vector(element, lanes), 0)
    whole = count // lanes * lanes
    if whole:
        with b.loop(0, whole, lanes) as j:
            b.store(zero, b.at(target, element, j))
    if whole < count:
        b.store(zero, b.at(target, element, whole), count - whole)


@lowers("unfold_windows")
def unfold_windows(line: Any, graph: Any) -> list[Kernel] | None:
    """Every window as a column."""
    operand = graph.type(line.operands[0])
    if not has_memory_type(operand.dtype) or operand.is_number or not operand.numel:
        return None
    boxes = _Boxes(operand.shape[2:], line.parameters)
    source, result = graph.dense(line.operands[0]), graph.result(line.results[0])
    element, size = memory_type(operand.dtype), prod(boxes.kernel) * prod(boxes.out)
    if not size:
        return [Kernel("nothing", "nothing", lambda b: b.done(), [], [result], 0)]
    padded = any(boxes.padding)

    def write(b: KernelBuilder) -> None:
        image, target = b.argument(0), b.argument(1)

        def row(column: Operand, place: Operand, first: Operand, end: Operand, step: int) -> None:
            def do(j: Operand, lanes: int) -> None:
                held = b.load(vector(element, lanes), b.at(plane, element, b.add(place, b.multiply(j, integer(step)))))
                b.store(held, b.at(column, element, j))

            _each_element(b, element, first, end, step, do)

        with b.loop(b.begin, b.end) as item:
            columns = moved(b, target, element, item, size)
            if padded:
                _clear(b, element, columns, size)
            plane = moved(b, image, element, item, prod(boxes.sizes))
            boxes.walk(b, element, columns, row)
        b.done()

    items = operand.shape[0] * operand.shape[1]
    key = repr(("unfold_windows", element, boxes.key))
    return [Kernel("unfold_windows", key, write, [source], [result], items, size * (0.3 if boxes.stride[-1] == 1 else 1.0))]


@lowers("fold_windows")
def fold_windows(line: Any, graph: Any) -> list[Kernel] | None:
    """Columns added back to where their windows lie, place by place as the reference does."""
    operand, made = graph.type(line.operands[0]), graph.type(line.results[0])
    if not has_memory_type(operand.dtype) or operand.is_number or not made.numel:
        return None
    kind = operand.dtype
    boxes = _Boxes(tuple(line.parameters["sizes"]), line.parameters)
    source, result = graph.dense(line.operands[0]), graph.result(line.results[0])
    element, size, area = memory_type(kind), prod(boxes.kernel) * prod(boxes.out), prod(boxes.sizes)

    def write(b: KernelBuilder) -> None:
        columns, target = b.argument(0), b.argument(1)

        def row(column: Operand, place: Operand, first: Operand, end: Operand, step: int) -> None:
            def do(j: Operand, lanes: int) -> None:
                target = b.at(plane, element, b.add(place, b.multiply(j, integer(step))))
                whole = vector(element, lanes)
                held = from_memory(b, b.load(whole, target), kind)
                new = from_memory(b, b.load(whole, b.at(column, element, j)), kind)
                b.store(to_memory(b, RULES["add"](b, kind, held, new), kind), target)

            _each_element(b, element, first, end, step, do)

        with b.loop(b.begin, b.end) as item:
            plane = moved(b, target, element, item, area)
            _clear(b, element, plane, area)
            if size:
                boxes.walk(b, element, moved(b, columns, element, item, size), row)
        b.done()

    items = made.shape[0] * made.shape[1]
    key = repr(("fold_windows", kind.name, boxes.key))
    cost = size * (0.4 if boxes.stride[-1] == 1 else 1.2) + 0.1 * area
    return [Kernel("fold_windows", key, write, [source], [result], items, cost)]


__all__ = ["fold_windows", "unfold_windows"]
