"""``Kernel``: one native function over a range of independent items, and what it reads and writes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ..core.dtypes import dtype
from .builder import Builder, Operand, integer, lanes


class Argument(NamedTuple):
    """A buffer of the program as a kernel sees it: the value ``name``, from ``offset`` bytes on."""

    name: int
    offset: int = 0


class Kernel:
    """A function ``void kernel(ptr args, i64 begin, i64 end, ptr scratch)``.

    It does the items ``begin`` to ``end`` of ``items``, which are independent of each other, so any thread may do any of
    them; each writes memory no other touches, so the result does not depend on who did what.

    Attributes:
        name: what logs and profiles show.
        reads, writes: the buffers ``args`` points to, reads first.
        items: how many pieces of work there are.
        cost: about how many nanoseconds one item takes on one thread.
        scratch: bytes of memory of its own that each thread needs (aligned to 64 bytes, contents undefined).
        key: everything its code depends on, as text: kernels of one key are compiled once.
        can_fail: it may call :func:`fail`.
        packs: each call prepares something for all of its items, so that few calls are better than many.
        pointwise: (read, write) pairs of values: where it reads the one only at the place, and before, it writes the other.
    """

    def __init__(
        self,
        name: str,
        key: str,
        write: Callable[[KernelBuilder], None],
        reads: list[Argument],
        writes: list[Argument],
        items: int = 1,
        cost: float = 1000.0,
        scratch: int = 0,
        can_fail: bool = False,
        pointwise: frozenset[tuple[int, int]] = frozenset(),
        packs: bool = False,
    ) -> None:
        self.name, self.key, self.write = name, key, write
        self.reads, self.writes = reads, writes
        self.packs = packs
        self.items, self.cost, self.scratch, self.can_fail, self.pointwise = items, cost, scratch, can_fail, pointwise

    def __repr__(self) -> str:
        return f"<kernel {self.name} {[a.name for a in self.reads]} -> {[a.name for a in self.writes]} x{self.items}>"


class KernelBuilder(Builder):
    """A builder whose function is a kernel.

    Attributes:
        begin, end: the range of items to do.
        scratch: this thread's own memory.
        failure: the position of the failure cell, for :func:`fail_where`; ``active``: the lanes that count, None for all.
    """

    failure: int
    active: Operand | None = None

    def __init__(self, symbol: str, lanes: int) -> None:
        super().__init__(symbol, ("ptr", "i64", "i64", "ptr"))
        self.lanes = lanes
        self._arguments, self.begin, self.end, self.scratch = self.parameters

    def argument(self, position: int) -> Operand:
        """The address of the buffer at ``position`` (reads first, then writes, then the failure cell of :func:`fail`)."""
        return self.emit("ptr", f"load ptr, {self.at(self._arguments, 'ptr', position)}, !invariant.load !0")

    def fail_where(self, mask: Operand) -> None:
        """Mark the run as failed if the mask holds in a lane that counts."""
        if self.active is not None:
            mask = self.binary("and", mask, self.active)
        if lanes(mask.type) > 1:
            mask = self.intrinsic("llvm.vector.reduce.or", mask, returns="i1")
        with self.when(mask):
            self.fail(self.failure)

    def fail(self, position: int) -> None:
        """Mark the run as failed. ``position``: of the failure cell, the argument after all reads and writes.

        The program is then run by the reference tier, which raises the error in the operator's own words; so a kernel that
        meets a number it must refuse need only see to it that it reads and writes nothing outside its buffers.
        """
        self.line(f"store atomic i64 1, {self.argument(position)} monotonic, align 8")


#: How a dtype's elements lie in memory.
MEMORY_TYPES = {
    "bool": "i8", "uint8": "i8", "int8": "i8", "int16": "i16", "uint16": "i16", "int32": "i32", "uint32": "i32",
    "int64": "i64", "uint64": "i64", "float16": "half", "bfloat16": "i16", "float32": "float", "float64": "double",
}  # fmt: skip
#: How complex numbers do, which kernels only ever write: what they read are the parts.
COMPLEX_TYPES = {"complex64": "{float, float}", "complex128": "{double, double}"}
UNSIGNED = frozenset(("bool", "uint8", "uint16", "uint32", "uint64"))


def memory_type(kind: dtype) -> str:
    """The LLVM type of an element in memory. KeyError: 8-bit floats have none here."""
    return MEMORY_TYPES.get(kind.name) or COMPLEX_TYPES[kind.name]


def has_memory_type(kind: dtype) -> bool:
    """Whether kernels compute with the dtype."""
    return kind.name in MEMORY_TYPES


#: A lowering: from a line of a program to the kernels that compute it, or None where it declines.
Lowering = Callable[[Any, Any], "list[Kernel] | None"]
lowerings: dict[str, Lowering] = {}


def lowers(*names: str) -> Callable[[Lowering], Lowering]:
    """Declare the decorated function as the lowering of the primitives called ``names``."""

    def declare(lowering: Lowering) -> Lowering:
        for name in names:
            lowerings[name] = lowering
        return lowering

    return declare


__all__ = ["Argument", "Kernel", "KernelBuilder", "has_memory_type", "integer", "lowerings", "lowers", "memory_type"]
