"""``capture``: a training step replayed as one program, without running its Python at all."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any
from weakref import ref

import numpy as np

from .autograd.tape import AccumulateGrad, edge_of
from .core.generators import Generator
from .core.storages import Storage, View, window
from .operators.generator import default_generator
from .tracing.handles import Handle, wrap
from .tracing.program import Name, Program
from .tracing.recorder import lock, observer, settle, synchronize, trace

__all__ = ["Captured", "capture"]

#: A step that has not repeated itself after so many calls is refused.
ATTEMPTS = 5
#: Recordings and replays for so many kinds of arguments are kept.
KINDS = 64


class _Run:
    """A program as it ran once: weak references to whose memory its inputs and results are."""

    def __init__(self, program: Program, inputs: Sequence[Any], owners: Sequence[Any], storages: Sequence[Any]) -> None:
        self.program, self.inputs = program, list(inputs)
        self.owners = [None if each is None else ref(each) for each in owners]
        self.storages = [ref(each) for each in storages]
        self.sources: dict[int, tuple[int, int]] = {}  # an input -> the run of this call, and which of its results, it is
        self.used = set(program.outputs)  # the inputs that matter
        self.used.update(o.index for each in program.instructions for o in each.operands if type(o) is Name)

    def owner(self, k: int) -> Any:
        """Whose memory an input is; None for a number, a snapshot, or what is gone."""
        weak = self.owners[k]
        return None if weak is None else weak()


def _stream() -> bytes:
    return Generator.get_state(default_generator).tobytes()


class _Recording:
    """What one call of a step drew, read and ran. It is the recorder's ``observer.capture`` meanwhile."""

    def __init__(self) -> None:
        self.runs: list[_Run] = []
        self.draws: list[tuple[Any, Callable[[], Any]]] = []
        self.shown: dict[int, tuple[Any, Any]] = {}  # a snapshot -> the memory it was taken of
        self.leaves: dict[int, tuple[Any, Any]] = {}  # a leaf that was reached -> itself (weakly), and its gradient before
        self.begun: dict[int, Any] = {}  # a leaf reached in the call before -> its gradient when this call began
        self.plain: list[Any] = []  # what it returned beside tensors
        self._made: dict[int, tuple[Any, int, int]] = {}
        self.looked = self.strayed = False
        self.stream = _stream()

    def has_strayed(self) -> bool:
        """Whether random numbers were drawn that no replay would draw."""
        self.strayed = self.strayed or _stream() != self.stream
        return self.strayed

    def backward(self, tensors: Sequence[Any]) -> None:
        """Gradients are about to be accumulated: note those that the leaves have."""
        pending = [edge[0] for edge in map(edge_of, tensors) if edge is not None]
        seen = set(map(id, pending))
        while pending:
            node = pending.pop()
            if isinstance(node, AccumulateGrad):
                leaf = node.variable
                if leaf is not None:
                    self.leaves.setdefault(id(leaf), (ref(leaf), leaf._grad))
            for edge in node.edges:
                if edge is not None and id(edge[0]) not in seen:
                    seen.add(id(edge[0]))
                    pending.append(edge[0])

    def draw(self, sample: Callable[[], Any]) -> Any:
        """Random numbers are drawn."""
        self.has_strayed()
        made = sample()
        self.stream = _stream()
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
        run = _Run(program, inputs, owners, storages)
        for k, owner in enumerate(owners):
            weak, number, position = self._made.get(id(owner), (None, 0, 0))
            if weak is not None and weak() is owner:
                run.sources[k] = number, position
        self._made.update((id(each), (ref(each), len(self.runs), k)) for k, each in enumerate(storages))
        self.runs.append(run)

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
        key, tensors = self._key(args, kwargs) if args or kwargs else (None, ())
        replay = self._replays.get(key)
        if replay is not None:
            with lock:
                if trace.entries:
                    synchronize()
                result = replay(tensors)
                if result is not _STALE:
                    self.replays += 1
                    return result
            del self._replays[key]
            self._recordings.pop(key, None)
            self._attempts[key] = 0
        return self._record(key, tensors, args, kwargs)

    @property
    def programs(self) -> list[Program]:
        """The programs that are replayed. Each prints as Python."""
        return [run.program for replay in self._replays.values() for run in replay.runs]

    def _key(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, tuple[Any, ...]]:
        """What tells these arguments from others, and the tensors among them."""
        tensors: list[Any] = []
        key: tuple[Any, ...] = (self._kind(args, tensors), self._kind(kwargs, tensors) if kwargs else None)
        if len(tensors) > 1:  # which of them share memory
            first: dict[int, int] = {}
            key = (*key, tuple(first.setdefault(id(each._storage), k) for k, each in enumerate(tensors)))
        try:
            hash(key)
        except TypeError as error:
            raise TypeError(f"capture: an argument of {self._name} is no tensor and cannot be hashed: {error}") from None
        return key, tuple(tensors)

    def _kind(self, argument: Any, tensors: list[Any]) -> Any:
        if isinstance(argument, Handle):
            if argument._tracked and argument._node is not None:
                raise RuntimeError(f"capture: an argument of {self._name} is part of a graph; detach() it first")
            tensors.append(argument)
            return argument._spec, argument._tracked
        if isinstance(argument, (tuple, list)):
            return (type(argument), *(self._kind(each, tensors) for each in argument))
        if type(argument) is dict:
            return (dict, *((name, self._kind(each, tensors)) for name, each in argument.items()))
        return type(argument), repr(argument) if isinstance(argument, float) else argument

    @property
    def _name(self) -> str:
        return getattr(self._step, "__qualname__", repr(self._step))

    def _record(self, key: Any, tensors: tuple[Any, ...], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if observer.capture is not None:
            return self._step(*args, **kwargs)  # within another captured step it is part of that
        synchronize()
        before = self._recordings.get(key)
        recording = observer.capture = _Recording()
        if before is not None:
            recording.begun = {name: leaf._grad for name, (weak, _) in before.leaves.items() if (leaf := weak()) is not None}
        try:
            result = self._step(*args, **kwargs)
            looked = recording.looked
            synchronize()
        finally:
            observer.capture = None
        for kept in (self._recordings, self._replays, self._attempts):
            if len(kept) >= KINDS and key not in kept:
                kept.pop(next(iter(kept)))
        self._recordings[key] = recording
        try:
            if looked:
                raise _Refusal(
                    "it looks at a number while it runs (item(), print, `if` on a tensor, numpy()); return the tensor, and look "
                    "at it outside"
                )
            if recording.has_strayed():
                raise _Refusal("it draws random numbers of a kind that is not drawn again; draw them outside, as an argument")
            _plain(result, recording.plain)
            if before is not None:
                self._replays[key] = _Replay(before, recording, tensors, result)
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


class _Argument(Storage):
    """The place of a result that is written to an argument's memory: of whichever tensor the call is given."""

    def __init__(self, which: int, storage: Storage) -> None:
        self.which, self.spec = which, storage.spec


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
        if not _alike(before.plain, now.plain):
            raise _Refusal("it returns a Python value that changes from call to call; return tensors")
        self.samples = [sample for _, sample in now.draws]
        self.arguments = arguments
        self.storages = {id(a._storage): k for k, a in reversed(list(enumerate(arguments)))}
        self.kept: list[tuple[Storage, Any]] = []
        self.feeds: list[tuple[int, int, Callable[[Any], Any]]] = []  # (run, input, from the call's arguments and draws)
        self.inputs: list[list[Any]] = []
        self.carried: dict[tuple[int, int], list[tuple[int, int]]] = {}
        for number, (first, second) in enumerate(zip(before.runs, now.runs)):
            self.inputs.append([self._input(number, k, first, second) for k in range(len(second.inputs))])
        self._find_gradients()
        self._find_outputs(result)
        self._find_carried()
        owned = [owner for owner, _ in self.kept]
        owned += [each for targets in self.targets for each in targets if type(each) is Storage]
        self.own = frozenset(map(id, owned))
        self._compile()

    def __call__(self, arguments: tuple[Any, ...]) -> Any:
        """Run for these tensors; ``_STALE`` and nothing done where some memory or gradient is not what it was."""
        for each in arguments:
            if id(each._storage) in self.own:
                return _STALE
        for weak, rule, grad in self.gradients:
            leaf = weak()
            if leaf is None or (leaf._grad is not (None if rule == "unset" else grad) and rule != "any"):
                return _STALE
        return self.run(arguments)

    # Gradients

    def _find_gradients(self) -> None:
        """What the leaves' gradients must be when a replay begins, and what they are made.

        A gradient that was None before the call and when it was accumulated must be None again ("unset"); one that was added to
        must be the same tensor ("same"); one that the step itself set to None may be anything ("any").
        """
        self.gradients: list[tuple[Any, str, Any]] = []
        for name, (weak, held) in self.now.leaves.items():
            leaf = weak()
            if leaf is None:
                continue
            if name not in self.before.leaves:
                raise _Refusal("the leaves it accumulates gradients into differ from call to call")
            rule = "same" if held is not None else "unset" if self.now.begun.get(name) is None else "any"
            self.gradients.append((weak, rule, leaf._grad))

    def _set_gradients(self) -> None:
        for weak, rule, grad in self.gradients:
            if rule != "same":
                leaf = weak()
                if leaf is not None:
                    leaf._grad = grad

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
        if k not in second.used:
            return new  # memory that is only written: nothing is known of it
        drawn = self.now.drawn(new)
        if drawn is not None:
            if self.before.drawn(old) != drawn:
                raise _Refusal("it draws random numbers in another order from call to call")
            self.feeds.append((number, k, _Draw(drawn)))
            return None
        if id(new) in self.now.shown:
            shown = self.now.shown[id(new)][1]
            if id(old) in self.before.shown and _same_memory(self.before.shown[id(old)][1], shown):
                return shown
        owner = second.owner(k)
        if owner is not None and id(owner) in self.storages:
            self._feed_argument(number, k, owner, new)
            return None
        if k in second.sources:  # of an earlier program of this call
            if first.sources.get(k) != second.sources[k]:
                raise _Refusal("what it computes differs from call to call")
            self.carried.setdefault(second.sources[k], []).append((number, k))
            return new
        if owner is not None and owner is first.owner(k):
            self.kept.append((owner, owner.array))
            return new
        if owner is not None and self._made_before(owner) is not None:
            return ("carried", self._made_before(owner), new)
        if old.dtype == new.dtype and _same_memory(old, new):
            return new  # too large for a snapshot
        if old.shape == new.shape and old.dtype == new.dtype and _equal(old, new):
            return new
        raise _Refusal("it reads data that is made anew in each call; pass it as an argument of the step")

    def _feed_argument(self, number: int, k: int, owner: Any, array: Any) -> None:
        """Read an input from an argument's memory, where it lies seen from the argument's first element."""
        which = self.storages[id(owner)]
        argument = self.arguments[which]
        start = array.__array_interface__["data"][0] - _address(argument)
        if start == 0 and array.shape == tuple(argument._spec.shape) and _lies(array, argument._spec):
            self.feeds.append((number, k, lambda call: _array(call[0][which])))
            return

        def view(call: Any) -> Any:
            tensor = call[0][which]
            memory = tensor._storage.memory()
            offset = _address(tensor) - memory.__array_interface__["data"][0] + start
            try:
                return np.ndarray(array.shape, array.dtype, memory, offset, array.strides)
            except (TypeError, ValueError):  # beyond its memory
                raise _Elsewhere from None

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
        self.shape = _structure(result, returned, self)
        self.targets: list[list[Storage | None]] = []
        self.written_arguments: dict[int, tuple[Any, int]] = {}
        self.fresh: list[tuple[int, int, int]] = []  # (run, position, id of the storage it was)
        for number, (first, second) in enumerate(zip(self.before.runs, self.now.runs)):
            targets: list[Storage | None] = []
            for position, (old, new) in enumerate(zip(first.storages, second.storages)):
                storage = new()
                if storage is not None and id(storage) in self.storages:
                    which = self.storages[id(storage)]
                    targets.append(_Argument(which, storage))
                    self.written_arguments[which] = storage.spec, _first(self.arguments[which])
                elif storage is not None and old() is storage:
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

        def interpret(inputs: list[Any]) -> list[Any]:
            values = list(run.program.run(inputs))
            for position, target in enumerate(targets):
                if type(target) is Storage and target.array is not None:
                    target.array[...] = values[position]
                    values[position] = target.array
                elif position in read_again:
                    values[position] = np.array(values[position], order="C")
            return values

        if native is None:
            return interpret
        # What may fail halfway leaves alone what was there.
        fails = any(each.primitive.can_fail for each in run.program.instructions)
        plan: list[tuple[Any, Any]] = []  # (make, copy to)
        for position, target in enumerate(targets):
            make = native.makers[position]
            dense = target is not None and target.array is not None and target.array.flags.c_contiguous
            if type(target) is _Unwanted and position not in read_again:
                plan.append((None, make()))
            elif target is None or target.array is None or (position in read_again and type(target) is not Storage):
                plan.append((make, None))
            elif dense and not fails and (native.direct[position] or not self._is_read(target)):
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
                return interpret(inputs)  # some memory is laid out otherwise than when it was compiled
            for k, array in enumerate(fixed):
                if array is not None and arrays[k] is not given[k]:
                    array[...] = arrays[k]
            for k, _, array in made:
                if array is not None:
                    array[...] = arrays[k]
                    arrays[k] = array
            return arrays

        return compute

    def _is_read(self, target: Storage) -> bool:
        """Whether some input may lie in the target's memory."""
        if any(owner is target for owner, _ in self.kept):
            return True
        arrays = [each for inputs in self.inputs for each in inputs if isinstance(each, np.ndarray)]
        return any(np.may_share_memory(each, target.array) for each in arrays)

    # Running

    def _direct(self) -> Callable[[tuple[Any, ...]], Any] | None:
        """One program that only wants its lists filled in: some microseconds less than the general way."""
        if len(self.runs) != 1 or self.samples or self.carried or self.runs[0].program.native is None:
            return None
        native: Any = self.runs[0].program.native
        if not native.is_simple or any(type(target) is _Argument for target in self.targets[0]):
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

        def run(arguments: tuple[Any, ...]) -> Any:
            for storage, array in kept:
                if storage.array is not array:
                    return _STALE
            call = (arguments, ())
            try:
                for k, feed in feeds:
                    inputs[k] = feed(call)
            except _Elsewhere:
                return _STALE
            for k, make in makers:
                results[k] = make()
            if native.start(inputs, results):
                return self._general(arguments)  # it failed, or is of another layout
            for array, result in copies:
                array[...] = result
            for storage in written:
                storage.version += 1
            made = {name: _at_rest(results[position], layouts[position]) for _, position, name in fresh}
            self._set_gradients()
            return shape(made, call)

        return run

    def _general(self, arguments: tuple[Any, ...]) -> Any:
        for storage, array in self.kept:
            if storage.array is not array:
                return _STALE
        for which, at in self.written_arguments.items():
            if arguments[which]._storage.spec is not at[0] or _first(arguments[which]) != at[1]:
                return _STALE
        try:  # (samples are drawn once nothing can be stale)
            feeds = [(number, k, feed((arguments, None))) for number, k, feed in self.feeds if not _draws(feed)]
        except _Elsewhere:
            return _STALE
        call = (arguments, [sample() for sample in self.samples])
        for number, k, value in feeds:
            self.inputs[number][k] = value
        for number, k, feed in self.feeds:
            if _draws(feed):
                self.inputs[number][k] = feed(call)
        outputs: list[list[Any]] = []
        for number, execute in enumerate(self.execute):
            arrays = execute(self.inputs[number])
            outputs.append(arrays)
            for position, target in enumerate(self.targets[number]):
                if type(target) is _Argument:
                    storage = arguments[target.which]._storage
                    storage.array[...] = arrays[position]
                    storage.version += 1
            for (source, position), readers in self.carries:
                if source == number:
                    self._carry(number, position, arrays[position], readers)
        for targets in self.targets:
            for target in targets:
                if target is not None and type(target) is not _Unwanted:
                    target.version += 1
        made = {
            name: _at_rest(outputs[number][position], self.runs[number].program.layouts[position])
            for number, position, name in self.fresh
        }
        self._set_gradients()
        return self.shape(made, call)

    def _carry(self, number: int, position: int, array: Any, readers: list[tuple[int, int]]) -> None:
        target = self.targets[number][position]
        if target is not None and target.array is not array:
            target.array, target._bytes = array, None
        for run, k in readers:
            self.inputs[run][k] = array


class _Elsewhere(Exception):
    """An argument's memory does not hold what the step read beside the argument."""


class _Draw:
    """Gives one of a call's random samples."""

    def __init__(self, which: int) -> None:
        self.which = which

    def __call__(self, call: Any) -> Any:
        return call[1][self.which]


def _draws(feed: Any) -> bool:
    return type(feed) is _Draw


def _first(tensor: Any) -> int:
    """Where a tensor begins in its storage, in elements."""
    cell = tensor._cell
    return cell.offset if type(cell) is View else 0


def _array(tensor: Any) -> Any:
    """The numbers of a tensor at rest."""
    cell = tensor._cell
    if cell.__class__ is View:
        return window(cell.storage.memory(), tensor._spec, cell.offset)
    array = cell.array
    return array if cell.spec is tensor._spec else window(cell.memory(), tensor._spec, 0)


def _address(tensor: Any) -> int:
    return _array(tensor).__array_interface__["data"][0]


def _lies(array: Any, layout: Any) -> bool:
    steps = (step * array.itemsize for step in layout.strides)
    return array.dtype == layout.dtype.numpy and all(n == 1 or a == b for n, a, b in zip(array.shape, array.strides, steps))


def _at_rest(array: Any, layout: Any) -> Storage:
    """A new storage with the numbers of an array that was made for it."""
    storage = Storage()
    storage.spec = layout
    settle(storage, array)
    return storage


def _same_memory(first: Any, second: Any) -> bool:
    return (
        first.__array_interface__["data"] == second.__array_interface__["data"]
        and first.shape == second.shape
        and first.strides == second.strides
    )


def _equal(first: Any, second: Any) -> bool:
    return first.tobytes() == second.tobytes()


def _structure(result: Any, returned: dict[int, Any], replay: _Replay) -> Callable[[dict[int, Storage], Any], Any]:
    """A function that builds a result of this structure from new storages, by the ids of those it had, and the call."""
    if isinstance(result, Handle):
        cell, layout, name = result._cell, result._spec, id(result._storage)
        which = next((k for k, each in enumerate(replay.arguments) if each is result), None)
        if which is not None:
            return lambda made, call: call[0][which]
        if name in replay.storages:
            at = replay.storages[name]
            offset = _first(result) - _first(replay.arguments[at])

            def view(made: dict[int, Storage], call: Any) -> Any:
                argument = call[0][at]
                return wrap(View(argument._storage, layout, _first(argument) + offset), layout)

            return view
        drawn = replay.now.drawn(result._storage.array) if result._storage.array is not None else None
        if drawn is not None:
            raise _Refusal("it returns random numbers as they were drawn; compute something from them, or draw them outside")
        returned[name] = result

        def tensor(made: dict[int, Storage], call: Any) -> Any:
            storage = made.get(name)
            if storage is None:
                return result
            return wrap(View(storage, layout, cell.offset) if type(cell) is View else storage, layout)

        return tensor
    if isinstance(result, (tuple, list)):
        parts = [_structure(each, returned, replay) for each in result]
        kind = type(result)
        make = kind._make if hasattr(kind, "_make") else kind
        return lambda made, call: make([part(made, call) for part in parts])
    if type(result) is dict:
        named = {key: _structure(each, returned, replay) for key, each in result.items()}
        return lambda made, call: {key: part(made, call) for key, part in named.items()}
    return lambda made, call: result


def _plain(result: Any, found: list[Any]) -> None:
    """Collect what a result holds beside tensors."""
    if isinstance(result, (tuple, list)):
        for each in result:
            _plain(each, found)
    elif type(result) is dict:
        for each in result.values():
            _plain(each, found)
    elif result is None or isinstance(result, (bool, int, float, complex, str)):
        found.append(result)
    elif not isinstance(result, Handle):
        raise _Refusal(f"it returns a {type(result).__name__}; return tensors, in tuples, lists or dicts")


def _alike(first: list[Any], second: list[Any]) -> bool:
    return len(first) == len(second) and all(type(a) is type(b) and (a == b or a != a) for a, b in zip(first, second))


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
