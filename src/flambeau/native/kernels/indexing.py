"""Reading and writing elements at places told by other arrays: embedding, advanced indexing, gather, scatter, their gradients.

Where several elements are written to one place, they are so in the order of the indices, by one item: each item has some of the
columns (the part of an element's place that no index tells) and goes through all indices. So sums come out the same on
every run and for any number of threads.
"""

from __future__ import annotations

from math import prod
from typing import Any

from ...core.dtypes import dtype
from ...primitives.indexing import adjacent, indexed_shape
from ...tracing.program import Name
from ..builder import Builder, Operand, constant, integer, size_of, vector
from ..elementwise import RULES, from_memory, rounded, to_memory
from ..kernel import UNSIGNED, Kernel, KernelBuilder, has_memory_type, lowers, memory_type
from ..places import Place, broadcast, dense_strides
from .nests import Ints, bits_type, collapsed, copy_kernel, flat_offset, lanes_of, least, move_line, moved, nest

#: Columns that an item of a scatter has, at least, and scattered elements worth an item.
COLUMNS, SCATTERED = 32, 1 << 13
#: Gathered bytes worth an item.
GATHERED = 1 << 15


def _index(b: Builder, pointer: Operand, kind: dtype) -> Operand:
    """An index, as an i64."""
    return b.convert("zext" if kind.name in UNSIGNED else "sext", b.load(memory_type(kind), pointer), "i64")


def _within(b: Builder, index: Operand, size: int, wraps: bool) -> tuple[Operand, Operand]:
    """The index counted from the front, and whether there is such an element."""
    if wraps:
        negative = b.compare("slt", index, integer(0))
        index = b.select(negative, b.add(index, integer(size)), index)
    return index, b.compare("ult", index, integer(size))


def _combined(b: Builder, kind: dtype, combine: str, here: Operand, update: Operand) -> Operand:
    """What is stored where ``update`` meets ``here``; both as they lie in memory."""
    if combine == "assign":
        return update
    made = RULES[combine](b, kind, from_memory(b, here, kind), from_memory(b, update, kind))
    return to_memory(b, rounded(b, made, kind), kind)


class _Indices:
    """Index arrays on some axes of an array: from the number of a tuple of indices to an offset."""

    def __init__(self, graph: Any, operands: Any, shape: Ints, axes: Ints, sizes: Ints, strides: Ints, wraps: bool):
        places = [graph.place(each) for each in operands]
        self.kinds = [place.dtype for place in places]
        self.steps = [broadcast(place, shape).strides for place in places]
        self.arguments = [graph.argument(place) for place in places]
        self.shape, self.axes, self.sizes, self.strides, self.wraps = shape, axes, sizes, strides, wraps

    @property
    def key(self) -> tuple[Any, ...]:
        """What the code depends on."""
        names = [kind.name for kind in self.kinds]
        return names, self.steps, self.shape, self.sizes, self.strides, self.wraps

    def offset(self, b: KernelBuilder, number: Operand, first: int, bad: int) -> tuple[Operand, Operand]:
        """The offset of tuple ``number`` and whether it is within bounds; ``bad`` is the failure cell's position."""
        total, good = integer(0), Operand("i1", "true")
        for k, (kind, steps) in enumerate(zip(self.kinds, self.steps)):
            place = b.at(b.argument(first + k), memory_type(kind), flat_offset(b, number, self.shape, steps))
            index, fits = _within(b, _index(b, place, kind), self.sizes[k], self.wraps)
            total = b.add(total, b.multiply(index, integer(self.strides[k])))
            good = b.binary("and", good, fits)
        with b.when(b.binary("xor", good, Operand("i1", "true"))):
            b.fail(bad)
        return total, good


def _bits(kind: dtype) -> str:
    return bits_type(size_of(memory_type(kind)))


def _known(graph: Any, operands: Any) -> bool:
    return all(
        isinstance(each, Name) and has_memory_type(graph.type(each).dtype) and not graph.type(each).is_number
        for each in operands
    )


def _nothing(result: Any) -> Kernel:
    return Kernel("nothing", "nothing", lambda b: b.done(), [], [result], 0)


def _front_and_back(rank: int, axes: Ints) -> tuple[list[int], list[int]]:
    """The axes without indices before and behind where the indices' axes stand in the result."""
    rest = [axis for axis in range(rank) if axis not in axes]
    if not adjacent(axes):
        return [], rest
    return [axis for axis in rest if axis < axes[0]], [axis for axis in rest if axis > axes[0]]


@lowers("gather_at")
def gather_at(line: Any, graph: Any) -> list[Kernel] | None:
    """For each tuple of indices (an item has some of them), the part of x there is copied."""
    x, indices, axes = graph.place(line.operands[0]), line.operands[1:], line.parameters["axes"]
    if not _known(graph, line.operands):
        return None
    result = graph.result(line.results[0])
    shape = graph.type(line.results[0]).shape
    front, back = _front_and_back(len(x.shape), axes)
    index_shape = shape[len(front) : len(shape) - len(back)]
    count, behind = prod(index_shape), prod(x.shape[axis] for axis in back)
    if 0 in shape:
        return [_nothing(result)] if count == 0 else None  # the indices must still be checked
    strides = dense_strides(shape)
    found = _Indices(
        graph, indices, index_shape, axes, tuple(x.shape[a] for a in axes), tuple(x.strides[a] for a in axes),
        line.parameters.get("wraps", True),
    )  # fmt: skip
    kind = _bits(x.dtype)
    outer, (outer_in, outer_out) = collapsed(
        [x.shape[a] for a in front], [x.strides[a] for a in front], strides[: len(front)]
    )
    inner, (inner_in, inner_out) = collapsed(
        [x.shape[a] for a in back], [x.strides[a] for a in back], strides[len(shape) - len(back) :]
    )
    ahead = prod(outer)
    by_index = behind * size_of(kind) >= 64 or ahead == 1  # else what lies in front is gone through first
    bytes_each = size_of(kind) * behind * (ahead if by_index else 1)
    number = len(found.arguments)

    def copy(b: KernelBuilder, i: Operand, source: Operand, target: Operand, outer_shape: Ints) -> None:
        offset, good = found.offset(b, i, 1, number + 2)
        with b.when(good):
            start = b.at(source, kind, offset)
            end = moved(b, target, kind, i, behind)

            def line_of(p: Operand, q: Operand) -> None:
                nest(
                    b, inner[:-1], [(p, kind, inner_in), (q, kind, inner_out)],
                    lambda r, s: move_line(b, b.lanes, kind, r, s, inner[-1], (inner_in[-1], inner_out[-1])),
                )  # fmt: skip

            nest(b, outer_shape, [(start, kind, outer_in), (end, kind, outer_out)], line_of)

    def write(b: KernelBuilder) -> None:
        source, target = b.argument(0), b.argument(number + 1)
        with b.loop(b.begin, b.end) as item:
            if by_index:
                first = b.multiply(item, integer(rows))
                with b.loop(first, least(b, b.add(first, integer(rows)), count)) as i:
                    copy(b, i, source, target, outer)
            else:
                first = b.multiply(item, integer(rows))
                with b.loop(first, least(b, b.add(first, integer(rows)), ahead)) as j:
                    p = b.at(source, kind, flat_offset(b, j, outer, outer_in))
                    q = b.at(target, kind, flat_offset(b, j, outer, outer_out))
                    with b.loop(0, count) as i:
                        copy(b, i, p, q, ())
        b.done()

    things, size = (count, bytes_each) if by_index else (ahead, bytes_each * count)
    rows = max(1, GATHERED // (size + 32))
    key = repr(("gather_at", kind, outer, outer_in, outer_out, inner, inner_in, inner_out, found.key, by_index, rows))
    return [
        Kernel(
            "gather_at", key, write, [graph.argument(x), *found.arguments], [result], -(-things // rows),
            rows * (size / 8 + (3 if by_index else 2 * count)), can_fail=True,
        )
    ]  # fmt: skip


@lowers("put_at")
def put_at(line: Any, graph: Any) -> list[Kernel] | None:
    """x is copied, unless the result takes its memory over; then an item has some columns and goes through all indices."""
    x, update, indices = graph.place(line.operands[0]), line.operands[1], line.operands[2:]
    axes, combine = line.parameters["axes"], line.parameters["combine"]
    if not _known(graph, line.operands):
        return None
    result = graph.result(line.results[0])
    index_shape = _common([graph.type(each).shape for each in indices])
    places = indexed_shape(x.shape, index_shape, axes)
    front, back = _front_and_back(len(x.shape), axes)
    source: Place = broadcast(graph.place(update), places)
    kind = x.dtype
    made = [copy_kernel(_bits(kind), x.shape, x.strides, graph.argument(x), result)]
    if not prod(index_shape):
        return made if made[0].items else [_nothing(result)]
    if 0 in x.shape:
        return None  # the indices must still be checked
    strides = dense_strides(x.shape)
    found = _Indices(
        graph, indices, index_shape, axes, tuple(x.shape[a] for a in axes), tuple(strides[a] for a in axes),
        line.parameters.get("wraps", True),
    )  # fmt: skip
    rest = [*front, *back]
    rest_in_update = [*source.strides[: len(front)], *source.strides[len(source.strides) - len(back) :]]
    index_steps = source.strides[len(front) : len(source.strides) - len(back)]
    columns, (out_steps, in_steps) = collapsed([x.shape[a] for a in rest], [strides[a] for a in rest], rest_in_update)
    count = prod(index_shape)
    width = columns[-1]
    even = out_steps[-1] == 1 and in_steps[-1] in (0, 1)
    # Cut along the last dimension where it is long, else along the first.
    cut = len(columns) - 1 if width >= 2 * COLUMNS else 0
    wanted = max(1, count * prod(columns) // SCATTERED)
    per_item = -(-columns[cut] // min(wanted, columns[cut]))
    if cut == len(columns) - 1:
        per_item = -(-max(per_item, COLUMNS) // COLUMNS) * COLUMNS
    items = -(-columns[cut] // per_item)
    element = memory_type(kind)
    number = len(found.arguments)

    def write(b: KernelBuilder) -> None:
        origin, target = b.argument(0), b.argument(number + 1)

        def place(p: Operand, q: Operand) -> None:
            b.store(_combined(b, kind, combine, b.load(element, q), b.load(element, p)), q)

        def across(p: Operand, q: Operand, start: Operand | int, stop: Operand | int) -> None:
            if not even:
                with b.loop(start, stop) as j:
                    place(moved(b, p, element, j, in_steps[-1]), moved(b, q, element, j, out_steps[-1]))
                return
            wide = vector(element, lanes_of(b.lanes, element))
            spread = b.splat(b.load(element, p), lanes_of(b.lanes, element)) if in_steps[-1] == 0 else None

            def part(j: Operand | int, short: int | None) -> None:
                to = b.at(q, element, j)
                new = spread or b.load(wide, b.at(p, element, j), short)
                here = constant(wide, 0) if combine == "assign" else b.load(wide, to, short)
                b.store(_combined(b, kind, combine, here, new), to, short)

            lanes = lanes_of(b.lanes, element)
            whole = width - width % lanes
            if whole:
                last = whole if isinstance(stop, int) else least(b, stop, whole)
                with b.loop(start, last, lanes) as j:
                    part(j, None)
            if whole < width:
                if isinstance(stop, int):
                    part(whole, width - whole)
                else:
                    with b.when(b.compare("eq", stop, integer(width))):
                        part(whole, width - whole)

        with b.loop(b.begin, b.end) as item:
            ranges: dict[int, tuple[Operand | int, Operand | int]] = {}
            if items > 1:
                first = b.multiply(item, integer(per_item))
                ranges[cut] = (first, least(b, b.add(first, integer(per_item)), columns[cut]))
            with b.loop(0, count) as i:
                offset, good = found.offset(b, i, 1, number + 2)
                with b.when(good):
                    p = b.at(origin, element, flat_offset(b, i, index_shape, index_steps))
                    q = b.at(target, element, offset)
                    bounds = ranges.get(len(columns) - 1, (0, width))
                    nest(
                        b, columns[:-1], [(p, element, in_steps), (q, element, out_steps)],
                        lambda p, q: across(p, q, *bounds), ranges,
                    )  # fmt: skip
        b.done()

    key = repr(("put_at", kind.name, combine, columns, out_steps, in_steps, index_steps, found.key, cut, per_item))
    cost = count * (3 + prod(columns) / items / (8 if even else 1))
    reads = [graph.argument(source), *found.arguments]
    made.append(Kernel("put_at", key, write, reads, [result], items, cost, can_fail=True))
    return made


def _common(shapes: list[Ints]) -> Ints:
    from ...core.strides import broadcast as together

    first = shapes[0]
    return first if all(shape == first for shape in shapes) else tuple(together(*shapes))


class _Along:
    """Loops over an index array beside one that it indexes along an axis: dimensions before it, it, dimensions behind."""

    def __init__(self, shape: Ints, axis: int, *strides: Ints) -> None:
        parts = [collapsed(shape[a:b], *(s[a:b] for s in strides)) for a, b in ((0, axis), (axis + 1, len(shape)))]
        (before, ahead), (after, behind) = parts
        self.shape = (*before, shape[axis], *after)
        self.axis = len(before)
        self.strides = [(*x, s[axis], *y) for x, s, y in zip(ahead, strides, behind)]
        free = [k for k in range(len(self.shape)) if k != self.axis]
        self.cut = max(free, key=lambda k: (self.shape[k] > 1 and k == 0, self.shape[k]))
        if self.shape[0] < 4:
            self.cut = max(free, key=lambda k: self.shape[k])
        total = prod(self.shape)
        wanted = min(max(1, total // SCATTERED), 64, self.shape[self.cut])
        self.rows = -(-self.shape[self.cut] // wanted)
        self.items = -(-self.shape[self.cut] // self.rows)

    def ranges(self, b: KernelBuilder, item: Operand) -> dict[int, tuple[Operand | int, Operand | int]]:
        """The part of the loops that is one item."""
        if self.items == 1:
            return {}
        first = b.multiply(item, integer(self.rows))
        return {self.cut: (first, least(b, b.add(first, integer(self.rows)), self.shape[self.cut]))}


@lowers("gather_along")
def gather_along(line: Any, graph: Any) -> list[Kernel] | None:
    """Element by element."""
    if not _known(graph, line.operands):
        return None
    x, index = graph.place(line.operands[0]), graph.place(line.operands[1])
    result = graph.result(line.results[0])
    shape, axis = index.shape, line.parameters["axis"]
    if 0 in shape:
        return [_nothing(result)]
    if not shape:
        return None
    axis %= len(shape)
    away = tuple(0 if k == axis else step for k, step in enumerate(x.strides))
    loops = _Along(shape, axis, index.strides, away, dense_strides(shape))
    kind, place, step, size = index.dtype, _bits(x.dtype), x.strides[axis], x.shape[axis]

    def write(b: KernelBuilder) -> None:
        source, indices, target = b.argument(0), b.argument(1), b.argument(2)

        def each(i: Operand, p: Operand, q: Operand) -> None:
            number, good = _within(b, _index(b, i, kind), size, wraps=False)
            with b.when(b.binary("xor", good, Operand("i1", "true"))):
                b.fail(3)
            with b.when(good):
                b.store(b.load(place, moved(b, p, place, number, step)), q)

        with b.loop(b.begin, b.end) as item:
            operands = list(zip((indices, source, target), (memory_type(kind), place, place), loops.strides))
            nest(b, loops.shape, operands, each, loops.ranges(b, item))
        b.done()

    key = repr(("gather_along", kind.name, place, step, size, loops.shape, loops.strides, loops.cut, loops.rows))
    cost = 1.5 * prod(shape) / loops.items
    reads = [graph.argument(x), graph.argument(index)]
    return [Kernel("gather_along", key, write, reads, [result], loops.items, cost, can_fail=True)]


@lowers("put_along")
def put_along(line: Any, graph: Any) -> list[Kernel] | None:
    """x is copied, unless the result takes its memory over; then each element is put where its index says, in order."""
    if not _known(graph, line.operands):
        return None
    x, index = graph.place(line.operands[0]), graph.place(line.operands[1])
    result = graph.result(line.results[0])
    shape, axis, combine = index.shape, line.parameters["axis"], line.parameters["combine"]
    if not shape:
        return None
    axis %= len(shape)
    update = broadcast(graph.place(line.operands[2]), shape)
    made = [copy_kernel(_bits(x.dtype), x.shape, x.strides, graph.argument(x), result)]
    if 0 in shape:
        return made if made[0].items else [_nothing(result)]
    if 0 in x.shape:
        return None
    strides = dense_strides(x.shape)
    away = tuple(0 if k == axis else step for k, step in enumerate(strides))
    loops = _Along(shape, axis, index.strides, update.strides, away)
    kind, element, step, size = index.dtype, memory_type(x.dtype), strides[axis], x.shape[axis]

    def write(b: KernelBuilder) -> None:
        indices, source, target = b.argument(0), b.argument(1), b.argument(2)

        def each(i: Operand, p: Operand, q: Operand) -> None:
            number, good = _within(b, _index(b, i, kind), size, wraps=False)
            with b.when(b.binary("xor", good, Operand("i1", "true"))):
                b.fail(3)
            with b.when(good):
                place = moved(b, q, element, number, step)
                here = constant(element, 0) if combine == "assign" else b.load(element, place)
                b.store(_combined(b, x.dtype, combine, here, b.load(element, p)), place)

        with b.loop(b.begin, b.end) as item:
            operands = list(zip((indices, source, target), (memory_type(kind), element, element), loops.strides))
            nest(b, loops.shape, operands, each, loops.ranges(b, item))
        b.done()

    key = repr(
        ("put_along", kind.name, x.dtype.name, combine, step, size, loops.shape, loops.strides, loops.cut, loops.rows)
    )
    reads = [graph.argument(index), graph.argument(update)]
    cost = 2.0 * prod(shape) / loops.items
    made.append(Kernel("put_along", key, write, reads, [result], loops.items, cost, can_fail=True))
    return made


@lowers("accumulate_strided")
def accumulate_strided(line: Any, graph: Any) -> list[Kernel] | None:
    """A vector of zeros, with the update added element after element by one item."""
    from .contraction import zeros_kernel

    update = graph.place(line.operands[0])
    count, offset = line.parameters["count"], line.parameters["offset"]
    result = graph.result(line.results[0])
    if not count:
        return [_nothing(result)]
    kind, element = update.dtype, memory_type(update.dtype)
    made = [zeros_kernel(result, count * size_of(element))]
    if not update.numel:
        return made
    shape, (steps, places) = collapsed(update.shape, update.strides, tuple(line.parameters["strides"]))

    def write(b: KernelBuilder) -> None:
        source, target = b.argument(0), b.at(b.argument(1), element, offset)

        def each(p: Operand, q: Operand) -> None:
            b.store(_combined(b, kind, "add", b.load(element, q), b.load(element, p)), q)

        with b.when(b.compare("slt", b.begin, b.end)):
            nest(b, shape, [(source, element, steps), (target, element, places)], each)
        b.done()

    key = repr(("accumulate_strided", kind.name, shape, steps, places, offset))
    made.append(Kernel("accumulate_strided", key, write, [graph.argument(update)], [result], 1, 1.5 * update.numel))
    return made


__all__ = ["accumulate_strided", "gather_along", "gather_at", "put_along", "put_at"]
