"""Keeping what a drawing wants to show and a graph does not need: constants, numbers, intermediate values."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from ..autograd.anomaly_mode import noting_nodes
from ..core.storages import Storage, View
from ..tracing.handles import wrap
from ..tracing.recorder import trace
from ..tracing.watching import Watch
from .flows import operator_of

_MEMORY = ("view", "write_view", "lay_out")


class Remembered:
    """The operands and results of the call behind one node.

    Attributes:
        name: the operator.
        operands: tensors, Python numbers in between.
        results: the tensors it made.
    """

    __slots__ = ("name", "operands", "results")

    def __init__(self, name: str, operands: list[Any], results: list[Any]) -> None:
        self.name, self.operands, self.results = name, operands, results


class remember:
    """Within, every operator's operands and results are kept with its node, so that :func:`draw` can show them all.

    >>> import flambeau as torch
    >>> w, x, y = torch.tensor(1.0, requires_grad=True), torch.tensor(1.0), torch.tensor(2.0)
    >>> with torch.drawing.remember(): loss = (w * x - y) ** 2
    >>> print(torch.draw(loss).text())
    w = 1   ∂loss/∂w = -2
    x = 1
    mul(w, x) = 1   ∂loss/∂mul = -2
    y = 2
    sub(mul, y) = -1   ∂loss/∂sub = -2
    loss = pow(sub, 2) = 1   ∂loss/∂loss = 1
    """

    def __enter__(self) -> remember:
        self._epoch: Any = None
        self._made: list[Any] = []  # a tensor for each value of the current trace
        self._last: Remembered | None = None
        with ExitStack() as stack:
            stack.enter_context(Watch(self._note))
            stack.enter_context(noting_nodes(self._attach))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exception: Any) -> None:
        self._stack.close()

    def _note(self, entry: Any) -> None:
        if trace.epoch is not self._epoch:
            self._epoch, self._made = trace.epoch, []
        rule, *operands = entry
        found = [self._operand(each, of) for each, of in zip(operands, rule.operands)]
        results = []
        for storage, layout in zip(trace.storages[len(self._made) :], rule.results):
            # (None: a view, or the new value of a storage that is written to; its numbers are not kept apart.)
            results.append(None if storage is None else wrap(storage, layout))
        if rule.name == "view" and isinstance(operands[0], int) and operands[0] >= 0:
            base = self._made[operands[0]]
            self._made.append(None if base is None else wrap(base._cell, rule.result))
            return
        self._made.extend(results)
        if rule.name not in _MEMORY:
            self._last = Remembered(rule.name, found, results)

    def _operand(self, position: int, of: Any) -> Any:
        if position >= 0:
            return self._made[position]
        value, owner = trace.inputs[-position - 1], trace.owners[-position - 1]
        if not hasattr(value, "shape"):
            return value
        if isinstance(owner, Storage) and owner.spec is of:
            return wrap(owner, of)
        from ..operators.creation import from_array

        if isinstance(owner, Storage) and owner.array is not None:
            for key, found in trace.windows.items():
                if found == position and key[0] is owner:
                    return wrap(View(owner, key[2], key[3]), of)
        return from_array(value.copy())

    def _attach(self, node: Any) -> None:
        last, self._last = self._last, None
        operator = operator_of(node)
        if last is not None and operator is not None and operator.name == last.name:  # (a view's node has no call of its own)
            node.remembered = last
