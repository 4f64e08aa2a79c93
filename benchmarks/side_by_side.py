"""Timing two libraries in one run: rounds alternate between them, so that a noisy machine disturbs both alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable


def measure(calls: dict[str, Callable[[], object]], number: int, rounds: int = 31) -> dict[str, float]:
    """The median time of one call, in microseconds, for each entry; each round times ``number`` calls of every entry."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        for _ in range(max(number // 4, 3)):
            call()
    for _ in range(rounds):
        for name, call in calls.items():
            began = time.perf_counter()
            for _ in range(number):
                call()
            times[name].append((time.perf_counter() - began) / number * 1e6)
    return {name: statistics.median(values) for name, values in times.items()}


def show(title: str, found: dict[str, float], base: str = "torch") -> None:
    """One line: each median and its ratio to the base's."""
    texts = [f"{name} {value:8.2f} µs" for name, value in found.items()]
    ratio = min(value for name, value in found.items() if name != base) / found[base]
    print(f"{title:44s} {'   '.join(texts)}   ratio {ratio:.2f}")
