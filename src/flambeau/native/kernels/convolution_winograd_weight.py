"""The gradient of 3×3 weights by the adjoint of Winograd's filtering F(4×4, 3×3) (see ``convolution_winograd``).

dW = Gᵀ[Σ (A dY Aᵀ) ⊙ (Bᵀ d B)]G, the sum over all tiles of all samples being one product of matrices for each of the 36
points. Lanes are along channels here: some rows of some channels are turned so that channels lie side by side, and every
tile is then transformed for a vector of channels at a time.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from ...core.dtypes import dtype
from ..builder import Operand, constant, integer, size_of, vector
from ..graph import Graph
from ..kernel import Argument, Kernel, KernelBuilder
from .contraction_tiles import transposed
from .convolution_axes import Correlation
from .convolution_direct import CYCLE, Reading, count_of, divided, registers, tile, tile_cycles, tile_shapes
from .convolution_packing import anywhere, within
from .convolution_winograd import (
    POINTS,
    both_axes,
    gradient_pair,
    input_pair,
    point_rows,
    transformed_rows,
    weight_adjoint,
)


class Plan(NamedTuple):
    """How the work is cut: parts of the samples, source and result channels to an item, samples and rows of tiles at a time."""

    parts: int
    channels: int
    results: int
    samples: int
    rows: int
    m: int
    n: int
    cycles: float


@lru_cache(1024)
def plan(problem: Correlation, element: str) -> Plan:
    """The cut that takes the least time by a simple model, the items spread over four threads."""
    count = count_of(element)
    height, width = (-(-axis.out // 4) for axis in problem.axes)
    across = -(-(4 * width + 2) // count)
    best: Plan | None = None
    blocks = [(1, -(-height // k)) for k in range(1, height + 1)]
    blocks += [(k, height) for k in range(2, problem.batch + 1)]
    for samples, rows in blocks:
        tiles = samples * rows * width
        if not (24 <= tiles <= 72 or (samples, rows) in ((1, 1), (problem.batch, height))):
            continue
        for channels in {min(-(-problem.sources // count) * count, k * count) for k in (1, 2, 4, 8)}:
            for results in {min(-(-problem.results // count) * count, k * count) for k in (1, 2, 4, 8)}:
                room = POINTS * size_of(element) * (channels * results + tiles * (channels + results))
                if room > 1_700_000 and (channels, results) != (count, count):
                    continue
                cuts = problem.groups * -(-problem.sources // channels) * -(-problem.results // results)
                pack = samples * ((4 * rows + 2) * channels + 4 * rows * results) / count * across * 75
                turn = tiles * (channels + results) / count * 130
                shapes = [(m, n) for m, n in tile_shapes(registers()) if m <= results and n <= channels // count]
                cycles, (m, n) = min(
                    (_product_cycles(results, channels // count, *shape) * tiles
                     + -(-results // shape[0]) * -(-(channels // count) // shape[1]) * 20, shape)
                    for shape in shapes
                )  # fmt: skip
                product = POINTS * (cycles + results * channels / count * 2.0)
                for parts in sorted({min(problem.batch, k) for k in (1, 2, 4, 8)}):
                    per_part = -(-problem.batch // parts)
                    if -(-problem.batch // per_part) != parts:
                        continue
                    rounds = -(-per_part // samples) * -(-height // rows)
                    items = cuts * parts
                    ends = results * channels / count * 300
                    whole = (rounds * (pack + turn + product) + ends) * -(-items // 4) * 4
                    whole += problem.groups * problem.sources * problem.results * 9 / count * parts * 4 * (parts > 1)
                    if best is None or whole < best.cycles:
                        best = Plan(parts, channels, results, samples, rows, m, n, whole)
    assert best is not None
    return best


def _product_cycles(results: int, vectors: int, m: int, n: int) -> float:
    down, left = divmod(results, m)
    wide, rest = divmod(vectors, n)
    parts = ((down * wide, m, n), (down, m, rest), (wide, left, n), (1, left, rest))
    return sum(times * tile_cycles(a, c) for times, a, c in parts)


def winograd_weight_gradient(
    graph: Graph, problem: Correlation, element: str, grad: Argument, source: Argument, result: Argument, kind: dtype
) -> list[Kernel]:
    """The kernels of the gradient; ``problem`` is the forward convolution; operands in row-major order."""
    cut = plan(problem, element)
    count = count_of(element)
    lane_kind = vector(element, count)
    size = size_of(element)
    height, width = (-(-axis.out // 4) for axis in problem.axes)
    sizes = tuple(axis.size for axis in problem.axes)
    outs = tuple(axis.out for axis in problem.axes)
    lows = tuple(axis.low for axis in problem.axes)
    most = cut.samples * cut.rows * width
    cuts, downs = -(-problem.sources // cut.channels), -(-problem.results // cut.results)
    per_part = -(-problem.batch // cut.parts)
    items = problem.groups * cut.parts * cuts * downs
    vectors = cut.channels // count
    once = per_part <= cut.samples and height <= cut.rows  # there is only one product to each sum
    window_step, gradient_step = point_rows(most * cut.channels), point_rows(most * cut.results)
    sum_step = point_rows(cut.channels * cut.results)
    windows_at = POINTS * sum_step
    gradients_at = windows_at + POINTS * window_step
    plane_at = gradients_at + POINTS * gradient_step
    line = 4 * width + 2 + count
    scratch = (plane_at + (4 * cut.rows + 2) * line * count) * size
    weights = problem.groups * problem.results * problem.sources * 9
    parts = result if cut.parts == 1 else graph.temporary((cut.parts, weights), kind)
    reading = Reading(most, cut.channels, (0,), (0,), 1, cut.results)

    def write(b: KernelBuilder) -> None:
        dy, x, to = b.argument(0), b.argument(1), b.argument(2)
        sums, windows, gradients, plane = (
            b.at(b.scratch, element, at) for at in (0, windows_at, gradients_at, plane_at)
        )
        with b.loop(b.begin, b.end) as item:
            rest, k = divided(b, item, cuts)
            rest, j = divided(b, rest, downs)
            g, part = divided(b, rest, cut.parts)
            c, r = b.multiply(k, integer(cut.channels)), b.multiply(j, integer(cut.results))
            if not once:
                with b.loop(0, POINTS * sum_step, count) as i:
                    b.store(constant(lane_kind, 0), b.at(sums, element, i))
            first = b.multiply(part, integer(per_part))
            last = b.add(first, integer(per_part))
            last = b.select(b.compare("slt", last, integer(problem.batch)), last, integer(problem.batch))
            with b.loop(first, last, cut.samples) as n, b.loop(0, height, cut.rows) as row:
                left = b.subtract(last, n)
                samples = b.select(b.compare("slt", left, integer(cut.samples)), left, integer(cut.samples))
                with b.loop(0, samples) as s:
                    where = b.add(b.multiply(b.add(n, s), integer(problem.groups)), g)
                    tiles = b.multiply(s, integer(cut.rows * width))
                    high = b.multiply(row, integer(4))
                    for pointer, total, begin, channels, area, low, target, step, width_of, mine in (
                        (x, problem.sources, c, cut.channels, sizes, lows, windows, window_step, 6, True),
                        (dy, problem.results, r, cut.results, outs, (0, 0), gradients, gradient_step, 4, False),
                    ):
                        start = b.add(b.multiply(where, integer(total)), begin)
                        from_ = b.at(pointer, element, b.multiply(start, integer(area[0] * area[1])))
                        with b.loop(0, channels, count) as channel:
                            here = b.at(from_, element, b.multiply(channel, integer(area[0] * area[1])))
                            valid = b.subtract(b.subtract(integer(total), begin), channel)
                            there = b.add(high, integer(low[0]))
                            lines = 4 * cut.rows + (2 if mine else 0)
                            _turn(b, here, valid, area, there, low[1], lines, 4 * width + (2 if mine else 0), plane)
                            out = b.at(b.at(target, element, channel), element, b.multiply(tiles, integer(channels)))
                            _tiles(b, plane, width_of, out, channels, step)
                depth = b.multiply(samples, integer(cut.rows * width))
                with b.loop(0, POINTS) as point:
                    _add(
                        b, b.at(windows, element, b.multiply(point, integer(window_step))),
                        b.at(gradients, element, b.multiply(point, integer(gradient_step))),
                        b.at(sums, element, b.multiply(point, integer(sum_step))), depth,
                    )  # fmt: skip
            start = b.add(b.multiply(g, integer(problem.results)), r)
            start = b.add(b.multiply(start, integer(problem.sources)), c)
            start = b.add(b.multiply(start, integer(9)), b.multiply(part, integer(weights)))
            _store(b, sums, plane, b.at(to, element, start), b.subtract(integer(problem.results), r),
                   b.subtract(integer(problem.sources), c))  # fmt: skip
        b.done()

    def _turn(
        b: KernelBuilder, source: Operand, valid: Operand, area: tuple[int, ...], first: Operand, low: int, lines: int,
        length: int, plane: Operand,
    ) -> None:  # fmt: skip
        """Some lines of a vector of channels as [line][place][channel], with zeros around."""
        high, wide = area
        with b.loop(0, lines) as q:
            y = b.add(first, q)
            inside = b.compare("ult", y, integer(high))
            start = b.multiply(y, integer(wide))
            to = b.at(plane, element, b.multiply(q, integer(line * count)))
            with b.loop(0, length, count) as i:
                position = b.add(i, integer(low))
                squares = []
                for k in range(count):
                    there = b.binary("and", inside, b.compare("slt", integer(k), valid))
                    mask = within(b, position, b.select(there, integer(wide), integer(0)), count)
                    pointer = anywhere(b, source, element, b.add(b.add(start, position), integer(k * high * wide)))
                    squares.append(b.load_where(lane_kind, pointer, mask))
                out = b.at(to, element, b.multiply(i, integer(count)))
                for k, column in enumerate(transposed(b, squares)):
                    b.store(column, b.at(out, element, k * count))

    def _tiles(b: KernelBuilder, plane: Operand, side: int, out: Operand, channels: int, step: int) -> None:
        """Transform all tiles of some lines."""
        rule = input_pair if side == 6 else gradient_pair
        with b.loop(0, cut.rows) as q, b.loop(0, width) as t:
            place = b.add(b.multiply(q, integer(4 * line)), b.multiply(t, integer(4)))
            start = b.at(plane, element, b.multiply(place, integer(count)))
            number = b.add(b.multiply(q, integer(width)), t)
            to = b.at(out, element, b.multiply(number, integer(channels)))

            def load(y: int, i: int, start: Operand = start) -> Operand:
                return b.load(lane_kind, b.at(start, element, (y * line + i) * count))

            for point, value in transformed_rows(b, rule, side, load):
                b.store(value, b.at(to, element, point * step))

    def _add(b: KernelBuilder, windows: Operand, gradients: Operand, sums: Operand, depth: Operand) -> None:
        """sums[result][channel] += Σ gradients[tile][result] · windows[tile][channel]."""
        deep = reading._replace(channels=depth)  # type: ignore[arg-type]

        def some(r: Operand, m: int) -> None:
            def block(v: Operand, n: int) -> None:
                found = tile(
                    b, element, deep, b.at(windows, element, b.multiply(v, integer(count))), b.at(gradients, element, r), m, n
                )
                to = b.at(sums, element, b.add(b.multiply(r, integer(cut.channels)), b.multiply(v, integer(count))))
                for k, row in enumerate(found):
                    for i, value in enumerate(row):
                        at = b.at(to, element, k * cut.channels + i * count)
                        b.store(value if once else b.add(b.load(lane_kind, at), value), at)

            with b.loop(0, vectors // cut.n * cut.n, cut.n) as v:
                block(v, cut.n)
            if vectors % cut.n:
                block(integer(vectors - vectors % cut.n), vectors % cut.n)

        whole = cut.results // cut.m * cut.m
        with b.loop(0, whole, cut.m) as r:
            some(r, cut.m)
        if cut.results - whole:
            some(integer(whole), cut.results - whole)

    def _store(
        b: KernelBuilder, sums: Operand, small: Operand, to: Operand, results: Operand, channels: Operand
    ) -> None:
        """Gᵀ U G of each pair of channels."""
        results = b.select(b.compare("slt", results, integer(cut.results)), results, integer(cut.results))
        # A vector of channels' nine taps each, turned in memory to lie as the weight does.
        order = [[(k * count + lane) % 9 * count + (k * count + lane) // 9 for lane in range(count)] for k in range(9)]
        with b.loop(0, results) as r, b.loop(0, cut.channels, count) as c:
            start = b.at(sums, element, b.add(b.multiply(r, integer(cut.channels)), c))
            numbers = [[b.load(lane_kind, b.at(start, element, (6 * i + j) * sum_step)) for j in range(6)] for i in range(6)]
            taps = [value for row in both_axes(b, weight_adjoint, numbers) for value in row]
            for tap, value in enumerate(taps):
                b.store(value, b.at(small, element, tap * count))
            place = b.multiply(b.add(b.multiply(r, integer(problem.sources)), c), integer(9))
            left = b.multiply(b.subtract(channels, c), integer(9))
            for k, lanes in enumerate(order):
                numbers_of = b.numbers(vector("i32", count), lanes)
                pointers = b.emit(vector("ptr", count), f"getelementptr {element}, {small}, {numbers_of}")
                line_of = b.gather_where(lane_kind, pointers, constant(vector("i1", count), 1))
                mask = within(b, 0, _positive(b, b.subtract(left, integer(k * count))), count)
                b.store_where(line_of, anywhere(b, to, element, b.add(place, integer(k * count))), mask)

    key = f"winograd_weight_gradient {element} {problem} {cut[:7]}"
    cost = cut.cycles / items * CYCLE
    made = [Kernel("convolution_weight_gradient", key, write, [grad, source], [parts], items, cost, scratch)]
    if cut.parts > 1:
        made.append(_sum(element, cut.parts, weights, parts, result))
    return made


def _positive(b: KernelBuilder, x: Operand) -> Operand:
    return b.select(b.compare("slt", x, integer(0)), integer(0), x)


def _sum(element: str, parts: int, size: int, source: Argument, result: Argument) -> Kernel:
    """The sum of ``parts`` arrays, one after the other."""
    block, count = 1 << 12, count_of(element)

    def write(b: KernelBuilder) -> None:
        x, y = b.argument(0), b.argument(1)

        def some(i: Operand, lanes: int) -> None:
            kind = vector(element, lanes)
            total = b.load(kind, b.at(x, element, i))
            for part in range(1, parts):
                total = b.add(total, b.load(kind, b.at(b.at(x, element, i), element, part * size)))
            b.store(total, b.at(y, element, i))

        with b.loop(b.begin, b.end) as item:
            begin = b.multiply(item, integer(block))
            end = b.add(begin, integer(block))
            end = b.select(b.compare("slt", end, integer(size)), end, integer(size))
            whole = b.subtract(end, b.emit("i64", f"srem i64 {end.name}, {count}"))
            with b.loop(begin, whole, count) as i:
                some(i, count)
            with b.loop(whole, end) as i:
                some(i, 1)
        b.done()

    return Kernel(
        "added_weight_gradient", f"sum {element} {parts} {size}", write, [source], [result], -(-size // block), block * parts * 0.1
    )


__all__ = ["plan", "winograd_weight_gradient"]
