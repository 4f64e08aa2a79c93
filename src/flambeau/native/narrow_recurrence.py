"""Recurrences of narrow floats run in float32: operands are widened before, and results rounded after."""

from __future__ import annotations

import copy
from typing import Any

from ..core.dtypes import FLOATING, float32
from ..primitives.registry import primitives
from ..primitives.values import Value
from ..tracing.program import Instruction, Name, Program

_NAMES = frozenset(("recurrence", "recurrence_gradient"))


def widened(program: Program) -> Program:
    """The program with its narrow recurrences between casts; the program itself where it has none."""
    if not any(_is_narrow(program, each) for each in program.instructions):
        return program
    types, lines = dict(program.types), []
    names = [program.inputs, *types, *(r for each in program.instructions for r in each.results)]
    fresh = iter(range(max(names) + 1, max(names) + 1 + 32 * len(program.instructions)))
    cast = primitives["cast"]

    def wide(operand: Any) -> Any:
        if not isinstance(operand, Name) or types[operand.index].dtype.category != FLOATING:
            return operand
        name = next(fresh)
        types[name] = Value(types[operand.index].shape, float32, name)
        lines.append(Instruction(cast, (operand,), {"dtype": float32}, (name,)))
        return Name(name)

    for each in program.instructions:
        if not _is_narrow(program, each):
            lines.append(each)
            continue
        operands = tuple(map(wide, each.operands))
        made = [next(fresh) for _ in each.results]
        types.update({name: Value(types[r].shape, float32, name) for name, r in zip(made, each.results)})
        lines.append(Instruction(each.primitive, operands, each.parameters, tuple(made)))
        for name, result in zip(made, each.results):
            lines.append(Instruction(cast, (Name(name),), {"dtype": types[result].dtype}, (result,)))
    wide_program = copy.copy(program)
    wide_program.instructions, wide_program.types = lines, types
    return wide_program


def _is_narrow(program: Program, each: Instruction) -> bool:
    if each.primitive.name not in _NAMES:
        return False
    kind = program.types[each.results[0]].dtype
    return kind.category == FLOATING and kind.itemsize == 2


__all__ = ["widened"]
