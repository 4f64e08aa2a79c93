"""The gradient of a convolution's weight: sums over all outputs, many weights at a time.

A tile is some result channels by four weights of their rows. Its accumulators are vectors along the outputs: gradient and
unfolded windows (see ``convolution_packing``) are both read as they lie, and only at the end of some thousand outputs is each
summed over its lanes. Each item does some source channels for a fixed part of the samples; a second kernel adds the parts
up, always in the same order, so the result depends on the shapes alone.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from ...core.dtypes import dtype
from ..builder import Operand, constant, integer, size_of, vector
from ..graph import Graph
from ..kernel import Argument, Kernel, KernelBuilder
from .contraction_tiles import summed
from .convolution_axes import Correlation
from .convolution_direct import CYCLE, ROOM, count_of, registers
from .convolution_packing import Packing, table, times, within

#: Weights of a tile's row.
ACROSS = 4
#: Outputs summed in vectors before lanes are added up, about: a tile's gradient stays in the first-level cache.
LENGTH = 1280


class Plan(NamedTuple):
    """How the work is cut: parts of the samples, source channels to an item, samples and rows packed at a time, the tile."""

    parts: int
    channels: int
    samples: int
    rows: int
    m: int
    cycles: float


@lru_cache(1024)
def plan(problem: Correlation, element: str) -> Plan:
    """The cut that takes the least time by a simple model, the items spread over four threads."""
    count = count_of(element)
    height = problem.axes[0].out
    columns = problem.area // height
    blocks = -(-height // max(1, min(height, LENGTH // columns)))
    rows = -(-height // blocks)
    packing = Packing(problem.axes, rows, element, count)
    vectors = -(-rows * columns // count)
    most = 6 if registers() == 32 else 2
    best: Plan | None = None
    for parts in sorted({min(problem.batch, p) for p in (1, 2, 4, 8, 16)}):
        per_part = -(-problem.batch // parts)
        if -(-problem.batch // per_part) != parts:
            continue
        samples = max(1, min(per_part, LENGTH // (rows * columns))) if blocks == 1 else 1
        for cuts in {min(problem.sources, k) for k in (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64, 128)}:
            channels = -(-problem.sources // cuts)
            bytes_ = size_of(element) * samples * channels * packing.size
            if (bytes_ > ROOM or channels * problem.taps > 2048) and channels > 1:
                continue
            tiles = -(-channels * problem.taps // ACROSS)
            items = problem.groups * parts * -(-problem.sources // channels)
            rounds = -(-per_part // samples) * blocks
            for m in range(1, most + 1):
                down, rest = divmod(problem.results, m)
                step = down * max(m * ACROSS / 2, (m + ACROSS) * 0.8, 4.0)
                step += max(rest * ACROSS / 2, (rest + ACROSS) * 0.8, 4.0) if rest else 0.0
                step *= tiles * (samples * vectors + 1)
                ends = tiles * (down + (rest > 0)) * (25 + 2.2 * m * ACROSS)
                cycles = rounds * (step + ends + samples * channels * packing.work)
                cycles += parts * problem.results * tiles * 3 / parts
                whole = cycles * (-(-items // 4) * 4) + items * problem.results * tiles * 2
                if best is None or whole < best.cycles:
                    best = Plan(parts, channels, samples, rows, m, whole)
    assert best is not None
    return best


def weight_gradient(
    graph: Graph, problem: Correlation, element: str, grad: Argument, source: Argument, result: Argument, kind: dtype
) -> list[Kernel]:
    """The kernels of the gradient; ``problem`` is the forward convolution; operands in row-major order."""
    cut = plan(problem, element)
    count = count_of(element)
    lane_kind = vector(element, count)
    packing = Packing(problem.axes, cut.rows, element, count)
    height = problem.axes[0].out
    blocks = -(-height // cut.rows)
    per_part = -(-problem.batch // cut.parts)
    cuts = -(-problem.sources // cut.channels)
    columns = cut.channels * problem.taps
    tiles = -(-columns // ACROSS)
    downs = -(-problem.results // cut.m)
    pitch = -(-cut.m * ACROSS // count) * count
    items = problem.groups * cut.parts * cuts
    sums = graph.temporary((items, downs, tiles, pitch), kind)
    per_sample = cut.channels * packing.channel
    sample_step = problem.groups * problem.sources * problem.source_area if packing.in_place else per_sample
    line_memory = (0 if packing.in_place else cut.samples * per_sample + 2 * count) * size_of(element)
    distances = [c * packing.channel + tap for c in range(cut.channels) for tap in packing.taps]
    distances += [distances[-1]] * (tiles * ACROSS - columns)

    def write(b: KernelBuilder) -> None:
        dy, x, to = b.argument(0), b.argument(1), b.argument(2)
        windows, memory = b.scratch, b.at(b.scratch, "i8", line_memory)
        numbers = table(b, distances)
        with b.loop(b.begin, b.end) as item:
            c = _least(b, b.multiply(_rest(b, item, cuts), integer(cut.channels)), problem.sources - cut.channels)
            other = _whole(b, item, cuts)
            part, g = _rest(b, other, cut.parts), _whole(b, other, cut.parts)
            mine = b.at(to, element, b.multiply(item, integer(downs * tiles * pitch)))
            with b.loop(0, downs * tiles * pitch, count) as i:
                b.store(constant(lane_kind, 0), b.at(mine, element, i))
            first = b.multiply(part, integer(per_part))
            last = _least(b, b.add(first, integer(per_part)), problem.batch)
            with b.loop(first, last, cut.samples) as n:
                left = b.subtract(last, n)
                samples = _least(b, left, cut.samples)
                with b.loop(0, blocks) as block:
                    row = b.multiply(block, integer(cut.rows))
                    rows = _least(b, b.subtract(integer(height), row), cut.rows)
                    length = b.multiply(rows, integer(packing.columns))
                    plane = b.add(b.multiply(n, integer(problem.groups)), g)
                    channel = b.add(b.multiply(plane, integer(problem.sources)), c)
                    begin = b.at(x, element, b.multiply(channel, integer(problem.source_area)))
                    if packing.in_place:
                        here = b.at(begin, element, b.multiply(row, integer(packing.columns)))
                    else:
                        here = windows
                        with b.loop(0, samples) as s:
                            step = problem.groups * problem.sources * problem.source_area
                            packing.channels(
                                b, b.at(begin, element, b.multiply(s, integer(step))),
                                b.at(windows, element, b.multiply(s, integer(per_sample))), memory, cut.channels, row,
                            )  # fmt: skip
                    start = b.multiply(plane, integer(problem.results * problem.area))
                    gradient = b.at(dy, element, b.add(start, b.multiply(row, integer(packing.columns))))

                    def some(down: Operand, m: int, gradient: Operand = gradient, here: Operand = here,
                             samples: Operand = samples, length: Operand = length) -> None:  # fmt: skip
                        rows_from = b.at(gradient, element, b.multiply(down, integer(cut.m * problem.area)))
                        with b.loop(0, tiles) as t:
                            _tile(b, rows_from, here, t, m, samples, length, numbers,
                                  b.at(mine, element, b.add(b.multiply(down, integer(tiles * pitch)),
                                                            b.multiply(t, integer(pitch)))))  # fmt: skip

                    full = problem.results // cut.m
                    with b.loop(0, full) as down:
                        some(down, cut.m)
                    if problem.results % cut.m:
                        some(integer(full), problem.results % cut.m)
        b.done()

    def _tile(
        b: KernelBuilder, gradient: Operand, here: Operand, t: Operand, m: int, samples: Operand, length: Operand,
        numbers: Operand, out: Operand,
    ) -> None:  # fmt: skip
        totals = [b.variable(constant(lane_kind, 0)) for _ in range(m * ACROSS)]
        entry = b.at(numbers, "i64", b.multiply(t, integer(ACROSS)))
        starts = [
            b.at(here, element, b.emit("i64", f"load i64, {b.at(entry, 'i64', k)}")) for k in range(ACROSS)
        ]
        rest = b.emit("i64", f"srem i64 {length.name}, {count}")
        whole = b.subtract(length, rest)
        with b.loop(0, samples) as s:
            dy = b.at(gradient, element, b.multiply(s, integer(problem.groups * problem.results * problem.area)))
            far = times(b, s, sample_step)
            xs = [b.at(start, element, far) for start in starts]

            def step(f: Operand, mask: Operand | None) -> None:
                def read(pointer: Operand) -> Operand:
                    return b.load(lane_kind, pointer) if mask is None else b.load_where(lane_kind, pointer, mask)

                windows = [read(b.at(each, element, f)) for each in xs]
                for r in range(m):
                    value = read(b.at(b.at(dy, element, f), element, r * problem.area))
                    for k in range(ACROSS):
                        each = totals[r * ACROSS + k]
                        b.set(each, b.fma(value, windows[k], b.get(each)))

            with b.loop(0, whole, count) as f:
                step(f, None)
            with b.when(b.compare("ne", rest, integer(0))):
                step(whole, within(b, 0, rest, count))
        values = [b.get(each) for each in totals]
        values += [constant(lane_kind, 0)] * (-len(values) % count)
        for k in range(0, len(values), count):
            at = b.at(out, element, k)
            b.store(b.add(b.load(lane_kind, at), summed(b, values[k : k + count])), at)

    key = f"weight_gradient {element} {problem} {cut[:5]}"
    scratch = line_memory + packing.room * size_of(element)
    made = Kernel(
        "convolution_weight_gradient", key, write, [grad, source], [sums], items, cut.cycles / items * CYCLE, scratch
    )
    return [made, _added(problem, element, cut, sums, result, (cuts, columns, tiles, downs, pitch))]


def _added(
    problem: Correlation, element: str, cut: Plan, sums: Argument, result: Argument, sizes: tuple[int, ...]
) -> Kernel:
    """Add the parts up and put the tiles' sums where they belong; an item is a row of the weight."""
    cuts, columns, tiles, downs, pitch = sizes
    kind = vector(element, ACROSS)
    row = problem.sources * problem.taps

    def write(b: KernelBuilder) -> None:
        x, y = b.argument(0), b.argument(1)
        with b.loop(b.begin, b.end) as item:
            g, r = _whole(b, item, problem.results), _rest(b, item, problem.results)
            down, m = _whole(b, r, cut.m), _rest(b, r, cut.m)
            first = b.add(b.multiply(down, integer(tiles * pitch)), b.multiply(m, integer(ACROSS)))
            source = b.at(x, element, first)
            to = b.at(y, element, b.multiply(item, integer(row)))
            with b.loop(0, cuts) as k:
                c = _least(b, b.multiply(k, integer(cut.channels)), problem.sources - cut.channels)
                out = b.at(to, element, b.multiply(c, integer(problem.taps)))
                start = b.add(b.multiply(g, integer(cut.parts * cuts)), k)
                from_ = b.at(source, element, b.multiply(start, integer(downs * tiles * pitch)))

                def some(t: Operand, size: int | None, from_: Operand = from_, out: Operand = out) -> None:
                    here = b.at(from_, element, b.multiply(t, integer(pitch)))
                    total = b.load(kind, here)
                    for part in range(1, cut.parts):
                        total = b.add(total, b.load(kind, b.at(here, element, part * cuts * downs * tiles * pitch)))
                    b.store(total, b.at(out, element, b.multiply(t, integer(ACROSS))), size)

                with b.loop(0, columns // ACROSS) as t:
                    some(t, None)
                if columns % ACROSS:
                    some(integer(columns // ACROSS), columns % ACROSS)
        b.done()

    key = f"added_weight_gradient {element} {problem} {cut[:5]}"
    cost = row / ACROSS * cut.parts * 0.6
    return Kernel("added_weight_gradient", key, write, [sums], [result], problem.groups * problem.results, cost)


def _whole(b: KernelBuilder, x: Operand, by: int) -> Operand:
    return x if by == 1 else b.emit("i64", f"udiv i64 {x.name}, {by}")


def _rest(b: KernelBuilder, x: Operand, by: int) -> Operand:
    return integer(0) if by == 1 else b.emit("i64", f"urem i64 {x.name}, {by}")


def _least(b: KernelBuilder, x: Operand, y: int) -> Operand:
    return b.select(b.compare("slt", x, integer(y)), x, integer(y))
