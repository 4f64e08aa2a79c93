"""Anomaly detection: nodes remember where they were made, and gradients that are not numbers are errors."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from .tape import anomaly

__all__ = ["detect_anomaly", "is_anomaly_check_nan_enabled", "is_anomaly_enabled", "set_detect_anomaly"]


class set_detect_anomaly:
    """Turn anomaly detection on or off, as a function or for the length of a ``with``.

    Args:
        mode: whether nodes keep the traceback of the call that made them.
        check_nan: whether a backward that makes NaN raises an error.

    >>> import flambeau as torch
    >>> with torch.autograd.set_detect_anomaly(True): torch.is_anomaly_enabled()
    True
    """

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self.prev = anomaly.enabled
        self.prev_check_nan = anomaly.check_nan
        anomaly.enabled, anomaly.check_nan = bool(mode), bool(check_nan)

    def __enter__(self) -> None:
        """Nothing more to do: the mode was set when the object was made."""

    def __exit__(self, *exception: Any) -> None:
        anomaly.enabled, anomaly.check_nan = self.prev, self.prev_check_nan


class detect_anomaly:
    """Detect anomalies within a ``with``; see :class:`set_detect_anomaly`."""

    def __init__(self, check_nan: bool = True) -> None:
        self.prev = anomaly.enabled
        self.check_nan = check_nan
        self.prev_check_nan = anomaly.check_nan
        warnings.warn(
            "Anomaly Detection has been enabled. This mode will increase the runtime and should only be enabled for debugging.",
            stacklevel=2,
        )

    def __enter__(self) -> None:
        self.prev, self.prev_check_nan = anomaly.enabled, anomaly.check_nan
        anomaly.enabled, anomaly.check_nan = True, self.check_nan

    def __exit__(self, *exception: Any) -> None:
        anomaly.enabled, anomaly.check_nan = self.prev, self.prev_check_nan


class noting_nodes:
    """Within, ``note(node)`` is called for each node that is made, in place of keeping the traceback of its call.

    Gradients are not checked for NaN, unless they were before.
    """

    def __init__(self, note: Callable[[Any], None]) -> None:
        self.note = note

    def __enter__(self) -> None:
        self.before = anomaly.enabled, anomaly.check_nan, vars(anomaly).get("remember")
        anomaly.remember = self.note  # type: ignore[method-assign,assignment]
        if not anomaly.enabled:
            anomaly.enabled, anomaly.check_nan = True, False

    def __exit__(self, *exception: Any) -> None:
        anomaly.enabled, anomaly.check_nan, before = self.before
        if before is None:
            del anomaly.remember
        else:
            anomaly.remember = before  # type: ignore[method-assign]


def is_anomaly_enabled() -> bool:
    """Whether anomaly detection is on."""
    return anomaly.enabled


def is_anomaly_check_nan_enabled() -> bool:
    """Whether anomaly detection looks for NaN."""
    return anomaly.check_nan
