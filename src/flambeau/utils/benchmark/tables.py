"""``Compare``: measurements side by side."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .measuring import Measurement, select_unit


class Compare:
    """A table for each label: a row for each sub-label and number of threads, a column for each description."""

    def __init__(self, results: list[Measurement]) -> None:
        self._results: list[Measurement] = []
        self.extend_results(results)

    def extend_results(self, results: Iterable[Any]) -> None:
        """Add measurements.

        Raises:
            ValueError: something else is among them.
        """
        for each in results:
            if not isinstance(each, Measurement):
                raise ValueError(f"Expected an instance of `Measurement`, got {type(each)} instead.")
            self._results.append(each)

    def __str__(self) -> str:
        labels = list(dict.fromkeys(each.task_spec.label or each.task_spec.stmt for each in self._results))
        return "\n".join(self._table(label) for label in labels)

    def print(self) -> None:
        """Print the tables."""
        print(self)

    def _table(self, label: str) -> str:
        chosen = [each for each in self._results if (each.task_spec.label or each.task_spec.stmt) == label]
        columns = list(dict.fromkeys(each.task_spec.description or "" for each in chosen))
        unit, length = select_unit(min(each.median for each in chosen))
        rows: dict[tuple[int, str], dict[str, str]] = {}
        for each in chosen:
            key = each.task_spec.num_threads, each.task_spec.sub_label or each.task_spec.stmt
            rows.setdefault(key, {})[each.task_spec.description or ""] = f"{each.median / length:.1f}"
        first = max([10, *(len(name) + 6 for _, name in rows)])
        width = max([6, *map(len, columns)]) + 2
        lines = ["  |".join([" " * first, *(column.center(width) for column in columns)])]
        lines.insert(0, f"[ {label} ]".center(len(lines[0]), "-"))
        threads = None
        for (count, name), cells in sorted(rows.items(), key=lambda row: row[0][0]):
            if count != threads:
                threads = count
                lines.append(f"{count} threads: ".ljust(len(lines[1]), "-"))
            lines.append("  |".join([("      " + name).ljust(first), *(cells.get(c, "").rjust(width) for c in columns)]))
        names = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}
        return "\n".join([*lines, "", f"Times are in {names[unit]} ({unit}).", ""])
