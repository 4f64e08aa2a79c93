"""Matrix multiplication: batched, strided, in blocks that are each one item.

Three ways, by shape and layout:

- *tiles* (``contraction_tiles.py``): B's rows are read where they lie or packed into panels; A's elements are read where they lie,
  or packed tile by tile where there are very many columns or the dtype is narrow.
- *dots*, for few rows and a B whose columns are contiguous (a weight, transposed): both are read along k, with a grid of
  accumulators whose lanes are summed at the end; packing B would cost more than the product.
- the transposed problem of either, for a matrix times a vector.

How a product is cut into items depends on its shape alone, and every element is summed in one order: the result is the same
for any number of threads.
"""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

from ...core.dtypes import dtype
from ..builder import Operand, constant, integer, is_floating, size_of, vector
from ..kernel import Argument, Kernel, KernelBuilder, lowers, memory_type
from ..places import Place
from .contraction_tiles import (
    Element,
    Matrix,
    accumulate,
    best_tile,
    narrow,
    pack_columns,
    pad_rows,
    product_tile,
    rounded_up,
    scaled,
    sum_of,
    summed,
    widen,
)  # fmt: skip

#: Up to so many rows B is not cut. Beyond, in blocks of about ``DEPTH`` rows: A is packed too, and a tile of it
#: stays in the first-level cache.
DEEPEST, DEPTH = 3072, 512
#: Bytes of B packed at a time.
BLOCK_BYTES = 1 << 20
#: Multiplications worth an item of their own (some ten microseconds).
ITEM_WORK = 1 << 20
UNROLL = 4


def element_of(kind: dtype) -> Element:
    """How elements of a dtype are multiplied."""
    memory = memory_type(kind)
    narrow_float = kind.name in ("float16", "bfloat16")
    return Element(memory, "float" if narrow_float else memory, kind.name == "bfloat16", kind.name == "bool")


class Problem(NamedTuple):
    """A product as code is written for it: C (rows × columns, dense) = A (rows × depth) @ B (depth × columns).

    Strides in elements: (row, column) of a matrix, then of A and B along each batch dimension.
    """

    rows: int
    columns: int
    depth: int
    left: tuple[int, int]
    right: tuple[int, int]
    batch: tuple[int, ...]
    left_batch: tuple[int, ...]
    right_batch: tuple[int, ...]
    element: Element

    @property
    def work(self) -> int:
        """Multiplications for each matrix of the batch."""
        return self.rows * self.columns * self.depth

    def turned(self) -> Problem:
        """Cᵀ = Bᵀ @ Aᵀ, which for a vector C is the same memory."""
        return self._replace(
            rows=self.columns, columns=self.rows, left=self.right[::-1], right=self.left[::-1],
            left_batch=self.right_batch, right_batch=self.left_batch,
        )  # fmt: skip


class Plan(NamedTuple):
    """How a problem is computed.

    ``block_rows``, ``block_columns``: the part of C that is an item. ``depth``: of a block of k. ``pack_left``: "", each
    "tile", or the whole "block" in the order in which it lies.
    """

    dots: bool
    tile_rows: int
    tile_vectors: int
    block_rows: int
    block_columns: int
    depth: int
    pack_left: str
    pack_right: bool


@lowers("matrix_multiply")
def lower(line: Any, graph: Any) -> list[Kernel] | None:
    """One kernel, of which each item is a block of the result."""
    x, y = graph.place(line.operands[0]), graph.place(line.operands[1])
    result = graph.result(line.results[0])
    shape = graph.type(line.results[0]).shape
    if 0 in shape:
        return [Kernel("nothing", "nothing", lambda b: b.done(), [], [result], 0)]
    if not x.shape[-1]:
        return [zeros_kernel(result, prod(shape) * size_of(memory_type(x.dtype)))]
    batch = shape[:-2]
    problem = Problem(
        shape[-2], shape[-1], x.shape[-1], _strides(x, x.shape[-2:]), _strides(y, y.shape[-2:]),
        *_merged(batch, _batch_strides(x, batch), _batch_strides(y, batch)), element_of(x.dtype),
    )  # fmt: skip
    reads = [graph.argument(x), graph.argument(y)]
    if problem.columns == 1 and problem.rows > 1:
        problem, reads = problem.turned(), reads[::-1]
    return product_kernels("matrix_multiply", problem, graph, x.dtype, reads, result)


def zeros_kernel(result: Any, size: int) -> Kernel:
    """Make ``size`` bytes zero."""

    def write(b: KernelBuilder) -> None:
        b.call("llvm.memset.p0.i64", (b.argument(0), Operand("i8", "0"), integer(size), Operand("i1", "false")))
        b.done()

    return Kernel("zeros", f"zeros {size}", write, [], [result], 1, size / 10)


def _strides(place: Place, shape: tuple[int, ...]) -> tuple[int, int]:
    row, column = place.strides[-2:]
    if shape[0] == 1:
        row = shape[1] if column == 1 else 1
    if shape[1] == 1:
        column = 1 if row != 1 else shape[0]
    return row, column


def _batch_strides(place: Place, batch: tuple[int, ...]) -> tuple[int, ...]:
    own = place.shape[:-2]
    strides = [0 if size == 1 else step for size, step in zip(own, place.strides)]
    return (0,) * (len(batch) - len(own)) + tuple(strides)


def _merged(batch: tuple[int, ...], x: tuple[int, ...], y: tuple[int, ...]) -> tuple[Any, Any, Any]:
    """Batch dimensions that run evenly in both operands made one."""
    made: list[list[int]] = []
    for size, a, b in zip(batch, x, y):
        if size == 1:
            continue
        if made and made[-1][1] == size * a and made[-1][2] == size * b:
            made[-1] = [made[-1][0] * size, a, b]
        else:
            made.append([size, a, b])
    return tuple(m[0] for m in made), tuple(m[1] for m in made), tuple(m[2] for m in made)


def product_kernels(
    name: str, problem: Problem, graph: Any, kind: dtype, reads: list[Argument], result: Argument
) -> list[Kernel] | None:
    """The kernels of a product; None where a narrow dtype's block would be too large for scratch memory."""
    parts = _depth_parts(problem)
    if parts < 2:
        made = _product(name, problem, reads, result)
        return None if made is None else [made]
    # A small C summed over many rows, a weight's gradient: each part of the rows has a C of its own, to be summed.
    each = -(-problem.depth // parts)
    whole, rest = divmod(problem.depth, each)
    size = problem.rows * problem.columns
    slots = graph.temporary((whole + bool(rest), size), kind)
    width = size_of(problem.element.memory)
    steps = (each * problem.left[1], each * problem.right[0])
    several = problem._replace(depth=each, batch=(whole,), left_batch=steps[:1], right_batch=steps[1:])
    kernels = [_product(name, several, reads, slots)]
    if rest:
        moved = [Argument(a.name, a.offset + whole * step * width) for a, step in zip(reads, steps)]
        last = Argument(slots.name, slots.offset + whole * size * width)
        kernels.append(_product(name, problem._replace(depth=rest), moved, last))
    found = [kernel for kernel in kernels if kernel is not None]
    return [*found, sum_kernel(problem.element.memory, whole + bool(rest), size, slots, result)]


def _depth_parts(problem: Problem) -> int:
    """In how many parts the sums are cut: so many that there is work for several threads, but long ones."""
    element, k = problem.element, problem.depth
    small = problem.rows * problem.columns <= 1 << 18 and min(problem.rows, problem.columns) > 1 and not problem.batch
    far = problem.left[0] == 1 and abs(problem.left[1]) * size_of(element.compute) >= 1024
    if not (small and element.native and is_floating(element.compute) and (k > DEEPEST or (far and k >= 1024))):
        return 1
    wanted = max(min(8, k // 400), -(-k // 1024))
    return min(range(max(wanted - 2, 2), wanted + 3), key=lambda parts: (k % parts > 0, abs(parts - wanted)))


def sum_kernel(kind: str, slots: int, size: int, source: Argument, target: Argument) -> Kernel:
    """The sum of ``slots`` arrays of ``size`` elements that lie one after the other, in order."""
    piece = 1 << 12

    def write(b: KernelBuilder) -> None:
        count = b.lanes * 4 // size_of(kind)
        wide = vector(kind, count)
        x, y = b.argument(0), b.argument(1)

        def some(i: Operand | int, short: int | None) -> None:
            total = b.load(wide, b.at(x, kind, i), short)
            for slot in range(1, slots):
                total = b.add(total, b.load(wide, b.at(b.at(x, kind, i), kind, slot * size), short))
            b.store(total, b.at(y, kind, i), short)

        whole = size - size % count
        last = b.intrinsic("llvm.smin", b.multiply(b.end, integer(piece)), integer(whole))
        with b.loop(b.multiply(b.begin, integer(piece)), last, count) as i:
            some(i, None)
        if whole < size:
            with b.when(b.compare("eq", b.end, integer(-(-size // piece)))):
                some(whole, size - whole)
        b.done()

    key = repr(("sum", kind, slots, size))
    return Kernel("sum", key, write, [source], [target], -(-size // piece), piece * (slots + 1) * size_of(kind) / 20)


def _product(name: str, problem: Problem, reads: list[Argument], result: Argument) -> Kernel | None:
    from ..machine import machine

    count = machine().lanes * 4 // size_of(problem.element.compute)
    made = plan(problem, count, registers())
    scratch = _scratch(problem, made, count)
    if scratch > 1 << 26:
        return None
    items = prod(problem.batch) * -(-problem.rows // made.block_rows) * -(-problem.columns // made.block_columns)
    per_item = problem.work * prod(problem.batch) / items * size_of(problem.element.compute) / 4
    read = (made.block_rows + made.block_columns) * problem.depth * size_of(problem.element.memory)
    cost = max(per_item / (90 if is_floating(problem.element.compute) else 20), read / 60) + 20
    key = repr(("product", problem, made, count))
    return Kernel(
        name, key, lambda b: write_product(b, problem, made, count), reads, [result], items, cost, scratch, packs=True
    )  # fmt: skip


def registers() -> int:
    """How many vector registers there are: 32 with AVX-512 and NEON, else 16."""
    import platform

    from ..machine import machine

    return 32 if machine().vector_bytes == 64 or platform.machine().lower() in ("arm64", "aarch64") else 16


def plan(problem: Problem, count: int, registers: int) -> Plan:
    """The way to compute a problem, from its shape and strides alone."""
    m, n, k = problem.rows, problem.columns, problem.depth
    element = problem.element
    work = max(m, 16) * n * k if m < n else m * max(n, 16) * k  # reading a large operand takes as long as multiplying
    wanted = min(max(work // ITEM_WORK, 1), 16 + (work >> 27))
    wanted = max(1, -(-wanted // max(prod(problem.batch), 1)))
    dots = (
        element.native and is_floating(element.compute) and (problem.left[1] == 1 or k == 1)
        and problem.right[0] == 1 and problem.right[1] != 1 and m <= 24 and k >= count
    )  # fmt: skip
    if dots:
        rows = min(m, 4, count)
        return Plan(True, rows, 0, m, -(-n // min(wanted, n)), k, "", False)
    rows, vectors = best_tile(m, n, k, count, registers)
    down, across = -(-m // rows), -(-n // (vectors * count))
    size = size_of(element.compute)
    pack_left = "" if element.native else "tile"
    far = abs(problem.right[0]) * size >= 1024  # rows of B: some fall into the same few cache lines
    pack_right = not element.native or problem.right[1] != 1
    pack_right |= down >= 4 and across >= 2 and k >= (4 if far else 32)
    depth = k
    # A's columns are contiguous, and far apart: read tile by tile, they would fall into the same few cache lines.
    columnwise = problem.left[0] == 1 and abs(problem.left[1]) * size >= 1024 and across >= 2 and down >= 2
    if element.native and m > rows and (k > DEEPEST or (columnwise and m * k * size >= 1 << 21)):
        pack_left, pack_right = "block" if columnwise else "tile", True
        if k > 2 * DEPTH:
            blocks = -(-k // DEPTH)
            depth = -(-k // (16 * blocks)) * 16
    elif not pack_right and far and down == 1 and n * k * size >= 1 << 20:
        # B is read once: a few rows at a time, from end to end, as memory likes it.
        depth = max((each for each in range(8, 33, UNROLL) if k % each == 0), default=k)
        wanted = min(wanted, max(n * size // 4096, 4))
    limit = max(1, BLOCK_BYTES // (depth * size * vectors * count)) if pack_right else across

    def price(cut_across: int) -> tuple[float, int]:
        """Cycles lost to packing, and to lines of C that are short, for so many cuts across; and how many cuts down."""
        cut_down = min(down, -(-wanted // cut_across))
        if pack_left == "block":
            cut_down = max(cut_down, -(-m * depth * size // BLOCK_BYTES))
        packing = (0.12 if problem.right[1] == 1 else 0.35) * n * k if pack_right else 0.0
        shared = 0.3 if depth == k else 1.0  # consecutive items, of the same columns, share what is packed
        left = (0.3 if pack_left else 0.06) * m * k
        idle = max(wanted / (cut_across * cut_down) - 1, 0) * problem.work / 320
        return packing * (1 + shared * (cut_down - 1)) + left * cut_across + 20 * m * cut_across + idle, cut_down

    cut_across = min(range(-(-across // limit), min(across, 64) + 1), key=price, default=-(-across // limit))
    block_rows = -(-down // price(cut_across)[1]) * rows
    return Plan(
        False, rows, vectors, block_rows, -(-across // cut_across) * vectors * count, depth, pack_left, pack_right
    )


def _scratch(problem: Problem, made: Plan, count: int) -> int:
    size = size_of(problem.element.compute)
    deep = -(-made.depth // UNROLL) * UNROLL
    right = deep * made.block_columns * size if made.pack_right else 0
    tiles = {"": 0, "tile": 1, "block": made.block_rows // made.tile_rows}[made.pack_left]
    return right + tiles * deep * _pitch(made, count) * size


def _pitch(made: Plan, count: int) -> int:
    return -(-made.tile_rows // count) * count


def write_product(b: KernelBuilder, problem: Problem, made: Plan, count: int) -> None:
    """The kernel: for each item, its block of C."""
    element = problem.element
    left, right, out = b.argument(0), b.argument(1), b.argument(2)
    down, across = -(-problem.rows // made.block_rows), -(-problem.columns // made.block_columns)
    packed = b.variable(integer(-1))  # the block of B in scratch: consecutive items share it
    with b.loop(b.begin, b.end) as item:
        block, row_block = _divided(b, item, down)
        each, column_block = _divided(b, block, across)
        offsets = _batch_offsets(b, each, problem)
        mine = b.at(out, element.memory, scaled(b, each, problem.rows * problem.columns))
        a = Matrix(b.at(left, element.memory, offsets[0]), *problem.left)
        c = Matrix(b.at(right, element.memory, offsets[1]), *problem.right)
        target = Matrix(mine, problem.columns, 1)
        rows = _range(b, row_block, made.block_rows, problem.rows)
        columns = _range(b, column_block, made.block_columns, problem.columns)
        if made.dots:
            _dots(b, problem, made, count, a, c, target, columns)
        else:
            again = b.compare("ne", b.get(packed), block)
            b.set(packed, block)
            _tiles(b, problem, made, count, a, c, target, rows, columns, again)
    b.done()


Range = tuple[Operand | int, Operand | int]


def _divided(b: KernelBuilder, x: Operand, by: int) -> tuple[Operand, Operand | int]:
    if by == 1:
        return x, 0
    quotient = b.emit("i64", f"udiv i64 {x.name}, {by}")
    return quotient, b.emit("i64", f"urem i64 {x.name}, {by}")


def _range(b: KernelBuilder, block: Operand | int, size: int, limit: int) -> Range:
    if size >= limit:
        return 0, limit
    start = scaled(b, block, size)
    assert isinstance(start, Operand)
    stop = b.add(start, integer(size))
    return start, stop if limit % size == 0 else b.intrinsic("llvm.smin", stop, integer(limit))


def _batch_offsets(b: KernelBuilder, index: Operand, problem: Problem) -> list[Operand | int]:
    offsets: list[Operand | int] = [0, 0]
    for axis in reversed(range(len(problem.batch))):
        here: Operand = index
        if axis:
            index, remainder = _divided(b, index, problem.batch[axis])
            assert isinstance(remainder, Operand)
            here = remainder
        for k, strides in enumerate((problem.left_batch, problem.right_batch)):
            more = scaled(b, here, strides[axis])
            if isinstance(more, Operand):
                so_far = offsets[k]
                offsets[k] = b.add(so_far, more) if isinstance(so_far, Operand) else more
    return offsets


def _tiles(
    b: KernelBuilder, problem: Problem, made: Plan, count: int, left: Matrix, right: Matrix, out: Matrix, rows: Range,
    columns: Range, again: Operand,
) -> None:  # fmt: skip
    element = problem.element
    blocks = -(-problem.depth // made.depth)
    uneven = problem.depth % made.depth != 0
    deep = -(-made.depth // UNROLL) * UNROLL
    store_right = b.scratch
    store_left = b.at(b.scratch, element.compute, deep * made.block_columns if made.pack_right else 0)
    panel = made.tile_vectors * count

    def block(start: Operand | int, depth: Operand | int, fresh: Operand | None) -> None:
        padding = UNROLL if uneven else 1
        if made.pack_right:
            if blocks > 1:
                _pack_right(b, problem, made, count, right, store_right, start, depth, columns, padding)
            else:
                with b.when(again):
                    _pack_right(b, problem, made, count, right, store_right, start, depth, columns, padding)
        if made.pack_left == "block":
            _pack_left_block(b, problem, made, count, left, store_left, rows, start, depth, padding)
        inner = depth if isinstance(depth, int) else rounded_up(b, depth, UNROLL)

        def tile_offset(i: Operand | int) -> Operand | int:
            inside = i if rows[0] == 0 else b.subtract(_operand(i), _operand(rows[0]))
            if isinstance(inside, int):
                return inside // made.tile_rows * deep * _pitch(made, count)
            return scaled(b, b.emit("i64", f"udiv i64 {inside.name}, {made.tile_rows}"), deep * _pitch(made, count))

        def tile(i: Operand | int, tall: int, j: Operand | int, width: int) -> None:
            """Rows i to i + tall, columns j to j + width."""
            vectors = -(-width // count)
            tail = width % count
            if made.pack_right:
                inside = j if columns[0] == 0 else b.subtract(_operand(j), _operand(columns[0]))
                first, step = b.at(store_right, element.compute, scaled(b, inside, deep)), panel
            else:
                first, step = right.at(b, element.memory, start, j), right.row
            if made.pack_left:
                place = store_left
                if made.pack_left == "block":
                    place = b.at(place, element.compute, tile_offset(i))
                a = Matrix(place, 1, _pitch(made, count))
            else:
                a = Matrix(left.at(b, element.memory, i, start), left.row, left.column)
            totals = product_tile(
                b, a, first, step, rows=tall, vectors=vectors, depth=inner, count=count, element=element,
                tail=0 if made.pack_right else tail, unroll=UNROLL,
            )  # fmt: skip
            places = [
                [out.at(b, element.memory, _plus(b, i, r), _plus(b, j, v * count)) for v in range(vectors)]
                for r in range(tall)
            ]
            short = [tail if tail and v == vectors - 1 else None for v in range(vectors)]
            if fresh is not None:  # add to what the blocks before this one made
                with b.when(fresh):
                    for r in range(tall):
                        for v in range(vectors):
                            before = b.load(totals[r][v].type, places[r][v], short[v])
                            b.set(totals[r][v], sum_of(b, before, b.get(totals[r][v]), element))
            for r in range(tall):
                for v in range(vectors):
                    b.store(narrow(b, b.get(totals[r][v]), element), places[r][v], short[v])

        def across(i: Operand | int, tall: int) -> None:
            if made.pack_left == "tile":
                _pack_left(b, element, made, count, left, store_left, i, tall, start, depth, padding)
            whole = problem.columns - problem.columns % panel
            if whole:
                last = columns[1] if whole == problem.columns else _least(b, columns[1], whole)
                with b.loop(columns[0], last, panel) as j:
                    tile(i, tall, j, panel)
            if whole < problem.columns:
                if isinstance(columns[1], int):
                    tile(i, tall, whole, problem.columns - whole)
                else:
                    with b.when(b.compare("eq", columns[1], integer(problem.columns))):
                        tile(i, tall, whole, problem.columns - whole)

        tall = made.tile_rows
        whole = problem.rows - problem.rows % tall
        if whole:
            last = rows[1] if whole == problem.rows else _least(b, rows[1], whole)
            with b.loop(rows[0], last, tall) as i:
                across(i, tall)
        if whole < problem.rows:
            if isinstance(rows[1], int):
                across(whole, problem.rows - whole)
            else:
                with b.when(b.compare("eq", rows[1], integer(problem.rows))):
                    across(whole, problem.rows - whole)

    if blocks == 1:
        block(0, problem.depth, None)
        return
    with b.loop(0, problem.depth, made.depth) as start:
        depth: Operand | int = made.depth
        if uneven:
            depth = b.intrinsic("llvm.smin", b.subtract(integer(problem.depth), start), integer(made.depth))
        block(start, depth, b.compare("ne", start, integer(0)))


def _operand(x: Operand | int) -> Operand:
    return integer(x) if isinstance(x, int) else x


def _plus(b: KernelBuilder, x: Operand | int, more: int) -> Operand | int:
    if isinstance(x, int):
        return x + more
    return b.add(x, integer(more)) if more else x


def _least(b: KernelBuilder, x: Operand | int, limit: int) -> Operand | int:
    return min(x, limit) if isinstance(x, int) else b.intrinsic("llvm.smin", x, integer(limit))


def _pack_right(
    b: KernelBuilder, problem: Problem, made: Plan, count: int, right: Matrix, target: Operand, start: Operand | int,
    depth: Operand | int, columns: Range, padding: int,
) -> None:  # fmt: skip
    """The block's columns, in panels of ``tile_vectors`` vectors: row k of a panel is contiguous."""
    element, vectors = problem.element, made.tile_vectors
    deep = -(-made.depth // UNROLL) * UNROLL
    whole = problem.columns - problem.columns % count

    def place_of(j: Operand | int) -> Operand | int:
        inside = j if columns[0] == 0 else b.subtract(_operand(j), _operand(columns[0]))
        if isinstance(inside, int):
            number, within = divmod(inside // count, vectors)
            return number * vectors * count * deep + within * count
        quotient = b.emit("i64", f"udiv i64 {inside.name}, {vectors * count}")
        rest = b.subtract(inside, _operand(scaled(b, quotient, vectors * count)))
        return b.add(_operand(scaled(b, quotient, vectors * count * deep)), rest)

    def group(j: Operand | int, width: int) -> None:
        source = Matrix(right.at(b, element.memory, start, j), right.row, right.column)
        pack_columns(
            b, source, b.at(target, element.compute, place_of(j)), depth=depth, columns=width, pitch=vectors * count,
            count=count, element=element, padding=padding,
        )  # fmt: skip

    if whole:
        last = columns[1] if whole == problem.columns else _least(b, columns[1], whole)
        if right.column == 1:
            _pack_rows(b, problem, made, count, right, target, start, depth, (columns[0], last))
            if padding > 1:
                with b.loop(columns[0], last, count) as j:
                    pad_rows(
                        b, b.at(target, element.compute, place_of(j)), depth, vectors * count, count, element, padding
                    )
        else:
            with b.loop(columns[0], last, count) as j:
                group(j, count)
    if whole < problem.columns:
        if isinstance(columns[1], int):
            group(whole, problem.columns - whole)
        else:
            with b.when(b.compare("eq", columns[1], integer(problem.columns))):
                group(whole, problem.columns - whole)


def _pack_rows(
    b: KernelBuilder, problem: Problem, made: Plan, count: int, right: Matrix, target: Operand, start: Operand | int,
    depth: Operand | int, columns: Range,
) -> None:  # fmt: skip
    """Whole vectors of rows that are contiguous, row by row: as much as there is of a page is read at once."""
    element, vectors = problem.element, made.tile_vectors
    deep = -(-made.depth // UNROLL) * UNROLL
    memory = vector(element.memory, count)
    length = b.subtract(_operand(columns[1]), _operand(columns[0]))
    whole = b.subtract(length, b.emit("i64", f"urem i64 {length.name}, {vectors * count}"))
    with b.loop(0, depth) as k:
        source = right.at(b, element.memory, _sum(b, start, k), columns[0])
        row = b.at(target, element.compute, scaled(b, k, vectors * count))

        def move(inside: Operand, place: Operand, v: int) -> None:
            loaded = b.load(memory, b.at(b.at(source, element.memory, inside), element.memory, v * count))
            b.store(widen(b, loaded, element), b.at(place, element.compute, v * count))

        with b.loop(0, whole, vectors * count) as inside:
            place = b.at(row, element.compute, scaled(b, inside, deep))
            for v in range(vectors):
                move(inside, place, v)
        place = b.at(row, element.compute, scaled(b, whole, deep))
        with b.loop(0, b.subtract(length, whole), count) as more:
            loaded = b.load(memory, b.at(b.at(source, element.memory, whole), element.memory, more))
            b.store(widen(b, loaded, element), b.at(place, element.compute, more))


def _sum(b: KernelBuilder, x: Operand | int, y: Operand | int) -> Operand | int:
    if isinstance(x, int):
        return _plus(b, y, x)
    return b.add(x, _operand(y))


def _pack_left(
    b: KernelBuilder, element: Element, made: Plan, count: int, left: Matrix, target: Operand, i: Operand | int,
    tall: int, start: Operand | int, depth: Operand | int, padding: int,
) -> None:  # fmt: skip
    """A tile's rows, turned: the elements that meet one row of B are contiguous."""
    source = Matrix(left.at(b, element.memory, i, start), left.column, left.row)
    for first in range(0, tall, count):
        part = Matrix(source.at(b, element.memory, 0, first), source.row, source.column)
        pack_columns(
            b, part, b.at(target, element.compute, first), depth=depth, columns=min(count, tall - first),
            pitch=_pitch(made, count), count=count, element=element, padding=padding,
        )  # fmt: skip


def _pack_left_block(
    b: KernelBuilder, problem: Problem, made: Plan, count: int, left: Matrix, target: Operand, rows: Range,
    start: Operand | int, depth: Operand | int, padding: int,
) -> None:  # fmt: skip
    """A block's rows where its columns are contiguous: column by column, each cut into tiles."""
    element, tall, pitch = problem.element, made.tile_rows, _pitch(made, count)
    deep = -(-made.depth // UNROLL) * UNROLL
    whole = problem.rows - problem.rows % tall

    def move(source: Operand, place: Operand, height: int) -> None:
        for first in range(0, height, count):
            short = min(count, height - first)
            loaded = b.load(vector(element.memory, count), b.at(source, element.memory, first), short)
            b.store(widen(b, loaded, element), b.at(place, element.compute, first))

    last = _operand(_least(b, rows[1], whole))
    count_of = b.emit("i64", f"udiv i64 {b.subtract(last, _operand(rows[0])).name}, {tall}")
    with b.loop(0, depth) as k:
        source = left.at(b, element.memory, rows[0], _sum(b, start, k))
        place = b.at(target, element.compute, scaled(b, k, pitch))
        with b.loop(0, count_of) as t:
            here = b.at(place, element.compute, scaled(b, t, deep * pitch))
            move(b.at(source, element.memory, scaled(b, t, tall)), here, tall)
        if whole < problem.rows:
            with b.when(b.compare("eq", _operand(rows[1]), integer(problem.rows))):
                here = b.at(place, element.compute, scaled(b, count_of, deep * pitch))
                move(b.at(source, element.memory, scaled(b, count_of, tall)), here, problem.rows - whole)
    if padding > 1:
        height = b.subtract(_operand(rows[1]), _operand(rows[0]))
        tiles = b.emit("i64", f"udiv i64 {b.add(height, integer(tall - 1)).name}, {tall}")
        with b.loop(0, tiles) as t:
            for first in range(0, pitch, count):
                pad_rows(
                    b, b.at(b.at(target, element.compute, scaled(b, t, deep * pitch)), element.compute, first), depth,
                    pitch, count, element, padding,
                )  # fmt: skip


def _dots(
    b: KernelBuilder, problem: Problem, made: Plan, count: int, left: Matrix, right: Matrix, out: Matrix, columns: Range
) -> None:
    """Few rows: each element of C is a sum over lanes, of as many elements at a time as a vector has lanes."""
    element, k = problem.element, problem.depth
    kind = vector(element.compute, count)

    def grid(i: Operand | int, tall: int, j: Operand | int, wide: int) -> None:
        """Rows i to i + tall, columns j to j + wide: tall · wide is at most count."""
        chains = 1
        while tall * wide * chains < 8 and chains < 4 and k >= 2 * chains * count:
            chains *= 2
        zero = constant(kind, 0)
        totals = [[b.variable(zero) for _ in range(tall * wide)] for _ in range(chains)]
        a, c = left.at(b, element.compute, i, 0), right.at(b, element.compute, 0, j)

        def step(at: Operand | int, chain: int, extra: int, short: int | None) -> None:
            x, y = b.at(a, element.compute, at), b.at(c, element.compute, at)
            rows = [b.load(kind, b.at(x, element.compute, r * left.row + extra), short) for r in range(tall)]
            for s in range(wide):
                column = b.load(kind, b.at(y, element.compute, s * right.column + extra), short)
                for r in range(tall):
                    total = totals[chain][r * wide + s]
                    b.set(total, accumulate(b, b.get(total), rows[r], column, element))

        stride = count * chains
        whole = k - k % stride
        with b.loop(0, whole, stride) as at:
            for chain in range(chains):
                step(at, chain, chain * count, None)
        for number, at_tail in enumerate(range(whole, k, count)):
            step(at_tail, number, 0, k - at_tail if k - at_tail < count else None)
        sums = []
        for each in range(tall * wide):
            parts = [b.get(chain[each]) for chain in totals]
            while len(parts) > 1:
                parts = [b.add(x, y) for x, y in zip(parts[::2], parts[1::2])]
            sums.append(parts[0])
        sums += [zero] * (count - len(sums))
        made_sums = summed(b, sums)
        for r in range(tall):
            place = out.at(b, element.compute, _plus(b, i, r), j)
            if wide == 1:
                b.store(b.extract(made_sums, r), place)
            else:
                b.store(b.shuffle(made_sums, made_sums, [r * wide + s for s in range(wide)]), place)

    tall = made.tile_rows
    wide = max(count // tall, 1) if tall != 3 else max(count // 4, 1)

    def down(j: Operand | int, width: int) -> None:
        whole = problem.rows - problem.rows % tall
        for i in range(0, whole, tall):
            grid(i, tall, j, width)
        if whole < problem.rows:
            grid(whole, problem.rows - whole, j, width)

    # Whole grids, then what is left over at the range's end: for a range that is no constant, one column at a time.
    start, stop = columns
    if isinstance(stop, int) and isinstance(start, int):
        full = start + (stop - start) // wide * wide
        if full > start:
            with b.loop(start, full, wide) as j:
                down(j, wide)
        if full < stop:
            down(full, stop - full)
        return
    start, stop = _operand(start), _operand(stop)
    length = b.subtract(stop, start)
    left_over = b.emit("i64", f"urem i64 {length.name}, {wide}")
    full_stop = b.subtract(stop, left_over)
    with b.loop(start, full_stop, wide) as j:
        down(j, wide)
    with b.loop(full_stop, stop) as j:
        down(j, 1)


__all__ = ["Plan", "Problem", "element_of", "plan", "product_kernels"]
