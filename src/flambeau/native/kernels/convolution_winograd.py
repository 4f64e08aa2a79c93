"""Convolution with 3×3 kernels in steps of one by Winograd's minimal filtering, F(4×4, 3×3).

Four by four outputs take 36 multiplications for each pair of channels instead of 144: Y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A, summed
over the source channels before the last step, so that it is 36 products of matrices (Lavin and Gray, "Fast algorithms for
convolutional neural networks", 2016). The matrices interpolate at 0, ±3/4, ±3/2 and infinity, which keeps the error of
float32 within about twice that of the direct sum (at 0, ±1, ±2 it is six times; Barabasz et al., "Error analysis and
improving the accuracy of Winograd convolution", 2020) and has coefficients without rounding. A number that is not finite
reaches all outputs of its tile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial
from typing import NamedTuple

from ...core.dtypes import dtype
from ..builder import Builder, Operand, constant, integer, lanes as lanes_of, size_of, vector
from ..graph import Graph
from ..kernel import Argument, Kernel, KernelBuilder
from .convolution_axes import Axis, Correlation
from .convolution_direct import CYCLE, Reading, count_of, divided, registers, tile, tile_cycles, tile_shapes
from .convolution_packing import Packing, anywhere, gather, within

FIRST, SECOND = 0.75, 1.5  # the points
SUM, PRODUCT = FIRST**2 + SECOND**2, (FIRST * SECOND) ** 2
#: Bytes of transformed tiles and results that stay in the second-level cache.
ROOM = 800_000
POINTS = 36


def point_rows(size: int) -> int:
    """Elements from one point's matrix of ``size`` elements to the next's: never a multiple of the caches' periods."""
    return -(-size // 16) * 16 + 16


def suits(problem: Correlation, element: str) -> bool:
    """Whether this is a convolution that the algorithm can do, and has channels enough."""
    return (
        element == "float" and len(problem.axes) == 2 and min(problem.sources, problem.results) >= 8
        and all(axis.step == 1 and len(axis.offsets) == 3 and axis.offsets[2] - axis.offsets[0] == 2 for axis in problem.axes)
    )  # fmt: skip


def tile_axes(problem: Correlation) -> tuple[Axis, ...]:
    """Each tile of four outputs reads six elements."""
    return tuple(
        Axis(-(-axis.out // 4), axis.size, 4, tuple(axis.low + k for k in range(6)), tuple(range(6)))
        for axis in problem.axes
    )


# The transformations of one axis


def _scaled(b: Builder, factor: float, x: Operand, y: Operand) -> Operand:
    """factor · x + y."""
    return b.fma(constant(x.type, factor), x, y)


#: The results of a transformation that are made of the same terms.
PAIRS = ((0, 5), (1, 2), (3, 4))


def input_pair(b: Builder, d: Sequence[Callable[[], Operand]], first: int) -> list[Operand]:
    """The pair of Bᵀ d, six numbers to six, that begins with the ``first``; each number is asked for where needed."""
    if first == 0:
        even = _scaled(b, PRODUCT, d[0](), _scaled(b, -SUM, d[2](), d[4]()))
        return [even, _scaled(b, PRODUCT, d[1](), _scaled(b, -SUM, d[3](), d[5]()))]
    point, other = (FIRST, SECOND) if first == 1 else (SECOND, FIRST)
    even, odd = _scaled(b, -(other**2), d[2](), d[4]()), _scaled(b, -(other**2), d[1](), d[3]())
    return [_scaled(b, point, odd, even), _scaled(b, -point, odd, even)]


def gradient_pair(b: Builder, y: Sequence[Callable[[], Operand]], first: int) -> list[Operand]:
    """The pair of A y, four numbers to six, that begins with the ``first``."""
    if first == 0:
        return [y[0](), y[3]()]
    point = FIRST if first == 1 else SECOND
    even, odd = _scaled(b, point**2, y[2](), y[0]()), _scaled(b, point**2, y[3](), y[1]())
    return [_scaled(b, point, odd, even), _scaled(b, -point, odd, even)]


def transformed_rows(
    b: Builder, rule: Callable[..., list[Operand]], side: int, load: Callable[[int, int], Operand]
) -> Iterator[tuple[int, Operand]]:
    """Both axes of a tile transformed by a rule for pairs: each point's number and vector.

    Two of the six rows at a time, to be stored at once: all 36 vectors would not fit into registers.
    """
    for pair in PAIRS:
        columns = [rule(b, [partial(load, y, x) for y in range(side)], pair[0]) for x in range(side)]
        for k, row in enumerate(pair):
            line = [partial(_same, column[k]) for column in columns]
            for ends in PAIRS:
                for x, value in zip(ends, rule(b, line, ends[0])):
                    yield 6 * row + x, value


def _same(x: Operand) -> Operand:
    return x


def output_transform(b: Builder, m: list[Operand]) -> list[Operand]:
    """Aᵀ m: six numbers to four."""
    s1, d1, s2, d2 = b.add(m[1], m[2]), b.subtract(m[1], m[2]), b.add(m[3], m[4]), b.subtract(m[3], m[4])
    kind = m[0].type

    def both(power: int, x: Operand, y: Operand) -> Operand:
        return _scaled(b, FIRST**power, x, b.multiply(constant(kind, SECOND**power), y))

    return [b.add(b.add(m[0], s1), s2), both(1, d1, d2), both(2, s1, s2), b.add(both(3, d1, d2), m[5])]


def weight_transform(b: Builder, g: list[Operand]) -> list[Operand]:
    """G g: three numbers to six."""
    kind = g[0].type
    found = [b.multiply(constant(kind, 1 / PRODUCT), g[0])]
    for point, other in ((FIRST, SECOND), (SECOND, FIRST)):
        scale = 1 / (2 * point**2 * (point**2 - other**2))
        even = b.multiply(constant(kind, scale), _scaled(b, point**2, g[2], g[0]))
        odd = b.multiply(constant(kind, scale * point), g[1])
        found += [b.add(even, odd), b.subtract(even, odd)]
    return [*found, g[2]]


def weight_adjoint(b: Builder, u: list[Operand]) -> list[Operand]:
    """Gᵀ u: six numbers to three."""
    kind = u[0].type
    terms: list[list[Operand]] = [[b.multiply(constant(kind, 1 / PRODUCT), u[0])], [], [u[5]]]
    for k, (point, other) in enumerate(((FIRST, SECOND), (SECOND, FIRST))):
        scale = 1 / (2 * point**2 * (point**2 - other**2))
        s, d = b.add(u[1 + 2 * k], u[2 + 2 * k]), b.subtract(u[1 + 2 * k], u[2 + 2 * k])
        for power, x in enumerate((s, d, s)):
            terms[power].append(b.multiply(constant(kind, scale * point**power), x))
    return [b.add(b.add(*row[:2]), row[2]) if len(row) == 3 else b.add(*row) for row in terms]


def both_axes(b: Builder, rule: Callable[..., list[Operand]], numbers: list[list[Operand]]) -> list[list[Operand]]:
    """A transformation along columns, then along rows."""
    columns = [rule(b, list(column)) for column in zip(*numbers)]
    return [rule(b, list(row)) for row in zip(*columns)]


# The parts of kernels


class WeightLayout(NamedTuple):
    """A weight by pairs of channels: the inner channel is the one whose kernels lie side by side; lanes are along it."""

    outers: int
    inners: int
    outer_step: int
    inner_step: int
    by_result: bool


def weight_layout(problem: Correlation) -> WeightLayout:
    """How the problem's weight lies."""
    if problem.weights[2] < problem.weights[1]:
        return WeightLayout(problem.results, problem.sources, problem.weights[1], problem.weights[2], True)
    return WeightLayout(problem.sources, problem.results, problem.weights[2], problem.weights[1], False)


def transform_weights(
    b: Builder, problem: Correlation, element: str, from_: Operand, to: Operand, count: Operand | int, point_step: int
) -> None:
    """G g Gᵀ for one outer channel and ``count`` inner ones, point by point ``point_step`` apart."""
    lanes = count_of(element)
    kind = vector(element, lanes)
    inner_step = weight_layout(problem).inner_step
    rows, columns = (axis.taps for axis in problem.axes)
    total = integer(count) if isinstance(count, int) else count
    with b.loop(0, total, lanes) as i:
        left = b.subtract(total, i)
        mask = within(b, 0, left, lanes)
        here = b.at(from_, element, b.multiply(i, integer(inner_step)))
        if inner_step == 9:
            most = b.multiply(left, integer(9))
            lines = [
                b.load_where(kind, anywhere(b, here, element, k * lanes), within(b, 0, b.subtract(most, integer(k * lanes)), lanes))
                for k in range(9)
            ]  # fmt: skip
            taps = apart(b, lines)
            numbers = [[taps[y * problem.tap_steps[0] + x * problem.tap_steps[1]] for x in columns] for y in rows]
        else:
            numbers = [
                [
                    gather(b, kind, b.at(here, element, y * problem.tap_steps[0] + x * problem.tap_steps[1]), inner_step, mask)
                    for x in columns
                ]
                for y in rows
            ]  # fmt: skip
        out = b.at(to, element, i)
        points = [each for row in both_axes(b, weight_transform, numbers) for each in row]
        for point, value in enumerate(points):
            b.store_where(value, b.at(out, element, point * point_step), mask)


def apart(b: Builder, lines: list[Operand]) -> list[Operand]:
    """Consecutive vectors' elements, dealt out to as many vectors in turn.

    Their number is odd and a vector's lanes a power of two, so the elements of one result lie in different lanes: they are
    collected in one vector where they are and then put in order.
    """
    step, count = len(lines), lanes_of(lines[0].type)
    found = []
    for t in range(step):
        places = [divmod(step * k + t, count) for k in range(count)]  # of lane k: the vector and its lane
        collected = lines[places[0][0]]
        for number, line in enumerate(lines):
            chosen = {lane for vector_number, lane in places if vector_number == number}
            if chosen and number != places[0][0]:
                mask = b.numbers(vector("i1", count), [lane in chosen for lane in range(count)])
                collected = b.select(mask, line, collected)
        found.append(b.shuffle(collected, collected, [lane for _, lane in places]))
    return found


def transformed_weight(
    graph: Graph, problem: Correlation, element: str, weight: Argument, kind: dtype
) -> tuple[Kernel, Argument, tuple[int, int]]:
    """The kernel of G g Gᵀ for all pairs of channels, its result [group][point][outer][inner], and the steps in it."""
    outers, inners, outer_step, _, by_result = weight_layout(problem)
    made = graph.temporary((problem.groups, POINTS, point_rows(outers * inners)), kind)

    def write(b: KernelBuilder) -> None:
        w, u = b.argument(0), b.argument(1)
        with b.loop(b.begin, b.end) as item:
            g, outer = divided(b, item, outers)
            start = b.add(b.multiply(g, integer(problem.weights[0])), b.multiply(outer, integer(outer_step)))
            first = b.add(b.multiply(g, integer(POINTS * point_rows(outers * inners))), b.multiply(outer, integer(inners)))
            from_, to = b.at(w, element, start), b.at(u, element, first)
            transform_weights(b, problem, element, from_, to, inners, point_rows(outers * inners))
        b.done()

    taps = [axis.taps for axis in problem.axes]
    key = f"winograd_weight {element} {problem.groups} {weight_layout(problem)} {problem.weights[0]} {problem.tap_steps} {taps}"
    items = problem.groups * outers
    kernel = Kernel("winograd_weight", key, write, [weight], [made], items, inners / count_of(element) * 200 * CYCLE)
    return kernel, made, (inners, 1) if by_result else (1, inners)


def transform_channels(
    b: Builder, packing: Packing, source: Operand, windows: Operand, memory: Operand, channels: Operand | int, row: Operand,
    visit: Callable[[Operand, Operand, int, Operand], None],
) -> None:  # fmt: skip
    """Pack each channel and hand Bᵀ d B of a vector of its tiles to ``visit(channel, first tile, point, vector)``."""
    kind = vector(packing.element, packing.count)
    with b.loop(0, channels) as c:
        packing.channels(b, b.at(source, packing.element, b.multiply(c, integer(packing.area))), windows, memory, 1, row)
        with b.loop(0, packing.rows * packing.columns, packing.count) as f:
            start = b.at(windows, packing.element, f)

            def load(y: int, x: int, start: Operand = start) -> Operand:
                return b.load(kind, b.at(start, packing.element, packing.taps[6 * y + x]))

            for point, value in transformed_rows(b, input_pair, 6, load):
                visit(c, f, point, value)


def interleaved(b: Builder, x: Operand, y: Operand, together: int, count: int) -> list[Operand]:
    """Groups of ``together`` lanes of x and y in turn, as two vectors."""
    order = [
        k % together + (k // (2 * together)) * together + (count if k // together % 2 else 0) for k in range(2 * count)
    ]
    return [b.shuffle(x, y, order[:count]), b.shuffle(x, y, order[count:])]


def multiply(
    b: Builder, element: str, reading: Reading, from_: Operand, weights: Operand, sizes: tuple[Operand, int, int], to: Operand,
    pitch: int, m: int, n: int,
) -> None:  # fmt: skip
    """[result][tile] = Σ weight[result][channel] · tiles[channel][tile] for one point, ``pitch`` tiles a row.

    ``sizes``: how many results, at most how many, and of how many in all this is a part.
    """
    count = count_of(element)
    length, most, results = sizes

    def some(r: Operand, m: int) -> None:
        w = b.at(weights, element, b.multiply(r, integer(reading.result_step)))
        out = b.at(to, element, b.multiply(r, integer(pitch)))

        def vectors(f: Operand, n: int) -> None:
            sums = tile(b, element, reading, b.at(from_, element, f), w, m, n)
            at = b.at(out, element, f)
            for k, row in enumerate(sums):
                for j, value in enumerate(row):
                    b.store(value, b.at(at, element, k * pitch + j * count))

        whole = pitch // (n * count) * n * count
        if whole:
            with b.loop(0, whole, n * count) as f:
                vectors(f, n)
        if pitch - whole:
            vectors(integer(whole), (pitch - whole) // count)

    reached = b.variable(integer(0))
    with b.loop(0, b.subtract(length, integer(m - 1)), m) as r:
        some(r, m)
        b.set(reached, b.add(r, integer(m)))
    for rest in sorted({most % m, results % most % m} - {0}, reverse=True):
        with b.when(b.compare("eq", b.subtract(length, b.get(reached)), integer(rest))):
            some(b.get(reached), rest)


def transform_back(b: Builder, element: str, products: Operand, point_step: int, results: Operand, pitch: int) -> None:
    """Aᵀ M A of ``pitch`` tiles of one channel; each of the sixteen outputs of a tile goes to a row of its own."""
    count = count_of(element)
    kind = vector(element, count)
    with b.loop(0, pitch, count) as f:
        start = b.at(products, element, f)
        numbers = [[b.load(kind, b.at(start, element, (6 * i + j) * point_step)) for j in range(6)] for i in range(6)]
        to = b.at(results, element, f)
        for i, line in enumerate(both_axes(b, output_transform, numbers)):
            for j, value in enumerate(line):
                b.store(value, b.at(to, element, (4 * i + j) * pitch))


def weave(
    b: Builder, problem: Correlation, element: str, results: Operand, pitch: int, plane: Operand, row: Operand, rows: int
) -> None:
    """Put ``rows`` rows of tiles' outputs, which lie by their place in the tile, into lines."""
    count = count_of(element)
    kind = vector(element, count)
    high, wide = (axis.out for axis in problem.axes)
    width = -(-wide // 4)
    with b.loop(0, rows) as q, b.loop(0, 4) as i:
        line_number = b.add(b.multiply(b.add(row, q), integer(4)), i)
        with b.when(b.compare("slt", line_number, integer(high))):
            from_ = b.at(results, element, b.add(b.multiply(i, integer(4 * pitch)), b.multiply(q, integer(width))))
            to = b.at(plane, element, b.multiply(line_number, integer(wide)))
            for begin in range(0, width, count):
                parts = [b.load(kind, b.at(from_, element, j * pitch + begin)) for j in range(4)]
                even, odd = interleaved(b, parts[0], parts[1], 1, count), interleaved(b, parts[2], parts[3], 1, count)
                lines = [each for k in range(2) for each in interleaved(b, even[k], odd[k], 2, count)]
                for k, line in enumerate(lines):
                    at = 4 * begin + k * count
                    if at < wide:
                        b.store(line, b.at(to, element, at), min(count, wide - at))


class Plan(NamedTuple):
    """How the work is cut: samples and rows of tiles to an item, results transformed back at a time, the product's tile."""

    samples: int
    rows: int
    chunk: int
    m: int
    n: int
    cycles: float


@lru_cache(1024)
def plan(problem: Correlation, element: str) -> Plan:
    """The cut that takes the least time by a simple model, the items spread over four threads."""
    count = count_of(element)
    axes = tile_axes(problem)
    height, width = axes[0].out, axes[1].out
    best: Plan | None = None
    for samples, rows in sorted({(1, -(-height // k)) for k in range(1, height + 1)} | {
        (-(-problem.batch // k), height) for k in range(1, problem.batch + 1)
    }):  # fmt: skip
        packing = Packing(axes, rows, element, count)
        pitch = tiles_pitch(samples, rows * width, count)
        vectors = pitch // count
        room = size_of(element) * POINTS * pitch * problem.sources
        if room > ROOM and (samples, rows) != (1, 1):
            continue
        items = -(-problem.batch // samples) * -(-height // rows) * problem.groups
        spread = -(-items // 4) * 4 / items
        transforms = samples * problem.sources * (packing.work + -(-rows * width // count) * 130)
        back = problem.results * (vectors * 100 + samples * rows * -(-width // count) * 48)
        for m, n in tile_shapes(registers()):
            if m > problem.results:
                continue
            wide, rest = divmod(vectors, n)
            down, left = divmod(problem.results, m)
            step = sum(
                times * tile_cycles(a, c) for times, a, c in
                ((down * wide, m, n), (down, m, rest), (wide, left, n), (1, left, rest))
            )  # fmt: skip
            step += (down + (left > 0)) * (wide + (rest > 0)) * 1.0
            ends = POINTS * (down + (left > 0)) * (wide * (m * n + 12) + (m + 12 if rest else 0))
            # Weights come from the third-level cache for each item.
            weight_bytes = POINTS * problem.sources * problem.results * size_of(element)
            loads = weight_bytes / (16 if weight_bytes < 1_000_000 else 5)
            cycles = max(POINTS * problem.sources * step, loads) + ends + transforms + back
            if best is None or cycles * items * spread < best.cycles:
                chunk = max(m, min(problem.results, 400_000 // (POINTS * pitch * size_of(element)) // m * m))
                best = Plan(samples, rows, chunk, m, n, cycles * items * spread)
    assert best is not None
    pairs = problem.groups * problem.sources * problem.results / count * 200
    return best._replace(cycles=best.cycles + pairs * (1 + 0.3 * POINTS * size_of(element) * count / 200))


def tiles_pitch(samples: int, tiles: int, count: int) -> int:
    """Tiles of some samples, with room behind for the last one's whole vectors."""
    return -(-((samples - 1) * tiles + -(-tiles // count) * count) // count) * count


def winograd(
    graph: Graph, problem: Correlation, element: str, name: str, source: Argument, weight: Argument, result: Argument,
    kind: dtype,
) -> list[Kernel]:  # fmt: skip
    """The kernels of a correlation that suits."""
    cut = plan(problem, element)
    count = count_of(element)
    size = size_of(element)
    axes = tile_axes(problem)
    height, width = axes[0].out, axes[1].out
    packing = Packing(axes, cut.rows, element, count)
    tiles = cut.rows * width
    pitch = tiles_pitch(cut.samples, tiles, count)
    blocks, groups_of = -(-height // cut.rows), -(-problem.batch // cut.samples)
    first, transformed, (result_step, source_step) = transformed_weight(graph, problem, element, weight, kind)
    reading = Reading(problem.sources, pitch, (0,), (0,), result_step, source_step)
    pairs = point_rows(problem.sources * problem.results)
    # The thread's memory: one channel's windows, its padded lines, tiles, products, a channel of results.
    windows_at = 0
    memory_at = windows_at + packing.channel + 2 * count
    tiles_at = memory_at + packing.room
    products_at = tiles_at + POINTS * point_rows(problem.sources * pitch)
    results_at = products_at + POINTS * point_rows(cut.chunk * pitch)
    scratch = (results_at + 16 * pitch + 4 * count) * size
    items = groups_of * problem.groups * blocks

    def write(b: KernelBuilder) -> None:
        x, u, y = b.argument(0), b.argument(1), b.argument(2)
        windows, memory, v, products, results = (
            b.at(b.scratch, element, at) for at in (windows_at, memory_at, tiles_at, products_at, results_at)
        )
        with b.loop(b.begin, b.end) as item:
            rest, block = divided(b, item, blocks)
            n, g = divided(b, rest, problem.groups)
            row = b.multiply(block, integer(cut.rows))
            n = b.multiply(n, integer(cut.samples))
            left = b.subtract(integer(problem.batch), n)
            samples = b.select(b.compare("slt", left, integer(cut.samples)), left, integer(cut.samples))
            with b.loop(0, samples) as s:
                plane = b.add(b.multiply(b.add(n, s), integer(problem.groups)), g)
                start = b.at(x, element, b.multiply(plane, integer(problem.sources * problem.source_area)))
                mine = b.at(v, element, b.multiply(s, integer(tiles)))

                def keep(c: Operand, f: Operand, point: int, value: Operand, mine: Operand = mine) -> None:
                    to = b.at(b.at(mine, element, f), element, b.multiply(c, integer(pitch)))
                    b.store(value, b.at(to, element, point * point_rows(problem.sources * pitch)))

                transform_channels(b, packing, start, windows, memory, problem.sources, row, keep)
            weights = b.at(u, element, b.multiply(g, integer(POINTS * pairs)))
            with b.loop(0, problem.results, cut.chunk) as chunk:
                beyond = b.subtract(integer(problem.results), chunk)
                length = b.select(b.compare("slt", beyond, integer(cut.chunk)), beyond, integer(cut.chunk))
                with b.loop(0, POINTS) as point:
                    from_ = b.at(v, element, b.multiply(point, integer(point_rows(problem.sources * pitch))))
                    at = b.add(b.multiply(point, integer(pairs)), b.multiply(chunk, integer(result_step)))
                    multiply(
                        b, element, reading, from_, b.at(weights, element, at), (length, cut.chunk, problem.results),
                        b.at(products, element, b.multiply(point, integer(point_rows(cut.chunk * pitch)))), pitch, cut.m, cut.n,
                    )  # fmt: skip
                with b.loop(0, length) as r:
                    here = b.at(products, element, b.multiply(r, integer(pitch)))
                    transform_back(b, element, here, point_rows(cut.chunk * pitch), results, pitch)
                    with b.loop(0, samples) as s:
                        plane = b.add(b.multiply(b.add(n, s), integer(problem.groups)), g)
                        plane = b.add(b.multiply(plane, integer(problem.results)), b.add(chunk, r))
                        weave(
                            b, problem, element, b.at(results, element, b.multiply(s, integer(tiles))), pitch,
                            b.at(y, element, b.multiply(plane, integer(problem.area))), row, cut.rows,
                        )  # fmt: skip
        b.done()

    key = f"winograd {element} {problem} {cut[:5]}"
    made = Kernel(name, key, write, [source, transformed], [result], items, cut.cycles / items * CYCLE, scratch)
    return [first, made]


class WidePlan(NamedTuple):
    """How the work is cut where the weights are the most: results and tiles to an item, and the product's tile."""

    chunk: int
    m: int
    n: int
    cycles: float


def together(problem: Correlation) -> int:
    """How many samples' tiles are multiplied at a time: a divisor of the batch."""
    tiles = -(-problem.axes[0].out // 4) * -(-problem.axes[1].out // 4)
    return max(k for k in range(1, problem.batch + 1) if problem.batch % k == 0 and (k == 1 or k * tiles <= 96))


@lru_cache(1024)
def wide_plan(problem: Correlation, element: str) -> WidePlan:
    """The cut by the model of :func:`plan`."""
    count = count_of(element)
    axes = tile_axes(problem)
    tiles = axes[0].out * axes[1].out
    packing = Packing(axes, axes[0].out, element, count)
    blocks = problem.batch // together(problem)
    vectors = -(-together(problem) * tiles // count)
    transforms = problem.batch * problem.groups * problem.sources * (packing.work + -(-tiles // count) * 130)
    back = problem.groups * problem.results * (blocks * vectors * 100 + problem.batch * axes[0].out * -(-axes[1].out // count) * 48)
    transforms += 0.8 * POINTS * problem.groups * problem.sources * blocks * vectors * count * size_of(element)
    pairs = problem.groups * problem.sources * problem.results / count * 200
    best: WidePlan | None = None
    for chunk in sorted({min(problem.results, 8 * k) for k in (1, 2, 3, 4, 6, 8)}):
        if POINTS * size_of(element) * chunk * problem.sources > 1_300_000 and chunk > 8:
            continue
        items = problem.groups * -(-problem.results // chunk)
        spread = -(-items // 4) * 4 / items
        for m, n in tile_shapes(registers()):
            if m > chunk or n > vectors:
                continue
            wide, rest = divmod(vectors, n)
            down, left = divmod(chunk, m)
            step = sum(
                times * tile_cycles(a, c) for times, a, c in
                ((down * wide, m, n), (down, m, rest), (wide, left, n), (1, left, rest))
            )  # fmt: skip
            ends = POINTS * (down + (left > 0)) * (wide * (m * n + 12) + (m + 12 if rest else 0))
            loads = POINTS * problem.sources * vectors * count * size_of(element) / 8
            cycles = (max(POINTS * problem.sources * step, loads) + ends) * items * blocks
            cycles = (cycles + back + pairs) * spread + transforms
            if best is None or cycles < best.cycles:
                best = WidePlan(chunk, m, n, cycles)
    assert best is not None
    return best


def wide_winograd(
    graph: Graph, problem: Correlation, element: str, name: str, source: Argument, weight: Argument, result: Argument,
    kind: dtype,
) -> list[Kernel]:  # fmt: skip
    """The kernels of a correlation with many weights and few tiles: all tiles first, then some results at a time.

    Transformed weights, four times as many as there were, never leave the cache.
    """
    cut = wide_plan(problem, element)
    count = count_of(element)
    axes = tile_axes(problem)
    tiles = axes[0].out * axes[1].out
    pitch = -(-problem.batch * tiles // count) * count
    samples = together(problem)
    block = -(-samples * tiles // count) * count
    transformed = graph.temporary((problem.groups, POINTS, point_rows(problem.sources * pitch)), kind)
    first = transformed_tiles(problem, element, source, transformed, pitch)
    layout = weight_layout(problem)
    chunks = -(-problem.results // cut.chunk)
    outers, inners = (cut.chunk, layout.inners) if layout.by_result else (layout.outers, cut.chunk)
    result_step, source_step = (inners, 1) if layout.by_result else (1, inners)
    reading = Reading(problem.sources, pitch, (0,), (0,), result_step, source_step)
    point_step = point_rows(outers * inners)
    products_at = POINTS * point_step
    results_at = products_at + POINTS * point_rows(cut.chunk * block)
    scratch = (results_at + 16 * block + 4 * count) * size_of(element)

    def write(b: KernelBuilder) -> None:
        v, w, y = b.argument(0), b.argument(1), b.argument(2)
        weights = b.scratch
        products, results = b.at(b.scratch, element, products_at), b.at(b.scratch, element, results_at)
        with b.loop(b.begin, b.end) as item:
            g, number = divided(b, item, chunks)
            chunk = b.multiply(number, integer(cut.chunk))
            beyond = b.subtract(integer(problem.results), chunk)
            length = b.select(b.compare("slt", beyond, integer(cut.chunk)), beyond, integer(cut.chunk))
            start = b.add(b.multiply(g, integer(problem.weights[0])), b.multiply(chunk, integer(problem.weights[1])))
            with b.loop(0, length if layout.by_result else outers) as outer:
                transform_weights(
                    b, problem, element, b.at(w, element, b.add(start, b.multiply(outer, integer(layout.outer_step)))),
                    b.at(weights, element, b.multiply(outer, integer(inners))), inners if layout.by_result else length,
                    point_step,
                )  # fmt: skip
            mine = b.at(v, element, b.multiply(g, integer(POINTS * point_rows(problem.sources * pitch))))
            with b.loop(0, problem.batch, samples) as first_sample:
                begin = b.at(mine, element, b.multiply(first_sample, integer(tiles)))
                with b.loop(0, POINTS) as point:
                    multiply(
                        b, element, reading, b.at(begin, element, b.multiply(point, integer(point_rows(problem.sources * pitch)))),
                        b.at(weights, element, b.multiply(point, integer(point_step))), (length, cut.chunk, problem.results),
                        b.at(products, element, b.multiply(point, integer(point_rows(cut.chunk * block)))), block, cut.m, cut.n,
                    )  # fmt: skip
                with b.loop(0, length) as r:
                    here = b.at(products, element, b.multiply(r, integer(block)))
                    transform_back(b, element, here, point_rows(cut.chunk * block), results, block)
                    with b.loop(0, samples) as s:
                        plane = b.add(b.multiply(b.add(first_sample, s), integer(problem.groups)), g)
                        plane = b.add(b.multiply(plane, integer(problem.results)), b.add(chunk, r))
                        weave(
                            b, problem, element, b.at(results, element, b.multiply(s, integer(tiles))), block,
                            b.at(y, element, b.multiply(plane, integer(problem.area))), integer(0), axes[0].out,
                        )  # fmt: skip
        b.done()

    items = problem.groups * chunks
    key = f"wide_winograd {element} {problem} {cut[:3]}"
    return [first, Kernel(name, key, write, [transformed, weight], [result], items, cut.cycles / items * CYCLE, scratch)]


def transformed_tiles(problem: Correlation, element: str, source: Argument, result: Argument, pitch: int) -> Kernel:
    """The kernel of Bᵀ d B of all tiles: [group][point][channel][tile, sample by sample]."""
    count = count_of(element)
    axes = tile_axes(problem)
    packing = Packing(axes, axes[0].out, element, count)
    tiles = axes[0].out * axes[1].out
    block = min(problem.sources, 8)
    blocks = -(-problem.sources // block)
    memory_at = packing.channel + 2 * count

    def write(b: KernelBuilder) -> None:
        x, v = b.argument(0), b.argument(1)
        with b.loop(b.begin, b.end) as item:
            rest, number = divided(b, item, blocks)
            n, g = divided(b, rest, problem.groups)
            channel = b.multiply(number, integer(block))
            left = b.subtract(integer(problem.sources), channel)
            channels = b.select(b.compare("slt", left, integer(block)), left, integer(block))
            start = b.add(b.multiply(rest, integer(problem.sources)), channel)
            from_ = b.at(x, element, b.multiply(start, integer(problem.source_area)))
            place = b.add(b.multiply(channel, integer(pitch)), b.multiply(n, integer(tiles)))
            place = b.add(place, b.multiply(g, integer(POINTS * point_rows(problem.sources * pitch))))
            to = b.at(v, element, place)

            def keep(c: Operand, f: Operand, point: int, value: Operand) -> None:
                out = b.at(b.at(to, element, b.multiply(c, integer(pitch))), element, f)
                mask = within(b, 0, b.subtract(integer(tiles), f), count)
                b.store_where(value, b.at(out, element, point * point_rows(problem.sources * pitch)), mask)

            memory = b.at(b.scratch, element, memory_at)
            transform_channels(b, packing, from_, b.scratch, memory, channels, integer(0), keep)
        b.done()

    key = f"winograd_tiles {element} {problem.batch} {problem.groups} {problem.sources} {axes} {pitch}"
    items = problem.batch * problem.groups * blocks
    cost = block * (packing.work + -(-tiles // count) * 130) * CYCLE
    return Kernel("winograd_tiles", key, write, [source], [result], items, cost, (memory_at + packing.room) * 4)


__all__ = ["plan", "suits", "wide_plan", "wide_winograd", "winograd"]
