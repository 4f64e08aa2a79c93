"""Timing libraries in one run: turns alternate between them, so that a noisy machine disturbs all alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

#: A turn lasts about so many seconds, and has at most so many calls.
TURN, MOST = 0.02, 2000


def measure(
    calls: dict[str, Callable[[], object]], number: int | dict[str, int], rounds: int = 31, seconds: float = float("inf"),
    finish: Callable[[], object] = lambda: None,
) -> dict[str, float]:  # fmt: skip
    """The median time of one call, in microseconds, for each entry.

    In each round every entry has its turn of ``number`` calls, after one that is not timed. Calls may leave work pending:
    ``finish`` does it, within the time of the turn. When the rounds have taken ``seconds`` no further one is begun.
    """
    times: dict[str, list[float]] = {name: [] for name in calls}
    counts = number if isinstance(number, dict) else dict.fromkeys(calls, number)
    began = time.perf_counter()
    for k in range(rounds):
        for name, call in calls.items():
            call()
            finish()
            times[name].append(turn(call, counts[name], finish))
        if time.perf_counter() - began > seconds and k >= 2:
            break
    return {name: statistics.median(values) * 1e6 for name, values in times.items()}


def turn(call: Callable[[], object], count: int, finish: Callable[[], object]) -> float:
    """Seconds for one of so many calls."""
    began = time.perf_counter()
    for _ in range(count):
        call()
    finish()
    return (time.perf_counter() - began) / count


def suitable(call: Callable[[], object], finish: Callable[[], object] = lambda: None) -> int:
    """How many calls fill a turn."""
    best = min(turn(call, count, finish) for count in (1, 3, 3))
    return max(1, min(MOST, int(TURN / max(best, 1e-9))))


def show(title: str, found: dict[str, float], base: str = "torch") -> None:
    """One line: each median and its ratio to the base's."""
    texts = [f"{name} {value:8.2f} µs" for name, value in found.items()]
    ratio = min(value for name, value in found.items() if name != base) / found[base]
    print(f"{title:44s} {'   '.join(texts)}   ratio {ratio:.2f}")
