"""How a group is walked: its dimensions merged, its stages, the vector, what is kept between stages, and what all this costs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import prod
from typing import Any

from . import elementwise
from .builder import size_of
from .elementwise import COSTLY, register_type
from .group import Constant, Group, Load, Node
from .kernel import Argument, Kernel, KernelBuilder, memory_type

Ints = tuple[int, ...]

#: A tile of a loop without reductions has about this many elements.
TILE = 4096
#: So many vectors side by side in a tile with reductions along another dimension.
COLUMNS = 4
#: More operations than this are not done again in a later stage.
CHEAP = 2
#: A row's scratch memory may have this many bytes.
SCRATCH = 1 << 20


@dataclass
class Nest:
    """A group with its dimensions merged and its stages found.

    Attributes:
        shape, reduced: the dimensions, and which are folded.
        nodes: in order.
        stores: the nodes whose values go to memory.
        ready: for each node the first stage in which (for a row: before which) it can be computed.
        saved: full nodes kept in scratch memory, with their place there in elements of 8 bytes.
    """

    shape: list[int]
    reduced: list[bool]
    nodes: dict[int, Node]
    stores: list[int]
    ready: dict[int, int] = field(default_factory=dict)
    saved: dict[int, int] = field(default_factory=dict)

    @property
    def by_rows(self) -> bool:
        """Whether the last dimension is folded."""
        return bool(self.reduced and self.reduced[-1])

    @property
    def stages(self) -> int:
        """How many loops an item takes."""
        return 1 + max((self.ready[n] for n in self.sinks()), default=0)

    def sinks(self) -> list[int]:
        """Full values that somebody wants: those stored and those reduced (named by the operand's stage)."""
        wanted = [n for n in self.stores if not self.nodes[n].row]
        for node in self.nodes.values():
            if node.reduces and isinstance(node.operands[0], int):
                wanted.append(node.operands[0])
        return wanted

def nest_of(group: Group, stores: list[int]) -> Nest:
    """The group as the loops see it, for the nodes that ``stores`` need."""
    wanted = _needed(group, stores)
    nodes = {name: node for name, node in group.nodes.items() if name in wanted}
    reduced = list(group.reduced) if group.reduced is not None else [False] * len(group.shape)
    every: list[Ints] = []
    for node in nodes.values():
        every.append(node.strides)
        if node.coefficients:
            every.append(node.coefficients)
        every.extend(operand.strides for operand in node.operands if isinstance(operand, Load))
    keep = [True] * len(group.shape)
    shape = list(group.shape)
    for d in range(len(shape) - 2, -1, -1):
        # Whether dimension d continues the one after it in every stride. `after` is the next dimension still there.
        after = next(e for e in range(d + 1, len(shape)) if keep[e])
        if reduced[d] == reduced[after] and all(s[d] == s[after] * shape[after] for s in every):
            shape[after] *= shape[d]
            keep[d] = False
    chosen = [d for d in range(len(shape)) if keep[d]]

    def pick(strides: Ints) -> Ints:
        return tuple(strides[d] for d in chosen)

    copies = {
        name: Node(
            node.name, node.operation,
            [Load(o.name, o.dtype, pick(o.strides), o.offset) if isinstance(o, Load) else o for o in node.operands],
            pick(node.strides), node.kind, node.source, node.parameters, node.reduces, node.row,
            pick(node.coefficients) if node.coefficients else (),
        )
        for name, node in nodes.items()
    }  # fmt: skip
    return Nest([shape[d] for d in chosen] or [1], [reduced[d] for d in chosen] or [False], copies, stores)


def _needed(group: Group, stores: list[int]) -> set[int]:
    wanted, pending = set(), list(stores)
    while pending:
        name = pending.pop()
        if name not in wanted:
            wanted.add(name)
            pending.extend(o for o in group.nodes[name].operands if isinstance(o, int))
    return wanted

class NestPlan:
    """How a nest is walked: the vector, the tile, the stages, what is kept between them, the arguments, the key.

    Attributes:
        nest: what is walked.
        width: how many elements a vector has.
        reads: for each buffer or cell that is read, by (name, offset, dtype), its position among the arguments.
        scratch: bytes of memory of its own that a thread needs.
    """

    def __init__(self, nest: Nest, bytes_of_vector: int) -> None:
        self.nest = nest
        if not nest.shape or nest.shape == [1]:
            for node in nest.nodes.values():
                node.strides = node.strides or (0,)
                node.coefficients = node.coefficients or ((0,) if node.operation == "iota" else ())
                for operand in node.operands:
                    if isinstance(operand, Load):
                        operand.strides = operand.strides or (0,)
        self._stage()
        self.width = self._width(bytes_of_vector)
        self._save()
        self._number()

    def _stage(self) -> None:
        ready = self.nest.ready
        for name, node in self.nest.nodes.items():
            known = [ready[o] for o in node.operands if isinstance(o, int)]
            at = max(known, default=0)
            ready[name] = at + 1 if node.reduces else at

    def _width(self, bytes_of_vector: int) -> int:
        """How many elements a vector of the loop has."""
        sizes = [register_size(node) for node in self.nest.nodes.values()]
        wide = sum(size == 8 for size in sizes)
        full = bytes_of_vector // (8 if wide * 2 > len(sizes) else 4)
        n = self.nest.shape[-1]
        while full > 1 and full // 2 >= n:
            full //= 2
        return full

    def _save(self) -> None:
        """Choose what a later stage finds in scratch memory."""
        nest = self.nest
        folded = prod(n for n, r in zip(nest.shape, nest.reduced) if r)
        tile = 1 if nest.by_rows else min(self.tile(), nest.shape[-1] + self.width)
        if nest.by_rows:  # each row of it in whole vectors
            folded = folded // nest.shape[-1] * (-(-nest.shape[-1] // self.width) * self.width)
        self.scratch = 0
        visited: set[tuple[int, int]] = set()

        def work(name: int) -> int:
            """How many operations it takes to compute a full value again."""
            node = nest.nodes[name]
            if node.row or name in nest.saved or name in nest.stores:
                return 0
            return 1 + sum(work(o) for o in node.operands if isinstance(o, int))

        def visit(name: int, stage: int) -> None:
            node = nest.nodes[name]
            if node.row or (name, stage) in visited:
                return
            visited.add((name, stage))
            if nest.ready[name] < stage:
                if name in nest.stores or name in nest.saved:
                    return
                bytes_here = folded * tile * 8
                if (node.operation in COSTLY or work(name) > CHEAP) and self.scratch + bytes_here <= SCRATCH:
                    nest.saved[name] = self.scratch
                    self.scratch += -(-bytes_here // 64) * 64
                    return
            for operand in node.operands:
                if isinstance(operand, int):
                    visit(operand, stage)

        for name in nest.stores:
            if not nest.nodes[name].row:
                visit(name, nest.ready[name])
        for node in nest.nodes.values():
            if node.reduces and isinstance(node.operands[0], int):
                visit(node.operands[0], nest.ready[node.name] - 1)

    def tile(self) -> int:
        """How many neighbouring elements an item has, where the last dimension is kept."""
        n = self.nest.shape[-1]
        if any(self.nest.reduced):
            return self.width * COLUMNS
        if n <= 2 * TILE:
            return -(-n // self.width) * self.width
        return TILE

    def _number(self) -> None:
        reads: dict[tuple[int, int, str], int] = {}
        for node in self.nest.nodes.values():
            for operand in node.operands:
                if isinstance(operand, Load):
                    reads.setdefault((operand.name, operand.offset, operand.dtype.name), len(reads))
                elif isinstance(operand, Constant) and operand.name is not None:
                    reads.setdefault((operand.name, 0, "cell"), len(reads))
        self.reads = reads

    def position(self, operand: Load | Constant) -> int:
        """The argument an operand is read through."""
        if isinstance(operand, Constant):
            assert operand.name is not None
            return self.reads[operand.name, 0, "cell"]
        return self.reads[operand.name, operand.offset, operand.dtype.name]

    def kernel(self, write: Callable[[KernelBuilder], None]) -> Kernel:
        """The kernel that ``write`` writes, its key and its price."""
        nest = self.nest
        arguments = [
            Argument(name, offset * (1 if kind == "cell" else size_of(memory_type(_dtype(kind)))))
            for name, offset, kind in self.reads
        ]
        local = {name: k for k, name in enumerate(nest.nodes)}

        def spell(operand: Any) -> Any:
            if isinstance(operand, int):
                return local[operand]
            if isinstance(operand, Load):
                return ("load", self.position(operand), operand.dtype.name, operand.strides)
            if operand.name is not None:
                return ("cell", self.position(operand), operand.category, operand.dtype.name)
            return ("literal", repr(operand.value), operand.dtype.name)

        parts = [
            (node.operation, node.kind.name, node.source.name, [spell(o) for o in node.operands], node.strides,
             node.reduces, node.row, node.coefficients)
            for node in nest.nodes.values()
        ]  # fmt: skip
        key = f"loops {nest.shape} {nest.reduced} {self.width} {parts} {[local[n] for n in nest.stores]}"
        kept = [n for n, r in zip(nest.shape, nest.reduced) if not r]
        if nest.by_rows:
            items = prod(kept)
        else:
            items = prod(kept[:-1]) * -(-nest.shape[-1] // self.tile())
        # Measured: 0.012 ns a byte from the cache or (two threads) memory, and so much an operation in wide vectors.
        costly = sum(node.operation in COSTLY for node in nest.nodes.values())
        moved = sum(
            size_of(memory_type(o.dtype)) for node in nest.nodes.values() for o in node.operands
            if isinstance(o, Load) and any(o.strides)
        ) + sum(size_of(memory_type(nest.nodes[name].kind)) for name in nest.stores)  # fmt: skip
        lanes_used = max(1, min(self.width, nest.shape[-1]))
        work = prod(nest.shape) * (0.012 * moved + (0.3 * len(nest.nodes) + 2.5 * costly) / lanes_used) + 2.0 * items
        names = [node.operation for node in nest.nodes.values()]
        title = "+".join(dict.fromkeys(names))
        return Kernel(
            title if len(title) < 60 else f"{title[:57]}...", key, write, arguments,
            [Argument(name) for name in nest.stores], items, max(work / max(items, 1), 1.0), self.scratch,
            can_fail=any(elementwise.can_fail(node.operation, node.source) for node in nest.nodes.values()),
            pointwise=self._pointwise(),
        )  # fmt: skip

    def _pointwise(self) -> frozenset[tuple[int, int]]:
        """What may be overwritten: a value read only where, and before, the result is written.

        In a loop without reductions that is at the same element; a row's own results are written when all of the row is read.
        """
        nest = self.nest
        folds = any(nest.reduced)
        loads: dict[int, list[Load]] = {}
        for node in nest.nodes.values():
            for operand in node.operands:
                if isinstance(operand, Load):
                    loads.setdefault(operand.name, []).append(operand)
        targets = [nest.nodes[name] for name in nest.stores if nest.nodes[name].row or not folds]
        return frozenset(
            (source, target.name)
            for source, places in loads.items()
            for target in targets
            if all(
                each.offset == 0 and each.strides == target.strides
                and size_of(memory_type(each.dtype)) == size_of(memory_type(target.kind))
                for each in places
            )
        )  # fmt: skip


def register_size(node: Node) -> int:
    """Bytes of an element of a node in a register."""
    return size_of(register_type(node.kind))


def _dtype(name: str) -> Any:
    from ..core.dtypes import by_name

    return by_name(name)
