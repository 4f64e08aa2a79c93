"""Unfolding a convolution's source by all axes but the first, so that every tap reads consecutive numbers.

The windows of a channel are laid out as (tap of the other axes, row, outputs of the other axes): output ``f`` of some rows,
counted through in row-major order, finds what the tap (k, t) multiplies at ``f`` + a distance that depends on the tap only.
Results need then be neither masked nor moved, whatever their sizes; only the first axis's taps share the numbers packed. It
is im2col (Chellapilla, Puri and Simard, 2006) in all axes but one, done for a block of rows that stays in the cache.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from math import prod

from ..builder import Builder, Operand, constant, integer, lanes, scalar, size_of, vector
from .convolution_axes import Axis, Ints

#: Bytes from channel to channel up to which they are read where they lie.
NEAR = 4096
_SINGLE = Axis(1, 1, 1, (0,), (0,))


def table(b: Builder, values: Sequence[int]) -> Operand:
    """The address of constant 64-bit integers."""
    name = f"{b.name}_table_{b.fresh()[1:]}"
    numbers = ", ".join(f"i64 {value}" for value in values)
    b.declarations[name] = f"@{name} = private unnamed_addr constant [{len(values)} x i64] [{numbers}]"
    return Operand("ptr", f"@{name}")


def shifted(b: Builder, x: Operand | int, by: Operand | int) -> Operand | int:
    """x + by."""
    if isinstance(x, int) and isinstance(by, int):
        return x + by
    if by == 0 or x == 0:
        return by if x == 0 else x
    return b.add(integer(x) if isinstance(x, int) else x, integer(by) if isinstance(by, int) else by)


def times(b: Builder, x: Operand | int, by: int) -> Operand | int:
    """x · by."""
    if isinstance(x, int) or by == 0:
        return x * by if isinstance(x, int) else 0
    return x if by == 1 else b.multiply(x, integer(by))


def anywhere(b: Builder, pointer: Operand, kind: str, index: Operand | int) -> Operand:
    """The address of an element that may lie outside of the array."""
    index = integer(index) if isinstance(index, int) else index
    return b.emit("ptr", f"getelementptr {kind}, {pointer}, {index}")


def within(b: Builder, position: Operand | int, size: Operand | int, count: int, step: int = 1) -> Operand:
    """In each lane, whether 0 ≤ position + lane · step < size."""
    kind = vector("i32", count)

    def spread(x: Operand | int) -> Operand:
        if isinstance(x, int):
            return constant(kind, x)
        return b.splat(b.convert("trunc", x, "i32"), count)

    lane = b.numbers(kind, [step * k for k in range(count)])
    return b.compare("ult", b.add(spread(position), lane), spread(size))


def strided_load(
    b: Builder, line: Operand, position: Operand | int, size: Operand, step: int, element: str, count: int
) -> tuple[Operand, Operand]:
    """Elements position, position + step, … of a line of ``size`` elements, zeros outside; and which lanes are inside."""
    kind = vector(element, count)
    mask = within(b, position, size, count, step)
    if step in (1, 2, 4):
        parts = []
        for k in range(step):
            begin = shifted(b, position, k * count)
            inside = mask if step == 1 else within(b, begin, size, count)
            parts.append(b.load_where(kind, anywhere(b, line, element, begin), inside))
        while len(parts) > 1:
            parts = [b.shuffle(x, y, range(0, 2 * count, 2)) for x, y in zip(parts[::2], parts[1::2])]
        return parts[0], mask
    return gather(b, kind, anywhere(b, line, element, position), step, mask), mask


def gather(b: Builder, kind: str, pointer: Operand, step: int, mask: Operand) -> Operand:
    """Elements ``step`` apart in the lanes of the mask, zero in the others."""
    element, count = scalar(kind), lanes(kind)
    lane = b.numbers(vector("i32", count), [step * k for k in range(count)])
    places = b.emit(vector("ptr", count), f"getelementptr {element}, {pointer}, {lane}")
    return b.gather_where(kind, places, mask)


def fill_line(
    b: Builder, target: Operand, line: Operand, first: Operand | int, size: Operand, axis_step: int,
    length: Operand | int,
    element: str, count: int,
) -> None:  # fmt: skip
    """Write elements first, first + step, … of a line of ``size`` elements, zeros outside; rounded up to whole vectors."""
    with b.loop(0, length, count) as i:
        position = shifted(b, times(b, i, axis_step), first)
        found, _ = strided_load(b, line, position, size, axis_step, element, count)
        b.store(found, b.at(target, element, i))


class _Phases:
    """The residues an axis's offsets have modulo its step, each a line of elements that far apart.

    Attributes:
        residues: those in use, counted from the least offset.
        lengths, starts: of each line, one after the other.
        places: for each offset, where output 0 finds its element.
    """

    def __init__(self, axis: Axis, out: int) -> None:
        shifts = [divmod(offset - axis.low, axis.step) for offset in axis.offsets]
        self.residues = sorted({residue for _, residue in shifts})
        self.lengths = [out + max(shift for shift, found in shifts if found == residue) for residue in self.residues]
        self.starts = [sum(self.lengths[:k]) for k in range(len(self.lengths))]
        self.places = [self.starts[self.residues.index(residue)] + shift for shift, residue in shifts]
        self.total = sum(self.lengths)

    def each(self, b: Builder) -> Iterator[tuple[Operand | int, Operand | int, Operand | int]]:
        """Residue, start and length: one after the other where they are few, else in a loop of the code."""
        rows = list(zip(self.residues, self.starts, self.lengths))
        if len(rows) <= 4:
            yield from rows
            return
        numbers = table(b, [number for row in rows for number in row])
        with b.loop(0, 3 * len(rows), 3) as k:
            row = [b.emit("i64", f"load i64, {b.at(b.at(numbers, 'i64', k), 'i64', i)}") for i in range(3)]
            yield row[0], row[1], row[2]


class Packing:
    """How the windows of ``rows`` rows of outputs are laid out, and the code that does it.

    Attributes:
        in_place: the source can be read as it lies.
        channel: elements from one channel to the next.
        taps: for each tap, in the order of the axes' offsets, the distance of its first number.
        size: elements of the packed windows of one channel.
        room: elements of the line memory that :meth:`channels` needs beside.
    """

    def __init__(self, axes: tuple[Axis, ...], rows: int, element: str, count: int) -> None:
        self.axes, self.rows, self.element, self.count = axes, rows, element, count
        first, others = axes[0], axes[1:]
        self.columns = prod(axis.out for axis in others)
        self.area = prod(axis.size for axis in axes)
        plain = (
            first.step == 1 and first.inside
            and all(axis.step == 1 and axis.offsets == (0,) and axis.out == axis.size for axis in others)
        )  # fmt: skip
        # Channels some pages apart cost an entry of the page table each: rather bring them together.
        self.in_place = plain and self.area * size_of(element) <= NEAR
        self.copied = plain and not self.in_place
        self.across = prod(len(axis.offsets) for axis in others)
        if self.in_place:
            self.channel, self.room = self.area, 0
            self.taps = [offset * self.columns for offset in first.offsets]
            return
        if self.copied:
            self.channel = (rows + max(first.offsets) - first.low) * self.columns
            self.taps = [(offset - first.low) * self.columns for offset in first.offsets]
            self.room = 0
            return
        self.row_phases = _Phases(first, rows)
        self.plane = self.row_phases.total * self.columns
        self.channel = self.plane * self.across
        self.taps = [
            place * self.columns + t * self.plane for place in self.row_phases.places for t in range(self.across)
        ]
        self.room = 0
        if others:
            self.middle, self.line = others[0] if len(others) == 2 else _SINGLE, others[-1]
            self.line_phases = _Phases(self.line, self.line.out)
            self.lines = (self.middle.out - 1) * self.middle.step + max(self.middle.offsets) - self.middle.low + 1
            self.pitch = self.line_phases.total
            self.room = self.row_phases.total * self.lines * self.pitch + 2 * count

    @property
    def size(self) -> int:
        """Elements of one channel's packed windows."""
        return 0 if self.in_place else self.channel

    @property
    def work(self) -> float:
        """About how many cycles a channel takes."""
        if self.in_place:
            return 0.0
        if self.copied:
            return 2.0 * self.channel / self.count + 20
        if not self.room:
            return 4.0 * self.channel / self.count + 20
        lines = self.row_phases.total * self.middle.out * self.across
        return 3.0 * lines * -(-self.line.out // self.count) + 4.0 * self.room / self.count + 20

    def channels(
        self, b: Builder, source: Operand, target: Operand, memory: Operand, channels: Operand | int, row: Operand | int
    ) -> None:
        """Pack ``channels`` channels, the windows of output rows from ``row`` on."""
        assert not self.in_place
        with b.loop(0, channels) as c:
            start = b.at(source, self.element, times(b, c, self.area))
            out = b.at(target, self.element, times(b, c, self.channel))
            if self.copied:
                self._copy(b, start, out, row)
            elif not self.room:
                self._line(b, start, out, row)
            else:
                self._pad(b, start, memory, row)
                self._unfold(b, memory, out)

    def _copy(self, b: Builder, source: Operand, target: Operand, row: Operand | int) -> None:
        kind = vector(self.element, self.count)
        begin = times(b, shifted(b, row, self.axes[0].low), self.columns)
        with b.loop(0, self.channel, self.count) as i:
            position = shifted(b, i, begin)
            mask = within(b, position, self.area, self.count)
            found = b.load_where(kind, anywhere(b, source, self.element, position), mask)
            b.store(found, b.at(target, self.element, i))

    def _line(self, b: Builder, source: Operand, target: Operand, row: Operand | int) -> None:
        axis, phases = self.axes[0], self.row_phases
        for residue, start, length in phases.each(b):
            first = shifted(b, shifted(b, times(b, row, axis.step), axis.low), residue)
            out = b.at(target, self.element, start)
            fill_line(b, out, source, first, integer(axis.size), axis.step, length, self.element, self.count)

    def _pad(self, b: Builder, source: Operand, memory: Operand, row: Operand | int) -> None:
        """Copy the rows there are, with the zeros around them, lines divided by residue."""
        rows, middle, line = self.axes[0], self.middle, self.line
        for residue, start, length in self.row_phases.each(b):
            first = shifted(b, shifted(b, times(b, row, rows.step), rows.low), residue)
            with b.loop(0, length) as q, b.loop(0, self.lines) as m:
                y = shifted(b, times(b, q, rows.step), first)
                z = b.add(m, integer(middle.low))
                assert isinstance(y, Operand)
                valid = b.binary(
                    "and", b.compare("ult", y, integer(rows.size)), b.compare("ult", z, integer(middle.size))
                )
                size = b.select(valid, integer(line.size), integer(0))
                lines = shifted(b, times(b, y, middle.size), z)
                begin = anywhere(b, source, self.element, times(b, lines, line.size))
                where = shifted(b, times(b, shifted(b, q, start), self.lines), m)
                out = b.at(memory, self.element, times(b, where, self.pitch))
                for found, place, count in self.line_phases.each(b):
                    fill_line(
                        b, b.at(out, self.element, place), begin, shifted(b, found, line.low), size, line.step, count,
                        self.element, self.count,
                    )  # fmt: skip

    def _unfold(self, b: Builder, memory: Operand, target: Operand) -> None:
        """Copy each tap's lines. Whole vectors are stored: what is too much is overwritten by the next line."""
        middle, kind, count = self.middle, vector(self.element, self.count), self.count
        begins = [
            (offset - middle.low) * self.pitch + place
            for offset, place in product(middle.offsets, self.line_phases.places)
        ]
        numbers = table(b, begins)
        with b.loop(0, self.across) as t:
            begin = b.at(memory, self.element, b.emit("i64", f"load i64, {b.at(numbers, 'i64', t)}"))
            out = b.at(target, self.element, times(b, t, self.plane))
            with b.loop(0, self.row_phases.total) as q, b.loop(0, middle.out) as m:
                where = shifted(b, times(b, q, self.lines), times(b, m, middle.step))
                line = b.at(begin, self.element, times(b, where, self.pitch))
                to = shifted(b, times(b, q, middle.out), m)
                to_line = b.at(out, self.element, times(b, to, self.line.out))
                if self.line.out <= 8 * count:
                    for k in range(0, self.line.out, count):
                        b.store(b.load(kind, b.at(line, self.element, k)), b.at(to_line, self.element, k))
                else:
                    with b.loop(0, self.line.out, count) as i:
                        b.store(b.load(kind, b.at(line, self.element, i)), b.at(to_line, self.element, i))


def tap_numbers(axes: tuple[Axis, ...], steps: Ints) -> list[int]:
    """For each tap, in the order of the axes' offsets, how far its weight is from the first."""
    return [sum(t * s for t, s in zip(taps, steps)) for taps in product(*(axis.taps for axis in axes))]
