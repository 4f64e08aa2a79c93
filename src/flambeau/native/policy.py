"""When a program is compiled: once the time it has cost shows that it will pay, in the background, so that no step waits.

A program that recurs with ever new shapes is many programs; each further one of the same operators must have cost twice as
much before it is compiled.

What a function under ``torch.compile`` records is compiled at sight, before its first run; but of the same operators not for
ever more shapes, from some number on such programs wait like others.

``FLAMBEAU_TIER`` says otherwise: ``reference`` compiles nothing, ``native`` compiles each program before its first run.
"""

from __future__ import annotations

import os
import threading
from collections import Counter, deque
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from ..tracing.log import log
from ..tracing.program import Program, tiers

#: A program is compiled when it has run so often or for so many seconds, but at least twice.
OFTEN, LONG = 16, 0.004
#: So many programs of the same operators are compiled before more is asked of the next.
VARIANTS = 4
#: So many are compiled at sight before the next must show that it recurs (PyTorch's limit for recompiling is the same).
AT_SIGHT = 8
MODES = ("default", "reference", "native")


class Layout(NamedTuple):
    """How an input array lies: its shape, and its strides in bytes."""

    shape: tuple[int, ...]
    strides: tuple[int, ...]
    itemsize: int


class Policy:
    """Decides, and compiles.

    Attributes:
        mode: "default", "reference" or "native".
        compiled: how many programs were compiled; ``failures``: how many could not be.
        seconds: spent on compiling, in whichever thread.
    """

    def __init__(self) -> None:
        self.mode = os.environ.get("FLAMBEAU_TIER", "default")
        if self.mode not in MODES:
            raise ValueError(f"FLAMBEAU_TIER is {self.mode!r}; it should be one of {', '.join(MODES)}")
        self.compiled = self.failures = 0
        self.seconds = 0.0
        self._queue: deque[tuple[Program, list[Layout | None]]] = deque()
        self._changed = threading.Condition()
        self._working: int | None = None  # the process whose thread compiles: a fork leaves none
        self._current: tuple[Program, list[Layout | None]] | None = None
        self._variants: Counter[tuple[str, ...]] = Counter()
        os.register_at_fork(after_in_child=self._forget)

    def consider(self, program: Program, inputs: list[Any], at_sight: bool = False) -> None:
        """Have the program compiled where it is time to."""
        if self.mode == "default":
            if at_sight and not program.considered and self._compile_at_sight(program, inputs):
                return
            if program.runs >= 2 and (program.runs >= OFTEN or program.seconds >= LONG) and not program.considered:
                operators = tuple(each.primitive.name for each in program.instructions)
                price = 1 << max(0, self._variants[operators] - VARIANTS)
                if program.runs >= OFTEN * price or program.seconds >= LONG * price:
                    self._variants[operators] += 1
                    program.considered = True
                    self._enqueue(program, layouts(inputs))
        elif self.mode == "native" and not program.runs:
            self.compile(program, layouts(inputs))

    def _compile_at_sight(self, program: Program, inputs: list[Any]) -> bool:
        operators = tuple(each.primitive.name for each in program.instructions)
        if self._variants[operators] >= AT_SIGHT:
            return False
        self._variants[operators] += 1
        program.considered = True
        self._try(program, layouts(inputs))
        return True

    def compile(self, program: Program, inputs: list[Layout | None]) -> None:
        """Compile now."""
        from .execution import NativeProgram

        began = perf_counter()
        native = NativeProgram(program, inputs)
        taken = perf_counter() - began
        if log.kernels:
            log.say(f"; program {program.number}\n" + "\n".join(f";   {line}" for line in str(native).splitlines()))
        if log.cache:
            count = sum(len(step.kernels) for step in native.steps)
            log.say(f"flambeau: program {program.number} compiled: {count} kernels in {taken * 1e3:.1f} ms")
        program.native = native
        self.compiled += 1
        self.seconds += taken

    def _try(self, program: Program, inputs: list[Layout | None]) -> None:
        try:
            self.compile(program, inputs)
        except Exception as failure:  # the reference tier goes on with it
            self.failures += 1
            if log.cache:
                log.say(f"flambeau: program {program.number} was not compiled: {type(failure).__name__}: {failure}")

    def reset(self) -> None:
        """Forget how many programs of the same operators were compiled."""
        self._variants.clear()

    def _enqueue(self, program: Program, inputs: list[Layout | None]) -> None:
        with self._changed:
            self._queue.append((program, inputs))
            self._have_worker()

    def _have_worker(self) -> None:
        if self._working != os.getpid():
            self._working = os.getpid()
            threading.Thread(target=self._work, name="flambeau-compiler", daemon=True).start()
        self._changed.notify_all()

    def _forget(self) -> None:
        """After a fork the child has no thread that compiles: what was left to it is begun anew when one is wanted."""
        self._changed = threading.Condition()
        if self._current is not None:
            self._queue.appendleft(self._current)
            self._current = None

    def _work(self) -> None:
        while True:
            with self._changed:
                self._current = None
                self._changed.notify_all()
                while not self._queue:
                    self._changed.wait()
                self._current = self._queue.popleft()
            self._try(*self._current)

    def wait(self) -> None:
        """Return when everything asked for is compiled."""
        with self._changed:
            while self._queue or self._current is not None:
                self._have_worker()
                self._changed.wait()


def layouts(inputs: list[Any]) -> list[Layout | None]:
    """How the arrays among a program's inputs lie; None for numbers."""
    return [
        Layout(each.shape, each.strides, each.itemsize) if isinstance(each, np.ndarray) else None for each in inputs
    ]


policy = Policy()


def install() -> None:
    """Have programs considered from now on."""
    tiers.consider = policy.consider
