"""The training doctor: looks on while a model is trained and reports the classic mistakes, each with its line and remedy.

    with flambeau.doctor.watch(model, optimizer):
        train()

It is off unless asked for, and costs nothing then. ``KINDS`` lists the mistakes it knows.
"""

from __future__ import annotations

from .findings import KINDS, Finding
from .session import watch

__all__ = ["KINDS", "Finding", "watch"]
