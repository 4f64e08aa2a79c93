"""Profiles count operators, nest the user's stretches, follow schedules, and change no result."""

from __future__ import annotations

import json

import flambeau
from flambeau import profiler


def step(x):
    return (x @ x).relu().sum()


def test_operators_are_counted():
    x = flambeau.ones(4, 4)
    expected = step(x).item()
    with profiler.profile(record_shapes=True, profile_memory=True, with_operators=True) as result:
        values = [step(x) for _ in range(3)]
    assert [each.item() for each in values] == [expected] * 3
    counts = {each.key: each.count for each in result.key_averages()}
    assert counts["aten::mm"] == counts["aten::relu"] == counts["aten::sum"] == 3
    shapes = {each.key: each.input_shapes for each in result.key_averages(group_by_input_shape=True)}
    assert shapes["aten::mm"] == [[4, 4], [4, 4]]
    assert "aten::mm" in result.key_averages().table(sort_by="self_cpu_time_total", row_limit=2)


def test_stretches_hold_what_runs_inside():
    with profiler.profile(with_operators=True) as result, profiler.record_function("mine"):
        value = step(flambeau.ones(4, 4))
    found = {each.key: each for each in result.key_averages()}
    inside = sum(each.cpu_time_total for key, each in found.items() if key != "mine")
    assert found["mine"].cpu_time_total >= inside > 0
    assert value.item() == 64


def test_training_under_a_profile():
    weight = flambeau.ones(3, requires_grad=True)
    optimizer = flambeau.optim.SGD([weight], lr=0.5)
    with flambeau.autograd.profiler.profile():
        for _ in range(2):
            optimizer.zero_grad()
            (weight * weight).sum().backward()
            optimizer.step()
    assert weight.tolist() == [0.0, 0.0, 0.0]


def test_schedules(tmp_path):
    ready = []
    with profiler.profile(
        schedule=profiler.schedule(wait=1, warmup=1, active=2, repeat=1), on_trace_ready=lambda made: ready.append(len(made.events()))
    ) as result:
        for _ in range(6):
            step(flambeau.ones(2, 2)).item()
            result.step()
    assert len(ready) == 1 and ready[0] > 0
    result.export_chrome_trace(str(tmp_path / "trace.json"))
    assert json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
