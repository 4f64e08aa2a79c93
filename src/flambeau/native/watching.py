"""Looking on while native programs run: a watcher is told what each step took.

Programs run as a whole in one call. While there is a watcher they are bound to :func:`run_timed` instead, which runs them one
step after the other; when it leaves they are bound as before, so that it costs nothing when nobody looks on.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter_ns
from typing import Any, Protocol


class Watcher(Protocol):
    """Who is told. Times are ``perf_counter_ns``'s."""

    def program(self, native: Any, began: int) -> None:
        """A native program begins."""

    def step(self, native: Any, step: Any, began: int, ended: int) -> None:
        """A kernel of it, or a line that NumPy did, has run."""

    def over(self, native: Any, ended: int) -> None:
        """It ends."""


class _Watching:
    watcher: Watcher | None = None
    #: What has programs bind anew.
    rebind: list[Callable[[], None]] = []


watching = _Watching()


def watch(watcher: Watcher | None) -> None:
    """Tell ``watcher`` from now on; None: nobody."""
    watching.watcher = watcher
    for each in watching.rebind:
        each()


def run_timed(native: Any, address: int, inputs: list[Any], arrays: list[Any]) -> int:
    """Run a native program step by step; the runtime's status."""
    from .runtime import DONE, runtime

    watcher, run = watching.watcher, runtime()
    if watcher is None:
        return run.call(address, inputs, arrays)
    status = run.prepare(address, inputs, arrays)
    if status != DONE:
        return status
    watcher.program(native, perf_counter_ns())
    try:
        for part in native.parts:
            if not isinstance(part, tuple):
                began = perf_counter_ns()
                native.interpret(part, inputs, arrays)
                watcher.step(native, part, began, perf_counter_ns())
                continue
            for k in range(*part):
                began = perf_counter_ns()
                status = run.run(address, k, k + 1)
                watcher.step(native, native.kernels[k], began, perf_counter_ns())
                if status != DONE:
                    return status
        return status
    finally:
        watcher.over(native, perf_counter_ns())


def operators(native: Any, step: Any) -> list[str]:
    """The operators whose work a step does, as the user called them, in order."""
    names = [each.name for each in getattr(step, "writes", ())] or list(getattr(step, "results", ()))
    for each in native.steps:
        if each.group is not None and any(kernel is step for kernel in each.kernels):
            names = list(each.group.nodes)
    origins = native.program.origins
    return list(dict.fromkeys(origins[name] for name in names if name in origins))
