"""One pass over a `DataLoader`: in the main process, or through workers."""

from __future__ import annotations

import warnings
import weakref
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from flambeau.utils.data.datapipes.datapipe import IterDataPipe
from flambeau.utils.data.fetching import DatasetKind, make_fetcher
from flambeau.utils.data.sampler import draw_seed

if TYPE_CHECKING:
    from flambeau.utils.data.dataloader import DataLoader


class LoaderIterator(ABC, Iterator[Any]):
    """What both kinds of iterator share: the sampler, the seeds and the check of a reported length."""

    def __init__(self, loader: DataLoader[Any]) -> None:
        self._loader = loader
        self._num_yielded = 0
        # PyTorch draws these in this order, whether or not anything comes to use them.
        self._shared_seed = self._draw_shared_seed()
        self._sampler_iterator = iter(loader._index_sampler)
        self._base_seed = draw_seed(loader.generator)
        self._warn_about_pinning()

    def _draw_shared_seed(self) -> int | None:
        """The seed from which all copies of a data pipe shuffle alike; None for other data sets."""
        return draw_seed(self._loader.generator) if isinstance(self._loader.dataset, IterDataPipe) else None

    def _warn_about_pinning(self) -> None:
        if not self._loader.pin_memory:
            return
        if self._loader.pin_memory_device:
            warnings.warn(
                "pin_memory_device is deprecated, the current accelerator will be used as the device, "
                f"ignore pin_memory_device='{self._loader.pin_memory_device}'.",
                stacklevel=6,
            )
        warnings.warn(
            "'pin_memory' argument is set as true but no accelerator is found, then device pinned memory won't be "
            "used.",
            stacklevel=6,
        )

    @abstractmethod
    def _next_batch(self) -> Any: ...

    def __iter__(self) -> LoaderIterator:
        return self

    def __next__(self) -> Any:
        batch = self._next_batch()
        self._num_yielded += 1
        loader = self._loader
        reported = loader._reported_length
        if loader._dataset_kind == DatasetKind.Iterable and reported is not None and self._num_yielded > reported:
            hint = (
                "For multiprocessing data-loading, this could be caused by not properly configuring the "
                "IterableDataset replica at each worker: see get_worker_info."
                if loader.num_workers
                else ""
            )
            warnings.warn(
                f"Length of IterableDataset {loader.dataset} was reported to be {reported} (when accessing "
                f"len(dataloader)), but {self._num_yielded} samples have been fetched. {hint}",
                stacklevel=2,
            )
        return batch

    def __len__(self) -> int:
        return len(self._loader._index_sampler)  # type: ignore[arg-type]

    def __reduce__(self) -> Any:
        raise NotImplementedError(f"{type(self).__name__} cannot be pickled: it is a pass in progress")


class SingleProcessIterator(LoaderIterator):
    """Loads each batch when it is asked for."""

    def __init__(self, loader: DataLoader[Any]) -> None:
        super().__init__(loader)
        if loader.timeout:
            raise AssertionError(
                f"timeout={loader.timeout} needs worker processes: set num_workers > 0, or timeout to 0"
            )
        if self._shared_seed is not None:
            from flambeau.utils.data.datapipes.graph import apply_random_seed

            apply_random_seed(loader.dataset, self._shared_seed)
        self._fetcher = make_fetcher(
            loader._dataset_kind, loader.dataset, loader._auto_collation, loader.collate_fn, loader.drop_last
        )

    def _next_batch(self) -> Any:
        return self._fetcher.fetch(next(self._sampler_iterator))


class _Task:
    """A batch that a worker has been asked for: by whom, and what came back."""

    __slots__ = ("batch", "number", "state", "worker_id")

    def __init__(self, number: int, worker_id: int) -> None:
        self.number = number
        self.worker_id = worker_id
        self.state = "waiting"
        self.batch: Any = None


class MultiProcessIterator(LoaderIterator):
    """Keeps `prefetch_factor` batches a worker under way and yields them in the order of the sampler.

    Batches are asked for from the workers in turn. What arrives early waits in its task; with ``in_order=False`` it
    is yielded at once.
    """

    def __init__(self, loader: DataLoader[Any]) -> None:
        super().__init__(loader)
        if not loader.prefetch_factor:
            raise AssertionError(f"prefetch_factor should be positive, but got {loader.prefetch_factor}")
        from flambeau.utils.data.worker_pool import WorkerPool

        self._num_workers = loader.num_workers
        self._epoch = 0
        first_seed = self._shared_seed
        self._begin()
        context = loader.multiprocessing_context
        if context is None:
            import multiprocessing

            context = multiprocessing.get_context()
        self._pool = WorkerPool(context, self._num_workers, self._worker_settings(context, first_seed))
        self._end_workers = weakref.finalize(self, self._pool.stop)
        self._fill()

    def _worker_settings(self, context: Any, shared_seed: int | None) -> Any:
        import os

        from flambeau.utils.data.worker import WorkerSettings

        loader = self._loader
        # Under a fork server the parent, as the system sees it, is that server.
        parent_pid = None if context.get_start_method() == "forkserver" else os.getpid()

        def settings(worker_id: int) -> WorkerSettings:
            return WorkerSettings(
                worker_id=worker_id,
                num_workers=self._num_workers,
                base_seed=self._base_seed,
                kind=loader._dataset_kind,
                dataset=loader.dataset,
                batched=loader._auto_collation,
                collate_fn=loader.collate_fn,
                drop_last=loader.drop_last,
                worker_init_fn=loader.worker_init_fn,
                shared_seed=shared_seed,
                parent_pid=parent_pid,
            )

        return settings

    def _begin(self) -> None:
        self._num_yielded = 0
        # In the first epoch nobody uses this one, but PyTorch draws it too.
        self._shared_seed = self._draw_shared_seed()
        self._next_number = 0
        self._tasks: deque[_Task] = deque()
        self._by_number: dict[int, _Task] = {}
        self._pending = [0] * self._num_workers
        self._active = [True] * self._num_workers
        self._turn = 0
        self._sampler_done = False

    def restart(self) -> None:
        """Begin the next epoch with the same workers. Results of an unfinished one are dropped as they arrive."""
        from flambeau.utils.data.worker import NewEpoch

        self._epoch += 1
        self._sampler_iterator = iter(self._loader._index_sampler)
        self._begin()
        for worker_id in range(self._num_workers):
            self._pool.send(worker_id, NewEpoch(self._epoch, self._shared_seed))
        self._fill()

    def _fill(self) -> None:
        for _ in range(self._loader.prefetch_factor * self._num_workers):  # type: ignore[operator]
            self._ask()

    def _ask(self) -> None:
        """Ask the next worker for the next batch, if there are both."""
        if self._sampler_done or (worker_id := self._choose_worker()) is None:
            return
        try:
            index = next(self._sampler_iterator)
        except StopIteration:
            self._sampler_done = True
            return
        from flambeau.utils.data.worker import WorkerTask

        task = _Task(self._next_number, worker_id)
        self._pool.send(worker_id, WorkerTask(self._epoch, task.number, index))
        self._next_number += 1
        self._pending[worker_id] += 1
        self._tasks.append(task)
        self._by_number[task.number] = task

    def _choose_worker(self) -> int | None:
        """The next active worker in turn; without order, the next with the least to do."""
        turns = [(self._turn + step) % self._num_workers for step in range(self._num_workers)]
        candidates = [worker_id for worker_id in turns if self._active[worker_id]]
        if not candidates:
            return None
        chosen = candidates[0] if self._loader.in_order else min(candidates, key=self._pending.__getitem__)
        self._turn = (chosen + 1) % self._num_workers
        return chosen

    def _next_batch(self) -> Any:
        while self._tasks:
            task = self._finished_task()
            if task is None:
                self._receive()
                continue
            self._tasks.remove(task)
            del self._by_number[task.number]
            self._ask()
            if task.state == "exhausted":
                continue
            from flambeau.utils.data import transport

            batch = transport.decode(task.batch)
            if task.state == "failed":
                batch.reraise()
            return batch
        if not self._loader.persistent_workers:
            self._end_workers()
        raise StopIteration

    def _finished_task(self) -> _Task | None:
        if self._loader.in_order:
            return self._tasks[0] if self._tasks[0].state != "waiting" else None
        return next((task for task in self._tasks if task.state != "waiting"), None)

    def _receive(self) -> None:
        timeout = self._loader.timeout
        arrived = False
        for worker_id, result, batch in self._pool.receive(timeout or None):
            arrived = True
            if result.epoch != self._epoch:
                continue
            task = self._by_number[result.number]
            task.state, task.batch = result.state, batch
            self._pending[worker_id] -= 1
            if result.state == "exhausted" and self._active[worker_id]:
                self._retire(worker_id)
        if not arrived:
            raise RuntimeError(
                f"DataLoader timed out after {timeout} seconds; raise timeout, or find what the workers wait for"
            )

    def _retire(self, worker_id: int) -> None:
        """Ask nothing more of a worker whose stream has ended; let its process go, unless it is to stay."""
        self._active[worker_id] = False
        if self._loader.persistent_workers:
            return
        self._pool.stop_worker(worker_id)
        for task in self._tasks:
            if task.worker_id == worker_id and task.state == "waiting":
                task.state = "exhausted"
