"""Looking on while calls are recorded."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import flambeau as torch
from flambeau.tracing.recorder import observer, synchronize, trace
from flambeau.tracing.watching import Watch, WatchedEntries


def test_each_call_is_noted_with_its_results() -> None:
    seen: list[Any] = []

    def note(entry: Any) -> str:
        assert trace.entries[-1] is entry and trace.storages[-1].spec is entry[0].result
        seen.append(entry[0].name)
        return entry[0].name.upper()

    x = torch.ones(3)
    with Watch(note):
        y = (x + 1).sum()
        assert trace.entries.notes == ["ADD", "SUM"]  # type: ignore[attr-defined]
        assert y.item() == 6
        z = x * 2
        assert isinstance(trace.entries, WatchedEntries) and trace.entries.notes == ["MUL"]
    assert type(trace.entries) is list and observer.entries is list and observer.run is None
    assert (z - 1).tolist() == [1, 1, 1] and seen == ["add", "sum", "mul"]


def test_what_was_recorded_before_is_not_noted_and_runs_first() -> None:
    x = torch.ones(2) + 1
    with Watch(lambda entry: pytest.fail("nothing is called in here")):
        assert x.tolist() == [2, 2]


def test_run_in_place_of_the_program() -> None:
    ran: list[Any] = []

    def run(entries: Any, inputs: Any, live: Any) -> list[Any]:
        ran.append((entries.notes, list(live)))
        return [np.array([5.0, 6.0], np.float32)]

    x = torch.ones(2)
    synchronize()
    with Watch(lambda entry: entry[0].name, run):
        y = x + 1
        assert y.tolist() == [5, 6]
    assert ran == [(["add"], [0])] and y.tolist() == [5, 6] and (x + 1).tolist() == [2, 2]


def test_watches_within_each_other() -> None:
    outer: list[str] = []
    inner: list[str] = []
    x = torch.ones(1)
    with Watch(lambda entry: outer.append(entry[0].name)):
        a = x + 1
        with Watch(lambda entry: inner.append(entry[0].name)):
            b = x * 2
        c = x - 1
    assert outer == ["add", "sub"] and inner == ["mul"] and (a + b + c).item() == 4


def test_an_error_within_ends_the_watch() -> None:
    with pytest.raises(IndexError), Watch(lambda entry: None):
        torch.ones(2)[torch.tensor([5])].sum().item()
    assert observer.entries is list and (torch.ones(1) + 1).item() == 2
