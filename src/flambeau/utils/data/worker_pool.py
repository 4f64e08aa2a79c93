"""The worker processes of one loader iterator, as the main process sees them."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection, wait
from typing import Any

from flambeau.utils.data import transport
from flambeau.utils.data.worker import WorkerSettings, run_worker

# How often waiting for a batch is interrupted to see whether the workers still live, in seconds. A worker's death
# is normally noticed at once; a child process of its own may keep it from being noticed.
LIVENESS_CHECK_INTERVAL = 5.0
# How long a worker may take to finish what it is doing once it has been told to stop, in seconds.
STOP_PATIENCE = 5.0


class WorkerPool:
    """Starts workers, passes messages to and from them, notices when one dies, and ends them.

    It does not refer to the iterator that uses it, so that dropping the iterator can end the workers.
    """

    def __init__(self, context: Any, num_workers: int, settings_of: Callable[[int], WorkerSettings]) -> None:
        self._owner = os.getpid()
        self._processes: list[Any] = []
        self._connections: list[Connection] = []
        self._stopped: set[int] = set()
        self._failure: str | None = None
        forks = context.get_start_method() == "fork"
        try:
            for worker_id in range(num_workers):
                ours, theirs = context.Pipe(duplex=True)
                self._connections.append(ours)
                process = context.Process(
                    target=run_worker,
                    args=(settings_of(worker_id), theirs, list(self._connections) if forks else []),
                    daemon=True,
                )
                try:
                    process.start()
                finally:
                    # Were it kept open here, the end of the worker would not be the end of the stream.
                    theirs.close()
                self._processes.append(process)
        except BaseException:
            self.stop()
            raise

    def send(self, worker_id: int, message: Any) -> None:
        """Give a message to a worker."""
        try:
            self._connections[worker_id].send(message)
        except (BrokenPipeError, ConnectionResetError):
            # The worker is dead; `receive` says so when its batch is waited for.
            return

    def receive(self, timeout: float | None) -> Iterator[tuple[int, Any, transport.ReceivedBatch | None]]:
        """All results that have arrived, waiting for the first; none when `timeout` seconds pass.

        Raises RuntimeError when a worker has died and nothing more can be read.
        """
        if self._failure is not None:
            raise RuntimeError(self._failure)
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            remaining = None if deadline is None else max(0.0, deadline - time.monotonic())
            running = [i for i in range(len(self._processes)) if i not in self._stopped]
            connections: dict[Any, int] = {self._connections[i]: i for i in running}
            sentinels = [self._processes[i].sentinel for i in running]
            patience = LIVENESS_CHECK_INTERVAL if remaining is None else min(remaining, LIVENESS_CHECK_INTERVAL)
            ready = wait([*connections, *sentinels], patience)
            results = []
            for worker_id in [connections[one] for one in ready if not isinstance(one, int)]:
                try:
                    results.append((worker_id, *transport.receive(self._connections[worker_id])))
                except (EOFError, OSError):
                    continue
                except RuntimeError as error:
                    # Part of a message is lost, and with it where the next one begins.
                    self._failure = str(error)
                    self.stop()
                    raise
            if results:
                return iter(results)
            dead = [i for i in running if not self._processes[i].is_alive()]
            if ready or dead:
                self._fail(running)
            if remaining is not None and remaining <= patience:
                return iter(())

    def _fail(self, running: list[int]) -> None:
        # A worker that has closed its stream is about to be gone; give the system a moment to know its exit code.
        deadline = time.monotonic() + 1.0
        while not (dead := [self._processes[i] for i in running if not self._processes[i].is_alive()]):
            if time.monotonic() > deadline:
                break
            time.sleep(0.001)
        pids = ", ".join(str(process.pid) for process in dead)
        reasons = "; ".join(f"pid {process.pid} {_describe_exit(process.exitcode)}" for process in dead)
        self._failure = f"DataLoader worker (pid(s) {pids}) exited unexpectedly"
        self.stop()
        raise RuntimeError(self._failure) from (RuntimeError(reasons) if reasons else None)

    def stop_worker(self, worker_id: int) -> None:
        """Tell one worker that there is nothing more to do."""
        if worker_id in self._stopped:
            return
        self._stopped.add(worker_id)
        connection = self._connections[worker_id]
        try:
            # A worker that does not read must not hold up its own end; closing the connection tells it as well.
            if not hasattr(select, "poll") or _is_writable(connection):
                connection.send(None)
        except OSError:
            pass
        connection.close()

    def stop(self) -> None:
        """End all workers: by request, and by force where that is not heeded."""
        if os.getpid() != self._owner:
            # A copy in a forked process: the workers are not its children. Its connections close with it.
            return
        for worker_id in range(len(self._connections)):
            self.stop_worker(worker_id)
        deadline = time.monotonic() + STOP_PATIENCE
        for process in self._processes:
            process.join(max(0.0, deadline - time.monotonic()))
        for process in self._processes:
            if process.is_alive():
                process.terminate()
                process.join(1.0)
            if process.is_alive():
                process.kill()
                process.join()
        self._processes.clear()


def _is_writable(connection: Connection) -> bool:
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLOUT)
    return any(event & select.POLLOUT for _, event in poll.poll(0))


def _describe_exit(code: int | None) -> str:
    if code is None:
        return "closed its connection"
    if code < 0:
        try:
            description = signal.strsignal(-code)
        except ValueError:
            description = None
        hint = ""
        if -code == getattr(signal, "SIGKILL", None):
            hint = " (the system may have been out of memory)"
        return f"was killed by signal {-code}: {description or 'unknown'}{hint}"
    return f"exited with code {code}"
