"""Direct convolution: tiles of results in registers, reading a source whose windows were unfolded along the lines.

A tile is some result channels by some vectors of consecutive outputs. For each source channel and tap the vectors are loaded
once, each channel's weight is spread over a vector, and one fused multiply-add is done per accumulator (the register blocking
of Georganas et al., "Anatomy of high-performance deep learning convolutions on SIMD architectures", SC 2018, with outputs
rather than channels in the lanes, so the layout stays PyTorch's). A block of rows of one sample is packed into memory of the
thread's own, where it stays in the second-level cache.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from typing import NamedTuple

from ..builder import Builder, Operand, constant, integer, size_of, vector
from ..kernel import Argument, Kernel, KernelBuilder
from ..machine import machine
from .convolution_axes import Correlation
from .convolution_packing import Packing, shifted, table, tap_numbers, times, within

#: Bytes of packed windows that stay in the second-level cache beside weights and results.
ROOM = 640 * 1024
#: Instructions of a loop's body written out, at most: about this many.
MOST = 420
#: Nanoseconds a cycle takes, about.
CYCLE = 0.28


def count_of(element: str) -> int:
    """How many elements a vector has on this machine."""
    return machine().vector_bytes // size_of(element)


def registers() -> int:
    """How many vector registers the machine has."""
    return 16 if machine().vector_bytes == 32 else 32


def tile_cycles(m: int, n: int) -> float:
    """Cycles of one step of a tile: two multiply-adds or loads at a time (loads across cache lines count twice).

    A vector takes two cycles at least to come from the second-level cache.
    """
    return max(m * n / 2, (m + 1.6 * n) / 2, 2.0 * n, 4.0) if m and n else 0.0


@lru_cache(4)
def tile_shapes(count: int) -> list[tuple[int, int]]:
    """Tiles, (results, vectors), whose accumulators and operands fit into ``count`` registers."""
    shapes = [(m, n) for m, n in product(range(1, count), range(1, 9)) if m * n + n + 1 < count]
    return [(m, n) for m, n in shapes if m * n >= min(8, count // 4) or m < 8]


class Plan(NamedTuple):
    """How the work is cut: output rows to a block, parts of the result channels, and the tile."""

    rows: int
    parts: int
    m: int
    n: int
    cycles: float


@lru_cache(1024)
def plan(problem: Correlation, element: str) -> Plan:
    """The cut that takes the least time by a simple model, the items spread over four threads."""
    count = count_of(element)
    height = problem.axes[0].out
    best: Plan | None = None
    for blocks in range(1, height + 1):
        rows = -(-height // blocks)
        if best is not None and -(-height // rows) != blocks:
            continue
        packing = Packing(problem.axes, rows, element, count)
        bytes_ = size_of(element) * (problem.sources * (packing.size or rows * packing.columns) + packing.room)
        if bytes_ > ROOM and rows > 1:
            continue
        vectors, rest = divmod(rows * packing.columns, count)
        pack = packing.work * problem.sources
        for parts in (1, 2, 4, 8):
            if parts > problem.results:
                break
            results = -(-problem.results // parts)
            items = problem.batch * problem.groups * blocks * parts
            spread = -(-items // 4) * 4 / items
            for m, n in tile_shapes(registers()):
                if m > results:
                    continue
                wide, single = divmod(vectors, n)
                single += rest > 0
                step = (
                    results // m * (wide * tile_cycles(m, n) + single * tile_cycles(m, 1))
                    + wide * tile_cycles(results % m, n) + single * tile_cycles(results % m, 1)
                )  # fmt: skip
                ends = -(-results // m) * (wide * (m * n + 15) + single * (m + 15))
                cycles = step * problem.sources * problem.taps + ends + pack
                if bytes_ > ROOM:  # read from the third-level cache for each tile of results
                    cycles += -(-results // m) * bytes_ / 4
                whole = cycles * items * spread
                if best is None or whole < best.cycles:
                    best = Plan(rows, parts, m, n, whole)
        if items >= 64 and bytes_ < ROOM // 8:
            break
    assert best is not None
    return best


class Reading(NamedTuple):
    """What a tile sums over: channels and taps of packed windows, and where the weights of each lie.

    ``taps``, ``weights``: for each tap the distance of the windows' and of the weights' first number; the steps are from one
    channel to the next, and from one result's weights to the next one's.
    """

    channels: int
    channel_step: int
    taps: tuple[int, ...]
    weights: tuple[int, ...]
    result_step: int
    source_step: int
    together: int = 1

    def group(self, m: int, n: int) -> int:
        """How many taps are written out: all, those of the axes but the first, or one."""
        work = m * n + m + n
        taps, weights = self.taps, self.weights
        if len(taps) * work <= MOST:
            return len(taps)
        group = self.together
        even = all(
            taps[k + j] - taps[k] == taps[j] - taps[0] and weights[k + j] - weights[k] == weights[j] - weights[0]
            for k in range(0, len(taps), group) for j in range(group)
        )  # fmt: skip
        return group if even and group * work <= MOST else 1


def tile(
    b: Builder, element: str, reading: Reading, source: Operand, weight: Operand, m: int, n: int, mask: Operand | None = None
) -> list[list[Operand]]:
    """The sums over all channels and taps: m results × n vectors. ``mask``: the lanes of the (only) vector to be read."""
    count = count_of(element)
    kind = vector(element, count)
    totals = [[b.variable(constant(kind, 0)) for _ in range(n)] for _ in range(m)]
    taps, weights = reading.taps, reading.weights
    group = reading.group(m, n)

    def steps(x: Operand, w: Operand) -> None:
        sums = [[b.get(each) for each in row] for row in totals]
        for j in range(group):
            at = b.at(x, element, taps[j] - taps[0])
            loaded = [
                b.load(kind, b.at(at, element, v * count)) if mask is None else b.load_where(kind, at, mask)
                for v in range(n)
            ]
            for r in range(m):
                number = b.load(element, b.at(w, element, r * reading.result_step + weights[j] - weights[0]))
                spread = b.splat(number, count)
                for v in range(n):
                    sums[r][v] = b.fma(spread, loaded[v], sums[r][v])
        for row, values in zip(totals, sums):
            for each, value in zip(row, values):
                b.set(each, value)

    if group == len(taps):
        x0, w0 = b.at(source, element, taps[0]), b.at(weight, element, weights[0])
        with b.loop(0, reading.channels) as s:
            x1, w1 = times(b, s, reading.channel_step), times(b, s, reading.source_step)
            steps(b.at(x0, element, x1), b.at(w0, element, w1))
    else:
        numbers = table(b, [n for k in range(0, len(taps), group) for n in (taps[k], weights[k])])
        with b.loop(0, reading.channels) as s:
            x0 = b.at(source, element, times(b, s, reading.channel_step))
            w0 = b.at(weight, element, times(b, s, reading.source_step))
            with b.loop(0, 2 * (len(taps) // group), 2) as t:
                tap = b.emit("i64", f"load i64, {b.at(numbers, 'i64', t)}")
                number = b.emit("i64", f"load i64, {b.at(b.at(numbers, 'i64', t), 'i64', 1)}")
                steps(b.at(x0, element, tap), b.at(w0, element, number))
    return [[b.get(each) for each in row] for row in totals]


def correlate(
    problem: Correlation, element: str, name: str, source: Argument, weight: Argument, result: Argument
) -> Kernel:
    """The kernel of a correlation whose operands are float32 or float64 in row-major order."""
    cut = plan(problem, element)
    count = count_of(element)
    packing = Packing(problem.axes, cut.rows, element, count)
    blocks = -(-problem.axes[0].out // cut.rows)
    part = -(-problem.results // cut.parts)
    weights = tap_numbers(problem.axes, problem.tap_steps)
    reading = Reading(
        problem.sources, packing.channel, tuple(packing.taps), tuple(weights), problem.weights[1], problem.weights[2],
        packing.across,
    )  # fmt: skip
    items = problem.batch * problem.groups * blocks * cut.parts
    line_memory = (problem.sources * packing.size + (2 + cut.n) * count) * size_of(element)

    def write(b: KernelBuilder) -> None:
        x, w, y = b.argument(0), b.argument(1), b.argument(2)
        windows, memory = b.scratch, b.at(b.scratch, "i8", line_memory)
        packed = b.variable(integer(-1))
        with b.loop(b.begin, b.end) as item:
            block_number, which = divided(b, item, cut.parts)
            plane, block = divided(b, block_number, blocks)
            _, g = divided(b, plane, problem.groups)
            row = b.multiply(block, integer(cut.rows))
            start = b.at(x, element, times(b, plane, problem.sources * problem.source_area))
            if packing.in_place:
                begin = b.at(start, element, times(b, row, packing.columns))
            else:
                with b.when(b.compare("ne", b.get(packed), block_number)):
                    packing.channels(b, start, windows, memory, problem.sources, row)
                    b.set(packed, block_number)
                begin = windows
            rest = b.subtract(integer(problem.axes[0].out), row)
            rows = b.select(b.compare("slt", rest, integer(cut.rows)), rest, integer(cut.rows))
            length = b.multiply(rows, integer(packing.columns))
            first = b.multiply(which, integer(part))
            left = b.subtract(integer(problem.results), first)
            last = b.add(first, b.select(b.compare("slt", left, integer(part)), left, integer(part)))
            out = b.at(y, element, times(b, plane, problem.results * problem.area))
            out = b.at(out, element, times(b, row, packing.columns))
            here = b.at(w, element, times(b, g, problem.weights[0]))

            def some(r: Operand, m: int) -> None:
                there = b.at(here, element, times(b, r, problem.weights[1]))
                to = b.at(out, element, times(b, r, problem.area))
                whole = b.subtract(length, b.emit("i64", f"srem i64 {length.name}, {cut.n * count}"))

                def vectors(f: Operand, n: int, mask: Operand | None) -> None:
                    sums = tile(b, element, reading, b.at(begin, element, f), there, m, n, mask)
                    at = b.at(to, element, f)
                    for k in range(m):
                        for v in range(n):
                            place = b.at(at, element, k * problem.area + v * count)
                            if mask is None:
                                b.store(sums[k][v], place)
                            else:
                                b.store_where(sums[k][v], place, mask)

                with b.loop(0, whole, cut.n * count) as f:
                    vectors(f, cut.n, None)
                with b.loop(whole, length, count) as f:
                    vectors(f, 1, within(b, 0, b.subtract(length, f), count))

            end = b.subtract(last, integer(cut.m - 1))
            reached = b.variable(first)
            with b.loop(first, end, cut.m) as r:
                some(r, cut.m)
                b.set(reached, b.add(r, integer(cut.m)))
            for m in sorted({part % cut.m, (problem.results - (cut.parts - 1) * part) % cut.m} - {0}, reverse=True):
                with b.when(b.compare("eq", b.subtract(last, b.get(reached)), integer(m))):
                    some(b.get(reached), m)
        b.done()

    key = f"correlate {element} {problem} {cut[:4]}"
    scratch = 0 if packing.in_place else line_memory + packing.room * size_of(element)
    return Kernel(name, key, write, [source, weight], [result], items, cut.cycles / items * CYCLE, scratch)


def divided(b: Builder, x: Operand, by: int) -> tuple[Operand, Operand]:
    """x // by and x % by."""
    if by == 1:
        return x, integer(0)
    whole = b.emit("i64", f"udiv i64 {x.name}, {by}")
    return whole, b.emit("i64", f"urem i64 {x.name}, {by}")


__all__ = ["Plan", "Reading", "correlate", "count_of", "divided", "plan", "registers", "shifted", "tile", "tile_cycles", "tile_shapes"]
