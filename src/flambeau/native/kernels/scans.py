"""Running sums, products and extremes along an axis: one after the other along it, many lines side by side."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from ...core.dtypes import dtype
from ..builder import Builder, Operand, constant, integer, size_of, vector
from ..elementwise import RULES, cast, from_memory, rounded, to_memory
from ..kernel import Kernel, KernelBuilder, has_memory_type, lowers, memory_type
from ..mathematics import emit_function
from ..places import Place, dense_strides
from .nests import Ints, collapsed, flat_offset, least, moved

#: Elements worth an item.
WORK = 1 << 13


class Lines:
    """The lines of an operand along an axis, beside those of row-major results: lanes across them where they lie side by side.

    Attributes:
        wide: whether vectors run across lines. Then a piece is a vector of lines, else one line.
        pieces: how many there are; ``items`` of ``per_item``.
    """

    def __init__(self, place: Place, axis: int, *others: Ints) -> None:
        free = [k for k in range(len(place.shape)) if k != axis]
        self.length, self.step = place.shape[axis], place.strides[axis]
        self.shape, (self.strides, *self.others) = collapsed(
            [place.shape[k] for k in free], [place.strides[k] for k in free], *others
        )
        even = all(strides[-1] == 1 for strides in (self.strides, *self.others))
        self.wide = self.shape[-1] > 1 and even
        self.last = self.shape[-1] if self.wide else 1
        self.outer: Ints = self.shape[:-1] if self.wide else self.shape

    def divide(self, count: int) -> int:
        """Make items, for vectors of ``count`` lanes; their number."""
        self.count = count if self.wide else 1
        self.across = -(-self.last // self.count)
        self.pieces = prod(self.outer) * self.across
        self.per_item = max(1, min(self.pieces, WORK // max(self.length * self.count, 1)))
        return -(-self.pieces // self.per_item)

    def each(
        self,
        b: KernelBuilder,
        body: Callable[[list[Operand], int, int | None], None],
        pointers: list[tuple[Operand, str]],
    ) -> None:
        """``body`` of the operands' addresses, how many lanes vectors have, and None or how many of them count."""
        with b.loop(b.begin, b.end) as item:
            first = b.multiply(item, integer(self.per_item))
            with b.loop(first, least(b, b.add(first, integer(self.per_item)), self.pieces)) as piece:
                number, lane = piece, None
                if self.across > 1:
                    number = b.emit("i64", f"udiv i64 {piece.name}, {self.across}")
                    lane = b.emit("i64", f"urem i64 {piece.name}, {self.across}")
                places = []
                for (pointer, kind), strides in zip(pointers, (self.strides, *self.others)):
                    outer = strides[:-1] if self.wide else strides
                    place = b.at(pointer, kind, flat_offset(b, number, self.outer, outer)) if self.outer else pointer
                    places.append(place if lane is None else b.at(place, kind, b.multiply(lane, integer(self.count))))
                tail = self.last % self.count
                if not tail or self.count == 1:
                    body(places, self.count, None)
                elif lane is None:
                    body(places, self.count, tail)
                else:
                    is_last = b.compare("eq", lane, integer(self.across - 1))
                    with b.when(is_last):
                        body(places, self.count, tail)
                    with b.when(b.binary("xor", is_last, Operand("i1", "true"))):
                        body(places, self.count, None)

    @property
    def key(self) -> Any:
        """What the code depends on."""
        return self.length, self.step, self.shape, self.strides, self.others, self.count, self.per_item


def log_add_exp(b: Builder, x: Operand, y: Operand) -> Operand:
    """log(eˣ + eʸ), from the greater one on; equal infinities stay what they are."""
    greater = b.select(b.compare("ogt", x, y), x, y)
    apart = b.intrinsic("llvm.fabs", b.subtract(x, y))
    apart = b.select(b.compare("oeq", x, y), constant(x.type, 0.0), apart)
    return b.add(greater, emit_function(b, "log1p", emit_function(b, "exp", b.negate(apart))))


def combined(b: Builder, combine: str, kind: dtype, x: Operand, y: Operand) -> Operand:
    """One step of a scan, on registers of dtype ``kind``."""
    return log_add_exp(b, x, y) if combine == "logaddexp" else RULES[combine](b, kind, x, y)


@lowers("scan")
def scan(line: Any, graph: Any) -> list[Kernel] | None:
    """Each line is gone through once; narrow floats accumulate in float32."""
    operand, target = graph.type(line.operands[0]), graph.type(line.results[0]).dtype
    combine, rank = line.parameters["combine"], len(operand.shape)
    if not has_memory_type(operand.dtype) or not rank or operand.is_number:
        return None
    inner = target.compute
    if combine == "logaddexp" and inner.category < 2:
        return None
    place, result = graph.place(line.operands[0]), graph.result(line.results[0])
    if 0 in place.shape:
        return [Kernel("nothing", "nothing", lambda b: b.done(), [], [result], 0)]
    axis = line.parameters["axis"] % rank
    strides = dense_strides(place.shape)
    lines = Lines(place, axis, tuple(step for k, step in enumerate(strides) if k != axis))
    source, made = memory_type(place.dtype), memory_type(target)

    def write(b: KernelBuilder) -> None:
        def line_of(places: list[Operand], count: int, short: int | None) -> None:
            x, y = places

            def load(k: Operand | int) -> Operand:
                held = b.load(vector(source, count), moved(b, x, source, k, lines.step), short)
                return cast(b, from_memory(b, held, place.dtype), place.dtype, inner)

            def store(value: Operand, k: Operand | int) -> None:
                held = to_memory(b, rounded(b, value, target) if inner is not target else value, target)
                b.store(held, moved(b, y, made, k, strides[axis]), short)

            total = b.variable(load(0))
            store(b.get(total), 0)
            with b.loop(1, lines.length) as k:
                b.set(total, combined(b, combine, inner, b.get(total), load(k)))
                store(b.get(total), k)

        lines.each(b, line_of, [(b.argument(0), source), (b.argument(1), made)])
        b.done()

    from ..machine import machine

    items = lines.divide(machine().vector_bytes // max(size_of(source), size_of(made), 4))
    costly = 8.0 if combine == "logaddexp" else 1.3
    key = repr(("scan", combine, place.dtype.name, target.name, strides[axis], lines.key))
    cost = costly * lines.length * lines.per_item + 5
    return [Kernel("scan", key, write, [graph.argument(place)], [result], items, cost)]


__all__ = ["Lines", "combined", "scan"]
