"""The line of the user's code: the innermost one outside this package."""

from __future__ import annotations

import os
import sys
from types import CodeType
from typing import Any

from ..autograd import engine

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_LESSONS = os.path.join(_PACKAGE, "lessons", "")  # installed beside the package's code, but written as a user's
_ours: dict[CodeType, bool] = {}
_APPLY = engine._apply.__code__


class Place:
    """A line of a file."""

    __slots__ = ("filename", "function", "line")

    def __init__(self, filename: str, line: int, function: str) -> None:
        self.filename, self.line, self.function = filename, line, function

    @property
    def source(self) -> str:
        """The text of the line; empty when the file cannot be read."""
        import linecache

        return linecache.getline(self.filename, self.line).strip()

    def __str__(self) -> str:
        """As a traceback has it, which is how nodes of the graph show where they were made."""
        return f'  File "{self.filename}", line {self.line}, in {self.function}\n    {self.source}\n'

    def named(self) -> str:
        """The place within a sentence."""
        return f"{os.path.basename(self.filename)}:{self.line}" + (f" ({self.source})" if self.source else "")


def is_ours(filename: str) -> bool:
    """Whether a file belongs to this package."""
    return filename.startswith(_PACKAGE) and not filename.startswith(_LESSONS)


def here() -> tuple[Place | None, Any]:
    """The user's line that is running, and the node of the graph whose derivative is being computed, if any."""
    frame: Any = sys._getframe(1)
    node = None
    while frame is not None:
        code = frame.f_code
        ours = _ours.get(code)
        if ours is None:
            ours = _ours[code] = is_ours(code.co_filename)
        if not ours:
            return Place(code.co_filename, frame.f_lineno, code.co_name), node
        if code is _APPLY and node is None:
            node = frame.f_locals.get("node")
        frame = frame.f_back
    return None, node
