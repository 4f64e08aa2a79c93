"""What a worker process knows about itself."""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["WorkerInfo", "get_worker_info"]


class WorkerInfo(NamedTuple):
    """The worker's `id` among `num_workers`, its random `seed` and its own copy of the `dataset`."""

    id: int
    num_workers: int
    seed: int
    dataset: Any
    rng: Any = None
    worker_method: str = "multiprocessing"


_current: WorkerInfo | None = None


def get_worker_info() -> WorkerInfo | None:
    """The `WorkerInfo` of this worker process; None in the main process.

    >>> get_worker_info() is None
    True
    """
    return _current


def set_worker_info(info: WorkerInfo) -> None:
    """Say in which worker this process is."""
    global _current
    _current = info
