"""``profile`` with a schedule of steps, and what becomes of the traces."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterable
from typing import Any

from .. import autograd
from ..autograd.profiler_util import EventList
from .activities import ProfilerAction, ProfilerActivity

__all__ = ["ExecutionTraceObserver", "profile", "schedule", "tensorboard_trace_handler"]


def schedule(
    *, wait: int, warmup: int, active: int, repeat: int = 0, skip_first: int = 0, skip_first_wait: int = 0
) -> Callable[[int], ProfilerAction]:
    """Steps to skip, then cycles of steps to wait, to warm up and to record; ``repeat`` cycles (0: without end).

    >>> import flambeau as torch
    >>> plan = torch.profiler.schedule(wait=1, warmup=1, active=2, repeat=1)
    >>> [plan(step).name for step in range(5)]
    ['NONE', 'WARMUP', 'RECORD', 'RECORD_AND_SAVE', 'NONE']
    """
    if wait < 0 or warmup < 0 or active <= 0 or repeat < 0 or skip_first < 0:
        raise AssertionError("Invalid profiler schedule arguments")

    def action(step: int) -> ProfilerAction:
        if step < 0:
            raise AssertionError("step must be non-negative")
        if step < skip_first:
            return ProfilerAction.NONE
        step -= skip_first
        if skip_first_wait:  # the first cycle does not wait
            step += wait
        length = wait + warmup + active
        if repeat and step // length >= repeat:
            return ProfilerAction.NONE
        place = step % length
        if place < wait:
            return ProfilerAction.NONE
        if place < wait + warmup:
            return ProfilerAction.WARMUP
        return ProfilerAction.RECORD if place < length - 1 else ProfilerAction.RECORD_AND_SAVE

    return action


def tensorboard_trace_handler(
    dir_name: str, worker_name: str | None = None, use_gzip: bool = False, use_python_export: bool = False
) -> Callable[[Any], None]:
    """For ``on_trace_ready``: writes each trace into ``dir_name`` where TensorBoard looks for them."""
    worker = worker_name or f"{socket.gethostname()}_{os.getpid()}"

    def handle(result: Any) -> None:
        os.makedirs(dir_name, exist_ok=True)
        end = ".pt.trace.json.gz" if use_gzip else ".pt.trace.json"
        result.export_chrome_trace(os.path.join(dir_name, f"{worker}.{time.time_ns()}{end}"))

    return handle


def _always(step: int) -> ProfilerAction:
    return ProfilerAction.RECORD


_RECORDING = (ProfilerAction.RECORD, ProfilerAction.RECORD_AND_SAVE)


class profile:
    """Time what runs, within a ``with`` or between ``start()`` and ``stop()``.

    Programs that are compiled are shown by their kernels ("native::…", with the operators each does the work of), other
    programs operator by operator ("aten::…").

    Args:
        activities: whose work to record; the CPU's is all there is.
        schedule: from the number of a step to what to do in it; then call ``step()`` after each.
        on_trace_ready: called with this object whenever a recording is complete.
        record_shapes: note the operands' shapes.
        profile_memory: note the memory of results.
        with_operators: run every program operator by operator; the times are then the reference tier's.

    >>> import flambeau as torch
    >>> with torch.profiler.profile(with_operators=True) as result: _ = torch.ones(2) + 1
    >>> "aten::add" in result.key_averages().table(sort_by="cpu_time_total")
    True
    """

    def __init__(
        self, *, activities: Iterable[Any] | None = None, schedule: Callable[[int], ProfilerAction] | None = None,
        on_trace_ready: Callable[..., Any] | None = None, record_shapes: bool = False, profile_memory: bool = False,
        with_stack: bool = False, with_flops: bool = False, with_modules: bool = False, experimental_config: Any = None,
        execution_trace_observer: Any = None, acc_events: bool = False, use_cuda: bool | None = None,
        custom_trace_id_callback: Any = None, post_processing_timeout_s: float | None = None,
        with_operators: bool = False,
    ) -> None:  # fmt: skip
        self.activities = set(activities) if activities else {ProfilerActivity.CPU}
        self.schedule, self.on_trace_ready = schedule or _always, on_trace_ready
        self.record_shapes, self.profile_memory, self.acc_events = record_shapes, profile_memory, acc_events
        self.with_operators = with_operators
        self.step_num = 0
        self.current_action = self.schedule(0)
        self.profiler: Any = None
        self._kept: list[Any] = []
        self._found = EventList((), profile_memory)

    def __enter__(self) -> profile:
        self.start()
        return self

    def __exit__(self, *exception: Any) -> None:
        self.stop()

    def start(self) -> None:
        """Begin with the first step."""
        if self.current_action in _RECORDING:
            self._begin()

    def stop(self) -> None:
        """End; a recording under way is complete."""
        if self.profiler is not None:
            self._finish()
            self._deliver()

    def step(self) -> None:
        """A step of the schedule is over."""
        previous = self.current_action
        self.step_num += 1
        self.current_action = self.schedule(self.step_num)
        if self.profiler is not None and (previous is ProfilerAction.RECORD_AND_SAVE or self.current_action not in _RECORDING):
            self._finish()
            if previous is ProfilerAction.RECORD_AND_SAVE:
                self._deliver()
        if self.profiler is None and self.current_action in _RECORDING:
            self._begin()

    def _begin(self) -> None:
        self.profiler = autograd.profiler.profile(
            record_shapes=self.record_shapes, profile_memory=self.profile_memory, with_operators=self.with_operators
        )
        self.profiler.__enter__()

    def _finish(self) -> None:
        self.profiler.__exit__(None, None, None)
        events = self.profiler.events()
        self.profiler = None
        self._kept = [*self._kept, *events] if self.acc_events else list(events)
        self._found = EventList(self._kept, self.profile_memory)

    def _deliver(self) -> None:
        if self.on_trace_ready is not None:
            self.on_trace_ready(self)

    def events(self) -> EventList:
        """Every event of the last recording."""
        return self._found

    def key_averages(self, group_by_input_shape: bool = False, group_by_stack_n: int = 0, **_: Any) -> EventList:
        """One line an operator or kernel."""
        return self._found.key_averages(group_by_input_shape)

    def export_chrome_trace(self, path: str) -> None:
        """Write the last recording for chrome://tracing and Perfetto."""
        self._found.export_chrome_trace(path)


class ExecutionTraceObserver:
    """Writes the operators that run, in order, as JSON.

    ``register_callback(path)``, then ``start()`` and ``stop()`` around what to observe.
    """

    def __init__(self) -> None:
        self._path: str | None = None
        self._profile: Any = None

    def register_callback(self, output_file_path: str) -> ExecutionTraceObserver:
        """Write to this file."""
        self._path = output_file_path
        return self

    def unregister_callback(self) -> None:
        """Stop, and write nowhere further."""
        self.stop()
        self._path = None

    def is_registered(self) -> bool:
        """Whether there is a file to write to."""
        return self._path is not None

    def get_output_file_path(self) -> str | None:
        """The file."""
        return self._path

    def start(self) -> None:
        """Observe from here."""
        if self._path is not None and self._profile is None:
            self._profile = autograd.profiler.profile(record_shapes=True, with_operators=True).__enter__()

    def stop(self) -> None:
        """Observe no further, and write."""
        if self._profile is not None:
            self._profile.__exit__(None, None, None)
            import json

            nodes = [
                {"id": place, "name": each.name, "inputs": {"shapes": each.input_shapes}}
                for place, each in enumerate(self._profile.events())
            ]
            with open(self._path, "w") as file:  # type: ignore[arg-type]
                json.dump({"schema": "1", "nodes": nodes}, file)
            self._profile = None
