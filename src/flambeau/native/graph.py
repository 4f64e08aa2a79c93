"""``Graph``: a program's lines with every view resolved to a place in memory, as kernels are made from it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..core.dtypes import dtype
from ..primitives.values import Value
from ..tracing.program import Instruction, Name, Program
from . import places
from .builder import size_of
from .kernel import COMPLEX_TYPES, Argument, Kernel, has_memory_type, lowerings, memory_type
from .places import Place, dense_strides


class Operation:
    """An elementwise operation of one array that is no primitive."""

    elementwise = True
    can_fail = False

    def __init__(self, name: str) -> None:
        self.name = name


#: Writes a place's elements anew, in row-major order.
COPY = Operation("copy")
#: The results of the primitive ``mantissa_and_exponent``, each by itself.
MANTISSA, EXPONENT = Operation("mantissa"), Operation("exponent")


class Line:
    """One line of a graph: like an Instruction, with the kernels that compute it where it has its own lowering."""

    __slots__ = ("kernels", "operands", "parameters", "primitive", "results")

    def __init__(self, primitive: Any, operands: tuple[Any, ...], parameters: dict[str, Any], results: tuple[int, ...]):
        self.primitive, self.operands, self.parameters, self.results = primitive, operands, parameters, results
        self.kernels: list[Kernel] | None = None

    def __repr__(self) -> str:
        return f"{self.results} = {self.primitive.name}({self.operands})"


class Graph:
    """A program on the way to kernels.

    Attributes:
        program: where it came from.
        types: shape and dtype of every value, also of those made here.
        lines: the lines in order; those that only say where elements lie are gone.
        strides: of the inputs that are arrays, in elements.
        in_memory: the values that must lie in memory: inputs, outputs, and what kernels with a lowering of their own touch.
    """

    def __init__(self, program: Program, strides: dict[int, tuple[int, ...]]) -> None:
        self.program, self.strides = program, strides
        self.types: dict[int, Value] = dict(program.types)
        self.lines: list[Line] = []
        self.in_memory: set[int] = set(range(program.inputs)) | set(program.outputs)
        self._places: dict[int, Place] = {}
        self._copies: dict[Any, int] = {}
        self._next = 1 + max(
            [program.inputs, *self.types, *(r for each in program.instructions for r in each.results)], default=0
        )

    # What lowerings ask

    def type(self, operand: Any) -> Value:
        """The operand's shape and dtype."""
        return self.types[operand.index if isinstance(operand, Name) else operand]

    def place(self, operand: Any) -> Place:
        """Where an array operand lies (it will be in memory). Its strides may be any, zero and negative among them."""
        made = self.where(operand)
        self.in_memory.add(made.name)
        return made

    def dense(self, operand: Any) -> Argument:
        """The operand in row-major order; copied first where it lies otherwise."""
        made = self.place(operand)
        if not made.is_dense:
            made = self.place(Name(self.copy(made)))
        return self.argument(made)

    def argument(self, place: Place) -> Argument:
        """A place's first element, as a kernel's argument (its offset, in bytes, already added)."""
        return Argument(place.name, place.offset * size_of(memory_type(place.dtype)))

    def number(self, operand: Any) -> Argument:
        """The cell of a Python number that is an input: a double, or an i64 for integers and booleans."""
        self.in_memory.add(operand.index)
        return Argument(operand.index)

    def result(self, name: int) -> Argument:
        """The memory of a result, in row-major order."""
        self.in_memory.add(name)
        return Argument(name)

    def temporary(self, shape: Sequence[int], kind: dtype) -> Argument:
        """Memory that lives only between the kernels of this lowering."""
        name = self.new(tuple(shape), kind)
        self.in_memory.add(name)
        return Argument(name)

    # Making

    def new(self, shape: tuple[int, ...], kind: dtype) -> int:
        """A new value."""
        name, self._next = self._next, self._next + 1
        self.types[name] = Value(shape, kind, name)
        return name

    def copy(self, place: Place) -> int:
        """A new value with the place's elements in row-major order."""
        name = self._copies.get(place)
        if name is None:
            name = self._copies[place] = self.new(place.shape, place.dtype)
            self.lines.append(Line(COPY, (place,), {}, (name,)))
        return name

    def where(self, operand: Any) -> Place:
        """Where an array operand's elements are, as a place on an input or on what some line computes."""
        if isinstance(operand, Place):
            return operand
        name = operand.index if isinstance(operand, Name) else operand
        found = self._places.get(name)
        if found is None:
            kind = self.types[name]
            strides = self.strides.get(name) if name < self.program.inputs else None
            found = Place(name, kind.dtype, kind.shape, strides if strides is not None else dense_strides(kind.shape))
            self._places[name] = found
        return found

    def view(self, each: Instruction) -> bool:
        """Resolve a line that only says where elements lie; False where it is no such line."""
        rule = _VIEWS.get(each.primitive.name)
        if rule is None or not isinstance(each.operands[0], Name) or not has_memory_type(self.types[each.results[0]].dtype):
            return False
        if self.type(each.operands[0]).is_number:
            return False
        base = self.where(each.operands[0])
        found = rule(self, base, each.parameters)
        if found is None:
            return False
        self._places[each.results[0]] = found
        return True

    def alias(self, name: int, operand: Any) -> None:
        """Say that a result is where an operand is."""
        self._places[name] = self.where(operand)

    def lower(self, each: Instruction) -> Line:
        """A line as it stands, with its kernels where its primitive has a lowering for it."""
        lowering = lowerings.get(each.primitive.name)
        line = Line(each.primitive, each.operands, each.parameters, each.results)
        if lowering is not None and all(has_memory_type(self.types[name].dtype) for name in each.results):
            line.kernels = lowering(each, self)
        return line


def _reshape(graph: Graph, base: Place, parameters: dict[str, Any]) -> Place:
    shape = tuple(parameters["shape"])
    found = places.reshaped(base, shape)
    if found is None:
        found = places.reshaped(graph.where(graph.copy(base)), shape)
    assert found is not None
    return found


def _window(graph: Graph, base: Place, parameters: dict[str, Any]) -> Place | None:
    layout, of, offset = parameters["layout"], parameters["of"], parameters["offset"]
    if of.dtype is not layout.dtype:
        return places.window(base, layout, of, offset)
    found = places.window(base, layout, of, offset)
    if found is None:  # lay it out as the window wants it
        order = places.memory_order(layout)
        ordered = graph.where(graph.copy(places.transposed(base, order)))
        inverse = tuple(sorted(range(len(order)), key=order.__getitem__))
        found = places.window(places.transposed(ordered, inverse), layout, of, offset)
    return found


def _part(number: int) -> Any:
    """A part of each complex number in memory."""

    def rule(graph: Graph, base: Place, parameters: dict[str, Any]) -> Place | None:
        if base.dtype.name not in COMPLEX_TYPES:
            return None
        strides = tuple(2 * step for step in base.strides)
        return Place(base.name, base.dtype.to_real(), base.shape, strides, 2 * base.offset + number)

    return rule


_VIEWS: dict[str, Any] = {
    "real": _part(0),
    "imaginary": _part(1),
    "reshape": _reshape,
    "transpose": lambda graph, base, p: places.transposed(base, tuple(a % max(len(base.shape), 1) for a in p["axes"])),
    "broadcast": lambda graph, base, p: places.broadcast(base, tuple(p["shape"])),
    "slice": lambda graph, base, p: places.sliced(base, p["starts"], p["stops"], p["steps"]),
    "reverse": lambda graph, base, p: places.reversed_along(base, tuple(p["axes"])),
    "strided_window": _window,
}
