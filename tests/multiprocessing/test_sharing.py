"""Tensors between processes: one memory, several views of it; failures come home."""

from __future__ import annotations

import os
from typing import Any

import pytest

import flambeau as torch
import flambeau.multiprocessing as mp


def _add(index: int, target: Any) -> None:
    target[index] += index + 1


def _serve(inward: Any, outward: Any) -> None:
    received = inward.get()
    received.mul_(2)
    outward.put("done")
    inward.get()


def _fail(index: int) -> None:
    if index == 1:
        raise ValueError("from the child")
    os.read(os.pipe()[0], 1)


def _exit(index: int) -> None:
    os._exit(7)


def test_processes_write_to_one_memory() -> None:
    target = torch.zeros(3).share_memory_()
    part = target[1:]
    mp.start_processes(_add, (target,), nprocs=3, start_method="fork")
    assert target.tolist() == [1.0, 2.0, 3.0]
    assert part.tolist() == [2.0, 3.0]


def test_a_queue_passes_memory_not_numbers() -> None:
    context = mp.get_context("fork")
    inward, outward = context.Queue(), context.Queue()
    process = context.Process(target=_serve, args=(inward, outward), daemon=True)
    process.start()
    shared = torch.arange(4.0)
    inward.put(shared[1:3])
    assert outward.get(timeout=20) == "done"
    inward.put(None)
    process.join(20)
    assert shared.tolist() == [0.0, 2.0, 4.0, 3.0]


def test_parameters_stay_parameters() -> None:
    reader, writer = mp.Pipe()
    sent = torch.nn.Linear(2, 2)
    writer.send(sent)
    received = reader.recv()
    assert type(received.weight) is torch.nn.Parameter
    with torch.no_grad():
        received.weight.fill_(3.0)
    assert sent.weight.tolist() == [[3.0, 3.0], [3.0, 3.0]]


def test_no_descriptor_is_left() -> None:
    def count() -> int:
        return len(os.listdir("/proc/self/fd"))

    before = count()
    tensor = torch.zeros(10).share_memory_()
    assert tensor.is_shared()
    del tensor
    assert count() == before


def test_a_failure_ends_all_and_is_raised_here() -> None:
    with pytest.raises(mp.ProcessRaisedException, match="from the child") as caught:
        mp.start_processes(_fail, nprocs=2, start_method="fork")
    assert caught.value.error_index == 1
    with pytest.raises(mp.ProcessExitedException, match="exit code 7") as exited:
        mp.start_processes(_exit, nprocs=1, start_method="fork")
    assert exited.value.exit_code == 7


def test_strategies() -> None:
    assert mp.get_sharing_strategy() in mp.get_all_sharing_strategies()
    with pytest.raises(AssertionError):
        mp.set_sharing_strategy("telepathy")
