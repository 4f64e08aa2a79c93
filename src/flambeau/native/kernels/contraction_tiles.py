"""Products of matrices in registers: the tile that every contraction is made of, and packing its operands.

A tile of C, some rows by some vectors of columns, stays in registers while k runs: for each k the vectors of B's row are
loaded once, each element of A's column is spread over a vector, and one fused multiply-add is done for each accumulator. What
surrounds the tile is Goto and van de Geijn's scheme (Anatomy of High-Performance Matrix Multiplication, ACM TOMS 34, 2008):
panels of B are packed into a block that stays in the second-level cache, tiles of A into one that stays in the first.
All sizes are constants of the code, so distances are immediate operands and nothing is tested in the inner loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..builder import Builder, Operand, Variable, constant, integer, is_floating, lanes, like, size_of, vector
from ..elementwise import from_bfloat16, rounded_bfloat16, to_bfloat16


class Element(NamedTuple):
    """How a matrix's elements lie in ``memory`` and what they are computed in (``half`` and bfloat16's ``i16``: float).

    ``boolean``: products are conjunctions, sums disjunctions.
    """

    memory: str
    compute: str
    bfloat: bool = False
    boolean: bool = False

    @property
    def native(self) -> bool:
        """Whether memory holds what is computed with."""
        return self.memory == self.compute


class Matrix(NamedTuple):
    """A matrix in memory: the address of its first element, and how far apart rows and columns lie, in elements."""

    pointer: Operand
    row: int
    column: int

    def at(self, b: Builder, kind: str, i: Operand | int, j: Operand | int) -> Operand:
        """The address of an element."""
        return b.at(b.at(self.pointer, kind, scaled(b, i, self.row)), kind, scaled(b, j, self.column))


def scaled(b: Builder, index: Operand | int, step: int) -> Operand | int:
    """index · step."""
    if isinstance(index, int):
        return index * step
    if step == 1:
        return index
    return b.emit("i64", f"mul nsw i64 {index.name}, {step}") if step else 0


def widen(b: Builder, x: Operand, element: Element) -> Operand:
    """From how an element lies in memory to what it is computed in."""
    if element.native:
        return x
    kind = like(x.type, element.compute)
    return from_bfloat16(b, x) if element.bfloat else b.convert("fpext", x, kind)


def narrow(b: Builder, x: Operand, element: Element) -> Operand:
    """From what an element is computed in to how it lies in memory, rounded to even."""
    if element.native:
        return x
    if not element.bfloat:
        return b.convert("fptrunc", x, like(x.type, element.memory))
    return to_bfloat16(b, rounded_bfloat16(b, x))


def accumulate(b: Builder, total: Operand, x: Operand, y: Operand, element: Element) -> Operand:
    """total + x · y."""
    if is_floating(total.type):
        return b.fma(x, y, total)
    if element.boolean:
        return b.binary("or", total, b.binary("and", x, y))
    return b.add(total, b.multiply(x, y))


def sum_of(b: Builder, x: Operand, y: Operand, element: Element) -> Operand:
    """x + y."""
    return b.binary("or", x, y) if element.boolean else b.add(x, y)


def tile_shapes(registers: int) -> tuple[tuple[int, int], ...]:
    """Tiles worth considering, (rows, vectors): as many accumulators as registers allow beside the operands."""
    if registers >= 32:
        return ((14, 2), (8, 3), (6, 4), (4, 6), (3, 8), (2, 8), (1, 8), (16, 1), (24, 1))
    return ((6, 2), (4, 3), (2, 4), (1, 8), (12, 1))


def best_tile(rows: int, columns: int, depth: int, count: int, registers: int) -> tuple[int, int]:
    """The tile shape, (rows, vectors of ``count`` columns), that covers a matrix in the fewest cycles."""
    groups = -(-columns // count)

    def even(size: int, most: int) -> int:
        return -(-size // -(-size // most))

    def tile(m: int, n: int) -> float:
        """Cycles: two multiply-adds or loads in each, four from an addition to the next; then the tile is stored.

        A panel of B that the first-level cache cannot keep takes three cycles a vector.
        """
        if not m or not n:
            return 0
        each = max(m * n / 2, (m + n) / 2, 2)
        if depth * n > 384 and m < rows:
            each = max(each * 1.05, 3 * n + m / 2)
        return depth * each + m * n + m + 12

    def cycles(shape: tuple[int, int]) -> float:
        m, n = shape
        down, across = rows // m, groups // n
        total = down * across * tile(m, n) + across * tile(rows % m, n)
        return total + down * tile(m, groups % n) + tile(rows % m, groups % n)

    return min(((even(rows, m), even(groups, n)) for m, n in tile_shapes(registers)), key=cycles)


def product_tile(
    b: Builder, left: Matrix, right: Operand, right_step: int, *, rows: int, vectors: int, depth: Operand | int,
    count: int, element: Element, tail: int = 0, unroll: int = 4,
) -> list[list[Variable]]:  # fmt: skip
    """Variables holding ``left @ right``, [row][vector], for ``depth`` steps of k.

    ``right`` is the address of row 0; row k is ``right_step`` elements further for each k. ``tail``: its last vector has
    only so many elements (in memory: fewer than ``count`` must be read). Where ``depth`` is no constant it is a multiple
    of ``unroll``. Few accumulators are doubled until the latency of an addition is hidden.
    """
    kind = vector(element.compute, count)
    copies = 1
    while rows * vectors * copies < 8 and copies < unroll:
        copies *= 2
    zero = constant(kind, 0)
    totals = [[[b.variable(zero) for _ in range(vectors)] for _ in range(rows)] for _ in range(copies)]

    def step(k: Operand | int, extra: int, copy: int) -> None:
        base = b.at(right, element.compute, scaled(b, k, right_step))
        row = b.at(base, element.compute, extra * right_step)
        wide = [
            b.load(kind, b.at(row, element.compute, v * count), tail if tail and v == vectors - 1 else None)
            for v in range(vectors)
        ]
        start = b.at(left.pointer, element.compute, scaled(b, k, left.column))
        for r in range(rows):
            x = b.load(element.compute, b.at(start, element.compute, r * left.row + extra * left.column))
            spread = b.splat(x, count)
            for v in range(vectors):
                total = totals[copy][r][v]
                b.set(total, accumulate(b, b.get(total), spread, wide[v], element))

    whole: Operand | int = depth - depth % unroll if isinstance(depth, int) else depth
    if whole:
        with b.loop(0, whole, unroll) as k:
            for extra in range(unroll):
                step(k, extra, extra % copies)
    if isinstance(depth, int):
        for extra in range(depth % unroll):
            assert isinstance(whole, int)
            step(whole, extra, extra % copies)
    while copies > 1:
        copies //= 2
        for copy in range(copies):
            for r in range(rows):
                for v in range(vectors):
                    mine = totals[copy][r][v]
                    b.set(mine, sum_of(b, b.get(mine), b.get(totals[copy + copies][r][v]), element))
    return totals[0]


def transposed(b: Builder, rows: Sequence[Operand]) -> list[Operand]:
    """The transpose of a square of vectors, by exchanging ever greater blocks beside the diagonal."""
    found = list(rows)
    count = len(found)
    step = 1
    while step < count:
        for i in range(count):
            if i & step:
                continue
            x, y = found[i], found[i + step]
            upper = [lane if not lane & step else count + lane - step for lane in range(count)]
            lower = [lane + step if not lane & step else count + lane for lane in range(count)]
            found[i], found[i + step] = b.shuffle(x, y, upper), b.shuffle(x, y, lower)
        step *= 2
    return found


def summed(b: Builder, totals: Sequence[Operand]) -> Operand:
    """The sums over the lanes of as many vectors as one has lanes, as one vector: halves are folded together."""
    found = list(totals)
    count = lanes(found[0].type)
    step = count // 2
    while step:
        half = len(found) // 2
        lower = [lane if not lane & step else count + lane - step for lane in range(count)]
        upper = [lane + step if not lane & step else count + lane for lane in range(count)]
        found = [
            b.add(b.shuffle(found[i], found[i + half], lower), b.shuffle(found[i], found[i + half], upper))
            for i in range(half)
        ]
        step //= 2
    return found[0]


def pack_columns(
    b: Builder, source: Matrix, target: Operand, *, depth: Operand | int, columns: int, pitch: int,
    count: int, element: Element, padding: int = 1,
) -> None:  # fmt: skip
    """Write ``columns`` (at most ``count``) columns of a matrix, row k to ``target + k · pitch``, zeros behind them.

    ``depth``: how many rows; where it is no constant, rows up to the next multiple of ``padding`` are
    made zero (the caller sees to it that ``target`` has room).
    """
    kind, memory = vector(element.compute, count), vector(element.memory, count)

    def out(x: Operand, k: Operand | int) -> None:
        b.store(x, b.at(target, element.compute, scaled(b, k, pitch)))

    if source.column == 1:
        with b.loop(0, depth) as k:
            loaded = b.load(memory, source.at(b, element.memory, k, 0), columns if columns < count else None)
            out(widen(b, loaded, element), k)
    elif source.row == 1 and size_of(element.compute) >= 4:
        _pack_across(b, source, target, depth, columns, pitch, count, element)
    else:
        if columns < count:
            with b.loop(0, depth) as k:
                out(constant(kind, 0), k)
        with b.loop(0, depth) as k:
            for j in range(columns):
                x = b.load(element.memory, source.at(b, element.memory, k, j))
                place = b.at(b.at(target, element.compute, scaled(b, k, pitch)), element.compute, j)
                b.store(widen(b, x, element), place)
    if padding > 1:
        pad_rows(b, target, depth, pitch, count, element, padding)


def pad_rows(
    b: Builder, target: Operand, depth: Operand | int, pitch: int, count: int, element: Element, padding: int
) -> None:
    """Make the rows from ``depth`` to the next multiple of ``padding`` zero."""
    zero = constant(vector(element.compute, count), 0)
    if isinstance(depth, int):
        for more in range(depth, -(-depth // padding) * padding):
            b.store(zero, b.at(target, element.compute, more * pitch))
        return
    with b.loop(depth, rounded_up(b, depth, padding)) as k:
        b.store(zero, b.at(target, element.compute, scaled(b, k, pitch)))


def rounded_up(b: Builder, x: Operand, to: int) -> Operand:
    """The next multiple of a power of two."""
    return b.binary("and", b.add(x, integer(to - 1)), integer(-to))


def _pack_across(
    b: Builder, source: Matrix, target: Operand, depth: Operand | int, columns: int, pitch: int, count: int,
    element: Element,
) -> None:  # fmt: skip
    """Columns that lie in memory one by one: squares are turned in registers."""
    memory = vector(element.memory, count)

    def square(k: Operand | int, height: int) -> None:
        start = source.at(b, element.memory, k, 0)
        loaded = [
            widen(b, b.load(memory, b.at(start, element.memory, j * source.column), height), element)
            for j in range(columns)
        ]
        loaded += [constant(vector(element.compute, count), 0)] * (count - columns)
        first = b.at(target, element.compute, scaled(b, k, pitch))
        for extra, row in enumerate(transposed(b, loaded)[:height]):
            b.store(row, b.at(first, element.compute, extra * pitch))

    if isinstance(depth, int):
        if depth >= count:
            with b.loop(0, depth - depth % count, count) as k:
                square(k, count)
        if depth % count:
            square(depth - depth % count, depth % count)
        return
    whole = b.binary("and", depth, integer(-count))
    with b.loop(0, whole, count) as k:
        square(k, count)
    with b.loop(whole, depth) as k:  # the rest, one row at a time
        for j in range(columns):
            x = b.load(element.memory, source.at(b, element.memory, k, j))
            place = b.at(b.at(target, element.compute, scaled(b, k, pitch)), element.compute, j)
            b.store(widen(b, x, element), place)
        for j in range(columns, count):
            place = b.at(b.at(target, element.compute, scaled(b, k, pitch)), element.compute, j)
            b.store(constant(element.compute, 0), place)


class Packed(NamedTuple):
    """B (depth × columns) packed for tiles of ``vectors`` vectors: panel after panel, each ``depth`` rows long."""

    depth: int
    columns: int
    rows: int
    vectors: int
    lanes: int
    element: Element

    @classmethod
    def of(cls, rows: int, depth: int, columns: int, element: Element, vector_bytes: int, registers: int) -> Packed:
        """For products with ``rows`` rows."""
        count = vector_bytes // size_of(element.compute)
        tall, vectors = best_tile(rows, columns, depth, count, registers)
        return cls(depth, columns, tall, vectors, count, element)

    @property
    def panel(self) -> int:
        """Columns of a panel."""
        return self.vectors * self.lanes

    @property
    def groups(self) -> int:
        """How many vectors of columns there are."""
        return -(-self.columns // self.lanes)

    @property
    def numel(self) -> int:
        """Elements it takes in memory."""
        return -(-self.columns // self.panel) * self.panel * self.depth

    def pack(self, b: Builder, source: Matrix, target: Operand, start: Operand, stop: Operand) -> None:
        """Pack the groups ``start`` to ``stop``."""

        def group(g: Operand, width: int) -> None:
            number = b.emit("i64", f"udiv i64 {g.name}, {self.vectors}")
            within = b.emit("i64", f"urem i64 {g.name}, {self.vectors}")
            place = b.add(b.multiply(number, integer(self.panel * self.depth)), b.multiply(within, integer(self.lanes)))
            first = source.at(b, self.element.memory, 0, b.multiply(g, integer(self.lanes)))
            pack_columns(
                b, Matrix(first, source.row, source.column), b.at(target, self.element.compute, place),
                depth=self.depth, columns=width, pitch=self.panel, count=self.lanes, element=self.element,
            )  # fmt: skip

        whole, tail = divmod(self.columns, self.lanes)
        if whole:
            with b.loop(start, b.intrinsic("llvm.smin", stop, integer(whole))) as g:
                group(g, self.lanes)
        if tail:
            with b.loop(b.intrinsic("llvm.smax", start, integer(whole)), stop) as g:
                group(g, tail)

    def product(self, b: Builder, left: Matrix, packed: Operand, out: Operand, rows: int) -> None:
        """``rows`` (a constant) rows of A times this, to ``out``, row-major. A panel at a time, which stays in the cache."""
        element = self.element

        def tile(i: Operand | int, tall: int, j: Operand | int, width: int) -> None:
            a = Matrix(left.at(b, element.compute, i, 0), left.row, left.column)
            totals = product_tile(
                b, a, b.at(packed, element.compute, scaled(b, j, self.depth)), self.panel, rows=tall,
                vectors=-(-width // self.lanes), depth=self.depth, count=self.lanes, element=element,
            )  # fmt: skip
            first = Matrix(out, self.columns, 1).at(b, element.compute, i, j)
            for r, row in enumerate(totals):
                for v, total in enumerate(row):
                    place = b.at(first, element.compute, r * self.columns + v * self.lanes)
                    b.store(b.get(total), place, min(width - v * self.lanes, self.lanes))

        def down(j: Operand | int, width: int) -> None:
            whole = rows - rows % self.rows
            if whole:
                with b.loop(0, whole, self.rows) as i:
                    tile(i, self.rows, j, width)
            if whole < rows:
                tile(whole, rows - whole, j, width)

        whole = self.columns - self.columns % self.panel
        if whole:
            with b.loop(0, whole, self.panel) as j:
                down(j, self.panel)
        if whole < self.columns:
            down(whole, self.columns - whole)
