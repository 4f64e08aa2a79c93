"""``Builder``: writes a function as LLVM IR text, with loops, variables and vectors.

Text, not objects: writing a line costs about 1 µs, a tenth of building it with llvmlite's classes, and it is what one reads
in the log. An operand is an :class:`Operand`, a type and a name; types are LLVM's own, as strings (``"float"``,
``"<16 x i64>"``). Every operation works on scalars and vectors alike.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, NamedTuple


class Operand(NamedTuple):
    """A typed LLVM value: ``type`` and ``name`` (a register, or a constant's text)."""

    type: str
    name: str

    def __str__(self) -> str:
        return f"{self.type} {self.name}"


class Variable(NamedTuple):
    """A place for a value that changes, made a register by LLVM. Read and written by ``get`` and ``set``."""

    type: str
    name: str


@lru_cache(4096)
def lanes(kind: str) -> int:
    """How many elements a type has: 1 for a scalar."""
    return int(kind[1 : kind.index(" ")]) if kind[0] == "<" else 1


@lru_cache(4096)
def scalar(kind: str) -> str:
    """The type of an element."""
    return kind[kind.index("x") + 2 : -1] if kind[0] == "<" else kind


@lru_cache(4096)
def vector(kind: str, count: int) -> str:
    """The type of ``count`` elements of a scalar type; the scalar itself for one."""
    return kind if count == 1 else f"<{count} x {kind}>"


def like(kind: str, element: str) -> str:
    """The type with as many elements as ``kind``, of type ``element``."""
    return vector(element, lanes(kind))


_BYTES = {"i1": 1, "i8": 1, "i16": 2, "i32": 4, "i64": 8, "half": 2, "float": 4, "double": 8, "ptr": 8,
          "{float, float}": 8, "{double, double}": 16}  # fmt: skip
_MANGLED = {"half": "f16", "float": "f32", "double": "f64", "ptr": "p0"}


def size_of(kind: str) -> int:
    """The bytes of an element in memory."""
    return _BYTES[scalar(kind)]


@lru_cache(4096)
def mangled(kind: str) -> str:
    """How an intrinsic's name spells a type."""
    element, count = scalar(kind), lanes(kind)
    name = _MANGLED.get(element, element)
    return name if count == 1 else f"v{count}{name}"


@lru_cache(16384)
def _spelled(element: str, value: Any) -> str:
    if element == "double":
        return f"0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}"
    if element == "float":  # written as the double of the same value
        try:
            rounded = struct.unpack("<f", struct.pack("<f", value))[0]
        except OverflowError:
            rounded = float("inf") if value > 0 else float("-inf")
        return f"0x{struct.unpack('<Q', struct.pack('<d', rounded))[0]:016X}"
    if element == "half":
        return f"0xH{struct.unpack('<H', struct.pack('<e', value))[0]:04X}"
    if element == "i1":
        return "true" if value else "false"
    return str(int(value))


def _spelling(element: str, value: Any) -> str:
    if value == 0 and str(value)[0] == "-":  # equal to 0.0, so no key of a cache
        return "-0.0" if element in ("float", "double", "half") else "0"
    return _spelled(element, value)


def constant(kind: str, value: Any) -> Operand:
    """A number of the type, in every lane. (NaN of any payload: ``float("nan")``.)"""
    text = _spelling(scalar(kind), value)
    return Operand(kind, text if lanes(kind) == 1 else f"splat ({scalar(kind)} {text})")


def is_floating(kind: str) -> bool:
    """Whether the elements are floating numbers."""
    return scalar(kind) in ("float", "double", "half")


class Builder:
    """One function under construction.

    Attributes:
        lanes: how many elements the widest sensible vector of 32-bit elements has on this machine.
    """

    def __init__(self, name: str, parameters: Sequence[str] = (), returns: str = "void") -> None:
        self.name, self.returns = name, returns
        self.parameters = [Operand(kind, f"%p{k}") for k, kind in enumerate(parameters)]
        self._variables: list[str] = []
        self._lines: list[str] = []
        self._count = 0
        self.declarations: dict[str, str] = {}

    # Text

    def text(self) -> str:
        """The function as LLVM IR (declarations of what it calls not included)."""
        parameters = ", ".join(map(str, self.parameters))
        body = "\n".join((*self._variables, "  br label %start", "start:", *self._lines))
        return f"define {self.returns} @{self.name}({parameters}) #0 {{\nentry:\n{body}\n}}\n"

    def line(self, text: str) -> None:
        """Append a line as it is."""
        self._lines.append("  " + text)

    def fresh(self) -> str:
        """A new register's name."""
        self._count += 1
        return f"%r{self._count}"

    def label(self) -> str:
        """A new label's name."""
        self._count += 1
        return f"b{self._count}"

    def place(self, label: str) -> None:
        """Begin the block called ``label``; the one before must have ended."""
        self._lines.append(f"{label}:")

    def branch(self, label: str) -> None:
        """End the block: go to ``label``."""
        self.line(f"br label %{label}")

    def branch_if(self, condition: Operand, then: str, otherwise: str) -> None:
        """End the block: go to ``then`` or ``otherwise``."""
        self.line(f"br i1 {condition.name}, label %{then}, label %{otherwise}")

    def emit(self, kind: str, text: str) -> Operand:
        """Append ``register = text``; the register, of type ``kind``."""
        self._count += 1
        name = f"%r{self._count}"
        self._lines.append(f"  {name} = {text}")
        return Operand(kind, name)

    # Arithmetic: operands of one type each, scalar or vector

    def binary(self, opcode: str, x: Operand, y: Operand, flags: str = "") -> Operand:
        """``opcode x, y``, e.g. ``fadd``, ``mul``, ``and``, ``shl``; flags such as ``contract``."""
        assert x.type == y.type, f"{opcode}: {x.type} and {y.type}"
        return self.emit(x.type, f"{opcode} {flags + ' ' if flags else ''}{x.type} {x.name}, {y.name}")

    def add(self, x: Operand, y: Operand) -> Operand:
        """x + y."""
        return self.binary("fadd" if is_floating(x.type) else "add", x, y)

    def subtract(self, x: Operand, y: Operand) -> Operand:
        """x - y."""
        return self.binary("fsub" if is_floating(x.type) else "sub", x, y)

    def multiply(self, x: Operand, y: Operand) -> Operand:
        """x · y."""
        return self.binary("fmul" if is_floating(x.type) else "mul", x, y)

    def divide(self, x: Operand, y: Operand) -> Operand:
        """x / y, floating; signed and truncating for integers."""
        return self.binary("fdiv" if is_floating(x.type) else "sdiv", x, y)

    def fma(self, x: Operand, y: Operand, z: Operand) -> Operand:
        """x · y + z, rounded once."""
        return self.intrinsic("llvm.fma", x, y, z)

    def negate(self, x: Operand) -> Operand:
        """-x."""
        if is_floating(x.type):
            return self.emit(x.type, f"fneg {x}")
        return self.binary("sub", constant(x.type, 0), x)

    def compare(self, condition: str, x: Operand, y: Operand) -> Operand:
        """``icmp``/``fcmp`` with LLVM's condition (``olt``, ``une``, ``slt``, ``eq`` …): i1 in each lane."""
        assert x.type == y.type, f"compare {condition}: {x.type} and {y.type}"
        opcode = "fcmp" if is_floating(x.type) else "icmp"
        return self.emit(like(x.type, "i1"), f"{opcode} {condition} {x.type} {x.name}, {y.name}")

    def select(self, condition: Operand, x: Operand, y: Operand) -> Operand:
        """x where the condition (i1, in each lane or one for all) holds, else y."""
        assert x.type == y.type, f"select: {x.type} and {y.type}"
        return self.emit(x.type, f"select {condition}, {x}, {y}")

    def convert(self, opcode: str, x: Operand, kind: str) -> Operand:
        """``opcode x to kind``: ``sext``, ``sitofp``, ``fptrunc``, ``bitcast`` …"""
        return x if x.type == kind else self.emit(kind, f"{opcode} {x} to {kind}")

    def intrinsic(self, name: str, *operands: Operand, returns: str | None = None, overload: str | None = None) -> Operand:
        """Call an intrinsic overloaded on its first operand's type (or on ``overload``)."""
        kind = returns or operands[0].type
        full = f"{name}.{mangled(overload or operands[0].type)}"
        return self.call(full, operands, kind)

    def call(self, function: str, operands: Sequence[Operand], returns: str = "void", flags: str = "") -> Operand:
        """Call a function by its symbol, which is declared as the operands' types have it."""
        self.declarations.setdefault(
            function, f"declare {returns} @{function}({', '.join(each.type for each in operands)})"
        )
        text = f"call {flags + ' ' if flags else ''}{returns} @{function}({', '.join(map(str, operands))})"
        if returns == "void":
            self.line(text)
            return Operand("void", "")
        return self.emit(returns, text)

    # Vectors

    def splat(self, x: Operand, count: int) -> Operand:
        """A scalar in every lane."""
        if count == 1:
            return x
        if x.name[0] != "%":
            return Operand(vector(x.type, count), f"splat ({x.type} {x.name})")
        kind = vector(x.type, count)
        first = self.emit(kind, f"insertelement {kind} poison, {x}, i64 0")
        return self.emit(kind, f"shufflevector {kind} {first.name}, {kind} poison, <{count} x i32> zeroinitializer")

    def extract(self, x: Operand, lane: int) -> Operand:
        """One lane of a vector."""
        return x if lanes(x.type) == 1 else self.emit(scalar(x.type), f"extractelement {x}, i64 {lane}")

    def insert(self, x: Operand, element: Operand, lane: int) -> Operand:
        """The vector with one lane replaced."""
        return element if lanes(x.type) == 1 else self.emit(x.type, f"insertelement {x}, {element}, i64 {lane}")

    def shuffle(self, x: Operand, y: Operand, order: Sequence[int]) -> Operand:
        """Lanes of x and y (numbered on) in another order."""
        mask = ", ".join(f"i32 {k}" for k in order)
        kind = vector(scalar(x.type), len(order))
        return self.emit(kind, f"shufflevector {x}, {y}, <{len(order)} x i32> <{mask}>")

    def side_by_side(self, x: Operand, y: Operand) -> Operand:
        """Each lane of x and then the same of y."""
        count = lanes(x.type)
        if count == 1:
            made = Operand(vector(x.type, 2), "poison")
            return self.insert(self.insert(made, x, 0), y, 1)
        return self.shuffle(x, y, [k // 2 + k % 2 * count for k in range(2 * count)])

    def numbers(self, kind: str, values: Sequence[Any]) -> Operand:
        """A constant vector."""
        element = scalar(kind)
        if lanes(kind) == 1:
            return constant(kind, values[0])
        return Operand(kind, "<" + ", ".join(f"{element} {_spelling(element, value)}" for value in values) + ">")

    # Memory

    def at(self, pointer: Operand, kind: str, index: Operand | int) -> Operand:
        """The address of element ``index`` of an array of scalars of ``kind``'s element type."""
        if isinstance(index, int):
            if index == 0:
                return pointer
            index = Operand("i64", str(index))
        return self.emit("ptr", f"getelementptr inbounds {scalar(kind)}, {pointer}, {index}")

    def load(self, kind: str, pointer: Operand, count: int | None = None, fill: Any = 0) -> Operand:
        """Consecutive elements from an address, aligned as scalars are; with ``count``, only so many lanes, the rest ``fill``."""
        if count is None or count == lanes(kind):
            return self.emit(kind, f"load {kind}, {pointer}, align {size_of(kind)}")
        if lanes(kind) == 1:
            return constant(kind, fill)
        return self.load_where(kind, pointer, self.first_lanes(kind, count), fill)

    def load_where(self, kind: str, pointer: Operand, mask: Operand, fill: Any = 0) -> Operand:
        """Consecutive elements in the lanes of the mask, the rest ``fill``; nothing is read where the mask does not hold."""
        aligned = Operand(f"ptr align {size_of(kind)}", pointer.name)
        return self.call(f"llvm.masked.load.{mangled(kind)}.p0", (aligned, mask, constant(kind, fill)), kind)

    def gather_where(self, kind: str, pointers: Operand, mask: Operand) -> Operand:
        """An element from each address in the lanes of the mask, the rest zero."""
        name = f"llvm.masked.gather.{mangled(kind)}.{mangled(pointers.type)}"
        aligned = Operand(f"{pointers.type} align {size_of(kind)}", pointers.name)
        return self.call(name, (aligned, mask, constant(kind, 0)), kind)

    def store(self, x: Operand, pointer: Operand, count: int | None = None) -> None:
        """Store consecutive elements; with ``count``, only so many lanes."""
        if count is None or count == lanes(x.type):
            self.line(f"store {x}, {pointer}, align {size_of(x.type)}")
        elif lanes(x.type) > 1:
            self.store_where(x, pointer, self.first_lanes(x.type, count))

    def store_where(self, x: Operand, pointer: Operand, mask: Operand) -> None:
        """Store the lanes of the mask.

        LLVM 20 writes a wider element than asked for where a truncation is stored through a mask that it finds to have one lane.
        So one lane is stored by itself, and of other masks LLVM sees either no truncation or not what they are.
        """
        element, count, size = scalar(x.type), lanes(x.type), size_of(x.type)
        known = mask.name.split(",") if mask.name[0] == "<" else []
        set_lanes = [k for k, each in enumerate(known) if "true" in each]
        if len(set_lanes) == 1:
            self.store(self.extract(x, set_lanes[0]), pointer)
            return
        if element in ("i16", "i32"):
            x = self.convert("bitcast", x, vector("half" if size == 2 else "float", count))
        elif element == "i8" and not known and count in (8, 16, 32, 64):
            held = self.emit(f"i{count}", f'call i{count} asm "", "=r,0"({self.convert("bitcast", mask, f"i{count}")})')
            mask = self.convert("bitcast", held, mask.type)
        self.call(f"llvm.masked.store.{mangled(x.type)}.p0", (x, Operand(f"ptr align {size}", pointer.name), mask))

    def first_lanes(self, kind: str, count: int) -> Operand:
        """The mask of the first ``count`` lanes."""
        return self.numbers(like(kind, "i1"), [k < count for k in range(lanes(kind))])

    # Variables and control

    def variable(self, initial: Operand) -> Variable:
        """A new variable, set to ``initial`` here."""
        name = self.fresh()
        self._variables.append(f"  {name} = alloca {initial.type}")
        made = Variable(initial.type, name)
        self.set(made, initial)
        return made

    def get(self, variable: Variable) -> Operand:
        """The variable's value."""
        return self.emit(variable.type, f"load {variable.type}, ptr {variable.name}")

    def set(self, variable: Variable, value: Operand) -> None:
        """Change the variable."""
        assert value.type == variable.type, f"set: {value.type} to {variable.type}"
        self.line(f"store {value}, ptr {variable.name}")

    @contextmanager
    def loop(self, start: Operand | int, stop: Operand | int, step: int = 1) -> Iterator[Operand]:
        """``for i in range(start, stop, step)``, i an i64."""
        start, stop = _index(start), _index(stop)
        index = self.variable(start)
        head, body, end = self.label(), self.label(), self.label()
        self.branch(head)
        self.place(head)
        i = self.get(index)
        self.branch_if(self.compare("slt", i, stop), body, end)
        self.place(body)
        yield i
        self.set(index, self.emit("i64", f"add nsw i64 {i.name}, {step}"))
        self.branch(head)
        self.place(end)

    @contextmanager
    def when(self, condition: Operand) -> Iterator[None]:
        """``if condition:``."""
        then, end = self.label(), self.label()
        self.branch_if(condition, then, end)
        self.place(then)
        yield
        self.branch(end)
        self.place(end)

    def done(self, value: Operand | None = None) -> None:
        """Return."""
        self.line("ret void" if value is None else f"ret {value}")


def _index(value: Operand | int) -> Operand:
    return Operand("i64", str(value)) if isinstance(value, int) else value


def integer(value: int) -> Operand:
    """An i64 constant."""
    return Operand("i64", str(value))
