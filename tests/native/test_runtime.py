"""The runtime: threads share the work and sleep when there is none, forks go on, other Python threads run meanwhile."""

from __future__ import annotations

import ctypes
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import flambeau as torch
from flambeau.native import execution
from flambeau.native.builder import constant, integer
from flambeau.native.code_cache import address_of, compile_kernels
from flambeau.native.kernel import Argument, Kernel, KernelBuilder
from flambeau.native.policy import policy
from flambeau.native.runtime import HEADER, STEP, runtime
from flambeau.tracing.recorder import synchronize


@pytest.fixture(autouse=True)
def _native(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    threads = torch.get_num_threads()
    synchronize()
    monkeypatch.setattr(policy, "mode", "native")
    yield
    synchronize()
    torch.set_num_threads(threads)


def _count(b: KernelBuilder) -> None:
    """Adds one to each item's cell, and notes by which scratch memory it was done."""
    cells, by = b.argument(0), b.argument(1)
    with b.loop(b.begin, b.end) as i:
        at = b.at(cells, "i64", i)
        b.store(b.add(b.load("i64", at), constant("i64", 1)), at)
        b.store(b.convert("ptrtoint", b.scratch, "i64"), b.at(by, "i64", i))
        with b.loop(0, 200):  # some time
            b.store(integer(1), b.scratch)
    b.done()


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_each_item_is_done_once(threads: int) -> None:
    torch.set_num_threads(threads)
    run = runtime()
    run.settle()
    execution.workspace.reserve(0, 4096)
    items = 1000
    kernel = Kernel("count", "test: count", _count, [], [Argument(0), Argument(1)], items, scratch=4096)
    compile_kernels([kernel])
    cells, by = np.zeros(items, np.int64), np.zeros(items, np.int64)
    arguments = np.array([cells.ctypes.data, by.ctypes.data, 0], np.int64)
    for grain in (1, 7, 64):
        steps = np.zeros((50, len(STEP)), np.int64)
        steps[:] = (address_of(kernel), items, arguments.ctypes.data, grain, 0, execution.workspace.table.ctypes.data)
        failure = np.zeros(1, np.int64)
        header = np.zeros(len(HEADER) + 1, np.int64)
        header[HEADER.index("steps")], header[HEADER.index("failure")] = steps.ctypes.data, failure.ctypes.data
        cells[:] = 0
        assert run.run(header.ctypes.data, 0, len(steps)) == 0
        assert (cells == len(steps)).all()
        start, stride = execution.workspace.table
        assert set((by - start) // stride) <= set(range(threads))
        assert ((by - start) % stride == 0).all()


def test_many_steps_with_threads_that_come_and_go() -> None:
    chance = random.Random(1)
    x, y = torch.randn(64, 3000), torch.randn(64, 3000)
    wanted = None
    for _ in range(60):
        torch.set_num_threads(chance.randint(1, 6))
        found = (torch.softmax(x * y, 1) * x).sum(1).numpy()
        wanted = found if wanted is None else wanted
        np.testing.assert_array_equal(found, wanted)


def test_an_idle_process_takes_no_time() -> None:
    torch.set_num_threads(4)
    x = torch.randn(500, 2000)
    for _ in range(5):
        x = torch.tanh(x)
        synchronize()
    time.sleep(0.1)  # those that watch fall asleep
    before = time.process_time()
    time.sleep(0.5)
    assert time.process_time() - before < 0.1


def test_other_threads_run_during_a_long_program() -> None:
    x = torch.randn(1200, 1200)
    (x @ x).sum().item()
    count, done = 0, threading.Event()

    def tick() -> None:
        nonlocal count
        while not done.is_set():
            count += 1
            time.sleep(0.0005)

    other = threading.Thread(target=tick)
    other.start()
    began = time.perf_counter()
    y = x
    for _ in range(12):
        y = torch.sin(y @ x)
    y.sum().item()
    taken = time.perf_counter() - began
    done.set()
    other.join()
    assert count > min(taken, 2) / 0.0005 / 50


def test_threads_that_compute_at_once() -> None:
    failures: list[Any] = []

    def work(seed: int) -> None:
        x = torch.arange(1000.0).reshape(10, 100) + seed
        for _ in range(20):
            found = (x * 2 + 1).sum(1)
            if found.tolist() != [sum((k + seed) * 2 + 1 for k in range(row * 100, row * 100 + 100)) for row in range(10)]:
                failures.append(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert not failures


FORK = """
import os, signal, sys, time
import flambeau as torch
from flambeau.native.policy import policy

n = 50 + int(sys.argv[1])  # code that is on no disk yet
w = torch.zeros(n, 10, requires_grad=True)
optimizer = torch.optim.SGD([w], lr=0.01)

def step(rows):
    x = torch.ones(rows, n)
    loss = torch.nn.functional.cross_entropy(x @ w, torch.zeros(rows, dtype=torch.int64))
    optimizer.zero_grad(); loss.backward(); optimizer.step()
    return loss.item()

for _ in range(20):
    first = step(300)
time.sleep(0.03 * int(sys.argv[1]))  # while something is being compiled
child = os.fork()
if child == 0:
    signal.alarm(50)
    for rows in (300, 301):
        for _ in range(20):
            last = step(rows)
    policy.wait()
    last = step(300)
    os._exit(0 if last < first and torch.get_num_threads() > 0 else 1)
for _ in range(20):
    last = step(300)
_, status = os.waitpid(child, 0)
assert status == 0, status
assert last < first
"""


@pytest.mark.parametrize("moment", [0, 1, 4])
def test_a_child_trains_too(moment: int) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "FLAMBEAU_CACHE_DIR": "", "FLAMBEAU_TIER": "default"}
    subprocess.run([sys.executable, "-c", FORK, str(moment)], env=environment, check=True, timeout=120)


END = """
import flambeau as torch
x = torch.randn(30, 17 + 3)
for _ in range(17):
    torch.nn.functional.gelu(torch.softmax(x.exp().sin(), -1) @ x.T + x.var(1)).sum().item()
"""


def test_a_process_may_end_while_something_is_compiled() -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "FLAMBEAU_CACHE_DIR": "", "FLAMBEAU_TIER": "default"}
    for _ in range(4):
        subprocess.run([sys.executable, "-c", END], env=environment, check=True, timeout=60)


def test_numbers_too_large_for_a_cell_are_left_to_the_reference() -> None:
    x = torch.arange(3)
    assert (x + 1).tolist() == [1, 2, 3]
    assert (x + (1 << 70)).tolist() == [0, 1, 2]  # as the reference has it
    assert (x + 1).tolist() == [1, 2, 3]


def test_the_runtime_reads_python_objects_where_they_are() -> None:
    # The offsets it relies on, against Python's and NumPy's own words.
    array = np.arange(6.0).reshape(2, 3)
    assert ctypes.c_void_p.from_address(id(array) + 16).value == array.ctypes.data
    strides = ctypes.c_void_p.from_address(id(array) + 40).value or 0
    assert [ctypes.c_ssize_t.from_address(strides + 8 * k).value for k in range(2)] == [24, 8]
    items = [array]
    assert ctypes.c_void_p.from_address(ctypes.c_void_p.from_address(id(items) + 24).value or 0).value == id(array)
