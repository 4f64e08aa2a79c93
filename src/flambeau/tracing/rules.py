"""``Rule``: what one operator does to operands of given specs. The letters of which a recording is spelled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..core.specs import Spec
from ..primitives.values import Application, Block, Value


class Rule:
    """An operator applied to operands of known specs: its code in primitives and the specs of its results.

    Rules are interned by whoever makes them (an operator's table), so that a rule's identity stands for the operator,
    the static arguments and every operand's shape, strides and dtype. A recording is a list of (rule, operands…).

    Attributes:
        name: the operator, for messages and printing.
        operands: a Spec for each tensor operand, a number category for each Python number.
        results: the Specs of the results.
        code: the applications that compute the results from ``inputs``.
        outputs: the Values that are the results.
        differentiable: whether any result may require grad.
        returns: rebuilds the caller's structure from the list of results (None: a single tensor).
    """

    __slots__ = (
        "can_fail", "code", "differentiable", "dynamic", "inputs", "name", "operands", "outputs", "plans", "result",
        "results", "returns",
    )  # fmt: skip

    name: str
    operands: tuple[Any, ...]
    results: tuple[Spec, ...]
    result: Spec
    inputs: tuple[Value, ...]
    code: tuple[Application, ...]
    outputs: tuple[Value, ...]
    differentiable: bool
    dynamic: bool
    can_fail: bool
    returns: Callable[[Sequence[Any]], Any] | None
    plans: list[Any]  # how autograd puts a call of two operands on the tape, by which of them require grad

    def __repr__(self) -> str:
        operands = ", ".join(map(repr, self.operands))
        return f"{self.name}({operands}) -> {', '.join(map(repr, self.results))}"


def make_rule(name: str, operands: Sequence[Any], block: Block, outputs: Sequence[Value], results: Sequence[Spec]) -> Rule:
    """A rule from a written block."""
    rule = Rule.__new__(Rule)
    rule.name, rule.operands = name, tuple(operands)
    rule.inputs, rule.code, rule.outputs = tuple(block.inputs), tuple(block.applications), tuple(outputs)
    rule.results = tuple(results)
    rule.result = rule.results[0] if rule.results else None  # type: ignore[assignment]
    rule.dynamic = any(each.primitive.dynamic for each in rule.code)
    rule.can_fail = any(each.primitive.can_fail for each in rule.code)
    rule.differentiable, rule.returns, rule.plans = False, None, [None] * 4
    return rule
