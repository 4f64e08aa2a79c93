"""Times are measured with everything computed, and set side by side."""

from __future__ import annotations

import pytest

import flambeau as torch
from flambeau.utils.benchmark import Compare, Timer


def test_measure_and_compare() -> None:
    x = torch.ones(1000)
    results = [
        Timer("x + y", globals={"x": x, "y": y}, label="add", sub_label=str(y), description="one").timeit(5) for y in (1, 2)
    ]
    assert all(each.median > 0 and each.number_per_run == 5 for each in results)
    text = str(Compare(results))
    assert "add" in text and "one" in text and "1 threads" in text and "Times are in" in text
    with pytest.raises(ValueError, match="Measurement"):
        Compare([1])


def test_ranges() -> None:
    calls: list[int] = []
    timer = Timer("calls.append(1)", globals={"calls": calls})
    found = timer.blocked_autorange(min_run_time=0.002)
    assert len(found.times) >= 1 and found.iqr >= 0 and len(calls) >= found.number_per_run * len(found.times)
    assert "measurement" in repr(found)
