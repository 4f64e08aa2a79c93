"""When a program is compiled: once the time it has cost shows that it will pay, in the background, so that no step waits.

A program that recurs with ever new shapes is many programs; each further one of the same operators must have cost twice as
much before it is compiled.

``FLAMBEAU_TIER`` says otherwise: ``reference`` compiles nothing, ``native`` compiles each program before its first run.
"""

from __future__ import annotations

import os
import sys
import threading
from collections import Counter, deque
from typing import Any, NamedTuple

import numpy as np

from ..tracing.program import Program, tiers

#: A program is compiled when it has run so often or for so many seconds, but at least twice.
OFTEN, LONG = 16, 0.004
#: So many programs of the same operators are compiled before more is asked of the next.
VARIANTS = 4
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
    """

    def __init__(self) -> None:
        self.mode = os.environ.get("FLAMBEAU_TIER", "default")
        if self.mode not in MODES:
            raise ValueError(f"FLAMBEAU_TIER is {self.mode!r}; it should be one of {', '.join(MODES)}")
        self.compiled = self.failures = 0
        self._queue: deque[tuple[Program, list[Layout | None]]] = deque()
        self._changed = threading.Condition()
        self._working: int | None = None  # the process whose thread compiles: a fork leaves none
        self._busy = False
        self._variants: Counter[tuple[str, ...]] = Counter()

    def consider(self, program: Program, inputs: list[Any]) -> None:
        """Have the program compiled where it is time to."""
        if self.mode == "default":
            if program.runs >= 2 and (program.runs >= OFTEN or program.seconds >= LONG) and not program.considered:
                operators = tuple(each.primitive.name for each in program.instructions)
                price = 1 << max(0, self._variants[operators] - VARIANTS)
                if program.runs >= OFTEN * price or program.seconds >= LONG * price:
                    self._variants[operators] += 1
                    program.considered = True
                    self._enqueue(program, layouts(inputs))
        elif self.mode == "native" and not program.runs:
            self.compile(program, layouts(inputs))

    def compile(self, program: Program, inputs: list[Layout | None]) -> None:
        """Compile now."""
        from .execution import NativeProgram

        program.native = NativeProgram(program, inputs)
        self.compiled += 1

    def _enqueue(self, program: Program, inputs: list[Layout | None]) -> None:
        with self._changed:
            self._queue.append((program, inputs))
            if self._working != os.getpid():
                self._working = os.getpid()
                threading.Thread(target=self._work, name="flambeau-compiler", daemon=True).start()
            self._changed.notify_all()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._busy = False
                self._changed.notify_all()
                while not self._queue:
                    self._changed.wait()
                program, inputs = self._queue.popleft()
                self._busy = True
            try:
                self.compile(program, inputs)
            except Exception as failure:  # the reference tier goes on with it
                self.failures += 1
                if "cache" in os.environ.get("FLAMBEAU_LOG", ""):
                    print(f"flambeau: a program was not compiled: {type(failure).__name__}: {failure}", file=sys.stderr)
            del program, inputs

    def wait(self) -> None:
        """Return when everything asked for is compiled."""
        with self._changed:
            while self._queue or self._busy:
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
