"""Fusion: from a program to steps, each a kernel or a line for NumPy.

Lines are taken in order. An elementwise line or a reduction joins the group that makes its operands, where it needs them element
by element as they are made, else a later group over the same space, else it begins a group. Groups, and lines with a lowering of
their own, run in the order they were begun; so a line may join any group not before those that make its operands.

Lines that cost next to nothing (indices, masks made of them, a parameter times a number) wait until somebody wants them and are
then computed in that group, again for each group.
"""

from __future__ import annotations

from math import prod
from typing import Any

from ..core.dtypes import FLOATING, bool_
from ..primitives.registry import primitives
from ..tracing.program import Name, Program
from . import kernels as _lowerings  # noqa: F401  (imported so that they are declared)
from .complex_numbers import is_split, real_program
from .elementwise import knows
from .graph import COPY, EXPONENT, MANTISSA, Graph, Line
from .group import Constant, Group, Load, Node, common_refinement, spread
from .kernel import Kernel, has_memory_type
from .loops import NEUTRAL, REDUCTIONS, loop_kernel
from .machine import machine
from .narrow_recurrence import widened
from .places import Place, broadcast, dense_strides, reshaped

#: A group does not grow beyond so many nodes and buffers: registers, and the time LLVM takes.
NODES, LOADS = 64, 32
#: How many groups back a line looks for one over its space.
REACH = 12


class Step:
    """One step of a native program: kernels that run one after the other, or a line the reference must do."""

    __slots__ = ("group", "kernels", "line")

    def __init__(self, kernels: list[Kernel] | None = None, line: Line | None = None, group: Group | None = None) -> None:
        self.kernels, self.line, self.group = kernels or [], line, group


def fuse(program: Program, strides: dict[int, tuple[int, ...]]) -> tuple[list[Step], Graph]:
    """The steps of a program whose array inputs have these strides (in elements)."""
    return _Fusion(real_program(widened(program)), strides).run()


class _Fusion:
    def __init__(self, program: Program, strides: dict[int, tuple[int, ...]]) -> None:
        self.program = program
        self.graph = Graph(program, strides)
        self.steps: list[Step] = []
        self.home: dict[int, int] = {}  # a value -> the step that makes it
        self.constants: dict[int, Constant] = {}
        self.waiting: dict[int, Line] = {}

    def run(self) -> tuple[list[Step], Graph]:
        graph = self.graph
        for each in self.program.instructions:
            if graph.view(each):
                continue
            may_raise = each.primitive.can_fail and not each.primitive.elementwise
            if not may_raise and all(0 in graph.types[name].shape for name in each.results):
                line = Line(each.primitive, each.operands, each.parameters, each.results)
                line.kernels = []  # nothing to compute
                graph.lines.append(line)
                continue
            if each.primitive.name in REDUCTIONS and self._split(each):
                continue
            if (
                each.primitive.name == "mantissa_and_exponent" and 0 not in graph.type(each.operands[0]).shape
                and knows("mantissa", graph.type(each.operands[0]).dtype)
            ):  # fmt: skip
                graph.lines += [
                    Line(part, each.operands, {}, (name,)) for part, name in zip((MANTISSA, EXPONENT), each.results)
                ]
                continue
            if each.primitive.name in NEUTRAL and not graph.type(each.operands[0]).numel:  # of nothing: one number
                made = graph.types[each.results[0]]
                value = NEUTRAL[each.primitive.name]
                graph.lines.append(
                    Line(primitives["full"], (value,), {"shape": made.shape, "dtype": made.dtype}, each.results)
                )
                continue
            line = graph.lower(each)
            if line.kernels is None and self._is_loop(line):
                # Copies that views wanted stand before it already.
                graph.lines.append(line)
            else:
                if line.kernels is None:
                    for operand in each.operands:
                        if isinstance(operand, Name) and not graph.types[operand.index].is_number:
                            graph.place(operand)
                    graph.in_memory.update(each.results)
                graph.lines.append(line)
        self._uses = self._count_uses()
        self.reduced = {
            place.name
            for line in graph.lines
            if line.primitive.name in REDUCTIONS and (place := self._place(line.operands[0])) is not None
        }
        for name in self.program.outputs:  # an output that is a view of something must be a value of its own
            place = graph.where(name) if not graph.types[name].is_number else None
            if place is not None and name >= self.program.inputs and place.name != name:
                graph.lines.append(Line(COPY, (place,), {}, (name,)))
        for line in graph.lines:
            if line.kernels is None and line.primitive is COPY and 0 in graph.types[line.results[0]].shape:
                line.kernels = []
            if line.kernels is not None or not self._is_loop(line):
                self._opaque(line)
            elif self._is_constant(line):
                continue
            elif self._may_wait(line):
                self.waiting[line.results[0]] = line
            else:
                self._join(line)
        return self._finish(), graph

    # What a line is

    def _is_loop(self, line: Line) -> bool:
        name, types = _operation(line), self.graph.types
        result = types[line.results[0]]
        if not all(map(self._is_plain, line.operands)):
            return False
        if name == "make_complex":
            return is_split(result.dtype) and 0 not in result.shape
        if not has_memory_type(result.dtype):
            return False
        if name in ("copy", "iota"):
            return True
        if 0 in result.shape:
            return False
        kinds = [types[o.index] for o in line.operands if isinstance(o, Name)]
        if name in ("full", "number"):
            return True
        if name == "cast":
            return True
        if name in REDUCTIONS:
            place = self._place(line.operands[0])
            return place is not None and place.numel > 0
        if name == "select":
            return True
        arrays = [each for each in kinds if not each.is_number]
        return bool(arrays) and knows(name, arrays[0].dtype)

    def _is_plain(self, operand: Any) -> bool:
        """Whether the native tier can read an operand: no complex number, no dtype without a memory type."""
        if isinstance(operand, Name):
            kind = self.graph.types[operand.index]
            return kind.category < 3 if kind.is_number else has_memory_type(kind.dtype)
        return isinstance(operand, (bool, int, float, Place)) and (
            type(operand) is not int or -(1 << 63) <= operand < 1 << 63
        )

    def _is_constant(self, line: Line) -> bool:
        """A value that is one number everywhere: known by that, and never made unless somebody wants it in memory."""
        name = line.results[0]
        if line.primitive.name not in ("full", "number") or name in self.graph.in_memory or name in self.reduced:
            return False
        kind = self.graph.types[line.results[0]]
        self.constants[line.results[0]] = self._constant(line.operands[0], kind.dtype)
        return True

    def _constant(self, operand: Any, kind: Any) -> Constant:
        if isinstance(operand, Name):
            return Constant(kind, None, operand.index, self.graph.types[operand.index].category)
        return Constant(kind, operand)

    def _count_uses(self) -> dict[int, int]:
        uses: dict[int, int] = {}
        for line in self.graph.lines:
            for operand in line.operands:
                place = self._place(operand)
                if place is not None:
                    uses[place.name] = uses.get(place.name, 0) + 1
        return uses

    def _place(self, operand: Any) -> Place | None:
        if isinstance(operand, Place):
            return operand
        if isinstance(operand, Name) and not self.graph.types[operand.index].is_number:
            return self.graph.where(operand)
        return None

    def _may_wait(self, line: Line) -> bool:
        name = line.results[0]
        if name in self.graph.in_memory or line.primitive.name in REDUCTIONS or line.primitive.name == "copy":
            return False
        size, arrays = 1, 0
        for operand in line.operands:
            place = self._place(operand)
            if place is None or place.name in self.constants:
                continue
            if place.name in self.waiting:
                size += self._size(place.name)
            elif place.name < self.program.inputs:
                arrays += 1
            else:
                return False
        return size <= 6 and (not arrays or self._uses.get(name, 0) <= 1)

    def _size(self, name: int) -> int:
        line = self.waiting[name]
        places = [self._place(o) for o in line.operands]
        return 1 + sum(self._size(p.name) for p in places if p is not None and p.name in self.waiting)

    # Reductions of very many elements to few

    def _split(self, each: Any) -> bool:
        """Fold in two goes, so that threads have something to share and sums stay short."""
        graph, p = self.graph, each.parameters
        kind = graph.type(each.operands[0])
        if not has_memory_type(kind.dtype) or not has_memory_type(graph.types[each.results[0]].dtype):
            return False
        axes = sorted(a % max(len(kind.shape), 1) for a in p["axes"])
        out = graph.types[each.results[0]]
        count, kept = prod(kind.shape), max(prod(out.shape), 1)
        if count < 1 << 15 or not axes:
            return False
        last_kept = len(kind.shape) - 1 not in axes
        rows = kept // (kind.shape[-1] if last_kept else 1)
        if last_kept:
            rows *= max(1, kind.shape[-1] // 64)
        if rows >= 8:
            return False
        place = graph.where(each.operands[0])
        shape: tuple[int, ...] = kind.shape
        if len(axes) == len(kind.shape):  # everything: as one long row
            flat = reshaped(place, (count,))
            if flat is None:
                return False
            place, axes, shape = flat, [0], (count,)
        axis = max(axes, key=lambda a: shape[a])
        wanted = min(256, max(8, count // 65536))
        parts = next((n for n in range(wanted, 1, -1) if shape[axis] % n == 0 and shape[axis] // n >= 16), None)
        if parts is None:
            return False
        shape = (*shape[:axis], parts, shape[axis] // parts, *shape[axis + 1 :])
        finer = reshaped(place, shape)
        if finer is None:
            return False
        inner = tuple(a if a < axis else a + 1 for a in axes)
        kept_shape = tuple(n for a, n in enumerate(shape) if a not in inner)
        middle = out.dtype.compute if "dtype" in p else out.dtype
        parameters = {"axes": inner, "dtype": middle} if "dtype" in p else {"axes": inner}
        partial = graph.new(kept_shape, middle)
        graph.lines.append(Line(each.primitive, (finer,), parameters, (partial,)))
        where = sum(1 for a in range(axis) if a not in inner)
        graph.lines.append(Line(each.primitive, (Name(partial),), {**p, "axes": (where,)}, each.results))
        return True

    # Joining

    def _opaque(self, line: Line) -> None:
        if line.kernels is not None:
            read = {argument.name for kernel in line.kernels for argument in kernel.reads}
        else:
            read = {place.name for operand in line.operands if (place := self._place(operand)) is not None}
        if not read.isdisjoint(self.waiting):
            raise AssertionError(f"{line} wants a value that nobody keeps in memory")
        self.steps.append(Step(line.kernels, None if line.kernels is not None else line))
        for name in line.results:
            self.home[name] = len(self.steps) - 1
        for kernel in line.kernels or ():
            for argument in kernel.writes:
                self.home.setdefault(argument.name, len(self.steps) - 1)

    def _shape(self, line: Line) -> tuple[int, ...]:
        """The space a line walks: its result's, or for a reduction its operand's."""
        if line.primitive.name in REDUCTIONS:
            place = self._place(line.operands[0])
            assert place is not None
            return place.shape
        return self.graph.types[line.results[0]].shape

    def _join(self, line: Line) -> None:
        shape = self._shape(line)
        reducing = line.primitive.name in REDUCTIONS and any(shape[a] != 1 for a in self._axes(line, shape))
        earliest = max((self._available(self._place(o)) for o in line.operands), default=-1)
        candidates = []
        if 0 <= earliest < len(self.steps):
            candidates.append(earliest)
        candidates += [k for k in range(max(earliest + 1, len(self.steps) - REACH), len(self.steps)) if k != earliest]
        for k in candidates:
            group = self.steps[k].group
            if group is None or len(group.nodes) >= NODES or len(group.loads) >= LOADS:
                continue
            if k != earliest and not self._same_space(group, shape, reducing, line):
                continue
            if self._enter(line, group, k, reducing):
                self.home[line.results[0]] = k
                return
        for _ in range(len(line.operands) + 1):
            group = Group([n for n in shape if n != 1])
            self.steps.append(Step(group=group))
            at = len(self.steps) - 1
            if self._enter(line, group, at, reducing):
                self.home[line.results[0]] = at
                return
            # An operand that waited had to be made in memory, which a later step can read.
        raise AssertionError(f"{line} does not fit a loop of its own")

    def _axes(self, line: Line, shape: tuple[int, ...]) -> list[int]:
        return [a % max(len(shape), 1) for a in line.parameters["axes"]]

    def _available(self, place: Place | None) -> int:
        """The earliest step that can use a value."""
        if place is None or place.name in self.constants:
            return -1
        if place.name in self.waiting:
            return max((self._available(self._place(o)) for o in self.waiting[place.name].operands), default=-1)
        at = self.home.get(place.name, -1)
        return at + 1 if at >= 0 and self.steps[at].group is None else at

    def _same_space(self, group: Group, shape: tuple[int, ...], reducing: bool, line: Line) -> bool:
        if common_refinement(group.shape, shape) is None or prod(shape) != group.numel:
            return False
        return reducing == (group.reduced is not None)

    def _enter(self, line: Line, group: Group, k: int, reducing: bool) -> bool:
        """Put a line into a group; False, and nothing done, where it does not fit."""
        name = line.primitive.name
        if name in REDUCTIONS:
            return self._enter_reduction(line, group, k, reducing)
        shape = self.graph.types[line.results[0]].shape
        found = group.level(shape)
        if found is None:
            return False
        row, dimensions = found
        operands = self._operands(line, group, k, shape, dimensions, row)
        if operands is None:
            return False
        self._add(line, group, shape, dimensions, row, operands)
        return True

    def _add(
        self, line: Line, group: Group, shape: tuple[int, ...], dimensions: list[int], row: bool, operands: list[Any]
    ) -> None:
        kind = self.graph.types[line.results[0]].dtype
        strides = self._dense(group, shape, dimensions)
        coefficients: tuple[int, ...] = ()
        if line.primitive.name == "iota":
            one = [0] * len(shape)
            one[line.parameters["axis"] % max(len(shape), 1)] = 1
            coefficients = group.lay(shape, one, dimensions)
        group.nodes[line.results[0]] = Node(
            line.results[0], _operation(line), operands, strides, kind, self._source(line), line.parameters,
            False, row, coefficients,
        )  # fmt: skip

    def _source(self, line: Line) -> Any:
        """The dtype a line combines its operands in."""
        result = self.graph.types[line.results[0]].dtype
        if line.primitive.name in ("select", "full", "number", "iota"):
            return result
        for operand in line.operands:
            place = self._place(operand)
            if place is not None:
                return place.dtype
        return result

    def _operands(
        self, line: Line, group: Group, k: int, shape: tuple[int, ...], dimensions: list[int], row: bool
    ) -> list[Any] | None:
        """The operands as the group has them, or None where one cannot be had there. Values that waited are made there."""
        made: list[Any] = []
        source = self._source(line)
        wanted: list[tuple[int, Place]] = []
        for position, operand in enumerate(line.operands):
            place = self._place(operand)
            if place is None:
                first = line.primitive.name == "select" and position == 0
                made.append(self._constant(operand, bool_ if first else source))
                continue
            if place.name in self.constants:
                made.append(self.constants[place.name])
                continue
            place = _broadcast(place, shape)
            if place.name in self.waiting and place.name not in group.nodes:
                wanted.append((position, place))
                made.append(None)
                continue
            if place.name not in group.nodes and self.home.get(place.name, -1) >= k:
                return None
            found = group.operand(place, dimensions)
            if found is None or (row and isinstance(found, int) and not group.nodes[found].row):
                return None
            made.append(found)
        for position, place in wanted:
            found = self._bring(place, group, k, shape, dimensions, row)
            if found is None:
                return None
            made[position] = found
        for operand in made:
            if isinstance(operand, Load):
                group.loads.add(operand.name)
        return made

    def _bring(
        self, place: Place, group: Group, k: int, shape: tuple[int, ...], dimensions: list[int], row: bool
    ) -> Any:
        """Compute a waiting value in the group, for the elements at ``place``; where it cannot be, make it in memory."""
        line = self.waiting.get(place.name)
        if line is None:  # another operand had it made in memory
            return group.operand(place, dimensions) if self.home[place.name] < k else None
        own = self.graph.types[place.name].shape
        strides = group.lay(place.shape, place.strides, dimensions)
        along = [d for d, s in enumerate(strides) if s]
        sizes = [group.shape[d] for d in along]
        whole = place.offset == 0 and place.dtype is self.graph.types[place.name].dtype
        if whole and prod(sizes) == prod(own) and common_refinement(sizes, own) == sizes:
            if spread(own, dense_strides(own), sizes) == [strides[d] for d in along]:
                operands = self._operands(line, group, k, own, along, row)
                if operands is not None:
                    if place.name not in group.nodes:
                        self._add(line, group, own, along, row, operands)
                        group.nodes[place.name].row = row
                    return place.name
        # Not element by element: it becomes an ordinary line, before this one.
        return self._settle(place, group, k, dimensions)

    def _settle(self, place: Place, group: Group, k: int, dimensions: list[int]) -> Any:
        line = self.waiting.pop(place.name)
        self._join(line)
        if self.home[place.name] >= k and self.steps[k].group is not group:
            return None
        if self.home[place.name] >= k:
            return None
        return group.operand(place, dimensions)

    def _enter_reduction(self, line: Line, group: Group, k: int, reducing: bool) -> bool:
        place = self._place(line.operands[0])
        assert place is not None
        if place.numel != group.numel:
            return False
        dimensions = group.refine(range(len(group.shape)), place.shape)
        if dimensions is None:
            return False
        out = self.graph.types[line.results[0]]
        kind = out.dtype
        source = kind.compute if line.primitive.name in ("reduce_sum", "reduce_product") else place.dtype
        if place.name in self.constants:
            raise AssertionError("a number that is reduced is made an array first")
        found = self._operands(
            Line(line.primitive, (place,), line.parameters, line.results), group, k, place.shape, dimensions, False
        )
        if found is None:
            return False
        (operand,) = found
        if isinstance(operand, int) and group.nodes[operand].row:
            return False
        dimensions = group.refine(range(len(group.shape)), place.shape) or []
        axes = set(self._axes(line, place.shape))
        marks = spread(place.shape, [1 if a in axes else 0 for a in range(len(place.shape))],
                       [group.shape[d] for d in dimensions])  # fmt: skip
        folded = [bool(mark) for mark in marks]
        if not reducing and line.primitive.name == "reduce_sum" and kind is place.dtype and kind.category == FLOATING:
            group.nodes[line.results[0]] = Node(  # one number and none: -0.0 becomes 0.0
                line.results[0], "add", [operand, Constant(kind, 0.0)], self._dense(group, place.shape, dimensions), kind, kind,
                {}, False, False,
            )  # fmt: skip
            return True
        if not reducing:  # axes of one element each: the same numbers
            group.nodes[line.results[0]] = Node(
                line.results[0], "cast", [operand], self._dense(group, place.shape, dimensions), kind, place.dtype,
                {}, False, False,
            )  # fmt: skip
            return True
        if group.reduced is None:
            group.reduced = folded
        elif group.reduced != folded:
            return False
        kept = group.kept()
        node = Node(
            line.results[0], line.primitive.name, [operand], (), kind, source, line.parameters, True, True
        )
        sizes = [group.shape[d] for d in kept]
        strides = [0] * len(group.shape)
        for d, s in zip(kept, dense_strides(sizes)):
            strides[d] = s
        node.strides = tuple(strides)
        group.nodes[node.name] = node
        return True

    def _dense(self, group: Group, shape: tuple[int, ...], dimensions: list[int]) -> tuple[int, ...]:
        return group.lay(shape, dense_strides(shape), dimensions)

    # The end

    def _finish(self) -> list[Step]:
        graph = self.graph
        for name in [n for n in self.waiting if n in graph.in_memory]:
            self._join(self.waiting.pop(name))
        read_later: set[int] = set()
        for k in range(len(self.steps) - 1, -1, -1):
            step = self.steps[k]
            if step.group is None:
                continue
            for name in list(step.group.nodes):
                if self.home.get(name) == k and name in graph.in_memory:
                    read_later.add(name)
        for step in self.steps:
            if step.group is not None:
                for node in step.group.nodes.values():
                    for operand in node.operands:
                        if isinstance(operand, Load):
                            read_later.add(operand.name)
        made = []
        for k, step in enumerate(self.steps):
            if step.group is not None:
                stores = [n for n in step.group.nodes if n in read_later and self.home.get(n) == k]
                if not stores:
                    continue
                if step.group.numel:
                    step.kernels = [loop_kernel(step.group, stores, machine().vector_bytes)]
            made.append(step)
        return made


def _operation(line: Line) -> str:
    """What a node is called: the primitive, or which of the special functions it is."""
    name = line.primitive.name
    return line.parameters["of"] if name == "special_function" else name


def _broadcast(place: Place, shape: tuple[int, ...]) -> Place:
    return place if place.shape == shape else broadcast(place, shape)


__all__ = ["Step", "fuse"]
