"""``checked``: the program stops where a condition does not hold everywhere. The value itself is not touched."""

from __future__ import annotations

from typing import Any

from ..builder import constant, vector
from ..graph import Graph
from ..kernel import Kernel, KernelBuilder, lowers


@lowers("checked")
def _checked(line: Any, graph: Graph) -> list[Kernel] | None:
    x, valid = line.operands
    graph.alias(line.results[0], x)
    count = graph.type(valid).numel
    condition = graph.dense(valid)

    def write(b: KernelBuilder) -> None:
        width = 16
        start = b.argument(0)
        kind = vector("i8", width)
        held = b.variable(constant(kind, 1))
        whole = count // width * width
        with b.loop(0, whole, width) as i:
            b.set(held, b.binary("and", b.get(held), b.load(kind, b.at(start, "i8", i))))
        if whole < count:
            last = b.load(kind, b.at(start, "i8", whole), count - whole, 1)
            b.set(held, b.binary("and", b.get(held), last))
        least = b.intrinsic("llvm.vector.reduce.and", b.get(held), returns="i8")
        with b.when(b.compare("eq", least, constant("i8", 0))):
            b.fail(1)
        b.done()

    return [Kernel("checked", f"checked {count}", write, [condition], [], 1, count * 0.05 + 5, can_fail=True)]

