"""``flambeau bench``: a few small programs, timed beside PyTorch when it is installed."""

from __future__ import annotations

import os
import statistics
import sys
import time
from argparse import Namespace
from collections.abc import Callable
from typing import Any

from .bench_programs import PROGRAMS
from .commands import CommandError

_ROUNDS = 15


def main(chosen: Namespace) -> int:
    """Time the programs that were asked for."""
    if chosen.list:
        for name, program in PROGRAMS.items():
            print(f"{name:<12} {(program.__doc__ or '').splitlines()[0]}")
        return 0
    unknown = [name for name in chosen.names if name not in PROGRAMS]
    if unknown:
        raise CommandError(f"there is no program {unknown[0]!r}: there are {', '.join(PROGRAMS)}", 2)
    if chosen.seconds <= 0:
        raise CommandError("--seconds must be more than 0", 2)
    threads = chosen.threads or _cores()
    if threads < 1:
        raise CommandError("--threads must be at least 1", 2)
    libraries = _libraries(chosen.alone, threads)
    print(", ".join(f"{name} {module.__version__}" for name, module in libraries.items()) + f"; {threads} threads each")
    if len(libraries) == 1 and not chosen.alone:
        print("PyTorch is not installed beside it, so there is nothing to compare with.")
    for name in chosen.names or PROGRAMS:
        print(_line(name, measure(name, libraries, chosen.seconds)), flush=True)
    if len(libraries) > 1:
        print("ratio: flambeau's time over PyTorch's; below 1, flambeau is faster. On a busy machine it says little.")
    return 0


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _libraries(alone: bool, threads: int) -> dict[str, Any]:
    import flambeau

    from .. import drop_in

    found: dict[str, Any] = {"flambeau": flambeau}
    if not alone and not drop_in.installed():
        try:
            import torch
        except ImportError as error:
            if error.name != "torch":
                print(f"flambeau: PyTorch cannot be imported: {error}", file=sys.stderr)
        else:
            found["torch"] = torch
    for module in found.values():
        module.set_num_threads(threads)
    return found


def measure(name: str, libraries: dict[str, Any], seconds: float) -> dict[str, float]:
    """The median time of a program's step in seconds, by library.

    Rounds alternate between the libraries, so that a busy machine disturbs both alike. Each is given time to compile first.

    >>> import flambeau
    >>> from flambeau.cli.bench import measure
    >>> measure("call", {"flambeau": flambeau}, 0.01)["flambeau"] > 0
    True
    """
    steps: dict[str, Callable[[], Any]] = {library: PROGRAMS[name](module) for library, module in libraries.items()}
    count = 1
    for step in steps.values():
        began = time.perf_counter()
        for turn in range(50):
            step()
            if turn >= 4 and time.perf_counter() - began > seconds / 4:
                break
        began = time.perf_counter()
        step()
        one = max(time.perf_counter() - began, 1e-7)
        count = max(count, int(seconds / (len(steps) * _ROUNDS * one)))
    count = min(count, 10_000)
    times: dict[str, list[float]] = {library: [] for library in steps}
    ends = time.perf_counter() + 3 * seconds
    for turn in range(_ROUNDS):
        for library, step in steps.items():
            began = time.perf_counter()
            for _ in range(count):
                step()
            times[library].append((time.perf_counter() - began) / count)
        if turn >= 2 and time.perf_counter() > ends:
            break
    return {library: statistics.median(each) for library, each in times.items()}


def _line(name: str, found: dict[str, float]) -> str:
    parts = [f"{name:<12}", *(f"{library} {_duration(each)}" for library, each in found.items())]
    if len(found) > 1:
        parts.append(f"ratio {found['flambeau'] / found['torch']:.2f}")
    return "   ".join(parts)


def _duration(seconds: float) -> str:
    """
    >>> from flambeau.cli.bench import _duration
    >>> _duration(0.0123)
    '  12.30 ms'
    """
    units = (("s ", 1.0), ("ms", 1e3), ("µs", 1e6))
    unit, factor = next((each for each in units if seconds * each[1] >= 1), units[-1])
    return f"{seconds * factor:7.2f} {unit}"
