"""A graph as it is drawn: boxes with text, and lines between them with labels."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


class Box:
    """One box.

    Attributes:
        kind: "parameter" (a leaf that requires grad), "constant", "value", "result" or "operator".
        lines: its text, the title first.
    """

    __slots__ = ("kind", "lines")

    def __init__(self, kind: str, lines: Iterable[str]) -> None:
        self.kind, self.lines = kind, list(lines)


class Line:
    """A line from one box to another, by their keys, with text on it."""

    __slots__ = ("labels", "source", "target")

    def __init__(self, source: Any, target: Any, labels: Iterable[str] = ()) -> None:
        self.source, self.target, self.labels = source, target, list(labels)


class Figure:
    """Boxes by key, the lines between them, and remarks below."""

    def __init__(self) -> None:
        self.boxes: dict[Any, Box] = {}
        self.lines: list[Line] = []
        self.remarks: list[str] = []
