"""The recorder: one process-wide trace of calls not yet run, and the sync point that runs it.

A trace is spelled in small tuples: an entry is ``(rule, operand, …)`` where an operand is a number: ``i >= 0`` is the
i-th value made in this trace, ``-k`` is its k-th input. Because entries hold nothing else, the tuple of all of them is
the key under which the finished program is found again.

``record`` is the general way in. The two- and one-operand operators repeat its few lines inline
(``operators/fast_calls.py``), because they are most of all calls.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from sys import getrefcount
from time import perf_counter
from typing import Any

import numpy as np

from ..core.specs import Spec
from ..core.storages import Storage, View, empty_array, has_layout, window
from ..primitives import memory
from ..primitives.values import Block
from .cache import cache, donations
from .program import tiers
from .rules import Rule, make_rule

#: More pending entries than this end a trace, so that a loop that never looks at a number stays bounded.
LIMIT = 8192
#: At points that recur in training (see `end_round`) a trace of more values, or more bytes of input, ends. Less than that is
#: done in a fraction of the time that running it at all takes, so that it waits for the next round.
ROUND, ROUND_BYTES = 64, 1 << 20
#: An exposed array (NumPy may change it) up to this many bytes is copied when read; a larger one is read at once.
SNAPSHOT_BYTES = 1 << 16
#: Memory that nobody but the trace keeps alive ends it beyond this many bytes.
HELD_BYTES = 1 << 28


class _Observer:
    """What looks on: a profiler, which times operator by operator, or the training doctor. Usually nobody.

    Attributes:
        run: runs a recording in place of its program: ``run(entries, inputs, live)``.
        native: only in place of a program that is not compiled (yet).
        entries: makes the list of a new trace's entries; see ``watching`` for one that sees each call when it is recorded.
        capture: notes what a step draws, reads and runs while it is captured; see ``flambeau.capture``.
    """

    run: Any = None
    native = False
    entries: Callable[[], list[tuple[Any, ...]]] = list
    capture: Any = None


observer = _Observer()


class Trace:
    """Calls recorded since the last sync point.

    Attributes:
        epoch: a fresh object for each trace; a storage whose ``epoch`` is this one has a valid ``position``.
        entries: the recorded calls.
        storages: for each value made in this trace, the storage whose current value it is, or None.
        inputs: arrays and Python numbers, in the order of their first use; the k-th is operand ``-k - 1``.
        owners: for each input, the storage it belongs to, or None for a number or a snapshot.
        windows: positions already found for views, so that the same view is one value.
        updates: some call writes through a view, so that it matters which memory may be overwritten.
        bytes: the size of the inputs that are arrays, and ``bytes_limit``, beyond which it is looked who else holds them.
        limit: ends the trace when ``len(storages)`` exceeds it; -1 asks for this after the current call.
    """

    __slots__ = ("bytes", "bytes_limit", "entries", "epoch", "inputs", "limit", "owners", "storages", "updates", "windows")

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begin an empty trace."""
        self.epoch = object()
        self.entries: list[tuple[Any, ...]] = observer.entries()
        self.storages: list[Storage | None] = []
        self.inputs: list[Any] = []
        self.owners: list[Storage | None] = []
        self.windows: dict[Any, int] = {}
        self.updates = False
        self.bytes, self.bytes_limit = 0, HELD_BYTES
        self.limit = LIMIT


trace = Trace()
#: Held while recording and while running: threads share one trace. (A `with` on an RLock costs 0.06 µs.)
lock = threading.RLock()


def number_input(number: Any) -> int:
    """The position of a Python number: an input of the program, so that a new number is not a new program."""
    trace.inputs.append(number)
    trace.owners.append(None)
    return -len(trace.inputs)


def _array_input(array: Any, owner: Storage | None) -> int:
    """The position of an array that is an input from here on."""
    trace.inputs.append(array)
    trace.owners.append(owner)
    trace.bytes += array.nbytes
    if trace.bytes > trace.bytes_limit:
        _bound_memory()
    return -len(trace.inputs)


def _bound_memory() -> None:
    """End the trace after the current call when it keeps much memory alive that nobody else wants."""
    counts = map(getrefcount, trace.owners)
    # An owner nobody else holds is referred to by the list, the argument, and perhaps the key of a window.
    held = sum(
        array.nbytes
        for array, owner, count in zip(trace.inputs, trace.owners, counts)
        if isinstance(array, np.ndarray) and (owner is None or count <= 4)
    )
    if held > HELD_BYTES // 2:
        trace.limit = -1
    else:
        trace.bytes_limit = trace.bytes + HELD_BYTES


def resolve(cell: Storage | View) -> int:
    """The position of a cell that has none yet in this trace: an input at rest, a view, or memory NumPy may write."""
    if type(cell) is View:
        return _resolve_view(cell)
    storage: Storage = cell  # type: ignore[assignment]
    if storage.epoch is trace.epoch:
        return storage.position
    if storage.array is None:
        raise _never_computed(storage)
    if storage.exposed and _still_exposed(storage):
        return _exposed_input(storage, storage.array)
    trace.inputs.append(storage.array)  # `_array_input`, which most operands come to, without the call
    trace.owners.append(storage)
    trace.bytes += storage.spec.nbytes
    position = storage.position = -len(trace.inputs)
    storage.epoch = trace.epoch
    if trace.bytes > trace.bytes_limit:
        _bound_memory()
    return position


def _resolve_view(view: View) -> int:
    storage = view.storage
    pending = storage.epoch is trace.epoch and storage.position >= 0
    if not pending:
        if storage.array is None:
            raise _never_computed(storage)
        if storage.exposed and _still_exposed(storage):
            return _exposed_input(storage, window(storage.memory(), view.spec, view.offset))
    key = (storage, storage.position if pending else None, view.spec, view.offset)
    found = trace.windows.get(key)
    if found is None:
        if pending:
            rule = window_rule(storage.spec, view.spec, view.offset)
            found = len(trace.storages)
            trace.storages.append(None)
            trace.entries.append((rule, storage.position))
        else:
            found = _array_input(window(storage.memory(), view.spec, view.offset), storage)
        trace.windows[key] = found
    return found


def _still_exposed(storage: Storage) -> bool:
    # storage.array, its flat bytes and a user's ndarray all share one owner; when only ours are left nobody can write.
    array = storage.array
    owner = array if array.base is None else array.base
    ours = 4 if owner is array else 3
    if storage._bytes is not None:
        storage._bytes = None
    # (An owner with a base of its own lies on foreign memory, a buffer say, that its holder may write.)
    if type(owner) is type(array) and owner.base is None and getrefcount(owner) <= ours:
        storage.exposed = False
    return storage.exposed


def _exposed_input(storage: Storage, array: Any) -> int:
    if array.nbytes <= SNAPSHOT_BYTES:
        shown, array = array, array.copy()
        if observer.capture is not None:
            observer.capture.snapshot(array, shown, storage)
    else:
        trace.limit = -1
    return _array_input(array, None)


def _never_computed(storage: Storage) -> BaseException:
    if storage.failure is not None:
        return RuntimeError(f"this tensor was never computed because its program failed: {storage.failure}")
    return RuntimeError("tensor has no storage")


def record(rule: Rule, operands: Sequence[Any]) -> list[Storage]:
    """Append a call. ``operands`` are cells and Python numbers; returns a storage for each result."""
    with lock:
        epoch = trace.epoch
        entry = [rule]
        for each in operands:
            if isinstance(each, (Storage, View)):
                entry.append(each.position if each.epoch is epoch else resolve(each))  # type: ignore[arg-type]
            else:
                entry.append(number_input(each))  # type: ignore[arg-type]
        storages = trace.storages
        made = []
        for layout in rule.results:
            storage = Storage()
            storage.spec, storage.epoch, storage.position = layout, epoch, len(storages)
            storages.append(storage)
            made.append(storage)
        trace.entries.append(tuple(entry))
        if len(storages) > trace.limit:
            synchronize()
        return made


def record_cells(rule: Rule, cells: Sequence[Any]) -> Storage:
    """:func:`record` for tensors only and one result: 1 µs less."""
    lock.acquire()
    try:
        epoch = trace.epoch
        positions = [each.position if each.epoch is epoch else resolve(each) for each in cells]
        storages = trace.storages
        made = Storage()
        made.spec, made.epoch, made.position = rule.result, epoch, len(storages)
        storages.append(made)
        trace.entries.append((rule, *positions))
        if len(storages) > trace.limit:
            synchronize()
        return made
    finally:
        lock.release()


def run_now(rule: Rule, operands: Sequence[Any]) -> list[Any]:
    """Run a call whose result's shape depends on numbers; returns NumPy arrays."""
    arrays = [array_of(each) if isinstance(each, (Storage, View)) else each for each in operands]
    from .reference import interpret

    return interpret(rule.inputs, rule.code, rule.outputs, arrays)


def array_of(cell: Storage | View) -> Any:
    """The cell's current value as an array onto its memory. A sync point."""
    storage = cell.storage if type(cell) is View else cell
    if storage.epoch is trace.epoch and storage.position >= 0:
        if observer.capture is not None:
            observer.capture.look()
        synchronize()
    if storage.array is None:  # type: ignore[union-attr]
        raise _never_computed(storage)  # type: ignore[arg-type]
    if type(cell) is View:
        return window(cell.storage.memory(), cell.spec, cell.offset)
    return storage.array  # type: ignore[union-attr]


def write(cell: Storage | View, value: Storage, bump: bool = True) -> None:
    """Make ``value``, a pending result of the cell's shape and dtype, the cell's new content."""
    with lock:
        storage: Storage = cell.storage if type(cell) is View else cell  # type: ignore[assignment]
        position = value.position if value.epoch is trace.epoch else resolve(value)
        if type(cell) is View:
            base = storage.position if storage.epoch is trace.epoch else _base_input(storage)
            trace.updates = True
            rule = update_rule(storage.spec, cell.spec, cell.offset, value.spec)
            position = _append_entry((rule, base, position))
        elif value.spec is not storage.spec or position < 0 or trace.storages[position] is not value:
            position = _append_entry((layout_rule(value.spec, storage.spec), position))
        if storage.epoch is trace.epoch and storage.position >= 0:
            trace.storages[storage.position] = None
        trace.storages[position] = storage
        storage.position, storage.epoch = position, trace.epoch
        if bump:
            storage.version += 1
        if storage.exposed or len(trace.storages) > trace.limit:
            synchronize()


def _append_entry(entry: tuple[Any, ...]) -> int:
    trace.storages.append(None)
    trace.entries.append(entry)
    return len(trace.storages) - 1


def _base_input(storage: Storage) -> int:
    if storage.array is None:
        raise _never_computed(storage)
    return _array_input(storage.array, storage)


_window_rules: dict[Any, Rule] = {}


def _memory_rule(name: str, key: Any, operands: Sequence[Spec], result: Spec, code: Callable[..., Any]) -> Rule:
    key = (name, *key)
    found = _window_rules.get(key)
    if found is None:
        if len(_window_rules) > 16384:
            _window_rules.clear()
        with Block() as block:
            values = [block.input(each.shape, each.dtype) for each in operands]
            out = code(*values)
        found = _window_rules[key] = make_rule(name, operands, block, (out,), (result,))
    return found


def window_rule(base: Spec, of: Spec, offset: int) -> Rule:
    """Reading a view of a pending value."""
    return _memory_rule(
        "view", (base, of, offset), (base,), of, lambda x: memory.strided_window(x, layout=base, of=of, offset=offset)
    )


def update_rule(base: Spec, of: Spec, offset: int, value: Spec) -> Rule:
    """Writing through a view."""
    return _memory_rule(
        "write_view", (base, of, offset, value), (base, value), base,
        lambda x, y: memory.strided_update(x, y, layout=base, of=of, offset=offset),
    )  # fmt: skip


def layout_rule(value: Spec, storage: Spec) -> Rule:
    """The same numbers in the layout of another storage."""
    def code(x: Any) -> Any:
        return memory.reshape(x, shape=tuple(storage.shape))

    return _memory_rule("lay_out", (value, storage), (value,), storage, code)


def synchronize() -> None:
    """Run everything recorded so far. Afterwards every tensor somebody holds has its numbers in memory."""
    with lock:
        if not trace.entries:
            if trace.limit < 0:
                trace.limit = LIMIT
            return
        entries, storages, inputs, owners = trace.entries, trace.storages, trace.inputs, trace.owners
        trace.windows = {}  # its keys hold storages, which must not count as held
        # A storage nobody else holds has two references: the list's and the argument's.
        live = tuple([i for i, count in enumerate(map(getrefcount, storages)) if count > 2 and storages[i] is not None])
        updates, epoch = trace.updates, trace.epoch
        trace.reset()  # before running: a program that fails leaves the recorder usable
        if not live:
            return
        program = cache.find(entries, live, len(inputs), donations(live, storages, owners))
        if observer.capture is not None:
            observer.capture.ran(program, inputs, owners, [storages[i] for i in live])
        try:
            if observer.run is None or observer.native:
                if program.native is None and tiers.consider is not None:
                    tiers.consider(program, inputs, tiers.depth > 0 or tiers.asked is epoch)
                if program.native is not None and program.native(inputs, [storages[i] for i in live]):
                    return
                if observer.run is None:
                    values = program.run(inputs)
                else:
                    program.runs += 1
                    began = perf_counter()
                    values = observer.run(entries, inputs, live)
                    program.seconds += perf_counter() - began
            else:
                values = observer.run(entries, inputs, live)
        except Exception as failure:
            _salvage(program, entries, storages, inputs, live, failure)
            return
        except BaseException:  # interrupted: everything is pending again
            trace.entries, trace.storages, trace.inputs, trace.owners = entries, storages, inputs, owners
            trace.epoch, trace.updates = epoch, updates
            raise
        for i, value in zip(live, values):
            settle(storages[i], value)  # type: ignore[arg-type]


def end_round() -> None:
    """A point that recurs in training has come: run what is recorded where it is work enough.

    Here the same calls are pending every so manieth time, so that there is a program for them; wherever else a long trace
    ended, there never would be.
    """
    if len(trace.storages) > ROUND or trace.bytes > ROUND_BYTES or type(trace.entries) is not list or (
        observer.run is not None and not observer.native
    ):
        synchronize()


def settle(storage: Storage, value: Any) -> None:
    """Put a computed value to rest: adopt the array where it lies as the storage wants, else copy into the storage."""
    if storage.array is None:
        if type(value) is np.ndarray and value.base is None and has_layout(value, storage.spec) and value.flags.writeable:
            storage.array = value
            return
        storage.array = empty_array(storage.spec)
    if value is not storage.array:
        storage.array[...] = value


def _salvage(
    program: Any, entries: Sequence[Any], storages: Sequence[Any], inputs: Sequence[Any], live: Sequence[int],
    failure: Exception,
) -> None:  # fmt: skip
    """Run the entries one by one: keep what can be computed, mark the rest, raise naming the operator that failed."""
    from .reference import interpret

    values: dict[int, Any] = {}
    failed: tuple[Rule, BaseException] | None = None
    made = 0
    for rule, *operands in entries:
        numbers = range(made, made + len(rule.results))
        made += len(rule.results)
        try:
            arrays = [inputs[-each - 1] if each < 0 else values[each] for each in operands]
        except KeyError:
            continue
        try:
            values.update(zip(numbers, interpret(rule.inputs, rule.code, rule.outputs, arrays)))
        except Exception as error:
            failed = failed or (rule, error)
    for i in live:
        if i in values:
            value = values[i]
            settle(storages[i], value if storages[i].array is not None else _own(value))
        elif failed is not None and storages[i].array is None:  # one written in place keeps what it held
            storages[i].failure = failed[1]
    if failed is None:
        raise failure
    rule, reason = failed
    message = str(reason)
    if rule.name not in message:
        message = f"{rule.name}: {message} (operands {', '.join(map(repr, rule.operands))})"
    raise type(reason)(message) from failure


def _own(value: Any) -> Any:
    return value.copy() if type(value) is np.ndarray else value


os.register_at_fork(before=synchronize)
