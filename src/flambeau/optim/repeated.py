"""Updates that are Python once and recorded again afterwards: a model has many parameters, and a training many steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..autograd.grad_mode import mode, rewriting
from ..core.storages import Storage
from ..tracing.excerpts import Excerpt
from ..tracing.handles import Classes
from ..tracing.recorder import lock, synchronize, trace

Update = Callable[[Sequence[Any], Sequence[Any], tuple[Any, ...]], None]
#: So many parameters are updated by one function.
TOGETHER = 16


class Repeated:
    """An update of a parameter, ``update(tensors, numbers, structure)``, for all parameters of a group.

    The update writes to some of the tensors in place and calls operators on them and the numbers. Which operators may depend on
    ``structure`` and on the tensors' specs, never on the numbers, and it does no arithmetic with those: they are inputs of
    the recording, everything else is part of it.
    """

    def __init__(self, update: Update) -> None:
        self.update = update
        self._known: dict[Any, Any] = {}  # False: seen once; None: it is not to be repeated

    def __call__(self, rows: Sequence[Sequence[Any]], numbers: Sequence[Sequence[Any]], structure: tuple[Any, ...]) -> None:
        """Update each row's tensors with its numbers; all rows have the same length."""
        for first in range(0, len(rows), TOGETHER):
            self._some(rows[first : first + TOGETHER], numbers[first : first + TOGETHER], structure)

    def _some(self, rows: Sequence[Sequence[Any]], numbers: Sequence[Sequence[Any]], structure: tuple[Any, ...]) -> None:
        tensors = [each for row in rows for each in row]
        try:
            key = (structure, len(rows), *[each._spec for each in tensors])
        except AttributeError:  # a sparse gradient
            self.each(rows, numbers, structure)
            return
        known = self._known.get(key)
        if known:
            lock.acquire()
            try:
                if type(trace.entries) is list and not mode.enabled and known(tensors, [n for row in numbers for n in row]):
                    if len(trace.storages) > trace.limit:
                        synchronize()
                    return
            finally:
                lock.release()
        elif known is not None:
            with lock:
                self._known[key] = self._learn(rows, numbers, structure)
            return
        elif key not in self._known:
            if len(self._known) > 1024:
                self._known.clear()
            self._known[key] = False
        self.each(rows, numbers, structure)

    def each(self, rows: Sequence[Sequence[Any]], numbers: Sequence[Sequence[Any]], structure: tuple[Any, ...]) -> None:
        """Update each row's tensors as Python, which may be recorded for autograd."""
        for tensors, own in zip(rows, numbers):
            self.update(tensors, own, structure)

    def _learn(self, rows: Sequence[Any], numbers: Sequence[Any], structure: tuple[Any, ...]) -> Any:
        tensors = [each for row in rows for each in row]
        cells = [each._cell for each in tensors]
        if (
            not all(type(each) is Storage and not each.exposed for each in cells) or len(set(cells)) < len(cells)
            or any(each._inference or each._data_alias for each in tensors)
            or type(trace.entries) is not list or mode.enabled or rewriting or Classes.mark is not None
        ):  # fmt: skip
            self.each(rows, numbers, structure)
            return False
        excerpt = Excerpt()
        excerpt.cells = [(f"c{k}", cell) for k, cell in enumerate(cells)]
        numbers = [[each * 1.0 for each in row] for row in numbers]  # objects of their own, known again among the inputs
        given = [each for row in numbers for each in row]
        excerpt.given = {id(each): f"n{k}" for k, each in enumerate(given)}
        excerpt.lines.append(f"{', '.join(f'x{k}' for k in range(len(cells)))}, = tensors")
        excerpt.lines.append(f"{', '.join(f'n{k}' for k in range(len(given)))}, = numbers")
        for k in range(len(cells)):
            excerpt.lines.append(f"c{k} = x{k}._cell")
            excerpt.require(
                f"c{k}.__class__ is Storage and not c{k}.exposed and not x{k}._inference and not x{k}._data_alias"
            )
        if len(cells) > 1:
            excerpt.require(f"len({{{', '.join(name for name, _ in excerpt.cells)}}}) == {len(cells)}")
        versions = [each.version for each in cells]
        excerpt.begin()
        self.each(rows, numbers, structure)
        lines = excerpt.calls()
        if lines is None or excerpt.something_is_left({id(each) for each in cells}):
            return None
        for (name, cell), version in zip(excerpt.cells, versions):
            if excerpt.is_written(cell):
                lines += [excerpt.leave(name), f"{name}.version += {cell.version - version}", excerpt.moved(name, cell)]
        return excerpt.function("tensors, numbers", [*lines, "return True"], "update")
