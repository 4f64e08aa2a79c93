"""What the backends that are not there have in common."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def settings(names: dict[str, Any], **changes: Any) -> Iterator[None]:
    """Set some of a module's settings (``names`` is its namespace) for as long as the context lasts."""
    before = {key: names[key] for key in changes}
    names.update({key: value for key, value in changes.items() if value is not None})
    try:
        yield
    finally:
        names.update(before)


def set_settings(names: dict[str, Any], **changes: Any) -> tuple[Any, ...]:
    """Set some of a module's settings and return what they were; None leaves one as it is."""
    before = tuple(names[key] for key in changes)
    names.update({key: value for key, value in changes.items() if value is not None})
    return before
