"""Streams and events of CUDA devices. None can be made; the context for no stream does nothing."""

from __future__ import annotations

from typing import Any

from .availability import require_cuda, unavailable


class Stream:
    """A queue of work on a CUDA device."""

    def __new__(cls, device: Any = None, priority: int = 0, **kwargs: Any) -> Stream:
        raise RuntimeError(f"torch.cuda.{cls.__name__} requires CUDA support: flambeau computes on the CPU")


class ExternalStream(Stream):
    """A stream that another library made."""

    def __new__(cls, stream_ptr: int, device: Any = None, **kwargs: Any) -> ExternalStream:
        raise RuntimeError("torch.cuda.ExternalStream requires CUDA support: flambeau computes on the CPU")


class Event:
    """A point in a stream to wait for or to measure time with."""

    def __new__(
        cls, enable_timing: bool = False, blocking: bool = False, interprocess: bool = False, external: bool = False
    ) -> Event:
        raise RuntimeError("torch.cuda.Event requires CUDA support: flambeau computes on the CPU")


class StreamContext:
    """Context in which a stream is the current one; None changes nothing."""

    def __init__(self, stream: Stream | None) -> None:
        self.stream = stream

    def __enter__(self) -> None:
        if self.stream is not None:
            require_cuda("stream()")

    def __exit__(self, type: Any, value: Any, traceback: Any) -> None:
        return None


def stream(stream: Stream | None) -> StreamContext:
    """Context in which ``stream`` is the current one; None changes nothing."""
    return StreamContext(stream)


def set_stream(stream: Stream | None) -> None:
    """Make ``stream`` the current one; None changes nothing."""
    if stream is not None:
        require_cuda("set_stream()")


current_stream = unavailable("current_stream", "The current stream.")
default_stream = unavailable("default_stream", "The default stream.")
get_stream_from_external = unavailable("get_stream_from_external", "A stream that another library made.")


class GreenContext:
    """A share of a CUDA device's processors."""

    @staticmethod
    def create(num_sms: int, device_id: int = 0) -> GreenContext:
        """Reserve processors."""
        raise RuntimeError("torch.cuda.GreenContext requires CUDA support: flambeau computes on the CPU")
