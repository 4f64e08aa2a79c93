"""Where the time goes.

A compiled program is fused, so that an operator has no time of its own in it: a profile shows the program and the kernels it
consists of, run as they always are, and for each the operators whose work it does. A program that is not compiled (yet) is run
operator by operator, each timed. ``with_operators=True`` asks for that of all programs: the table then says where the work is
operator by operator, as the reference tier does it, not how fast the compiled program is.

Beside them stand the stretches of ``record_function``, which are Python: what is recorded in one is computed at the next sync
point, be it in the stretch or after it. With ``with_operators=True`` a stretch begins and ends with one, so that its time is its
own.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Sequence
from time import perf_counter_ns
from typing import Any

from ..native.watching import operators, watch
from ..tracing import recorder
from .profiler_util import EventList, FunctionEvent

__all__ = ["profile", "record_function"]


class _Session:
    """What is being recorded, and since when."""

    def __init__(self, shapes: bool, memory: bool, one_by_one: bool) -> None:
        self.shapes, self.memory, self.one_by_one = shapes, memory, one_by_one
        self.events: list[FunctionEvent] = []
        self._open: dict[int, list[FunctionEvent]] = {}  # by thread
        self._operators: dict[int, tuple[Any, str]] = {}  # by kernel, which is kept so that its id stays its own
        self.began = perf_counter_ns()

    def now(self) -> float:
        """Microseconds since the beginning."""
        return (perf_counter_ns() - self.began) / 1e3

    def begin(self, name: str, shapes: Any = (), category: str = "cpu_op") -> FunctionEvent:
        """An event that starts here."""
        thread = threading.get_ident()
        running = self._open.setdefault(thread, [])
        event = FunctionEvent(name, self.now(), shapes, len(running), category, thread)
        self.events.append(event)
        running.append(event)
        return event

    def end(self, event: FunctionEvent) -> None:
        """The event ends here."""
        event.end = self.now()
        running = self._open[event.thread]
        while running and running.pop() is not event:
            continue
        if running:
            running[-1].children_time += event.cpu_time_total

    # Native programs

    def program(self, native: Any, began: int) -> None:
        """A native program begins."""
        self.begin(f"program {native.program.number}", category="program")

    def step(self, native: Any, step: Any, began: int, ended: int) -> None:
        """A kernel of it, or a line that NumPy did, has run."""
        kernel = hasattr(step, "items")
        event = self.begin(f"native::{step.name}" if kernel else f"numpy::{step.primitive.name}", category="kernel")
        event.start = (began - self.began) / 1e3
        self.end(event)
        event.end = (ended - self.began) / 1e3
        found = self._operators.get(id(step))
        if found is None:
            found = self._operators[id(step)] = step, ", ".join(operators(native, step))
        event.operators = found[1]
        types = native.graph.types
        if self.shapes and kernel:
            event.input_shapes = [list(types[each.name].shape) for each in step.reads]
        if self.memory:
            written = [each.name for each in step.writes] if kernel else step.results
            event.cpu_memory_usage = sum(types[name].numel * types[name].dtype.itemsize for name in written)

    def over(self, native: Any, ended: int) -> None:
        """It ends."""
        self.end(self._open[threading.get_ident()][-1])

    # Programs that are not compiled

    def run(self, entries: Sequence[Any], inputs: Sequence[Any], live: Sequence[int]) -> list[Any]:
        """Run a recording operator by operator; the values that are still needed."""
        from ..tracing.reference import interpret

        values: list[Any] = []
        for rule, *operands in entries:
            arrays = [inputs[-each - 1] if each < 0 else values[each] for each in operands]
            shapes = [list(each.shape) for each in rule.operands if hasattr(each, "shape")] if self.shapes else ()
            event = self.begin(f"aten::{rule.name}", shapes)
            made = interpret(rule.inputs, rule.code, rule.outputs, arrays)
            if self.memory:
                event.cpu_memory_usage = sum(each.nbytes for each in rule.results)
            self.end(event)
            values.extend(made)
        return [values[each] for each in live]


class _Active:
    session: _Session | None = None


class profile:
    """Time every kernel, or with ``with_operators`` every operator, within a ``with``.

    >>> import flambeau as torch
    >>> with torch.autograd.profiler.profile(with_operators=True) as result: _ = torch.ones(2) + 1
    >>> [event.key for event in result.key_averages() if event.key == "aten::add"]
    ['aten::add']
    """

    def __init__(
        self, enabled: bool = True, *, record_shapes: bool = False, profile_memory: bool = False, with_operators: bool = False, **_: Any
    ) -> None:
        self.enabled, self.record_shapes, self.profile_memory = enabled, record_shapes, profile_memory
        self.with_operators = with_operators
        self.function_events: EventList | None = None

    def __enter__(self) -> profile:
        if self.enabled:
            if _Active.session is not None:
                raise RuntimeError("Profiler is already enabled on this thread")
            recorder.synchronize()
            self._session = _Active.session = _Session(self.record_shapes, self.profile_memory, self.with_operators)
            recorder.observer.run, recorder.observer.native = self._session.run, not self.with_operators
            watch(self._session)
        return self

    def __exit__(self, *exception: Any) -> None:
        if self.enabled and _Active.session is self._session:
            try:
                recorder.synchronize()
            finally:
                recorder.observer.run, recorder.observer.native = None, False
                watch(None)
                _Active.session = None
                self.function_events = EventList(self._session.events, self.profile_memory)

    def _events(self) -> EventList:
        if self.function_events is None:
            raise RuntimeError("Profiler didn't finish running")
        return self.function_events

    def events(self) -> EventList:
        """Every event in order."""
        return self._events()

    def key_averages(self, group_by_input_shape: bool = False, **_: Any) -> EventList:
        """One line an operator."""
        return self._events().key_averages(group_by_input_shape)

    def table(self, *args: Any, **kwargs: Any) -> str:
        """The events as a table."""
        return self._events().table(*args, **kwargs)

    def total_average(self) -> Any:
        """All events as one."""
        return self._events().total_average()

    def export_chrome_trace(self, path: str) -> None:
        """Write the events for chrome://tracing."""
        self._events().export_chrome_trace(path)

    @property
    def self_cpu_time_total(self) -> float:
        """The time of all operators, in microseconds."""
        return self._events().self_cpu_time_total

    def __str__(self) -> str:
        return "<unfinished profiler_legacy.profile>" if self.function_events is None else str(self.function_events)


class record_function:
    """A stretch of code under a name of its own in the profile: a context manager and a decorator.

    >>> import flambeau as torch
    >>> with torch.profiler.profile() as result, torch.profiler.record_function("mine"): _ = (torch.ones(2) + 1).tolist()
    >>> [event.count for event in result.key_averages() if event.key == "mine"]
    [1]
    """

    def __init__(self, name: str, args: str | None = None) -> None:
        self.name, self.args = name, args

    def __enter__(self) -> record_function:
        session = _Active.session
        if session is not None:
            if session.one_by_one:
                recorder.synchronize()
            self._event = session.begin(self.name, category="user_annotation")
        self._session = session
        return self

    def __exit__(self, *exception: Any) -> None:
        if self._session is not None and _Active.session is self._session:
            if self._session.one_by_one:
                recorder.synchronize()
            self._session.end(self._event)

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with type(self)(self.name, self.args):
                return function(*args, **kwargs)

        return wrapped
