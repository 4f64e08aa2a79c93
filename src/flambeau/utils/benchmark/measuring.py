"""``Timer`` and ``Measurement``."""

from __future__ import annotations

import statistics
import timeit
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ...core.threads import get_num_threads, set_num_threads
from ...tracing import synchronize

_UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}


def select_unit(t: float) -> tuple[str, float]:
    """The unit in which a time in seconds reads best, and its length in seconds."""
    for unit, length in _UNITS.items():
        if t >= length:
            return unit, length
    return "ns", 1e-9


@dataclass(frozen=True)
class TaskSpec:
    """What was measured."""

    stmt: str
    setup: str
    global_setup: str = ""
    label: str | None = None
    sub_label: str | None = None
    description: str | None = None
    env: str | None = None
    num_threads: int = 1

    @property
    def title(self) -> str:
        """The label, or the statement itself."""
        if self.label is not None:
            return self.label + (f": {self.sub_label}" if self.sub_label else "")
        return self.stmt


@dataclass
class Measurement:
    """Times in seconds, each of ``number_per_run`` executions."""

    number_per_run: int
    raw_times: list[float]
    task_spec: TaskSpec
    metadata: dict[str, Any] = field(default_factory=dict)

    @property
    def times(self) -> list[float]:
        """Seconds per execution, one for each run."""
        return [each / self.number_per_run for each in self.raw_times]

    @property
    def mean(self) -> float:
        """The mean time of an execution."""
        return statistics.fmean(self.times)

    @property
    def median(self) -> float:
        """The median time of an execution."""
        return statistics.median(self.times)

    @property
    def iqr(self) -> float:
        """The distance between the quartiles; 0 for fewer than two runs."""
        if len(self.times) < 2:
            return 0.0
        first, _, third = statistics.quantiles(self.times, n=4, method="inclusive")
        return third - first

    def meets_confidence(self, threshold: float = 0.1) -> bool:
        """Whether the quartiles are closer than ``threshold`` times the median."""
        return len(self.times) > 1 and self.iqr / self.median < threshold

    def __repr__(self) -> str:
        unit, length = select_unit(self.median)
        runs = f"{len(self.raw_times)} measurement{'s' if len(self.raw_times) > 1 else ''}"
        threads = self.task_spec.num_threads
        lines = [object.__repr__(self), self.task_spec.title]
        if self.task_spec.description:
            lines.append(self.task_spec.description)
        if len(self.times) == 1:
            lines.append(f"  {self.median / length:.2f} {unit}")
        else:
            lines.append(f"  Median: {self.median / length:.2f} {unit}\n  IQR:    {self.iqr / length:.2f} {unit}")
        lines.append(f"  {runs}, {self.number_per_run} runs {'per measurement' if len(self.times) > 1 else ''}, "
                     f"{threads} thread{'s' if threads > 1 else ''}")  # fmt: skip
        return "\n".join(lines)


class Timer:
    """Runs ``stmt`` many times with ``num_threads`` threads; what it records is computed before the clock stops.

    >>> import flambeau as torch
    >>> timer = torch.utils.benchmark.Timer("x + 1", globals={"x": torch.ones(4)})
    >>> timer.timeit(10).median > 0
    True
    """

    def __init__(
        self,
        stmt: str = "pass",
        setup: str = "pass",
        global_setup: str = "",
        timer: Callable[[], float] = timeit.default_timer,
        globals: dict[str, Any] | None = None,
        label: str | None = None,
        sub_label: str | None = None,
        description: str | None = None,
        env: str | None = None,
        num_threads: int = 1,
        language: Any = "python",
    ) -> None:
        if not isinstance(stmt, str):
            raise ValueError("Currently only a `str` stmt is supported.")
        self._task_spec = TaskSpec(stmt, setup, global_setup, label, sub_label, description, env, num_threads)

        def finished() -> float:
            synchronize()
            return timer()

        self._timer = timeit.Timer(stmt, setup, finished, dict(globals or {}))

    def _run(self, number: int) -> float:
        before = get_num_threads()
        set_num_threads(self._task_spec.num_threads)
        try:
            return max(self._timer.timeit(number), 1e-9)
        finally:
            set_num_threads(before)

    def timeit(self, number: int = 1_000_000) -> Measurement:
        """One run of ``number`` executions, after a short one to warm up."""
        self._run(max(number // 100, 2))
        return Measurement(number, [self._run(number)], self._task_spec)

    def blocked_autorange(
        self, callback: Callable[[int, float], Any] | None = None, min_run_time: float = 0.2
    ) -> Measurement:
        """Runs long enough for the clock, repeated until ``min_run_time`` seconds have gone by."""
        number = 1
        while (taken := self._run(number)) < min_run_time / 1000:
            number *= 10
        times: list[float] = []
        while sum(times) < min_run_time:
            taken = self._run(number)
            times.append(taken)
            if callback is not None:
                callback(number, taken)
        return Measurement(number, times, self._task_spec)

    def adaptive_autorange(
        self, threshold: float = 0.1, *, min_run_time: float = 0.01, max_run_time: float = 10.0,
        callback: Callable[[int, float], Any] | None = None,
    ) -> Measurement:  # fmt: skip
        """:meth:`blocked_autorange` until the quartiles are close, or ``max_run_time`` seconds have gone by."""
        found = self.blocked_autorange(callback, min_run_time)
        while sum(found.raw_times) < max_run_time and not (len(found.times) > 3 and found.meets_confidence(threshold)):
            found.raw_times.append(self._run(found.number_per_run))
        return found
