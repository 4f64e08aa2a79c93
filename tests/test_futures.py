"""Results that come later."""

from __future__ import annotations

import threading

import pytest

import flambeau as torch
from flambeau.futures import Future, collect_all, wait_all


def test_result_and_callbacks() -> None:
    future: Future = Future()
    seen = []
    following = future.then(lambda f: f.value() + 1)
    future.add_done_callback(lambda f: seen.append(f.value()))
    assert not future.done()
    with pytest.raises(RuntimeError):
        future.value()
    threading.Timer(0.01, future.set_result, (3,)).start()
    assert future.wait() == 3 and following.wait() == 4 and seen == [3]
    with pytest.raises(RuntimeError, match="complete again"):
        future.set_result(4)


def test_exceptions_travel() -> None:
    future: torch.futures.Future = Future()
    following = future.then(lambda f: f.wait())
    future.set_exception(ValueError("no"))
    with pytest.raises(ValueError, match="no"):
        following.wait()


def test_several() -> None:
    futures = [Future() for _ in range(3)]
    both = collect_all(futures)
    for place, each in enumerate(futures):
        assert not both.done()
        each.set_result(place)
    assert [each.value() for each in both.wait()] == wait_all(futures) == [0, 1, 2]
    assert collect_all([]).wait() == []
