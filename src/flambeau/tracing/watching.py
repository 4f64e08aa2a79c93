"""Looking on while calls are recorded: a note for each entry of the trace, taken the moment it is appended.

Costs nothing when nobody looks on: the trace's entries are then a plain list.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .recorder import lock, observer, synchronize, trace

Note = Callable[[tuple[Any, ...]], Any]


class WatchedEntries(list[Any]):
    """The entries of a trace, and for each what the watcher noted.

    When the watcher is asked, the entry is the last one, and ``trace.storages`` ends with its results.
    """

    __slots__ = ("note", "notes")

    def __init__(self, note: Note) -> None:
        super().__init__()
        self.note = note
        self.notes: list[Any] = []

    def append(self, entry: tuple[Any, ...]) -> None:
        """Record a call."""
        super().append(entry)
        self.notes.append(self.note(entry))


class Watch:
    """Within, ``note(entry)`` is called for each call that is recorded, by any thread; what it returns is kept in ``notes``.

    ``run``, if given, runs each recording in place of its program.
    """

    def __init__(self, note: Note, run: Any = None) -> None:
        self.note, self.run = note, run

    def __enter__(self) -> Watch:
        with lock:
            synchronize()
            self._before = observer.entries, observer.run, observer.native
            observer.entries = lambda: WatchedEntries(self.note)
            if self.run is not None:
                observer.run, observer.native = self.run, False
            trace.entries = observer.entries()
        return self

    def __exit__(self, *exception: Any) -> None:
        with lock:
            try:
                synchronize()
            finally:
                observer.entries, observer.run, observer.native = self._before
                trace.entries = observer.entries()
