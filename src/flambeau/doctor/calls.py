"""Each operator as it is called: where, by which module, on whose results; and its numbers when it runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..autograd.grad_mode import mode
from ..tracing.recorder import trace
from ..tracing.reference import interpret
from .places import Place, here

#: Operators that hand on the numbers they get.
PASSING = frozenset(("view", "lay_out", "clone", "contiguous", "reshape", "squeeze", "unsqueeze"))
#: Operators that make probabilities of scores.
SQUASHING = frozenset(("softmax", "sigmoid"))


class Call:
    """One call of an operator.

    Attributes:
        rule: the operator and the specs of its operands.
        where: the user's line; for a derivative that of ``backward()``.
        derivative: of what it is the derivative, and where that was called; None outside of backward.
        module: the name of the module whose ``forward`` runs, or None.
        learning: whether gradients are recorded.
        operands: the calls that made its operands, as far as known.
    """

    __slots__ = ("derivative", "learning", "module", "operands", "rule", "where")

    def __init__(self, rule: Any, where: Place | None, node: Any, module: str | None) -> None:
        self.rule, self.where, self.module = rule, where, module
        # (Not the node itself, which would keep the graph alive until the recording runs.)
        self.derivative = None if node is None else (node.operation(), node.where)
        self.learning = mode.enabled
        self.operands: tuple[Any, ...] = ()

    @property
    def origin(self) -> Any:
        """The call that made the numbers: this one, or the one whose result it hands on."""
        if self.rule.name in PASSING and self.operands and self.operands[0] is not None:
            return self.operands[0]
        return self


class Calls:
    """Notes each call as it is recorded (:meth:`note`) and looks at its numbers when it runs (:meth:`run`)."""

    def __init__(self, on_call: Callable[[Call], None], on_numbers: Callable[..., None]) -> None:
        self.on_call, self.on_numbers = on_call, on_numbers
        self.open: list[str] = []  # the modules whose forward is running
        self.epoch: Any = None
        self.made: list[Any] = []  # the call that made each value of the current trace

    def note(self, entry: Any) -> Call:
        """The call that has just been recorded."""
        if trace.epoch is not self.epoch:
            self.epoch, self.made = trace.epoch, []
        where, node = here()
        call = Call(entry[0], where, node, self.open[-1] if self.open else None)
        call.operands = tuple([self._maker(each) for each in entry[1:]])
        count = len(trace.storages) - len(self.made)
        origin = call.origin
        self.made.extend([origin] * count)
        if origin.rule.name in SQUASHING and trace.storages[-1] is not None:
            # Known by its storage too, for a loss that is called after it has been computed.
            version = trace.storages[-1].version
            trace.storages[-1].maker = (origin.rule.name, origin.where, origin.module, version)  # type: ignore[attr-defined]
        self.on_call(call)
        call.operands = ()  # or each call would hold all before it
        return call

    def _maker(self, operand: int) -> Any:
        if operand >= 0:
            return self.made[operand] if operand < len(self.made) else None
        owner = trace.owners[-operand - 1]
        maker = getattr(owner, "maker", None)
        if maker is None or maker[3] != owner.version:  # type: ignore[union-attr]
            return None
        return _Earlier(*maker[:3])

    def run(self, entries: Sequence[Any], inputs: Sequence[Any], live: Sequence[int]) -> list[Any]:
        """Run a recording call by call, looking at what each makes; the values that are still needed."""
        notes = getattr(entries, "notes", None) or [None] * len(entries)
        first = []  # the position of each entry's first result
        count = 0
        for entry in entries:
            first.append(count)
            count += len(entry[0].results)
        last: dict[int, int] = dict.fromkeys(live, len(entries))  # the entry that reads a value last
        for line in range(len(entries) - 1, -1, -1):
            rule, *operands = entries[line]
            if any(first[line] + k in last for k in range(len(rule.results))):
                for each in operands:
                    if each >= 0:
                        last.setdefault(each, line)
        self.made = []  # of the recording that runs here; the next one begins anew
        values: dict[int, Any] = {}
        for line, (rule, *operands) in enumerate(entries):
            positions = range(first[line], first[line] + len(rule.results))
            if not any(each in last for each in positions):
                continue
            arrays = [inputs[-each - 1] if each < 0 else values[each] for each in operands]
            made = interpret(rule.inputs, rule.code, rule.outputs, arrays)
            if notes[line] is not None:
                self.on_numbers(notes[line], arrays, made)
            values.update(zip(positions, made))
            for each in operands:
                if each >= 0 and last[each] == line:
                    values.pop(each, None)
        given = {id(each) for each in inputs}
        outputs = []
        for each in live:  # a result is adopted as its tensor's memory, which must be its own
            value = values[each]
            outputs.append(value.copy() if type(value) is np.ndarray and id(value) in given else value)
            given.add(id(value))
        return outputs


class _Earlier:
    """What is still known of a call whose recording has run."""

    def __init__(self, name: str, where: Any, module: str | None) -> None:
        self.name, self.where, self.module = name, where, module

    @property
    def rule(self) -> Any:
        """Stands for the rule: only its name is known."""
        return self

    @property
    def origin(self) -> Any:
        """Itself."""
        return self
