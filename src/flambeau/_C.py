"""The few names of PyTorch's compiled core that packages call although they are private."""

from __future__ import annotations

from typing import Any


def _log_api_usage_once(event: Any) -> None:
    """Take note that part of a package is used. No such log is kept here, so there is nothing to do with ``event``."""


def _get_tracing_state() -> None:
    """None: nothing is being traced."""
