"""The input's gradient by columns: what each output gives to each tap of its window, then added up where windows overlap.

It is the adjoint of im2col (Chellapilla, Puri and Simard, 2006), for some channels and rows at a time, so that the columns
never leave the cache. No product is wasted on the rim, and any stride is one kernel. Adding up, each input gathers from
its windows: for the inputs at r, r + stride, r + 2·stride … along the last axis those are consecutive numbers.
"""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import NamedTuple

from ..builder import Operand, constant, integer, mangled, size_of, vector
from ..kernel import Argument, Kernel, KernelBuilder
from .convolution_axes import Ints, adjoint_axis
from .convolution_direct import CYCLE, Reading, count_of, divided, registers, tile, tile_cycles, tile_shapes
from .convolution_packing import anywhere, within

#: Bytes of columns that stay in the second-level cache.
ROOM = 800_000


class Adjoint(NamedTuple):
    """The shapes of a gradient in the input: ``channels`` and ``outputs`` are those of a group."""

    batch: int
    groups: int
    channels: int
    outputs: int
    sizes: Ints
    kernel: Ints
    stride: Ints
    padding: Ints
    dilation: Ints
    out: Ints

    @property
    def taps(self) -> int:
        """The kernel's elements."""
        return prod(self.kernel)


class Plan(NamedTuple):
    """How the work is cut: channels, rows of inputs and samples to an item, and the product's tile."""

    channels: int
    rows: int
    samples: int
    m: int
    n: int
    cycles: float


def reached(problem: Adjoint, rows: int) -> int:
    """How many rows of outputs ``rows`` rows of inputs lie in, at most."""
    reach = (problem.kernel[0] - 1) * problem.dilation[0]
    return min(problem.out[0], (rows - 1 + reach) // problem.stride[0] + 1)


@lru_cache(1024)
def plan(problem: Adjoint, element: str) -> Plan:
    """The cut that takes the least time by a simple model, the items spread over four threads."""
    count, size = count_of(element), size_of(element)
    height, rest = problem.sizes[0], prod(problem.out[1:])
    best: Plan | None = None
    cuts = {(-(-height // k), 1) for k in (1, 2, 4, 8, 16, 32, 64)}
    cuts |= {(height, -(-problem.batch // k)) for k in (1, 2, 4)}
    if len(problem.out) == 1:  # its rows are its line
        cuts = {(rows, samples) for rows, samples in cuts if rows == height}
    least = min(rows for rows, _ in cuts)
    for rows, samples in sorted(cuts):
        blocks = -(-height // rows)
        high = reached(problem, rows)
        flat = samples * high * rest
        vectors = -(-flat // count)
        packed = size * problem.outputs * flat if samples > 1 else 0
        for channels in {min(problem.channels, k) for k in (1, 2, 4, 8, 16, 32, 64)}:
            results = channels * problem.taps
            if size * results * vectors * count + packed > ROOM and (channels, rows, samples) != (1, least, 1):
                continue
            items = -(-problem.batch // samples) * problem.groups * blocks * -(-problem.channels // channels)
            spread = -(-items // 4) * 4 / items
            lines = samples * channels * (rows if len(problem.out) > 1 else 1) * prod(problem.sizes[1:-1])
            each = -(-problem.sizes[-1] // problem.stride[-1])
            chunks = -(-each // count) * problem.stride[-1]
            fold = lines * chunks * (2.5 * problem.taps / prod(problem.stride) + 12 + 5 * prod(problem.kernel[:-1]))
            pack = 2.5 * packed / size / count if packed else 0.0
            # Each output channel's weights lie on lines of their own.
            weights = problem.outputs * -(-results // 16) * (16 if problem.outputs * problem.taps * problem.channels > 1 << 18 else 2)
            for m, n in tile_shapes(registers()):
                if m > results or n > vectors:
                    continue
                down, left = divmod(results, m)
                wide, single = divmod(vectors, n)
                step = sum(
                    times * tile_cycles(a, c) for times, a, c in
                    ((down * wide, m, n), (down * single, m, 1), (wide, left, n), (single, left, 1))
                )  # fmt: skip
                ends = -(-results // m) * (wide * (m * n + 12) + single * (m + 12))
                cycles = (max(step * problem.outputs, weights) + ends + fold + pack) * items * spread
                if best is None or cycles < best.cycles:
                    best = Plan(channels, rows, samples, m, n, cycles)
    assert best is not None
    return best


def input_gradient(
    problem: Adjoint, element: str, grad: Argument, weight: Argument, result: Argument
) -> Kernel:
    """The kernel of the gradient; operands float32 or float64 in row-major order."""
    cut = plan(problem, element)
    count, size = count_of(element), size_of(element)
    kind = vector(element, count)
    out, sizes, taps, rank = problem.out, problem.sizes, problem.taps, len(problem.out)
    area, rest = prod(out), prod(out[1:])
    high = reached(problem, cut.rows)
    blocks = -(-sizes[0] // cut.rows)
    parts = -(-problem.channels // cut.channels)
    rounds = -(-problem.batch // cut.samples)
    results = cut.channels * taps
    flat = cut.samples * high * rest
    pitch = -(-flat // count) * count + 16
    columns_at = problem.outputs * flat + count if cut.samples > 1 else 0
    channel_step = flat if cut.samples > 1 else area
    reading = Reading(problem.outputs, channel_step, (0,), (0,), 1, problem.channels * taps)
    items = rounds * problem.groups * blocks * parts
    scratch = (columns_at + results * pitch + 2 * count) * size
    steps = [prod(out[axis + 1 :]) for axis in range(rank)]
    reach = (problem.kernel[0] - 1) * problem.dilation[0]

    def write(b: KernelBuilder) -> None:
        dy, w, dx = b.argument(0), b.argument(1), b.argument(2)
        packed, columns = b.scratch, b.at(b.scratch, element, columns_at)
        last = b.variable(integer(-1))
        with b.loop(b.begin, b.end) as item:
            block_number, part = divided(b, item, parts)
            plane, block = divided(b, block_number, blocks)
            number, g = divided(b, plane, problem.groups)
            first = b.multiply(part, integer(cut.channels))
            row = b.multiply(block, integer(cut.rows))
            n = b.multiply(number, integer(cut.samples))
            left = b.subtract(integer(problem.batch), n)
            samples = b.select(b.compare("slt", left, integer(cut.samples)), left, integer(cut.samples))
            # The first row of outputs that reaches these inputs: ⌈(row + padding - reach) / stride⌉, of positive numbers.
            step = problem.stride[0]
            start = b.add(row, integer(problem.padding[0] - reach + step - 1 + step * reach))
            start = b.subtract(b.emit("i64", f"udiv i64 {start.name}, {step}"), integer(reach))
            start = _between(b, start, out[0] - high)
            plane = b.add(b.multiply(n, integer(problem.groups)), g)
            source = b.at(dy, element, b.multiply(plane, integer(problem.outputs * area)))
            source = b.at(source, element, b.multiply(start, integer(rest)))
            if cut.samples > 1:
                with b.when(b.compare("ne", b.get(last), block_number)):
                    b.set(last, block_number)
                    _pack(b, source, packed, samples)
                source = packed
            here = b.add(b.multiply(g, integer(problem.outputs)), integer(0))
            here = b.add(b.multiply(here, integer(problem.channels * taps)), b.multiply(first, integer(taps)))
            more = b.subtract(integer(problem.channels), first)
            channels = b.select(b.compare("slt", more, integer(cut.channels)), more, integer(cut.channels))
            _product(b, source, b.at(w, element, here), columns, b.multiply(channels, integer(taps)))
            with b.loop(0, samples) as s, b.loop(0, channels) as c:
                to = b.add(b.multiply(b.add(n, s), integer(problem.groups)), g)
                to = b.add(b.multiply(to, integer(problem.channels)), b.add(first, c))
                mine = b.at(columns, element, b.multiply(c, integer(taps * pitch)))
                mine = b.at(mine, element, b.multiply(s, integer(high * rest)))
                _fold(b, mine, b.at(dx, element, b.multiply(to, integer(prod(sizes)))), row, start)
        b.done()

    def _pack(b: KernelBuilder, source: Operand, packed: Operand, samples: Operand) -> None:
        """(sample, output channel, place) to (output channel, sample, place)."""
        with b.loop(0, problem.outputs) as o:
            to = b.at(packed, element, b.multiply(o, integer(flat)))
            from_ = b.at(source, element, b.multiply(o, integer(area)))
            with b.loop(0, samples) as s:
                line = b.at(from_, element, b.multiply(s, integer(problem.groups * problem.outputs * area)))
                into = b.at(to, element, b.multiply(s, integer(high * rest)))
                with b.loop(0, high * rest, count) as i:
                    mask = within(b, 0, b.subtract(integer(high * rest), i), count)
                    b.store(b.load_where(kind, b.at(line, element, i), mask), b.at(into, element, i))

    def _product(b: KernelBuilder, source: Operand, weights: Operand, columns: Operand, length: Operand) -> None:
        whole = flat // (cut.n * count) * cut.n * count

        def some(r: Operand, m: int) -> None:
            there = b.at(weights, element, r)
            to = b.at(columns, element, b.multiply(r, integer(pitch)))

            def vectors(f: Operand, n: int, mask: Operand | None) -> None:
                sums = tile(b, element, reading, b.at(source, element, f), there, m, n, mask)
                at = b.at(to, element, f)
                for k, row in enumerate(sums):
                    for j, value in enumerate(row):
                        b.store(value, b.at(at, element, k * pitch + j * count))

            if whole:
                with b.loop(0, whole, cut.n * count) as f:
                    vectors(f, cut.n, None)
            if flat > whole:
                with b.loop(whole, flat, count) as f:
                    vectors(f, 1, within(b, 0, b.subtract(integer(flat), f), count))

        place = b.variable(integer(0))
        with b.loop(0, b.subtract(length, integer(cut.m - 1)), cut.m) as r:
            some(r, cut.m)
            b.set(place, b.add(r, integer(cut.m)))
        lasts = {results % cut.m, problem.channels % cut.channels * taps % cut.m} - {0}
        for m in sorted(lasts, reverse=True):
            with b.when(b.compare("eq", b.subtract(length, b.get(place)), integer(m))):
                some(b.get(place), m)

    def _fold(b: KernelBuilder, columns: Operand, plane: Operand, row: Operand, start: Operand) -> None:
        """Some rows of inputs of a channel, each the sum over the windows it lies in."""
        wide = sizes[-1]
        middle = prod(sizes[1:-1]) if rank > 1 else 1
        if rank == 1:
            _line(b, columns, plane, [], start)
            return
        end = b.add(row, integer(cut.rows))
        end = b.select(b.compare("slt", end, integer(sizes[0])), end, integer(sizes[0]))
        with b.loop(row, end) as y, b.loop(0, middle) as z:
            to = b.at(plane, element, b.multiply(b.add(b.multiply(y, integer(middle)), z), integer(wide)))
            _line(b, columns, to, [y] if rank == 2 else [y, z], start)

    def _line(b: KernelBuilder, columns: Operand, to: Operand, places: list[Operand], start: Operand) -> None:
        step, wide = problem.stride[-1], sizes[-1]
        length = -(-wide // step)
        axes = [
            adjoint_axis(wide, problem.kernel[-1], step, problem.padding[-1], problem.dilation[-1], out[-1], r)
            for r in range(min(step, wide))
        ]
        with b.loop(0, length, count) as i:
            totals = [b.variable(constant(kind, 0)) for _ in axes]

            def inner(base: Operand) -> None:
                for axis, total in zip(axes, totals):
                    if axis is None:
                        continue
                    for offset, tap in zip(axis.offsets[::-1], axis.taps[::-1]):
                        position = b.add(i, integer(offset))
                        mask = within(b, position, integer(out[-1]), count)
                        at = anywhere(b, columns, element, b.add(b.add(base, position), integer(tap * pitch)))
                        b.set(total, b.add(b.get(total), b.load_where(kind, at, mask)))

            def outer(axis: int, base: Operand, valid: Operand | None) -> None:
                with b.loop(0, problem.kernel[axis]) as k:
                    moved = b.add(places[axis], integer(problem.padding[axis]))
                    moved = b.subtract(moved, b.multiply(k, integer(problem.dilation[axis])))
                    o = b.emit("i64", f"sdiv i64 {moved.name}, {problem.stride[axis]}")
                    exact = b.compare("eq", b.multiply(o, integer(problem.stride[axis])), moved)
                    inside = b.binary("and", exact, b.compare("ult", o, integer(out[axis])))
                    o = b.subtract(o, start) if axis == 0 else o
                    far = b.multiply(k, integer(prod(problem.kernel[axis + 1 :]) * pitch))
                    there = b.add(b.add(base, far), b.multiply(o, integer(steps[axis])))
                    if axis + 1 < len(places):
                        outer(axis + 1, there, inside if valid is None else b.binary("and", valid, inside))
                    else:
                        with b.when(inside if valid is None else b.binary("and", valid, inside)):
                            inner(there)

            if places:
                outer(0, integer(0), None)
            else:
                inner(b.subtract(integer(0), start))
            values = [b.get(each) for each in totals]
            if step == 1:
                b.store_where(values[0], b.at(to, element, i), within(b, 0, b.subtract(integer(wide), i), count))
            elif step == 2 and len(values) == 2:
                at = b.multiply(i, integer(2))
                for half in (0, 1):
                    order = [k // 2 + count * (k % 2) for k in range(half * count, (half + 1) * count)]
                    line = b.shuffle(values[0], values[1], order)
                    begin_at = b.add(at, integer(half * count))
                    mask = within(b, 0, _positive(b, b.subtract(integer(wide), begin_at)), count)
                    b.store_where(line, anywhere(b, to, element, begin_at), mask)
            else:
                lane = b.numbers(vector("i32", count), [step * k for k in range(count)])
                for r, value in enumerate(values):
                    at = anywhere(b, to, element, b.add(b.multiply(i, integer(step)), integer(r)))
                    pointers = b.emit(vector("ptr", count), f"getelementptr {element}, {at}, {lane}")
                    aligned = Operand(f"{pointers.type} align {size}", pointers.name)
                    mask = within(b, 0, b.subtract(integer(len(range(r, wide, step))), i), count)
                    name = f"llvm.masked.scatter.{mangled(kind)}.{mangled(pointers.type)}"
                    b.call(name, (value, aligned, mask))

    key = f"input_gradient {element} {problem} {cut[:5]}"
    cost = cut.cycles / items * CYCLE
    return Kernel("convolution_input_gradient", key, write, [grad, weight], [result], items, cost, scratch)


def _between(b: KernelBuilder, x: Operand, most: int) -> Operand:
    low = _positive(b, x)
    return b.select(b.compare("slt", low, integer(most)), low, integer(most))


def _positive(b: KernelBuilder, x: Operand) -> Operand:
    return b.select(b.compare("slt", x, integer(0)), integer(0), x)


__all__ = ["Adjoint", "input_gradient", "plan"]
