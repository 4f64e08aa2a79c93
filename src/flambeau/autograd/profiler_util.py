"""What a profile consists of: events, and tables of them by operator."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

__all__ = ["EventList", "FunctionEvent", "FunctionEventAvg"]


def _time(microseconds: float) -> str:
    if microseconds >= 1e6:
        return f"{microseconds / 1e6:.3f}s"
    return f"{microseconds / 1e3:.3f}ms" if microseconds >= 1e3 else f"{microseconds:.3f}us"


def _memory(count: float) -> str:
    for name, size in (("GB", 1 << 30), ("MB", 1 << 20), ("KB", 1 << 10)):
        if abs(count) >= size:
            return f"{count / size:.2f} {name}"
    return f"{int(count)} B"


def _shortened(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 3] + "..."


class FunctionEvent:
    """One run of an operator, a program or a kernel, or a stretch of the user's own.

    Times are in microseconds since the profile began.

    Attributes:
        category: "cpu_op", "program", "kernel" or "user_annotation".
        operators: of a kernel, whose work it does.
        thread: the identity of the Python thread that ran or called it.
    """

    operators = ""

    def __init__(
        self, name: str, start: float, shapes: Any = (), depth: int = 0, category: str = "cpu_op", thread: int = 0
    ) -> None:
        self.name = self.key = name
        self.start, self.end, self.children_time = start, start, 0.0
        self.input_shapes, self.depth, self.category, self.thread = shapes, depth, category, thread
        self.count, self.cpu_memory_usage = 1, 0

    @property
    def is_user_annotation(self) -> bool:
        """Whether it is a stretch of the user's own."""
        return self.category == "user_annotation"

    @property
    def cpu_time_total(self) -> float:
        """How long it took, with what ran inside."""
        return self.end - self.start

    @property
    def self_cpu_time_total(self) -> float:
        """How long it took itself."""
        return max(self.cpu_time_total - self.children_time, 0.0)

    def __repr__(self) -> str:
        return f"<FunctionEvent name={self.name} cpu_time={_time(self.cpu_time_total)} input_shapes={self.input_shapes}>"


class FunctionEventAvg:
    """All runs of one operator together."""

    def __init__(self, key: str, shapes: Any = ()) -> None:
        self.key, self.input_shapes, self.count = key, shapes, 0
        self.cpu_time_total = self.self_cpu_time_total = 0.0
        self.cpu_memory_usage = self.self_cpu_memory_usage = 0
        self.is_user_annotation = False
        self.operators: dict[str, None] = {}  # in order
        # There is no other device: what PyTorch reports of one is zero.
        self.device_time_total = self.self_device_time_total = self.cuda_time = 0.0

    def add(self, event: FunctionEvent) -> FunctionEventAvg:
        """Count one more run."""
        self.count += 1
        self.cpu_time_total += event.cpu_time_total
        self.self_cpu_time_total += event.self_cpu_time_total
        self.cpu_memory_usage += event.cpu_memory_usage
        self.self_cpu_memory_usage += event.cpu_memory_usage
        self.is_user_annotation = event.is_user_annotation
        self.operators.update(dict.fromkeys(each for each in event.operators.split(", ") if each))
        return self

    @property
    def cpu_time(self) -> float:
        """The mean time of a run."""
        return self.cpu_time_total / self.count if self.count else 0.0

    def __repr__(self) -> str:
        return (
            f"<FunctionEventAvg key={self.key} self_cpu_time={_time(self.self_cpu_time_total)} cpu_time={_time(self.cpu_time)} "
            f"count={self.count} input_shapes={self.input_shapes}>"
        )


class EventList(list):
    """A list of events that can be summed up and printed."""

    def __init__(self, events: Iterable[Any] = (), profile_memory: bool = False) -> None:
        super().__init__(events)
        self.profile_memory = profile_memory

    @property
    def self_cpu_time_total(self) -> float:
        """The time of all events, each moment counted once."""
        return float(sum(each.self_cpu_time_total for each in self))

    def key_averages(self, group_by_input_shapes: bool = False, **_: Any) -> EventList:
        """One line an operator (and, when asked, its operands' shapes)."""
        found: dict[Any, FunctionEventAvg] = {}
        for each in self:
            key = (each.key, str(each.input_shapes)) if group_by_input_shapes else each.key
            if key not in found:
                found[key] = FunctionEventAvg(each.key, each.input_shapes if group_by_input_shapes else ())
            found[key].add(each)
        return EventList(found.values(), self.profile_memory)

    def total_average(self) -> FunctionEventAvg:
        """All events as one."""
        total = FunctionEventAvg("Total")
        for each in self:
            total.count += each.count
            total.cpu_time_total += each.self_cpu_time_total
            total.self_cpu_time_total += each.self_cpu_time_total
        return total

    def table(
        self, sort_by: str | None = None, row_limit: int = 100, max_src_column_width: int = 75, max_name_column_width: int = 55,
        max_shapes_column_width: int = 80, header: str | None = None, top_level_events_only: bool = False, **_: Any,
    ) -> str:  # fmt: skip
        """The events as a table, greatest ``sort_by`` first."""
        rows = [each if isinstance(each, FunctionEventAvg) else FunctionEventAvg(each.key, each.input_shapes).add(each) for each in self]
        if sort_by is not None:
            field = sort_by.replace("cuda_", "device_")
            if rows and not hasattr(rows[0], field):
                raise ValueError(f"table() cannot sort by {sort_by!r}; use one of cpu_time_total, self_cpu_time_total, cpu_time, count")
            rows.sort(key=lambda each: getattr(each, field), reverse=True)
        total = sum(each.self_cpu_time_total for each in rows) or 1.0
        shapes, fused = any(each.input_shapes for each in rows), any(each.operators for each in rows)
        names = ["Name", "Self CPU %", "Self CPU", "CPU total %", "CPU total", "CPU time avg"]
        names += ["CPU Mem"] * self.profile_memory + ["# of Calls"] + ["Input Shapes"] * shapes + ["Operators"] * fused
        lines = []
        for each in rows[: row_limit if row_limit >= 0 else None]:
            name = _shortened(each.key, max_name_column_width)
            line = [
                name, f"{100 * each.self_cpu_time_total / total:.2f}%", _time(each.self_cpu_time_total),
                f"{100 * each.cpu_time_total / total:.2f}%", _time(each.cpu_time_total), _time(each.cpu_time),
            ]  # fmt: skip
            line += [_memory(each.cpu_memory_usage)] * self.profile_memory + [str(each.count)]
            line += [str(each.input_shapes)[:max_shapes_column_width]] * shapes
            lines.append(line + [_shortened(", ".join(each.operators), max_name_column_width)] * fused)
        widths = [max(12, *(len(line[k]) for line in [names, *lines])) for k in range(len(names))]
        rule = "  ".join("-" * width for width in widths) + "  "
        text = [rule, "  ".join(each.rjust(width) for each, width in zip(names, widths)) + "  ", rule]
        text += ["  ".join(each.rjust(width) for each, width in zip(line, widths)) + "  " for line in lines]
        head = [header] if header else []
        return "\n".join([*head, *text, rule, f"Self CPU time total: {_time(self.self_cpu_time_total)}", ""])

    def __str__(self) -> str:
        return self.table()

    def export_chrome_trace(self, path: str) -> None:
        """Write the events for chrome://tracing and Perfetto (gzipped when ``path`` ends in .gz)."""
        import gzip
        import json
        import os

        process, native = os.getpid(), 0  # programs and kernels have a row of their own, above the threads that called them
        threads = {ident: k for k, ident in enumerate(dict.fromkeys(each.thread for each in self), 1)}
        rows = {native: "programs", **{k: f"Python thread {k}" for k in threads.values()}}
        events: list[dict[str, Any]] = [
            {"name": "thread_name", "ph": "M", "pid": process, "tid": row, "args": {"name": name}} for row, name in rows.items()
        ]
        for each in self:
            compiled = each.category in ("program", "kernel")
            details = {"Input Dims": str(each.input_shapes), **({"Operators": each.operators} if each.operators else {})}
            events.append({
                "name": each.name, "ph": "X", "ts": each.start, "dur": each.cpu_time_total, "pid": process,
                "tid": native if compiled else threads[each.thread], "cat": each.category, "args": details,
            })  # fmt: skip
        opened = gzip.open(path, "wt") if path.endswith(".gz") else open(path, "w")
        with opened as file:
            json.dump({"schemaVersion": 1, "traceEvents": events}, file)
