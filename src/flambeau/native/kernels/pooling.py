"""Pooling: the greatest element or the sum of each window, lanes along the last axis; and the adjoints of both.

A window's places are gone through as the reference does. In the adjoint of the sum each input gathers from the windows it
lies in, so that every element is written once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import prod
from typing import Any

from ..builder import Operand, constant, integer, is_floating, mangled, size_of, vector
from ..graph import Graph
from ..kernel import UNSIGNED, Kernel, KernelBuilder, lowers, memory_type
from ..machine import machine
from .contraction_tiles import Element, narrow, widen
from .convolution_axes import adjoint_axis
from .convolution_packing import anywhere, strided_load, within

_NARROW = {"float16": Element("half", "float"), "bfloat16": Element("i16", "float", bfloat=True)}
#: Up to so many places of a window are written out.
UNROLLED = 16


def _element(kind: Any) -> Element:
    memory = memory_type(kind)
    return _NARROW.get(kind.name, Element(memory, memory))


def _count(element: Element) -> int:
    return machine().vector_bytes // max(4, size_of(element.compute))


def _coordinates(b: KernelBuilder, number: Operand, sizes: Sequence[int]) -> list[Operand]:
    """A flat number's coordinates, the first not reduced."""
    found: list[Operand] = []
    for size in reversed(sizes[1:]):
        found.append(b.emit("i64", f"urem i64 {number.name}, {size}"))
        number = b.emit("i64", f"udiv i64 {number.name}, {size}")
    return [number, *found[::-1]]


@contextmanager
def _each(b: KernelBuilder, count: int, unrolled: bool, last_first: bool) -> Iterator[list[Operand]]:
    """The numbers of an axis' places: as constants, or one that a loop changes."""
    if unrolled:
        yield [integer(k) for k in (range(count - 1, -1, -1) if last_first else range(count))]
        return
    with b.loop(0, count) as k:
        yield [b.subtract(integer(count - 1), k) if last_first else k]


def _windows(
    name: str, graph: Graph, line: Any, write_line: Callable[..., None], results: int, last_first: bool, cost: float
) -> list[Kernel]:
    """A kernel whose items are lines of outputs; ``write_line`` folds the candidates of a vector of windows into variables."""
    x = graph.type(line.operands[0])
    p = line.parameters
    kernel, stride, padding, dilation, out = (p[k] for k in ("kernel", "stride", "padding", "dilation", "out"))
    rank = len(kernel)
    sizes = x.shape[-rank:]
    lead = prod(x.shape[:-rank])
    element = _element(x.dtype)
    count = _count(element)
    steps = [prod(sizes[axis + 1 :]) for axis in range(rank)]
    planes = (lead, *out[:-1])
    unrolled = prod(kernel) <= UNROLLED

    def write(b: KernelBuilder) -> None:
        source = b.argument(0)
        targets = [b.argument(1 + k) for k in range(results)]
        with b.loop(b.begin, b.end) as item:
            plane, *rows = _coordinates(b, item, planes)
            start = b.at(source, element.memory, b.multiply(plane, integer(prod(sizes))))
            places = [integer(o) if isinstance(o, int) else o for o in rows]
            firsts = [b.subtract(b.multiply(o, integer(s)), integer(q)) for o, s, q in zip(places, stride, padding)]
            corner = integer(0)
            for first, step in zip(firsts, steps):
                corner = b.add(corner, b.multiply(first, integer(step)))
            with b.loop(0, out[-1], count) as i:
                begin = b.subtract(b.multiply(i, integer(stride[-1])), integer(padding[-1]))

                def candidates(visit: Callable[[Operand, Operand, Operand], None], begin: Operand = begin) -> None:
                    def axis(number: int, base: Operand, valid: Operand | None, offset: Operand) -> None:
                        with _each(b, kernel[number], unrolled, last_first) as ks:
                            for k in ks:
                                far = b.multiply(k, integer(dilation[number]))
                                moved = b.add(offset, b.multiply(far, integer(steps[number])))
                                if number == rank - 1:
                                    size = integer(sizes[-1])
                                    if valid is not None:
                                        size = b.select(valid, size, integer(0))
                                    position = b.add(begin, far)
                                    row = anywhere(b, start, element.memory, base)
                                    found, mask = strided_load(
                                        b, row, position, size, stride[-1], element.memory, count
                                    )
                                    visit(widen(b, found, element), mask, moved)
                                    continue
                                y = b.add(firsts[number], far)
                                inside = b.compare("ult", y, integer(sizes[number]))
                                both = inside if valid is None else b.binary("and", valid, inside)
                                axis(number + 1, b.add(base, b.multiply(y, integer(steps[number]))), both, moved)

                    axis(0, integer(0), None, integer(0))

                rest = b.subtract(integer(out[-1]), i)
                at = b.add(b.multiply(item, integer(out[-1])), i)
                write_line(b, element, count, candidates, targets, at, rest, b.add(corner, begin))
        b.done()

    items = lead * prod(out[:-1])
    lanes = -(-out[-1] // count)
    key = f"{name} {x.dtype.name} {lead} {sizes} {kernel} {stride} {padding} {dilation} {out}"
    made = [graph.result(each) for each in line.results]
    return [Kernel(name, key, write, [graph.dense(line.operands[0])], made, items, 0.6 * cost * prod(kernel) * lanes + 3)]


@lowers("max_window")
def max_window(line: Any, graph: Graph) -> list[Kernel] | None:
    """Values and flat indices. From the last place to the first, so that of equal ones the first stays."""
    x = graph.type(line.operands[0])
    p = line.parameters
    if x.dtype.name == "bool" or prod(x.shape[-len(p["kernel"]) :]) >= 1 << 31:
        return None
    unsigned = x.dtype.name in UNSIGNED
    step = p["stride"][-1]

    def write_line(
        b: KernelBuilder, element: Element, count: int, candidates: Any, targets: list[Operand], at: Operand, rest: Operand,
        corner: Operand,
    ) -> None:  # fmt: skip
        kind = vector(element.compute, count)
        floating = is_floating(kind)
        if floating:
            least = constant(kind, float("-inf"))
        else:
            least = constant(kind, 0 if unsigned else -(1 << (8 * size_of(kind) - 1)))
        best, which = b.variable(least), b.variable(constant(vector("i32", count), 0))

        def visit(found: Operand, mask: Operand, offset: Operand) -> None:
            held = b.get(best)
            if floating:  # not less, or not a number; but what is not a number stays
                better = b.binary("and", b.compare("ule", held, found), b.compare("ord", held, held))
            else:
                better = b.compare("ule" if unsigned else "sle", held, found)
            better = b.binary("and", better, mask)
            b.set(best, b.select(better, found, held))
            place = b.splat(b.convert("trunc", offset, "i32"), count)
            b.set(which, b.select(better, place, b.get(which)))

        candidates(visit)
        mask = within(b, 0, rest, count)
        b.store_where(narrow(b, b.get(best), element), b.at(targets[0], element.memory, at), mask)
        wide = vector("i64", count)
        lane = b.add(b.splat(corner, count), b.numbers(wide, [step * k for k in range(count)]))
        b.store_where(b.add(b.convert("sext", b.get(which), wide), lane), b.at(targets[1], "i64", at), mask)

    return _windows("max_window", graph, line, write_line, 2, True, 2.5)


@lowers("sum_window")
def sum_window(line: Any, graph: Graph) -> list[Kernel] | None:
    """What lies outside counts as zero."""
    if graph.type(line.operands[0]).dtype.name == "bool":
        return None

    def write_line(
        b: KernelBuilder, element: Element, count: int, candidates: Any, targets: list[Operand], at: Operand, rest: Operand,
        corner: Operand,
    ) -> None:  # fmt: skip
        total = b.variable(constant(vector(element.compute, count), 0))
        candidates(lambda found, mask, offset: b.set(total, b.add(b.get(total), found)))
        out = narrow(b, b.get(total), element)
        b.store_where(out, b.at(targets[0], element.memory, at), within(b, 0, rest, count))

    return _windows("sum_window", graph, line, write_line, 1, False, 1.5)


@lowers("spread_window")
def spread_window(line: Any, graph: Graph) -> list[Kernel] | None:
    """Each input adds up the windows it lies in; an item is a line of inputs."""
    grad, made = graph.type(line.operands[0]), graph.type(line.results[0])
    if grad.dtype.name == "bool":
        return None
    p = line.parameters
    sizes, kernel, stride, padding, dilation = (p[k] for k in ("sizes", "kernel", "stride", "padding", "dilation"))
    rank = len(kernel)
    out = grad.shape[-rank:]
    lead = prod(grad.shape[:-rank])
    element = _element(grad.dtype)
    count = _count(element)
    kind = vector(element.compute, count)
    steps = [prod(out[axis + 1 :]) for axis in range(rank)]
    step = stride[-1]

    def write(b: KernelBuilder) -> None:
        source, target = b.argument(0), b.argument(1)
        with b.loop(b.begin, b.end) as item:
            plane, *rows = _coordinates(b, item, (lead, *sizes[:-1]))
            start = b.at(source, element.memory, b.multiply(plane, integer(prod(out))))
            to = b.at(target, element.memory, b.multiply(item, integer(sizes[-1])))
            for residue in range(min(step, sizes[-1])):
                axis = adjoint_axis(sizes[-1], kernel[-1], step, padding[-1], dilation[-1], out[-1], residue)
                length = len(range(residue, sizes[-1], step))
                with b.loop(0, length, count) as i:
                    total = b.variable(constant(kind, 0))

                    def lines(number: int, base: Operand, valid: Operand | None, i: Operand = i, axis: Any = axis,
                              total: Any = total) -> None:  # fmt: skip
                        if number == rank - 1:
                            size = integer(out[-1]) if valid is None else b.select(valid, integer(out[-1]), integer(0))
                            row = anywhere(b, start, element.memory, base)
                            for offset in axis.offsets[::-1]:
                                position = b.add(i, integer(offset))
                                found, _ = strided_load(b, row, position, size, 1, element.memory, count)
                                b.set(total, b.add(b.get(total), widen(b, found, element)))
                            return
                        with b.loop(0, kernel[number]) as k:
                            moved = b.add(rows[number], integer(padding[number]))
                            moved = b.subtract(moved, b.multiply(k, integer(dilation[number])))
                            y = b.emit("i64", f"sdiv i64 {moved.name}, {stride[number]}")
                            exact = b.compare("eq", b.multiply(y, integer(stride[number])), moved)
                            inside = b.binary("and", exact, b.compare("ult", y, integer(out[number])))
                            both = inside if valid is None else b.binary("and", valid, inside)
                            lines(number + 1, b.add(base, b.multiply(y, integer(steps[number]))), both)

                    if axis is not None:
                        lines(0, integer(0), None)
                    rest = within(b, 0, b.subtract(integer(length), i), count)
                    value = narrow(b, b.get(total), element)
                    place = b.add(b.multiply(i, integer(step)), integer(residue))
                    at = b.at(to, element.memory, place)
                    if step == 1:
                        b.store_where(value, at, rest)
                    else:
                        _scatter(b, value, at, step, rest, element, count)
        b.done()

    items = made.numel // max(1, sizes[-1])
    key = f"spread_window {grad.dtype.name} {lead} {out} {sizes} {kernel} {stride} {padding} {dilation}"
    cost = 3 + 1.0 * prod(kernel[:-1]) * -(-sizes[-1] // count) * min(step, 8)
    return [
        Kernel("spread_window", key, write, [graph.dense(line.operands[0])], [graph.result(line.results[0])], items, cost)
    ]


def _scatter(b: KernelBuilder, value: Operand, at: Operand, step: int, mask: Operand, element: Element, count: int) -> None:
    """Store lanes ``step`` elements apart."""
    lane = b.numbers(vector("i64", count), [step * k for k in range(count)])
    places = b.emit(vector("ptr", count), f"getelementptr {element.memory}, {at}, {lane}")
    aligned = Operand(f"{places.type} align {size_of(element.memory)}", places.name)
    b.call(f"llvm.masked.scatter.{mangled(value.type)}.{mangled(places.type)}", (value, aligned, mask))


@lowers("add_at_window")
def add_at_window(line: Any, graph: Graph) -> list[Kernel] | None:
    """Each item is a plane: zeros, then one element after the other added where it belongs."""
    grad, made = graph.type(line.operands[0]), graph.type(line.results[0])
    if grad.dtype.name == "bool" or graph.type(line.operands[1]).dtype.name != "int64":
        return None
    sizes = line.parameters["sizes"]
    rank = len(sizes)
    lead, area, taken = prod(grad.shape[:-rank]), prod(sizes), prod(grad.shape[-rank:])
    element = _element(grad.dtype)
    count = _count(element)
    kind = vector(element.compute, count)

    def write(b: KernelBuilder) -> None:
        x, index, y = b.argument(0), b.argument(1), b.argument(2)
        with b.loop(b.begin, b.end) as plane:
            out = b.at(y, element.memory, b.multiply(plane, integer(area)))
            sums = out if element.native else b.scratch
            whole = area - area % count
            with b.loop(0, whole, count) as i:
                b.store(constant(kind, 0), b.at(sums, element.compute, i))
            with b.loop(whole, area) as i:
                b.store(constant(element.compute, 0), b.at(sums, element.compute, i))
            first = b.multiply(plane, integer(taken))
            with b.loop(0, taken) as i:
                number = b.add(first, i)
                place = b.emit("i64", f"load i64, {b.at(index, 'i64', number)}")
                inside = b.compare("ult", place, integer(area))
                good, bad, end = b.label(), b.label(), b.label()
                b.branch_if(inside, good, bad)
                b.place(bad)
                b.fail(3)
                b.branch(end)
                b.place(good)
                at = b.at(sums, element.compute, place)
                value = widen(b, b.load(element.memory, b.at(x, element.memory, number)), element)
                b.store(b.add(b.load(element.compute, at), value), at)
                b.branch(end)
                b.place(end)
            if not element.native:
                with b.loop(0, area) as i:
                    value = narrow(b, b.load(element.compute, b.at(sums, element.compute, i)), element)
                    b.store(value, b.at(out, element.memory, i))
        b.done()

    key = f"add_at_window {grad.dtype.name} {area} {taken}"
    reads = [graph.dense(line.operands[0]), graph.dense(line.operands[1])]
    scratch = 0 if element.native else area * size_of(element.compute)
    cost = 0.8 * taken + 0.03 * area
    made_kernel = Kernel(
        "add_at_window", key, write, reads, [graph.result(line.results[0])], lead if made.numel else 0, cost, scratch, True
    )
    return [made_kernel]
