"""``Future``: a result that is not there yet, and waiting for several of them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

__all__ = ["Future", "collect_all", "wait_all"]


class Future:
    """A result that somebody will set, once.

    >>> import flambeau as torch
    >>> future = torch.futures.Future(); after = future.then(lambda f: f.value() + 1)
    >>> future.set_result(3); after.wait()
    4
    """

    def __init__(self, *, devices: Any = None) -> None:
        self._condition = threading.Condition()
        self._done = False
        self._result: Any = None
        self._error: BaseException | None = None
        self._callbacks: list[Callable[[Future], Any]] = []

    def __class_getitem__(cls, item: Any) -> Any:
        return cls

    def done(self) -> bool:
        """Whether there is a result or an exception."""
        return self._done

    def wait(self) -> Any:
        """The result, when it is there; what was set as an exception is raised."""
        with self._condition:
            while not self._done:
                self._condition.wait()
        if self._error is not None:
            raise self._error
        return self._result

    def value(self) -> Any:
        """The result, which must be there.

        Raises:
            RuntimeError: it is not; call ``wait``.
        """
        if not self._done:
            raise RuntimeError("Future.value(): the future is not completed; use wait() to wait for its result")
        return self.wait()

    def _complete(self, result: Any, error: BaseException | None) -> None:
        with self._condition:
            if self._done:
                raise RuntimeError(
                    "Attempting to mark a completed Future as complete again. Note that a Future can only be marked completed "
                    "once."
                )
            self._result, self._error, self._done = result, error, True
            callbacks, self._callbacks = self._callbacks, []
            self._condition.notify_all()
        for each in callbacks:
            each(self)

    def set_result(self, result: Any) -> None:
        """Complete the future; callbacks run here."""
        self._complete(result, None)

    def set_exception(self, result: BaseException) -> None:
        """Complete the future with an exception, which ``wait`` raises."""
        if not isinstance(result, BaseException):
            raise AssertionError(f"{result} is of type {type(result)}, not an Exception.")
        self._complete(None, result)

    def add_done_callback(self, callback: Callable[[Future], Any]) -> None:
        """Call ``callback(future)`` when it is complete, at once if it is already; an exception in it is printed."""

        def guarded(future: Future) -> None:
            try:
                callback(future)
            except Exception:
                import traceback

                traceback.print_exc()

        with self._condition:
            if not self._done:
                self._callbacks.append(guarded)
                return
        guarded(self)

    def then(self, callback: Callable[[Future], Any]) -> Future:
        """A future of ``callback(self)``, which is called when this one is complete."""
        following = Future()

        def forward(future: Future) -> None:
            try:
                result = callback(future)
            except Exception as error:
                following.set_exception(error)
            else:
                following.set_result(result)

        self.add_done_callback(forward)
        return following


def collect_all(futures: list[Future]) -> Future:
    """A future of the list ``futures``, complete when all of them are."""
    collected = Future()
    remaining, lock = len(futures), threading.Lock()
    if not remaining:
        collected.set_result([])

    def one_more(_: Future) -> None:
        nonlocal remaining
        with lock:
            remaining -= 1
            last = remaining == 0
        if last:
            collected.set_result(list(futures))

    for each in futures:
        each.add_done_callback(one_more)
    return collected


def wait_all(futures: list[Future]) -> list[Any]:
    """The results of all futures, in order; raises the first exception among them."""
    return [each.wait() for each in futures]
