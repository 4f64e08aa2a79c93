"""How many threads a computation may use. Set by the user, read by whatever runs programs."""

from __future__ import annotations

import os
from typing import Any

__all__ = ["get_num_interop_threads", "get_num_threads", "set_num_interop_threads", "set_num_threads"]


def _usable_processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Chosen:
    """What the user has asked for; None where nothing was."""

    within: int | None = None
    between: int | None = None


def _check(count: Any, caller: str) -> int:
    if type(count) is not int:
        raise RuntimeError(f"{caller} expects an int, but got {type(count).__name__}")
    if count <= 0:
        raise RuntimeError(f"{caller} expects a positive integer, but got {count}")
    return count


def get_num_threads() -> int:
    """The number of threads one operator may use; at first, that of the processors this process may run on."""
    return _Chosen.within or _usable_processors()


def set_num_threads(count: int) -> None:
    """Let one operator use at most `count` threads.

    Raises:
        RuntimeError: the count is not a positive integer.

    >>> import flambeau as torch
    >>> before = torch.get_num_threads(); torch.set_num_threads(1); torch.get_num_threads()
    1
    >>> torch.set_num_threads(before)
    """
    _Chosen.within = _check(count, "set_num_threads")


def get_num_interop_threads() -> int:
    """The number of threads that may run independent operators at the same time."""
    return _Chosen.between or _usable_processors()


def set_num_interop_threads(count: int) -> None:
    """Let independent operators run in at most `count` threads; can be said once.

    Raises:
        RuntimeError: the count is not a positive integer, or has been set before.
    """
    count = _check(count, "set_num_interop_threads")
    if _Chosen.between is not None:
        raise RuntimeError("Error: cannot set number of interop threads: set_num_interop_threads was called before")
    _Chosen.between = count
