"""``Group``: elementwise lines and reductions that share one loop nest, and the test whether one more line fits in.

A group walks a space of dimensions. Every value in it is a function of some of the coordinates, in row-major order, and so
has a stride for each dimension, zero where it does not depend on it. Values that depend on all dimensions are *full*. When
the group contains reductions they all run over the same dimensions; their results, and what is computed from these alone, are
*rows*: full values of the dimensions that are kept. A line may join where its operands are needed element by element as
they are made: then nothing need be kept in memory between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

from ..core.dtypes import dtype
from .places import Place, dense_strides

Ints = tuple[int, ...]


@dataclass(slots=True)
class Constant:
    """An operand that is the same for every element: a Python number, or the cell of one (``name``, ``category``)."""

    dtype: dtype
    value: Any = None
    name: int | None = None
    category: int = 0


@dataclass(slots=True)
class Load:
    """An operand that is read from memory."""

    name: int
    dtype: dtype
    strides: Ints
    offset: int


@dataclass(slots=True)
class Node:
    """A value computed in the group.

    Attributes:
        operation: the primitive's name.
        operands: names of nodes, Loads and Constants.
        strides: of the value itself, for each dimension of the group.
        kind: its dtype; ``source`` is the dtype its operands are combined in.
        reduces: it folds the group's reduced dimensions away.
        row: it does not depend on the reduced dimensions.
    """

    name: int
    operation: str
    operands: list[Any]
    strides: Ints
    kind: dtype
    source: dtype
    parameters: dict[str, Any]
    reduces: bool = False
    row: bool = False
    coefficients: Ints = ()


def common_refinement(first: Sequence[int], second: Sequence[int]) -> list[int] | None:
    """The coarsest sizes that both shapes can be split into, or None where their boundaries cross."""
    a, b = [n for n in first if n != 1], [n for n in second if n != 1]
    if 0 in a or 0 in b:
        return a if a == b else None
    made: list[int] = []
    while a and b:
        m, n = a[-1], b[-1]
        if m % n and n % m:
            return None
        step = min(m, n)
        made.append(step)
        for sizes, size in ((a, m), (b, n)):
            if size == step:
                sizes.pop()
            else:
                sizes[-1] = size // step
    return made[::-1] if not a and not b else None


def spread(shape: Sequence[int], strides: Sequence[int], sizes: Sequence[int]) -> list[int]:
    """Strides of a shape as strides of its refinement into ``sizes``."""
    if 0 in shape:  # refines nothing but itself
        return [s for n, s in zip(shape, strides) if n != 1]
    made: list[int] = []
    rest = list(sizes)
    for n, s in zip(reversed(shape), reversed(strides)):
        if n == 1:
            continue
        covered = 1
        while covered < n:
            made.append(s * covered)
            covered *= rest.pop()
    return made[::-1]


@dataclass(slots=True)
class Group:
    """Nodes that run in one loop nest.

    Attributes:
        shape: the sizes of the dimensions, none of them 1.
        reduced: for each dimension whether the group's reductions fold it; None while there is no reduction.
        nodes: by name, in an order in which they can be computed.
    """

    shape: list[int]
    reduced: list[bool] | None = None
    nodes: dict[int, Node] = field(default_factory=dict)
    loads: set[int] = field(default_factory=set)

    @property
    def numel(self) -> int:
        """The number of points of the space."""
        return prod(self.shape)

    def kept(self) -> list[int]:
        """The dimensions that are not folded."""
        return [d for d in range(len(self.shape)) if not (self.reduced and self.reduced[d])]

    def refine(self, dimensions: Sequence[int], shape: Sequence[int]) -> list[int] | None:
        """Split the given dimensions so that ``shape`` can be laid along them; the dimensions it then lies along, or None."""
        sizes = common_refinement([self.shape[d] for d in dimensions], shape)
        if sizes is None:
            return None
        if len(sizes) == len(dimensions):
            return list(dimensions)
        rest, parts = list(sizes), {}
        for d in reversed(dimensions):
            mine, covered = [], 1
            while covered < self.shape[d]:
                mine.append(rest.pop())
                covered *= mine[-1]
            parts[d] = mine[::-1]
        return self._split(parts)

    def _split(self, parts: dict[int, list[int]]) -> list[int]:
        shape: list[int] = []
        folded: list[bool] = []
        taken: list[int] = []
        for d, n in enumerate(self.shape):
            pieces = parts.get(d, [n])
            if d in parts:
                taken.extend(range(len(shape), len(shape) + len(pieces)))
            shape.extend(pieces)
            folded.extend([bool(self.reduced and self.reduced[d])] * len(pieces))

        def again(strides: Ints) -> Ints:
            made: list[int] = []
            for d, s in enumerate(strides):
                pieces = parts.get(d)
                made.extend(dense_strides(pieces) if pieces else (1,))
                if pieces:
                    made[-len(pieces) :] = [s * step for step in made[-len(pieces) :]]
                else:
                    made[-1] = s
            return tuple(made)

        for node in self.nodes.values():
            node.strides = again(node.strides)
            node.coefficients = again(node.coefficients) if node.coefficients else ()
            for operand in node.operands:
                if isinstance(operand, Load):
                    operand.strides = again(operand.strides)
        self.shape = shape
        self.reduced = folded if self.reduced is not None else None
        return taken

    def lay(self, shape: Sequence[int], strides: Sequence[int], dimensions: Sequence[int]) -> Ints:
        """Strides of a shape as strides of the group, the shape lying along ``dimensions``."""
        made = [0] * len(self.shape)
        for d, s in zip(dimensions, spread(shape, strides, [self.shape[d] for d in dimensions])):
            made[d] = s
        return tuple(made)

    def level(self, shape: Sequence[int]) -> tuple[bool, list[int]] | None:
        """Whether a value of ``shape`` is a row here, and the dimensions it lies along; None where it does not fit."""
        count = prod(shape)
        if count == self.numel:
            dimensions = self.refine(range(len(self.shape)), shape)
            return None if dimensions is None else (False, dimensions)
        if self.reduced is not None and count == prod(self.shape[d] for d in self.kept()):
            dimensions = self.refine(self.kept(), shape)
            return None if dimensions is None else (True, dimensions)
        return None

    def operand(self, place: Place, dimensions: Sequence[int]) -> Any:
        """A place as an operand of a line whose shape lies along ``dimensions``: a node's name, a Load, or None.

        None: the place is on a node of this group that is needed elsewhere than where it is made.
        """
        strides = self.lay(place.shape, place.strides, dimensions)
        node = self.nodes.get(place.name)
        if node is None:
            return Load(place.name, place.dtype, strides, place.offset)
        return place.name if place.offset == 0 and node.strides == strides and node.kind is place.dtype else None
