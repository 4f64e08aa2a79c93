"""Measuring how long statements take: ``Timer`` runs, ``Measurement`` holds, ``Compare`` tabulates."""

from __future__ import annotations

from .measuring import Measurement as Measurement, TaskSpec as TaskSpec, Timer as Timer, select_unit as select_unit
from .tables import Compare as Compare

__all__ = ["Compare", "Measurement", "TaskSpec", "Timer", "select_unit"]
