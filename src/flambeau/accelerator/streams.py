"""Streams, events and graphs of whatever accelerator there is: none can be made."""

from __future__ import annotations

from typing import Any

from .availability import MISSING


class Stream:
    """A queue of work on an accelerator."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Stream:
        raise RuntimeError(MISSING)


class Event:
    """A point in a stream to wait for or to measure time with."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Event:
        raise RuntimeError(MISSING)


class Graph:
    """Recorded work on an accelerator. flambeau's own recording needs none: every step is one program."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Graph:
        raise RuntimeError(MISSING)
