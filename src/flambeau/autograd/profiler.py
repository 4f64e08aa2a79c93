"""How long each operator takes.

Recorded programs are fused, so that an operator has no time of its own in them. While a profile is on, operators are run
one by one, as the reference tier runs a program it sees for the first time, and each is timed: the table says where the
work is, not how fast the compiled program is.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from time import perf_counter_ns
from typing import Any

from ..tracing import recorder
from .profiler_util import EventList, FunctionEvent

__all__ = ["profile", "record_function"]


class _Session:
    """What is being recorded, and since when."""

    def __init__(self, shapes: bool, memory: bool) -> None:
        self.shapes, self.memory = shapes, memory
        self.events: list[FunctionEvent] = []
        self.open: list[FunctionEvent] = []
        self.began = perf_counter_ns()

    def now(self) -> float:
        """Microseconds since the beginning."""
        return (perf_counter_ns() - self.began) / 1e3

    def begin(self, name: str, shapes: Any = (), own: bool = False) -> FunctionEvent:
        """An event that starts here."""
        event = FunctionEvent(name, self.now(), shapes, len(self.open), own)
        self.events.append(event)
        self.open.append(event)
        return event

    def end(self, event: FunctionEvent) -> None:
        """The event ends here."""
        event.end = self.now()
        while self.open and self.open.pop() is not event:
            continue
        if self.open:
            self.open[-1].children_time += event.cpu_time_total

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
    """Time every operator within a ``with``.

    >>> import flambeau as torch
    >>> with torch.autograd.profiler.profile() as result: _ = torch.ones(2) + 1
    >>> [event.key for event in result.key_averages() if event.key == "aten::add"]
    ['aten::add']
    """

    def __init__(self, enabled: bool = True, *, record_shapes: bool = False, profile_memory: bool = False, **_: Any) -> None:
        self.enabled, self.record_shapes, self.profile_memory = enabled, record_shapes, profile_memory
        self.function_events: EventList | None = None

    def __enter__(self) -> profile:
        if self.enabled:
            if _Active.session is not None:
                raise RuntimeError("Profiler is already enabled on this thread")
            recorder.synchronize()
            self._session = _Active.session = _Session(self.record_shapes, self.profile_memory)
            recorder.observer.run = self._session.run
        return self

    def __exit__(self, *exception: Any) -> None:
        if self.enabled and _Active.session is self._session:
            try:
                recorder.synchronize()
            finally:
                recorder.observer.run = None
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

    What was recorded before it and in it runs before it ends, so that its time is its own.
    """

    def __init__(self, name: str, args: str | None = None) -> None:
        self.name, self.args = name, args

    def __enter__(self) -> record_function:
        session = _Active.session
        if session is not None:
            recorder.synchronize()
            self._event = session.begin(self.name, own=True)
        self._session = session
        return self

    def __exit__(self, *exception: Any) -> None:
        if self._session is not None and _Active.session is self._session:
            recorder.synchronize()
            self._session.end(self._event)

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with type(self)(self.name, self.args):
                return function(*args, **kwargs)

        return wrapped
