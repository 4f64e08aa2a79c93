"""Streams and events of the CPU: work is done in order, so waiting is never necessary."""

from __future__ import annotations

from typing import Any

from .device import synchronize


class Event:
    """A point in time to wait for; it has always been reached."""

    def query(self) -> bool:
        """Whether everything before it is done."""
        return True

    def record(self, stream: Any = None) -> None:
        """Mark this point in time."""

    def synchronize(self) -> None:
        """Compute everything that has been recorded."""
        synchronize()

    def wait(self, stream: Any = None) -> None:
        """Let a stream wait for it."""


class Stream:
    """The CPU's one queue of work."""

    def __init__(self, priority: int = -1) -> None:
        self.priority = priority

    def wait_stream(self, stream: Any) -> None:
        """Wait for another stream."""

    def record_event(self) -> None:
        """Mark this point in time."""

    def wait_event(self, event: Any) -> None:
        """Wait for an event."""


_default_stream = Stream()
_current_stream = _default_stream


def current_stream(device: Any = None) -> Stream:
    """The current stream."""
    return _current_stream


class StreamContext:
    """Context in which a stream is the current one; None changes nothing."""

    def __init__(self, stream: Stream | None) -> None:
        self.stream = stream

    def __enter__(self) -> None:
        global _current_stream
        self._previous = _current_stream
        if self.stream is not None:
            _current_stream = self.stream

    def __exit__(self, type: Any, value: Any, traceback: Any) -> None:
        global _current_stream
        _current_stream = self._previous


def stream(stream: Stream) -> StreamContext:
    """Context in which ``stream`` is the current one."""
    return StreamContext(stream)
