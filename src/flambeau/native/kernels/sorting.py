"""Where extremes are, and how many sorted numbers lie before others. Sorting itself is left to NumPy, which does it well.

An extreme is looked for line by line: with lanes across lines that lie side by side, with lanes along a line that is contiguous
and long (each lane then keeps the first extreme of its own, and the lanes are compared at the end), else one element at a time.
"""

from __future__ import annotations

from typing import Any

from ...core.dtypes import FLOATING, dtype
from ..builder import Builder, Operand, constant, integer, lanes, size_of, vector
from ..elementwise import from_memory
from ..kernel import UNSIGNED, Kernel, KernelBuilder, has_memory_type, lowers, memory_type
from ..places import broadcast, dense_strides
from .nests import collapsed, flat_offset, least, moved
from .scans import Lines


def _beats(b: Builder, kind: dtype, x: Operand, best: Operand, least_wanted: bool) -> Operand:
    """Whether x is better than the best before it; NaN is better than all others."""
    if kind.category == FLOATING:
        better = b.compare("olt" if least_wanted else "ogt", x, best)
        return b.binary("or", better, b.binary("and", b.compare("uno", x, x), b.compare("ord", best, best)))
    sign = "u" if kind.name in UNSIGNED else "s"
    return b.compare(f"{sign}{'lt' if least_wanted else 'gt'}", x, best)


def _ties(b: Builder, kind: dtype, x: Operand, best: Operand) -> Operand:
    """Whether neither is better."""
    if kind.category == FLOATING:
        both = b.binary("and", b.compare("uno", x, x), b.compare("uno", best, best))
        return b.binary("or", b.compare("oeq", x, best), both)
    return b.compare("eq", x, best)


@lowers("argument_max", "argument_min")
def argument_extreme(line: Any, graph: Any) -> list[Kernel] | None:
    """The first of the best elements of each line."""
    operand, least_wanted = graph.type(line.operands[0]), line.primitive.name == "argument_min"
    rank = len(operand.shape)
    if not has_memory_type(operand.dtype) or not rank or operand.is_number or 0 in operand.shape:
        return None
    place, result = graph.place(line.operands[0]), graph.result(line.results[0])
    axis, kind = line.parameters["axis"] % rank, operand.dtype
    made = graph.type(line.results[0]).shape
    lines = Lines(place, axis, dense_strides(made))
    element = memory_type(kind)
    from ..machine import machine

    count = machine().vector_bytes // max(size_of(element), 4)
    items = lines.divide(count)
    along = not lines.wide and lines.step == 1 and lines.length >= 4 * count

    def write(b: KernelBuilder) -> None:
        def line_of(places: list[Operand], width: int, short: int | None) -> None:
            x, y = places
            wide = count if along else width

            def load(k: Operand | int) -> Operand:
                return from_memory(b, b.load(vector(element, wide), moved(b, x, element, k, lines.step), short), kind)

            first = load(0)
            index = vector("i32", wide)
            start = b.numbers(index, range(wide)) if along else constant(index, 0)
            best, where = b.variable(first), b.variable(start)

            def meet(value: Operand, numbers: Operand) -> None:
                better = _beats(b, kind, value, b.get(best), least_wanted)
                b.set(best, b.select(better, value, b.get(best)))
                b.set(where, b.select(better, numbers, b.get(where)))

            step = count if along else 1
            whole = lines.length - lines.length % step
            with b.loop(step, whole, step) as k:
                at = b.splat(b.convert("trunc", k, "i32"), wide)
                meet(load(k), b.add(at, start) if along else at)
            if not along:
                b.store(b.convert("sext", b.get(where), vector("i64", wide)), y, short)
                return
            value, number = _over_lanes(b, kind, b.get(best), b.get(where), least_wanted)
            top, place_of = b.variable(value), b.variable(number)
            with b.loop(whole, lines.length) as k:
                one = from_memory(b, b.load(element, b.at(x, element, k)), kind)
                better = _beats(b, kind, one, b.get(top), least_wanted)
                b.set(top, b.select(better, one, b.get(top)))
                b.set(place_of, b.select(better, b.convert("trunc", k, "i32"), b.get(place_of)))
            b.store(b.convert("sext", b.get(place_of), "i64"), y)

        lines.each(b, line_of, [(b.argument(0), element), (b.argument(1), "i64")])
        b.done()

    key = repr((line.primitive.name, kind.name, along, count, lines.key))
    cost = lines.per_item * (lines.length * (0.2 if along else 1.0) + 5)
    return [Kernel(line.primitive.name, key, write, [graph.argument(place)], [result], items, cost)]


def _over_lanes(b: Builder, kind: dtype, best: Operand, where: Operand, least_wanted: bool) -> tuple[Operand, Operand]:
    """The best of all lanes and its index, the lowest of those that tie: halves are compared again and again."""
    half = lanes(best.type) // 2
    while half:
        lower, upper = range(half), range(half, 2 * half)
        x, y = (_part(b, best, lower), _part(b, best, upper))
        i, j = (_part(b, where, lower), _part(b, where, upper))
        earlier = b.binary("and", _ties(b, kind, y, x), b.compare("slt", j, i))
        take = b.binary("or", _beats(b, kind, y, x, least_wanted), earlier)
        best, where = b.select(take, y, x), b.select(take, j, i)
        half //= 2
    return best, where


def _part(b: Builder, x: Operand, order: range) -> Operand:
    return b.extract(x, order[0]) if len(order) == 1 else b.shuffle(x, x, list(order))


@lowers("search_sorted")
def search_sorted(line: Any, graph: Any) -> list[Kernel] | None:
    """Each value is looked up by halving, without branches."""
    boundaries, values = (graph.type(each) for each in line.operands)
    if boundaries.is_number or values.is_number or boundaries.dtype is not values.dtype:
        return None
    kind, right = values.dtype, line.parameters["right"]
    if not has_memory_type(kind) or not values.numel or not boundaries.shape:
        return None
    several = len(boundaries.shape) > 1
    if several and boundaries.shape[:-1] != values.shape[:-1]:
        return None
    length = boundaries.shape[-1]
    table, sought = graph.place(line.operands[0]), graph.place(line.operands[1])
    result = graph.result(line.results[0])
    # Where each value's row begins: a place of the values' shape.
    row = broadcast(table._replace(shape=(*table.shape[:-1], 1)), values.shape) if several else None
    element, step, count = memory_type(kind), table.strides[-1], values.numel
    per_item = max(1, 2048 // max(length.bit_length(), 1))

    def write(b: KernelBuilder) -> None:
        x, y, target = b.argument(0), b.argument(1), b.argument(2)

        def before(pointer: Operand, k: Operand, value: Operand) -> Operand:
            """Whether element k lies before the value, or, to the right, is not behind it. NaN lies behind all others."""
            here = from_memory(b, b.load(element, moved(b, pointer, element, k, step)), kind)
            a, c = (value, here) if right else (here, value)
            if kind.category == FLOATING:
                nan = b.binary("and", b.compare("uno", c, c), b.compare("ord", a, a))
                less = b.binary("or", b.compare("olt", a, c), nan)
            else:
                less = b.compare("ult" if kind.name in UNSIGNED else "slt", a, c)
            return b.binary("xor", less, Operand("i1", "true")) if right else less

        with b.loop(b.begin, b.end) as item:
            first = b.multiply(item, integer(per_item))
            with b.loop(first, least(b, b.add(first, integer(per_item)), count)) as i:
                pointer = x if row is None else b.at(x, element, flat_offset(b, i, values.shape, row.strides))
                place = b.at(y, element, flat_offset(b, i, sought.shape, sought.strides))
                value = from_memory(b, b.load(element, place), kind)
                base, left = integer(0), length
                while left > 1:
                    half = left // 2
                    further = b.add(base, integer(half))
                    base = b.select(before(pointer, b.subtract(further, integer(1)), value), further, base)
                    left -= half
                if left:
                    base = b.add(base, b.convert("zext", before(pointer, base, value), "i64"))
                b.store(base, b.at(target, "i64", i))
        b.done()

    steps = row.strides if row is not None else ()
    key = repr(
        ("search_sorted", kind.name, right, length, step, steps, collapsed(sought.shape, sought.strides), per_item)
    )
    reads = [graph.argument(table), graph.argument(sought)]
    cost = per_item * 3.0 * max(length.bit_length(), 1)
    return [Kernel("search_sorted", key, write, reads, [result], -(-count // per_item), cost)]


@lowers("member")
def member(line: Any, graph: Any) -> list[Kernel] | None:
    """Each element is compared with every test: for a few tests, vectors at a time."""
    x, tests = (graph.type(each) for each in line.operands)
    if x.is_number or tests.is_number or x.dtype is not tests.dtype or not has_memory_type(x.dtype) or not x.numel:
        return None
    if tests.numel > 64 or len(tests.shape) != 1:
        return None
    kind, element, number = x.dtype, memory_type(x.dtype), tests.numel
    place, wanted, result = graph.place(line.operands[0]), graph.place(line.operands[1]), graph.result(line.results[0])
    count, per_item = x.numel, 4096

    def write(b: KernelBuilder) -> None:
        source, table, target = b.argument(0), b.argument(1), b.argument(2)
        with b.loop(b.begin, b.end) as item:
            first = b.multiply(item, integer(per_item))
            with b.loop(first, least(b, b.add(first, integer(per_item)), count)) as i:
                offset = flat_offset(b, i, place.shape, place.strides)
                value = from_memory(b, b.load(element, b.at(source, element, offset)), kind)
                found = Operand("i1", "false")
                for k in range(number):
                    test = from_memory(b, b.load(element, moved(b, table, element, k, wanted.strides[0])), kind)
                    equal = b.compare("oeq" if kind.category == FLOATING else "eq", value, test)
                    found = b.binary("or", found, equal)
                b.store(b.convert("zext", found, "i8"), b.at(target, "i8", i))
        b.done()

    key = repr(("member", kind.name, number, wanted.strides, collapsed(place.shape, place.strides), per_item))
    reads = [graph.argument(place), graph.argument(wanted)]
    return [Kernel("member", key, write, reads, [result], -(-count // per_item), per_item * (1 + number / 2))]


__all__ = ["argument_extreme", "member", "search_sorted"]
