"""Timing libraries in one run: turns alternate between them, so that a noisy machine disturbs all alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

#: A turn lasts about so many seconds; a call longer than ``LONG`` is timed by itself.
TURN, LONG = 0.02, 0.001
#: At most so many calls a turn.
MOST = 2000


def measure(
    calls: dict[str, Callable[[], object]], number: int | None = None, rounds: int = 31, seconds: float = float("inf"),
    finish: Callable[[], object] = lambda: None,
) -> dict[str, float]:  # fmt: skip
    """The median time of one call, in microseconds, for each entry.

    Each round times ``number`` calls of every entry (None: as many as fill a turn), after one that is not timed. When the
    rounds have taken ``seconds`` no further one is begun. Calls may leave work pending: ``finish`` does it, within the time of
    the turn, and of the call where calls are timed by themselves.
    """
    times: dict[str, list[float]] = {name: [] for name in calls}
    counts = {name: number or _count(call) for name, call in calls.items()}
    began = time.perf_counter()
    for k in range(rounds):
        for name, call in calls.items():
            call()
            finish()
            times[name] += _turn(call, counts[name], finish)
        if time.perf_counter() - began > seconds and k >= 2:
            break
    return {name: statistics.median(values) * 1e6 for name, values in times.items()}


def _turn(call: Callable[[], object], count: int, finish: Callable[[], object]) -> list[float]:
    if count * LONG > TURN * 2:  # short calls: the clock itself would be seen
        began = time.perf_counter()
        for _ in range(count):
            call()
        finish()
        return [(time.perf_counter() - began) / count]
    made = []
    for _ in range(count):
        began = time.perf_counter()
        call()
        finish()
        made.append(time.perf_counter() - began)
    return made


def _count(call: Callable[[], object]) -> int:
    best = float("inf")
    for _ in range(4):
        began = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - began)
        if best > TURN:
            break
    return max(1, min(MOST, int(TURN / max(best, 1e-9))))


def show(title: str, found: dict[str, float], base: str = "torch") -> None:
    """One line: each median and its ratio to the base's."""
    texts = [f"{name} {value:8.2f} µs" for name, value in found.items()]
    ratio = min(value for name, value in found.items() if name != base) / found[base]
    print(f"{title:44s} {'   '.join(texts)}   ratio {ratio:.2f}")
