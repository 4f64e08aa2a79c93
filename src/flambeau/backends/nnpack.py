"""NNPACK. flambeau has convolutions of its own."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from .absent import set_settings, settings

enabled = True


def is_available() -> bool:
    """Whether NNPACK is used: no."""
    return False


def set_flags(_enabled: bool) -> tuple[Any, ...]:
    """Set whether it may be used; returns what was set."""
    return set_settings(globals(), enabled=_enabled)


def flags(enabled: bool = False) -> AbstractContextManager[None]:
    """Context in which it may or may not be used."""
    return settings(globals(), enabled=enabled)
