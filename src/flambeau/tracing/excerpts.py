"""Excerpts of the trace: what a stretch of Python recorded, written as a function that records it again.

The stretch runs once as it is, between ``begin`` and ``calls``. Its entries then become the lines of a Python function that
appends all of them at once: positions made within are counted from where the trace then ends, operands from outside are
looked up, and what is nobody's afterwards is never a tensor. Whoever takes the excerpt writes the lines around: how the cells
are found and what must hold for the calls to be the same (``autograd/replay.py``, ``optim/repeated.py``).
"""

from __future__ import annotations

from collections.abc import Callable
from sys import getrefcount
from typing import Any

from ..core.storages import Storage, View
from .handles import Classes
from .recorder import resolve, trace

#: A stretch of more calls than this is not worth a function.
LONGEST = 1 << 14


class Excerpt:
    """A stretch of the trace, looked at before and after.

    Attributes:
        cells: what operands from outside may be: (name in the function, cell).
        given: numbers that are arguments: name in the function by identity; all others are what they were.
        lines: the function, up to where it is certain that it may be used; until then it may return None and nothing is done.
        constants: what its names stand for.
    """

    def __init__(self) -> None:
        self.cells: list[tuple[str, Any]] = []
        self.given: dict[int, str] = {}
        self.lines: list[str] = []
        self.constants: dict[str, Any] = {
            "Storage": Storage, "View": View, "trace": trace, "resolve": resolve, "new": object.__new__,
            "tensor": Classes.tensor,
        }  # fmt: skip

    def constant(self, kind: str, value: Any) -> str:
        """The name of a constant of the function."""
        name = f"{kind}_{len(self.constants)}"
        self.constants[name] = value
        return name

    def require(self, condition: str) -> None:
        """The function is not for this case unless this holds."""
        self.lines.append(f"if not ({condition}): return None")

    def begin(self) -> None:
        """Give every cell its position, so that it is known again among the operands; note where the trace ends."""
        self.places: dict[int, int] = {}  # position -> index in cells
        self.positions: list[int] = []
        epoch = trace.epoch
        for index, (_, cell) in enumerate(self.cells):
            position = cell.position if cell.epoch is epoch else resolve(cell)
            self.positions.append(position)
            self.places.setdefault(position, index)
        self.epoch, self.first_input = epoch, len(trace.inputs)
        self.first_entry, self.first_value = len(trace.entries), len(trace.storages)

    def calls(self) -> list[str] | None:
        """The lines that record the calls again, to be put after :attr:`lines`; None where one depends on something unknown.

        In them ``b`` is where the values begin, ``storages`` the trace's list of them.
        """
        if trace.epoch is not self.epoch or len(trace.entries) - self.first_entry > LONGEST:
            return None
        # Arrays among the inputs are windows onto cells; those nobody owns are copies of who knows what.
        numbers = [k for k in range(self.first_input, len(trace.inputs)) if trace.owners[k] is None]
        if any(hasattr(trace.inputs[k], "nbytes") for k in numbers):
            return None
        self.numbers = {~k: index for index, k in enumerate(numbers)}  # position -> place among the numbers
        outside: dict[int, str] = {}  # position -> name of it in the function
        entries = [self._entry(entry, outside) for entry in trace.entries[self.first_entry :]]
        if None in entries:
            return None
        if len(outside) > 1:  # operands that were different must be so again: there may be calls with both
            self.require(f"len({{{', '.join(outside.values())}}}) == {len(outside)}")
        count = len(trace.storages) - self.first_value
        self.constants.update(owners=[None] * len(numbers), blank=[None] * count)
        lines = []
        if numbers:
            names = [self.given.get(id(trace.inputs[k])) or self.constant("number", trace.inputs[k]) for k in numbers]
            lines += ["inputs = trace.inputs", "m = ~len(inputs)", f"inputs += ({', '.join(names)},)"]
            lines.append("trace.owners += owners")
        lines += ["storages = trace.storages", "b = len(storages)", "storages += blank"]
        lines.append(f"trace.entries += ({' '.join(map(str, entries))})")
        return lines

    def moved(self, name: str, cell: Any) -> str:
        """The line that makes the last value written to a cell its content; ``name`` is its name in the function."""
        place = cell.position - self.first_value
        return f"{name}.epoch, {name}.position, storages[b + {place}] = epoch, b + {place}, {name}"

    def leave(self, name: str) -> str:
        """The line that takes a cell that is written to away from the value it held."""
        return f"if {name}.epoch is epoch and {name}.position >= 0: storages[{name}.position] = None"

    def is_written(self, cell: Any) -> bool:
        """Whether the stretch has written to a cell."""
        return cell.epoch is self.epoch and cell.position >= self.first_value

    def something_is_left(self, known: set[int]) -> bool:
        """Whether anything else that was made is still held than storages of these identities."""
        storages, first = trace.storages, self.first_value
        # A window is found by the storage it is onto, which is held by that.
        trace.windows = {
            key: value for key, value in trace.windows.items() if key[0].epoch is not self.epoch or key[0].position < first
        }
        for position in range(first, len(storages)):
            storage = storages[position]
            # Referred to by the list, this function's variable and the argument.
            if storage is not None and id(storage) not in known and getrefcount(storage) > 3:
                return True
        return False

    def function(self, parameters: str, lines: list[str], title: str) -> Callable[..., Any]:
        """The finished function of these parameters, ``lines`` after :attr:`lines`."""
        # Something else was met than was seen: a packed tensor, say.
        checked = ["try:", *(f"    {each}" for each in self.lines), "except (AttributeError, TypeError, ValueError):", "    return None"]
        source = "\n    ".join([f"def replay({parameters}):", "epoch = trace.epoch", *(checked if self.lines else ()), *lines])
        exec(compile(source, f"<{title}>", "exec"), self.constants)
        return self.constants.pop("replay")

    def _entry(self, entry: tuple[Any, ...], outside: dict[int, str]) -> str | None:
        rule, *operands = entry
        spelled = [self.constant("rule", rule)]
        for operand in operands:
            if operand >= self.first_value:
                spelled.append(f"b + {operand - self.first_value}")
            elif operand in self.numbers:
                spelled.append(f"m - {self.numbers[operand]}")
            else:
                if operand not in outside:
                    name = self._operand(operand, len(outside))
                    if name is None:
                        return None
                    outside[operand] = name
                spelled.append(outside[operand])
        return f"({', '.join(spelled)},),"

    def _operand(self, position: int, number: int) -> str | None:
        """Have the function look up the position of an operand from outside; returns its name there."""
        index = self.places.get(position)
        if index is not None:
            for other, (name, _) in enumerate(self.cells):
                if self.positions[other] == position:
                    self.lines.append(f"q = {name}.position if {name}.epoch is epoch else resolve({name})")
                    if other == index:
                        self.lines.append(f"p{number} = q")
                    else:  # the same cell twice
                        self.require(f"q == p{number}")
            return f"p{number}"
        return self._window(position, number)

    def _window(self, position: int, number: int) -> str | None:
        """The same for a window onto a cell's storage that was looked at, or for the storage that a window lies on."""
        for name, cell in self.cells:
            storage = cell.storage if type(cell) is View else cell
            for (of, _, spec, offset), found in trace.windows.items():
                if of is storage and found == position:
                    base = self._base(name, cell)
                    constant = self.constant("spec", spec)
                    self.lines.append(f"p{number} = resolve(View({base}, {constant}, {offset}))")
                    return f"p{number}"
            if storage is not cell and storage.epoch is self.epoch and storage.position == position:
                base = self._base(name, cell)
                self.lines.append(f"q = {base}")
                self.lines.append(f"p{number} = q.position if q.epoch is epoch else resolve(q)")
                return f"p{number}"
        return None

    def _base(self, name: str, cell: Any) -> str:
        """The storage of a cell, which must lie in it as it did."""
        if type(cell) is View:
            spec = self.constant("spec", cell.storage.spec)
            self.require(f"{name}.__class__ is View and {name}.offset == {cell.offset} and {name}.storage.spec is {spec}")
            return f"{name}.storage"
        self.require(f"{name}.__class__ is Storage and {name}.spec is {self.constant('spec', cell.spec)}")
        return name
