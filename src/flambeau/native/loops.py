"""From a group to a kernel: the loop nest, its vectors, its stages.

Items are the points of the dimensions that are kept. Where the last dimension is folded, an item is one row: its elements
are walked in *stages*, each a loop that ends in reductions, whose results the next stage may use (softmax: the maximum, the
sum of exponentials, the quotient). What an earlier stage computed is read back if it was stored anyway, kept in scratch memory if it
is costly, and else computed again. Where the last dimension is kept, an item is a tile of neighbouring elements, one vector
after the other, each with its own accumulators.
"""

from __future__ import annotations

from typing import Any

from . import elementwise
from .builder import Operand, constant, integer, lanes, vector
from .elementwise import from_memory, to_memory
from .group import Constant, Group, Load, Node
from .kernel import Kernel, KernelBuilder, memory_type
from .nest import Ints, NestPlan, nest_of

#: What the fold of nothing is.
NEUTRAL = {"reduce_sum": 0, "reduce_product": 1, "reduce_any": 0, "reduce_all": 1}
_COMBINE = {
    "reduce_sum": "add", "reduce_product": "multiply", "reduce_max": "maximum", "reduce_min": "minimum",
    "reduce_any": "bitwise_or", "reduce_all": "bitwise_and",
}  # fmt: skip
REDUCTIONS = frozenset(_COMBINE)


def loop_kernel(group: Group, stores: list[int], bytes_of_vector: int) -> Kernel:
    """The kernel of a group that stores the given nodes."""
    plan = NestPlan(nest_of(group, stores), bytes_of_vector)
    return plan.kernel(lambda b: _Writer(b, plan).write())


class _At:
    """Where in the nest an expression is evaluated: which elements, and what is known there already."""

    __slots__ = ("column", "folded", "index", "mask", "memo", "stage")

    def __init__(self, index: Operand, mask: Operand | None, folded: list[Operand], stage: int, column: Any = None) -> None:
        self.index, self.mask, self.folded, self.stage, self.column = index, mask, folded, stage, column
        self.memo: dict[int, Operand] = {}


class _Writer:
    def __init__(self, b: KernelBuilder, plan: NestPlan) -> None:
        self.b, self.plan, self.nest, self.width = b, plan, plan.nest, plan.width
        self.kept = [d for d, r in enumerate(self.nest.reduced) if not r]
        self.folded = [d for d, r in enumerate(self.nest.reduced) if r]
        self.constants: dict[int, Operand] = {}
        self.starts: dict[Any, Operand] = {}

    # The nest

    def write(self) -> None:
        b, nest = self.b, self.nest
        count = len(self.plan.reads)
        self.pointers = [b.argument(k) for k in range(count + len(nest.stores))]
        b.failure = len(self.pointers)
        self.outputs = {name: self.pointers[count + k] for k, name in enumerate(nest.stores)}
        for node in nest.nodes.values():
            for operand in node.operands:
                if isinstance(operand, Constant) and operand.name is not None:
                    cell = self.pointers[self.plan.position(operand)]
                    self.constants[id(operand)] = elementwise.number(b, cell, operand.category, operand.dtype)
        with b.loop(b.begin, b.end) as item:
            if nest.by_rows:
                self._row(item)
            else:
                self._tile(item)
        b.done()

    def _coordinates(self, item: Operand, dimensions: list[int]) -> dict[int, Operand]:
        b, made = self.b, {}
        for d in reversed(dimensions[1:]):
            size = integer(self.nest.shape[d])
            made[d] = b.binary("urem", item, size)
            item = b.binary("udiv", item, size)
        if dimensions:
            made[dimensions[0]] = item
        return made

    def _address(self, base: Operand, kind: str, strides: Ints, coordinates: dict[int, Operand]) -> Operand:
        b, offset = self.b, None
        for d, coordinate in coordinates.items():
            if strides[d]:
                term = coordinate if strides[d] == 1 else b.binary("mul", coordinate, integer(strides[d]))
                offset = term if offset is None else b.binary("add", offset, term)
        return base if offset is None else b.at(base, kind, offset)

    def _find_starts(self, coordinates: dict[int, Operand]) -> None:
        """The address of each buffer's element at the item's coordinates."""
        self.coordinates = coordinates
        self.starts = {}
        for node in self.nest.nodes.values():
            for operand in node.operands:
                if isinstance(operand, Load):
                    key = (self.plan.position(operand), operand.strides)
                    if key not in self.starts:
                        base = self.pointers[key[0]]
                        self.starts[key] = self._address(base, memory_type(operand.dtype), operand.strides, coordinates)
        for name in self.nest.stores:
            node = self.nest.nodes[name]
            self.starts[name] = self._address(self.outputs[name], memory_type(node.kind), node.strides, coordinates)

    def _row(self, item: Operand) -> None:
        """One row: every stage a loop over the folded dimensions, the last of them in vectors."""
        b, nest = self.b, self.nest
        self._find_starts(self._coordinates(item, self.kept))
        self.rows: dict[int, Operand] = {}
        n = nest.shape[-1]
        for stage in range(nest.stages + 1):
            self._row_values(stage, 1)
            sums = [x for x in nest.nodes.values() if x.reduces and nest.ready[x.name] == stage + 1]
            stores = [x for x in nest.stores if not nest.nodes[x].row and nest.ready[x] == stage]
            saves = [x for x in nest.saved if nest.ready[x] == stage]
            if not (sums or stores or saves):
                continue
            unroll = 4 if sums and n >= 8 * self.width else 1
            totals = {x.name: [b.variable(self._neutral(x, self.width)) for _ in range(unroll)] for x in sums}
            with _nested(b, [nest.shape[d] for d in self.folded[:-1]]) as outer:
                whole = n // (self.width * unroll) * self.width * unroll
                if whole:
                    with b.loop(0, whole, self.width * unroll) as j:
                        for u in range(unroll):
                            index = j if not u else b.binary("add", j, integer(u * self.width))
                            self._body(_At(index, None, outer, stage), sums, stores, saves, totals, u)
                rest = whole
                while n - rest >= self.width:
                    self._body(_At(integer(rest), None, outer, stage), sums, stores, saves, totals, 0)
                    rest += self.width
                if rest < n:
                    mask = b.first_lanes(vector("float", self.width), n - rest)
                    self._body(_At(integer(rest), mask, outer, stage), sums, stores, saves, totals, 0)
            for x in sums:
                self.rows[x.name] = self._finish(x, [b.get(v) for v in totals[x.name]], across=True)
        for name in nest.stores:
            if nest.nodes[name].row:
                kind = nest.nodes[name].kind
                b.store(to_memory(b, self.rows[name], kind), self.starts[name])

    def _row_values(self, stage: int, width: int) -> None:
        """Values of the row that can be computed before a stage."""
        for name, node in self.nest.nodes.items():
            if node.row and not node.reduces and self.nest.ready[name] == stage and name not in self.rows:
                at = _At(integer(0), None, [], stage)
                self.rows[name] = self._compute(node, at, width)

    def _tile(self, item: Operand) -> None:
        b, nest = self.b, self.nest
        tile, n = self.plan.tile(), nest.shape[-1]
        tiles = -(-n // tile)
        outer = [d for d in self.kept if d != len(nest.shape) - 1]
        position = integer(0)
        if tiles > 1:
            position = b.binary("urem", item, integer(tiles))
            item = b.binary("udiv", item, integer(tiles))
        coordinates = self._coordinates(item, outer)
        start = b.binary("mul", position, integer(tile)) if tiles > 1 else integer(0)
        self._find_starts(coordinates)
        self.start = start
        if any(nest.reduced):
            self._columns(start, tile, n)
            return
        full = tile if tiles > 1 else n // self.width * self.width
        if tiles == 1:
            if full:
                with b.loop(0, full, self.width) as j:
                    self._map(j, None)
            if full < n:
                self._map(integer(full), b.first_lanes(vector("float", self.width), n - full))
            return
        whole = n // self.width * self.width
        end = b.intrinsic("llvm.smin", b.binary("add", start, integer(tile)), integer(whole))
        with b.loop(start, end, self.width) as j:
            self._map(j, None)
        if whole < n:
            with b.when(b.compare("eq", position, integer(tiles - 1))):
                self._map(integer(whole), b.first_lanes(vector("float", self.width), n - whole))

    def _map(self, index: Operand, mask: Operand | None) -> None:
        at = _At(index, mask, [], 0)
        # All is read before anything is written: a result may lie where an operand did.
        values = [self._value(name, at) for name in self.nest.stores]
        for name, value in zip(self.nest.stores, values):
            self._store(name, value, at)

    def _columns(self, start: Operand, tile: int, n: int) -> None:
        """A tile of kept neighbours: each vector of columns has accumulators of its own."""
        b, nest, width = self.b, self.nest, self.width
        count = min(tile, -(-n // width) * width) // width
        columns: list[tuple[Operand, Operand | None, dict[int, Operand]]] = []
        for u in range(count):
            index = start if not u else b.binary("add", start, integer(u * width))
            mask = None
            if n % (count * width):
                lane = b.numbers(vector("i64", width), range(width))
                mask = b.compare("slt", b.binary("add", b.splat(index, width), lane), constant(vector("i64", width), n))
                if width == 1:
                    mask = b.compare("slt", index, integer(n))
            columns.append((index, mask, {}))
        for stage in range(nest.stages + 1):
            for index, mask, rows in columns:
                self.rows = rows
                at = _At(index, mask, [], stage)
                for name, node in nest.nodes.items():
                    if node.row and not node.reduces and nest.ready[name] == stage and name not in rows:
                        rows[name] = self._compute(node, at, width)
            sums = [x for x in nest.nodes.values() if x.reduces and nest.ready[x.name] == stage + 1]
            stores = [x for x in nest.stores if not nest.nodes[x].row and nest.ready[x] == stage]
            saves = [x for x in nest.saved if nest.ready[x] == stage]
            if not (sums or stores or saves):
                continue
            totals = {x.name: [b.variable(self._neutral(x, width)) for _ in columns] for x in sums}
            with _nested(b, [nest.shape[d] for d in self.folded]) as folded:
                for u, (index, mask, rows) in enumerate(columns):
                    self.rows = rows
                    self._body(_At(index, mask, folded, stage, u), sums, stores, saves, totals, u)
            for u, (_, _, rows) in enumerate(columns):
                for x in sums:
                    rows[x.name] = self._finish(x, [b.get(totals[x.name][u])], across=False)
        for index, mask, rows in columns:
            for name in nest.stores:
                if nest.nodes[name].row:
                    self._store(name, rows[name], _At(index, mask, [], 0))

    def _body(self, at: _At, sums: list[Node], stores: list[int], saves: list[int], totals: Any, u: int) -> None:
        b = self.b
        for name in saves:
            value = self._value(name, at)
            b.store(to_memory(b, value, self.nest.nodes[name].kind), self._scratch(name, at))
        for name in stores:
            self._store(name, self._value(name, at), at)
        for node in sums:
            x = self._operand(node.operands[0], node, at)
            total = totals[node.name][u]
            if at.mask is not None and self.nest.by_rows:
                x = b.select(at.mask, x, self._neutral(node, lanes(x.type)))
            b.set(total, self._combine(node, b.get(total), x))

    # Reductions

    def _neutral(self, node: Node, width: int) -> Operand:
        kind = node.source
        value: Any = NEUTRAL.get(node.operation)
        if value is None:
            least = node.operation == "reduce_max"
            value = _extreme(kind, least)
        return elementwise.literal(kind, value, width)

    def _combine(self, node: Node, x: Operand, y: Operand) -> Operand:
        return elementwise.RULES[_COMBINE[node.operation]](self.b, node.source, x, y)

    def _finish(self, node: Node, totals: list[Operand], across: bool) -> Operand:
        """One number from several accumulators (``across``: and from their lanes)."""
        b = self.b
        while len(totals) > 1:
            totals = [self._combine(node, x, y) for x, y in zip(totals[::2], totals[1::2])]
        (total,) = totals
        while across and lanes(total.type) > 1:
            half = lanes(total.type) // 2
            low = b.shuffle(total, total, range(half)) if half > 1 else b.extract(total, 0)
            high = b.shuffle(total, total, range(half, 2 * half)) if half > 1 else b.extract(total, 1)
            total = self._combine(node, low, high)
        return elementwise.cast(b, total, node.source, node.kind)

    # Values

    def _value(self, name: int, at: _At) -> Operand:
        node = self.nest.nodes[name]
        if node.row:
            value = self.rows[name]
            return self.b.splat(value, self.width) if self.nest.by_rows else value
        found = at.memo.get(name)
        if found is None:
            if self.nest.ready[name] < at.stage and name in self.nest.stores:
                found = self._reload(name, at)
            elif self.nest.ready[name] < at.stage and name in self.nest.saved:
                kind = vector(memory_type(node.kind), self.width)
                found = from_memory(self.b, self.b.load(kind, self._scratch(name, at)), node.kind)
            else:
                found = self._compute(node, at, self.width)
            at.memo[name] = found
        return found

    def _scratch(self, name: int, at: _At) -> Operand:
        b, nest = self.b, self.nest
        offset: Operand = integer(0)
        for d, coordinate in zip(self.folded, at.folded):
            offset = b.binary("add", b.binary("mul", offset, integer(nest.shape[d])), coordinate)
        if nest.by_rows:
            if len(self.folded) > 1:
                offset = b.binary("mul", offset, integer(-(-nest.shape[-1] // self.width) * self.width))
            offset = b.binary("add", offset, at.index)
        else:
            tile = min(self.plan.tile(), nest.shape[-1] + self.width)
            offset = b.binary("add", b.binary("mul", offset, integer(tile // self.width)), integer(at.column))
            offset = b.binary("mul", offset, integer(self.width))
        base = b.at(b.scratch, "i8", nest.saved[name])
        return b.at(base, memory_type(nest.nodes[name].kind), offset)

    def _compute(self, node: Node, at: _At, width: int) -> Operand:
        b = self.b
        if node.operation == "iota":
            return self._index_along(node, at, width)
        operands = [self._operand(o, node, at, width) for o in node.operands]
        if node.operation in ("copy", "full", "number"):
            return operands[0]
        if node.operation == "cast":
            return elementwise.cast(b, operands[0], node.source, node.kind)
        if node.operation == "select":
            return b.select(*operands)
        if node.operation == "make_complex":
            return b.side_by_side(*operands)
        b.active = at.mask
        return elementwise.RULES[node.operation](b, node.source, *operands)

    def _operand(self, operand: Any, node: Node, at: _At, width: int | None = None) -> Operand:
        b = self.b
        width = self.width if width is None else width
        if isinstance(operand, int):
            value = self.rows[operand] if width == 1 and self.nest.nodes[operand].row else self._value(operand, at)
            held = self.nest.nodes[operand].kind
        elif isinstance(operand, Constant):
            if operand.name is None:
                return elementwise.literal(operand.dtype, operand.value, width)
            return b.splat(self.constants[id(operand)], width)
        else:
            value, held = self._load(operand, at, width), operand.dtype
        if node.reduces and held is not node.source:
            value = elementwise.cast(b, value, held, node.source)
        return value

    def _inner(self, strides: Ints, at: _At) -> dict[int, Operand]:
        made = dict(zip(self.folded, at.folded))
        if strides[-1]:
            made[len(strides) - 1] = at.index
        return made

    def _load(self, operand: Load, at: _At, width: int) -> Operand:
        b, kind = self.b, memory_type(operand.dtype)
        start = self.starts[self.plan.position(operand), operand.strides]
        step = operand.strides[-1]
        if self.nest.by_rows and width == 1 and self.width != 1:  # a row's own element
            return from_memory(b, b.load(kind, start), operand.dtype)
        address = self._address(start, kind, operand.strides, self._inner(operand.strides, at))
        if step == 0 or width == 1:
            if at.mask is not None and width == 1:
                held = self._load_one(address, kind, at.mask)
            else:
                held = b.load(kind, address)
            return b.splat(from_memory(b, held, operand.dtype), width)
        whole = vector(kind, width)
        if step == 1:
            if at.mask is None:
                held = b.load(whole, address)
            else:
                held = b.load_where(whole, address, at.mask)
        else:
            steps = b.numbers(vector("i64", width), [k * step for k in range(width)])
            places = b.emit(vector("ptr", width), f"getelementptr {kind}, {address}, {steps}")
            mask = at.mask or constant(vector("i1", width), True)
            held = b.gather_where(whole, places, mask)
        return from_memory(b, held, operand.dtype)

    def _load_one(self, address: Operand, kind: str, mask: Operand) -> Operand:
        """One element where the mask holds, else zero, without reading outside."""
        b = self.b
        held = b.variable(constant(kind, 0))
        with b.when(mask):
            b.set(held, b.load(kind, address))
        return b.get(held)

    def _reload(self, name: int, at: _At) -> Operand:
        node = self.nest.nodes[name]
        b, kind = self.b, memory_type(node.kind)
        address = self._address(self.starts[name], kind, node.strides, self._inner(node.strides, at))
        whole = vector(kind, self.width)
        if at.mask is None:
            held = b.load(whole, address)
        elif self.width == 1:
            held = self._load_one(address, kind, at.mask)
        else:
            held = b.load_where(whole, address, at.mask)
        return from_memory(b, held, node.kind)

    def _store(self, name: int, value: Operand, at: _At) -> None:
        b, node = self.b, self.nest.nodes[name]
        kind = memory_type(node.kind)
        held = to_memory(b, value, node.kind)
        address = self._address(self.starts[name], kind, node.strides, self._inner(node.strides, at))
        if at.mask is None:
            b.store(held, address)
        elif lanes(at.mask.type) == 1:
            with b.when(at.mask):
                b.store(held, address)
        else:
            mask = at.mask if lanes(held.type) == lanes(at.mask.type) else b.side_by_side(at.mask, at.mask)
            b.store_where(held, address, mask)

    def _index_along(self, node: Node, at: _At, width: int) -> Operand:
        """The coordinate along one axis of the line, put together from the group's dimensions."""
        b = self.b
        total: Operand = integer(0)
        inner = self._inner(node.coefficients, at)
        for d, coordinate in {**self.coordinates, **inner}.items():
            step = node.coefficients[d]
            if step:
                total = b.binary("add", total, b.binary("mul", coordinate, integer(step)))
        held = b.splat(total, width)
        step = node.coefficients[-1]
        if step and width > 1:
            held = b.binary("add", held, b.numbers(vector("i64", width), [k * step for k in range(width)]))
        from ..core.dtypes import int64

        return elementwise.cast(b, held, int64, node.kind)


def _extreme(kind: Any, least: bool) -> Any:
    import numpy as np

    if kind.category == 0:
        return not least
    if kind.is_floating_point:
        return float("-inf") if least else float("inf")
    info = np.iinfo(kind.numpy)
    return int(info.min if least else info.max)


class _nested:
    """Loops, one inside the other; as a context it gives their indices."""

    def __init__(self, b: KernelBuilder, sizes: list[int]) -> None:
        self.b, self.sizes = b, sizes

    def __enter__(self) -> list[Operand]:
        self.loops = [self.b.loop(0, size) for size in self.sizes]
        return [loop.__enter__() for loop in self.loops]

    def __exit__(self, *error: Any) -> None:
        for loop in reversed(self.loops):
            loop.__exit__(*error)


__all__ = ["NEUTRAL", "REDUCTIONS", "loop_kernel"]
