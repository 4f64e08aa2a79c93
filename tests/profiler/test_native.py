"""A profile shows compiled programs as they run: the program, its kernels, and whose work each does."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import flambeau
from flambeau import profiler
from flambeau.native.policy import policy
from flambeau.native.watching import watching
from flambeau.tracing.cache import cache
from flambeau.tracing.recorder import observer


@pytest.fixture(autouse=True)
def default_policy(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(policy, "mode", "default")
    flambeau.synchronize()
    flambeau.compiler.reset()
    yield
    flambeau.synchronize()
    flambeau.compiler.reset()


class Training:
    """A small network whose step is compiled."""

    def __init__(self) -> None:
        flambeau.manual_seed(0)
        self.model = flambeau.nn.Sequential(flambeau.nn.Linear(6, 5), flambeau.nn.Tanh(), flambeau.nn.Linear(5, 3))
        self.optimizer = flambeau.optim.SGD(self.model.parameters(), lr=0.1)
        self.x, self.y = flambeau.randn(8, 6), flambeau.randint(0, 3, (8,))
        self.asked = flambeau.compile(self.model)

    def step(self) -> float:
        with profiler.record_function("forward"):
            loss = flambeau.nn.functional.cross_entropy(self.asked(self.x), self.y)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.item()


def test_a_step_runs_its_native_program() -> None:
    plain, profiled = Training(), Training()
    expected = [plain.step() for _ in range(6)]
    found = [profiled.step() for _ in range(3)]
    programs, compiled = len(cache), policy.compiled
    with profiler.profile(record_shapes=True, profile_memory=True) as result:
        found += [profiled.step() for _ in range(3)]
    assert found == expected  # bit for bit: the same kernels
    assert (len(cache), policy.compiled) == (programs, compiled)  # and the same programs
    rows = {each.key: each for each in result.key_averages()}
    program = next(each for key, each in rows.items() if key.startswith("program "))
    kernels = {key: each for key, each in rows.items() if key.startswith("native::")}
    assert program.count == 3 and rows["forward"].count == 3 and not any(key.startswith("aten::") for key in rows)
    assert {"native::matrix_multiply"} < set(kernels) and kernels["native::matrix_multiply"].count % 3 == 0
    operators = {name for each in kernels.values() for name in each.operators}
    assert {"linear", "tanh", "cross_entropy", "tanh_backward"} <= operators or {"linear", "tanh", "cross_entropy"} <= operators
    assert program.cpu_time_total >= sum(each.cpu_time_total for each in kernels.values()) > 0
    table = result.key_averages().table(sort_by="self_cpu_time_total")
    assert "Operators" in table and "native::matrix_multiply" in table and "CPU Mem" in table
    shapes = [each.input_shapes for each in result.events() if each.key == "native::matrix_multiply"]
    assert [8, 6] in shapes[0]


def test_nothing_remains() -> None:
    training = Training()
    for _ in range(2):
        training.step()
    with profiler.profile():
        assert watching.watcher is not None and observer.native
        training.step()
    assert watching.watcher is None and observer.run is None and not observer.native
    with pytest.raises(KeyError), profiler.profile():
        raise KeyError
    assert watching.watcher is None and observer.run is None
    events = len(profiler.profile().events())
    training.step()
    native = cache.programs[-1].native
    assert events == 0 and "run_timed" not in repr(native._call)  # type: ignore[union-attr]


def test_programs_that_are_not_compiled_are_shown_by_operator() -> None:
    x = flambeau.ones(3)
    flambeau.synchronize()
    with profiler.profile() as result:
        (flambeau.exp(x) + 1).tolist()
    keys = {each.key for each in result.key_averages()}
    assert keys == {"aten::exp", "aten::add"} and cache.programs[-1].runs == 1  # which counts towards compiling it


def test_operators_on_request() -> None:
    training = Training()
    for _ in range(2):
        training.step()
    with profiler.profile(with_operators=True) as result:
        training.step()
    keys = {each.key for each in result.key_averages()}
    assert {"aten::linear", "aten::tanh", "forward"} <= keys and not any(key.startswith("native::") for key in keys)


def test_lines_that_numpy_does() -> None:
    x = flambeau.eye(3) * 2
    flambeau.synchronize()
    solve = flambeau.compile(lambda x: (flambeau.linalg.svdvals(x + 0) * 3).sum())
    assert solve(x).item() == 18
    with profiler.profile(profile_memory=True) as result:
        assert solve(x).item() == 18
    rows = {each.key: each for each in result.key_averages()}
    numpy = [each for key, each in rows.items() if key.startswith("numpy::")]
    assert len(numpy) == 1 and numpy[0].operators and numpy[0].cpu_memory_usage > 0


def test_a_step_that_fails_says_so_as_ever() -> None:
    table, index = flambeau.ones(4, 2), flambeau.tensor([0, 9])
    flambeau.synchronize()
    look = flambeau.compile(lambda i: flambeau.nn.functional.embedding(i + 0, table))
    look(flambeau.tensor([0, 1])).tolist()
    flambeau.synchronize()
    with profiler.profile() as result, pytest.raises(IndexError):
        look(index).tolist()
    assert len(result.events()) > 0 and watching.watcher is None


def test_captured_steps() -> None:
    weight = flambeau.zeros(3)

    @flambeau.capture
    def step() -> None:
        weight.add_(1)

    for _ in range(3):
        step()
    with profiler.profile() as result:
        step()
    step()
    assert weight.tolist() == [5, 5, 5] and any(each.key.startswith("native::") for each in result.events())


def test_a_trace_with_rows(tmp_path: Path) -> None:
    training = Training()
    for _ in range(2):
        training.step()
    with profiler.profile() as result:
        training.step()
        other = threading.Thread(target=training.step)
        other.start()
        other.join()
    path = tmp_path / "trace.json"
    result.export_chrome_trace(str(path))
    events = json.loads(path.read_text())["traceEvents"]
    names = {each["tid"]: each["args"]["name"] for each in events if each["ph"] == "M"}
    assert names == {0: "programs", 1: "Python thread 1", 2: "Python thread 2"}
    spans: dict[str, list[Any]] = {}
    for each in events:
        if each["ph"] == "X":
            spans.setdefault(each["cat"], []).append(each)
    assert {each["tid"] for each in spans["user_annotation"]} == {1, 2}
    assert {each["tid"] for each in spans["kernel"] + spans["program"]} == {0}
    for kernel in spans["kernel"]:  # each lies within a program
        assert any(
            each["ts"] <= kernel["ts"] and kernel["ts"] + kernel["dur"] <= each["ts"] + each["dur"] + 1 for each in spans["program"]
        )
        assert "Operators" in kernel["args"] or kernel["name"] == "native::checked"
    assert np.all(np.diff([each["ts"] for each in spans["program"]]) > 0)
