"""Programs: what is recorded, when it runs, what it prints."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest

import flambeau as torch
from flambeau.tracing import cache as cache_module
from flambeau.tracing.cache import cache
from flambeau.tracing.program import Program, namespace, tiers
from flambeau.tracing.recorder import LIMIT, trace


@pytest.fixture(autouse=True)
def reference_tier(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests look at how the reference tier runs a program."""
    monkeypatch.setattr(tiers, "consider", None)
    cache.clear()


@pytest.fixture(autouse=True)
def empty_cache() -> Iterator[None]:
    torch.synchronize()
    cache.clear()
    yield
    torch.synchronize()


def copied(values: Sequence[Any]) -> list[Any]:
    return [each.copy() if isinstance(each, np.ndarray) else each for each in values]


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Program, list[Any], list[Any]]]:
    """Every program run, with copies of its inputs and outputs."""
    seen: list[tuple[Program, list[Any], list[Any]]] = []
    run = Program.run

    def watched(self: Program, inputs: Sequence[Any]) -> Sequence[Any]:
        before = copied(inputs)
        outputs = run(self, inputs)
        seen.append((self, before, copied(outputs)))
        return outputs

    monkeypatch.setattr(Program, "run", watched)
    return seen


def workload() -> list[float]:
    """A little of everything: convolution, views, writes through views, reductions, sorting, a backward pass."""
    torch.manual_seed(0)
    x = torch.randn(2, 3, 8, 8)
    convolution = torch.nn.Conv2d(3, 4, 3, padding=1)
    y = torch.nn.functional.max_pool2d(torch.relu(convolution(x)), 2)
    loss = torch.nn.functional.cross_entropy(y.flatten(1)[:, :5], torch.tensor([1, 4]))
    loss.backward()
    z = torch.zeros(4, 4)
    z[1:3].add_(1)
    z.t()[0] = torch.arange(4.0)
    z[z > 1] *= 2
    values, indices = z.sort(descending=True)
    weight = convolution.weight.grad.norm()
    return [loss.item(), z.sum().item(), values[0, 0].item(), float(indices.sum()), weight.item()]


def test_a_printed_program_run_again_gives_the_same(runs: list[Any]) -> None:
    first = workload()
    assert workload() == first
    assert runs
    for program, inputs, outputs in runs:
        names = namespace()
        exec(program.source(), names)
        with np.errstate(all="ignore"):
            again = names["program"](copied(inputs))
        for mine, theirs in zip(again, outputs, strict=True):
            np.testing.assert_array_equal(mine, theirs)


def test_interpreted_and_compiled_runs_agree() -> None:
    assert workload() == workload() == workload()


def test_a_step_that_comes_back_is_one_program() -> None:
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    for step in range(5):
        loss = ((w * 3 - 1) ** 2).sum()
        loss.backward()
        with torch.no_grad():
            w -= 0.1 / (step + 1) * w.grad
        w.grad.zero_()
        torch.synchronize()
    assert len(cache) <= 2  # the first step makes w.grad, the others update it
    assert cache.hits >= 3


def test_changing_numbers_make_no_new_programs() -> None:
    x = torch.ones(3)
    for k in range(6):
        (x * (k + 0.5) + k).sum().item()
    assert len(cache) == 2  # float and int are different kinds of number; the values are not part of the key


def test_dead_results_are_not_computed(runs: list[Any]) -> None:
    x = torch.tensor([1.0, 1.0, 1.0])
    dead = x.exp()
    alive = x + 1
    del dead
    torch.synchronize()
    assert [each.primitive.name for each in runs[-1][0].instructions] == ["add"]
    assert alive.tolist() == [2, 2, 2]


def test_nothing_held_runs_nothing(runs: list[Any]) -> None:
    torch.ones(3).exp()
    torch.synchronize()
    assert not runs


def test_the_same_work_is_done_once(runs: list[Any]) -> None:
    x = torch.ones(3)
    y = (x * 2).exp() + (x * 2).exp()
    z = x.exp() + x.exp()
    torch.synchronize()
    assert [each.primitive.name for each in runs[-1][0].instructions].count("exp") == 3
    assert y.shape == z.shape


def test_pending_entries_are_bounded() -> None:
    x = torch.zeros(2)
    for _ in range(LIMIT + 10):
        x = x + 1
    assert len(trace.entries) <= LIMIT + 1
    assert x[0].item() == LIMIT + 10


def test_the_cache_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "CAPACITY", 8)
    for size in range(1, 30):
        torch.ones(size).exp().sum().item()
    assert len(cache) <= 8


def test_a_failing_program_names_the_operator_and_leaves_the_recorder_usable() -> None:
    x = torch.tensor([1, 2, 3])
    kept = x + 1
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        bad = x // (x - x)
        after = bad + 1
        torch.synchronize()
    assert kept.tolist() == [2, 3, 4]
    with pytest.raises(RuntimeError, match="never computed"):
        after.tolist()
    assert (x * 2).tolist() == [2, 4, 6]


def test_argument_errors_do_not_wait() -> None:
    with pytest.raises(RuntimeError, match="must match"):
        torch.ones(2) + torch.ones(3)
    with pytest.raises(IndexError):
        torch.ones(2).sum(3)


def test_numpy_sees_writes_and_writes_are_seen() -> None:
    x = torch.zeros(3)
    array = x.numpy()
    x += 1
    assert array.tolist() == [1, 1, 1]
    y = x * 2
    array[0] = 100
    assert y.tolist() == [2, 2, 2]
    assert (x + 0).tolist() == [100, 1, 1]
    big = np.zeros(100_000, np.float32)
    shared = torch.from_numpy(big)
    total = shared.sum()
    big[:] = 1
    assert total.item() == 0 and shared.sum().item() == 100_000


def test_a_buffer_is_stable() -> None:
    x = torch.zeros(4)
    place = x.data_ptr()
    for _ in range(3):
        x.mul_(2).add_(1)
        x[1:].sub_(0.5)
    assert x.data_ptr() == place


def test_results_do_not_share_memory_with_inputs() -> None:
    x = torch.ones(3)
    x.tolist()
    y = x.clone()
    z = x.clone()
    torch.synchronize()
    y.add_(1)
    assert x.tolist() == [1, 1, 1] and z.tolist() == [1, 1, 1]


def test_threads_share_the_recorder() -> None:
    wrong: list[float] = []

    def work(seed: int) -> None:
        for k in range(200):
            x = torch.full((4,), float(seed))
            value = ((x * k + 1) - x * k).sum().item()
            if value != 4:
                wrong.append(value)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert not wrong


def test_grad_mode_belongs_to_a_thread() -> None:
    seen: list[bool] = []
    with torch.no_grad():
        thread = threading.Thread(target=lambda: seen.append(torch.is_grad_enabled()))
        thread.start()
        thread.join()
    assert seen == [True]


def test_pending_work_survives_a_fork() -> None:
    import os

    x = torch.arange(4) * 2
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, str(x.sum().item()).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reading, 100) == b"12"
    assert x.tolist() == [0, 2, 4, 6]


def test_memory_is_freed_with_the_last_tensor() -> None:
    import weakref

    gc.collect()
    gc.disable()
    try:
        x = torch.ones(1000) * 2
        torch.synchronize()
        array = weakref.ref(x._cell)
        del x
        assert array() is None
    finally:
        gc.enable()


def test_memory_only_the_trace_holds_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    from flambeau.tracing import recorder

    monkeypatch.setattr(recorder, "HELD_BYTES", 1 << 20)
    torch.synchronize()
    trace.reset()
    total = torch.zeros(())
    for _ in range(50):
        total = total + torch.rand(64, 1024).sum()  # 256 KiB each, wanted by nobody else
        assert trace.bytes <= 1 << 21
    big = torch.rand(1024, 1024)
    torch.synchronize()
    kept = [big + k for k in range(5)]
    assert trace.entries, "an input somebody else holds does not end the trace"
    assert len(kept) == 5


def test_an_interrupted_run_leaves_everything_pending(monkeypatch: pytest.MonkeyPatch) -> None:
    x = torch.ones(3) * 2

    def interrupt(self: Program, inputs: Sequence[Any]) -> Sequence[Any]:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Program, "run", interrupt)
        with pytest.raises(KeyboardInterrupt):
            x.tolist()
    assert x.tolist() == [2, 2, 2]
