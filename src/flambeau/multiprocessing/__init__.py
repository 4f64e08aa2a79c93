"""Python's ``multiprocessing``, with tensors that travel between processes as shared memory instead of copies.

Everything of Python's module is here under its name. A tensor put into a ``Queue``, sent through a ``Pipe`` or given to
a ``Process`` arrives as a tensor on the same memory: what one process writes the others see.
"""

from __future__ import annotations

import multiprocessing as _python
from multiprocessing import *  # noqa: F403
from typing import Any

from . import sharing as _sharing
from .spawning import (
    ProcessContext as ProcessContext,
    ProcessExitedException as ProcessExitedException,
    ProcessRaisedException as ProcessRaisedException,
    SpawnContext as SpawnContext,
    spawn as spawn,
    start_processes as start_processes,
)

__all__ = [
    *(name for name in dir(_python) if not name.startswith("_") and name not in ("context", "process", "reducer", "reduction", "sys")),
    "get_all_sharing_strategies", "get_sharing_strategy", "set_sharing_strategy", "spawn", "start_processes",
]  # fmt: skip

_sharing.register()


def set_sharing_strategy(new_strategy: str) -> None:
    """How memory is shared: ``"file_descriptor"`` is the only way here, and leaves nothing behind."""
    if new_strategy not in get_all_sharing_strategies():
        raise AssertionError(f"unknown sharing strategy {new_strategy!r}; there is 'file_descriptor'")


def get_sharing_strategy() -> str:
    """The way memory is shared."""
    return "file_descriptor"


def get_all_sharing_strategies() -> set[str]:
    """The ways there are."""
    return {"file_descriptor"}


def __getattr__(name: str) -> Any:
    return getattr(_python, name)
