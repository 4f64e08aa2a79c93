"""What runs in a worker process: take indices, fetch their batches, send these back."""

from __future__ import annotations

import os
import queue
import random
import threading
from collections import deque
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from typing import Any, NamedTuple

from flambeau.utils.data import transport
from flambeau.utils.data.fetching import DatasetKind, IterableFetcher, MapFetcher, make_fetcher
from flambeau.utils.data.worker_info import WorkerInfo, set_worker_info

# How often a waiting worker makes sure that its parent still lives, in seconds.
PARENT_CHECK_INTERVAL = 5.0


class WorkerFailure:
    """An exception on its way from a worker: its type and the text of its traceback.

    The exception object itself stays behind: it may hold what cannot be pickled, and its traceback cannot travel.
    """

    def __init__(self, error: BaseException, where: str) -> None:
        import traceback

        self.kind: type[BaseException] = type(error)
        self.message = (
            f"Caught {self.kind.__name__} {where}.\n"
            f"Original {''.join(traceback.format_exception(self.kind, error, error.__traceback__))}"
        )

    def reraise(self) -> None:
        """Raise an exception of the original type, or RuntimeError where one cannot be made of a message."""
        message = _VerbatimKey(self.message) if issubclass(self.kind, KeyError) else self.message
        error: BaseException
        try:
            error = self.kind(message)
        except Exception:
            error = RuntimeError(self.message)
        raise error


class _VerbatimKey(str):
    """KeyError prints the repr of its argument, which would turn a traceback into one line."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


class WorkerTask(NamedTuple):
    """Fetch the batch at `index`; `number` says which of the epoch's batches it is."""

    epoch: int
    number: int
    index: Any


class NewEpoch(NamedTuple):
    """Start the data set anew; for a data pipe, with this seed for its shuffling."""

    epoch: int
    shared_seed: int | None


class TaskResult(NamedTuple):
    """What became of a task: `state` is "batch", "failed" (the batch is a `WorkerFailure`) or "exhausted"."""

    epoch: int
    number: int
    state: str


class WorkerSettings(NamedTuple):
    """All that a worker needs to know, pickled when it is spawned."""

    worker_id: int
    num_workers: int
    base_seed: int
    kind: DatasetKind
    dataset: Any
    batched: bool
    collate_fn: Callable[[Any], Any]
    drop_last: bool
    worker_init_fn: Callable[[int], None] | None
    shared_seed: int | None
    parent_pid: int | None


class _Sender:
    """Sends results from a thread of its own.

    The worker so keeps reading its tasks while the main process is not reading its results; were both ends to
    block on writing, neither would ever read.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._queue: queue.SimpleQueue[tuple[TaskResult, transport.EncodedBatch | None]] = queue.SimpleQueue()
        threading.Thread(target=self._run, name="flambeau-batch-sender", daemon=True).start()

    def put(self, header: TaskResult, batch: Any = None) -> None:
        self._queue.put((header, None if header.state == "exhausted" else transport.encode(batch)))

    def _run(self) -> None:
        while True:
            header, batch = self._queue.get()
            try:
                transport.send(self._connection, header, batch)
            except OSError:
                # Nobody reads any more. The main loop sees the same and ends the process.
                return


class _Inbox:
    """The messages of the main process, in order; None once it has asked to stop, or has died."""

    def __init__(self, connection: Connection, parent_pid: int | None) -> None:
        self._connection = connection
        self._parent_pid = parent_pid
        self._messages: deque[Any] = deque()

    def next(self) -> Any:
        # All that has arrived is read before the next task starts, so that a stop overtakes waiting tasks.
        while self._connection.poll(0) or (not self._messages and self._wait()):
            try:
                message = self._connection.recv()
            except (EOFError, OSError):
                return None
            if message is None:
                return None
            if isinstance(message, NewEpoch):
                # Nobody waits any more for what is left of the last one.
                self._messages.clear()
            self._messages.append(message)
        return self._messages.popleft() if self._messages else None

    def _wait(self) -> bool:
        """Wait for a message; False when the parent has died instead."""
        from multiprocessing import parent_process

        parent = parent_process()
        watched: list[Any] = [self._connection] if parent is None else [self._connection, parent.sentinel]
        while True:
            ready = wait(watched, PARENT_CHECK_INTERVAL)
            if self._connection in ready:
                return True
            # Siblings may hold the parent's end of the sentinel open, so the process id is looked at as well.
            if ready or (self._parent_pid is not None and os.getppid() != self._parent_pid):
                return False


def _seed_everything(seed: int, base_seed: int, worker_id: int) -> None:
    import numpy

    import flambeau

    random.seed(seed)
    flambeau.manual_seed(seed)
    # NumPy takes 32-bit words; mixing them keeps workers with neighbouring seeds independent.
    words = numpy.random.SeedSequence([worker_id, base_seed & 0xFFFFFFFF, base_seed >> 32, 0]).generate_state(4)
    numpy.random.seed(words)


class _Worker:
    """Performs tasks until told to stop."""

    def __init__(self, settings: WorkerSettings, connection: Connection) -> None:
        self.settings = settings
        self.sender = _Sender(connection)
        self.inbox = _Inbox(connection, settings.parent_pid)
        self.where = f"in DataLoader worker process {settings.worker_id}"
        self.fetcher: MapFetcher | IterableFetcher | None = None
        self.start_failure: WorkerFailure | None = None
        self.exhausted = False

    def start_epoch(self, shared_seed: int | None, prepare: Callable[[int], None] | None = None) -> None:
        """Begin the data set, keeping an error for the first task to report: nobody is listening yet."""
        settings = self.settings
        self.fetcher, self.start_failure, self.exhausted = None, None, False
        try:
            if prepare is not None:
                prepare(settings.worker_id)
            if shared_seed is not None:
                from flambeau.utils.data.datapipes.graph import apply_random_seed, apply_sharding

                apply_random_seed(settings.dataset, shared_seed)
                apply_sharding(settings.dataset, settings.num_workers, settings.worker_id)
            self.fetcher = make_fetcher(
                settings.kind, settings.dataset, settings.batched, settings.collate_fn, settings.drop_last
            )
        except Exception as error:
            self.start_failure = WorkerFailure(error, self.where)

    def perform(self, task: WorkerTask) -> None:
        result = TaskResult(task.epoch, task.number, "batch")
        iterable = self.settings.kind == DatasetKind.Iterable
        if self.exhausted:
            self.sender.put(result._replace(state="exhausted"))
            return
        if self.fetcher is None:
            assert self.start_failure is not None
            self.exhausted = iterable
            self.report(result, self.start_failure)
            return
        try:
            self.sender.put(result, self.fetcher.fetch(task.index))
        except Exception as error:
            if isinstance(error, StopIteration) and iterable:
                self.exhausted = True
                self.sender.put(result._replace(state="exhausted"))
            else:
                self.report(result, WorkerFailure(error, self.where))

    def report(self, result: TaskResult, failure: WorkerFailure) -> None:
        result = result._replace(state="failed")
        try:
            self.sender.put(result, failure)
        except Exception:
            # The type cannot be pickled: a class defined inside a function, say. Its name is in the message.
            failure.kind = RuntimeError
            self.sender.put(result, failure)

    def run(self) -> None:
        self.start_epoch(self.settings.shared_seed, self.settings.worker_init_fn)
        while (message := self.inbox.next()) is not None:
            if isinstance(message, NewEpoch):
                self.start_epoch(message.shared_seed)
            else:
                self.perform(message)


def run_worker(settings: WorkerSettings, connection: Connection, inherited: list[Connection]) -> None:
    """The life of a worker process."""
    import flambeau

    # Ends that belong to the parent: held here, they would keep a dead parent looking alive to its other workers.
    for end in inherited:
        end.close()
    # As many processes as cores are at work; threads in each would only get in each other's way.
    flambeau.set_num_threads(1)
    seed = settings.base_seed + settings.worker_id
    _seed_everything(seed, settings.base_seed, settings.worker_id)
    set_worker_info(WorkerInfo(settings.worker_id, settings.num_workers, seed, settings.dataset))
    try:
        _Worker(settings, connection).run()
    except KeyboardInterrupt:
        # Ctrl-C reaches all processes of a terminal; the main process reports it.
        return
