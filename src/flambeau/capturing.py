"""``capture``: a training step replayed as one program, without running its Python at all."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any
from weakref import ref

import numpy as np

from .core.storages import Storage, View
from .tracing.handles import Handle, wrap
from .tracing.program import Program
from .tracing.recorder import array_of, lock, observer, synchronize, trace

__all__ = ["Captured", "capture"]

#: A step that has not repeated itself after so many calls is refused.
ATTEMPTS = 5


class _Run:
    """A program as it ran once: weak references to whose memory its inputs and results are."""

    def __init__(self, program: Program, inputs: Sequence[Any], owners: Sequence[Any], storages: Sequence[Any]) -> None:
        self.program, self.inputs = program, list(inputs)
        self.owners = [None if each is None else ref(each) for each in owners]
        self.storages = [ref(each) for each in storages]


class _Recording:
    """What one call of a step drew, read and ran. It is the recorder's ``observer.capture`` meanwhile."""

    def __init__(self) -> None:
        self.runs: list[_Run] = []
        self.draws: list[tuple[Any, Callable[[], Any]]] = []
        self.shown: dict[int, tuple[Any, Any]] = {}  # a snapshot -> the memory it was taken of
        self.looked = False

    def draw(self, sample: Callable[[], Any]) -> Any:
        """Random numbers are drawn."""
        made = sample()
        self.draws.append((made, sample))
        return made

    def snapshot(self, copy: Any, shown: Any, storage: Any) -> None:
        """Memory that NumPy shares was read."""
        self.shown[id(copy)] = (copy, shown)

    def look(self) -> None:
        """Python looks at a number that was pending."""
        self.looked = True

    def ran(self, program: Program, inputs: Sequence[Any], owners: Sequence[Any], storages: Sequence[Any]) -> None:
        """A recording was run."""
        self.runs.append(_Run(program, inputs, owners, storages))

    def drawn(self, array: Any) -> int | None:
        """Which of the draws an array is."""
        return next((k for k, (made, _) in enumerate(self.draws) if made is array or array.base is made), None)


class _Refusal(Exception):
    """Why a step cannot be replayed (yet)."""


#: What a replay returns, having done nothing, when memory is no longer where it was.
_STALE = object()


class Captured:
    """A step that runs without its Python once it has been recorded twice alike. Made by :func:`capture`.

    Attributes:
        replays: how many calls were replayed.
        reason: why the last recording could not be replayed.
    """

    def __init__(self, step: Callable[..., Any]) -> None:
        functools.update_wrapper(self, step)
        self._step = step
        self._replays: dict[Any, _Replay] = {}
        self._recordings: dict[Any, _Recording] = {}
        self._attempts: dict[Any, int] = {}
        self.replays = 0
        self.reason: str | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        key = self._key(args, kwargs) if args or kwargs else None
        replay = self._replays.get(key)
        if replay is not None:
            with lock:
                if trace.entries:
                    synchronize()
                result = replay.run((*args, *kwargs.values()) if kwargs else args)
                if result is not _STALE:
                    self.replays += 1
                    return result
            del self._replays[key]
            self._recordings.pop(key, None)
            self._attempts[key] = 0
        return self._record(key, args, kwargs)

    @property
    def programs(self) -> list[Program]:
        """The programs that are replayed. Each prints as Python."""
        return [run.program for replay in self._replays.values() for run in replay.runs]

    def _key(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        key = (*(self._kind(each) for each in args), *((name, self._kind(each)) for name, each in kwargs.items()))
        try:
            hash(key)
        except TypeError as error:
            raise TypeError(f"capture: an argument of {self._name} is no tensor and cannot be hashed: {error}") from None
        return key

    def _kind(self, argument: Any) -> Any:
        if isinstance(argument, Handle):
            if argument._tracked and argument._node is not None:
                raise RuntimeError(f"capture: an argument of {self._name} is part of a graph; detach() it first")
            return argument._spec, argument._tracked
        return type(argument), argument

    @property
    def _name(self) -> str:
        return getattr(self._step, "__qualname__", repr(self._step))

    def _record(self, key: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if observer.capture is not None:
            return self._step(*args, **kwargs)  # within another captured step it is part of that
        synchronize()
        recording = observer.capture = _Recording()
        try:
            result = self._step(*args, **kwargs)
            looked = recording.looked
            synchronize()
        finally:
            observer.capture = None
        before = self._recordings.get(key)
        self._recordings[key] = recording
        try:
            if looked:
                raise _Refusal(
                    "it looks at a number while it runs (item(), print, `if` on a tensor, numpy()); return the tensor, and look "
                    "at it outside"
                )
            if before is not None:
                self._replays[key] = _Replay(before, recording, (*args, *kwargs.values()), result)
                del self._recordings[key]
            return result
        except _Refusal as refusal:
            self.reason = str(refusal)
            self._attempts[key] = self._attempts.get(key, 1) + 1
            if self._attempts[key] > ATTEMPTS or looked:
                del self._recordings[key]
                self._attempts[key] = 0
                raise RuntimeError(f"capture: {self._name} cannot be replayed: {refusal}") from None
            return result


class _Unwanted(Storage):
    """The place of a result that was alive while the step ran, but is no more."""


class _Replay:
    """A recording bound to memory, ready to run again.

    Attributes:
        run: does it, given the call's arguments; ``_STALE`` where some tensor's memory is no longer where it was.
    """

    def __init__(self, before: _Recording, now: _Recording, arguments: tuple[Any, ...], result: Any) -> None:
        self.before, self.now = before, now
        self.runs = now.runs
        if len(before.runs) != len(now.runs) or any(a.program is not b.program for a, b in zip(before.runs, now.runs)):
            raise _Refusal("what it computes differs from call to call")
        if len(before.draws) != len(now.draws):
            raise _Refusal("it draws random numbers in some calls and not in others")
        self.samples = [sample for _, sample in now.draws]
        self.storages = {id(a._storage): k for k, a in enumerate(arguments) if isinstance(a, Handle)}
        self.made: dict[int, tuple[int, int]] = {}
        self.kept: list[tuple[Storage, Any]] = []
        self.feeds: list[tuple[int, int, Callable[[Any], Any]]] = []  # (run, input, from the call's arguments and draws)
        self.inputs: list[list[Any]] = []
        self.carried: dict[tuple[int, int], list[tuple[int, int]]] = {}
        for number, (first, second) in enumerate(zip(before.runs, now.runs)):
            self.inputs.append([self._input(number, k, first, second) for k in range(len(second.inputs))])
            for position, each in enumerate(second.storages):
                storage = each()
                if storage is not None:
                    self.made[id(storage)] = number, position
        self._find_outputs(result)
        self._find_carried()
        self._compile()

    # Inputs

    def _input(self, number: int, k: int, first: _Run, second: _Run) -> Any:
        """What input ``k`` is when replayed: the value itself, or a place among the feeds."""
        old, new = first.inputs[k], second.inputs[k]
        if not isinstance(new, np.ndarray):
            if type(old) is not type(new) or not (old == new or old != old):
                raise _Refusal(
                    f"a Python number in it changes from call to call ({old!r}, then {new!r}): it would be replayed as {new!r}. "
                    "Make it a tensor (optimizers: capturable=True, or a learning rate that is a tensor)"
                )
            return new
        drawn = self.now.drawn(new)
        if drawn is not None:
            if self.before.drawn(old) != drawn:
                raise _Refusal("it draws random numbers in another order from call to call")
            self.feeds.append((number, k, lambda call, d=drawn: call[1][d]))
            return None
        if id(new) in self.now.shown:
            shown = self.now.shown[id(new)][1]
            if id(old) in self.before.shown and _same_memory(self.before.shown[id(old)][1], shown):
                return shown
        owner = second.owners[k]() if second.owners[k] is not None else None
        if owner is not None and id(owner) in self.storages:
            self._feed_argument(number, k, owner, new)
            return None
        if owner is not None and id(owner) in self.made:  # of an earlier program of this call
            source = self.made[id(owner)]
            self.carried.setdefault(source, []).append((number, k))
            return new
        previous = first.owners[k]() if first.owners[k] is not None else None
        if owner is not None and owner is previous:
            self.kept.append((owner, owner.array))
            return new
        if owner is not None and self._made_before(owner) is not None:
            return ("carried", self._made_before(owner), new)
        if old.shape == new.shape and old.dtype == new.dtype and _equal(old, new):
            return new
        raise _Refusal("it reads data that is made anew in each call; pass it as an argument of the step")

    def _feed_argument(self, number: int, k: int, owner: Any, array: Any) -> None:
        which = self.storages[id(owner)]
        if array is owner.array:
            self.feeds.append((number, k, lambda call, a=which: array_of(call[0][a]._storage)))
            return
        start = array.__array_interface__["data"][0] - owner.array.__array_interface__["data"][0]

        def view(call: Any) -> Any:
            memory = call[0][which]._storage.memory()
            return np.ndarray(array.shape, array.dtype, memory, start, array.strides)

        self.feeds.append((number, k, view))

    def _made_before(self, owner: Any) -> tuple[int, int] | None:
        """Which result of the call before an input is: a gradient that is added to, say."""
        for number, run in enumerate(self.before.runs):
            for position, each in enumerate(run.storages):
                if each() is owner:
                    return number, position
        return None

    # Results

    def _find_outputs(self, result: Any) -> None:
        """For each result: the storage that keeps it, or None where each call returns a new one."""
        returned: dict[int, Any] = {}
        self.shape = _structure(result, returned)
        self.targets: list[list[Storage | None]] = []
        self.fresh: list[tuple[int, int, int]] = []  # (run, position, id of the storage it was)
        for number, (first, second) in enumerate(zip(self.before.runs, self.now.runs)):
            targets: list[Storage | None] = []
            for position, (old, new) in enumerate(zip(first.storages, second.storages)):
                storage = new()
                if storage is not None and old() is storage:
                    targets.append(storage)
                elif storage is not None and id(storage) in returned:
                    targets.append(None)
                    self.fresh.append((number, position, id(storage)))
                else:
                    targets.append(storage if storage is not None else _Unwanted())
            self.targets.append(targets)

    def _find_carried(self) -> None:
        for number, inputs in enumerate(self.inputs):
            for k, each in enumerate(inputs):
                if type(each) is tuple and each and each[0] == "carried":
                    (old_run, position), array = each[1], each[2]
                    target = self.targets[old_run][position]
                    if target is None:
                        raise _Refusal("a result that is returned is also read by the next call")
                    inputs[k] = target.array
                    if inputs[k].shape != array.shape or inputs[k].strides != array.strides:
                        raise _Refusal("what it keeps from call to call lies differently each time")
                    self.carried.setdefault((old_run, position), []).append((number, k))

    def _compile(self) -> None:
        from .native.policy import layouts, policy

        for run in self.runs:
            if run.program.native is None and policy.mode != "reference":
                policy.compile(run.program, layouts(run.inputs))
        self.execute = [self._executor(number) for number in range(len(self.runs))]
        self.carries = list(self.carried.items())
        self.run = self._direct() or self._general

    def _executor(self, number: int) -> Callable[[list[Any]], list[Any]]:
        """A function that runs one program on its inputs and gives the arrays of its results."""
        run, targets = self.runs[number], self.targets[number]
        native: Any = run.program.native
        read_again = {position for (at, position) in self.carried if at == number}
        if native is None:

            def interpret(inputs: list[Any]) -> list[Any]:
                values = list(run.program.run(inputs))
                for position, target in enumerate(targets):
                    if target is not None and target.array is not None and position not in read_again:
                        target.array[...] = values[position]
                        values[position] = target.array
                return values

            return interpret
        plan: list[tuple[Any, Any]] = []  # (make, copy to)
        for position, target in enumerate(targets):
            make = native.makers[position]
            dense = target is not None and target.array is not None and target.array.flags.c_contiguous
            if type(target) is _Unwanted and position not in read_again:
                plan.append((None, make()))
            elif target is None or target.array is None or position in read_again:
                plan.append((make, None))
            elif dense and (native.direct[position] or not self._is_input(target)):
                plan.append((None, target.array))
            else:
                plan.append((make, target.array))
        self.plan = plan
        fixed = [array if make is None else None for make, array in plan]
        made = [(k, make, array) for k, (make, array) in enumerate(plan) if make is not None]

        def compute(inputs: list[Any]) -> list[Any]:
            arrays = fixed.copy()
            for k, make, _ in made:
                arrays[k] = make()
            given = list(arrays)
            if not native.compute(inputs, arrays):
                raise RuntimeError("capture: the memory of a tensor has been laid out anew; capture the step again")
            for k, array in enumerate(fixed):
                if array is not None and arrays[k] is not given[k]:
                    array[...] = arrays[k]
            for k, _, array in made:
                if array is not None:
                    array[...] = arrays[k]
            return arrays

        return compute

    def _is_input(self, target: Storage) -> bool:
        return any(owner is target for owner, _ in self.kept)

    # Running

    def _direct(self) -> Callable[[tuple[Any, ...]], Any] | None:
        """One program that only wants its lists filled in: some microseconds less than the general way."""
        if len(self.runs) != 1 or self.samples or self.carried or self.runs[0].program.native is None:
            return None
        native: Any = self.runs[0].program.native
        if not native.is_simple:
            return None
        inputs = self.inputs[0]
        kept, feeds = tuple(self.kept), [(k, feed) for _, k, feed in self.feeds]
        results = [array for _, array in self.plan]
        makers = [(k, make) for k, (make, array) in enumerate(self.plan) if make is not None and array is None]
        copies = []
        for k, (make, array) in enumerate(self.plan):
            if make is not None and array is not None:
                results[k] = make()
                copies.append((array, results[k]))
        written = [target for target in self.targets[0] if target is not None and type(target) is not _Unwanted]
        layouts, fresh, shape = self.runs[0].program.layouts, self.fresh, self.shape
        constant = shape({}) if not fresh else None

        def run(arguments: tuple[Any, ...]) -> Any:
            for storage, array in kept:
                if storage.array is not array:
                    return _STALE
            for k, feed in feeds:
                inputs[k] = feed((arguments, ()))
            for k, make in makers:
                results[k] = make()
            if native.start(inputs, results):
                return self._general(arguments)  # it failed, or is of another layout
            for array, result in copies:
                array[...] = result
            for storage in written:
                storage.version += 1
            if not fresh:
                return constant
            made = {}
            for _, position, name in fresh:
                storage = made[name] = Storage()
                storage.spec, storage.array = layouts[position], results[position]
            return shape(made)

        return run

    def _general(self, arguments: tuple[Any, ...]) -> Any:
        for storage, array in self.kept:
            if storage.array is not array:
                return _STALE
        call = (arguments, [sample() for sample in self.samples])
        for number, k, feed in self.feeds:
            self.inputs[number][k] = feed(call)
        outputs: list[list[Any]] = []
        for number, execute in enumerate(self.execute):
            arrays = execute(self.inputs[number])
            outputs.append(arrays)
            for (source, position), readers in self.carries:
                if source == number:
                    self._carry(number, position, arrays[position], readers)
        for targets in self.targets:
            for target in targets:
                if target is not None and type(target) is not _Unwanted:
                    target.version += 1
        if not self.fresh:
            return self.shape({})
        made = {}
        for number, position, name in self.fresh:
            storage = Storage()
            storage.spec = self.runs[number].program.layouts[position]
            storage.array = outputs[number][position]
            made[name] = storage
        return self.shape(made)

    def _carry(self, number: int, position: int, array: Any, readers: list[tuple[int, int]]) -> None:
        target = self.targets[number][position]
        if target is not None and target.array is not array:
            target.array, target._bytes = array, None
        for run, k in readers:
            self.inputs[run][k] = array


def _same_memory(first: Any, second: Any) -> bool:
    return (
        first.__array_interface__["data"] == second.__array_interface__["data"]
        and first.shape == second.shape
        and first.strides == second.strides
    )


def _equal(first: Any, second: Any) -> bool:
    return first.tobytes() == second.tobytes()


def _structure(result: Any, returned: dict[int, Any]) -> Callable[[dict[int, Storage]], Any]:
    """A function that builds a result of this structure from storages by the ids of those it had."""
    if isinstance(result, Handle):
        cell, layout, name = result._cell, result._spec, id(result._storage)
        returned[name] = result

        def tensor(made: dict[int, Storage]) -> Any:
            storage = made.get(name)
            if storage is None:
                return result
            return wrap(View(storage, layout, cell.offset) if type(cell) is View else storage, layout)

        return tensor
    if type(result) in (tuple, list):
        parts = [_structure(each, returned) for each in result]
        return lambda made: type(result)([part(made) for part in parts])
    if type(result) is dict:
        named = {key: _structure(each, returned) for key, each in result.items()}
        return lambda made: {key: part(made) for key, part in named.items()}
    return lambda made: result


def capture(step: Callable[..., Any]) -> Captured:
    """``step`` as a program: after two calls that record the same, further calls replay it without running its Python.

    Whatever the step does to tensors that outlive it (parameters, gradients, buffers, the optimizer's state) a replay does to
    the same tensors; tensors it returns are new ones, without a graph. Tensors given as arguments are read anew in each call;
    other arguments, and tensors of another shape or dtype, make a program of their own. Random numbers are drawn from
    the same generators, in the same order.

    Replaying is refused, with the reason, where it would not do what the Python does: a number that Python looks at
    (``item()``), a Python number that changes from call to call (Adam's step count: ``capturable=True`` makes it a tensor),
    data made anew in each call. What the Python does beside tensors (printing, appending to a list) happens only while it is recorded.

    Raises:
        RuntimeError: the step cannot be replayed; the message says why.

    >>> import flambeau as torch
    >>> w = torch.zeros(2, requires_grad=True)
    >>> @torch.capture
    ... def step(x):
    ...     loss = ((w - x) ** 2).sum()
    ...     (gradient,) = torch.autograd.grad(loss, w)
    ...     with torch.no_grad():
    ...         w.sub_(0.25 * gradient)
    ...     return loss
    >>> [step(torch.ones(2)).item() for _ in range(4)]
    [2.0, 0.5, 0.125, 0.03125]
    >>> step.replays
    2
    """
    return Captured(step)
